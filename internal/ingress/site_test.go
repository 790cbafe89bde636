package ingress_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A site is an ingress on a store of its own.
type site struct {
	testing.TB
	*store.Store
	ingress *ingress.Ingress
	raw     *sql.DB // a second way into the database
	file    string
	log     *logs
	shut    func() error // closes the store, once
}

// logs are log lines, written by many.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write keeps a line.
func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// blank is an empty database with its key: opening a copy of it is much
// quicker than making one.
var blank = sync.OnceValues(func() (db []byte, key *seal.Key) {
	dir, err := os.MkdirTemp("", "ingress")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if key, err = seal.New(); err != nil {
		panic(err)
	}
	file := filepath.Join(dir, "t.db")
	s, err := store.Open(context.Background(), "sqlite:"+file, store.Options{Key: key})
	if err == nil {
		err = s.Close()
	}
	if err == nil {
		db, err = os.ReadFile(file)
	}
	if err != nil {
		panic(err)
	}
	return db, key
})

// newSite opens a store with the channels. Run is not started.
func newSite(t testing.TB, channels ...merchant.Channel) *site {
	t.Helper()
	db, key := blank()
	file := filepath.Join(t.TempDir(), "t.db")
	if err := os.WriteFile(file, db, 0o600); err != nil {
		t.Fatal(err)
	}
	s := &site{TB: t, file: file, log: &logs{}}
	var err error
	if s.Store, err = store.Open(t.Context(), "sqlite:"+file, store.Options{Key: key}); err != nil {
		t.Fatal(err)
	}
	if s.raw, err = sql.Open("sqlite", file+"?_pragma=busy_timeout(5000)&_txlock=immediate"); err != nil {
		t.Fatal(err)
	}
	s.shut = sync.OnceValue(s.Close)
	t.Cleanup(func() { _ = errors.Join(s.raw.Close(), s.shut()) })
	if err := s.SaveSettings(t.Context(), allOf(channels...), time.Now()); err != nil {
		t.Fatal(err)
	}
	s.ingress = &ingress.Ingress{
		Store: s.Store, Providers: all.Providers(), Log: slog.New(slog.NewTextHandler(s.log, nil)),
	}
	return s
}

// run starts the ingress and ends it with the test.
func (s *site) run() *site {
	ctx, stop := context.WithCancel(context.WithoutCancel(s.Context()))
	running := s.ingress // a test may put another in its place
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := running.Run(ctx); err != nil {
			s.Error(err)
		}
	})
	s.Cleanup(func() { stop(); wg.Wait() })
	return s
}

// inBubble runs a test in virtual time, on a running site.
func inBubble(t *testing.T, channels []merchant.Channel, f func(t *testing.T, s *site)) {
	t.Helper()
	t.Parallel()
	blank()
	synctest.Test(t, func(t *testing.T) { f(t, newSite(t, channels...).run()) })
}

func channels(list ...merchant.Channel) []merchant.Channel { return list }

// A call is a request as a PG makes it.
type call struct {
	method, path, from string
	header             http.Header
	body               []byte
}

// serve hands a request to the ingress and returns the answer.
func (s *site) serve(c call) *httptest.ResponseRecorder {
	s.Helper()
	if c.method == "" {
		c.method = http.MethodPost
	}
	r := httptest.NewRequestWithContext(s.Context(), c.method, c.path, bytes.NewReader(c.body))
	maps.Copy(r.Header, c.header)
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(c.from), 40000).String()
	w := httptest.NewRecorder()
	s.ingress.ServeHTTP(w, r)
	return w
}

// module returns a PG module by its code.
func module(t testing.TB, code string) provider.Provider {
	t.Helper()
	p, ok := all.ByCode(code)
	if !ok {
		t.Fatalf("there is no module %s", code)
	}
	return p
}

// encoded is what the PG would send for a notice. A suffix is added to the
// path.
func encoded(t testing.TB, code, from, suffix string, n notice.Notice, c merchant.Credentials) call {
	t.Helper()
	r := module(t, code).Encode(n, c)
	return call{r.Method, r.Path + suffix, from, r.Header, r.Body}
}

// deposit is a KCP deposit notice for an order: 1000 won with deposit id d1.
func deposit(order string, edit ...func(*notice.Notice)) notice.Notice {
	n := notice.Notice{Merchant: "T0000", Order: order}
	n.Event, n.Deposit, n.PGTx = payment.EventDeposited, "d1-"+order, "tx-"+order
	n.Amount, n.HasAmount, n.Account, n.At = payment.Won(1000), true, "1101", time.Now()
	for _, f := range edit {
		f(&n)
	}
	return n
}

