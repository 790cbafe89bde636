package daou

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// The kinds of notices (PAYMETHOD) that we know the meaning of.
const (
	kindIssued    = "VACCOUNTISSUE"
	kindDeposited = "VACCOUNT"
	kindCancelled = "VACCOUNTCANCEL"
	kindCard      = "CARD"
	kindTransfer  = "BANK"
	kindMobile    = "MOBILE"

	// kindPaidBack is the one of its family that a reseller's guide explains: a
	// card payment was cancelled after the shop had paid the money in.
	kindPaidBack = "CARD_CANCEL"
)

// eventOf says what a notice of that kind means, and whether a person should
// look at it. A VACCOUNT depends on whether it tells the time of settlement
// (settled) and an account.
func eventOf(kind string, settled, account bool) (e payment.Event, listed bool) {
	kind = strings.ToUpper(kind)
	switch kind {
	case kindIssued:
		return payment.EventIssued, false
	case kindDeposited:
		switch {
		case settled:
			return payment.EventDeposited, false
		case account:
			return payment.EventIssued, false
		}
		return payment.EventOther, true
	case kindCancelled:
		return payment.EventCancelled, false
	case kindCard, kindTransfer, kindMobile:
		return payment.EventApproved, false
	}
	return payment.EventOther, kind == "" || isAccount(kind) || strings.Contains(kind, "CANCEL")
}

// isAccount reports whether a kind is about a virtual account.
func isAccount(kind string) bool {
	return strings.HasPrefix(strings.ToUpper(kind), kindDeposited)
}

// Decode reads a notice from the query, or from the body of a POST that has
// one. Text is EUC-KR, or UTF-8 if the bytes say so: a name is never misread for
// the other. It reports fault.Invalid if the text is neither, if it bears none
// of Kiwoom's marks, if the amount is not a number, or if a field that decides
// is told twice. The path does not matter.
func (m module) Decode(r notice.Request) (notice.Notice, error) {
	form, err := wire.ParseForm(payload(r))
	if err != nil {
		return notice.Notice{}, fmt.Errorf("daou notice: %w", err)
	}
	v, err := form.Read(wire.Detect, deciding[:]...)
	if err != nil {
		return notice.Notice{}, fmt.Errorf("daou notice: %w", err)
	}
	n, err := read(v)
	if err != nil {
		return notice.Notice{}, fmt.Errorf("daou notice: %w", err)
	}
	return n, nil
}

// payload is the part of a request that speaks. The query of a POST with a body
// is not read, so that nothing can be told twice.
func payload(r notice.Request) []byte {
	if r.Method != http.MethodGet && len(bytes.TrimSpace(r.Body)) > 0 {
		return r.Body
	}
	return []byte(r.Query)
}

// deciding are the fields that say whose money it is and how much. Two values
// for one of them could be read differently by two readers.
var deciding = [...]string{
	"PAYMETHOD", "CPID", "DAOUTRX", "ORDERNO", "AMOUNT", "SETTDATE", "AUTHDATE", "CANCELDATE", "ACCOUNTNO",
}

func read(v wire.Values) (notice.Notice, error) {
	switch {
	case v.Get("PAYMETHOD") == "" && v.Get("DAOUTRX") == "":
		return notice.Notice{}, fault.Errorf(fault.Invalid, "it has neither PAYMETHOD nor DAOUTRX")
	case v.Get("DAOUTRX") == "" && v.Get("ORDERNO") == "" && v.Get("ACCOUNTNO") == "":
		return notice.Notice{}, fault.Errorf(fault.Invalid, "it names no transaction, order or account")
	}
	f := v.Fields()
	var n notice.Notice
	n.Kind, n.Merchant = f.Take("PAYMETHOD"), f.Take("CPID")
	n.PGTx, n.Order = f.Take("DAOUTRX"), f.Take("ORDERNO")
	n.Event, n.Listed = eventOf(n.Kind, wire.Given(v.Get("SETTDATE")), v.Get("ACCOUNTNO") != "")
	n.Closes = n.Event == payment.EventCancelled // of the issue, not of a payment
	n.OtherMethod = n.Event == payment.EventApproved
	won, told, err := f.TakeAmount("AMOUNT") // may be empty in an issue
	if err != nil {
		return notice.Notice{}, err
	}
	if told {
		n.Amount, n.HasAmount = payment.Won(won), true
	}
	if n.Kind == "" || isAccount(n.Kind) {
		takeAccount(&n, f)
	}
	if n.Event == payment.EventDeposited {
		// Second-hand: a reseller's guide calls it the depositor in this kind.
		n.Depositor = f.Take("USERNAME")
	}
	n.At = f.TakeTime(exactTime, timesOf(n.Event)...)
	name(&n, v)
	n.Fields, n.Charset = f.Rest(withheld[:]...), v.Charset()
	return n, nil
}

