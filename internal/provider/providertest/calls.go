package providertest

import (
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/books"
	"github.com/tongbo/tongbo/internal/secret"
)

// A Bench is what a module's calls are tried on: a channel with credentials
// that the simulated PG knows, and an order that the PG can take.
type Bench struct {
	Channel merchant.Channel
	Order   provider.Order
	// Refund is the account that money goes back to; nil if the PG pays back by
	// itself.
	Refund *provider.RefundAccount
	// WholeOnly says that the PG gives back all or nothing.
	WholeOnly bool
	// WindowOnly says that for this channel the PG issues accounts in its window
	// alone.
	WindowOnly bool
}

// Won1000 is an order of 10,000 won, 1,000 of it free of tax, that expires after
// three days. A test sets what its PG wants besides.
func Won1000(bank payment.Bank) provider.Order {
	return provider.Order{
		ID: "order-1", Name: "시험 상품", Amount: payment.Won(10_000), TaxFree: 1000, VAT: 818, Bank: bank, Type: payment.Normal,
		Holder: "통보상점", Customer: payment.Customer{Name: "홍길동", Email: "hong@example.com", PhoneNumber: "01012345678"},
		ExpiresAt: time.Now().Add(72 * time.Hour).Truncate(time.Second), Key: "6f3a0f3e-0000-4000-8000-000000000001",
	}
}

// Calls tries whatever calls a module has against its own simulated API, over
// HTTP, and against PGs that break down.
func Calls(t *testing.T, p provider.Provider, b Bench) {
	t.Helper()
	t.Run("story", func(t *testing.T) { checkStory(t, p, b) })
	t.Run("close", func(t *testing.T) { checkClose(t, p, b) })
	t.Run("same key", func(t *testing.T) { checkSameKey(t, p, b) })
	t.Run("wrong credentials", func(t *testing.T) { checkWrongCredentials(t, p, b) })
	t.Run("unreachable", func(t *testing.T) { checkUnreachable(t, p, b) })
	t.Run("unclear", func(t *testing.T) { checkUnclear(t, p, b) })
}

// A pg is a module's simulated PG on a server of its own.
type pg struct {
	provider.Access
	p      provider.Provider
	ledger *books.Ledger
	calls  atomic.Int64
	window bool
}

func (b Bench) open(t *testing.T, p provider.Provider) *pg {
	t.Helper()
	player, ok := p.(provider.Player)
	if !ok {
		t.Fatalf("%s has calls, but its API is not played", p.Info().Code)
	}
	c := b.Channel
	c.Provider = p.Info().Code
	g := &pg{p: p, window: b.WindowOnly, ledger: &books.Ledger{Channels: func() []merchant.Channel { return []merchant.Channel{c} }}}
	api := player.API(g.ledger)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.calls.Add(1)
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	g.Access = provider.Access{HTTP: srv.Client(), Channel: c, Now: time.Now()}
	g.Channel.BaseURL = srv.URL
	return g
}

// issued has an account issued by the module if it can, else by the books: some
// PGs issue in their windows alone.
func (g *pg) issued(t *testing.T, o provider.Order) provider.Issue {
	t.Helper()
	i, ok := g.p.(provider.Issuer)
	if !ok || g.window {
		e, err := g.ledger.Issue(g.Channel, provider.Entry{
			Order: o.ID, Name: o.Name, Amount: o.Amount, Key: o.Key, PGTx: "tx-" + o.ID, // PGs refuse long ones
			Account: payment.Account{Bank: o.Bank, Type: o.Type, Holder: o.Holder, ExpiresAt: o.ExpiresAt},
		})
		if err != nil {
			t.Fatal(err)
		}
		return provider.Issue{PGTx: e.PGTx, Account: e.Account, Secret: e.Secret}
	}
	if err := i.CheckIssue(g.Channel, o); err != nil {
		t.Fatalf("CheckIssue: %v", err)
	}
	got, err := i.Issue(t.Context(), g.Access, o)
	if err != nil {
		t.Fatalf("Issue: %v", err)
	}
	e, ok := g.ledger.Find(g.Channel, func(e provider.Entry) bool { return e.Order == o.ID })
	switch {
	case !ok:
		t.Fatal("the PG issued nothing")
	case e.Amount != o.Amount:
		t.Errorf("the PG issued for %v, want %v", e.Amount, o.Amount)
	case got.PGTx != e.PGTx || got.Account.Number != e.Account.Number || got.Account.Bank != e.Account.Bank:
		t.Errorf("Issue = %s, %q; the PG has %s, %q", got.PGTx, got.Account.Bank, e.PGTx, e.Account.Bank)
	case got.Account.Bank != o.Bank:
		t.Errorf("the account is at %q, want %q", got.Account.Bank, o.Bank)
	case !got.Account.ExpiresAt.IsZero() && got.Account.ExpiresAt.Sub(o.ExpiresAt).Abs() > 24*time.Hour:
		t.Errorf("the account expires at %v, want about %v", got.Account.ExpiresAt, o.ExpiresAt)
	}
	return got
}

