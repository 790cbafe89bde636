package ingress_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

func amount(won int64) func(*notice.Notice) {
	return func(n *notice.Notice) { n.Amount = payment.Won(won) }
}

func paidInto(number string) func(*notice.Notice) {
	return func(n *notice.Notice) { n.Account = secret.Account(number) }
}

func reversed(n *notice.Notice) { n.Event = payment.EventReversed }

func after(d time.Duration) func(*notice.Notice) {
	return func(n *notice.Notice) { n.At = n.At.Add(d) }
}

// What disagrees with the payment leaves it alone, is acknowledged, waits for
// a person, and a resend of it joins the case.
func TestConflicts(t *testing.T) {
	for _, c := range []struct {
		name   string
		before []notice.Notice
		notice notice.Notice
		state  payment.State
		reason string
	}{
		{"one won short", nil, deposit("o-1", amount(999)), payment.Issued, "other_amount"},
		{"into another account", nil, deposit("o-1", paidInto("2202")), payment.Issued, "other_account"},
		{"a second deposit", []notice.Notice{deposit("o-1")}, deposit("o-1", depositID("d2"), after(time.Hour)), payment.Paid, "second_deposit"},
		{"the same deposit with another amount", []notice.Notice{deposit("o-1")}, deposit("o-1", amount(5), func(n *notice.Notice) { n.PGTx = "tx-2" }), payment.Paid, "other_amount"},
		{"a deposit that another payment has", []notice.Notice{deposit("o-2")}, deposit("o-1", depositID("d1-o-2")), payment.Issued, "deposit_of_another_payment"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, channels(testChannel()), func(t *testing.T, s *site) {
				s.mustRegister(testChannel(), "o-1")
				s.mustRegister(testChannel(), "o-2")
				for _, n := range c.before {
					s.send(loopback, n)
				}
				events := s.events()
				for range 3 {
					wantAck(t, "kcp", s.send(loopback, c.notice))
				}
				if got := s.state("s1", "o-1"); got != c.state {
					t.Errorf("the payment is %s, want %s", got, c.state)
				}
				if got := s.events(); got != events {
					t.Errorf("events = %s, want %s", got, events)
				}
				if got, want := s.cases(), "conflict/"+c.reason+"+2"; got != want {
					t.Errorf("cases = %s, want %s", got, want)
				}
				list, err := s.Notices(s.Context(), everything)
				if err != nil || len(list) != len(c.before)+3 {
					t.Fatalf("%d notices, %v", len(list), err)
				}
				if l := list[0]; l.Verdict != payment.Conflict || string(l.Reason) != c.reason || l.PaymentID != "o-1" {
					t.Errorf("shown as %s/%s of payment %q", l.Verdict, l.Reason, l.PaymentID)
				}
			})
		})
	}
}

func TestResendsOfAnUnknownOrderJoinItsCase(t *testing.T) {
	inBubble(t, channels(testChannel()), func(t *testing.T, s *site) {
		for range 3 {
			wantAck(t, "kcp", s.send(loopback, deposit("o-1")))
		}
		if got := s.cases(); got != "unmatched/unknown_order+2" {
			t.Errorf("cases = %s, want one with two resends", got)
		}
		s.mustRegister(testChannel(), "o-1")
		if got := s.cases(); got != "" {
			t.Errorf("after the registration: %s", got)
		}
		wantAck(t, "kcp", s.send(loopback, deposit("o-1")))
		s.wantVerdicts("applied@test unmatched/unknown_order@test unmatched/unknown_order@test duplicate@test")
	})
}

func TestResendOfWhatMovesNothing(t *testing.T) {
	inBubble(t, channels(testChannel()), func(t *testing.T, s *site) {
		s.mustRegister(testChannel(), "o-1")
		n := deposit("o-1")
		n.Event = payment.EventOther
		for range 2 {
			wantAck(t, "kcp", s.send(loopback, n))
		}
		s.wantVerdicts("recorded@test duplicate@test")
	})
}

