package nice

import (
	"net/url"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// testTID begins the transaction id of the dummy that NICE posts when a URL is
// registered or its test button is pressed. (Observed, 2024-10.)
const testTID = "UTWEBHOOK"

// isTest reports whether the webhook is the registration dummy. It wants the
// usual acknowledgement, else the URL cannot be registered.
func (w webhook) isTest() bool { return strings.HasPrefix(w.tid, testTID) }

// verify checks the signature. The registration dummy moves nothing, and the
// key that signs it is not the merchant's: it passes.
func (w webhook) verify(key secret.Text) error {
	switch {
	case w.isTest():
		return nil
	case key == "":
		return provider.ErrUnproved
	case w.signature == "" && (w.status == "failed" || w.status == "expired"):
		return provider.ErrUnproved // only transactions that are valid are signed (hook.md)
	case !secret.Text(w.signed(key.Reveal())).Equal(w.signature):
		return fault.Errorf(fault.Unauthorized, "signature is not made with the channel's secret key")
	}
	return nil
}

// notice says what the webhook means.
func (w webhook) notice() (notice.Notice, error) {
	n := notice.Notice{
		Form: formB, Kind: w.status, Order: w.orderID, Test: w.isTest(),
		BankCode: w.account.code, BankName: w.account.name,
		Proof: secret.Text(w.signature), Charset: notice.UTF8, CharsetByRule: true,
	}
	n.PGTx, n.PGCancel = w.tid, w.cancelID()
	n.Account, n.Bank, n.Holder = secret.Account(wire.PlainAccount(w.account.number)), payment.BankByCode(w.account.code), w.account.holder
	n.Event, n.Listed = w.event()
	n.OtherMethod = !w.isAccount() && !n.Test
	if err := w.takeMoney(&n); err != nil {
		return notice.Notice{}, err
	}
	n.Key = identity(w.tid, w.orderID, n.Account.Reveal(), w.amountText) + "/" + w.status
	switch {
	case n.PGCancel != "":
		n.Key += "/" + n.PGCancel
	case n.Event == payment.EventPartiallyCancelled:
		n.Key += "/" + w.cancelledAt // there may be several
	}
	if !n.Test && (n.OtherMethod || n.Event == payment.EventOther) {
		// The signature covers neither method nor result: what moves nothing
		// must not occupy the key of what does.
		n.Key += "/other/" + url.PathEscape(w.payMethod) + "/" + url.PathEscape(w.resultCode)
	}
	if n.Event == payment.EventDeposited {
		n.Deposit = w.tid
	}
	n.At, n.ExpiresAt = w.at(n.Event), due(w.account.due)
	if err := w.takeReceipt(&n); err != nil {
		return notice.Notice{}, err
	}
	return n, w.takeFields(&n)
}

// cancelID is NICE's id of the cancellation. The webhook may leave it out
// although the list of cancels has it.
func (w webhook) cancelID() string {
	if w.cancelledTid != "" || w.status != "cancelled" && w.status != "partialCancelled" {
		return w.cancelledTid
	}
	return w.cancel.tid
}

// isAccount reports whether the webhook is about a virtual account.
func (w webhook) isAccount() bool {
	return strings.EqualFold(w.payMethod, "vbank") || w.payMethod == "" && w.account.given
}

// event says what happened, and whether a person should look at it. Times say
// nothing: the gateway's own test body has a paidAt while it is only ready.
func (w webhook) event() (e payment.Event, listed bool) {
	if w.isTest() {
		return payment.EventOther, false
	}
	// 0000 is success. A success with another code contradicts itself.
	ok := w.resultCode == "0000" || w.resultCode == ""
	switch w.status {
	case "failed":
		return payment.EventFailed, false
	case "expired":
		return payment.EventExpired, false
	}
	if !ok {
		return payment.EventOther, true
	}
	switch w.status {
	case "ready":
		if w.isAccount() {
			return payment.EventIssued, false
		}
		return payment.EventOther, false
	case "paid":
		if w.isAccount() {
			return payment.EventDeposited, false
		}
		return payment.EventApproved, false
	case "cancelled":
		return payment.EventCancelled, false
	case "partialCancelled":
		return payment.EventPartiallyCancelled, false
	}
	return payment.EventOther, true
}

// takeMoney reads the amount: of a partial cancel the part, else the payment's.
func (w webhook) takeMoney(n *notice.Notice) error {
	amount := w.amount
	if n.Event == payment.EventPartiallyCancelled {
		amount = w.cancel.amount
	}
	if amount == "" {
		return nil
	}
	minor, err := wire.Amount(amount)
	if err != nil {
		return fault.Errorf(fault.Invalid, "amount: %w", err)
	}
	n.Amount, n.HasAmount = payment.Money{Amount: minor, Currency: payment.KRW}, true
	if w.currency != "" {
		n.Amount.Currency = payment.Currency(strings.ToUpper(w.currency))
	}
	return nil
}

// at is when it happened, zero if the webhook does not say. "0" stands for a
// time that is not there.
func (w webhook) at(e payment.Event) time.Time {
	text := ""
	switch e {
	case payment.EventDeposited, payment.EventApproved:
		text = w.paidAt
	case payment.EventIssued:
		text = w.ediDate // the message is made when the account is issued
	case payment.EventFailed:
		text = w.failedAt
	case payment.EventCancelled, payment.EventPartiallyCancelled:
		if text = w.cancel.at; !wire.Given(text) {
			text = w.cancelledAt
		}
	default:
	}
	t, err := wire.ISOTime(text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// due is an account's deadline. A date alone lasts until its last second.
func due(s string) time.Time {
	if t, err := wire.ISOTime(s); err == nil {
		return t
	}
	if digits := wire.Digits(s); len(digits) == len("yyyyMMdd") && len(s) <= len("yyyy-MM-dd") {
		if t, err := wire.Time(digits); err == nil {
			return t.AddDate(0, 0, 1).Add(-time.Second)
		}
	}
	return time.Time{}
}

// takeReceipt reads the cash receipt that has a number, the last one if there
// are several. The objects are copies: the whole list stays among the fields.
func (w webhook) takeReceipt(n *notice.Notice) error {
	for _, o := range w.receipts {
		var number, tid, kind string
		if err := o.texts(map[string]*string{"issueNo": &number, "receiptTid": &tid, "receiptType": &kind}); err != nil {
			return err
		}
		if !wire.Given(number) {
			number = tid
		}
		if wire.Given(number) {
			n.CashReceipt = &payment.CashReceipt{Number: number, Type: receiptTypes[kind]}
		}
	}
	return nil
}

// takeFields keeps what is left, nested values as JSON, and those of the taken
// ones that say more than the notice does.
func (w webhook) takeFields(n *notice.Notice) error {
	keep := func(name, v string) {
		if v != "" {
			n.Fields[name] = v
		}
	}
	rest, err := w.rest.TakeAll()
	if err != nil {
		return fault.Errorf(fault.Invalid, "a field: %w", err)
	}
	n.Fields = rest.Rest(withheld...)
	keep("resultCode", w.resultCode)
	keep("payMethod", w.payMethod)
	keep("ediDate", w.ediDate)
	if n.Event == payment.EventPartiallyCancelled {
		keep("amount", w.amount) // the payment's, not the part's
	}
	for name, v := range map[string]string{"paidAt": w.paidAt, "failedAt": w.failedAt, "cancelledAt": w.cancelledAt} {
		if wire.Given(v) {
			keep(name, v)
		}
	}
	if n.ExpiresAt.IsZero() && wire.Given(w.account.due) {
		keep("vbankExpDate", w.account.due)
	}
	return nil
}
