package smartro

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// Encode writes a notice as Smartro would send it. Form chooses type and
// charset: empty for 신통보 in UTF-8, "euc-kr", "old" for 구통보, "old-euc-kr". A
// Kind (a ResultCode) is kept where it means the notice's event, and Fields
// override or add to what would be made up. The notice has a SignValue if the
// credentials have merchant_key, made the way of the type's module.
func (m module) Encode(n notice.Notice, c merchant.Credentials) notice.Request {
	r := rowFor(n)
	w := writer{old: n.Form == formOld || n.Form == formOldEUCKR, extra: maps.Clone(n.Fields)}
	code, tid := w.write(r, n)
	if k := c[merchantKey]; k != "" {
		sign, oldSign := signed(tid, code, k)
		if w.old {
			sign = oldSign
		}
		if sign != "" {
			w.put("SignValue", sign)
		}
	}
	w.putRest()
	charset := wire.UTF8
	if n.Form == formEUCKR || n.Form == formOldEUCKR {
		charset = wire.EUCKR
	}
	return notice.Request{
		Method: http.MethodPost,
		Path:   m.Info().Paths[0],
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   wire.EncodeForm(w.fields, charset),
	}
}

// accepted finds the word in what the PG's sample page prints: fields of the
// notice, markup and OK.
var accepted = regexp.MustCompile(`\bOK\b`)

// Acked reports whether Smartro would stop: status 200 and a body with the word
// OK, alone or in a page. How strictly the body is read is not published.
func (module) Acked(r provider.Reply) bool {
	return r.Status == http.StatusOK && accepted.Match(r.Body)
}

// A row is how a notice words an event.
type row struct{ method, code, message, state, service string }

// rows are those of each event, the most usual first.
var rows = map[payment.Event][]row{
	payment.EventDeposited: {{"VBANK", codeDeposited, "입금", "0", "03"}},
	payment.EventIssued:    {{"VBANK", codeIssued, "가상계좌 발급", "0", "03"}},
	payment.EventRefunded:  {{"VBANK", codeRefunded, "환불 성공", "0", "03"}},
	payment.EventCancelled: {
		{"VBANK", codeCancelled, "취소 성공", "1", "03"},
		{"VBANK", codeDeposited, "입금", "2", "03"},
		{"VBANK", codeIssued, "가상계좌 발급", "1", "03"},
		{"CARD", "3001", "카드 결제 성공", "1", "01"},
	},
	payment.EventApproved: {
		{"CARD", "3001", "카드 결제 성공", "0", "01"},
		{"BANK", "4000", "계좌이체 결제 성공", "0", "02"},
		{"CELLPHONE", "A000", "휴대폰 결제 성공", "0", "05"},
	},
}

// rowFor chooses the row of an event: the one with the notice's Kind if there
// is one, else the most usual; with the notice's own state if that means the
// same.
func rowFor(n notice.Notice) row {
	list := rows[n.Event]
	if n.Event == payment.EventPartiallyCancelled {
		list = rows[payment.EventCancelled]
	}
	if len(list) == 0 { // other, and what Smartro has no word for
		list = []row{{"CASHRCPT", "7001", "현금영수증 발급", "0", "04"}, {"VBANK", "2013", "기취소 거래", "0", "03"}}
		if n.Listed {
			list = list[1:]
		}
	}
	r := list[0]
	for _, other := range list {
		if other.code == n.Kind {
			r = other
			break
		}
	}
	state := own(n.Fields, "StateCd")
	whole := n.Event
	if whole == payment.EventPartiallyCancelled {
		whole = payment.EventCancelled
	}
	if e, _ := eventOf(r.method == "VBANK", r.method, r.code, state); state != "" && e == whole {
		r.state = state
	}
	return r
}

// own is a field that the notice brings itself, however its name is spelt.
func own(fields map[string]string, name string) string {
	for _, k := range slices.Sorted(maps.Keys(fields)) {
		if canonical(k) == canonical(name) && fields[k] != "" {
			return fields[k]
		}
	}
	return ""
}

// A writer collects the form's fields. extra are the notice's own fields that
// are not written yet.
type writer struct {
	fields []wire.Field
	extra  map[string]string
	old    bool
}

// put writes a field under the type's name for it.
func (w *writer) put(name, value string) {
	maps.DeleteFunc(w.extra, func(k, _ string) bool { return canonical(k) == canonical(name) })
	if was, ok := oldNames[name]; ok && w.old {
		name = was
	}
	w.fields = append(w.fields, wire.Field{Name: name, Value: value})
}