// stands asks where a payment stands, if the module can.
func (g *pg) stands(t *testing.T, q provider.Query, want payment.State) provider.Standing {
	t.Helper()
	i, ok := g.p.(provider.Inquirer)
	if !ok || i.CanInquire(g.Channel, q) != nil {
		return provider.Standing{}
	}
	s, err := i.Inquire(t.Context(), g.Access, q)
	if err != nil {
		t.Fatalf("Inquire: %v", err)
	}
	if s.State != want {
		t.Errorf("the payment stands at %q, want %q", s.State, want)
	}
	if s.State != "" && s.HasAmount && s.Amount != q.Amount {
		t.Errorf("the PG tells %v, want %v", s.Amount, q.Amount)
	}
	return s
}

func (b Bench) query(i provider.Issue) provider.Query {
	return provider.Query{Order: b.Order.ID, PGTx: i.PGTx, Account: i.Account.Number, Amount: b.Order.Amount, At: time.Now()}
}

func checkStory(t *testing.T, p provider.Provider, b Bench) {
	g := b.open(t, p)
	unknown := provider.Query{Order: "never", PGTx: strings.Repeat("9", 30), Amount: b.Order.Amount, At: time.Now()}
	g.stands(t, unknown, "")
	i := g.issued(t, b.Order)
	q := b.query(i)
	g.stands(t, q, payment.Issued)
	paid, err := g.ledger.Deposit(g.Channel, i.PGTx, "홍길동")
	if err != nil {
		t.Fatal(err)
	}
	q.Deposit = paid.Deposit
	if s := g.stands(t, q, payment.Paid); s.State != "" && !s.PaidAt.IsZero() && s.PaidAt.Sub(paid.PaidAt).Abs() > time.Minute {
		t.Errorf("paid at %v, want %v", s.PaidAt, paid.PaidAt)
	}
	if _, ok := p.(provider.Refunder); !ok {
		return
	}
	rest := b.Order.Amount.Amount
	if !b.WholeOnly {
		rest -= 3000
		g.refund(t, b.refund(q, 3000, rest+3000, 1), payment.PartiallyCancelled)
	}
	g.refund(t, b.refund(q, rest, rest, 2), payment.Cancelled)
	again := b.refund(q, 1000, 1000, 3)
	if _, err := p.(provider.Refunder).Refund(t.Context(), g.Access, again); !declined(err) {
		t.Errorf("a refund of what is gone: %v, want the PG's no", err)
	}
}

func (b Bench) refund(q provider.Query, give, rest int64, number int) provider.Refund {
	return provider.Refund{
		Query: q, Give: payment.Won(give), Rest: payment.Won(rest), Number: number, VAT: give / 11, Reason: "고객 변심 & <환불>",
		Account: b.Refund, Key: "6f3a0f3e-0000-4000-8000-00000000010" + string(rune('0'+number)),
	}
}