func toMID(mid string) func(*notice.Notice) { return func(n *notice.Notice) { n.Merchant = mid } }

func depositID(id string) func(*notice.Notice) { return func(n *notice.Notice) { n.Deposit = id } }

// send plays KCP: it sends a notice on the bare path from an address.
func (s *site) send(from string, n notice.Notice) *httptest.ResponseRecorder {
	s.Helper()
	return s.serve(encoded(s, "kcp", from, "", n, nil))
}

// register registers an account for 1000 won, number 1101, on a channel.
func (s *site) register(c merchant.Channel, order string, edit ...func(*payment.Registration)) (payment.Payment, error) {
	s.Helper()
	all, err := s.Settings(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	g := payment.Registration{
		Merchant: c.Merchant, Store: c.Store, Channel: c.Key, Mode: c.Mode, ID: payment.ID(order), OrderName: "책",
		Amount: payment.Won(1000), Account: payment.Account{Number: "1101", Bank: "KOOKMIN"},
	}
	for _, f := range edit {
		f(&g)
	}
	p, _, err := s.Register(s.Context(), g, notice.Registering{
		Version: all.Version, Env: payment.Env{Now: time.Now(), NewID: uuid.NewString}, Judge: s.ingress.Judge(all),
		Announce: func(payment.Payment) ([]webhook.Emission, error) { return nil, nil },
	})
	return p, err
}

func (s *site) mustRegister(c merchant.Channel, order string, edit ...func(*payment.Registration)) payment.Payment {
	s.Helper()
	p, err := s.register(c, order, edit...)
	if err != nil {
		s.Fatal(err)
	}
	return p
}

func orderSecret(v string) func(*payment.Registration) {
	return func(g *payment.Registration) { g.Secret = secret.Text(v) }
}

func account(number string) func(*payment.Registration) {
	return func(g *payment.Registration) { g.Account.Number = secret.Account(number) }
}

// state is a payment's state by the store's own record.
func (s *site) state(store merchant.StoreID, id string) payment.State {
	s.Helper()
	p, err := s.Payment(s.Context(), store, payment.ID(id), merchant.Any)
	if err != nil {
		s.Fatal(err)
	}
	return p.State
}

// verdicts are the verdicts of all notices, oldest first, as
// "verdict/reason@channel".
func (s *site) verdicts() string {
	s.Helper()
	list, err := s.Notices(s.Context(), store.NoticeQuery{Limit: 1000})
	if err != nil {
		s.Fatal(err)
	}
	var out []string
	for _, n := range list {
		v := string(n.Verdict)
		if n.Reason != "" {
			v += "/" + string(n.Reason)
		}
		switch merchant.ChannelKey(n.Channel) {
		case keyTest:
			v += "@test"
		case keyLive:
			v += "@live"
		case keyMore:
			v += "@more"
		default:
			v += n.Channel
		}
		out = append([]string{v}, out...)
	}
	return strings.Join(out, " ")
}

// wantVerdicts compares all verdicts so far.
func (s *site) wantVerdicts(want string) {
	s.Helper()
	if got := s.verdicts(); got != want {
		s.Errorf("verdicts = %s\nwant %s", got, want)
	}
}

// texts runs a query for one text column, its rows joined by a space.
func (s *site) texts(query string, args ...any) string {
	s.Helper()
	rows, err := s.raw.QueryContext(s.Context(), query, args...)
	if err != nil {
		s.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			s.Fatal(err)
		}
		out = append(out, text)
	}
	if err := rows.Err(); err != nil {
		s.Fatal(err)
	}
	return strings.Join(out, " ")
}

// events are the types of all events but attention, in order.
func (s *site) events() string {
	s.Helper()
	return s.texts(`select type from event where type <> 'tongbo.attention' order by id`)
}

// cases are the open cases as "kind/reason+resends".
func (s *site) cases() string {
	s.Helper()
	return s.texts(`select kind || '/' || reason || '+' || resends from open_case order by id`)
}

// change saves settings as another process would: the ingress is not told.
func (s *site) change(edit func(*settings.All)) {
	s.Helper()
	all, err := s.Settings(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	edit(&all)
	if err := s.SaveSettings(s.Context(), all, time.Now()); err != nil {
		s.Fatal(err)
	}
}

// wantAck checks that a PG hears its "received".
func wantAck(t testing.TB, code string, w *httptest.ResponseRecorder) {
	t.Helper()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !module(t, code).Acked(provider.Reply{Status: w.Code, ContentType: w.Header().Get("Content-Type"), Body: body}) {
		t.Errorf("%s does not take this for received: %d %q", code, w.Code, body)
	}
}
