package welcome

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"net/http"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// Acked reports whether the PG has heard its OK: two bytes with status 200. A
// line end after them is a failure already.
func (m module) Acked(r provider.Reply) bool {
	return r.Status == http.StatusOK && string(r.Body) == "OK"
}

// Encode writes a notice: issues, failures and approvals in form B, since form
// A has none, all else in form A. Form "B" puts deposits in form B too, and
// "B-utf8" puts them there in UTF-8. A reversal is always in form A: how form B
// tells of one is not known. Form C is never written: too little of it is known.
func (m module) Encode(n notice.Notice, _ merchant.Credentials) notice.Request {
	s := newScript(n)
	body := s.formA
	switch n.Event {
	case payment.EventIssued, payment.EventFailed, payment.EventApproved:
		body = s.formB
	case payment.EventDeposited:
		if n.Form == formB || n.Form == formBUTF8 {
			body = s.formB
		}
	default:
	}
	return notice.Request{
		Method: http.MethodPost,
		Path:   path,
		// What the PG really sends here is not known; receivers read a form.
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   body(),
	}
}

// A script is a notice to be written, with nothing left empty that the PG
// would fill.
type script struct {
	n                      notice.Notice
	mid, order, acct, code string
	amount                 int64
	at                     time.Time
}

func newScript(n notice.Notice) script {
	s := script{
		n:      n,
		mid:    cmp.Or(n.Merchant, testMID),
		order:  cmp.Or(n.Order, "mall_order_1"),
		code:   cmp.Or(n.BankCode, codeOf(n.Bank), "11"),
		amount: 1000,
		at:     someTime,
	}
	if n.HasAmount {
		s.amount = n.Amount.Amount
	}
	if !n.At.IsZero() {
		s.at = n.At.In(wire.Seoul)
	}
	s.acct = cmp.Or(n.Account.Reveal(), "01443"+serial(s.mid, s.order)+"000")
	return s
}

// someTime stands for a time that the notice leaves out.
var someTime = time.Date(2026, 1, 1, 9, 0, 0, 0, wire.Seoul)

// field is the value a notice gives to a PG field by name, else another.
func (s script) field(name, otherwise string) string {
	return cmp.Or(s.n.Fields[name], otherwise)
}

// tid makes an id as the PG does: what it is of, for whom, when, and a serial.
func (s script) tid(prefix string, at time.Time, of ...string) string {
	return prefix + s.mid + stamp(at) + serial(append(of, s.mid, s.order)...)
}

// issueTID is the id of the issue. It is the same for all that is told of one
// order, so it can't hang on the time of the event.
func (s script) issueTID(prefix string) string {
	return cmp.Or(s.n.PGTx, s.tid(prefix, someTime))
}

// serial makes six digits out of texts, the same each time.
func serial(of ...string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(strings.Join(of, "\x1f"))) // a hash takes everything
	return fmt.Sprintf("%06d", h.Sum32()%1_000_000)
}

func stamp(t time.Time) string { return t.Format("20060102150405") }

// formA writes the fields of the manual's table, in its order.
func (s script) formA() []byte {
	day, code, bank := s.at.Format("20060102"), pad(s.code), s.bankName()
	if s.n.Test {
		bank = testBank
	}
	tid := cmp.Or(s.n.Deposit, s.field("no_tid", ""),
		s.tid("ININPGVBNK", s.at, string(s.n.Event), s.acct, fmt.Sprint(s.amount)))
	form := list{
		{Name: "no_tid", Value: tid},
		{Name: "no_oid", Value: s.order},
		{Name: "cd_bank", Value: code},
		{Name: "cd_deal", Value: s.field("cd_deal", code)},
		{Name: "dt_trans", Value: day},
		{Name: "tm_trans", Value: s.at.Format("150405")},
		{Name: "no_vacct", Value: s.acct},
		{Name: "amt_input", Value: fmt.Sprint(s.amount)},
		{Name: "flg_close", Value: s.field("flg_close", "0")},
		{Name: "cl_close", Value: s.field("cl_close", "0")},
		{Name: "type_msg", Value: s.typeMsg()},
		{Name: "nm_inputbank", Value: s.field("nm_inputbank", bank)},
		{Name: "nm_input", Value: cmp.Or(s.n.Depositor, "홍길동")},
		{Name: "dt_inputstd", Value: s.field("dt_inputstd", day)},
		{Name: "dt_calculstd", Value: s.field("dt_calculstd", day)},
		{Name: "dt_transbase", Value: s.field("dt_transbase", day)},
		{Name: "cl_trans", Value: s.field("cl_trans", "1100")},
		{Name: "cl_kor", Value: s.field("cl_kor", "2")},
	}
	if c := s.n.CashReceipt; c != nil {
		at := s.receiptTime()
		form.add("dt_cshr", at.Format("20060102"))
		form.add("tm_cshr", at.Format("150405"))
		form.add("no_cshr_appl", c.Number)
		form.add("no_cshr_tid", s.field("no_cshr_tid", s.issueTID("StdpayVBNK")))
	}
	// The manual has neither no_req_tid nor id_merchant. The id of the issue is
	// written where a notice has one, but never the merchant's, which every
	// simulated notice has: a rehearsal should not be easier than the table.
	if s.n.PGTx != "" {
		form.add("no_req_tid", s.n.PGTx)
	}
	return wire.EncodeForm(form, wire.EUCKR)
}

