package payment_test

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

func TestIssued(t *testing.T) {
	t.Parallel()
	issued := func(minute int, edits ...edit) payment.Report {
		return report(payment.EventIssued, minute, edits...)
	}
	tell(t, []story{
		{"issued of a ready payment", waiting(inState(payment.Ready), withoutAccount), []step{
			{r: issued(1), verdict: payment.Applied, state: payment.Issued, change: payment.ChangeIssued},
		}, func(t *testing.T, p payment.Payment) {
			if a := p.Transactions[0].Account; a == nil || a.Number != number || p.Transactions[0].State != payment.Issued {
				t.Errorf("the transaction is %+v", p.Transactions[0])
			}
		}},
		{"issued of a registered account", waiting(), []step{records(issued(1), "", payment.Issued)}, nil},
		{"issued fills in what the registration left out", waiting(func(p *payment.Payment) {
			p.Transactions[0].Account.Bank, p.Transactions[0].Account.ExpiresAt = "", time.Time{}
		}), []step{
			records(issued(1, func(r *payment.Report) {
				r.Bank, r.ExpiresAt, r.PGTx, r.Holder = "KDB", at(60), "pg-1", "다른 이름"
			}), "", payment.Issued),
		}, func(t *testing.T, p payment.Payment) {
			tx := p.Transactions[0]
			if tx.Account.Bank != "KDB" || !tx.Account.ExpiresAt.Equal(at(60)) || tx.PGTx != "pg-1" {
				t.Errorf("not filled in: %+v", tx)
			}
			if tx.Account.Holder != "가나상점" {
				t.Errorf("the holder was overwritten: %s", tx.Account.Holder)
			}
		}},
		{"issued after the deposit", waiting(), []step{
			pays(deposited(1)), records(issued(2), "", payment.Paid),
		}, nil},
		{"issued of another account", waiting(), []step{records(issued(1, on("999"), func(r *payment.Report) { r.Bank = "KDB" }), "", payment.Issued)},
			func(t *testing.T, p payment.Payment) {
				if p.Transactions[0].Account.Bank != "SHINHAN" {
					t.Error("another account's bank was taken over")
				}
			}},
	})
}

