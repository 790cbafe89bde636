package v1

import (
	"errors"
	"net/http"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// usualReason is why a payment was cancelled if the merchant does not say.
const usualReason = "고객사 요청"

var errNothingToCancel = refusal{http.StatusOK, codeUndone, "취소할 결제건이 존재하지 않습니다."}

var errNotWon = invalid("원화(KRW)가 아닌 결제는 API V2로 취소하세요.")

var errChannelGone = invalid("결제 채널이 삭제되었거나 사용할 수 없습니다.")

// cancel gives a payment's money back, in whole or in part, and answers with the
// payment as it is then. Nobody is told by webhook unless enable_webhook is true.
func (a *API) cancel(c *call) (any, error) {
	in, err := c.body()
	if err != nil {
		return nil, err
	}
	uid, id := in.text("imp_uid"), in.text("merchant_uid")
	if uid == "" && id == "" {
		return nil, invalid("imp_uid 또는 merchant_uid가 필요합니다.")
	}
	x, err := a.cancelled(c, uid, id)
	if err != nil {
		return nil, err
	}
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	r := action.CancelRequest{CancelRequest: payment.CancelRequest{
		Amount: in.amount("amount"), TaxFree: in.amount("tax_free"), VAT: in.amount("vat_amount"), Believed: in.amount("checksum"),
		Reason: in.text("reason"), Trigger: payment.TriggerAPI, Quiet: !in.flag("enable_webhook"),
	}}
	if r.Amount != nil && *r.Amount == 0 {
		r.Amount = nil
	}
	if r.Reason == "" {
		r.Reason = usualReason
	}
	r.Attempt = x.t.ID
	r.Account = in.refundAccount(v.channel(x.t.Channel).Provider)
	if in.err != nil {
		return nil, in.err
	}
	p, done, err := a.Actions.Cancel(c.ctx(), c.caller, x.p.ID, r)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, errChannelGone
	case err != nil:
		return nil, err
	case done.State == payment.CancelRequested:
		return nil, refusal{http.StatusOK, codeUnclear, sayUnclear}
	}
	x, _ = currentOf(p)
	return v.render(c, x), nil
}

// cancelled finds the attempt that is to be cancelled: imp_uid wins.
func (a *API) cancelled(c *call, uid, id string) (x attempt, err error) {
	if uid != "" {
		x, err = a.byImpUID(c, uid)
	} else {
		var p payment.Payment
		p, err = a.byMerchantUID(c, id)
		x, _ = currentOf(p)
	}
	switch {
	case fault.Is(err, fault.NotFound), errors.Is(err, errNoPayment):
		return x, errNothingToCancel
	case err != nil:
		return x, err
	case !x.current || x.t.ID == "":
		return x, payment.ErrNotPaid // the money is another attempt's, if any came
	case x.p.Amount.Currency != payment.KRW:
		return x, errNotWon // whose amounts V1 does not tell in minor units
	}
	return x, nil
}

// refundAccount reads where money goes back to; nil if nothing is said of it.
func (in *input) refundAccount(module string) *provider.RefundAccount {
	to := &provider.RefundAccount{
		Number: secret.Account(in.text("refund_account")), Holder: in.text("refund_holder"), Phone: in.text("refund_tel"),
	}
	code := in.text("refund_bank")
	if code == "" && to.Number == "" && to.Holder == "" {
		return nil
	}
	to.Bank = in.bank("refund_bank", module)
	return to
}
