package test

import (
	"context"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/tongbo/tongbo/internal/simulator"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// awaitPatience is how long a script waits for anything.
const awaitPatience = 30 * time.Second

// A scene is what one script has started.
type scene struct {
	binary string
	nodes  map[string]*node
	shops  map[string]*shop
}

type sceneKey struct{}

// testerKey is the key of the script's testing.TB.
type testerKey struct{}

func of(ts *testscript.TestScript) *scene { return ts.Value(sceneKey{}).(*scene) }

// A shop is a merchant's server that a script started.
type shop struct {
	*simulator.Shop
	server *httptest.Server
}

// close ends what the script left running.
func (s *scene) close() {
	for _, n := range s.nodes {
		n.kill()
	}
	for _, sh := range s.shops {
		sh.server.CloseClientConnections()
		sh.server.Close()
	}
}

// commands are what scripts know beyond testscript's own.
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"await":    cmdAwait,
	"code":     cmdCode,
	"http":     cmdHTTP,
	"kill9":    cmdKill,
	"postgres": cmdPostgres,
	"raw":      cmdRaw,
	"serve":    cmdServe,
	"setenv":   cmdSetenv,
	"shop":     cmdShop,
	"sql":      cmdSQL,
	"halt":     cmdHalt,
	"subst":    cmdSubst,
	"waitlog":  cmdWaitlog,
	"webhooks": cmdWebhooks,
}

// named takes "-as NAME" off the arguments; the name is "serve" without it.
func named(args []string) (string, []string) {
	if len(args) >= 2 && args[0] == "-as" {
		return args[1], args[2:]
	}
	return "serve", args
}

// cmdServe starts `tongbo serve`, or starts it again on the same port, and
// waits until it is ready. $URL and $ADDR are its address; for a node with a
// name, $NAME_URL and $NAME_ADDR.
//
//	serve [-as NAME] [flag…]
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	name, flags := named(args)
	s := of(ts)
	n := s.nodes[name]
	if n == nil {
		n = &node{binary: s.binary}
		s.nodes[name] = n
	}
	if n.alive() {
		ts.Fatalf("%s runs already", name)
	}
	n.args, n.env = flags, environment(ts)
	if _, err := n.start(); err != nil {
		ts.Fatalf("%v", err)
	}
	if neg {
		ts.Fatalf("serve: say code N tongbo serve for a start that fails")
	}
	prefix := ""
	if name != "serve" {
		prefix = strings.ToUpper(name) + "_"
	}
	ts.Setenv(prefix+"URL", "http://"+n.addr)
	ts.Setenv(prefix+"ADDR", n.addr)
	_, port, _ := strings.Cut(n.addr, ":")
	ts.Setenv(prefix+"PORT", port)
}

