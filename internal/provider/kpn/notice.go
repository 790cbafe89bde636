package kpn

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// The values of ReplyCode that have a meaning of their own.
const (
	codeDeposited = "00003000" // 입금
	codeReversed  = "00003100" // 입금취소
	codeIssued    = "00004000" // 채번
)

// smodeAccount is the Smode of a virtual account.
const smodeAccount = "2601"

// otherSmodes are the other methods that a DBPATH sample names: card, transfer,
// phone, ARS, book voucher, several at once, and cash receipt.
var otherSmodes = [...]string{
	"3001", "3005", "3007", "2500", "2501", "2201", "2401", "6101", "8801", "5101", "5301", "0001",
}

// The forms of a notice, as Notice.Form names them; empty is the six fields in
// UTF-8.
const (
	formEUCKR = "euc-kr" // the six fields, with text that is not UTF-8
	formOld   = "dbpath" // the form before that, in either charset
)

// eventOf says what a notice means, and whether a person has to see it.
func eventOf(code, smode string) (e payment.Event, listed bool) {
	if isOther(smode) {
		return payment.EventOther, !slices.Contains(otherSmodes[:], smode)
	}
	switch code {
	case codeDeposited:
		return payment.EventDeposited, false
	case codeReversed:
		return payment.EventReversed, false
	case codeIssued:
		return payment.EventIssued, false
	}
	return payment.EventOther, true
}

// isOther reports whether a notice with that Smode is about another method
// than a virtual account. The newer form has none.
func isOther(smode string) bool { return smode != "" && smode != smodeAccount }

// Decode reads a notice. It reports fault.Invalid if the body is no form in
// UTF-8 or CP949, if it bears none of KPN's marks, if the amount is not a
// number, or if a field that decides is told twice.
func (module) Decode(r notice.Request) (notice.Notice, error) {
	f, err := parse(r.Body)
	if err != nil {
		return notice.Notice{}, fmt.Errorf("kpn notice: %w", err)
	}
	n, err := f.notice()
	if err != nil {
		return notice.Notice{}, fmt.Errorf("kpn notice: %w", err)
	}
	return n, nil
}

// A form is a notice taken apart. Its fields are taken out one by one; what is
// left becomes Notice.Fields.
type form struct {
	wire.Fields
	kind string // Notice.Form
	read string // Notice.Charset
	echo echo
}

// deciding are the fields that say whose money it is and how much, besides the
// hashes. Two values for one of them could be read differently by two readers.
var deciding = [...]string{"MxIssueNO", "MxIssueDate", "Amount", "ReplyCode", "Smode", "TxNO", "vactno"}

func parse(body []byte) (form, error) {
	parsed, err := wire.ParseForm(body)
	if err != nil {
		return form{}, err
	}
	charset, _ := parsed.Charset()
	v, err := parsed.Read(charset, deciding[:]...)
	if err != nil {
		return form{}, err
	}
	f := form{Fields: v.Fields(), read: v.Charset()}
	if charset == wire.EUCKR {
		f.kind = formEUCKR
	}
	if err := f.takeHash(v); err != nil {
		return form{}, err
	}
	if !v.Has("MxIssueNO") && !v.Has("MxIssueDate") && !f.echo.there {
		return form{}, fault.Errorf(fault.Invalid, "the form has neither MxIssueNO nor MxIssueDate nor a hash")
	}
	if v.Get("MxIssueNO") == "" && v.Get("TxNO") == "" {
		return form{}, fault.Errorf(fault.Invalid, "the form names no order or transaction")
	}
	return f, nil
}

// takeHash takes the hashes out of the form, however their names are spelt, so
// that they are never kept among the fields: whoever has one can forge notices
// of its order. An MxOTP, which no notice should have, goes with them.
func (f *form) takeHash(v wire.Values) error {
	f.echo = echo{order: v.Get("MxIssueNO"), date: v.Get("MxIssueDate"), amount: v.Get("Amount")}
	var strong, weak []string
	for _, name := range v.Keys() {
		switch strings.ToLower(name) {
		case "mxhash256":
			strong = append(strong, v.Get(name))
		case "mxhash":
			weak = append(weak, v.Get(name))
		case "mxotp":
		default:
			continue
		}
		if v.Duplicated(name) {
			return fault.Errorf(fault.Invalid, "%s is told twice", strings.ToLower(name))
		}
		f.Take(name)
	}
	if len(strong) > 1 || len(weak) > 1 {
		return fault.Errorf(fault.Invalid, "a hash is told twice")
	}
	switch {
	case len(strong) == 1:
		f.echo.hash, f.echo.there = secret.Text(strings.ToLower(strong[0])), true
	case len(weak) == 1:
		f.echo.hash, f.echo.there, f.echo.old = secret.Text(strings.ToLower(weak[0])), true, true
	}
	if f.echo.old || !f.echo.there && (v.Has("Smode") || v.Has("TxNO")) {
		f.kind = formOld
	}
	return nil
}