// times are the fields that may tell when it happened, the likeliest first.
var times = [...]string{"SETTDATE", "CANCELDATE", "AUTHDATE"}

// timesOf are those of times that tell when an event happened. Of a deposit only
// the settlement's does: the others may be the issue's.
func timesOf(e payment.Event) []string {
	if e == payment.EventDeposited {
		return times[:1]
	}
	return times[:]
}

// exactTime is wire.Time without dates alone: their midnight is not when the
// money came.
func exactTime(s string) (time.Time, error) {
	if len(s) == len("yyyyMMdd") {
		return time.Time{}, fault.Errorf(fault.Invalid, "a date is no time")
	}
	return wire.Time(s)
}

// name gives the message and the money their names. A time is written in them
// as in its longest form, however many digits it came with. Money whose time is
// not told has no name: account and amount tell then.
func name(n *notice.Notice, v wire.Values) {
	trx := cmp.Or(n.PGTx, "none-"+wire.Digest(n.Order, n.Account.Reveal(), n.Amount.String()))
	at := ""
	for _, field := range times {
		if at = v.Get(field); wire.Given(at) {
			break
		}
		at = ""
	}
	t, err := exactTime(at)
	if err == nil {
		at = t.Format(wire.Stamp)
	}
	parts := []string{n.Merchant, n.Kind, trx, at}
	if n.Event == payment.EventOther {
		// A VACCOUNT that may be a deposit is not the same as one of the issue.
		parts = append(parts, "other")
	}
	n.Key = strings.TrimSuffix(wire.Name(parts...), "/")
	if n.Event == payment.EventDeposited && n.PGTx != "" && err == nil {
		n.Deposit = n.PGTx + "/" + at
	}
}

// takeAccount takes what a notice tells of the virtual account.
func takeAccount(n *notice.Notice, f wire.Fields) {
	n.Account = secret.Account(wire.PlainAccount(f.Take("ACCOUNTNO")))
	n.BankCode, n.BankName = f.Take("BANKCODE"), f.Take("BANKNAME")
	n.Bank = bankOf(n.BankName)
	n.Holder = f.Take("RECEIVERNAME")
	n.ExpiresAt = f.TakeTime(wire.Deadline, "DEPOSITENDDATE")
}

// withheld are what a person is known or reached by: they are in the stored
// query alone. An ACCOUNTNO that is left is a payer's own.
var withheld = [...]string{"CARDNO", "ACCOUNTNO", "MOBILENO", "EMAIL"}

// Verify has nothing to check: Kiwoom gives no proof.
func (m module) Verify(notice.Request, notice.Notice, merchant.Channel, payment.Payment) error {
	return nil
}

// page is the answer around the result, as public handlers print it.
const page = `<html><body><RESULT>%s</RESULT></body></html>`

// Ack returns the page with SUCCESS, or with FAIL for a refusal. Kiwoom looks
// for the element and asks for no status besides, so a refusal has 400:
// whatever stands in between shall not take it for success.
func (m module) Ack(_ notice.Request, o provider.Outcome) provider.Reply {
	status, result := http.StatusBadRequest, "FAIL"
	if o == provider.Received {
		status, result = http.StatusOK, "SUCCESS"
	}
	return provider.Reply{Status: status, ContentType: "text/html; charset=EUC-KR", Body: fmt.Appendf(nil, page, result)}
}