// environment is what the program sees of the script's environment.
func environment(ts *testscript.TestScript) []string {
	env := []string{"HOME=/nowhere"}
	for _, name := range []string{"PATH", "TONGBO_DATABASE", "TONGBO_KEY", "TONGBO_KEY_FILE"} {
		if v := ts.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

func (s *scene) node(ts *testscript.TestScript, args []string) (*node, []string) {
	name, rest := named(args)
	n := s.nodes[name]
	if n == nil || n.cmd == nil {
		ts.Fatalf("%s has not been started", name)
	}
	return n, rest
}

// cmdKill ends a node as a crash would.
//
//	kill9 [-as NAME]
func cmdKill(ts *testscript.TestScript, _ bool, args []string) {
	n, _ := of(ts).node(ts, args)
	n.kill()
}

// cmdHalt sends SIGTERM and waits for a good end; with -twice it sends it
// again at once and waits for any end; with -begin it does not wait, and with
// -end it only waits. The log is the command's stderr.
//
//	halt [-as NAME] [-twice | -begin | -end]
func cmdHalt(ts *testscript.TestScript, neg bool, args []string) {
	n, rest := of(ts).node(ts, args)
	how := strings.Join(rest, " ")
	began := time.Now()
	if how != "-end" {
		ts.Check(n.signal(syscall.SIGTERM))
	}
	switch how {
	case "-begin":
		return
	case "-twice":
		// The first one has been heard once the node is no longer ready.
		ts.Check(n.until(stopPatience, func() bool { return status(n.url("/readyz")) != 200 }))
		ts.Check(n.signal(syscall.SIGTERM))
	}
	err := n.wait()
	_, _ = ts.Stderr().Write([]byte(n.output.String()))
	ts.Logf("stopped after %v", time.Since(began).Round(time.Millisecond))
	if (err != nil) != neg {
		ts.Fatalf("halt: %v", err)
	}
}

// cmdWaitlog waits until a node's log matches.
//
//	waitlog [-as NAME] PATTERN
func cmdWaitlog(ts *testscript.TestScript, _ bool, args []string) {
	n, rest := of(ts).node(ts, args)
	want := pattern(ts, rest[0])
	if err := n.until(awaitPatience, func() bool { return want.MatchString(n.output.String()) }); err != nil {
		ts.Fatalf("the log does not match %s: %v\n%s", want, err, tail(n.output.String()))
	}
}

func pattern(ts *testscript.TestScript, s string) *regexp.Regexp {
	re, err := regexp.Compile(`(?sm)` + s)
	ts.Check(err)
	return re
}

// cmdShop starts a merchant's server; $NAME is its address. It answers with
// the given statuses first and with 200 later on. A delay is how long it
// thinks.
//
//	shop NAME [500,500,…] [delay]
func cmdShop(ts *testscript.TestScript, _ bool, args []string) {
	sh := &shop{Shop: &simulator.Shop{}}
	if len(args) > 1 && args[1] != "" {
		for a := range strings.SplitSeq(args[1], ",") {
			code, err := strconv.Atoi(a)
			ts.Check(err)
			sh.Answers = append(sh.Answers, code)
		}
	}
	if len(args) > 2 {
		d, err := time.ParseDuration(args[2])
		ts.Check(err)
		sh.Delay = d
	}
	sh.server = httptest.NewServer(sh.Shop)
	of(ts).shops[args[0]] = sh
	ts.Setenv(args[0], sh.server.URL+"/webhook")
}

// cmdPostgres makes an empty PostgreSQL database, also in a script that runs on
// SQLite; $NAME is its URL.
//
//	postgres NAME
func cmdPostgres(ts *testscript.TestScript, _ bool, args []string) {
	tb, _ := ts.Value(testerKey{}).(testing.TB)
	ts.Setenv(args[0], storetest.Postgres(tb))
}

// cmdWebhooks waits until a shop has been called N times and prints the calls,
// a line each: the answer, the id, whether the signature is valid, the body.
// The reference implementation of Standard Webhooks checks the signature.
//
//	webhooks NAME N [SECRET]
func cmdWebhooks(ts *testscript.TestScript, _ bool, args []string) {
	sh := of(ts).shops[args[0]]
	if sh == nil {
		ts.Fatalf("there is no shop %s", args[0])
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), awaitPatience)
	defer cancel()
	calls, err := sh.Wait(ctx, n)
	ts.Check(err)
	if len(calls) > n {
		ts.Fatalf("%d webhooks came, want %d", len(calls), n)
	}
	for _, c := range calls {
		signed := "unchecked"
		if len(args) > 2 {
			signed = "signed"
			w, err := standardwebhooks.NewWebhook(args[2])
			ts.Check(err)
			if err := w.Verify(c.Body, c.Header); err != nil {
				signed = "forged (" + err.Error() + ")"
			}
		}
		_, err := ts.Stdout().Write([]byte(strconv.Itoa(c.Status) + " " + c.ID + " " + signed + " " + string(c.Body) + "\n"))
		ts.Check(err)
	}
}

// cmdSetenv sets a variable to what a pattern's group matches in the last
// standard output.
//
//	setenv NAME PATTERN
func cmdSetenv(ts *testscript.TestScript, _ bool, args []string) {
	m := pattern(ts, args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) != 2 {
		ts.Fatalf("standard output does not match %s with one group", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// cmdSubst replaces texts in a file.
//
//	subst FILE OLD NEW [OLD NEW]…
func cmdSubst(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	for i := 1; i+1 < len(args); i += 2 {
		if !strings.Contains(text, args[i]) {
			ts.Fatalf("%s does not hold %q", args[0], args[i])
		}
		text = strings.ReplaceAll(text, args[i], args[i+1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
}
