package smartro

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// The wire formats, as Notice.Form names them. 신통보 in UTF-8 leaves it empty.
const (
	formEUCKR    = "euc-kr"     // 신통보 in EUC-KR
	formOld      = "old"        // 구통보 in UTF-8
	formOldEUCKR = "old-euc-kr" // 구통보 in EUC-KR
)

// Result codes (the PG's sample receivers of 2017 and 2018).
const (
	codeIssued    = "4100"
	codeDeposited = "4110"
	codeCancelled = "2001"
	codeRefunded  = "2211"
)

// Decode reads a notice. It reports fault.Invalid if the body is no form in one
// of Smartro's charsets, if it does not say what happened and to what, if an
// amount is not a number, or if a field that decides has two values.
func (module) Decode(r notice.Request) (notice.Notice, error) {
	f, err := parseForm(r.Body)
	if err != nil {
		return notice.Notice{}, fmt.Errorf("smartro notice: %w", err)
	}
	n := notice.Notice{Proof: f.sign, Form: f.wireForm(), Charset: f.read}
	if amt := f.take("Amt"); amt != "" {
		won, err := wire.Amount(amt)
		if err != nil {
			return notice.Notice{}, fmt.Errorf("smartro notice: Amt: %w", err)
		}
		n.Amount, n.HasAmount = payment.Won(won), true
	}
	f.fill(&n)
	return n, nil
}

// wireForm names the form's type and charset.
func (f form) wireForm() string {
	switch old := f.isOld(); {
	case old && f.euckr:
		return formOldEUCKR
	case old:
		return formOld
	case f.euckr:
		return formEUCKR
	}
	return ""
}

// fill says what the form means. Nothing here can go wrong any more.
func (f form) fill(n *notice.Notice) {
	method, state := f.get("PayMethod"), f.get("StateCd")
	n.Kind = f.take("ResultCode")
	account := isAccount(method, n.Kind, f.get("VbankNum"))
	n.Event, n.Listed = eventOf(account, method, n.Kind, state)
	if n.Event == payment.EventCancelled {
		f.tellSum(n)
	}
	n.OtherMethod = !account
	// An issue that was cancelled: there was nothing but the account.
	n.Closes = account && n.Event == payment.EventCancelled && n.Kind == codeIssued
	n.Merchant, n.Order = f.take("Mid"), f.take("Moid")
	if account { // else FnCd is a card company's
		n.BankCode, n.BankName = f.take("FnCd"), f.take("VbankName")
		n.Bank = payment.BankByCode(n.BankCode)
		n.Account = secret.Account(wire.PlainAccount(f.take("VbankNum")))
	}
	date := f.get("AuthDate")
	if at, err := wire.EitherTime(date); err == nil {
		n.At, date = at, short(at) // in names it is the same in either length
		f.take("AuthDate")
	}
	f.name(n, date, state)
	f.takeFields(n)
}

// isAccount reports whether a notice is about a virtual account. Any field may
// be missing, PayMethod too; and what row 환불 writes there is unknown.
func isAccount(method, code, account string) bool {
	switch strings.ToUpper(method) {
	case "VBANK":
		return true
	case "CARD", "BANK", "CELLPHONE", "CASHRCPT":
		return false
	case "":
		return account != "" || code == codeRefunded
	}
	return code == codeRefunded
}

// eventOf says what happened, and whether a person should look at it.
func eventOf(account bool, method, code, state string) (e payment.Event, listed bool) {
	cancelled := state == "1" || state == "2"
	if !account {
		return otherMethod(method, code, state)
	}
	if !cancelled && state != "" && state != "0" {
		return payment.EventOther, true
	}
	switch code {
	case codeRefunded:
		// Whichever state it has: a refund is a cancel after purchase.
		return payment.EventRefunded, false
	case codeCancelled:
		return payment.EventCancelled, false
	case codeDeposited, codeIssued, "":
		switch {
		case cancelled:
			return payment.EventCancelled, false
		case code == codeDeposited:
			return payment.EventDeposited, false
		case code == codeIssued:
			return payment.EventIssued, false
		}
	}
	// 2013, cancelled before, and codes nobody told us of. None says that a
	// payment changed, whatever the state is.
	return payment.EventOther, true
}

// otherMethod is the event of a card, transfer, phone or cash receipt row.
func otherMethod(method, code, state string) (payment.Event, bool) {
	if strings.EqualFold(method, "CASHRCPT") {
		return payment.EventOther, false // a receipt's cancel is not the payment's
	}
	switch code {
	case codeCancelled, codeRefunded:
		return payment.EventCancelled, false
	case "3001", "4000", "A000": // card, transfer, phone
		switch state {
		case "", "0":
			return payment.EventApproved, false
		case "1", "2":
			return payment.EventCancelled, false
		}
	case codeIssued, codeDeposited:
		return payment.EventOther, true // an account's code on another method
	}
	return payment.EventOther, false
}

// partialCode says whether a cancel is of a part, and partialAmount of how much.
// Inferred: the module's API calls them so in requests for cancels, where the
// code is 1 for a part.
const (
	partialCode   = "PartialCancelCode"
	partialAmount = "CancelAmt"
)

