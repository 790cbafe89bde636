package inicis

import (
	"net/url"
	"strings"
	"time"

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
	r, err := read(form, wire.Detect, "P_STATUS", "P_TID", "P_TYPE", "P_MID", "P_OID",
		"P_AMT", "P_AUTH_DT", "P_RMESG1", "P_IN_TID")
	if err != nil {
		return notice.Notice{}, err
	}
	n := notice.Notice{Form: formB}
	if n.Amount, n.HasAmount, err = r.won("P_AMT"); err != nil {
		return notice.Notice{}, err
	}
	n.Merchant, n.Order, n.PGTx = r.take("P_MID"), r.take("P_OID"), r.take("P_TID")
	left := r.accountB(&n)
	r.tellB(&n)
	if r.isAccount(n) {
		n.BankCode, n.BankName = shortCode(r.take("P_FN_CD1")), r.take("P_FN_NM")
		n.Bank = bankOf(n.BankCode)
	}
	if at, err := authTime(r.Get("P_AUTH_DT")); err == nil {
		r.take("P_AUTH_DT")
		n.At = at
	}
	n.CashReceipt = r.receiptB()
	// P_UNAME, who ordered, stays here: it is not who paid.
	n.Fields = r.rest()
	if left != "" {
		n.Fields["P_RMESG1"] = left
	}
	return n, nil
}

// isAccount reports whether the notice is about a virtual account. For other
// methods P_FN_CD1 is the code of a card company, not of a bank.
func (r reader) isAccount(n notice.Notice) bool {
	return strings.EqualFold(r.Get("P_TYPE"), typeAccount) || n.Account != ""
}

// tellB fills in what happened and what names it.
func (r reader) tellB(n *notice.Notice) {
	status, method, deposit := r.Get("P_STATUS"), r.Get("P_TYPE"), r.Get("P_IN_TID")
	n.Kind = status
	r.take("P_STATUS")
	if method != "" && !strings.EqualFold(method, typeAccount) {
		n.Kind = method
		r.taken["P_TYPE"], r.taken["P_STATUS"] = true, false
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
		n.Event, n.Deposit = payment.EventDeposited, r.take("P_IN_TID")
	case status == statusFailed:
		n.Event = payment.EventFailed
	default:
		n.Event, n.Listed = payment.EventOther, true
	}
}

// accountB reads P_RMESG1, for accounts "P_VACCT_NO=…|P_EXP_DT=…", and returns
// what of it was not understood: for failures it is a message.
func (r reader) accountB(n *notice.Notice) (left string) {
	var others []string
	for part := range strings.SplitSeq(r.take("P_RMESG1"), "|") {
		name, value, _ := strings.Cut(part, "=")
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(name) {
		case "P_VACCT_NO":
			n.Account = secret.Account(plainAccount(value))
		case "P_EXP_DT":
			if n.ExpiresAt = deadline(value); n.ExpiresAt.IsZero() && value != "" {
				others = append(others, part)
			}
		default:
			others = append(others, part)
		}
	}
	return strings.Trim(strings.Join(others, "|"), "|")
}

// deadline reads the last moment of an account: a date alone is its end.
func deadline(s string) time.Time {
	at, err := wire.Time(s)
	if err != nil {
		return time.Time{}
	}
	if len(s) == len("yyyyMMdd") {
		at = time.Date(at.Year(), at.Month(), at.Day(), 23, 59, 59, 0, wire.Seoul)
	}
	return at
}

// authTime reads P_AUTH_DT: fourteen digits, or the twelve of yyMMddHHmmss
// that some receivers quote from the manual.
func authTime(s string) (time.Time, error) {
	if len(s) == len("yyMMddHHmmss") {
		return wire.ShortTime(s)
	}
	return wire.Time(s)
}

// receiptTypes are the words of P_CSHR_TYPE in PortOne's.
var receiptTypes = map[string]string{"0": "PERSONAL", "1": "CORPORATE"}

func (r reader) receiptB() *payment.CashReceipt {
	if r.Get("P_CSHR_AUTH_NO") == "" {
		return nil
	}
	c := &payment.CashReceipt{Number: r.take("P_CSHR_AUTH_NO")}
	if t, ok := receiptTypes[r.Get("P_CSHR_TYPE")]; ok {
		r.take("P_CSHR_TYPE")
		c.Type = t
	}
	if at, err := authTime(r.Get("P_CSHR_DT")); err == nil {
		r.take("P_CSHR_DT")
		c.At = at
	}
	return c
}
