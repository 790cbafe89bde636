package server_test

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// TestMoneyForAnEarlierAccount: a payment goes on with an account of another channel,
// and the money comes to the first one. Its PG is asked, too.
func TestMoneyForAnEarlierAccount(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		w.issue("o-1", 10*time.Hour)
		w.issueOn(w.other, "o-1", 5*time.Hour)
		w.pay("o-1")
		time.Sleep(4 * time.Hour)
		w.want("o-1", payment.Issued)
		w.sweep(time.Hour)
		if p := w.want("o-1", payment.Paid); p.Current != 0 || len(p.Deposits) != 1 || !p.Deposits[0].Learnt {
			t.Errorf("attempt %d is paid by %+v", p.Current, p.Deposits)
		}
		if left := w.waiting(""); len(left) != 0 {
			t.Errorf("%v are still to be asked about", left)
		}
	})
}

// TestSilentPastTheLastTime: a PG that does not answer when it is asked for the last
// time is asked again until it does.
func TestSilentPastTheLastTime(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		w.issue("o-1", 2*time.Hour)
		w.sweep(3*time.Hour + 30*time.Minute)
		w.pay("o-1")
		w.fail(true)
		time.Sleep(72 * time.Hour)
		w.sweep(2 * time.Hour)
		w.want("o-1", payment.Issued)
		if left := w.waiting(""); len(left) != 1 {
			t.Fatalf("%v are still to be asked about, want o-1", left)
		}
		w.fail(false)
		w.sweep(6 * time.Hour)
		w.want("o-1", payment.Paid)
	})
}