// putOwn writes the notice's own field, or else the value given.
func (w *writer) putOwn(name, otherwise string) {
	w.put(name, cmp.Or(own(w.extra, name), otherwise))
}

// putRest writes the notice's remaining fields, sorted since a map has no
// order.
func (w *writer) putRest() {
	for _, name := range slices.Sorted(maps.Keys(w.extra)) {
		w.fields = append(w.fields, wire.Field{Name: name, Value: w.extra[name]})
	}
}

// write writes the fields in the order of the tables that we have; the order on
// the wire is not published. It returns what a SignValue covers.
func (w *writer) write(r row, n notice.Notice) (code, tid string) {
	tid, original, date := transaction(n, r.service)
	bank, account := accountOf(r, n)
	w.put("PayMethod", r.method)
	w.put("Mid", mid(n))
	w.put("Tid", tid)
	if original != "" {
		w.put("OTid", original)
	}
	w.put("Moid", cmp.Or(n.Order, someOrder))
	w.put("Amt", strconv.FormatInt(won(n), 10))
	w.putOwn("BuyerName", cmp.Or(n.Depositor, "홍길동"))
	w.putOwn("BuyerEmail", "hong@example.com")
	w.putOwn("BuyerTel", "01000000000")
	w.putOwn("GoodsName", "상품")
	w.put("AuthDate", date)
	w.put("ResultCode", r.code)
	w.putOwn("ResultMsg", r.message)
	w.put("StateCd", r.state)
	w.put("FnCd", bank.Code)
	w.putOwn("FnName", bank.Name)
	w.put("VbankNum", account)
	w.put("VbankName", bank.Name)
	switch {
	case n.Event == payment.EventPartiallyCancelled:
		w.put(partialAmount, strconv.FormatInt(won(n), 10))
		w.put(partialCode, "1")
	case own(w.extra, partialCode) == "1":
		w.put(partialCode, "0")
	}
	return r.code, tid
}

// accountOf is the bank and number of the row: the notice's, or some.
func accountOf(r row, n notice.Notice) (bank payment.BankInfo, number string) {
	if r.method != "VBANK" {
		return payment.BankInfo{}, ""
	}
	b := n.Bank
	if b == "" {
		b = payment.BankByCode(cmp.Or(n.BankCode, "088"))
	}
	bank = payment.BankInfo{Code: cmp.Or(n.BankCode, b.Code()), Name: cmp.Or(n.BankName, b.Name())}
	return bank, cmp.Or(n.Account.Reveal(), "56211100000000")
}

// transaction is the id of what is told, that of its original if it has one,
// and its time. A Deposit has the form Tid/AuthDate; the id of a cancel or
// refund is PGCancel, and a refund without one is made up.
func transaction(n notice.Notice, service string) (tid, original, date string) {
	issue := cmp.Or(n.PGTx, newTID(n, service, "issue"))
	tid, date = issue, short(n.At)
	switch n.Event {
	case payment.EventRefunded:
		tid = cmp.Or(n.PGCancel, newTID(n, service, "refund "+date))
	case payment.EventCancelled, payment.EventPartiallyCancelled:
		tid = cmp.Or(n.PGCancel, issue)
	case payment.EventDeposited:
		money, told, _ := strings.Cut(n.Deposit, "/")
		tid = cmp.Or(money, issue)
		if _, err := wire.EitherTime(told); err == nil && n.At.IsZero() {
			date = told
		}
		if n.PGTx == "" {
			issue = tid
		}
	default:
	}
	if tid != issue {
		original = issue
	}
	return tid, original, date
}

// newTID makes up a transaction id: MID, service, "01", a time and four digits.
// They follow from the order and what it is for, so that all notices of an
// order speak of one issue.
func newTID(n notice.Notice, service, what string) string {
	order := cmp.Or(n.Order, someOrder)
	return mid(n) + service + "01" + short(wire.Earlier(someTime, 24*time.Hour, order, what)) + wire.Serial(4, order, what)
}

// someOrder and someTime stand for what the notice leaves out.
const someOrder = "order20260102001"

var someTime = time.Date(2026, 1, 2, 16, 0, 0, 0, wire.Seoul)

func short(t time.Time) string {
	if t.IsZero() {
		t = someTime
	}
	return t.In(wire.Seoul).Format("060102150405")
}

func mid(n notice.Notice) string { return cmp.Or(n.Merchant, "SMTPAY001m") }

// won is the notice's amount, or some amount if it has none.
func won(n notice.Notice) int64 {
	if n.Amount.IsZero() {
		return 1000
	}
	return n.Amount.Amount
}
