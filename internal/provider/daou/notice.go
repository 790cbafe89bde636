package daou

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
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
// one. It reports fault.Invalid if the text is not EUC-KR, if it bears none of
// Kiwoom's marks, if the amount is not a number, or if a field that decides is
// told twice. The path does not matter.
func (m module) Decode(r notice.Request) (notice.Notice, error) {
	form, err := wire.ParseForm(payload(r))
	if err != nil {
		return notice.Notice{}, fmt.Errorf("daou notice: %w", err)
	}
	v, err := form.Decode(wire.EUCKR)
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
	for _, name := range deciding {
		if v.Duplicated(name) {
			return notice.Notice{}, fault.Errorf(fault.Invalid, "%s is told twice", name)
		}
	}
	switch {
	case v.Get("PAYMETHOD") == "" && v.Get("DAOUTRX") == "":
		return notice.Notice{}, fault.Errorf(fault.Invalid, "it has neither PAYMETHOD nor DAOUTRX")
	case v.Get("DAOUTRX") == "" && v.Get("ORDERNO") == "" && v.Get("ACCOUNTNO") == "":
		return notice.Notice{}, fault.Errorf(fault.Invalid, "it names no transaction, order or account")
	}
	f := fields{left: v.Map()}
	var n notice.Notice
	n.Kind, n.Merchant = f.take("PAYMETHOD"), f.take("CPID")
	n.PGTx, n.Order = f.take("DAOUTRX"), f.take("ORDERNO")
	n.Event, n.Listed = eventOf(n.Kind, given(v.Get("SETTDATE")), v.Get("ACCOUNTNO") != "")
	n.Closes = n.Event == payment.EventCancelled // of the issue, not of a payment
	n.OtherMethod = n.Event == payment.EventApproved
	if err := f.takeAmount(&n); err != nil {
		return notice.Notice{}, err
	}
	if n.Kind == "" || isAccount(n.Kind) {
		f.takeAccount(&n)
	}
	if n.Event == payment.EventDeposited {
		// Second-hand: a reseller's guide calls it the depositor in this kind.
		n.Depositor = f.take("USERNAME")
	}
	name(&n, v)
	n.At = f.takeTime("SETTDATE", "CANCELDATE", "AUTHDATE")
	n.Fields = f.rest()
	return n, nil
}

// name gives the message and the money their names.
func name(n *notice.Notice, v wire.Values) {
	trx := n.PGTx
	if trx == "" {
		trx = digest(n.Order, n.Account.Reveal(), n.Amount.String())
	}
	at := ""
	for _, field := range []string{"SETTDATE", "CANCELDATE", "AUTHDATE"} {
		if at = v.Get(field); given(at) {
			break
		}
		at = ""
	}
	parts := []string{n.Merchant, n.Kind, trx, at}
	if n.Event == payment.EventOther {
		// A VACCOUNT that may be a deposit is not the same as one of the issue.
		parts = append(parts, "other")
	}
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	n.Key = strings.TrimSuffix(strings.Join(parts, "/"), "/")
	if n.Event == payment.EventDeposited && n.PGTx != "" {
		n.Deposit = n.PGTx + "/" + at
	}
}

// digest stands for a missing DAOUTRX, so that two notices without one are not
// taken for one. It is a hash because keys are shown, and an account number is
// not.
func digest(parts ...string) string {
	h := sha256.New()
	for _, s := range parts {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return "none-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// given reports whether a date is there: none is empty or all zeros.
func given(s string) bool { return strings.Trim(s, "0 ") != "" }

// fields are the notice's fields that no part of it has taken yet.
type fields struct{ left map[string]string }

func (f fields) take(name string) string {
	value := f.left[name]
	delete(f.left, name)
	return value
}

// takeAmount takes AMOUNT, which may be empty in an issue.
func (f fields) takeAmount(n *notice.Notice) error {
	s := f.take("AMOUNT")
	if s == "" {
		return nil
	}
	won, err := wire.Amount(s)
	if err != nil {
		return fault.Errorf(fault.Invalid, "AMOUNT: %w", err)
	}
	n.Amount, n.HasAmount = payment.Won(won), true
	return nil
}

// takeAccount takes what a notice tells of the virtual account.
func (f fields) takeAccount(n *notice.Notice) {
	n.Account = secret.Account(strings.NewReplacer("-", "", " ", "").Replace(f.take("ACCOUNTNO")))
	n.BankCode, n.BankName = f.take("BANKCODE"), f.take("BANKNAME")
	n.Bank = bankOf(n.BankName)
	n.Holder = f.take("RECEIVERNAME")
	if at, err := wire.Time(f.left["DEPOSITENDDATE"]); err == nil {
		if len(f.take("DEPOSITENDDATE")) == len("yyyyMMdd") {
			at = at.Add(24*time.Hour - time.Second) // a date alone means all of that day
		}
		n.ExpiresAt = at
	}
}

// takeTime takes the first name that holds a time. One that cannot be read does
// not spoil the notice and stays where a person sees it.
func (f fields) takeTime(names ...string) time.Time {
	for _, name := range names {
		if at, err := wire.Time(f.left[name]); err == nil {
			delete(f.left, name)
			return at
		}
	}
	return time.Time{}
}

// withheld are what a person is known or reached by: they are in the stored
// query alone. An ACCOUNTNO that is left is a payer's own.
var withheld = [...]string{"CARDNO", "ACCOUNTNO", "MOBILENO", "EMAIL"}

// rest is what is left, without the empty ones and those withheld.
func (f fields) rest() map[string]string {
	for _, name := range withheld {
		delete(f.left, name)
	}
	for name, v := range f.left {
		if v == "" {
			delete(f.left, name)
		}
	}
	return f.left
}

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
