package inicis

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// The words of transactionStatus. The letters and digits are v1's, as
// integrators quote the manual; the words are what clients of 2026 meet.
const (
	statusApproved  = "APPROVAL"
	statusWaiting   = "NON_DEPOSIT"
	statusPaid      = "DEPOSIT_COMPLETED"
	statusPartly    = "PART_CANCEL"
	statusCancelled = "CANCEL"
	statusRefunding = "WAITING_FOR_REFUND"
	statusRefunded  = "REFUND_COMPLETED"
	letterApproved  = "0"
	letterWaiting   = "N"
	letterPaid      = "Y"
	letterCancelled = "1"
	letterClosed    = "C" // before money came
	letterUnknown   = "9" // there is no such transaction
)

const (
	typeInquiry = "inquiry"
	codeFound   = "SUCCESS"
	methodVBank = "VBank"
)

// An envelope is a request of INIAPI v2.
type envelope struct {
	MID       string          `json:"mid"`
	Type      string          `json:"type"`
	Timestamp string          `json:"timestamp"`
	ClientIP  string          `json:"clientIp"`
	Data      json.RawMessage `json:"data"` // the hash covers its very bytes
	Hash      string          `json:"hashData"`
}

// A which names a payment: by one of the two.
type which struct {
	TID   string `json:"tid,omitempty"`
	Order string `json:"oid,omitempty"`
}

// CanInquire wants an id of the payment.
func (m module) CanInquire(c merchant.Channel, q provider.Query) error {
	if q.PGTx == "" && q.Order == "" {
		return fault.Errorf(fault.Unsupported, "neither TID nor order id is known")
	}
	return ready(c)
}

// Inquire asks by TID, else by order id, which the PG answers only for merchants
// that have it refuse order ids twice (observed).
func (m module) Inquire(ctx context.Context, a provider.Access, q provider.Query) (provider.Standing, error) {
	w := which{TID: q.PGTx}
	if w.TID == "" {
		w.Order = q.Order
	}
	data, err := wire.MarshalJSON(w)
	if err != nil {
		return provider.Standing{}, err
	}
	e := envelope{MID: a.Channel.MID, Type: typeInquiry, Timestamp: stamp(a.Now), ClientIP: clientIP(a.Channel), Data: data}
	e.Hash = wire.SHA512Hex(a.Channel.Credentials[fieldKey].Reveal(), e.MID, e.Type, e.Timestamp, string(data))
	answer, err := wire.PostJSON(ctx, a.HTTP, wire.Join(a.Base(liveHost, testHost), "/v2/pg/inquiry"), http.Header{}, e)
	if err != nil {
		return provider.Standing{}, err
	}
	o, err := answered(answer, codeFound, codeDone)
	if err != nil {
		return provider.Standing{}, err
	}
	t, err := read2(o)
	if err != nil {
		return provider.Standing{}, answer.Unclear()
	}
	if t.fields["mid"] != "" && t.fields["mid"] != a.Channel.MID || w.TID != "" && t.fields["tid"] != "" && t.fields["tid"] != w.TID {
		return provider.Standing{}, fault.Errorf(fault.Unclear, "KG Inicis answered with another payment than was asked for")
	}
	return t.standing(a.Now)
}

// A transaction is the answer to an inquiry.
type transaction struct {
	fields, account wire.Fields
	parts           []wire.Fields // of what was refunded
}

func read2(o wire.Object) (transaction, error) {
	var t transaction
	var err error
	if t.account, err = inner(o["vacctInfo"]); err != nil {
		return t, err
	}
	if raw := o["partCancelTransInfo"]; len(raw) > 0 && string(raw) != "null" {
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return t, err
		}
		for _, each := range list {
			part, err := inner(each)
			if err != nil {
				return t, err
			}
			t.parts = append(t.parts, part)
		}
	}
	t.fields, err = o.TakeAll()
	return t, err
}

func inner(raw json.RawMessage) (wire.Fields, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	o, err := wire.ParseObject(raw)
	if err != nil {
		return nil, err
	}
	return o.TakeAll()
}

// paid reports whether money is told of.
func (t transaction) paid() bool {
	return wire.Given(t.account["depositDate"]) || wire.Given(t.account["depositAmount"])
}

