package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// A hub is a server as a listen session sees it: each connection gets the lines of
// one part of a script.
type hub struct {
	*httptest.Server
	secret string

	mu      sync.Mutex
	parts   [][]string // lines for each connection, then it breaks
	opened  int
	session string
	reports []listenReport
	refuse  int // how many reports are answered 503
	all     chan struct{}
	want    int // reports, after which all is closed
}

func newHub(t *testing.T, parts ...[]string) *hub {
	t.Helper()
	h := &hub{secret: webhook.NewSecret().Reveal(), parts: parts, session: "lsn_1", all: make(chan struct{})}
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(h.Close)
	return h
}

func (h *hub) serve(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/tongbo/v1/listen":
		h.opened++
		_ = json.NewEncoder(w).Encode(map[string]any{"session": h.session, "new": h.opened == 1, "storeId": "store-1", "mode": "test", "secret": h.secret, "heartbeatSeconds": 10})
	case r.Method == http.MethodGet:
		if len(h.parts) == 0 {
			h.mu.Unlock()
			<-r.Context().Done()
			h.mu.Lock()
			return
		}
		for _, line := range h.parts[0] {
			fmt.Fprintln(w, line)
		}
		h.parts = h.parts[1:]
	default:
		if h.refuse > 0 {
			h.refuse--
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var report listenReport
		_ = json.NewDecoder(r.Body).Decode(&report)
		h.reports = append(h.reports, report)
		if len(h.reports) == h.want {
			close(h.all)
		}
		_, _ = w.Write([]byte("{}"))
	}
}

