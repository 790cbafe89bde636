package payment_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// otherNumber is the account of a story's second attempt.
const otherNumber secret.Account = "222"

// withAttempt adds a later attempt, which becomes the current one. Its number
// is its place: "tx-2" is the second.
func withAttempt(c merchant.ChannelKey, order string, a secret.Account) func(*payment.Payment) {
	return func(p *payment.Payment) {
		began := len(p.Transactions)
		p.Transactions = append(p.Transactions, payment.Transaction{
			ID:      payment.TransactionID(fmt.Sprintf("tx-%d", began+1)),
			Channel: c, Order: order, State: p.State, At: at(began),
			Account: &payment.Account{Number: a, Type: payment.Normal, IssuedAt: at(began), ExpiresAt: at(48 * 60)},
		})
		p.Current = began
	}
}

// twice is a payment with two attempts of one channel: o1 on the story's
// account, then o2 on another.
func twice(edits ...func(*payment.Payment)) payment.Payment {
	p := waiting(withAttempt("channel-1", "o2", otherNumber))
	p.Transactions[0].Order = "o1"
	for _, edit := range edits {
		edit(&p)
	}
	return p
}

func order(o string) edit { return func(r *payment.Report) { r.PGOrder = o } }
func pgTx(id string) edit { return func(r *payment.Report) { r.PGTx = id } }
func via(c merchant.ChannelKey) edit {
	return func(r *payment.Report) { r.Channel = c }
}
func closes(r *payment.Report) { r.Closes = true }

// stand checks where a payment's attempts stand, and which is shown.
func stand(current int, want ...payment.State) func(*testing.T, payment.Payment) {
	return func(t *testing.T, p payment.Payment) {
		t.Helper()
		var got []payment.State
		for _, tx := range p.Transactions {
			got = append(got, tx.State)
		}
		if diff := cmp.Diff(want, got); diff != "" || p.Current != current {
			t.Errorf("attempt %d is shown, want %d; states (-want +got):\n%s", p.Current, current, diff)
		}
	}
}

