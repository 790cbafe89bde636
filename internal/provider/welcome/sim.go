package welcome

import (
	"cmp"
	"fmt"
	"net/http"
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
	s.acct = cmp.Or(n.Account.Reveal(), "01443"+wire.Serial(6, s.mid, s.order)+"000")
	return s
}

// someTime stands for a time that the notice leaves out.
var someTime = time.Date(2026, 1, 1, 9, 0, 0, 0, wire.Seoul)

// tid makes an id as the PG does: what it is of, for whom, when, and a serial.
func (s script) tid(prefix string, at time.Time, of ...string) string {
	return prefix + s.mid + at.Format(wire.Stamp) + wire.Serial(6, append(of, s.mid, s.order)...)
}

// issueTID is the id of the issue. It is the same for all that is told of one
// order, so it can't hang on the time of the event.
func (s script) issueTID(prefix string) string {
	return cmp.Or(s.n.PGTx, s.tid(prefix, someTime))
}

// formA writes the fields of the manual's table, in its order.
func (s script) formA() []byte {
	day, code, bank := s.at.Format("20060102"), wire.PadZeros(s.code, 8), s.bankName()
	if s.n.Test {
		bank = testBank
	}
	tid := cmp.Or(s.n.Deposit, s.n.Fields["no_tid"],
		s.tid("ININPGVBNK", s.at, string(s.n.Event), s.acct, fmt.Sprint(s.amount)))
	w := wire.NewWriter(s.n.Fields)
	w.Put("no_tid", tid)
	w.Put("no_oid", s.order)
	w.Put("cd_bank", code)
	w.PutOwn("cd_deal", code)
	w.Put("dt_trans", day)
	w.Put("tm_trans", s.at.Format("150405"))
	w.Put("no_vacct", s.acct)
	w.Put("amt_input", fmt.Sprint(s.amount))
	w.PutOwn("flg_close", "0")
	w.PutOwn("cl_close", "0")
	w.Put("type_msg", s.typeMsg())
	w.PutOwn("nm_inputbank", bank)
	w.Put("nm_input", cmp.Or(s.n.Depositor, "홍길동"))
	w.PutOwn("dt_inputstd", day)
	w.PutOwn("dt_calculstd", day)
	w.PutOwn("dt_transbase", day)
	w.PutOwn("cl_trans", "1100")
	w.PutOwn("cl_kor", "2")
	if c := s.n.CashReceipt; c != nil {
		at := s.receiptTime()
		w.Put("dt_cshr", at.Format("20060102"))
		w.Put("tm_cshr", at.Format("150405"))
		w.Put("no_cshr_appl", c.Number)
		w.PutOwn("no_cshr_tid", s.issueTID("StdpayVBNK"))
	}
	// The manual has neither no_req_tid nor id_merchant. The id of the issue is
	// written where a notice has one, but never the merchant's, which every
	// simulated notice has: a rehearsal should not be easier than the table.
	if s.n.PGTx != "" {
		w.Put("no_req_tid", s.n.PGTx)
	}
	return w.Encode(wire.EUCKR)
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
	code, name := s.n.Fields["P_FN_CD1"], s.n.Fields["P_FN_NM"]
	prefix := "INIMX_" + (method + "____")[:4]
	if method == typeAccount {
		code, name = s.code, cmp.Or(s.n.BankName, bankOf(s.code).Name(), "농협중앙회")
		prefix = "INIMX_VBNK"
	}
	w := wire.NewWriter(s.n.Fields)
	w.Put("P_STATUS", status)
	w.Put("P_TID", s.issueTID(prefix))
	w.Put("P_TYPE", method)
	w.Put("P_AUTH_DT", s.at.Format(wire.Stamp))
	w.Put("P_MID", s.mid)
	w.Put("P_OID", s.order)
	w.Put("P_FN_CD1", code)
	w.PutOwn("P_FN_CD2", "")
	w.Put("P_FN_NM", name)
	w.Put("P_AMT", fmt.Sprint(s.amount))
	w.PutOwn("P_UNAME", "홍길동")
	w.Put("P_RMESG1", s.message(method))
	w.PutOwn("P_RMESG2", "")
	w.PutOwn("P_RMESG3", "")
	w.PutOwn("P_NOTI", "")
	w.PutOwn("P_AUTH_NO", "")
	if c := s.n.CashReceipt; c != nil && s.n.Event == payment.EventDeposited {
		w.Put("P_CSHR_DT", s.receiptTime().Format(wire.Stamp))
		w.Put("P_CSHR_AUTH_NO", c.Number)
	}
	if s.n.Form == formBUTF8 {
		return w.Encode(wire.UTF8)
	}
	return w.Encode(wire.EUCKR)
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
		return s.n.Fields["P_RMESG1"]
	}
	until := s.n.ExpiresAt.In(wire.Seoul)
	if s.n.ExpiresAt.IsZero() {
		// The window's own default is ten days.
		y, m, d := s.at.Date()
		until = time.Date(y, m, d+10, 23, 59, 59, 0, wire.Seoul)
	}
	return partAccount + s.acct + "|" + partDeadline + until.Format(wire.Stamp)
}
