package action_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/words"
)

// A stage is an installation that can send itself notices: an ingress on a store,
// served on loopback.
type stage struct {
	*testing.T
	store   *store.Store
	ingress *ingress.Ingress
	actions *action.Actions
	// front is what the network reaches; the ingress unless a test puts something
	// before it. That a connection breaks off does not say that its handler is done.
	front atomic.Pointer[http.Handler]
}

// reach puts a handler to the network, or the ingress if it is nil.
func (s *stage) reach(h http.Handler) {
	if h == nil {
		h = s.ingress
	}
	s.front.Store(&h)
}

var stageCaller = action.Caller{Merchant: storetest.Merchant, Store: storetest.Store, Mode: merchant.Any}

func newStage(t *testing.T, st *store.Store, channels ...merchant.Channel) *stage {
	t.Helper()
	s := &stage{T: t, store: st}
	s.ingress = &ingress.Ingress{Store: st, Providers: all.Providers(), Rehearsals: st, Log: slog.New(slog.DiscardHandler)}
	s.reach(nil)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*s.front.Load()).ServeHTTP(w, r) }))
	t.Cleanup(srv.Close)
	s.actions = &action.Actions{
		Store: st, Judge: s.ingress.Judge, Providers: all.ByCode, PublicURL: srv.URL, HTTP: safehttp.New(safehttp.Config{AllowPrivate: true}),
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.ingress.Run(ctx) })
	t.Cleanup(func() { stop(); wg.Wait() })
	now, err := st.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	next := storetest.Scene()
	next.Version, next.Channels = now.Version, channels
	if err := st.SaveSettings(t.Context(), next, time.Now()); err != nil {
		t.Fatal(err)
	}
	return s
}

// channelOf is a channel of a module with every credential, on which deposits
// count without asking the PG where that may be.
func channelOf(p provider.Provider, m merchant.Mode, n int) merchant.Channel {
	c := merchant.Channel{
		Key: merchant.ChannelKey(fmt.Sprintf("channel-key-00000000-0000-4000-8000-%012d", n)), Merchant: storetest.Merchant, Store: storetest.Store,
		Name: "c", Provider: p.Info().Code, Mode: m, MID: "MID1001001", PaymentType: merchant.WindowGeneral, Unknown: merchant.Hold,
		Credentials: merchant.Credentials{}, Confirm: new(bool), Token: "the-token-of-the-channel-" + uuid.NewString(),
	}
	for _, f := range p.Info().Fields {
		c.Credentials[f.Name] = secret.Text("key-of-" + f.Name)
	}
	return c
}

func (s *stage) rehearse(c merchant.ChannelKey) action.Ladder {
	s.Helper()
	l, err := s.actions.Rehearse(s.Context(), stageCaller, c, "")
	if err != nil {
		s.Fatalf("Rehearse: %v", err)
	}
	wantTexts(s, l)
	return l
}

// rungs are the findings of a ladder, from the step that is named on.
func rungs(l action.Ladder, from action.Step) string {
	var out []string
	for _, r := range l.Rungs {
		if len(out) > 0 || r.Step == from {
			out = append(out, string(r.Outcome)+" "+string(r.Finding))
		}
	}
	return strings.Join(out, ", ")
}

// wantTexts checks that everything that a ladder says can be read, with nothing
// left in braces.
func wantTexts(t testing.TB, l action.Ladder) {
	t.Helper()
	for i, r := range l.Rungs {
		if i >= len(action.Steps()) || r.Step != action.Steps()[i] {
			t.Errorf("rung %d is %s", i, r.Step)
		}
		for _, lang := range words.Langs() {
			text := words.Text(lang, "ladder."+string(r.Finding), r.Args...)
			if strings.HasPrefix(text, "ladder.") || strings.ContainsAny(text, "{}") {
				t.Errorf("%s says %q", r.Step, text)
			}
		}
	}
}

// TestLadderTexts: every step and finding has its text.
func TestLadderTexts(t *testing.T) {
	t.Parallel()
	for _, s := range action.Steps() {
		if !words.Has("ladder.step." + string(s)) {
			t.Errorf("step %s has no text", s)
		}
	}
	for _, f := range action.Findings() {
		if !words.Has("ladder." + string(f)) {
			t.Errorf("finding %s has no text", f)
		}
	}
}

