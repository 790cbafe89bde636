package payment_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// mine are the ids of one request.
func mine(n int) string { return fmt.Sprint("mine-", n) }

func TestMadeCancellation(t *testing.T) {
	t.Parallel()
	long := merchant.RepeatLife
	asked := func(id string, s payment.CancellationState, ago time.Duration) payment.Cancellation {
		return payment.Cancellation{ID: id, State: s, RequestedAt: at(0).Add(-ago)}
	}
	for _, c := range []struct {
		name  string
		known []payment.Cancellation
		i     int
		id    string
	}{
		{"none", nil, -1, "mine-0"},
		{"another's", []payment.Cancellation{asked("x", payment.CancelSucceeded, 0)}, -1, "mine-0"},
		{"under way", []payment.Cancellation{asked("x", payment.CancelRequested, 0), asked("mine-0", payment.CancelRequested, 0)}, 1, "mine-0"},
		{"made", []payment.Cancellation{asked("mine-0", payment.CancelSucceeded, long-1)}, 0, "mine-0"},
		{"made long ago", []payment.Cancellation{asked("mine-0", payment.CancelSucceeded, long)}, -1, "mine-1"},
		{"under way for long", []payment.Cancellation{asked("mine-0", payment.CancelRequested, long)}, -1, "mine-1"},
		{"failed", []payment.Cancellation{asked("mine-0", payment.CancelFailed, 0)}, -1, "mine-1"},
		{"made the second time", []payment.Cancellation{asked("mine-0", payment.CancelFailed, 2), asked("mine-1", payment.CancelSucceeded, 1)}, 1, "mine-1"},
	} {
		i, id := payment.Payment{Cancellations: c.known}.MadeCancellation(mine, at(0))
		if i != c.i || id != c.id {
			t.Errorf("%s: %d, %s, want %d, %s", c.name, i, id, c.i, c.id)
		}
	}
}

func TestMadeAttempt(t *testing.T) {
	t.Parallel()
	attempt := func(id payment.TransactionID, s payment.State, a *payment.Account, ago time.Duration) payment.Transaction {
		return payment.Transaction{ID: id, State: s, Account: a, At: at(0).Add(-ago)}
	}
	account := &payment.Account{Number: "1"}
	for _, c := range []struct {
		name  string
		known []payment.Transaction
		i     int
		id    payment.TransactionID
	}{
		{"none", nil, -1, "mine-0"},
		{"under way", []payment.Transaction{attempt("mine-0", payment.Ready, nil, 0)}, 0, "mine-0"},
		{"made", []payment.Transaction{attempt("x", payment.Ready, nil, 0), attempt("mine-0", payment.Paid, account, 0)}, 1, "mine-0"},
		{"refused", []payment.Transaction{attempt("mine-0", payment.Failed, nil, 0)}, -1, "mine-1"},
		{"made and closed", []payment.Transaction{attempt("mine-0", payment.Failed, account, 0)}, 0, "mine-0"},
		{"made long ago", []payment.Transaction{attempt("mine-0", payment.Issued, account, merchant.RepeatLife)}, -1, "mine-1"},
	} {
		i, id := payment.Payment{Transactions: c.known}.MadeAttempt(mine, at(0))
		if i != c.i || id != c.id {
			t.Errorf("%s: %d, %s, want %d, %s", c.name, i, id, c.i, c.id)
		}
	}
}
