package nice

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

var (
	_ provider.Issuer   = module{}
	_ provider.Inquirer = module{}
	_ provider.Closer   = module{}
	_ provider.Refunder = module{}
)

// What both APIs take of a refund (manuals, 취소: refundAccount and RefundAcctNo,
// refundHolder and RefundAcctNm, reason and CancelMsg).
const (
	maxID      = 64
	maxAccount = 16
	maxHolder  = 10
	maxReason  = 100
)

// usesStart reports which of NICE's two systems a channel belongs to: it has
// the keys of one or of the other, and a payment is known in one alone.
func (m module) usesStart(c merchant.Channel) bool {
	return m.json && c.Credentials[clientKey] != "" && c.Credentials[secretKey] != ""
}

// CheckIssue refuses what get_vacount.jsp has no words for. The start API
// issues accounts in its window alone.
func (m module) CheckIssue(c merchant.Channel, o provider.Order) error {
	if m.usesStart(c) {
		return fault.Errorf(fault.Unsupported, "start.nicepay.co.kr issues accounts in its payment window only: a contract with npg has a %s and no %s", merchantKey, clientKey)
	}
	if err := m.hasKey(c); err != nil {
		return err
	}
	switch {
	case c.MID == "" || len(c.MID) > maxMID:
		return fault.Errorf(fault.Invalid, "the channel's mid must have 1 to %d characters: NICE's transaction ids begin with it", maxMID)
	case o.Amount.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "NICE Payments issues accounts in KRW only")
	case o.Bank.Code() == "":
		return fault.Errorf(fault.Invalid, "NICE Payments has no accounts at bank %q", o.Bank)
	case o.ExpiresAt.IsZero():
		return fault.Errorf(fault.Invalid, "NICE Payments wants a deadline for the deposit")
	case !plain(o.ID):
		return fault.Errorf(fault.Invalid, "NICE Payments takes order ids of 1 to %d letters, digits and signs of ASCII", maxID)
	case o.TaxFree != 0:
		return fault.Errorf(fault.Unsupported, "NICE Payments' call for an account has no field for a part that is free of tax")
	case o.Escrow:
		return fault.Errorf(fault.Unsupported, "NICE Payments issues escrow accounts in its payment window only")
	}
	return checkAccount(o)
}

// checkAccount refuses fixed accounts without a number, and cash receipts that
// NICE has no field for.
func checkAccount(o provider.Order) error {
	if o.Type == payment.Fixed {
		switch {
		case o.Number == "":
			return fault.Errorf(fault.Unsupported, "NICE Payments keeps no fixed account for an id: name a number that it handed over")
		case o.Receipt != nil:
			return fault.Errorf(fault.Unsupported, "NICE Payments' call for a fixed account has no field for the number that a cash receipt goes to")
		}
		return nil
	}
	if o.Receipt == nil {
		return nil
	}
	// Manual, 가상계좌 발급: ReceiptTypeNo is a phone's or a business's number.
	if n := len(wire.Digits(o.Receipt.Identity.Reveal())); n < 10 || n > 11 {
		return fault.Errorf(fault.Invalid, "a cash receipt with NICE Payments needs a phone number, or a business registration number, of 10 or 11 digits")
	}
	return nil
}

// plain reports whether an id can be sent as it is.
func plain(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for _, b := range []byte(id) {
		if b <= ' ' || b > '~' {
			return false
		}
	}
	return true
}

// hasKey reports fault.Invalid if the channel has no key to sign calls with.
func (m module) hasKey(c merchant.Channel) error {
	if m.usesStart(c) || c.Credentials[merchantKey] != "" {
		return nil
	}
	missing := merchantKey
	if m.json {
		missing += ", or " + clientKey + " and " + secretKey
	}
	return fault.Errorf(fault.Invalid, "the channel has no %s: enter it, and try again", missing)
}

// Issue has NICE issue an account, or wait for money on one that it handed
// over. If the outcome is unclear, the Issue nevertheless has the transaction's
// id, which is made here: by it NICE can be asked.
func (m module) Issue(ctx context.Context, a provider.Access, o provider.Order) (provider.Issue, error) {
	return webapi{a}.issue(ctx, o)
}

// CanInquire needs the transaction's id; the start API also finds an order by
// its id and date.
func (m module) CanInquire(c merchant.Channel, q provider.Query) error {
	if err := m.hasKey(c); err != nil {
		return err
	}
	if q.PGTx != "" || m.usesStart(c) && q.Order != "" && !q.At.IsZero() {
		return nil
	}
	return fault.Errorf(fault.Unsupported, "the transaction id (TID) of the payment is not known, without which NICE Payments tells nothing")
}

// Inquire asks the system that the channel belongs to.
func (m module) Inquire(ctx context.Context, a provider.Access, q provider.Query) (provider.Standing, error) {
	if m.usesStart(a.Channel) {
		return start{a}.inquire(ctx, q)
	}
	return webapi{a}.inquire(ctx, q)
}

