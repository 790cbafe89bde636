package inicis

import (
	"net/url"
	"strings"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// The words of P_STATUS, and the P_TYPE of virtual accounts.
const (
	statusDone    = "00" // issued or approved; with an account: no money yet
	statusFailed  = "01"
	statusDeposit = "02"
	typeAccount   = "VBANK"
)

func decodeB(form wire.Form) (notice.Notice, error) {
	r, err := read(form, "P_STATUS", "P_TID", "P_TYPE", "P_MID", "P_OID",
		"P_AMT", "P_AUTH_DT", "P_RMESG1", "P_IN_TID")
	if err != nil {
		return notice.Notice{}, err
	}
	n := notice.Notice{Form: formB, Charset: r.Charset()}
	if n.Amount, n.HasAmount, err = r.takeWon("P_AMT"); err != nil {
		return notice.Notice{}, err
	}
	n.Merchant, n.Order, n.PGTx = r.Take("P_MID"), r.Take("P_OID"), r.Take("P_TID")
	left := r.accountB(&n)
	r.tellB(&n)
	if r.isAccount(n) {
		n.BankCode, n.BankName = wire.ShortCode(r.Take("P_FN_CD1")), r.Take("P_FN_NM")
		n.Bank = bankOf(n.BankCode)
	}
	n.At = r.TakeTime(wire.EitherTime, "P_AUTH_DT")
	n.CashReceipt = r.receiptB()
	// P_UNAME, who ordered, stays here: it is not who paid.
	n.Fields = r.Rest(withheld[:]...)
	if left != "" {
		n.Fields["P_RMESG1"] = left
	}
	return n, nil
}

// withheld are in the stored body alone: numbers of cards and phones, and
// addresses. Inferred: notices of other methods call them what the answers to
// payments do.
var withheld = [...]string{"P_CARD_NUM", "P_HPP_NUM", "P_MOBILE", "P_EMAIL"}

// isAccount reports whether the notice is about a virtual account. For other
// methods P_FN_CD1 is the code of a card company, not of a bank.
func (r reader) isAccount(n notice.Notice) bool {
	return strings.EqualFold(r.Get("P_TYPE"), typeAccount) || n.Account != ""
}

// tellB fills in what happened and what names it.
func (r reader) tellB(n *notice.Notice) {
	status, method, deposit := r.Get("P_STATUS"), r.Get("P_TYPE"), r.Get("P_IN_TID")
	if method != "" && !strings.EqualFold(method, typeAccount) {
		n.Kind = r.Take("P_TYPE")
	} else {
		n.Kind = r.Take("P_STATUS")
	}
	// P_TID is the same in the notices of issue and deposit, so the status is
	// part of the name; P_IN_TID, which only INIpay PRO sends, tells the
	// deposits of one account apart, and without it the time of the deposit.
	n.Key = key(n.Merchant, n.PGTx, status, n.Order, n.Account.Reveal(), r.Get("P_AMT"), r.Get("P_AUTH_DT"))
	switch {
	case deposit != "":
		n.Key += "/" + url.PathEscape(deposit)
	case status == statusDeposit && n.PGTx != "":
		n.Key += "/" + url.PathEscape(r.Get("P_AUTH_DT"))
	}
	n.OtherMethod = method != "" && !r.isAccount(*n)
	switch {
	case status == statusDone && r.isAccount(*n):
		n.Event = payment.EventIssued
	case status == statusDone && method != "":
		n.Event = payment.EventApproved
	case status == statusDeposit && (method == "" || r.isAccount(*n)):
		n.Event, n.Deposit = payment.EventDeposited, r.Take("P_IN_TID")
	case status == statusFailed:
		n.Event = payment.EventFailed
	default:
		n.Event, n.Listed = payment.EventOther, true
	}
	if status != statusFailed && (n.OtherMethod || n.Event == payment.EventOther) {
		// What moves nothing must not occupy the key of what does.
		n.Key += "/other/" + url.PathEscape(method)
	}
}

// accountB reads P_RMESG1, for accounts "P_VACCT_NO=…|P_EXP_DT=…", and returns
// what of it was not understood: for failures it is a message.
func (r reader) accountB(n *notice.Notice) (left string) {
	var others []string
	for part := range strings.SplitSeq(r.Take("P_RMESG1"), "|") {
		name, value, _ := strings.Cut(part, "=")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(name) {
		case "P_VACCT_NO":
			n.Account = secret.Account(wire.PlainAccount(value))
		case "P_EXP_DT":
			at, err := wire.Deadline(value)
			if err != nil && value != "" {
				others = append(others, part)
			}
			n.ExpiresAt = at
		default:
			others = append(others, part)
		}
	}
	return strings.Trim(strings.Join(others, "|"), "|")
}

// receiptTypes are the words of P_CSHR_TYPE in PortOne's.
var receiptTypes = map[string]string{"0": "PERSONAL", "1": "CORPORATE"}

func (r reader) receiptB() *payment.CashReceipt {
	if r.Get("P_CSHR_AUTH_NO") == "" {
		return nil
	}
	c := &payment.CashReceipt{Number: r.Take("P_CSHR_AUTH_NO")}
	if t, ok := receiptTypes[r.Get("P_CSHR_TYPE")]; ok {
		r.Take("P_CSHR_TYPE")
		c.Type = t
	}
	c.At = r.TakeTime(wire.EitherTime, "P_CSHR_DT")
	return c
}