func (g *pg) refund(t *testing.T, r provider.Refund, want payment.State) {
	t.Helper()
	refunder := g.p.(provider.Refunder) //nolint:forcetypeassert // asked before
	if err := refunder.CheckRefund(g.Channel, r); err != nil {
		t.Fatalf("CheckRefund: %v", err)
	}
	done, err := refunder.Refund(t.Context(), g.Access, r)
	if err != nil {
		t.Fatalf("Refund of %v: %v", r.Give, err)
	}
	e, _ := g.ledger.Find(g.Channel, func(e provider.Entry) bool { return e.PGTx == r.PGTx })
	if e.State != want {
		t.Errorf("after a refund of %v the PG has %s, want %s", r.Give, e.State, want)
	}
	if last := e.Cancellations[len(e.Cancellations)-1]; last.Amount != r.Give || done.PGID != "" && done.PGID != last.PGID {
		t.Errorf("Refund = %q; the PG booked %q of %v, want %v", done.PGID, last.PGID, last.Amount, r.Give)
	}
	g.stands(t, r.Query, want)
}

func checkClose(t *testing.T, p provider.Provider, b Bench) {
	closer, ok := p.(provider.Closer)
	if !ok {
		t.Skip("the module closes no accounts")
	}
	g := b.open(t, p)
	i := g.issued(t, b.Order)
	q := provider.Closing{Query: b.query(i), Bank: b.Order.Bank, Reason: "주문 취소", Key: "6f3a0f3e-0000-4000-8000-000000000002"}
	if err := closer.CheckClose(g.Channel, q); err != nil {
		t.Fatalf("CheckClose: %v", err)
	}
	if _, err := closer.Close(t.Context(), g.Access, q); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if _, err := g.ledger.Deposit(g.Channel, i.PGTx, "홍길동"); !errors.Is(err, provider.ErrNotWaiting) {
		t.Errorf("a deposit after the close: %v, want %v", err, provider.ErrNotWaiting)
	}
	g.stands(t, q.Query, payment.Failed)
	q.Key = "6f3a0f3e-0000-4000-8000-000000000003"
	if _, err := closer.Close(t.Context(), g.Access, q); !declined(err) {
		t.Errorf("a second close: %v, want the PG's no", err)
	}
}

// checkSameKey sees that the same attempt is not made twice: the PG either
// answers with the first account, or refuses the order.
func checkSameKey(t *testing.T, p provider.Provider, b Bench) {
	issuer, ok := p.(provider.Issuer)
	if !ok || b.WindowOnly {
		t.Skip("the module issues no accounts")
	}
	g := b.open(t, p)
	first := g.issued(t, b.Order)
	second, err := issuer.Issue(t.Context(), g.Access, b.Order)
	if err != nil && !declined(err) || err == nil && second.Account.Number != first.Account.Number {
		t.Errorf("the same order again: %v, account %v, want the same account or the PG's no", err, second.Account.Number)
	}
	if g.calls.Load() != 2 {
		t.Errorf("two issues made %d requests", g.calls.Load())
	}
}

func checkWrongCredentials(t *testing.T, p provider.Provider, b Bench) {
	for _, f := range p.Info().Fields {
		good := b.Channel.Credentials[f.Name]
		if !f.Secret || good == "" {
			continue
		}
		g := b.open(t, p)
		g.Channel.Credentials = merchant.Credentials{}
		maps.Copy(g.Channel.Credentials, b.Channel.Credentials)
		g.Channel.Credentials[f.Name] = secret.Text(flipped(good.Reveal()))
		refusals := 0
		for _, call := range b.all(p) {
			err := call(t, g.Access)
			if err != nil {
				refusals++
				leaksNothing(t, err, b)
			}
		}
		if refusals == 0 && g.calls.Load() > 0 && f.Inquiry {
			t.Errorf("no call minds a wrong %s", f.Name)
		}
	}
}

// flipped is another value of the same length and alphabet.
func flipped(s string) string {
	b := []byte(s)
	i := len(b) / 2
	switch b[i] {
	case 'A':
		b[i] = 'B'
	default:
		b[i] = 'A'
	}
	return string(b)
}