func TestLateBinding(t *testing.T) {
	for _, c := range []struct {
		name  string
		first func(s *site)
		then  func(s *site)
	}{
		{"notice, then registration", func(s *site) { s.send(loopback, deposit("o-1")) }, func(s *site) { s.mustRegister(testChannel(), "o-1") }},
		{"registration, then notice", func(s *site) { s.mustRegister(testChannel(), "o-1") }, func(s *site) { s.send(loopback, deposit("o-1")) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, channels(testChannel()), func(t *testing.T, s *site) {
				c.first(s)
				c.then(s)
				s.mustRegister(testChannel(), "o-1")
				s.send(loopback, deposit("o-1"))
				if got := s.events(); got != "Transaction.Paid" {
					t.Errorf("events = %s, want one Transaction.Paid", got)
				}
				if got := s.texts(`select url || target from delivery where type = 'Transaction.Paid'`); got == "" {
					t.Error("nobody is told of it")
				}
				if got := s.state("s1", "o-1"); got != payment.Paid {
					t.Errorf("the payment is %s", got)
				}
			})
		})
	}
}

// Registration and notice at once: exactly one of them applies the deposit.
func TestLateBindingAtOnce(t *testing.T) {
	inBubble(t, channels(testChannel()), func(t *testing.T, s *site) {
		const n = 40
		order := func(i int) string { return fmt.Sprintf("o-%d", i) }
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { wantAck(t, "kcp", s.send(loopback, deposit(order(i)))) })
			wg.Go(func() {
				if _, err := s.register(testChannel(), order(i)); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() { wantAck(t, "kcp", s.send(loopback, deposit(order(i)))) })
		}
		wg.Wait()
		for i := range n {
			if got := s.texts(`select type from event where payment_id = $1`, order(i)); got != "Transaction.Paid" {
				t.Errorf("%s: events = %q, want one Transaction.Paid", order(i), got)
			}
		}
		if got := s.cases(); got != "" {
			t.Errorf("cases = %s", got)
		}
	})
}

// An account number alone finds the one payment that waits for it.
func TestNoticeWithoutAnOrder(t *testing.T) {
	inBubble(t, channels(testChannel()), func(t *testing.T, s *site) {
		s.mustRegister(testChannel(), "o-1")
		body := "site_cd=T0000&tx_cd=TX00&op_cd=50&noti_id=n1&ipgm_mnyx=1000&account=11-01"
		wantAck(t, "kcp", s.serve(call{path: "/kcp_payments/notice_vbank", from: loopback, body: []byte(body)}))
		s.wantVerdicts("applied@test")
		if got := s.state("s1", "o-1"); got != payment.Paid {
			t.Errorf("the payment is %s", got)
		}
	})
}

func TestReversals(t *testing.T) {
	for _, code := range []string{"kcp", "html5_inicis"} {
		ch := testChannel(of(code, "M1"))
		from := map[string]string{"kcp": kcpTest, "html5_inicis": iniLive}[code]
		made := func(edit ...func(*notice.Notice)) notice.Notice {
			n := deposit("o-1", append([]func(*notice.Notice){toMID("M1"), depositID("d1")}, edit...)...)
			if code == "html5_inicis" {
				n.PGTx = ""
			}
			return n
		}
		for _, c := range []struct {
			name    string
			notices func() []notice.Notice
			state   payment.State
			events  string
			verdict string
			cases   string
		}{
			{"of the deposit", func() []notice.Notice {
				return []notice.Notice{made(), made(reversed, after(time.Minute)), made(reversed, after(time.Minute))}
			}, payment.Cancelled, "Transaction.Paid Transaction.Cancelled", "applied@test applied/reversed_by_bank@test duplicate@test", "listed/reversed_by_bank+0"},
			{"and a new deposit", func() []notice.Notice {
				return []notice.Notice{made(), made(reversed, after(time.Minute)), made(depositID("d2"), after(time.Hour))}
			}, payment.Paid, "Transaction.Paid Transaction.Cancelled Transaction.Paid", "applied@test applied/reversed_by_bank@test applied@test", "listed/reversed_by_bank+0"},
			{"told before the deposit", func() []notice.Notice {
				return []notice.Notice{made(reversed, after(time.Minute)), made(), made()}
			}, payment.Issued, "", "recorded/reversal_before_deposit@test recorded/reversed_before_deposit@test duplicate@test", ""},
		} {
			t.Run(code+" "+c.name, func(t *testing.T) {
				inBubble(t, channels(ch), func(t *testing.T, s *site) {
					s.mustRegister(ch, "o-1")
					for _, n := range c.notices() {
						wantAck(t, code, s.serve(encoded(s, code, from, "", n, nil)))
					}
					s.wantVerdicts(c.verdict)
					if got := s.state("s1", "o-1"); got != c.state {
						t.Errorf("the payment is %s, want %s", got, c.state)
					}
					if got := s.events(); got != c.events {
						t.Errorf("events = %q, want %q", got, c.events)
					}
					if got := s.cases(); got != c.cases {
						t.Errorf("cases = %q, want %q", got, c.cases)
					}
				})
			})
		}
	}
}