// TestCancelOfOneAttempt is a long table: one story for each way in which one
// of several attempts ends.
func TestCancelOfOneAttempt(t *testing.T) {
	t.Parallel()
	cancel := func(edits ...edit) payment.Report { return report(payment.EventCancelled, 5, edits...) }
	fails := func(r payment.Report) step {
		return step{r: r, verdict: payment.Applied, state: payment.Failed, change: payment.ChangeFailed}
	}
	cancels := func(r payment.Report) step {
		return step{r: r, verdict: payment.Applied, state: payment.Cancelled, change: payment.ChangeCancelled}
	}
	ends := func(r payment.Report, s payment.State) step { return records(r, payment.ReasonClosed, s) }
	const failed, paid, issued, cancelled = payment.Failed, payment.Paid, payment.Issued, payment.Cancelled
	tell(t, []story{
		{"the old order's, while the new one's money is here", twice(), []step{
			pays(deposited(1, on(otherNumber))), ends(cancel(order("o1"), noAccount), paid),
			records(cancel(order("o1"), noAccount), "", paid),
		}, stand(1, failed, paid)},
		{"the old account's, while the new one's money is here", twice(), []step{
			pays(deposited(1, on(otherNumber))), ends(cancel(order("o2")), paid),
		}, stand(1, failed, paid)},
		{"the paid one's", twice(), []step{
			pays(deposited(1, on(otherNumber))), cancels(cancel(order("o2"), noAccount)),
		}, stand(1, issued, cancelled)},
		{"the paid one's, which is not the latest", twice(), []step{
			pays(deposited(1)), ends(cancel(order("o2"), noAccount), paid), cancels(cancel(order("o1"), noAccount)),
		}, stand(0, cancelled, failed)},
		{"closed by its account while another was paid", twice(), []step{
			pays(deposited(1, on(otherNumber))), ends(cancel(closes), paid),
		}, stand(1, failed, paid)},
		{"a part of what was never paid", twice(), []step{
			pays(deposited(1, on(otherNumber))),
			conflicts(report(payment.EventPartiallyCancelled, 5, won(1)), payment.ReasonCancelTooLarge, paid),
		}, stand(1, issued, paid)},
		{"nothing paid, the old one closes", twice(), []step{
			ends(cancel(closes), issued), records(cancel(closes), "", issued), pays(deposited(6, on(otherNumber))),
		}, stand(1, failed, paid)},
		{"nothing paid, the new one closes", twice(), []step{
			ends(cancel(closes, on(otherNumber)), issued),
		}, stand(0, issued, failed)},
		{"the new one closes, the old one is paid", twice(), []step{
			ends(cancel(closes, on(otherNumber)), issued), pays(deposited(6)),
		}, stand(0, paid, failed)},
		{"both close", twice(), []step{
			ends(cancel(closes), issued), fails(cancel(closes, on(otherNumber))),
			conflicts(deposited(6), payment.ReasonNotPayable, failed),
		}, stand(1, failed, failed)},
		{"money on the closed one is for a person", twice(), []step{
			ends(cancel(closes), issued), conflicts(deposited(6), payment.ReasonNotPayable, issued),
		}, stand(1, failed, issued)},
		{"of three the latest that is open is shown", twice(withAttempt("channel-1", "o3", "333")), []step{
			ends(cancel(on("222")), issued), ends(cancel(on("333")), issued),
		}, stand(0, issued, failed, failed)},
		{"of three one past its deadline is shown last", twice(withAttempt("channel-1", "o3", "333"), func(p *payment.Payment) {
			p.Transactions[1].Account.ExpiresAt = at(5)
		}), []step{ends(cancel(on("333")), issued)}, stand(0, issued, issued, failed)},
		{"of an account that none has", twice(), []step{
			conflicts(cancel(on("999"), order("o1")), payment.ReasonOtherAccount, issued),
			pays(deposited(6)), conflicts(cancel(on("999"), order("o1")), payment.ReasonOtherAccount, paid),
		}, stand(0, paid, issued)},
		{"after all was cancelled", twice(), []step{
			pays(deposited(1)), cancels(cancel()), ends(cancel(on(otherNumber)), cancelled),
		}, stand(0, cancelled, failed)},
		{"after the bank took the other's money back, the closed one takes none", twice(), []step{
			pays(deposited(1, deposit("D1"))), takenBack(reversed(2, deposit("D1"))), ends(cancel(on(otherNumber)), cancelled),
			conflicts(deposited(7, on(otherNumber), deposit("D2")), payment.ReasonNotPayable, cancelled),
		}, stand(0, cancelled, failed)},
		{"without any name, the paid one's", twice(), []step{pays(deposited(1)), cancels(cancel(noAccount))}, stand(0, cancelled, issued)},
		{"paid again on the same account: the new money's", waiting(func(p *payment.Payment) { p.Transactions[0].PGTx = "pg-1" }), []step{
			pays(deposited(1, deposit("D1"))), takenBack(reversed(2, deposit("D1"))), pays(deposited(3, deposit("D2"))),
			cancels(cancel(pgTx("pg-1"))),
		}, stand(1, cancelled, cancelled)},
		{"two orders on one account, the earlier paid: the money's", waiting(withAttempt("channel-1", "o2", number)), []step{
			pays(deposited(1, order("order-1"))), cancels(cancel()),
		}, stand(0, cancelled, issued)},
		{"two orders on one account, the later closed: money is for the other", waiting(
			withAttempt("channel-1", "o2", number), withAttempt("channel-1", "o3", otherNumber),
		), []step{ends(cancel(order("o2")), issued), pays(deposited(6))}, stand(0, paid, failed, issued)},
		{"one of two unlimited accounts that were both paid", twice(func(p *payment.Payment) {
			p.Transactions[0].Account.Type, p.Transactions[1].Account.Type = payment.FixedUnlimited, payment.FixedUnlimited
		}), []step{
			pays(deposited(1)), pays(deposited(3, on(otherNumber))), conflicts(cancel(), payment.ReasonForAPerson, paid),
		}, stand(1, paid, paid)},
	})
}

