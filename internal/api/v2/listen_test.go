package v2

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A listener reads a session's lines, over a connection of this machine.
type listener struct {
	*bench
	lines *bufio.Scanner
	leave func()
}

// listens connects to a session.
func (b *bench) listens(session, auth string) *listener {
	b.Helper()
	srv := httptest.NewUnstartedServer(b.api.Routes())
	srv.Config.WriteTimeout, srv.Config.ReadTimeout = 100*time.Millisecond, 100*time.Millisecond
	srv.Start()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL+"/tongbo/v1/listen/"+session, http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Authorization", "PortOne "+auth)
	resp, err := srv.Client().Do(r)
	if err != nil {
		b.Fatal(err)
	}
	l := &listener{bench: b, lines: bufio.NewScanner(resp.Body)}
	l.leave = func() {
		cancel()
		_ = resp.Body.Close()
		srv.Close()
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/x-ndjson; charset=utf-8" {
		b.Fatalf("the stream begins with %s %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	return l
}

// next is the next line that is no heartbeat.
func (l *listener) next() listenLine {
	l.Helper()
	for l.lines.Scan() {
		var line listenLine
		if err := json.Unmarshal(l.lines.Bytes(), &line); err != nil {
			l.Fatalf("%s: %v", l.lines.Text(), err)
		}
		if line.Kind != "heartbeat" {
			return line
		}
	}
	l.Fatalf("the stream ended: %v", l.lines.Err())
	return listenLine{}
}

// plain is a bench outside of any bubble, whose ids are of the time they are made.
func plain(t *testing.T) *bench {
	t.Helper()
	t.Parallel()
	b := newBench(t)
	b.api.Actions.NewID = nil
	return b
}

// TestListen goes over a real connection, of a server whose own time-outs are
// shorter than the session: no bubble.
func TestListen(t *testing.T) {
	b := plain(t)
	got := b.ok(b.post("/tongbo/v1/listen", `{"name":"laptop","forward":"http://localhost:3000/"}`))
	session, _ := got["session"].(string)
	if got["new"] != true || got["mode"] != "test" || got["storeId"] != string(mainStore) || !strings.HasPrefix(got["secret"].(string), "whsec_") {
		t.Errorf("the session is %v", got)
	}
	b.ok(b.register("test", "order-1"))
	l := b.listens(session, "test")
	if line := l.next(); line.Kind != "ready" || *line.Missed != 1 {
		t.Errorf("the stream begins with %+v", line)
	}
	first := l.next()
	body, err := base64.StdEncoding.DecodeString(first.Body)
	if err != nil || first.Kind != "event" || first.PaymentID != "order-1" || !strings.Contains(string(body), `"paymentId":"order-1"`) {
		t.Errorf("the first line is %+v, its body %s", first, body)
	}
	header := map[string]string{}
	for _, h := range first.Header {
		header[h[0]] = h[1]
	}
	if header["webhook-id"] != first.WebhookID || header["Content-Type"] != "application/json" || header["webhook-signature"] == "" || header["webhook-timestamp"] == "" {
		t.Errorf("the header is %v", first.Header)
	}
	time.AfterFunc(300*time.Millisecond, func() { b.register("sub", "order-2", "T0309260010000", "T0309260010001") })
	second := l.next() // later than the server's time-outs, and of a sub-store
	if second.PaymentID != "order-2" {
		t.Errorf("the second line is %+v", second)
	}
	l.leave()

	report := `{"item":"` + first.Item + `","number":1,"tookMs":12.5,"status":200,"responseBody":"b2s="}`
	b.ok(b.call("POST", "/tongbo/v1/listen/"+session+"/attempts", "PortOne test", report))
	again := b.ok(b.post("/tongbo/v1/listen", `{"name":"laptop"}`))
	if again["session"] != session || again["new"] != false || again["secret"] != got["secret"] {
		t.Errorf("opened again, the session is %v", again)
	}
	l = b.listens(session, "test")
	if line := l.next(); *line.Missed != 1 {
		t.Errorf("after a report %d events are missed, want the other one", *line.Missed)
	}
	if line := l.next(); line.Item != second.Item {
		t.Errorf("%+v comes again, want what was not answered", line)
	}
	l.leave()
	b.ok(b.call("DELETE", "/tongbo/v1/listen/"+session, "PortOne test", ""))
	b.want(b.call("GET", "/tongbo/v1/listen/"+session, "PortOne test", ""), 404, "NOT_FOUND")
}

func TestListenRefuses(t *testing.T) {
	inBubble(t, func(b *bench) {
		for body, want := range map[string]string{
			`{}`:                             "name must have",
			`{"name":"n","mode":"any"}`:      "want live or test",
			`{"name":"n","events":["x"]}`:    `no event \"x\"`,
			`{"name":"n","version":"v3"}`:    "2024-04-25, 2024-01-01 or v1",
			`{"name":"n","contentType":"x"}`: "json or form",
			`{"name":"n","events":"*"}`:      "want a list",
			`{"name":"n","forward":"` + strings.Repeat("x", 2001) + `"}`: "forward must have",
		} {
			got := b.post("/tongbo/v1/listen", body)
			b.want(got, 400, "INVALID_REQUEST")
			if !strings.Contains(got.body, want) {
				b.Errorf("%.60s is answered %s, want %q in it", body, got.body, want)
			}
		}
		b.want(b.post("/tongbo/v1/listen", `{"name":"n","mode":"live"}`), 403, "FORBIDDEN")
		b.want(b.call("POST", "/tongbo/v1/listen", "PortOne live", `{"name":"n"}`), 403, "FORBIDDEN")
		session := b.ok(b.post("/tongbo/v1/listen", `{"name":"n"}`))["session"].(string)
		attempts := "/tongbo/v1/listen/" + session + "/attempts"
		for _, bad := range []string{
			`{"item":"00000000-0000-7000-8000-000000000000"}`, `{"number":1,"tookMs":-1}`, `{"number":1,"tookMs":1e300}`,
			`{"number":1,"responseBody":"%"}`, `{"number":1,"at":"yesterday"}`, `{"number":1,"status":1000}`,
		} {
			b.want(b.post(attempts, bad), 400, "INVALID_REQUEST")
		}
		b.want(b.post(attempts, `{"item":"00000000-0000-7000-8000-000000000000","number":1}`), 404, "NOT_FOUND")
		for i := range 19 {
			b.ok(b.post("/tongbo/v1/listen", `{"name":"nn`+strings.Repeat("n", i)+`"}`))
		}
		b.want(b.post("/tongbo/v1/listen", `{"name":"one too many"}`), 409, "CONFLICT")
	})
}