// TestRehearseEveryPG sends the test notice of every module to a live and to a test
// channel, on both engines: each is heard, read, matched and acknowledged in that
// PG's own words, and leaves nothing but itself.
func TestRehearseEveryPG(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		var list []merchant.Channel
		for i, p := range all.Providers() {
			list = append(list, channelOf(p, merchant.Live, 2*i), channelOf(p, merchant.Test, 2*i+1))
		}
		s := newStage(t, db.Open(t), list...)
		for _, c := range list {
			l := s.rehearse(c.Key)
			want := "ok arrived, ok admitted, ok read, ok matched, ok paid, ok acked"
			if c.Provider == "tosspayments" && c.Mode == merchant.Live { // always asked
				want = strings.Replace(want, "ok paid", "ok asks_first", 1)
			}
			if got := rungs(l, action.StepServer); got != want || !l.Good() || l.Notice == "" {
				t.Errorf("%s %s: %s\nwant %s", c.Provider, c.Mode, got, want)
			}
			if strings.Contains(l.URL, c.Token) {
				t.Errorf("%s: the ladder tells the path's token: %s", c.Provider, l.URL)
			}
		}
		if n := db.Count(t, `select count(*) from notice where verdict = 'recorded' and reason = 'rehearsal'`); n != len(list) {
			t.Errorf("%d notices are kept of %d", n, len(list))
		}
		for _, table := range []string{"payment", "match_key", "notice_key", "deposit", "open_case", "event", "delivery", "inquiry", "refusal"} {
			if n := db.Count(t, `select count(*) from `+table); n != 0 {
				t.Errorf("%d rows in %s", n, table)
			}
		}
	})
}

