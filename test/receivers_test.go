package test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A receiver is a shop's server out of docs/receivers, running.
type receiver struct {
	*town
	secret secret.Text
	inbox  string
	output *output
	ended  chan struct{}
	url    string
	gate   sync.RWMutex // while it is locked, calls of the API wait
}

// receivers say how each of docs/receivers is run: prepare returns the folder to
// run it in and the command, or skips the test where its runtime is missing.
var receivers = []struct {
	name    string
	prepare func(t *testing.T) (dir string, command []string)
}{
	{"go", prepareGo},
	{"node", func(t *testing.T) (string, []string) {
		return nodeFolder(t, "../docs/receivers/node/receiver.mjs"), []string{"node", "receiver.mjs"}
	}},
	{"python", preparePython},
	{"php", func(t *testing.T) (string, []string) {
		return "../docs/receivers/php", []string{need(t, "php"), "-S", "127.0.0.1:0", "webhook.php"}
	}},
	{"java", prepareJava},
}

// need finds a program, or skips the test.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s here: `scripts/need.sh receivers` installs it on Debian", name)
	}
	return path
}

func prepareGo(t *testing.T) (string, []string) {
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir, "../docs/receivers/go").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return dir, []string{filepath.Join(dir, "go")}
}

// preparePython finds a Python that has FastAPI: Debian's own may be behind
// another one.
func preparePython(t *testing.T) (string, []string) {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import fastapi, uvicorn").Run() == nil {
			return "../docs/receivers/python", []string{
				python, "-B", "-m", "uvicorn", "receiver:app", "--host", "127.0.0.1", "--port", "0", "--no-access-log",
			}
		}
	}
	t.Skip("no Python with FastAPI and uvicorn here: `scripts/need.sh receivers` installs them on Debian")
	return "", nil
}

// prepareJava compiles the controller against Debian's Spring, with a main that
// serves it by Debian's Jetty in Spring Boot's place.
func prepareJava(t *testing.T) (string, []string) {
	javac, java := need(t, "javac"), need(t, "java")
	var jars []string
	for _, name := range []string{
		"spring3-aop", "spring3-beans", "spring3-context", "spring3-core", "spring3-expression", "spring3-web", "spring3-web.servlet",
		"asm", "commons-logging", "jackson-annotations", "jackson-core", "jackson-databind", "servlet-api",
		"jetty9-http", "jetty9-io", "jetty9-security", "jetty9-server", "jetty9-servlet", "jetty9-util", "jetty9-util-ajax",
	} {
		jars = append(jars, "/usr/share/java/"+name+".jar")
	}
	for _, jar := range jars {
		if _, err := os.Stat(jar); err != nil {
			t.Skipf("no %s here: `scripts/need.sh receivers` installs it on Debian", jar)
		}
	}
	dir, path := t.TempDir(), strings.Join(jars, ":")
	const docs = "../docs/receivers/java/"
	c := exec.Command(javac, "-encoding", "UTF-8", "-d", dir, "-cp", path, docs+"WebhookController.java", docs+"WebhookSignature.java", "receivers/Main.java")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	return dir, []string{java, "-cp", dir + ":" + path, "shop.Main"}
}

// TestReceivers runs the shops' servers of docs/receivers, as they stand there,
// against the program.
func TestReceivers(t *testing.T) {
	t.Parallel()
	binary(t)
	for _, c := range receivers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir, command := c.prepare(t)
			r := openReceiver(t, dir, command)
			r.leftBehind(command)
			r.deliveries()
			r.forgeries()
			r.repeats()
			r.answersFirst()
		})
	}
}

var port = regexp.MustCompile(`(?:listening on port |http://127\.0\.0\.1:)([1-9]\d*)`)

// openReceiver starts a receiver, with something left behind in its inbox, and
// declares it as an endpoint.
func openReceiver(t *testing.T, dir string, command []string) *receiver {
	t.Helper()
	r := &receiver{town: openTown(t), secret: webhook.NewSecret(), inbox: filepath.Join(t.TempDir(), "inbox"), output: &output{}, ended: make(chan struct{})}
	program := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: r.node.addr})
	api := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		r.gate.RLock()
		defer r.gate.RUnlock()
		program.ServeHTTP(rw, req)
	}))
	t.Cleanup(api.Close)
	write(t, filepath.Join(r.inbox, "whk_left.json"), eventOf("order-9"))

	c := r.command(command, dir, api.URL)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := launch(c, r.ended); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); <-r.ended })
	r.await("its port", func() bool {
		m := port.FindStringSubmatch(r.output.String())
		if m != nil {
			r.url = "http://127.0.0.1:" + m[1] + "/webhook"
		}
		return m != nil
	})
	if err := r.endpoint("receiver", fmt.Sprintf("url = %q\nsecrets = [%q]", r.url, r.secret.Reveal())); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *receiver) command(command []string, dir, api string) *exec.Cmd {
	c := exec.Command(command[0], command[1:]...)
	c.Dir = dir
	c.Env = append(os.Environ(), "WEBHOOK_SECRET="+r.secret.Reveal(), "TONGBO_URL="+api, "TONGBO_API_SECRET="+townSecret,
		"INBOX="+r.inbox, "PORT=0")
	c.Stdout, c.Stderr = r.output, r.output
	return c
}

