package action

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// A cardPG is a PG that charges cards, with its books in memory.
type cardPG struct {
	provider.Provider // none: what it does not play is not called
	mu                sync.Mutex
	taken             map[string]payment.Standing // by order
	asked             int                         // charges
	refunds           int
	byKey             map[string]int  // charges, by their key
	keys              map[string]bool // those in use
	// before and after, if set, are what becomes of a charge before and after the PG
	// did what it says.
	before, after func()
	says          error // nil: it is charged
	does          bool  // it is charged whatever it says
	cannotTell    bool
}

var (
	_ provider.Charger   = (*cardPG)(nil)
	_ provider.KeyIssuer = (*cardPG)(nil)
)

// Info names the PG.
func (*cardPG) Info() provider.Info { return provider.Info{Name: provider.Text{EN: "Card PG"}} }

// CheckCharge refuses what is over a million.
func (*cardPG) CheckCharge(_ merchant.Channel, c provider.Charge) error {
	if c.Amount.Amount > 1_000_000 {
		return fault.Errorf(fault.Unsupported, "too much for this PG")
	}
	return nil
}

// Charge does and says what it is told to.
func (g *cardPG) Charge(_ context.Context, a provider.Access, c provider.Charge) (provider.Charged, error) {
	if g.before != nil {
		g.before()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked++
	g.byKey[c.Key]++
	out := provider.Charged{PGTx: "pg-" + c.ID, At: a.Now, Card: payment.Card{Number: "4242-42**-****-4242", Issuer: "신한", Approval: "00012345"}}
	if g.says == nil || g.does {
		g.taken[c.ID] = payment.Standing{State: payment.Paid, PGTx: out.PGTx, Amount: c.Amount, HasAmount: true, PaidAt: a.Now, Card: out.Card, Lists: true}
	}
	if g.after != nil {
		g.after()
	}
	if g.says != nil {
		return provider.Charged{}, g.says
	}
	return out, nil
}

// CanInquire says whether it can.
func (g *cardPG) CanInquire(merchant.Channel, provider.Query) error {
	if g.cannotTell {
		return fault.Errorf(fault.Unsupported, "this PG tells nothing")
	}
	return nil
}

// Inquire tells what was charged.
func (g *cardPG) Inquire(_ context.Context, _ provider.Access, q provider.Query) (provider.Standing, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.taken[q.Order], nil
}

// CheckRefund wants money that came from a card.
func (*cardPG) CheckRefund(_ merchant.Channel, r provider.Refund) error {
	if !r.Card || r.Account != nil {
		return fault.Errorf(fault.Invalid, "that is not a card's")
	}
	return nil
}

// Refund gives all back that is asked for.
func (g *cardPG) Refund(_ context.Context, a provider.Access, _ provider.Refund) (provider.Refunded, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refunds++
	return provider.Refunded{PGID: fmt.Sprint("r-", g.refunds), At: a.Now}, nil
}

// CheckIssueKey lets all pass.
func (*cardPG) CheckIssueKey(merchant.Channel, provider.KeyOrder) error { return nil }

// IssueKey issues a key, or says what it is told to.
func (g *cardPG) IssueKey(_ context.Context, a provider.Access, o provider.KeyOrder) (provider.KeyIssued, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.says != nil {
		return provider.KeyIssued{}, g.says
	}
	key := "opensesame-" + o.Key
	g.keys[key] = true
	return provider.KeyIssued{Key: secret.Text(key), Card: payment.Card{Number: "4242-42**-****-4242"}, At: a.Now}, nil
}

// DeleteKey deletes a key, or says what it is told to.
func (g *cardPG) DeleteKey(_ context.Context, a provider.Access, k provider.BillingKey) (time.Time, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	known := g.keys[k.Key.Reveal()]
	if g.says == nil || g.does {
		delete(g.keys, k.Key.Reveal())
	}
	switch {
	case g.says != nil:
		return time.Time{}, g.says
	case !known:
		return time.Time{}, &provider.DeclinedError{Code: "NO_KEY", Message: "no such key"}
	}
	return a.Now, nil
}

// cards gives the bench a PG that charges cards.
func (b *bench) cards() *cardPG {
	g := &cardPG{taken: make(map[string]payment.Standing), keys: make(map[string]bool), byKey: make(map[string]int)}
	b.Providers = func(string) (provider.Provider, bool) { return g, true }
	return g
}

// ask runs the inquiries of the bench until the test ends.
func (b *bench) ask() *Inquiries {
	q := &Inquiries{Store: b.store, Actions: b.Actions, Log: slog.New(slog.DiscardHandler)}
	b.Asked = q.Sooner
	b.run(q.Run)
	return q
}

func (b *bench) run(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	b.Cleanup(stop)
	return stop
}

const cardNumber = "4242424242424242"

// charge is a charge of 1000 won by a card's number.
func charge(id payment.ID) ChargeRequest {
	g := order(id, time.Time{})
	g.Account = payment.Account{}
	return ChargeRequest{Registration: g, Card: &provider.Card{Number: cardNumber, ExpiryYear: "30", ExpiryMonth: "12", Identity: "900101", Password: "00"}}
}

func (b *bench) payment(id payment.ID) payment.Payment {
	b.Helper()
	p, err := b.store.Payment(b.Context(), "store-1", id, merchant.Any)
	if err != nil {
		b.Fatal(err)
	}
	return p
}
