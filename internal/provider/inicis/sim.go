package inicis

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

// Acked reports whether the PG has heard its OK: two bytes with status 200.
// A line end after them is a failure already.
func (m module) Acked(r provider.Reply) bool {
	return r.Status == http.StatusOK && string(r.Body) == "OK"
}

// Encode writes a notice: issues, failures and approvals in form B, since
// form A has none, all else in form A. Form "B" puts deposits in form B too.
// A reversal is always in form A: how form B tells of one is not known.
func (m module) Encode(n notice.Notice, _ merchant.Credentials) notice.Request {
	s := newScript(n)
	body := s.formA
	switch n.Event {
	case payment.EventIssued, payment.EventFailed, payment.EventApproved:
		body = s.formB
	case payment.EventDeposited:
		if n.Form == formB {
			body = s.formB
		}
	default:
	}
	return notice.Request{
		Method: http.MethodPost,
		Path:   m.path,
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
		mid:    cmp.Or(n.Merchant, "INIpayTest"),
		order:  cmp.Or(n.Order, "ORDER-1"),
		code:   cmp.Or(n.BankCode, codeOf(n.Bank), "88"),
		amount: 1000,
		at:     time.Date(2026, 1, 1, 9, 0, 0, 0, wire.Seoul),
	}
	if n.HasAmount {
		s.amount = n.Amount.Amount
	}
	if !n.At.IsZero() {
		s.at = n.At.In(wire.Seoul)
	}
	s.acct = cmp.Or(n.Account.Reveal(), "56211"+wire.Serial(6, s.mid, s.order)+"000")
	return s
}

// tid makes an id as the PG does: what it is of, for whom, when, and a serial.
func (s script) tid(prefix string, at time.Time, of ...string) string {
	return prefix + s.mid + at.Format(wire.Stamp) + wire.Serial(6, append(of, s.mid, s.order)...)
}

// issueTID is the id of the issue. It is the same for all that is told of one
// order, so it can't hang on the time of the event.
func (s script) issueTID(prefix string) string {
	return cmp.Or(s.n.PGTx, s.tid(prefix, time.Date(2026, 1, 1, 9, 0, 0, 0, wire.Seoul)))
}

func (s script) formA() []byte {
	seq, partner, bank := "0002133837", "01306001", s.bankName()
	amount := fmt.Sprintf("%013d", s.amount)
	if s.n.Test {
		// The test tool's logged body has the amount plain. Others were seen
		// with zeros in front, which readers should meet.
		seq, partner, bank, amount = "9000000030", "20000050", testBank, fmt.Sprint(s.amount)
	}
	day, clock := s.at.Format("20060102"), s.at.Format("150405")
	code := wire.PadZeros(s.code, 8)
	tid := cmp.Or(s.n.Deposit, s.n.Fields["no_tid"],
		s.tid("ININPGVBNK", s.at, string(s.n.Event), s.acct, amount))
	w := wire.NewWriter(s.n.Fields)
	w.Put("no_tid", tid)
	w.Put("no_oid", s.order)
	w.Put("id_merchant", s.mid)
	w.Put("cd_bank", code)
	w.PutOwn("cd_deal", code)
	w.Put("dt_trans", day)
	w.Put("tm_trans", clock)
	w.PutOwn("no_msgseq", seq)
	w.PutOwn("cd_joinorg", partner)
	w.PutOwn("dt_transbase", day)
	w.PutOwn("no_transseq", "")
	w.Put("type_msg", s.typeMsg())
	w.PutOwn("cl_trans", "1100")
	w.PutOwn("cl_close", "0")
	w.PutOwn("cl_kor", "2")
	w.PutOwn("no_msgmanage", "")
	w.Put("no_vacct", s.acct)
	w.Put("amt_input", amount)
	w.PutOwn("amt_check", "0")
	w.PutOwn("nm_inputbank", bank)
	w.Put("nm_input", cmp.Or(s.n.Depositor, "홍길동"))
	w.PutOwn("dt_inputstd", "")
	w.PutOwn("dt_calculstd", "")
	w.PutOwn("flg_close", "0")
	if c := s.n.CashReceipt; c != nil {
		at := s.at
		if !c.At.IsZero() {
			at = c.At.In(wire.Seoul)
		}
		w.Put("dt_cshr", at.Format("20060102"))
		w.Put("tm_cshr", at.Format("150405"))
		w.Put("no_cshr_appl", c.Number)
		w.PutOwn("no_cshr_tid", s.issueTID("StdpayVBNK"))
	}
	if s.n.PGTx != "" { // not every notice has it
		w.Put("no_req_tid", s.n.PGTx)
	}
	for i, f := range w.Fields {
		if f.Value == "" { // goes as the one raw space of form A
			w.Fields[i].Value, w.Fields[i].Raw = " ", true
		}
	}
	return counted(w.Encode(wire.EUCKR))
}

// counted puts len in front: how many bytes follow it, the first "&" included.
func counted(rest []byte) []byte {
	return append(fmt.Appendf(nil, "len=%04d&", len(rest)+1), rest...)
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
	name := []rune(cmp.Or(bankOf(s.code).Name(), "신한은행"))
	return string(name[:min(len(name), 5)])
}

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
	prefix := "INIMX_" + (method + "____")[:4]
	if method == typeAccount {
		prefix = "INIMX_VBNK"
	}
	w := wire.NewWriter(s.n.Fields)
	w.Put("P_STATUS", status)
	w.Put("P_TID", s.issueTID(prefix))
	w.Put("P_TYPE", method)
	w.Put("P_AUTH_DT", s.at.Format(wire.Stamp))
	w.Put("P_MID", s.mid)
	w.Put("P_OID", s.order)
	if method == typeAccount {
		w.Put("P_FN_CD1", s.code)
		w.PutOwn("P_FN_CD2", "")
		w.Put("P_FN_NM", cmp.Or(s.n.BankName, bankOf(s.code).Name(), "신한은행"))
	} else {
		w.PutOwn("P_FN_CD1", "")
		w.PutOwn("P_FN_CD2", "")
		w.PutOwn("P_FN_NM", "")
	}
	w.Put("P_AMT", fmt.Sprint(s.amount))
	w.PutOwn("P_UNAME", "홍길동")
	w.Put("P_RMESG1", s.message(method))
	w.PutOwn("P_RMESG2", "")
	w.PutOwn("P_NOTI", "")
	w.PutOwn("P_AUTH_NO", "")
	if s.n.Event == payment.EventDeposited && s.n.Deposit != "" {
		w.Put("P_IN_TID", s.n.Deposit)
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
		y, m, d := s.at.Date()
		until = time.Date(y, m, d+3, 23, 59, 59, 0, wire.Seoul)
	}
	return "P_VACCT_NO=" + s.acct + "|P_EXP_DT=" + until.Format(wire.Stamp)
}
