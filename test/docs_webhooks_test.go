package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// block is the first code of a language in a text.
func block(t *testing.T, text, language string) string {
	t.Helper()
	m := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("there is no %s block", language)
	}
	return m[1]
}

// A signed is a webhook for a verifier of docs/webhooks.md.
type signed struct {
	Name   string            `json:"name"`
	Secret string            `json:"secret"`
	Header map[string]string `json:"header"`
	Body   string            `json:"body"`
	Good   bool              `json:"good"`
}

// signedCases are webhooks that Tongbo signed, and what others made of them.
func signedCases(t *testing.T) []signed {
	t.Helper()
	key, other := webhook.NewSecret(), webhook.NewSecret()
	body := `{"type":"Transaction.Paid","data":{"paymentId":"주문 #1&2<3>"}}`
	sign := func(name string, good bool, off time.Duration, secrets ...secret.Text) signed {
		at := time.Now().Add(off)
		signature, err := webhook.Sign("whk_1", at, []byte(body), secrets...)
		if err != nil {
			t.Fatal(err)
		}
		header := map[string]string{
			webhook.HeaderID: "whk_1", webhook.HeaderTimestamp: strconv.FormatInt(at.Unix(), 10), webhook.HeaderSignature: signature,
		}
		return signed{name, key.Reveal(), header, body, good}
	}
	cases := []signed{
		sign("the shop's secret", true, 0, key),
		sign("the newer of two", true, 0, key, other),
		sign("the older of two", true, 0, other, key),
		sign("four minutes late", true, -4*time.Minute, key),
		sign("another secret", false, 0, other),
		sign("not signed", false, 0),
		sign("six minutes late", false, -6*time.Minute, key),
		sign("six minutes early", false, 6*time.Minute, key),
	}
	for name, spoil := range map[string]func(*signed){
		"another body":         func(c *signed) { c.Body += " " },
		"another id":           func(c *signed) { c.Header[webhook.HeaderID] = "whk_2" },
		"no id":                func(c *signed) { delete(c.Header, webhook.HeaderID) },
		"no time":              func(c *signed) { delete(c.Header, webhook.HeaderTimestamp) },
		"a time that is none":  func(c *signed) { c.Header[webhook.HeaderTimestamp] = "now" },
		"no signature":         func(c *signed) { delete(c.Header, webhook.HeaderSignature) },
		"letters beyond ASCII": func(c *signed) { c.Header[webhook.HeaderSignature] = "v1,서명" },
	} {
		c := sign(name, false, 0, key)
		spoil(&c)
		cases = append(cases, c)
	}
	return cases
}

// drivers read cases, one JSON object a line, and print for each whether the
// document's verifier takes it.
var drivers = map[string]string{
	"python": `import json, sys
from shop import verify
for line in sys.stdin:
    c = json.loads(line)
    print("true" if verify(c["secret"], c["header"], c["body"].encode()) else "false")
`,
	"js": `import { createInterface } from "node:readline"
import { verify } from "./shop.mjs"
for await (const line of createInterface({ input: process.stdin })) {
  const c = JSON.parse(line)
  console.log(verify(c.secret, c.header, Buffer.from(c.body)) ? "true" : "false")
}
`,
	"go": `package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"shop.example/shop"
)

func main() {
	in := json.NewDecoder(os.Stdin)
	for in.More() {
		var c struct {
			Secret, Body string
			Header       map[string]string
		}
		if err := in.Decode(&c); err != nil {
			panic(err)
		}
		h := http.Header{}
		for name, value := range c.Header {
			h.Set(name, value)
		}
		fmt.Println(shop.Verify(c.Secret, h, []byte(c.Body)))
	}
}
`,
}

// TestVerifiersOfTheManual runs the verifiers that docs/webhooks.md shows.
func TestVerifiersOfTheManual(t *testing.T) {
	t.Parallel()
	if raced {
		t.Skip("it runs other programs; the pass without the race detector has it")
	}
	manual := read(t, "../docs/webhooks.md")
	for _, c := range []struct{ language, snippet, driver, command string }{
		{"python", "shop.py", "check.py", "python3 check.py"},
		{"js", "shop.mjs", "check.mjs", "node check.mjs"},
		{"go", "shop/shop.go", "main.go", "go run ."},
	} {
		t.Run(c.language, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, filepath.Join(dir, c.snippet), block(t, manual, c.language))
			write(t, filepath.Join(dir, c.driver), drivers[c.language])
			write(t, filepath.Join(dir, "go.mod"), "module shop.example\n\ngo 1.26\n")
			checkVerifier(t, dir, strings.Fields(c.command))
		})
	}
}