// TestDepositGoesToTheAttemptItNames pays one of several attempts that share
// some of their names.
func TestDepositGoesToTheAttemptItNames(t *testing.T) {
	t.Parallel()
	same := func(c merchant.ChannelKey, order string) func(*payment.Payment) { return withAttempt(c, order, number) }
	for _, c := range []struct {
		name string
		p    payment.Payment
		r    payment.Report
		want int
	}{
		{"by order alone", twice(), deposited(5, noAccount, order("o1")), 0},
		{"by order and channel", waiting(withAttempt("channel-2", "order-1", "222")), deposited(5, noAccount, order("order-1"), via("channel-1")), 0},
		{"by order and the later channel", waiting(withAttempt("channel-2", "order-1", "222")), deposited(5, noAccount, order("order-1"), via("channel-2")), 1},
		{"by order, of a channel that has none", twice(), deposited(5, noAccount, order("o1"), via("channel-9")), 0},
		{"by nothing: the current one", twice(), deposited(5, noAccount, order("o9")), 1},
		{"one account in two channels", waiting(same("channel-2", "order-1")), deposited(5, via("channel-1")), 0},
		{"one account in two channels, by the later", waiting(same("channel-2", "order-1")), deposited(5, via("channel-2")), 1},
		{"one account for two orders", waiting(same("channel-1", "o2")), deposited(5, via("channel-1"), order("order-1")), 0},
		{"one account for two orders, none named", waiting(same("channel-1", "o2")), deposited(5, via("channel-1")), 1},
		{"the account before the order", twice(), deposited(5, order("o2"), via("channel-1")), 0},
		{"an account not seen before, by order", twice(func(p *payment.Payment) { p.Transactions[0].Account = nil }), deposited(5, on("777"), order("o1")), 0},
		{"the PG's id before the order", twice(func(p *payment.Payment) { p.Transactions[0].PGTx = "pg-1" }), deposited(5, noAccount, pgTx("pg-1"), order("o2")), 0},
		{"the PG's id in two channels", twice(withAttempt("channel-2", "o1", "333"), func(p *payment.Payment) {
			p.Transactions[0].PGTx, p.Transactions[2].PGTx = "pg-1", "pg-1"
		}), deposited(5, noAccount, pgTx("pg-1"), via("channel-1")), 0},
	} {
		d := c.p.Decide(c.r, env(5))
		if d.Verdict != payment.Applied || d.Payment.Current != c.want || d.Payment.Transactions[d.Payment.Current].State != payment.Paid {
			t.Errorf("%s: %s %s, attempt %d, want %d", c.name, d.Verdict, d.Reason, d.Payment.Current, c.want)
		}
	}
	// The named attempt's account is another, and no other's is unknown.
	d := twice(func(p *payment.Payment) { p.Transactions[1].Account = nil }).Decide(deposited(5, on("777"), order("o1")), env(5))
	if d.Verdict != payment.Conflict || d.Reason != payment.ReasonOtherAccount {
		t.Errorf("the named order with an account that is not its own: %s %s", d.Verdict, d.Reason)
	}
}

func TestExpiryOfOneAttempt(t *testing.T) {
	t.Parallel()
	expire := func(edits ...edit) payment.Report { return report(payment.EventExpired, 5, edits...) }
	flags := func(r payment.Report) step {
		s := records(r, "", payment.Issued)
		s.change = payment.ChangeExpired
		return s
	}
	closed := records(report(payment.EventCancelled, 5, on(otherNumber)), payment.ReasonClosed, payment.Issued)
	flagged := func(want bool) func(*testing.T, payment.Payment) {
		return func(t *testing.T, p payment.Payment) {
			if p.Expired != want {
				t.Errorf("the payment is flagged: %v, want %v", p.Expired, want)
			}
		}
	}
	tell(t, []story{
		{"of the old one", twice(), []step{
			records(expire(), "", payment.Issued), records(expire(noAccount, order("o1")), "", payment.Issued),
		}, flagged(false)},
		{"of the current one", twice(), []step{flags(expire(on(otherNumber)))}, flagged(true)},
		{"of the current one, by its order", twice(), []step{flags(expire(noAccount, order("o2")))}, flagged(true)},
		{"without names: our own deadline", twice(), []step{flags(expire(noAccount))}, flagged(true)},
		{"of an account that none has", twice(), []step{records(expire(on("999")), "", payment.Issued)}, flagged(false)},
		{"and the one that is left still waits", twice(), []step{flags(expire(on(otherNumber))), closed}, flagged(false)},
		{"of each in turn", twice(), []step{flags(expire(on(otherNumber))), closed, flags(expire()), records(expire(), "", payment.Issued)}, flagged(true)},
	})
	d := twice().Decide(expire(noAccount), env(5))
	if len(d.Transitions) != 1 || d.Transitions[0].Transaction != "tx-2" {
		t.Errorf("our own deadline tells %+v, want tx-2", d.Transitions)
	}
	// Told of the first attempt, then a second came and closed: the first is
	// not told again.
	p := waiting().Decide(expire(), env(5)).Payment
	withAttempt("channel-1", "o2", otherNumber)(&p)
	p.Expired = false // as a registration leaves it
	p = p.Decide(report(payment.EventCancelled, 6, on(otherNumber)), env(6)).Payment
	if d := p.Decide(expire(), env(7)); !p.Expired || len(d.Transitions) > 0 {
		t.Errorf("the first attempt is shown, flagged %v; its expiry is told again: %+v", p.Expired, d.Transitions)
	}
}
