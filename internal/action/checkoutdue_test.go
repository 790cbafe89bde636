package action

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// TestDueInWindow: a window is over with the deadline of the account that it is to issue, and
// its buyer is not left with a form that nothing can come of.
func TestDueInWindow(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		for method, want := range map[payment.Method]payment.Code{payment.VirtualAccount: payment.CodeExpired, payment.ByCard: ""} {
			due := now().Add(10 * time.Minute)
			r := wanted(payment.ID("o "+method), method)
			r.AccountDue = due
			c := b.opens(r)
			if over := c.ExpiresAt.Equal(due); over != (want != "") {
				t.Errorf("%s: the window is open until %v, its account would be until %v", method, c.ExpiresAt, due)
			}
			sleep(11 * time.Minute)
			choice := byAccount
			if method == payment.ByCard {
				choice = approves
			}
			if now, p := b.pays(c, choice); now.EndedAt.IsZero() || now.Outcome.Code != want || want != "" && p.Begun() != 0 {
				t.Errorf("%s: the window stands at %+v, its payment is %+v", method, now, p)
			}
		}
	})
}