// TestDeposited is a long table: one story for each row of the money rules
// about deposits.
func TestDeposited(t *testing.T) {
	t.Parallel()
	paidLate := pays(deposited(24*60 + 1))
	paidLate.reason = payment.ReasonLate
	tell(t, []story{
		{"exact", waiting(), []step{pays(deposited(1))}, func(t *testing.T, p payment.Payment) {
			if !p.PaidAt.Equal(at(1)) || p.Late || p.Transactions[0].Depositor != "홍길동" || p.Transactions[0].State != payment.Paid {
				t.Errorf("paid as %+v", p)
			}
		}},
		{"account written without dashes", waiting(), []step{pays(deposited(1, on("110123456789")))}, nil},
		{"no account in the report", waiting(), []step{pays(deposited(1, noAccount))}, nil},
		{"of a ready payment whose issue was not seen", waiting(inState(payment.Ready), withoutAccount), []step{pays(deposited(1))},
			func(t *testing.T, p payment.Payment) {
				if a := p.Transactions[0].Account; a == nil || a.Number != number {
					t.Errorf("the account was not filled in: %+v", a)
				}
			}},
		{"of a pending payment", waiting(inState(payment.PayPending)), []step{pays(deposited(1))}, nil},
		{"in the deadline's last second", waiting(), []step{pays(deposited(24 * 60))}, nil},
		{"past the deadline", waiting(), []step{paidLate}, func(t *testing.T, p payment.Payment) {
			if !p.Late {
				t.Error("a late payment is not flagged")
			}
		}},
		{"on the last day of a date-only deadline", waiting(func(p *payment.Payment) {
			p.Transactions[0].Account.ExpiresAt = time.Date(2026, 8, 1, 23, 59, 59, 0, seoul)
		}), []step{pays(deposited(0, func(r *payment.Report) { r.At = time.Date(2026, 8, 1, 14, 59, 59, 0, time.UTC) }))}, nil},
		{"told without a time", waiting(), []step{pays(deposited(0, noTime))}, func(t *testing.T, p payment.Payment) {
			if !p.PaidAt.Equal(at(10)) {
				t.Errorf("paid at %v, want the time of the decision", p.PaidAt)
			}
		}},
		{"the same deposit again, by id", waiting(), []step{
			pays(deposited(1, deposit("D1"))), repeats(deposited(300, deposit("D1")), payment.Paid),
		}, nil},
		{"the same deposit in another form, a minute later", waiting(), []step{
			pays(deposited(1)), repeats(deposited(2), payment.Paid),
		}, nil},
		{"the same deposit in a form with an id, a minute earlier", waiting(), []step{
			pays(deposited(2)), repeats(deposited(1, deposit("D1")), payment.Paid), repeats(deposited(90, deposit("D1")), payment.Paid),
		}, nil},
		{"the same money two minutes later is another deposit", waiting(), []step{
			pays(deposited(1)), conflicts(deposited(3), payment.ReasonSecondDeposit, payment.Paid),
		}, nil},
		{"a receipt that comes with the second telling is kept", waiting(), []step{
			pays(deposited(1, deposit("D1"))),
			repeats(deposited(1, deposit("D1"), func(r *payment.Report) { r.CashReceipt = &payment.CashReceipt{Number: "R1"} }), payment.Paid),
		}, func(t *testing.T, p payment.Payment) {
			if p.CashReceipt == nil || p.CashReceipt.Number != "R1" {
				t.Errorf("receipt = %+v", p.CashReceipt)
			}
		}},
		{"short by one won", waiting(), []step{conflicts(deposited(1, won(999)), payment.ReasonOtherAmount, payment.Issued)}, nil},
		{"over by one won", waiting(), []step{conflicts(deposited(1, won(1001)), payment.ReasonOtherAmount, payment.Issued)}, nil},
		{"other currency", waiting(), []step{conflicts(deposited(1, in("USD")), payment.ReasonOtherCurrency, payment.Issued)}, nil},
		{"other account", waiting(), []step{conflicts(deposited(1, on("110123456780")), payment.ReasonOtherAccount, payment.Issued)}, nil},
		{"the same id with another amount", waiting(), []step{
			pays(deposited(1, deposit("D1"))),
			conflicts(deposited(1, deposit("D1"), won(500)), payment.ReasonOtherAmount, payment.Paid),
			conflicts(deposited(1, deposit("D1"), in("USD")), payment.ReasonOtherCurrency, payment.Paid),
			conflicts(deposited(1, deposit("D1"), on("1")), payment.ReasonOtherAccount, payment.Paid),
		}, nil},
		{"absent amount", waiting(), []step{conflicts(deposited(1, noAmount), payment.ReasonNoAmount, payment.Issued)}, nil},
		{"absent amount that the bank enforces", waiting(), []step{pays(deposited(1, noAmount, enforced))}, func(t *testing.T, p payment.Payment) {
			if p.Deposits[0].Amount != payment.Won(1000) {
				t.Errorf("deposit of %v", p.Deposits[0].Amount)
			}
		}},
		{"another amount although the bank enforces it", waiting(), []step{
			conflicts(deposited(1, won(900), enforced), payment.ReasonOtherAmount, payment.Issued),
		}, nil},
		{"another deposit of a paid payment", waiting(), []step{
			pays(deposited(1, deposit("D1"))), conflicts(deposited(1, deposit("D2")), payment.ReasonSecondDeposit, payment.Paid),
		}, nil},
		{"another deposit of a cancelled payment", waiting(), []step{
			pays(deposited(1, deposit("D1"))),
			{r: report(payment.EventCancelled, 2), verdict: payment.Applied, state: payment.Cancelled, change: payment.ChangeCancelled},
			conflicts(deposited(3, deposit("D2")), payment.ReasonSecondDeposit, payment.Cancelled),
		}, nil},
		{"another deposit of a partly cancelled payment", waiting(), []step{
			pays(deposited(1, deposit("D1"))),
			{r: report(payment.EventPartiallyCancelled, 2, won(1)), verdict: payment.Applied, state: payment.PartiallyCancelled, change: payment.ChangePartiallyCancelled},
			conflicts(deposited(3, deposit("D2")), payment.ReasonSecondDeposit, payment.PartiallyCancelled),
		}, nil},
		{"a deposit of a failed payment", waiting(inState(payment.Failed)), []step{
			conflicts(deposited(1), payment.ReasonNotPayable, payment.Failed),
		}, nil},
		{"on an older account of the payment", waiting(func(p *payment.Payment) {
			second := p.Transactions[0]
			second.ID, second.Account = "tx-2", &payment.Account{Number: "222", Type: payment.Normal, IssuedAt: noon}
			p.Transactions, p.Current = append(p.Transactions, second), 1
		}), []step{pays(deposited(1))}, func(t *testing.T, p payment.Payment) {
			if p.Current != 0 || p.Transactions[0].State != payment.Paid || p.Transactions[1].State == payment.Paid {
				t.Errorf("transaction %d was paid", p.Current)
			}
		}},
	})
}

