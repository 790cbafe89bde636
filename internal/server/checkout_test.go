package server_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/trial"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestCheckoutEveryPG pays in a window on a test channel of every module: an account is
// issued and paid into by the PG's own notice, and the shop hears of each step.
func TestCheckoutEveryPG(t *testing.T) {
	t.Parallel()
	windowsOf := func(t *testing.T, database string) {
		s := openTrial(t, database, func(*merchant.Channel) {})
		verbs := s.server.Actions()
		for i, pg := range all.Providers() {
			id := "window" + pg.Info().Code
			c, err := verbs.OpenCheckout(t.Context(), action.CheckoutRequest{Store: "store-1", Channel: trialChannel(i), Payment: payment.ID(id), Asked: payment.Asked{
				Amount: payment.Won(10000), OrderName: "책", Method: payment.VirtualAccount, SDK: payment.SDKV2, Customer: payment.Customer{Name: "김철수"},
			}})
			if err != nil {
				t.Errorf("%s: %v", id, err)
				continue
			}
			s.want(200, `"status":"READY"`, "GET", "/payments/"+id, "")
			offer, err := verbs.CheckoutOffer(t.Context(), c.ID)
			if err != nil || !offer.Trial || len(offer.Banks) == 0 || !offer.Due.After(time.Now()) || offer.Provider != pg.Info().Code {
				t.Errorf("%s offers %+v, %v", id, offer, err)
			}
			c, seen, err := verbs.PayCheckout(t.Context(), c.ID, action.CheckoutChoice{Account: &action.AccountChoice{
				Bank: "KOOKMIN", Depositor: "김영희", Receipt: &provider.ReceiptOrder{Identity: "01012345678"},
			}})
			if err != nil || c.Outcome.Code != "" || c.EndedAt.IsZero() || seen.State != payment.Issued {
				t.Errorf("%s: paid, the window stands at %+v, and shows %s (%v)", id, c, seen.State, err)
				continue
			}
			mark, err := verbs.WatchCheckout(t.Context(), c.ID, "")
			if err != nil {
				t.Fatal(err)
			}
			if _, seen, err = verbs.DepositCheckout(t.Context(), c.ID); err != nil || seen.State != payment.Paid || len(seen.Deposits) != 1 {
				t.Errorf("%s: after the deposit it shows %s (%v)", id, seen.State, err)
			}
			if next, err := verbs.WatchCheckout(t.Context(), c.ID, mark); err != nil || next == mark {
				t.Errorf("%s: the page did not hear of the deposit (%v)", id, err)
			}
			if c, err = verbs.AnswerCheckout(t.Context(), c.ID); err != nil || c.Answered != payment.AnsweredAtOnce {
				t.Errorf("%s: answered %q, %v", id, c.Answered, err)
			}
			for _, event := range []string{"Transaction.Ready", "Transaction.VirtualAccountIssued", "Transaction.Paid"} {
				s.tells(event, id)
			}
		}
	}
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		windowsOf(t, "sqlite:"+t.TempDir()+"/t.db")
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		windowsOf(t, storetest.Postgres(t))
	})
}

// TestCardsOfWindows are cards that the PG which is played knows.
func TestCardsOfWindows(t *testing.T) {
	t.Parallel()
	for name, number := range action.TestCards() {
		if !slices.Contains(trial.Cards(), number.Reveal()) {
			t.Errorf("nobody knows the card that should %s", name)
		}
	}
}