// tellSum says how much a cancel gives back. One that does not call itself one
// of a part stays one of all, but with its own sum where that is not Amt: what
// takes back less than was paid must not pass for all of it.
func (f form) tellSum(n *notice.Notice) {
	told := f.get(partialAmount)
	switch {
	case f.get(partialCode) == "1":
		f.tellPart(n)
	case wire.Given(told):
		won, err := wire.Amount(told)
		if err != nil {
			n.Listed = true // a person reads it among the fields
		} else if !n.HasAmount || n.Amount != payment.Won(won) {
			n.Amount, n.HasAmount = payment.Won(won), true
			f.take(partialAmount)
		}
	}
}

// tellPart makes a cancel one of a part. Whether a notice's Amt is the part or
// the payment's is not published: CancelAmt counts if it is there, and a person
// sees it either way.
func (f form) tellPart(n *notice.Notice) {
	n.Event, n.Listed = payment.EventPartiallyCancelled, true
	told := f.get(partialAmount)
	if told == "" {
		return
	}
	n.Amount, n.HasAmount = payment.Money{}, false
	if won, err := wire.Amount(told); err == nil {
		n.Amount, n.HasAmount = payment.Won(won), true
		f.take(partialAmount)
	}
}

// name gives the message and the money their names, and the payment the PG's
// ids. A cancel or refund with its original's id has its own besides.
func (f form) name(n *notice.Notice, date, state string) {
	tid, original := f.take("Tid"), f.take("OTid")
	n.PGTx = tid
	if original != "" {
		n.PGTx = original
	}
	switch n.Event {
	case payment.EventCancelled, payment.EventPartiallyCancelled, payment.EventRefunded:
		if original != "" && tid != original {
			n.PGCancel = tid
		}
	case payment.EventDeposited:
		// With its date, since a fixed account may repeat the id.
		if tid != "" && date != "" {
			n.Deposit = tid + "/" + date
		}
	default:
	}
	parts := []string{identity(tid, original, n), n.Kind, date, state}
	if n.Event == payment.EventPartiallyCancelled {
		// Several parts may share all of that.
		parts = append(parts, "part", strconv.FormatInt(n.Amount.Amount, 10), f.get("CancelSeq"))
	}
	if movesAccount(n.Kind) && (n.OtherMethod || n.Event == payment.EventOther) {
		// SignValue does not cover the method: what moves nothing must not
		// occupy the key of what does.
		parts = append(parts, "other", f.get("PayMethod"))
	}
	n.Key = wire.Name(parts...)
}

// movesAccount reports whether a virtual account's notice with that code may
// change a payment.
func movesAccount(code string) bool {
	switch code {
	case codeIssued, codeDeposited, codeCancelled, codeRefunded, "":
		return true
	}
	return false
}

// identity names a transaction: by Smartro's id, or if that is missing by a
// digest of what else tells it apart, so that two notices without an id are not
// taken for one. It is a digest because keys are shown, and an account is not.
func identity(tid, original string, n *notice.Notice) string {
	if tid != "" {
		return tid
	}
	amount := ""
	if n.HasAmount {
		amount = n.Amount.String()
	}
	return "none-" + wire.JoinedDigest(original, n.Merchant, n.Order, n.Account.Reveal(), amount)
}

// withheld are in the stored body alone: what the buyer is reached by; an
// account that a notice of another method names; BuyerAuthNum and RcptCcNo, by
// which the tax office may know the buyer; and pinNo, which may be a voucher's
// secret. Sources give the names of the last three only.
var withheld = [...]string{"BuyerTel", "BuyerEmail", "VbankNum", "BuyerAuthNum", "RcptCcNo", "pinNo"}

// takeFields keeps what is left.
func (f form) takeFields(n *notice.Notice) {
	for _, name := range withheld {
		f.take(name)
	}
	n.Fields = f.rest.Rest()
}

// Verify compares SignValue, if it came, with the ones that the channel's
// merchant_key makes; either module's will do. A notice without SignValue, or a
// channel without the key, is provider.ErrUnproved: Smartro may leave it out,
// so it is not refused for it, but nothing was proved. The proof is read from
// the request, whose bytes are what is kept.
func (module) Verify(r notice.Request, _ notice.Notice, c merchant.Channel, _ payment.Payment) error {
	f, err := parseForm(r.Body)
	if err != nil {
		return fmt.Errorf("smartro notice: %w", err)
	}
	switch {
	case f.sign == "":
		return fmt.Errorf("the notice has no SignValue: %w", provider.ErrUnproved)
	case c.Credentials[merchantKey] == "":
		return provider.ErrUnproved
	}
	now, old := signed(f.get("Tid"), f.get("ResultCode"), c.Credentials[merchantKey])
	isNow, isOld := f.sign.Equal(now), f.sign.Equal(old) // both, always
	if !isNow && !isOld {
		return fault.Errorf(fault.Unauthorized, "SignValue is not one of the channel's key")
	}
	return nil
}

// Ack answers "OK" or "FAIL". Anything without OK is a failure, and no document
// demands a status for it: a 400 besides keeps whatever stands in between from
// taking it for success.
func (module) Ack(_ notice.Request, o provider.Outcome) provider.Reply {
	status, body := http.StatusBadRequest, "FAIL"
	if o == provider.Received {
		status, body = http.StatusOK, "OK"
	}
	return provider.Reply{Status: status, ContentType: "text/html", Body: []byte(body)}
}
