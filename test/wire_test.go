package test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // drivers, for damage done to a database on purpose
	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite"

	"github.com/tongbo/tongbo/internal/api/openapi/openapitest"
)

// cmdHTTP makes a call and prints the whole answer: status line, headers in
// order but those that are another in each answer (Date, X-Request-Id), an empty
// line, the exact body.
//
//	http METHOD URL ['Header: value']… [BODYFILE]
func cmdHTTP(ts *testscript.TestScript, neg bool, args []string) {
	text, err := exchange(ts, args)
	if (err != nil) != neg {
		ts.Fatalf("http: %v", err)
	}
	_, err = io.WriteString(ts.Stdout(), text)
	ts.Check(err)
}

func exchange(ts *testscript.TestScript, args []string) (string, error) {
	if len(args) < 2 {
		ts.Fatalf("usage: http METHOD URL ['Header: value']… [BODYFILE]")
	}
	sent := ""
	headers := args[2:]
	if n := len(headers); n > 0 && !strings.Contains(headers[n-1], ": ") {
		sent, headers = ts.ReadFile(headers[n-1]), headers[:n-1]
	}
	req, err := http.NewRequest(args[0], args[1], strings.NewReader(sent))
	ts.Check(err)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	ts.Check(documented(openapitest.Exchange{
		Method: req.Method, URL: req.URL, Header: req.Header, Body: []byte(sent), Status: resp.StatusCode, AnswerHeader: resp.Header, Answer: b,
	}))
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s\n", resp.Proto, resp.Status)
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		if name != "Date" && name != "X-Request-Id" {
			fmt.Fprintf(&out, "%s: %s\n", name, strings.Join(resp.Header[name], ", "))
		}
	}
	fmt.Fprintf(&out, "\n%s", b)
	return out.String(), nil
}

// documentedClient is client, and fails the test where a call of API V2 or its answer
// is not what the API's documents say.
func documentedClient(tb testing.TB) *http.Client {
	tb.Helper()
	out := *client
	out.Transport = openapitest.Transport(tb, client.Transport, "v2.yaml", "tongbo.yaml")
	return &out
}

// documented holds a script's call and its answer against the API's documents.
func documented(e openapitest.Exchange) error {
	s, err := openapitest.Served()
	if err != nil {
		return err
	}
	return s.Check(e, "v2.yaml", "tongbo.yaml")
}

// cmdAwait repeats a command until its standard output matches.
//
//	await PATTERN http METHOD URL …
//	await PATTERN tongbo …
func cmdAwait(ts *testscript.TestScript, _ bool, args []string) {
	want := pattern(ts, args[0])
	ctx, cancel := context.WithTimeout(context.Background(), awaitPatience)
	defer cancel()
	text := ""
	err := poll(ctx, nil, func() bool {
		if args[1] == "http" {
			var err error
			if text, err = exchange(ts, args[2:]); err != nil {
				text = err.Error()
			}
		} else {
			text = run(ts, args[1:])
		}
		return want.MatchString(text)
	})
	if err != nil {
		ts.Fatalf("no answer matches %s; the last:\n%s", want, text)
	}
	_, err = io.WriteString(ts.Stdout(), text)
	ts.Check(err)
}

// run runs a program and returns what it writes to standard output.
func run(ts *testscript.TestScript, args []string) string {
	path := args[0]
	if path == "tongbo" {
		path = of(ts).binary
	}
	c := exec.Command(path, args[1:]...)
	c.Env, c.Dir = environment(ts), ts.MkAbs(".")
	out, err := c.Output()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	return string(out)
}

// cmdCode runs a program and checks its exit code.
//
//	code N PROGRAM [ARG]…
func cmdCode(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := new(exec.ExitError)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// cmdRaw writes a file's bytes to the server as they are, each line end as
// CRLF up to the first empty line, and prints all that comes back before the
// server hangs up.
//
//	raw ADDR FILE
func cmdRaw(ts *testscript.TestScript, _ bool, args []string) {
	head, body, _ := strings.Cut(ts.ReadFile(args[1]), "\n\n")
	text := strings.ReplaceAll(head, "\n", "\r\n") + "\r\n\r\n" + strings.TrimSuffix(body, "\n")
	conn, err := net.DialTimeout("tcp", args[0], awaitPatience)
	ts.Check(err)
	defer conn.Close()
	ts.Check(conn.SetDeadline(time.Now().Add(awaitPatience)))
	_, err = io.WriteString(conn, text)
	ts.Check(err)
	answer, err := io.ReadAll(conn)
	ts.Check(err)
	_, err = io.WriteString(ts.Stdout(), strings.ReplaceAll(string(answer), "\r", ""))
	ts.Check(err)
}

// openDatabase opens a database beside the program.
func openDatabase(name string) (*sql.DB, error) {
	if file, ok := strings.CutPrefix(name, "sqlite:"); ok {
		return sql.Open("sqlite", "file:"+file+"?_pragma=busy_timeout(5000)")
	}
	return sql.Open("pgx", name)
}

// cmdSQL runs a statement that changes at least one row: damage, done on
// purpose.
//
//	sql STATEMENT
func cmdSQL(ts *testscript.TestScript, _ bool, args []string) {
	db, err := openDatabase(ts.Getenv("TONGBO_DATABASE"))
	ts.Check(err)
	defer db.Close()
	res, err := db.Exec(args[0])
	ts.Check(err)
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		ts.Fatalf("%s changed %d rows (%v)", args[0], n, err)
	}
}
