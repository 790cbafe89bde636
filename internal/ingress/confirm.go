package ingress

import (
	"encoding/json"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// confirmed is what a notice says once the PG, asked, has said where the payment
// stands: with the amount and account that the notice itself may lack. The reason
// is not empty if the PG tells otherwise.
func confirmed(r payment.Report, s payment.Standing, p payment.Payment) (payment.Report, payment.Reason) {
	if !agrees(r, s) || s.Deposit != "" && r.Deposit != "" && r.Event == payment.EventDeposited && s.Deposit != r.Deposit {
		return r, notice.ReasonDenied
	}
	switch {
	case !s.HasAmount:
	case s.Amount.Currency != p.Amount.Currency:
		return r, payment.ReasonOtherCurrency
	case s.Amount != p.Amount && r.Event != payment.EventPartiallyCancelled:
		return r, payment.ReasonOtherAmount
	}
	if r.Event == payment.EventPartiallyCancelled || r.Event == payment.EventCancelled {
		return cancelledAt(r, s)
	}
	if !r.HasAmount {
		r.Amount, r.HasAmount = s.Amount, s.HasAmount
	}
	if r.Account == "" {
		r.Account, r.Bank = s.Account.Number, s.Account.Bank
	}
	if r.Depositor == "" {
		r.Depositor = s.Depositor
	}
	if r.CashReceipt == nil {
		r.CashReceipt = s.CashReceipt
	}
	return r, payment.ReasonNone
}

// isAbout reports whether a standing is that of what a notice tells of: a payment
// may have several attempts, and the PG was asked about one.
func isAbout(n notice.Notice, s payment.Standing) bool {
	switch {
	case n.Order != "" && s.Order != "":
		return n.Order == s.Order
	case n.PGTx != "" && s.PGTx != "":
		return n.PGTx == s.PGTx
	}
	return n.Account != "" && n.Account == s.Account.Number
}

// agrees reports whether a standing can be what comes of a report. What followed
// it since does not deny it.
func agrees(r payment.Report, s payment.Standing) bool {
	gone := s.State == payment.Cancelled || s.State == payment.PartiallyCancelled
	switch {
	case r.Event == payment.EventDeposited, r.Event == payment.EventApproved:
		return s.State == payment.Paid || gone
	case r.Event == payment.EventReversed, r.Event == payment.EventIssued && r.Reopens:
		return s.State == payment.Issued || s.State == payment.Failed
	case r.Event == payment.EventPartiallyCancelled:
		return gone
	case r.Event == payment.EventCancelled:
		return s.State == payment.Cancelled || s.State == payment.Failed
	case r.Event == payment.EventFailed:
		return s.State == payment.Failed
	}
	return true // refund transfers are not told by every PG
}

// cancelledAt takes the amount of a cancellation from the PG's list, by its id. One
// that is not in a whole list was not made; where the PG does not list, the notice's
// own amount stands.
func cancelledAt(r payment.Report, s payment.Standing) (payment.Report, payment.Reason) {
	for _, c := range s.Cancellations {
		if c.PGID == "" || c.PGID != r.PGCancel {
			continue
		}
		if r.Event == payment.EventCancelled {
			return r, payment.ReasonNone // its amount is the payment's; the record is of the last part
		}
		if r.HasAmount && r.Amount != c.Amount {
			return r, payment.ReasonOtherAmount
		}
		r.Amount, r.HasAmount = c.Amount, true
		return r, payment.ReasonNone
	}
	if s.Lists && (r.Event == payment.EventPartiallyCancelled || r.PGCancel != "" && s.State != payment.Failed) {
		return r, notice.ReasonDenied
	}
	return r, payment.ReasonNone
}

// MethodInquiry stands where a notice has its HTTP method, of what was learnt by
// asking the PG. No PG sends it, and no notice path takes it.
const MethodInquiry = "INQUIRY"

// MethodByHand stands there of what a person entered.
const MethodByHand = "BYHAND"

// learnt reports whether a notice did not come from a PG, but was made here of what the
// PG said when it was asked, or of a person's word.
func learnt(r notice.Request) bool { return r.Method == MethodInquiry || r.Method == MethodByHand }

// reasonLearnt says how such a notice was learnt.
func reasonLearnt(r notice.Request) payment.Reason {
	if r.Method == MethodByHand {
		return payment.ReasonByHand
	}
	return notice.ReasonInquired
}

// An inquiryBody is the body of a notice that was learnt by asking, or of a person.
type inquiryBody struct {
	Order       string               `json:"order,omitempty"`
	PGTx        string               `json:"pgTx,omitempty"`
	Deposit     string               `json:"deposit,omitempty"`
	Amount      payment.Money        `json:"amount"`
	Account     string               `json:"account,omitempty"`
	Bank        payment.Bank         `json:"bank,omitempty"`
	Depositor   string               `json:"depositor,omitempty"`
	At          time.Time            `json:"at,omitzero"`
	CashReceipt *payment.CashReceipt `json:"cashReceipt,omitempty"`
	ByHand      *payment.HandDeposit `json:"byHand,omitempty"`
}

// Learnt is the notice of a deposit that the PG told of when it was asked about
// an attempt: settled like any other, it applies what no notice told, and is a
// Duplicate of one that came. It reports fault.Invalid unless the standing says
// that the money is there, or was before it went back, and how much it was.
func Learnt(c merchant.Channel, t payment.Transaction, s payment.Standing, at time.Time) (notice.Inbound, error) {
	if !came(t, s) {
		return notice.Inbound{}, fault.Errorf(fault.Invalid, "the PG told of no deposit")
	}
	a := inquiryBody{
		Order: t.Order, PGTx: t.PGTx, Deposit: s.Deposit, Amount: s.Amount, Account: s.Account.Number.Reveal(),
		Bank: s.Account.Bank, Depositor: s.Depositor, At: s.PaidAt, CashReceipt: s.CashReceipt,
	}
	if a.Account == "" && t.Account != nil {
		a.Account, a.Bank = t.Account.Number.Reveal(), t.Account.Bank
	}
	b, err := json.Marshal(a)
	if err != nil {
		return notice.Inbound{}, err
	}
	return notice.Inbound{
		ID: notice.ID(newID()), At: at, Provider: c.Provider, Channels: []merchant.ChannelKey{c.Key},
		Request: notice.Request{Method: MethodInquiry, Body: b}, Notice: a.notice(),
	}, nil
}

// came reports whether a standing tells of money and its sum. Once some of it went back,
// what was asked for is the sum, unless the account takes any.
func came(t payment.Transaction, s payment.Standing) bool {
	var back int64
	for _, c := range s.Cancellations {
		back += c.Amount.Amount
	}
	switch s.State {
	case payment.Paid:
		return s.HasAmount
	case payment.PartiallyCancelled, payment.Cancelled:
	default:
		return false
	}
	switch {
	case !s.HasAmount, t.Account != nil && t.Account.Type == payment.FixedUnlimited, back > s.Amount.Amount:
		return false
	case s.Lists || s.State == payment.PartiallyCancelled:
		return (back == s.Amount.Amount) == (s.State == payment.Cancelled)
	}
	return true
}

func (a inquiryBody) notice() notice.Notice {
	n := notice.Notice{Order: a.Order, Kind: MethodInquiry}
	n.Report = payment.Report{
		Event: payment.EventDeposited, Key: "inquiry/" + a.PGTx + "/" + a.Order + "/" + a.Deposit, Deposit: a.Deposit,
		Amount: a.Amount, HasAmount: true, Account: secret.Account(a.Account), Bank: a.Bank, Depositor: a.Depositor,
		At: a.At, PGTx: a.PGTx, CashReceipt: a.CashReceipt, Learnt: true,
	}
	if a.ByHand != nil {
		n.Kind, n.Learnt, n.ByHand = MethodByHand, false, a.ByHand
		n.Key = payment.Shorten("byhand/" + a.Deposit)
	}
	return n
}

// decodeAny reads a PG's notice, or one that was learnt by asking.
func decodeAny(p module, r notice.Request, at time.Time) (notice.Notice, error) {
	if !learnt(r) {
		return decode(p, r, at)
	}
	var a inquiryBody
	if err := json.Unmarshal(r.Body, &a); err != nil {
		return notice.Notice{}, fault.Errorf(fault.Invalid, "the PG's answer is not kept as it should be")
	}
	return a.notice(), nil
}

// Read reads what a notice's bytes say, as they are read when it comes: a PG's, or one that
// was made here. It reports fault.Invalid for what p does not understand.
func Read(p provider.Provider, r notice.Request, came time.Time) (notice.Notice, error) {
	return decodeAny(module{p, p.Info()}, r, came)
}

// MadeHere reports whether no PG sent a notice: see MethodInquiry and MethodByHand.
func MadeHere(r notice.Request) bool { return learnt(r) }

// Outcome is what a PG hears of a verdict.
func Outcome(v payment.Verdict) provider.Outcome { return outcome(v) }