// item is a line with an event, as the server signs it.
func (h *hub) item(t *testing.T, id string, at time.Time) string {
	t.Helper()
	body := []byte(`{"type":"Transaction.Paid","data":{"paymentId":"` + id + `"}}`)
	signature, err := webhook.Sign("whk_"+id, at, body, secret.Text(h.secret))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(streamed{
		Kind: "event", Item: id, Type: "Transaction.Paid\x1b[2J", PaymentID: id, WebhookID: "whk_" + id, Body: body,
		Header: [][2]string{{"Content-Type", "application/json"}, {"webhook-id", "whk_" + id}, {"webhook-signature", signature}, {"webhook-timestamp", strconv.FormatInt(at.Unix(), 10)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// A till is the machine's server: it counts calls, and checks their signatures.
type till struct {
	*httptest.Server
	mu    sync.Mutex
	calls []string
	bad   []error
}

func newTill(t *testing.T, key string) *till {
	t.Helper()
	s := &till{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		check, err := standardwebhooks.NewWebhook(key)
		if err == nil {
			err = check.Verify(body, r.Header)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.calls = append(s.calls, r.Header.Get("webhook-id"))
		if err != nil {
			s.bad = append(s.bad, err)
		}
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte("TypeError\x1b[2J: order is null"))
	}))
	t.Cleanup(s.Close)
	return s
}

// listensTo runs a session against a hub until it has as many reports as it wants.
func listensTo(t *testing.T, h *hub, s *till, edit func(*listening)) (out string, err error) {
	t.Helper()
	var b bytes.Buffer
	server, err := remoteFlags{Server: h.URL, Secret: "hush"}.remote()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	l := &listening{
		env: Env{Stdout: &b, Stderr: &b}, cmd: &listenCmd{}, server: server, forward: s.URL, lang: words.En, seen: map[string]bool{},
		shop: &http.Client{}, quit: cancel,
	}
	if edit != nil {
		edit(l)
	}
	go func() {
		select {
		case <-h.all:
			cancel()
		case <-ctx.Done():
		}
	}()
	err = l.run(ctx)
	return b.String(), err
}

func TestListenGoesOnAfterALostLink(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	now := time.Now()
	h.parts = [][]string{
		{`{"kind":"ready","missed":0}`, h.item(t, "o-1", now), `{"kind":"heartbeat"}`},
		{`{"kind":"ready","missed":2}`, h.item(t, "o-1", now), h.item(t, "o-2", now), `{"kind":"end","reason":"stopping"}`},
	}
	h.refuse, h.want = 1, 2 // the first outcome is told only once connected again
	s := newTill(t, h.secret)
	out, err := listensTo(t, h, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(s.calls) != "[whk_o-1 whk_o-2]" || len(s.bad) > 0 {
		t.Errorf("the machine was called %q, %v", s.calls, s.bad)
	}
	if len(h.reports) != 2 || h.reports[0].Item != "o-1" || h.reports[1].Item != "o-2" || h.reports[0].Status != 500 || h.reports[0].Number != 1 {
		t.Errorf("the server was told %+v", h.reports)
	}
	for _, want := range []string{"Ready. Signing secret " + h.secret, "--> Transaction.Paid", "<-- 500", "TypeError", "Not connected", "nothing missed", "The outcome was not told"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not said:\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Errorf("what the machine answered moves the cursor: %q", out)
	}
}

func TestListenEnds(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]string{"taken": "--name", "ended": "Run the command again", "refused": "TONGBO_API_SECRET"} {
		h := newHub(t, []string{`{"kind":"ready","missed":0}`, `{"kind":"end","reason":"` + reason + `"}`})
		_, err := listensTo(t, h, newTill(t, h.secret), nil)
		var b strings.Builder
		if code := report(&b, err); err == nil || code != exitFailed || !strings.Contains(b.String(), want) {
			t.Errorf("%s: code %d, %s", reason, code, b.String())
		}
	}
}

// A session that was ended meanwhile is another one: that is said, and what was
// that session's is not told to it.
func TestListenSaysThatASessionIsNew(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	now := time.Now()
	h.parts = [][]string{{`{"kind":"ready","missed":0}`, h.item(t, "o-1", now)}, {`{"kind":"ready","missed":0}`, h.item(t, "o-2", now)}}
	h.refuse, h.want = 1, 1
	out, err := listensTo(t, h, newTill(t, h.secret), func(*listening) {
		go func() {
			for {
				h.mu.Lock()
				if len(h.parts) == 1 {
					h.session = "lsn_2"
					h.mu.Unlock()
					return
				}
				h.mu.Unlock()
				<-time.After(time.Millisecond)
			}
		}()
	})
	if err != nil || !strings.Contains(out, "events between are not sent") {
		t.Errorf("%v:\n%s", err, out)
	}
	if len(h.reports) != 1 || h.reports[0].Item != "o-2" {
		t.Errorf("the new session was told %+v", h.reports)
	}
}

func TestListenKeys(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.parts = [][]string{{`{"kind":"ready","missed":0}`, h.item(t, "o-1", time.Now().Add(-time.Hour))}} // too old to be taken
	h.want = 2
	s := newTill(t, h.secret)
	keys := make(chan byte, 4)
	out, err := listensTo(t, h, s, func(l *listening) {
		l.keys = keys
		l.press(t.Context(), 'd') // nothing has come
		go func() {
			for {
				h.mu.Lock()
				n := len(h.reports)
				h.mu.Unlock()
				if n == 1 {
					for _, k := range []byte("dor") {
						keys <- k
					}
					return
				}
				<-time.After(time.Millisecond)
			}
		}()
	})
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(s.calls) != "[whk_o-1 whk_o-1]" || len(s.bad) != 1 {
		t.Errorf("the machine was called %q; signatures: %v, want the first one alone too old", s.calls, s.bad)
	}
	if len(h.reports) != 2 || h.reports[1].Number != 2 {
		t.Errorf("the server was told %+v", h.reports)
	}
	for _, want := range []string{"Nothing has come yet", "[r] again", "webhook-id: whk_o-1", `"paymentId":"o-1"`, "500 Internal Server Error", h.URL + "/console/go/whk_o-1", "(resend)"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not shown:\n%s", want, out)
		}
	}
}
