package nice

import (
	"net/url"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// A form is a notice of form A. Its fields are taken out one by one; what is
// left becomes Notice.Fields.
type form struct {
	rest  wire.Fields
	read  string      // as Notice.Charset
	proof secret.Text // MerchantKey; empty if it was left out
}

// settling are the fields that a payment is moved by. Two of one name would
// let two readers see two notices.
var settling = []string{
	"PayMethod", "MID", "Amt", "TID", "MOID", "Moid", "AuthDate", "ResultCode", "StateCd",
	"VbankNum", "CancelDate",
}

// parseForm takes a body apart. Its text is EUC-KR, or UTF-8 if the bytes say
// so: a name is never misread for the other. It reports fault.Invalid if this
// is not a notice of NICE's: it must say what happened and to what.
func parseForm(body []byte) (form, error) {
	parsed, err := wire.ParseForm(body)
	if err != nil {
		return form{}, err
	}
	values, err := parsed.Read(wire.Detect, settling...)
	if err != nil {
		return form{}, err
	}
	f := form{rest: values.Fields(), read: values.Charset()}
	if err := f.takeProof(parsed, values); err != nil {
		return form{}, err
	}
	if f.rest["PayMethod"] == "" && f.rest["ResultCode"] == "" {
		return form{}, fault.Errorf(fault.Invalid, "not a notice of NICE: neither PayMethod nor ResultCode")
	}
	if f.rest["TID"] == "" && f.rest["MOID"] == "" && f.rest["Moid"] == "" && f.rest["VbankNum"] == "" {
		return form{}, fault.Errorf(fault.Invalid, "not a notice of NICE: none of TID, MOID and VbankNum")
	}
	return f, nil
}

// takeProof takes the merchant's key out of the form, however its name is
// spelt, so that it is never kept among the fields.
func (f *form) takeProof(parsed wire.Form, values wire.Values) error {
	seen := false
	for _, name := range values.Keys() {
		if !strings.EqualFold(name, "MerchantKey") {
			continue
		}
		if seen || values.Duplicated(name) {
			return fault.Errorf(fault.Invalid, "form has MerchantKey more than once")
		}
		seen = true
		// The key is base64: a space in it is a plus sign that its sender
		// forgot to escape.
		raw := string(parsed.Bytes(name))
		if strings.TrimSpace(raw) != "" {
			f.proof = secret.Text(strings.ReplaceAll(raw, " ", "+"))
		}
		delete(f.rest, name)
	}
	return nil
}

// notice says what the form means.
func (f form) notice() (notice.Notice, error) {
	var n notice.Notice
	won, told, err := f.rest.TakeAmount("Amt")
	if err != nil {
		return notice.Notice{}, err
	}
	if told {
		n.Amount, n.HasAmount = payment.Won(won), true
	}
	n.Proof, n.Charset = f.proof, f.read
	n.Merchant, n.PGTx, n.Kind = f.rest.Take("MID"), f.rest.Take("TID"), f.rest.Take("ResultCode")
	if n.Order = f.rest.Take("MOID"); n.Order == "" {
		n.Order = f.rest.Take("Moid")
	}
	n.Event, n.Listed = f.event(n.Kind)
	n.OtherMethod = !f.isAccount() // before the account is taken, which may be all that says so
	f.takeAccount(&n)
	f.name(&n)
	f.takeTime(&n)
	f.takeReceipt(&n)
	n.Fields = f.rest.Rest(withheld...)
	return n, nil
}

// isAccount reports whether the form is about a virtual account. Any field may
// be missing, PayMethod too.
func (f form) isAccount() bool {
	method := f.rest["PayMethod"]
	return strings.EqualFold(method, "VBANK") || method == "" && f.rest["VbankNum"] != ""
}

// event says what happened, and whether a person should look at it.
func (f form) event(code string) (e payment.Event, listed bool) {
	state := f.rest["StateCd"]
	cancelled := state == "1" || state == "2" || wire.Given(f.rest["CancelDate"]) || code == "2001" || code == "2211"
	approved := state == "" || state == "0"
	if !f.isAccount() {
		return otherMethod(code, approved, cancelled)
	}
	if !movesAccount(code) {
		// 4122 other amount, 4123 deposit refused and sent back, 4124 processed
		// before, and codes nobody told us of. None says that a payment
		// changed, whatever the other fields hold.
		return payment.EventOther, true
	}
	switch {
	case cancelled:
		return payment.EventCancelled, false
	case !approved:
	case code == "4110":
		return payment.EventDeposited, false
	case code == "4100", code == "4120": // 4120: a fixed account (과오납) was registered
		return payment.EventIssued, false
	}
	return payment.EventOther, true
}

// movesAccount reports whether a virtual account's notice with that code may
// change a payment.
func movesAccount(code string) bool {
	switch code {
	case "4110", "4100", "4120", "2001", "2211", "":
		return true
	}
	return false
}

// otherMethod is the event of a card, transfer, phone or cash receipt row.
func otherMethod(code string, approved, cancelled bool) (payment.Event, bool) {
	switch code {
	case "3001", "4000", "A000", "2001", "2211":
		if cancelled {
			return payment.EventCancelled, false
		}
		if approved {
			return payment.EventApproved, false
		}
	case "4110", "4100", "4120", "4122", "4123", "4124":
		return payment.EventOther, true // a virtual account's code on another method
	}
	return payment.EventOther, false
}

func (f form) takeAccount(n *notice.Notice) {
	if !f.isAccount() {
		return // FnCd is then a card's code
	}
	n.BankCode, n.BankName = f.rest.Take("FnCd"), f.rest.Take("VbankName")
	n.Bank = payment.BankByCode(n.BankCode)
	if n.BankName == "" {
		n.BankName = f.rest.Take("FnName")
	}
	n.Depositor = f.rest.Take("VbankInputName")
	n.Account = secret.Account(wire.PlainAccount(f.rest.Take("VbankNum")))
}

// name gives the message and the money their names. CancelDate is part of the
// message's, since a cancel may repeat the code and date of its deposit.
func (f form) name(n *notice.Notice) {
	amount := ""
	if n.HasAmount {
		amount = n.Amount.String()
	}
	tid := identity(n.PGTx, n.Merchant, n.Order, n.Account.Reveal(), amount)
	date := f.rest["AuthDate"]
	n.Key = strings.Join([]string{tid, n.Kind, date, f.rest["StateCd"]}, "/")
	if c := f.rest["CancelDate"]; wire.Given(c) {
		n.Key += "/" + c
	}
	if movesAccount(n.Kind) && (n.OtherMethod || n.Event == payment.EventOther) {
		// What moves nothing must not occupy the key of what does.
		n.Key += "/other/" + url.PathEscape(f.rest["PayMethod"])
	}
	if n.Event == payment.EventDeposited && n.PGTx != "" && date != "" {
		n.Deposit = n.PGTx + "/" + date
	}
}

// takeTime reads when it happened. A date that cannot be read stays among the
// fields.
func (f form) takeTime(n *notice.Notice) {
	name := "AuthDate"
	if n.Event == payment.EventCancelled {
		name = "CancelDate"
	}
	n.At = f.rest.TakeTime(wire.EitherTime, name)
}

// takeReceipt reads the cash receipt, if one was issued. Its kind alone only
// says that the buyer asked for one.
func (f form) takeReceipt(n *notice.Notice) {
	number := f.rest["RcptAuthCode"]
	if number == "" {
		number = f.rest["RcptTID"]
	}
	if !wire.Given(number) {
		return
	}
	kind := f.rest["RcptType"]
	if kind == "" {
		kind = f.rest["ReceitType"]
	}
	n.CashReceipt = &payment.CashReceipt{Number: number, Type: receiptTypes[kind]}
}