// standing reads the answer. A state whose meaning is not certain is none:
// DEPOSIT_CANCELED may be an account that was closed, or one that a bank took
// money back from.
func (t transaction) standing(now time.Time) (provider.Standing, error) {
	s := provider.Standing{Order: t.fields["oid"], PGTx: t.fields["tid"], State: t.state()}
	switch {
	case t.fields["transactionStatus"] == letterUnknown:
		return provider.Standing{}, nil
	case s.State == "":
		return provider.Standing{}, fault.Errorf(fault.Unclear, "KG Inicis tells a state of the payment that is not understood")
	case t.fields["paymethod"] != "" && t.fields["paymethod"] != methodVBank:
		return provider.Standing{}, fault.Errorf(fault.Unclear, "KG Inicis tells of a payment that is no virtual account's")
	}
	price, err := wire.Amount(t.fields["price"])
	if err != nil {
		return provider.Standing{}, fault.Errorf(fault.Unclear, "KG Inicis tells no amount")
	}
	s.Amount, s.HasAmount = payment.Won(price), true
	t.tellAccount(&s, now)
	if s.State == payment.Issued || s.State == payment.Failed {
		return s, nil
	}
	s.PaidAt, s.Depositor = exactTime(t.account["depositDate"], t.account["depositTime"]), t.account["depositName"]
	if got := t.account["depositAmount"]; s.State == payment.Paid && wire.Given(got) {
		// What came in counts, whatever it was issued for.
		n, err := wire.Amount(got)
		if err != nil {
			return provider.Standing{}, fault.Errorf(fault.Unclear, "KG Inicis tells a deposit without an amount")
		}
		s.Amount = payment.Won(n)
	}
	if err := t.tellRefunds(&s, price); err != nil {
		return provider.Standing{}, err
	}
	return s, nil
}

func (t transaction) state() payment.State {
	switch status := t.fields["transactionStatus"]; status {
	case statusWaiting, letterWaiting:
		return payment.Issued
	case statusPaid, letterPaid:
		return payment.Paid
	case statusPartly:
		return payment.PartiallyCancelled
	case statusRefunded:
		return payment.Cancelled
	case letterClosed:
		return payment.Failed
	case statusRefunding:
		// The word does not tell how much.
		switch {
		case len(t.parts) > 0:
			return payment.PartiallyCancelled
		case t.fields["availablePartCancelPrice"] == "0":
			return payment.Cancelled
		}
	case statusApproved, letterApproved, statusCancelled, letterCancelled:
		// Other methods have these words, too: whether money came is told beside.
		if t.account == nil {
			return ""
		}
		return closedOrPaid(status == statusApproved || status == letterApproved, t.paid())
	}
	return ""
}

func closedOrPaid(stands, paid bool) payment.State {
	switch {
	case stands && paid:
		return payment.Paid
	case stands:
		return payment.Issued
	case paid:
		return payment.Cancelled
	}
	return payment.Failed
}

// tellAccount fills in the account. Its number may come masked (observed of
// accounts that wait): then it is left out.
func (t transaction) tellAccount(s *provider.Standing, now time.Time) {
	s.Account = payment.Account{
		Bank: bankOf(wire.ShortCode(t.account["bankCode"])), Type: payment.Normal, Holder: t.account["accountName"],
		IssuedAt: exactTime(t.fields["approvedDate"], t.fields["approvedTime"]),
	}
	if number := wire.PlainAccount(t.account["accountNumber"]); wire.Digits(number) == number {
		s.Account.Number = secret.Account(number)
	}
	if until, err := wire.Deadline(t.account["validDate"]); err == nil {
		s.Account.ExpiresAt = until
		s.Expired = s.State == payment.Issued && now.After(until)
	}
}

// tellRefunds fills in what went back. What a refund in parts does not account
// for went back as a whole, or with the last call.
func (t transaction) tellRefunds(s *provider.Standing, price int64) error {
	left := price
	for _, p := range t.parts {
		n, err := wire.Amount(p["requestPrice"])
		if err != nil || n > left {
			return fault.Errorf(fault.Unclear, "KG Inicis tells a refund without an amount")
		}
		left -= n
		s.Cancellations = append(s.Cancellations, provider.Cancelled{
			PGID: p["tid"], Amount: payment.Won(n), At: exactTime(p["requestDate"], p["requestTime"]),
		})
	}
	status := t.fields["transactionStatus"]
	switch s.State {
	case payment.Cancelled:
		if left == 0 {
			break
		}
		at := exactTime(t.fields["cancelDate"], t.fields["cancelTime"])
		if status == statusRefunded {
			at = exactTime(t.fields["refundDate"], t.fields["refundTime"])
		}
		s.Cancellations = append(s.Cancellations, provider.Cancelled{Amount: payment.Won(left), At: at})
	case payment.PartiallyCancelled:
		if len(t.parts) == 0 {
			return fault.Errorf(fault.Unclear, "KG Inicis tells a refund of a part, but not of which")
		}
		if left == 0 {
			s.State = payment.Cancelled
		}
	default:
		return nil
	}
	s.Refund = payment.RefundPending
	if status == statusRefunded {
		s.Refund = payment.RefundCompleted
	}
	return nil
}
