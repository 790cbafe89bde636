package console

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// resendPayment sends a payment's latest webhook once more.
func (c *Console) resendPayment(v *visit) error {
	p, err := v.paymentOf()
	if err != nil {
		return err
	}
	d, err := c.Actions.Resend(v.ctx(), v.caller(p.P.Store), p.P.ID, "")
	switch {
	case errors.Is(err, action.ErrNoWebhook):
		return v.done("/payments/"+string(p.P.Key), "payment.no_webhook")
	case errors.Is(err, webhook.ErrTooManyResends):
		return v.done("/payments/"+string(p.P.Key), "payment.too_many_resends")
	case err != nil:
		return err
	}
	return v.done("/payments/"+string(p.P.Key), "payment.resent", "to", page.Visible(v.endpointName(d.Endpoint, d.URL)))
}

// askPayment has the PG asked where the payment stands.
func (c *Console) askPayment(v *visit) error {
	p, err := v.paymentOf()
	if err != nil {
		return err
	}
	if err := c.Actions.Ask(v.ctx(), v.caller(p.P.Store), p.P.ID); err != nil {
		return err
	}
	return v.done("/payments/"+string(p.P.Key), "payment.asked")
}

// cancelPage asks how much is to be given back, and to whom.
type cancelPage struct {
	paymentPage
	Title     string
	Once      string // names the request, so that it is made once
	Left      string
	LeftNow   int64 // what can still be cancelled, beside what is under way
	Close     bool  // money never came: the account is closed instead
	Banks     []option
	NeedsBank bool
}

func (p cancelPage) title() string { return p.Title }

func (v *visit) cancelPage(p paymentPage) cancelPage {
	left := p.P.Remaining()
	out := cancelPage{
		paymentPage: p, Title: v.t("page.payment_cancel"), Once: v.value("once"), Left: page.Money(left), LeftNow: p.P.Cancellable().Total, Close: p.P.State == payment.Issued,
		NeedsBank: p.Account != nil, Banks: []option{{Text: "–"}},
	}
	if uuid.Validate(out.Once) != nil {
		out.Once = uuid.NewString()
	}
	for _, b := range payment.Banks() {
		out.Banks = append(out.Banks, option{Value: string(b.Bank), Text: page.Bank(b.Bank)})
	}
	return out
}

func (c *Console) cancelPayment(v *visit) error {
	p, err := v.paymentOf()
	if err != nil {
		return err
	}
	return v.page("payment_cancel", v.cancelPage(p))
}

func (c *Console) cancelledPayment(v *visit) error {
	p, err := v.paymentOf()
	if err != nil {
		return err
	}
	form := v.cancelPage(p)
	if asked := v.value("close") == "on"; asked != form.Close {
		// Money came since the page was shown, or went: closing an account must not become a
		// refund that nobody asked for.
		return v.show(http.StatusConflict, "payment_cancel", form, []mistake{{"", v.t("payment.cancel_other")}})
	}
	begun := v.now()
	r := action.CancelRequest{CancelRequest: payment.CancelRequest{Reason: v.value("reason"), Trigger: payment.TriggerConsole}}
	if left, err := strconv.ParseInt(v.value("left"), 10, 64); err == nil {
		r.Believed = &left // another cancellation since must not be followed by this one unseen
	}
	var wrong []mistake
	if r.Reason == "" {
		wrong = append(wrong, mistake{"reason", v.t("notice.reason_missing")})
	}
	if text := v.value("amount"); text != "" {
		sum, ok := sumOf(text, p.P.Amount.Currency)
		if !ok || sum == 0 {
			wrong = append(wrong, mistake{"amount", v.t("list.no_amount", "value", page.Visible(text))})
		}
		r.Amount = &sum
	}
	if n := v.value("number"); n != "" {
		r.Account = &provider.RefundAccount{Bank: payment.Bank(v.value("bank")), Number: secret.Account(n), Holder: v.value("holder")}
	}
	if len(wrong) > 0 {
		return v.mistaken("payment_cancel", form, wrong)
	}
	once := form.Once
	r.IDs = func(n int) string {
		return uuid.NewSHA1(uuid.NameSpaceURL, []byte("console/cancel/"+once+"/"+strconv.Itoa(n))).String()
	}
	key := "payment.cancelled"
	if form.Close {
		_, _, err = c.Actions.Close(v.ctx(), v.caller(p.P.Store), p.P.ID)
		key = "payment.account_closed"
	} else {
		var x payment.Cancellation
		_, x, err = c.Actions.Cancel(v.ctx(), v.caller(p.P.Store), p.P.ID, r)
		switch {
		case err == nil && x.RequestedAt.Before(begun):
			key = "payment.cancelled_before" // the form was sent twice
		case x.State == payment.CancelRequested:
			key = "payment.cancel_requested"
		}
	}
	if why, shown := v.pgProblem(err); shown {
		return v.mistaken("payment_cancel", form, []mistake{{"", why}})
	}
	if err != nil {
		return err
	}
	return v.done("/payments/"+string(p.P.Key), key)
}

