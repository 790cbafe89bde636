package settle

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// outStatCd: how it stands.
const (
	statusDone    = "0021" // 성공
	statusWaiting = "0051" // 가상계좌 입금대기중
	statusFailed  = "0031" // 실패; documented for the API's answers, not for notices
)

// bizType: what it is about.
const (
	bizIssued    = "A0" // 채번
	bizClosed    = "A2" // 채번취소
	bizIssued010 = "A4" // 010가상계좌 채번
	bizApproved  = "B0" // 승인, of other methods
	bizDeposit   = "B1" // 입금통보
	bizRefund    = "C0" // 환불; of other methods 취소
)

// cnclType: how much of it goes back.
const (
	cancelAll  = "00"
	cancelPart = "10"
)

const (
	methodAccount = "VA"
	methodCard    = "CA"
)

// noOrder is the order number of every deposit on an account without limit
// (document, 15.6).
const noOrder = "0000000"

// Decode reads a notice. It reports fault.Invalid if the body is no form in
// either charset, if it does not say what happened to what, if the amount is
// not a number, or if a field that decides is told twice.
func (module) Decode(r notice.Request) (notice.Notice, error) {
	f, err := parseForm(r.Body)
	if err != nil {
		return notice.Notice{}, fmt.Errorf("settle notice: %w", err)
	}
	n, err := f.notice()
	if err != nil {
		return notice.Notice{}, fmt.Errorf("settle notice: %w", err)
	}
	return n, nil
}

// notice says what the form means.
func (f form) notice() (notice.Notice, error) {
	n := notice.Notice{Form: f.name, Proof: f.proof, Charset: f.read}
	n.OtherMethod = !f.isAccount()
	n.Event, n.Listed = f.event()
	n.Merchant, n.Kind = f.Take("mchtId"), f.Take("bizType")
	n.Closes = n.Event == payment.EventCancelled && n.Kind == bizClosed
	switch n.Order = f.Take("mchtTrdNo"); {
	case n.Order == noOrder:
		n.Order = ""
	case n.Kind == bizClosed || n.Kind == bizRefund:
		n.Order = orderOf(n.Order) // the number may be the request's own
	}
	won, told, err := f.TakeAmount("trdAmt")
	if err != nil {
		return notice.Notice{}, err
	}
	if told {
		n.Amount, n.HasAmount = payment.Won(won), true
	}
	f.takeAccount(&n)
	f.takeNames(&n)
	n.At = f.TakeTime(wire.Time, "trdDtm")
	if number := f.Fields["csrcIssNo"]; wire.Given(number) {
		n.CashReceipt = &payment.CashReceipt{Number: f.Take("csrcIssNo")}
	}
	n.Fields = f.Rest(withheld[:]...)
	return n, nil
}

// event says what happened, and whether a person should look at it. Neither
// outStatCd nor bizType is believed alone.
func (f form) event() (e payment.Event, listed bool) {
	status, biz := f.Fields["outStatCd"], f.Fields["bizType"]
	if !f.isAccount() {
		return f.otherMethod(status, biz)
	}
	switch {
	case status == statusWaiting && (biz == bizIssued || biz == bizIssued010 || biz == ""):
		return payment.EventIssued, false // 0051 has no other meaning, and moves no money
	case status != statusDone:
	case biz == bizDeposit:
		return payment.EventDeposited, false
	case biz == bizClosed:
		return payment.EventCancelled, false
	case biz == bizRefund:
		return f.cancelEvent()
	}
	return payment.EventOther, true
}

// cancelEvent is how much is cancelled. A cancel that does not say it is one
// of its amount: if that is all there is, it ends the payment as well.
func (f form) cancelEvent() (e payment.Event, listed bool) {
	switch f.Fields["cnclType"] {
	case cancelAll:
		return payment.EventCancelled, false
	case cancelPart:
		return payment.EventPartiallyCancelled, false
	case "":
		return payment.EventPartiallyCancelled, true
	}
	return payment.EventOther, true
}