// TestRehearseGiven pays a payment of a test channel, and none of a live one.
func TestRehearseGiven(t *testing.T) {
	t.Parallel()
	p, _ := all.ByCode("nice")
	test, live := channelOf(p, merchant.Test, 1), channelOf(p, merchant.Live, 2)
	s := newStage(t, storetest.OnSQLite(t).Open(t), test, live)
	register := func(id payment.ID, c merchant.Channel) {
		t.Helper()
		g := payment.Registration{ID: id, Channel: c.Key, OrderName: "책", Amount: payment.Won(59000), Account: payment.Account{Bank: "SHINHAN", Number: "56211992494253"}}
		if _, _, err := s.actions.RegisterAccount(t.Context(), stageCaller, g); err != nil {
			t.Fatal(err)
		}
	}
	register("of-test", test)
	register("of-live", live)
	l, err := s.actions.Rehearse(t.Context(), stageCaller, test.Key, "of-test")
	if err != nil || rungs(l, action.StepMatch) != "ok matched, ok paid, ok acked" {
		t.Errorf("Rehearse = %s, %v", rungs(l, action.StepMatch), err)
	}
	state := func(id payment.ID) payment.State {
		t.Helper()
		p, err := s.store.Payment(t.Context(), storetest.Store, id, merchant.Any)
		if err != nil {
			t.Fatal(err)
		}
		return p.State
	}
	if got := state("of-test"); got != payment.Paid {
		t.Errorf("the given payment is %s", got)
	}
	for _, tt := range []struct {
		name  string
		c     merchant.ChannelKey
		about payment.ID
		want  fault.Kind
	}{
		{"a live payment on its channel", live.Key, "of-live", fault.Forbidden},
		{"a live payment on a test channel", test.Key, "of-live", fault.NotFound},
		{"one that was paid", test.Key, "of-test", fault.Conflict},
		{"one that is not there", test.Key, "nobody", fault.NotFound},
		{"a channel of nobody", "channel-key-x", "", fault.NotFound},
	} {
		if _, err := s.actions.Rehearse(t.Context(), stageCaller, tt.c, tt.about); fault.KindOf(err) != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	other := action.Caller{Merchant: "merchant-2", Store: "store-2", Mode: merchant.Any}
	if _, err := s.actions.Rehearse(t.Context(), other, test.Key, ""); !fault.Is(err, fault.NotFound) {
		t.Errorf("another merchant: %v", err)
	}
	if got := state("of-live"); got != payment.Issued {
		t.Errorf("the live payment is %s", got)
	}
}

// TestRehearseTroubles: what stands between a PG and this server is told apart.
func TestRehearseTroubles(t *testing.T) {
	t.Parallel()
	p, _ := all.ByCode("nice")
	deaf := channelOf(p, merchant.Live, 3)
	deaf.Senders = &[]netip.Prefix{}
	c := channelOf(p, merchant.Live, 1)
	s := newStage(t, storetest.OnSQLite(t).Open(t), c, deaf)
	good, client := s.actions.PublicURL, s.actions.HTTP
	answers := func(status int, body string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
	through := func(change func(*http.Request), after func(http.ResponseWriter)) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			change(r)
			s.ingress.ServeHTTP(w, r)
			after(w)
		})
	}
	same, none := func(*http.Request) {}, func(http.ResponseWriter) {}
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	const rest = "skipped not_reached, skipped not_reached, skipped not_reached, skipped not_reached, skipped not_reached"
	for _, tt := range []struct {
		name  string
		c     merchant.ChannelKey
		url   string
		front http.Handler
		from  action.Step
		want  string
	}{
		{"a redirect", c.Key, good, answers(308, ""), action.StepServer, "failed redirect, " + rest},
		{"another server", c.Key, good, answers(200, "<html>"), action.StepServer, "failed elsewhere, " + rest},
		{"an overloaded one", c.Key, good, answers(503, ""), action.StepServer, "failed not_now, " + rest},
		{"one that hangs up", c.Key, good, through(func(*http.Request) { panic(http.ErrAbortHandler) }, none), action.StepServer, "failed broken_off, " + rest},
		{"nobody", c.Key, gone.URL, nil, action.StepDNS, "skipped dns_literal, failed refused, skipped not_reached, skipped not_reached, " + rest},
		{"no TLS", c.Key, strings.Replace(good, "http:", "https:", 1), nil, action.StepConnect, "ok connected, failed no_tls, skipped not_reached, " + rest},
		{"a name of nobody", c.Key, "https://nobody.invalid", nil, action.StepConnect, "skipped not_reached, skipped not_reached, skipped not_reached, " + rest},
		{
			"a proxy that is not trusted", c.Key, good, through(func(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.9") }, none),
			action.StepServer, "ok arrived, failed proxy, skipped not_reached, skipped not_reached, skipped not_reached, failed not_acked",
		},
		{"a channel that hears nobody", deaf.Key, good, nil, action.StepServer, "ok arrived, failed no_senders, ok read, ok matched, ok paid, ok acked"},
		{
			"a body that was changed", c.Key, good, through(func(r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				b = append(b, "&more=1"...)
				r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
			}, none), action.StepDecode, "failed altered, ok matched, ok paid, ok acked",
		},
		{
			"a path that was changed", c.Key, good, through(func(r *http.Request) {
				r.URL.Path = strings.TrimSuffix(r.URL.Path, c.Token) + "another"
				r.RequestURI = r.URL.Path
			}, none), action.StepAddress, "failed bad_path, skipped not_reached, skipped not_reached, skipped not_reached, failed not_acked",
		},
		{"an answer that got a tail", c.Key, good, appended(s.ingress, "\n<!-- proxy -->"), action.StepState, "ok paid, failed not_acked"},
		{"all is well", c.Key, good, through(same, none), action.StepConnect, "ok connected, skipped plain, ok arrived, ok admitted, ok read, ok matched, ok paid, ok acked"},
	} {
		s.actions.PublicURL = tt.url
		s.reach(tt.front)
		l := s.rehearse(tt.c)
		if got := rungs(l, tt.from); got != tt.want || l.Good() != (tt.name == "all is well") {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.want)
		}
	}
	s.reach(nil)
	s.actions.PublicURL, s.actions.HTTP = good, safehttp.New(safehttp.Config{})
	if got := rungs(s.rehearse(c.Key), action.StepConnect); !strings.HasPrefix(got, "failed private, skipped") {
		t.Errorf("a private address: %s", got)
	}
	s.actions.HTTP, s.actions.PublicURL = client, ""
	if _, err := s.actions.Rehearse(t.Context(), stageCaller, c.Key, ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("without a public URL: %v", err)
	}
}

// appended is a handler whose answers get a tail on the way.
func appended(h http.Handler, tail string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		w.WriteHeader(rec.Code)
		_, _ = io.WriteString(w, rec.Body.String()+tail)
	})
}