func checkVerifier(t *testing.T, dir string, command []string) {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Skipf("no %s here", command[0])
	}
	cases := signedCases(t)
	var in, out, errs bytes.Buffer
	enc := json.NewEncoder(&in)
	for _, c := range cases {
		if err := enc.Encode(c); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, &in, &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, errs.String())
	}
	got := strings.Fields(out.String())
	if len(got) != len(cases) {
		t.Fatalf("%v answered %d times, want %d", command, len(got), len(cases))
	}
	for i, c := range cases {
		if got[i] != strconv.FormatBool(c.Good) {
			t.Errorf("verify(%s) = %s, want %v", c.Name, got[i], c.Good)
		}
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestReceiverOfTheREADME runs the shop that the README shows, on a free port,
// and posts it a webhook.
func TestReceiverOfTheREADME(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil || raced {
		t.Skip("it needs python3, and no race detector")
	}
	text := block(t, read(t, "../README.md"), "python")
	if strings.Count(text, ", 3000)") != 1 {
		t.Fatalf("the shop does not listen on port 3000:\n%s", text)
	}
	file := filepath.Join(t.TempDir(), "shop.py")
	write(t, file, strings.Replace(text, ", 3000)", ", 0)", 1))
	cmd := exec.CommandContext(t.Context(), "python3", file)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the shop ended")
	}
	address := strings.TrimPrefix(lines.Text(), "listening on ")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/webhook", strings.NewReader(`{"a":"나"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header[webhook.HeaderID] = []string{"whk_1"}
	resp, err := (&http.Client{Timeout: awaitPatience}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || !lines.Scan() || lines.Text() != `whk_1 {"a":"나"}` {
		t.Errorf("the shop answered %d and printed %q", resp.StatusCode, lines.Text())
	}
}

// TestBodiesOfTheManual compares the bodies in docs/webhooks.md with what is
// sent.
func TestBodiesOfTheManual(t *testing.T) {
	t.Parallel()
	manual := read(t, "../docs/webhooks.md")
	at := time.Date(2026, 8, 1, 10, 0, 0, 123e6, time.UTC)
	paid := webhook.Event{Type: webhook.Paid, At: at, Store: "store-1", PaymentID: "order-1", Transaction: "0199-tx"}
	look := webhook.Event{Type: webhook.Attention, At: at, Store: "store-1", PaymentID: "order-1", Concern: &webhook.Concern{
		Kind: string(payment.Unmatched), Reason: "unknown_order", Channel: merchant.ChannelKey("channel-key-1"), Subject: "0199-notice",
	}}
	for _, c := range []struct {
		event   webhook.Event
		version webhook.Version
		content webhook.ContentType
	}{
		{paid, webhook.V20240425, webhook.JSON},
		{paid, webhook.V20240101, webhook.JSON},
		{paid, webhook.V20240101, webhook.Form},
		{paid, webhook.V1, webhook.JSON},
		{paid, webhook.V1, webhook.Form},
		{look, webhook.V20240425, webhook.JSON},
	} {
		body, err := webhook.Render(c.event, c.version, c.content)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(strings.Split(strings.ReplaceAll(manual, "\n    ", "\n"), "\n"), string(body)) {
			t.Errorf("docs/webhooks.md lacks the %s body of version %s:\n%s", c.content, c.version, body)
		}
	}
	var want, got []string
	for _, typ := range append(webhook.PortOneTypes(), webhook.OwnTypes()...) {
		want = append(want, "`"+string(typ)+"`")
	}
	for _, r := range rows(section(t, manual, "## The events")) {
		if strings.Contains(r[0], ".") {
			got = append(got, r[0])
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events in docs/webhooks.md (-code +manual):\n%s", diff)
	}
}

// TestSchedulesOfTheManual compares the table of schedules with the presets.
func TestSchedulesOfTheManual(t *testing.T) {
	t.Parallel()
	var got [][]string
	for _, r := range rows(section(t, read(t, "../docs/webhooks.md"), "## When it is tried again")) {
		got = append(got, []string{strings.Trim(strings.TrimSuffix(r[0], " (default)"), "`"), r[1], r[2]})
	}
	var want [][]string
	for _, s := range []webhook.Schedule{webhook.PortOne, webhook.PortOne2024, webhook.Toss} {
		var minutes []string
		for n := 1; ; n++ {
			d, ok := s.After(n, 0, nil)
			if !ok {
				break
			}
			minutes = append(minutes, strconv.Itoa(int(d.Minutes())))
		}
		want = append(want, []string{string(s), strconv.Itoa(s.Tries()), strings.Join(minutes, ", ")})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("schedules in docs/webhooks.md (-code +manual):\n%s", diff)
	}
}

// TestEveryReasonExplained compares the reasons and verdicts that the program
// gives with docs/operate.md.
func TestEveryReasonExplained(t *testing.T) {
	t.Parallel()
	manual := read(t, "../docs/operate.md")
	want := reasons(t)
	var got []string
	for _, r := range rows(section(t, manual, "## What the reasons mean")) {
		got = append(got, strings.Trim(r[0], "`"))
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reasons in docs/operate.md (-code +manual):\n%s", diff)
	}
	var verdicts []string
	for _, v := range payment.Verdicts() {
		verdicts = append(verdicts, "`"+string(v)+"`")
	}
	got = nil
	for _, r := range rows(section(t, manual, "## Seeing what came")) {
		got = append(got, r[0])
	}
	if diff := cmp.Diff(verdicts, got); diff != "" {
		t.Errorf("verdicts in docs/operate.md (-code +manual):\n%s", diff)
	}
}

// reasons are the values of every constant of type payment.Reason.
func reasons(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir("../internal", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && isReason(spec.Type) {
				for _, v := range spec.Values {
					if lit, ok := v.(*ast.BasicLit); ok && lit.Value != `""` {
						out = append(out, strings.Trim(lit.Value, `"`))
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func isReason(e ast.Expr) bool {
	if s, ok := e.(*ast.SelectorExpr); ok {
		e = s.Sel
	}
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "Reason"
}

// TestKoreanREADME holds the Korean README to the commands of the other one,
// which a script types.
func TestKoreanREADME(t *testing.T) {
	t.Parallel()
	want := readmeLine.FindAllString(read(t, "../README.md"), -1)
	got := readmeLine.FindAllString(read(t, "../README.ko.md"), -1)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commands of README.ko.md (-README.md +README.ko.md):\n%s", diff)
	}
}