// pgProblem is what a PG or a rule says against what was entered, for the form that asked.
func (v *visit) pgProblem(err error) (string, bool) {
	if no, ok := errors.AsType[*action.PGError](err); ok {
		return v.t("payment.pg_said", "code", page.Visible(no.Code), "message", page.Visible(no.Message)), true
	}
	tooMuch := errors.Is(err, payment.ErrCancelTooMuch) || errors.Is(err, payment.ErrCancelTaxFree) || errors.Is(err, payment.ErrCancelTaxed)
	if tooMuch || fault.Is(err, fault.Invalid) || fault.Is(err, fault.Unsupported) {
		return v.t("payment.not_done", "why", v.conflictWords(err)), true
	}
	return "", false
}

// depositPage asks for money that came without a notice.
type depositPage struct {
	paymentPage
	Title string
	Would *foretold // nil until it was looked at
}

func (p depositPage) title() string { return p.Title }

func (c *Console) enterDeposit(v *visit) error {
	p, err := v.paymentOf()
	if err != nil {
		return err
	}
	return v.page("payment_deposit", depositPage{paymentPage: p, Title: v.t("page.payment_deposit")})
}

// enteredDeposit shows what would become of it, and does it once that was seen.
func (c *Console) enteredDeposit(v *visit) error {
	p, err := v.paymentOf()
	if err != nil {
		return err
	}
	form := depositPage{paymentPage: p, Title: v.t("page.payment_deposit")}
	w := action.HandDeposit{Number: v.value("number"), Reason: v.value("reason"), Depositor: v.value("depositor"), Dry: v.value("do") != "on"}
	var wrong []mistake
	if w.Number == "" {
		wrong = append(wrong, mistake{"number", v.t("payment.number_missing")})
	}
	if w.Reason == "" {
		wrong = append(wrong, mistake{"reason", v.t("notice.reason_missing")})
	}
	if text := v.value("paid_at"); text != "" {
		if w.PaidAt, err = time.ParseInLocation("2006-01-02T15:04", text, page.Location(v.zone())); err != nil {
			wrong = append(wrong, mistake{"paid_at", v.t("list.no_day", "value", page.Visible(text))})
		}
	}
	if text := v.value("amount"); text != "" {
		won, ok := wonOf(text)
		if !ok || won == 0 {
			wrong = append(wrong, mistake{"amount", v.t("list.no_amount", "value", page.Visible(text))})
		}
		w.Amount = won
	}
	if len(wrong) > 0 {
		return v.mistaken("payment_deposit", form, wrong)
	}
	r, err := c.Actions.DepositByHand(v.ctx(), v.caller(p.P.Store), p.P.ID, w)
	if ruled, is := errors.AsType[*action.RuledOutError](err); is {
		return v.mistaken("payment_deposit", form, []mistake{{"number", v.ruledOut(ruled)}})
	}
	if fault.Is(err, fault.Invalid) {
		return v.mistaken("payment_deposit", form, []mistake{{"paid_at", v.t("payment.not_done", "why", page.Visible(err.Error()))}})
	}
	if err != nil {
		return err
	}
	if !w.Dry {
		return v.done("/payments/"+string(p.P.Key), "payment.deposited")
	}
	would := v.foretold(r)
	form.Would = &would
	return v.page("payment_deposit", form)
}
