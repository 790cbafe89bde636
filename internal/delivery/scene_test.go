package delivery_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

const (
	oldKey = secret.Text("whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh")
	newKey = secret.Text("whsec_YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJi")
)

// A scene is a dispatcher on a real SQLite store, with shops that answer as a
// test says, all inside one bubble of virtual time.
type scene struct {
	t     *testing.T
	Store *store.Store
	D     *delivery.Dispatcher
	Shops *shops
	Log   *log
	Start time.Time
	file  string
	stop  context.CancelFunc
	done  chan error
}

// play runs a test in a bubble, with a store that knows the endpoints.
func play(t *testing.T, endpoints []webhook.Endpoint, test func(t *testing.T, s *scene)) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tongbo.db")
	synctest.Test(t, func(t *testing.T) {
		key, err := seal.New()
		if err != nil {
			t.Fatal(err)
		}
		st, err := store.Open(t.Context(), "sqlite:"+file, store.Options{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		s := &scene{t: t, Store: st, Shops: &shops{}, Log: &log{}, Start: time.Now(), file: file}
		s.D = &delivery.Dispatcher{
			Queue: st, Client: &http.Client{Transport: s.Shops}, Log: slog.New(slog.NewTextHandler(s.Log, nil)),
		}
		st.OnDue(s.D.Wake)
		st.Give(s.D)
		defer func() {
			s.Stop()
			if err := st.Close(); err != nil {
				t.Errorf("close the store: %v", err)
			}
		}()
		s.Configure(func(a *settings.All) {
			a.Merchants = []merchant.Merchant{{ID: "m", Name: "M"}}
			a.Stores = []settings.Store{{Store: merchant.Store{ID: "s", Merchant: "m", Name: "S", Representative: true}, NoticeSecret: oldKey, CreatedAt: s.Start}}
			a.Endpoints = endpoints
			for i := range a.Endpoints {
				a.Endpoints[i].CreatedAt = s.Start
			}
		})
		test(t, s)
	})
}

// endpoint is an enabled endpoint for PortOne's types whose URL is its name.
func endpoint(id webhook.EndpointID, schedule webhook.Schedule) webhook.Endpoint {
	return webhook.Endpoint{
		ID: id, Merchant: "m", Store: "s", Name: string(id), URL: "https://" + string(id) + ".example/hook", Mode: merchant.Test,
		Events: []string{"*"}, Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: schedule, Secrets: []secret.Text{oldKey},
	}
}

// Run starts the dispatcher.
func (s *scene) Run() {
	ctx, stop := context.WithCancel(s.t.Context())
	s.stop, s.done = stop, make(chan error, 1)
	go func() { s.done <- s.D.Run(ctx) }()
}

// Stop ends the dispatcher, if it runs, and waits for it.
func (s *scene) Stop() {
	if s.stop == nil {
		return
	}
	s.stop()
	if err := <-s.done; err != nil {
		s.t.Errorf("Run = %v", err)
	}
	s.stop = nil
}

// Pass lets virtual time pass, and then whatever is under way come to rest.
func (s *scene) Pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// Configure changes the settings.
func (s *scene) Configure(edit func(*settings.All)) {
	s.t.Helper()
	all, err := s.Store.Settings(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	edit(&all)
	if err := s.Store.SaveSettings(s.t.Context(), all, time.Now()); err != nil {
		s.t.Fatal(err)
	}
}

// Tell writes n events of a type with their deliveries, as a notice would.
func (s *scene) Tell(n int, typ webhook.Type, urls ...string) []webhook.Delivery {
	s.t.Helper()
	return s.TellOf("m", "s", n, typ, urls...)
}

// TellOf is Tell for any merchant's store.
func (s *scene) TellOf(m merchant.ID, of merchant.StoreID, n int, typ webhook.Type, urls ...string) []webhook.Delivery {
	s.t.Helper()
	newID := idNow
	planner, _, err := s.Store.Planner(s.t.Context(), newID)
	if err != nil {
		s.t.Fatal(err)
	}
	var r notice.Ruling
	r.Verdict = payment.Recorded
	var out []webhook.Delivery
	for range n {
		em, err := planner.Plan(webhook.Event{
			ID: webhook.EventID(newID()), Type: typ, At: time.Now(), Merchant: m, Store: of, Mode: merchant.Test,
			Payment: "key-1", PaymentID: "order-1", Transaction: "tx-1", Channel: "channel-1",
		}, urls)
		if err != nil {
			s.t.Fatal(err)
		}
		r.Emissions = append(r.Emissions, em)
		out = append(out, em.Deliveries...)
	}
	in := notice.Inbound{ID: notice.ID(newID()), At: time.Now(), Provider: "kcp_v2"}
	results, err := s.Store.Settle(s.t.Context(), []notice.Inbound{in}, func(notice.Inbound, []notice.Found) notice.Ruling { return r })
	if err != nil || results[0].Err != nil {
		s.t.Fatal(err, results[0].Err)
	}
	return out
}

// made is how many ids were made by idNow.
var made atomic.Uint32

// idNow is a UUIDv7 of the bubble's time. Those that uuid makes go on from the
// latest of all bubbles.
func idNow() string {
	id := uuid.New()
	binary.BigEndian.PutUint64(id[:8], uint64(time.Now().UnixMilli())<<16|0x7000)
	binary.BigEndian.PutUint32(id[9:13], made.Add(1))
	return id.String()
}

// Count is the number that a query gives.
func (s *scene) Count(query string, args ...any) int {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	var n int
	if err := db.QueryRowContext(s.t.Context(), query, args...).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// exec changes the database behind the store's back.
func (s *scene) exec(query string, args ...any) {
	s.t.Helper()
	db, err := sql.Open("sqlite", "file:"+s.file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(s.t.Context(), query, args...); err != nil {
		s.t.Fatal(err)
	}
}

// WantEnded checks how many deliveries ended in a state with an outcome.
func (s *scene) WantEnded(n int, state webhook.DeliveryState, outcome webhook.Outcome) {
	s.t.Helper()
	got := s.Count(`select count(*) from delivery_end where state = $1 and outcome = $2`, string(state), string(outcome))
	if got != n {
		s.t.Errorf("%d deliveries ended %s with %s, want %d", got, state, outcome, n)
	}
}

// Minutes are the times of the calls since the start, in whole minutes. A call
// that is not on the minute is reported.
func (s *scene) Minutes() []int {
	s.t.Helper()
	var out []int
	for _, c := range s.Shops.Calls() {
		d := c.At.Sub(s.Start)
		if d%time.Minute != 0 {
			s.t.Errorf("a call came after %v, want whole minutes", d)
		}
		out = append(out, int(d/time.Minute))
	}
	return out
}

// A call is a request that a shop got.
type call struct {
	At                   time.Time
	Host, ID, Stamp, Sig string
	Body                 string
	Header               http.Header
}

// Shops answer in the place of the network: 200, or what Answer says.
type shops struct {
	// Answer gets the request and how many came before for its host. A status
	// of 0 breaks the connection.
	Answer func(r *http.Request, before int) *http.Response

	mu        sync.Mutex
	calls     []call
	now, most map[string]int // calls under way by host
}

func (s *shops) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	one := func(name string) string { return strings.Join(r.Header[name], "|") }
	before := s.enter(call{time.Now(), r.URL.Host, one("webhook-id"), one("webhook-timestamp"), one("webhook-signature"), string(body), r.Header})
	defer s.leave(r.URL.Host)
	if s.Answer == nil {
		return answer(200), nil
	}
	resp := s.Answer(r, before)
	switch {
	case r.Context().Err() != nil:
		return nil, r.Context().Err()
	case resp == nil:
		return nil, errors.New("connection reset by peer")
	}
	return resp, nil
}

func (s *shops) enter(c call) (before int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.calls {
		if other.Host == c.Host {
			before++
		}
	}
	s.calls = append(s.calls, c)
	if s.now == nil {
		s.now, s.most = map[string]int{}, map[string]int{}
	}
	s.now[c.Host]++
	s.most[c.Host] = max(s.most[c.Host], s.now[c.Host])
	return before
}

func (s *shops) leave(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now[host]--
}

// Calls are the calls so far, to all hosts.
func (s *shops) Calls() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]call(nil), s.calls...)
}

// Most is how many calls a host had at once.
func (s *shops) Most(host string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most[host]
}

// Forget makes Most count from what is under way now.
func (s *shops) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most = map[string]int{}
}

// answer is an answer with a status, and headers in pairs.
func answer(status int, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader("seen"))}
}

// always answers every call with one status.
func always(status int) func(*http.Request, int) *http.Response {
	return func(*http.Request, int) *http.Response { return answer(status) }
}

// hang waits for the request's end and answers nothing.
func hang(r *http.Request) *http.Response {
	<-r.Context().Done()
	return nil
}

// A log is a log's text, safe for concurrent use.
type log struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// Lines are the lines that hold a text.
func (l *log) Lines(with string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for line := range strings.Lines(l.b.String()) {
		if strings.Contains(line, with) {
			out = append(out, line)
		}
	}
	return out
}