// notice says what the form means.
func (f *form) notice() (notice.Notice, error) {
	n := notice.Notice{
		Kind: f.Take("ReplyCode"), Order: f.Take("MxIssueNO"), Form: f.kind, Proof: f.echo.hash, Charset: f.read,
	}
	smode := f.Fields["Smode"]
	n.Event, n.Listed = eventOf(n.Kind, smode)
	n.OtherMethod = isOther(smode)
	if n.Order == "" {
		// No hash covers TxNO: beside an order it names nothing.
		n.PGTx = f.Take("TxNO")
	}
	n.Account = secret.Account(wire.PlainAccount(f.Take("vactno")))
	won, told, err := f.TakeAmount("Amount")
	if err != nil {
		return notice.Notice{}, err
	}
	if told {
		n.Amount, n.HasAmount = payment.Won(won), true
	}
	f.name(&n, smode)
	if n.Event == payment.EventIssued && len(wire.Digits(f.Fields["ReplyMessage"])) >= shortestAccount {
		// Observed: a shop of the DBPATH era showed the ReplyMessage of an
		// issue as the account to pay to. Its form is unknown, so it is not
		// read, but fields are shown in clear and account numbers are not.
		f.Take("ReplyMessage")
	}
	n.Fields = f.Fields
	return n, nil
}

// shortestAccount is the number of digits from which on a text may hold an
// account number.
const shortestAccount = 8

// name gives the message and the money their names. Other methods share the
// codes, so theirs are told apart: a cash receipt must not stand for the
// deposit of its order.
func (f *form) name(n *notice.Notice, smode string) {
	date, tx := f.Fields["MxIssueDate"], n.PGTx+f.Fields["TxNO"] // one of them is empty
	parts := []string{n.Order, date, n.Kind}
	if n.OtherMethod {
		parts = append(parts, smode, tx)
	}
	if n.Order == "" || date == "" {
		// What should name the message is missing: the rest tells it apart.
		parts = append(parts, wire.Digest(tx, n.Account.Reveal(), n.Amount.String())[:16])
	}
	n.Key = wire.Name(parts...)
	switch n.Event {
	case payment.EventDeposited, payment.EventReversed:
		if request := f.echo.request(); n.Order != "" && request != "" {
			n.Deposit = wire.Name(n.Order, request)
		}
	default:
	}
}

// Verify looks whether the echoed hash is the one that the channel's MxID and
// MxOTP make of the notice's order, date and amount, or the one that was
// registered with the payment for this order (pgSecret). The first covers the
// notice's own fields, and does not hold if others would have the same hash.
// The second covers the order alone; it stays right when the MxOTP has changed
// since, and is all there is where the merchant keeps its MxOTP to itself.
// Neither covers ReplyCode. A notice that lacks one of the fields, or whose
// date is not one to the second, is never proved.
func (module) Verify(r notice.Request, _ notice.Notice, c merchant.Channel, p payment.Payment) error {
	f, err := parse(r.Body)
	if err != nil {
		return err
	}
	known, whole := c.MID != "" && c.Credentials[mxOTP] != "", f.echo.whole()
	holds := known && whole && f.echo.isMadeWith(secret.Text(c.MID), c.Credentials[mxOTP])
	for _, t := range p.Transactions {
		if t.Channel != c.Key || t.Secret == "" {
			continue
		}
		known = true // who leaves the order out is not excused from its hash
		holds = whole && t.Order == f.echo.order && f.echo.is(t.Secret) || holds
	}
	switch {
	case !known:
		return provider.ErrUnproved
	case !holds:
		return fault.Errorf(fault.Unauthorized, "the hash is not that of the merchant's request")
	}
	return nil
}

// The two answers of KPN's samples.
const (
	ackStored = "ACK=200OKOK"
	ackFailed = "ACK=400FAIL"
)

// Ack returns ACK=200OKOK, or ACK=400FAIL for a refusal. KPN reads the body
// and is not known to want any status for a failure, so a refusal has 400
// besides: whatever stands in between shall not take it for success. The type
// is what the servers of KPN's samples send; it is not looked at.
func (module) Ack(_ notice.Request, o provider.Outcome) provider.Reply {
	status, body := http.StatusBadRequest, ackFailed
	if o == provider.Received {
		status, body = http.StatusOK, ackStored
	}
	return provider.Reply{Status: status, ContentType: "text/html", Body: []byte(body)}
}