func TestAdopt(t *testing.T) {
	ch := testChannel(adopts)
	inBubble(t, channels(ch), func(t *testing.T, s *site) {
		for range 2 {
			wantAck(t, "kcp", s.send(loopback, deposit("o-1")))
		}
		s.wantVerdicts("applied@test duplicate@test")
		if got := s.events(); got != "Transaction.Paid" {
			t.Errorf("events = %s", got)
		}
		if p := s.mustRegister(ch, "o-1"); p.Adopted || p.State != payment.Paid || p.OrderName != "책" {
			t.Errorf("registered, it is %+v", p)
		}
		if got := s.events(); got != "Transaction.Paid" {
			t.Errorf("after the registration: %s", got)
		}
		s.send(loopback, deposit("o-2", amount(900)))
		if _, err := s.register(ch, "o-2"); !fault.Is(err, fault.Conflict) {
			t.Errorf("a registration of another amount: %v, want a conflict", err)
		}
	})
}

func TestAdoptIsRefused(t *testing.T) {
	more := testChannel(adopts, keyed(keyMore), toMID2)
	for _, c := range []struct {
		name     string
		channels []merchant.Channel
		prepare  func(s *site)
		from     string
		notice   notice.Notice
		want     string
	}{
		{"on live without a keyed proof", channels(liveChannel(adopts)), nil, kcpLive, deposit("o-1", toMID("A1234")), "unmatched/unknown_order@live"},
		{"a reversal", channels(testChannel(adopts)), nil, loopback, deposit("o-1", reversed), "unmatched/unknown_order@test"},
		{"an id that a payment of another channel has", channels(testChannel(adopts), more),
			func(s *site) { s.mustRegister(more, "o-1") }, loopback, deposit("o-1"), "unmatched/unknown_order@test"},
		{"an id whose payment has another order", channels(testChannel(adopts)),
			func(s *site) {
				s.mustRegister(testChannel(), "o-1", func(g *payment.Registration) { g.Order = "pg-1" })
			},
			loopback, deposit("o-1"), "unmatched/unknown_order@test"},
		{"a deposit that another payment has", channels(testChannel(adopts)),
			func(s *site) { s.send(loopback, deposit("o-2")) }, loopback, deposit("o-1", depositID("d1-o-2")),
			"applied@test unmatched/unknown_order@test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, c.channels, func(t *testing.T, s *site) {
				if c.prepare != nil {
					c.prepare(s)
				}
				wantAck(t, "kcp", s.send(c.from, c.notice))
				s.wantVerdicts(c.want)
				if got := s.texts(`select type from event where payment_id = 'o-1' and type <> 'tongbo.attention'`); got != "" {
					t.Errorf("events = %s", got)
				}
			})
		})
	}
}

func toMID2(c *merchant.Channel) { c.MID = "T0007" }
