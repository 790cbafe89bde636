package payment_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// TestWindowsWalk opens, leaves, pays and lets windows end in any order, beside the
// merchant's server and the PG. Whatever happens, a window shows no other's attempt, no
// more than one attempt is under way, and what was merely opened asks nothing of a PG.
func TestWindowsWalk(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 7))
		now := opened
		env := numbered(now)
		var p *payment.Payment
		var windows []payment.Checkout
		keep := func(next payment.Payment, err error) {
			if err == nil {
				p = &next
			}
		}
		for step := range 60 {
			now = now.Add(time.Duration(r.IntN(10)) * time.Minute)
			env.Now = now
			var c payment.Checkout
			if len(windows) > 0 {
				c = windows[r.IntN(len(windows))]
			}
			switch what := r.IntN(8); {
			case what < 2:
				c = window(strconv.Itoa(step))
				c.CreatedAt, c.ExpiresAt = now, now.Add(payment.CheckoutLife)
				if p != nil {
					c.Begun = p.Begun()
				}
				if next, _, err := payment.Open(p, c, env); err == nil {
					p, windows = &next, append(windows, c)
				}
			case p == nil:
			case what < 4 && p.MayPay(c, now) == nil:
				next, _, err := payment.Begin(p, c.Registration(*p), env)
				if err != nil {
					t.Fatalf("seed %d: MayPay says yes, Begin %v", seed, err)
				}
				p = &next
			case what == 4:
				d, err := p.Leave(c, env)
				keep(d.Payment, err)
			case what == 5:
				next, _, err := payment.Begin(p, server(10000), env)
				keep(next, err)
			default:
				at := p.Transactions[r.IntN(len(p.Transactions))]
				d, err := p.IssueRefused(at.ID, "no", env)
				if r.IntN(2) == 0 {
					d, err = p.IssueDone(at.ID, payment.Issuance{Account: payment.Account{Number: "1"}}, env)
				}
				if !at.Opened {
					keep(d.Payment, err)
				}
			}
			if p != nil {
				checkWindows(t, *p, windows, now)
			}
			if t.Failed() {
				t.Fatalf("seed %d, step %d", seed, step)
			}
		}
	}
}

func checkWindows(t *testing.T, p payment.Payment, windows []payment.Checkout, now time.Time) {
	t.Helper()
	waiting := 0
	for _, a := range p.Transactions {
		if a.State == payment.Ready && !a.Opened {
			waiting++
		}
		if a.Opened && (a.Account != nil || a.State != payment.Ready && a.State != payment.Failed) {
			t.Errorf("an attempt that was merely opened is %+v", a)
		}
	}
	if p.Outstanding() != (waiting > 0) {
		t.Errorf("%d attempts are under way, and Outstanding says %v", waiting, p.Outstanding())
	}
	if len(p.MatchKeys()) > 0 && p.Begun() == 0 {
		t.Errorf("notices find a payment of which no PG knows: %v", p.MatchKeys())
	}
	said := ""
	if at, _ := p.Transaction(); p.ByWindows() {
		for _, c := range windows {
			if c.Transaction == at.ID {
				said = c.OrderName
			}
		}
	} else {
		said = "배"
	}
	if said != p.OrderName {
		t.Errorf("it is %q, want %q: the server's word, or that of the window whose attempt is shown", p.OrderName, said)
	}
	for _, c := range windows {
		seen := c.Seen(p)
		if slices.ContainsFunc(seen.Transactions, func(a payment.Transaction) bool { return a.ID != c.Transaction }) || seen.OrderName != c.OrderName {
			t.Errorf("window %s sees %+v", c.ID, seen)
		}
		s := c.Stands(p, now)
		if p.MayPay(c, now) == nil && !s.EndedAt.IsZero() {
			t.Errorf("window %s may pay, and has ended with %+v", c.ID, s.Outcome)
		}
		if t2, own := c.Own(p); own && t2.State == payment.Issued && s.Outcome.Code != "" {
			t.Errorf("window %s has an account, and ended with %+v", c.ID, s.Outcome)
		}
	}
}