// CheckClose needs what a cancel needs, and for npg the amount.
func (m module) CheckClose(c merchant.Channel, q provider.Closing) error {
	if err := m.cancellable(c, q.Query); err != nil {
		return err
	}
	if q.Amount.Amount < 1 && !m.usesStart(c) {
		return fault.Errorf(fault.Unsupported, "the amount of the payment is not known, without which npg cancels nothing")
	}
	return nil
}

// Close cancels what waits for its deposit. NICE refuses it once money came,
// since no account to send that to goes along.
func (m module) Close(ctx context.Context, a provider.Access, q provider.Closing) (time.Time, error) {
	x := cancellation{Query: q.Query, give: q.Amount, key: q.Key, reason: q.Reason}
	done, err := m.cancel(ctx, a, x)
	return done.At, err
}

// CheckRefund wants the account that the money goes to.
func (m module) CheckRefund(c merchant.Channel, q provider.Refund) error {
	if err := m.cancellable(c, q.Query); err != nil {
		return err
	}
	switch part := !q.Whole(); {
	case q.Account == nil:
		return fault.Errorf(fault.Invalid, "refundAccount is missing: the refund of a virtual account needs bank, number and holderName")
	case q.Account.Bank.Code() == "":
		return fault.Errorf(fault.Invalid, "NICE Payments does not transfer to bank %q", q.Account.Bank)
	case !fits(wire.Digits(q.Account.Number.Reveal()), maxAccount) || q.Account.Holder == "":
		return fault.Errorf(fault.Invalid, "refundAccount needs a number of at most %d digits, and the holder's name", maxAccount)
	case part && q.Escrow:
		return fault.Errorf(fault.Unsupported, "NICE Payments refunds escrow payments as a whole only")
	case part && m.usesStart(c) && c.Mode == merchant.Test && c.BaseURL == "":
		return fault.Errorf(fault.Unsupported, "NICE Payments' sandbox refunds payments as a whole only")
	case part && q.TaxFree != 0 && !m.usesStart(c):
		return fault.Errorf(fault.Unsupported, "npg's call for a refund has no field for a part that is free of tax")
	}
	return nil
}

func fits(s string, most int) bool { return s != "" && len(s) <= most }

func (m module) cancellable(c merchant.Channel, q provider.Query) error {
	if err := m.hasKey(c); err != nil {
		return err
	}
	if q.PGTx == "" {
		return fault.Errorf(fault.Unsupported, "the transaction id (TID) of the payment is not known, without which NICE Payments cancels nothing")
	}
	return nil
}

// Refund gives back a deposit. NICE transfers on the next working day (manual,
// 취소·환불), so the transfer is pending.
func (m module) Refund(ctx context.Context, a provider.Access, q provider.Refund) (provider.Refunded, error) {
	return m.cancel(ctx, a, cancellation{
		Query: q.Query, give: q.Give, part: !q.Whole(), taxFree: q.TaxFree, account: q.Account, key: q.Key, reason: q.Reason,
	})
}

// A cancellation is what both systems are told of one.
type cancellation struct {
	provider.Query
	give        payment.Money
	part        bool
	taxFree     int64
	account     *provider.RefundAccount // nil: no money came
	key, reason string
}

func (m module) cancel(ctx context.Context, a provider.Access, x cancellation) (provider.Refunded, error) {
	if x.reason == "" {
		x.reason = "취소"
	}
	x.reason = wire.Fit(x.reason, wire.EUCKR, maxReason, "")
	if m.usesStart(a.Channel) {
		return start{a}.cancel(ctx, x)
	}
	return webapi{a}.cancel(ctx, x)
}

// unclearCodes are answers that leave open whether it was done: still at it, or
// broken off on the way to a bank. (Manual, common/code.md, 2025-07; observed
// for 2002, 2056, 2212 and 9999.)
var unclearCodes = []string{
	"2000", "2002", "2056", "2159", "2212", "9002", "9999", "A110", "A226", "A299", "A304", "A306", "A401", "A402", "A403",
	"P026", "P027", "P101", "T003", "U303", "U501", "U503", "U506", "U507", "U508", "X003",
}

// absentCodes say that there is no such transaction.
var absentCodes = []string{"2012", "A118", "A217", "A251", "U107", "U111", "U122", "U126"}

// refusal is what an answer's code means; nil for one of good.
func refusal(code, message string, good ...string) error {
	switch {
	case slices.Contains(good, code):
		return nil
	case slices.Contains(unclearCodes, code):
		return fault.Errorf(fault.Unclear, "NICE Payments answered with code %s, which leaves open whether it was done", code)
	}
	return &provider.DeclinedError{Code: code, Message: message}
}

// absent reports whether NICE said that it knows no such transaction.
func absent(err error) bool {
	d, ok := errors.AsType[*provider.DeclinedError](err)
	return ok && slices.Contains(absentCodes, d.Code)
}

// odd is an answer that does not say what was done.
func odd(what string) error {
	return fault.Errorf(fault.Unclear, "NICE Payments answered %s", what)
}
