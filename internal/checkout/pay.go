package checkout

import (
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// pay does what the buyer chose.
func (c *Checkout) pay(v *visit) error {
	if err := v.sameOrigin(); err != nil {
		return err
	}
	if !v.window.EndedAt.IsZero() || len(v.seen.Transactions) > 0 {
		return v.go303() // pressed twice, or in another tab of the same window
	}
	choice, wrong := v.choice()
	if wrong != nil {
		return v.showNow(wrong)
	}
	x, p, err := c.Actions.PayCheckout(v.r.Context(), v.id, choice)
	if fault.Is(err, fault.Invalid) {
		// The form was right, so the order is not what the PG wants. Why is no buyer's matter.
		c.Log.WarnContext(v.r.Context(), "the PG of a payment window does not take the order", "checkout", v.id, "err", err)
		return v.showNow([]mistake{{"", v.t("checkout.not_taken")}})
	}
	if err != nil {
		return err
	}
	if t, ok := p.Transaction(); x.EndedAt.IsZero() || x.Outcome.Code == "" && ok && t.Account != nil && t.PaidAt.IsZero() {
		return v.go303() // the account is to be seen first
	}
	return v.finish()
}

// choice reads the form.
func (v *visit) choice() (action.CheckoutChoice, []mistake) {
	if v.window.Method != payment.VirtualAccount {
		e := provider.Ending(v.r.PostFormValue("ending"))
		if !slices.Contains(v.offer.Endings, e) {
			return action.CheckoutChoice{}, []mistake{{"ending", v.t("checkout.need_choice")}}
		}
		return action.CheckoutChoice{Ending: e}, nil
	}
	var wrong []mistake
	a := &action.AccountChoice{Bank: payment.Bank(v.r.PostFormValue("bank")), Depositor: strings.TrimSpace(v.r.PostFormValue("depositor"))}
	if !slices.Contains(v.offer.Banks, a.Bank) {
		wrong = append(wrong, mistake{"bank", v.t("checkout.need_bank")})
	}
	n := utf8.RuneCountInString(a.Depositor)
	if n == 0 || n > maxDepositor || len(a.Depositor) > maxDepositorSize || !utf8.ValidString(a.Depositor) || strings.ContainsFunc(a.Depositor, unicode.IsControl) {
		wrong = append(wrong, mistake{"depositor", v.t("checkout.need_name", "n", maxDepositor)})
	}
	if kind := v.r.PostFormValue("receipt"); kind != "" {
		number := digitsIn(v.r.PostFormValue("identity"))
		switch {
		case kind == "business" && len(number) != 10:
			wrong = append(wrong, mistake{"identity", v.t("checkout.need_business")})
		case kind != "business" && (len(number) < 10 || len(number) > 11 || !strings.HasPrefix(number, "01")):
			wrong = append(wrong, mistake{"identity", v.t("checkout.need_phone")})
		}
		a.Receipt = &provider.ReceiptOrder{Business: kind == "business", Identity: secret.Text(number)}
	}
	return action.CheckoutChoice{Account: a}, wrong
}

func digitsIn(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// leave ends a window whose buyer goes away. The shop's page may say so, too: who knows
// the token may.
func (c *Checkout) leave(v *visit) error {
	cors(v.w, v.r)
	x, err := c.Actions.LeaveCheckout(v.r.Context(), v.id)
	if err != nil {
		return err
	}
	if x.EndedAt.IsZero() {
		return v.go303() // what was begun decides
	}
	return v.finish()
}

// deposit plays the PG of a test channel: money comes to the account.
func (c *Checkout) deposit(v *visit) error {
	if err := v.sameOrigin(); err != nil {
		return err
	}
	_, _, err := c.Actions.DepositCheckout(v.r.Context(), v.id)
	if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.Forbidden) { // the latter of live payments, whose page has no such button
		return err
	}
	return v.go303() // whatever came of it is on the page
}

// done ends what the buyer had to do here.
func (c *Checkout) done(v *visit) error {
	if err := v.sameOrigin(); err != nil {
		return err
	}
	return v.finish()
}

// finish has the shop's page hear, after the webhook where the store wants that, and
// sends the buyer on if this window is the one to do it.
func (v *visit) finish() error {
	x, err := v.c.Actions.AnswerCheckout(v.r.Context(), v.id)
	if err != nil {
		return err
	}
	if to := onward(told(x, v.lang)); to != "" && x.Window == redirect && !x.EndedAt.IsZero() {
		v.w.Header().Set("Location", to)
		v.w.WriteHeader(http.StatusSeeOther)
		return nil
	}
	return v.go303()
}

// go303 shows the page by GET.
func (v *visit) go303() error {
	v.w.Header().Set("Location", v.path(""))
	v.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// sameOrigin refuses what another site has a browser send.
func (v *visit) sameOrigin() error {
	if err := http.NewCrossOriginProtection().Check(v.r); err != nil {
		return fault.Errorf(fault.NotFound, "another site sent this: %w", err)
	}
	return nil
}