// all are the calls of a module that it lets pass without sending.
func (b Bench) all(p provider.Provider) map[string]func(*testing.T, provider.Access) error {
	q := b.query(provider.Issue{PGTx: strings.Repeat("9", 30), Account: payment.Account{Number: "12345678901234"}})
	calls := b.charges(p)
	if x, ok := p.(provider.Issuer); ok && !b.WindowOnly {
		calls["Issue"] = func(t *testing.T, a provider.Access) error {
			_, err := x.Issue(t.Context(), a, b.Order)
			return err
		}
	}
	if x, ok := p.(provider.Inquirer); ok && x.CanInquire(b.Channel, q) == nil {
		calls["Inquire"] = func(t *testing.T, a provider.Access) error {
			_, err := x.Inquire(t.Context(), a, q)
			return err
		}
	}
	if x, ok := p.(provider.Closer); ok {
		calls["Close"] = func(t *testing.T, a provider.Access) error {
			_, err := x.Close(t.Context(), a, provider.Closing{Query: q, Bank: b.Order.Bank, Reason: "주문 취소", Key: "k"})
			return err
		}
	}
	if x, ok := p.(provider.Refunder); ok {
		calls["Refund"] = func(t *testing.T, a provider.Access) error {
			whole := b.refund(q, b.Order.Amount.Amount, b.Order.Amount.Amount, 1)
			_, err := x.Refund(t.Context(), a, whole)
			return err
		}
	}
	return calls
}

func checkUnreachable(t *testing.T, p provider.Provider, b Bench) {
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil { // nobody listens there now
		t.Fatal(err)
	}
	a := provider.Access{HTTP: &http.Client{}, Channel: b.Channel, Now: time.Now()}
	a.Channel.BaseURL = "http://" + l.Addr().String()
	for name, call := range b.all(p) {
		err := call(t, a)
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s of a PG that is not there: %v, want fault.Unavailable", name, err)
		}
		leaksNothing(t, err, b)
	}
}

// breakdowns are ways in which a PG fails after it got a request.
var breakdowns = map[string]http.HandlerFunc{
	"hangs up":      func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	"error page":    func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>Internal Server Error", 500) },
	"page for all":  func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>점검 중입니다") },
	"cut off":       func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"resultCode":"00`) },
	"empty":         func(http.ResponseWriter, *http.Request) {},
	"bare object":   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) },
	"another field": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"message":"ok"}`) },
	"redirects":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
}

func checkUnclear(t *testing.T, p provider.Provider, b Bench) {
	for how, h := range breakdowns {
		for name, call := range b.all(p) {
			var calls atomic.Int64
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				h(w, r)
			}))
			client := srv.Client()
			client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			a := provider.Access{HTTP: client, Channel: b.Channel, Now: time.Now()}
			a.Channel.BaseURL = srv.URL
			err := call(t, a)
			srv.Close()
			if !fault.Is(err, fault.Unclear) {
				t.Errorf("%s, and the PG %s: %v, want fault.Unclear", name, how, err)
			}
			// A broken connection may be tried anew by the client only where that
			// changes nothing.
			if n := calls.Load(); n != 1 && name != "Inquire" {
				t.Errorf("%s, and the PG %s: %d requests, want one", name, how, n)
			}
			leaksNothing(t, err, b)
		}
	}
}

// leaksNothing sees that an error quotes nothing that is secret.
func leaksNothing(t *testing.T, err error, b Bench) {
	t.Helper()
	if err == nil {
		return
	}
	hidden := []string{"12345678901234", b.Order.Customer.PhoneNumber}
	for _, f := range b.Channel.Credentials {
		hidden = append(hidden, f.Reveal())
	}
	for _, h := range hidden {
		if len(h) > 3 && strings.Contains(err.Error(), h) {
			t.Errorf("an error quotes a secret: %s", strings.ReplaceAll(err.Error(), h, "…"))
		}
	}
}

func declined(err error) bool {
	_, ok := errors.AsType[*provider.DeclinedError](err)
	return ok
}