func TestFixedAccounts(t *testing.T) {
	t.Parallel()
	unlimited := ofType(payment.FixedUnlimited)
	tell(t, []story{
		{"fixed takes one deposit", waiting(ofType(payment.Fixed)), []step{
			pays(deposited(1, deposit("D1"))), conflicts(deposited(9, deposit("D2")), payment.ReasonSecondDeposit, payment.Paid),
		}, nil},
		{"fixed wants its amount", waiting(ofType(payment.Fixed)), []step{
			conflicts(deposited(1, won(1)), payment.ReasonOtherAmount, payment.Issued),
		}, nil},
		{"unlimited takes every deposit once", waiting(unlimited), []step{
			pays(deposited(1, deposit("D1"))), pays(deposited(1, deposit("D2"), won(50))),
			repeats(deposited(1, deposit("D1")), payment.Paid), pays(deposited(2, deposit("D3"))),
		}, func(t *testing.T, p payment.Payment) {
			if len(p.Deposits) != 3 || p.Remaining() != payment.Won(2050) {
				t.Errorf("%d deposits of %v", len(p.Deposits), p.Remaining())
			}
		}},
		{"unlimited tells deposits without ids apart by time", waiting(unlimited), []step{
			pays(deposited(1)), repeats(deposited(1), payment.Paid), pays(deposited(5)),
		}, nil},
		{"unlimited cannot tell money without id and time apart", waiting(unlimited), []step{
			pays(deposited(1, noTime)), conflicts(deposited(2, noTime), payment.ReasonSecondDeposit, payment.Paid),
			pays(deposited(3, noTime, won(7))),
		}, nil},
		{"unlimited cannot tell money with a time from money without", waiting(unlimited), []step{
			pays(deposited(1, noTime, deposit("D1"))), conflicts(deposited(2), payment.ReasonSecondDeposit, payment.Paid),
			pays(deposited(3, deposit("D2"))),
		}, nil},
		{"unlimited cannot tell money without a time from money with one", waiting(unlimited), []step{
			pays(deposited(1)), conflicts(deposited(2, noTime, deposit("D1")), payment.ReasonSecondDeposit, payment.Paid),
		}, nil},
		{"unlimited leaves the cancellation of one of its deposits to a person", waiting(unlimited), []step{
			pays(deposited(1, deposit("D1"))), pays(deposited(2, deposit("D2"))),
			conflicts(report(payment.EventCancelled, 3, won(1000)), payment.ReasonOtherAmount, payment.Paid),
			conflicts(report(payment.EventCancelled, 4, noAmount), payment.ReasonNoAmount, payment.Paid),
			{r: report(payment.EventCancelled, 5, won(2000)), verdict: payment.Applied, state: payment.Cancelled, change: payment.ChangeCancelled},
		}, nil},
		{"a reversal that tells its deposit otherwise", waiting(), []step{
			pays(deposited(1, deposit("D1"))), conflicts(reversed(2, deposit("D1"), won(500)), payment.ReasonOtherAmount, payment.Paid),
		}, nil},
		{"a deposit that its reversal told otherwise", waiting(), []step{
			{reversed(1, deposit("D1"), won(500)), payment.Recorded, payment.ReasonReversalForetold, payment.Issued, "", false},
			conflicts(deposited(2, deposit("D1")), payment.ReasonOtherAmount, payment.Issued),
		}, nil},
		{"unlimited needs an amount", waiting(unlimited), []step{
			conflicts(deposited(1, noAmount, enforced), payment.ReasonNoAmount, payment.Issued),
			conflicts(deposited(1, won(0)), payment.ReasonOtherAmount, payment.Issued),
			conflicts(deposited(1, in("USD")), payment.ReasonOtherCurrency, payment.Issued),
		}, nil},
		{"unlimited keeps its other deposits when the bank takes one back", waiting(unlimited), []step{
			pays(deposited(1, deposit("D1"))), pays(deposited(2, deposit("D2"), won(50))),
			{reversed(3, deposit("D1")), payment.Applied, payment.ReasonReversed, payment.Paid, payment.ChangePartiallyCancelled, true},
			takenBack(reversed(4, deposit("D2"), won(50))),
			pays(deposited(5, deposit("D3"))),
		}, func(t *testing.T, p payment.Payment) {
			if p.Remaining() != payment.Won(1000) {
				t.Errorf("%v can be cancelled, want 1000 KRW", p.Remaining())
			}
		}},
		{"a normal account beside an unlimited one wants its amount", waiting(func(p *payment.Payment) {
			p.Transactions = append(p.Transactions, payment.Transaction{ID: "tx-2", Account: &payment.Account{Number: "222", Type: payment.FixedUnlimited}})
			p.Current = 1
		}), []step{
			conflicts(deposited(1, won(999)), payment.ReasonOtherAmount, payment.Issued),
			pays(deposited(1, won(5), on("222"))),
		}, nil},
	})
}