func eventOf(paymentID string) string {
	return `{"type":"Transaction.Paid","timestamp":"2026-08-01T10:00:00.123Z","data":{"storeId":"` + townStore +
		`","paymentId":"` + paymentID + `","transactionId":"0199-tx"}}`
}

func (r *receiver) await(what string, done func() bool) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), awaitPatience)
	defer cancel()
	if err := poll(ctx, r.ended, done); err != nil {
		r.Fatalf("%s never came: %v\n%s", what, err, tail(r.output.String()))
	}
}

// printed waits until the receiver has printed a line n times.
func (r *receiver) printed(line string, n int) {
	r.Helper()
	r.await(fmt.Sprintf("%q for the %dth time", line, n), func() bool { return r.count(line) >= n })
	if got := r.count(line); got != n {
		r.Errorf("%q %d times, want %d\n%s", line, got, n, tail(r.output.String()))
	}
}

func (r *receiver) count(line string) int { return strings.Count(r.output.String(), line+"\n") }

// post sends a webhook to the receiver, and returns the status of its answer.
func (r *receiver) post(id string, at time.Time, body string, sign secret.Text, spoil func(http.Header)) int {
	r.Helper()
	signature, err := webhook.Sign(id, at, []byte(body), sign)
	if err != nil {
		r.Fatal(err)
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, r.url, strings.NewReader(body))
	if err != nil {
		r.Fatal(err)
	}
	req.Header["content-type"] = []string{"application/json"}
	req.Header[webhook.HeaderID] = []string{id}
	req.Header[webhook.HeaderTimestamp] = []string{strconv.FormatInt(at.Unix(), 10)}
	req.Header[webhook.HeaderSignature] = []string{signature}
	if spoil != nil {
		spoil(req.Header)
	}
	resp, err := client.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// leftBehind sees that what an earlier life had not worked off is worked off.
func (r *receiver) leftBehind(command []string) {
	r.Helper()
	if strings.HasSuffix(command[0], "php") { // cron's part
		c := r.command([]string{command[0], "webhook.php"}, "../docs/receivers/php", "")
		if err := c.Run(); err != nil {
			r.Fatal(err)
		}
	}
	r.printed("order-9: no such order", 1)
}

// deliveries has the program tell of payments.
func (r *receiver) deliveries() {
	r.Helper()
	r.pay("order-1")
	r.printed("order-1: PAID, cancelled 0", 1)
	r.call("POST", "/payments/order-1/cancel", `{"reason":"변심","amount":3000,"refundAccount":{"bank":"KOOKMIN","number":"123-456","holderName":"홍길동"}}`)
	r.printed("order-1: PARTIAL_CANCELLED, cancelled 3000", 1)
	r.issue("order-2") // for less than the shop's order
	r.printed("order-2: amount differs", 1)
	if n := strings.Count(r.output.String(), "order-2: V"); n != 0 {
		r.Errorf("a payment of another amount was taken for the order's\n%s", tail(r.output.String()))
	}
}

// forgeries sends what must not pass, and leaves nothing in the inbox.
func (r *receiver) forgeries() {
	r.Helper()
	now, body := time.Now(), eventOf("order-1")
	for name, got := range map[string]int{
		"another's secret":    r.post("whk_f", now, body, webhook.NewSecret(), nil),
		"six minutes late":    r.post("whk_f", now.Add(-6*time.Minute), body, r.secret, nil),
		"six minutes early":   r.post("whk_f", now.Add(6*time.Minute), body, r.secret, nil),
		"another id":          r.post("whk_g", now, body, r.secret, func(h http.Header) { h[webhook.HeaderID] = []string{"whk_f"} }),
		"no id":               r.post("whk_f", now, body, r.secret, func(h http.Header) { delete(h, webhook.HeaderID) }),
		"no time":             r.post("whk_f", now, body, r.secret, func(h http.Header) { delete(h, webhook.HeaderTimestamp) }),
		"no signature":        r.post("whk_f", now, body, r.secret, func(h http.Header) { delete(h, webhook.HeaderSignature) }),
		"a time that is none": r.post("whk_f", now, body, r.secret, func(h http.Header) { h[webhook.HeaderTimestamp] = []string{"now"} }),
		"no body":             r.post("whk_f", now, "", webhook.NewSecret(), nil),
	} {
		if got != http.StatusUnauthorized {
			r.Errorf("%s was answered %d, want 401", name, got)
		}
	}
	for _, file := range []string{"whk_f.json", "done/whk_f.json", "done/whk_g.json"} {
		if _, err := os.Stat(filepath.Join(r.inbox, file)); err == nil {
			r.Errorf("a forged webhook was kept as %s", file)
		}
	}
}

// repeats sends a webhook again, and another one that tells what is known: both
// are answered well, and nothing is done.
func (r *receiver) repeats() {
	r.Helper()
	for _, w := range []struct{ id, order string }{
		{"whk_1", "order-9"},
		{"whk_1", "order-9"},
		{"whk_2", "order-1"},
		{"whk_3", "order-9"},
	} {
		if got := r.post(w.id, time.Now(), eventOf(w.order), r.secret, nil); got != http.StatusOK {
			r.Errorf("%s was answered %d, want 200", w.id, got)
		}
		r.await("the end of "+w.id, func() bool {
			_, err := os.Stat(filepath.Join(r.inbox, "done", w.id+".json"))
			left, _ := filepath.Glob(filepath.Join(r.inbox, "*.json"))
			return err == nil && len(left) == 0
		})
	}
	r.printed("order-9: no such order", 3) // the one left behind, whk_1 and whk_3
	r.printed("order-1: PARTIAL_CANCELLED, cancelled 3000", 1)
}

// answersFirst sends a webhook while the API does not answer.
func (r *receiver) answersFirst() {
	r.Helper()
	got := func() int {
		r.gate.Lock()
		defer r.gate.Unlock() // also if there is no answer
		return r.post("whk_4", time.Now(), eventOf("order-2"), r.secret, nil)
	}()
	if got != http.StatusOK {
		r.Errorf("while the API hangs: answered %d, want 200", got)
	}
	r.printed("order-2: amount differs", 2)
}

// TestSignatureInJava checks WebhookSignature.java, which needs no Spring.
func TestSignatureInJava(t *testing.T) {
	t.Parallel()
	if raced {
		t.Skip("it runs other programs; the pass without the race detector has it")
	}
	javac, dir := need(t, "javac"), t.TempDir()
	if out, err := exec.Command(javac, "-encoding", "UTF-8", "-d", dir, "../docs/receivers/java/WebhookSignature.java", "receivers/Check.java").CombinedOutput(); err != nil {
		t.Fatalf("javac: %v\n%s", err, out)
	}
	var in bytes.Buffer
	cases := signedCases(t)
	for _, c := range cases {
		fields := []string{base64.StdEncoding.EncodeToString([]byte(c.Secret))}
		for _, name := range []string{webhook.HeaderID, webhook.HeaderTimestamp, webhook.HeaderSignature} {
			field := "-"
			if v, ok := c.Header[name]; ok {
				field = base64.StdEncoding.EncodeToString([]byte(v))
			}
			fields = append(fields, field)
		}
		fmt.Fprintln(&in, strings.Join(append(fields, base64.StdEncoding.EncodeToString([]byte(c.Body))), "\t"))
	}
	java := exec.CommandContext(t.Context(), need(t, "java"), "-cp", dir, "shop.Check")
	java.Stdin = &in
	out, err := java.Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(out))
	if len(got) != len(cases) {
		t.Fatalf("it answered %d times, want %d", len(got), len(cases))
	}
	for i, c := range cases {
		if got[i] != strconv.FormatBool(c.Good) {
			t.Errorf("fits(%s) = %s, want %v", c.Name, got[i], c.Good)
		}
	}
}

// TestReceiverPackages compares what the Node receiver asks of npm with what the
// tests install.
func TestReceiverPackages(t *testing.T) {
	t.Parallel()
	var ours, tested struct{ Dependencies map[string]string }
	for file, into := range map[string]any{"../docs/receivers/node/package.json": &ours, "clients/package.json": &tested} {
		if err := json.Unmarshal([]byte(read(t, file)), into); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	for name, version := range ours.Dependencies {
		if tested.Dependencies[name] != version {
			t.Errorf("docs/receivers/node asks for %s %s, and the tests install %q", name, version, tested.Dependencies[name])
		}
	}
}