// receiptTime is when the notice's cash receipt was issued: with the deposit,
// if it does not say.
func (s script) receiptTime() time.Time {
	if at := s.n.CashReceipt.At; !at.IsZero() {
		return at.In(wire.Seoul)
	}
	return s.at
}

// typeMsg is the notice's word for the event. What form A has no word for goes
// out under the notice's own, which Decode takes for another message.
func (s script) typeMsg() string {
	switch s.n.Event {
	case payment.EventDeposited:
		return msgDeposit
	case payment.EventReversed:
		return msgReversal
	default:
	}
	if s.n.Kind == msgDeposit || s.n.Kind == msgReversal {
		return ""
	}
	return s.n.Kind
}

// bankName is the paying bank's, of which the PG keeps ten bytes: five
// syllables.
func (s script) bankName() string {
	name := []rune(cmp.Or(bankOf(s.code).Name(), "농협"))
	return string(name[:min(len(name), 5)])
}

// formB writes the fields of the manual's table, in its order.
func (s script) formB() []byte {
	status, method := statusDone, typeAccount
	switch s.n.Event {
	case payment.EventDeposited:
		status = statusDeposit
	case payment.EventApproved:
		method = s.method("CARD")
	case payment.EventFailed:
		status, method = statusFailed, s.method(typeAccount)
	default:
	}
	code, name := s.field("P_FN_CD1", ""), s.field("P_FN_NM", "")
	prefix := "INIMX_" + (method + "____")[:4]
	if method == typeAccount {
		code, name = s.code, cmp.Or(s.n.BankName, bankOf(s.code).Name(), "농협중앙회")
		prefix = "INIMX_VBNK"
	}
	form := list{
		{Name: "P_STATUS", Value: status},
		{Name: "P_TID", Value: s.issueTID(prefix)},
		{Name: "P_TYPE", Value: method},
		{Name: "P_AUTH_DT", Value: stamp(s.at)},
		{Name: "P_MID", Value: s.mid},
		{Name: "P_OID", Value: s.order},
		{Name: "P_FN_CD1", Value: code},
		{Name: "P_FN_CD2", Value: s.field("P_FN_CD2", "")},
		{Name: "P_FN_NM", Value: name},
		{Name: "P_AMT", Value: fmt.Sprint(s.amount)},
		{Name: "P_UNAME", Value: s.field("P_UNAME", "홍길동")},
		{Name: "P_RMESG1", Value: s.message(method)},
		{Name: "P_RMESG2", Value: s.field("P_RMESG2", "")},
		{Name: "P_RMESG3", Value: s.field("P_RMESG3", "")},
		{Name: "P_NOTI", Value: s.field("P_NOTI", "")},
		{Name: "P_AUTH_NO", Value: s.field("P_AUTH_NO", "")},
	}
	if c := s.n.CashReceipt; c != nil && s.n.Event == payment.EventDeposited {
		form.add("P_CSHR_DT", stamp(s.receiptTime()))
		form.add("P_CSHR_AUTH_NO", c.Number)
	}
	if s.n.Form == formBUTF8 {
		return wire.EncodeForm(form, wire.UTF8)
	}
	return wire.EncodeForm(form, wire.EUCKR)
}

// method is the P_TYPE that the notice's kind asks for, if it is the name of a
// method other than the account's.
func (s script) method(otherwise string) string {
	if k := s.n.Kind; k == "" || k == typeAccount || wire.Digits(k) == k {
		return otherwise
	}
	return s.n.Kind
}

// message is P_RMESG1: the account and its deadline, where there is one.
func (s script) message(method string) string {
	if method != typeAccount || s.n.Event == payment.EventFailed {
		return s.field("P_RMESG1", "")
	}
	until := s.n.ExpiresAt.In(wire.Seoul)
	if s.n.ExpiresAt.IsZero() {
		// The window's own default is ten days.
		y, m, d := s.at.Date()
		until = time.Date(y, m, d+10, 23, 59, 59, 0, wire.Seoul)
	}
	return partAccount + s.acct + "|" + partDeadline + stamp(until)
}

// pad fills a bank code up to eight characters.
func pad(code string) string {
	return strings.Repeat("0", max(0, 8-len(code))) + code
}

// A list is the fields of a form in their order.
type list []wire.Field

func (l *list) add(name, value string) { *l = append(*l, wire.Field{Name: name, Value: value}) }