// otherMethod is the event of a card, transfer or phone payment.
func (f form) otherMethod(status, biz string) (e payment.Event, listed bool) {
	switch {
	case status != statusDone:
	case biz == bizApproved:
		return payment.EventApproved, false
	case biz == bizRefund:
		return f.cancelEvent()
	case biz == bizDeposit || biz == bizClosed:
		return payment.EventOther, true // an account's word on another method
	}
	return payment.EventOther, false
}

// takeAccount reads the virtual account. A bank that another method names is
// left among the fields. So is AcntPrintNm: it is what the payer's passbook
// shows, which need not be the account's holder.
func (f form) takeAccount(n *notice.Notice) {
	if n.OtherMethod {
		return
	}
	n.BankCode, n.BankName = f.Take("bankCd"), f.Take("bankNm")
	n.Bank = payment.BankByCode(n.BankCode)
	n.Account = secret.Account(wire.PlainAccount(f.Take("vAcntNo")))
	n.Depositor = f.Take("dpstrNm")
	n.ExpiresAt = f.TakeTime(wire.Deadline, "expireDt")
}

// takeNames gives the message, its transaction and the money their names. The
// number of a cancel is the cancel's own, and orgTrdNo is what it cancels.
func (f form) takeNames(n *notice.Notice) {
	no, method := f.Take("trdNo"), f.Fields["method"]
	switch n.Event {
	case payment.EventCancelled, payment.EventPartiallyCancelled:
		n.PGCancel, n.PGTx = no, f.Take("orgTrdNo")
	case payment.EventDeposited:
		n.PGTx, n.Deposit = no, no
	default:
		n.PGTx = no
	}
	if no == "" {
		no = f.fingerprint(*n)
	}
	parts := []string{n.Merchant, no, n.Kind, f.Fields["outStatCd"]}
	if n.Event == payment.EventOther || n.OtherMethod && n.Kind != bizApproved {
		// pktHash covers neither method nor cnclType: whoever changes them in a
		// genuine notice must not occupy the key of what moves a payment. An
		// approval has no such key.
		parts = append(parts, "other", method)
	}
	n.Key = wire.Name(parts...)
}

// fingerprint stands in for a trdNo that was left out, so that two notices
// without one are not taken for one message.
func (f form) fingerprint(n notice.Notice) string {
	amount := ""
	if n.HasAmount {
		amount = n.Amount.String()
	}
	return "none-" + wire.Digest(n.Order, n.Account.Reveal(), amount, f.Fields["trdDtm"], n.PGTx)
}

// withheld are in the stored body alone: a billing key, which charges a card,
// and what a person is known or reached by. The account of a notice about one
// has been taken.
var withheld = [...]string{"billKey", "vAcntNo", "cardNo", "phoneNoEnc", "email"}

// Verify makes pktHash again with the channel's hash_key, from the values as
// they were sent. A notice without one is refused where the channel has the
// key: Hecto leaves it out of none. The proof is read from the request, whose
// bytes are what is kept.
func (module) Verify(r notice.Request, _ notice.Notice, c merchant.Channel, _ payment.Payment) error {
	key := c.Credentials[hashKey]
	if key == "" {
		return provider.ErrUnproved
	}
	f, err := parseForm(r.Body)
	if err != nil {
		return fmt.Errorf("settle notice: %w", err)
	}
	if !secret.Text(hash(f.plain, key)).Equal(strings.ToLower(f.proof.Reveal())) {
		return fault.Errorf(fault.Unauthorized, "pktHash is not made with the channel's hash key")
	}
	return nil
}

// Ack answers "OK" or "FAIL". Hecto reads the body and documents no status for
// it; a refusal is a 400 besides, so that whatever stands in between does not
// take it for success.
func (module) Ack(_ notice.Request, o provider.Outcome) provider.Reply {
	const contentType = "text/plain;charset=utf-8" // the document asks for none
	if o == provider.Received {
		return provider.Reply{Status: http.StatusOK, ContentType: contentType, Body: []byte("OK")}
	}
	return provider.Reply{Status: http.StatusBadRequest, ContentType: contentType, Body: []byte("FAIL")}
}
