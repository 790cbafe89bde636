package daou

import (
	"bytes"
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// Encode writes the GET that Kiwoom would send: an issue or its end to the URL
// for 발행 통지, all else to that for 결과 통지. Kind chooses the PAYMETHOD where
// several mean the event. Fields fill in or add what the notice has no place
// for. No credential is needed.
func (m module) Encode(n notice.Notice, _ merchant.Credentials) notice.Request {
	w := writer{wire.NewWriter(n.Fields), n, kindFor(n)}
	w.putAll()
	return notice.Request{
		Method: http.MethodGet,
		Path:   pathFor(n.Event),
		Query:  w.query(),
		Header: http.Header{}, // a GET has no Content-Type
	}
}

// pathFor is where a notice goes. Which URL hears of a cancelled issue is not
// known; the one that heard of the issue is the likelier.
func pathFor(e payment.Event) string {
	if e == payment.EventIssued || e == payment.EventCancelled {
		return issuePath
	}
	return resultPath
}

// kindFor is the notice's own kind if that means its event, else the most usual.
func kindFor(n notice.Notice) string {
	issued := n.Event == payment.EventIssued
	if e, _ := eventOf(n.Kind, !issued, issued); n.Kind != "" && e == n.Event {
		return n.Kind
	}
	switch n.Event {
	case payment.EventDeposited:
		return kindDeposited
	case payment.EventIssued:
		return kindIssued
	case payment.EventCancelled:
		return kindCancelled
	case payment.EventApproved:
		return kindCard
	default:
		return kindPaidBack
	}
}

// A writer writes one notice.
type writer struct {
	*wire.Writer
	n    notice.Notice
	kind string
}

// putAll writes the fields in the order of the captured notice.
func (w writer) putAll() {
	trx, settled := w.transaction()
	w.Put("PAYMETHOD", w.kind)
	w.Put("CPID", cmp.Or(w.n.Merchant, "CTS10273"))
	w.Put("DAOUTRX", trx)
	w.Put("ORDERNO", w.order())
	w.Put("AMOUNT", w.amount())
	w.Put("SETTDATE", settled)
	w.PutOwn("EMAIL", "")
	w.PutOwn("USERID", "")
	if w.n.Event == payment.EventDeposited && w.n.Depositor != "" {
		w.Put("USERNAME", w.n.Depositor)
	} else {
		w.PutOwn("USERNAME", cmp.Or(w.n.Depositor, "홍길동"))
	}
	w.PutOwn("PRODUCTCODE", "1")
	w.PutOwn("PRODUCTNAME", "상품")
	switch {
	case w.n.Event == payment.EventIssued:
		w.putAccount()
	case w.kind == kindCard:
		w.PutOwn("CARDCODE", "CCBC")
		w.PutOwn("CARDNAME", "BC카드")
	}
	w.PutOwn("RESERVEDINDEX1", "")
	w.PutOwn("RESERVEDINDEX2", "")
	w.PutOwn("RESERVEDSTRING", "")
	w.PutRest()
}

// putAccount writes what only an issue tells.
func (w writer) putAccount() {
	code, name := w.n.BankCode, w.n.BankName
	if code == "" && name == "" && w.n.Bank == "" {
		name = "국민은행"
	}
	if w.n.Bank != "" && bankOf(name) != w.n.Bank {
		name = w.n.Bank.Name()
	}
	ends := w.n.ExpiresAt
	if ends.IsZero() {
		day := timeOr(w.n.At).AddDate(0, 0, 7)
		ends = time.Date(day.Year(), day.Month(), day.Day(), 23, 59, 59, 0, wire.Seoul)
	}
	w.Put("BANKCODE", cmp.Or(code, codeOf(bankOf(name))))
	w.Put("BANKNAME", name)
	w.Put("ACCOUNTNO", cmp.Or(w.n.Account.Reveal(), wire.Serial(14, w.order())))
	w.Put("RECEIVERNAME", cmp.Or(w.n.Holder, "홍길동"))
	w.Put("DEPOSITENDDATE", ends.In(wire.Seoul).Format(wire.Stamp))
}

// transaction is the DAOUTRX and the SETTDATE: the notice's own, or parts of its
// Deposit, which has the form DAOUTRX/SETTDATE. An issue has no SETTDATE.
func (w writer) transaction() (trx, settled string) {
	trx, settled, _ = strings.Cut(w.n.Deposit, "/")
	if _, err := wire.Time(settled); err != nil || !w.n.At.IsZero() {
		settled = timeOr(w.n.At).Format(wire.Stamp)
	}
	if w.n.Event == payment.EventIssued {
		settled = ""
	}
	return cmp.Or(w.n.PGTx, trx, w.newTransaction()), settled
}

// newTransaction makes up a DAOUTRX as in the captured notice: CTS, a time and
// five digits. They follow from the order alone, so that all notices of an order
// speak of one transaction.
func (w writer) newTransaction() string {
	began := wire.Earlier(someTime, 24*time.Hour, w.order())
	return "CTS" + began.Format("060102150405") + wire.Serial(5, w.order())
}

func (w writer) order() string { return cmp.Or(w.n.Order, "ORD20260105001") }

// amount is the notice's amount, or some amount if it has none.
func (w writer) amount() string {
	if !w.n.HasAmount {
		return "1000"
	}
	return strconv.FormatInt(w.n.Amount.Amount, 10)
}

// someTime stands for a time that the notice leaves out.
var someTime = time.Date(2026, 1, 5, 11, 30, 0, 0, wire.Seoul)

func timeOr(t time.Time) time.Time {
	if t.IsZero() {
		t = someTime
	}
	return t.In(wire.Seoul)
}

// marks are what the captured notice escapes and wire.EncodeForm does not.
var marks = strings.NewReplacer("+", "%20", ".", "%2E", "-", "%2D", "*", "%2A", "_", "%5F")

// query joins the fields. Observed in the captured notice: everything but
// letters and digits is escaped, spaces and full stops too.
func (w writer) query() string {
	return marks.Replace(string(w.Encode(wire.EUCKR)))
}

// Acked reports whether the answer is 200 with a page that holds the element.
func (m module) Acked(r provider.Reply) bool {
	return r.Status == http.StatusOK && bytes.Contains(r.Body, []byte("<RESULT>SUCCESS</RESULT>"))
}
