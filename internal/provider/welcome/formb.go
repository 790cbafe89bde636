package welcome

import (
	"net/url"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// The words of P_STATUS, and the P_TYPE of virtual accounts (manual, mobile
// 2.8).
const (
	statusDone    = "00" // issued or approved; with an account: no money yet
	statusFailed  = "01"
	statusDeposit = "02"
	typeAccount   = "VBANK"
)

// What P_RMESG1 says of an account.
const (
	partAccount  = "P_VACCT_NO="
	partDeadline = "P_EXP_DT="
)

func decodeB(form wire.Form) (notice.Notice, error) {
	r, err := read(form, "P_STATUS", "P_TID", "P_TYPE", "P_MID", "P_OID", "P_AMT", "P_AUTH_DT", "P_RMESG1")
	if err != nil {
		return notice.Notice{}, err
	}
	n := notice.Notice{Form: formB, Charset: r.Charset()}
	if r.utf8 {
		n.Form = formBUTF8
	}
	if n.Amount, n.HasAmount, err = r.takeWon("P_AMT"); err != nil {
		return notice.Notice{}, err
	}
	n.Merchant, n.Order, n.PGTx = r.Take("P_MID"), r.Take("P_OID"), r.Take("P_TID")
	left, err := r.accountB(&n)
	if err != nil {
		return notice.Notice{}, err
	}
	r.tellB(&n)
	if r.isAccount(n) {
		n.BankCode, n.BankName = wire.ShortCode(r.Take("P_FN_CD1")), r.Take("P_FN_NM")
		n.Bank = bankOf(n.BankCode)
	}
	n.At = r.TakeTime(exactTime, "P_AUTH_DT")
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
// methods P_FN_CD1 is the code of a card company, or part of a phone number.
func (r reader) isAccount(n notice.Notice) bool {
	return strings.EqualFold(r.Get("P_TYPE"), typeAccount) || n.Account != ""
}

// tellB fills in what happened and what names it. No field of form B names the
// deposit: form A may tell of the same money with a no_tid, and two ids would
// make two deposits of it.
func (r reader) tellB(n *notice.Notice) {
	status, method := r.Get("P_STATUS"), r.Get("P_TYPE")
	if method != "" && !strings.EqualFold(method, typeAccount) {
		n.Kind = r.Take("P_TYPE")
	} else {
		n.Kind = r.Take("P_STATUS")
	}
	n.Key = key(n.PGTx, status, n.Merchant, n.Order, n.Account.Reveal(), r.Get("P_AMT"), r.Get("P_AUTH_DT"))
	if status == statusDeposit && n.PGTx != "" {
		// P_TID may be the (inferred), so that a second deposit on the
		// account would have it too: when the money came tells them apart.
		n.Key += "/" + url.PathEscape(r.Get("P_AUTH_DT"))
	}
	n.OtherMethod = method != "" && !r.isAccount(*n)
	switch {
	case status == statusDone && r.isAccount(*n):
		n.Event = payment.EventIssued
	case status == statusDone && method != "":
		n.Event = payment.EventApproved
	case status == statusDeposit && (method == "" || r.isAccount(*n)):
		n.Event = payment.EventDeposited
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

// accountB reads P_RMESG1, for accounts P_VACCT_NO=… and P_EXP_DT=…, and
// returns what of it was not understood: for failures it is a message. The
// manual prints the two with nothing between them, where a "|" seems to have
// been lost; both are read.
func (r reader) accountB(n *notice.Notice) (left string, err error) {
	message := r.Take("P_RMESG1")
	if strings.Count(message, partAccount) > 1 {
		return "", fault.Errorf(fault.Invalid, "P_RMESG1 names two accounts")
	}
	message = strings.NewReplacer(partAccount, "|"+partAccount, partDeadline, "|"+partDeadline).Replace(message)
	var others []string
	for part := range strings.SplitSeq(message, "|") {
		part = strings.TrimSpace(part)
		if number, ok := strings.CutPrefix(part, partAccount); ok {
			n.Account = secret.Account(wire.PlainAccount(number))
			continue
		}
		if until, ok := strings.CutPrefix(part, partDeadline); ok {
			var err error
			if n.ExpiresAt, err = wire.Deadline(until); err == nil || until == "" {
				continue
			}
		}
		if part != "" {
			others = append(others, part)
		}
	}
	return strings.Join(others, "|"), nil
}

// receiptB is the cash receipt that was issued on deposit, nil if none was.
// What the words of P_CSHR_TYPE mean is not told: it stays where it is.
func (r reader) receiptB() *payment.CashReceipt {
	if r.Get("P_CSHR_AUTH_NO") == "" {
		return nil
	}
	c := &payment.CashReceipt{Number: r.Take("P_CSHR_AUTH_NO")}
	c.At = r.TakeTime(wire.Time, "P_CSHR_DT")
	return c
}
