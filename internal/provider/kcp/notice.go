package kcp

import (
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

// The kinds of notices (tx_cd) that are read further than their name.
const (
	kindAccount      = "TX00" // 가상계좌 입금 통보, and its reversal
	kindRefunded     = "TX01" // 가상계좌 환불 통보
	kindConfirmation = "TX02" // 구매확인, 구매취소
	kindDelivery     = "TX03" // 배송시작
	kindHeld         = "TX04" // 정산보류
	kindCancelledNow = "TX05" // 즉시취소
	kindCancelled    = "TX06" // 취소
	kindClosed       = "TX07" // 발급계좌해지
)

const (
	// opReversed is the one op_cd that is no deposit (manual, common notice page).
	opReversed = "13"
	// opMock and statMock mark a mock deposit. Observed: the test admin's
	// mock deposit page sends both.
	opMock   = "18"
	statMock = "STIY"
)

// formEUCKR is the notice's Form if its text was not UTF-8.
const formEUCKR = "euc-kr"

// eventOf says what a notice of that kind means.
func eventOf(kind, op string) payment.Event {
	switch kind {
	case kindAccount:
		if op == opReversed {
			return payment.EventReversed
		}
		return payment.EventDeposited
	case kindRefunded:
		return payment.EventRefunded
	case kindCancelledNow, kindCancelled, kindClosed:
		return payment.EventCancelled
	}
	return payment.EventOther
}

// Decode reads a notice. It reports fault.Invalid if the body is no form in
// one of KCP's charsets, if it bears none of KCP's marks, if the amount of a
// deposit or refund is not a number, or if a field that decides is told twice.
// A notice without tx_cd is never taken for a deposit, since other kinds have
// amounts too; a person is shown it.
func (m module) Decode(r notice.Request) (notice.Notice, error) {
	form, err := wire.ParseForm(r.Body)
	if err != nil {
		return notice.Notice{}, fmt.Errorf("kcp notice: %w", err)
	}
	charset, _ := form.Charset()
	v, err := form.Read(charset, deciding[:]...)
	if err != nil {
		return notice.Notice{}, fmt.Errorf("kcp notice: %w", err)
	}
	n, err := read(v)
	if err != nil {
		return notice.Notice{}, fmt.Errorf("kcp notice: %w", err)
	}
	if charset == wire.EUCKR {
		n.Form = formEUCKR
	}
	return n, nil
}

// deciding are the fields that say whose money it is and how much. Two values
// for one of them could be read differently by two readers.
var deciding = [...]string{
	"site_cd", "tno", "order_no", "ordr_idxx", "tx_cd", "tx_tm", "op_cd", "noti_id",
	"ipgm_mnyx", "ipgm_time", "ipgm_stat", "refund_mny", "account",
}

func read(v wire.Values) (notice.Notice, error) {
	f := v.Fields()
	kind, op := f.Take("tx_cd"), v.Get("op_cd")
	n := notice.Notice{
		Report:   payment.Report{Event: eventOf(kind, op), PGTx: f.Take("tno")},
		Kind:     kind,
		Merchant: f.Take("site_cd"),
		Order:    f.TakeFirst("order_no", "ordr_idxx"),
	}
	n.Account = secret.Account(wire.PlainAccount(f.Take("account")))
	if kind == "" && n.PGTx == "" && v.Get("noti_id") == "" {
		return notice.Notice{}, fault.Errorf(fault.Invalid, "the form has neither tx_cd nor tno nor noti_id")
	}
	if n.PGTx == "" && n.Order == "" && n.Account == "" && v.Get("noti_id") == "" {
		return notice.Notice{}, fault.Errorf(fault.Invalid, "the form names no transaction, order or account")
	}
	n.At = f.TakeTime(readTime, "ipgm_time", "tx_tm")
	n.Listed = listed(kind, v)
	n.Closes = kind == kindClosed
	n.Test = op == opMock && v.Get("ipgm_stat") == statMock
	if err := readKind(&n, f); err != nil {
		return notice.Notice{}, err
	}
	n.Key = key(n, v)
	n.Fields, n.Charset = f, v.Charset()
	return n, nil
}

// listed reports whether a person has to see a notice that moves nothing by
// itself: escrow decisions, and what looks like a deposit but does not say so.
func listed(kind string, v wire.Values) bool {
	switch kind {
	case kindConfirmation, kindHeld:
		return true
	case "":
		return v.Get("ipgm_mnyx") != ""
	}
	return false
}

// readKind reads the fields that only some kinds have. What it leaves alone,
// such as the bank of a refund, stays among the notice's Fields.
func readKind(n *notice.Notice, f wire.Fields) error {
	switch n.Kind {
	case kindAccount:
		n.Deposit = f.Take("noti_id")
		n.Depositor = f.TakeFirst("remitter", "ipgm_name")
		n.BankCode = f.Take("bank_code")
		n.Bank = bankOf(n.BankCode)
		n.CashReceipt = takeReceipt(f)
		return readAmount(n, f, "ipgm_mnyx")
	case kindRefunded:
		return readAmount(n, f, "refund_mny")
	}
	return nil
}

func readAmount(n *notice.Notice, f wire.Fields, name string) error {
	won, told, err := f.TakeAmount(name)
	if told {
		n.Amount, n.HasAmount = payment.Won(won), true
	}
	return err
}

// bankOf reads a bank code: the manual says two digits, other pages of KCP
// say BK and two digits, or B and three for securities companies.
func bankOf(code string) payment.Bank {
	code = strings.ToUpper(code)
	if rest, ok := strings.CutPrefix(code, "B"); ok && len(rest) == 3 && wire.Digits(rest) == rest {
		code = rest
	}
	return payment.BankByCode(code)
}

// key names the message. A resend repeats tno and noti_id; op_cd may change
// (01 for a resent 50), so it counts only as deposit or reversal. Notices
// without noti_id are told apart by what happened when, never by when it was
// sent: tx_tm is the time of completion.
func key(n notice.Notice, v wire.Values) string {
	what := "tx:" + n.Kind
	if n.Kind == kindAccount {
		what = "deposit"
		if n.Event == payment.EventReversed {
			what = "reversal"
		}
	}
	parts := []string{n.Merchant, n.PGTx, v.Get("noti_id"), what}
	if n.Kind != kindAccount || v.Get("noti_id") == "" {
		at := v.Get("ipgm_time")
		if at == "" {
			at = v.Get("tx_tm")
		}
		parts = append(parts, at, fingerprint(n, v))
	}
	return wire.Name(parts...)
}

// fingerprint tells apart two notices of one second.
func fingerprint(n notice.Notice, v wire.Values) string {
	return wire.Digest(n.Order, n.Account.Reveal(), n.Amount.String(), v.Get("st_cd"), v.Get("cl_status"))[:16]
}

// readTime reads yyyyMMddHHmmss. The manual gives tx_tm sixteen digits and a
// format of fourteen: more digits would be parts of a second.
func readTime(s string) (time.Time, error) {
	const whole = len(wire.Stamp)
	if len(s) > whole && wire.Digits(s) == s {
		s = s[:whole]
	}
	return wire.Time(s)
}

// takeReceipt takes the cash receipt that KCP registered with the deposit. The
// approval number is what the tax office knows; cash_no is KCP's own.
func takeReceipt(f wire.Fields) *payment.CashReceipt {
	number := f.TakeFirst("cash_a_no", "cash_no")
	if number == "" {
		return nil
	}
	return &payment.CashReceipt{Number: number, At: f.TakeTime(readTime, "cash_a_dt")}
}

// Verify has nothing to check: KCP gives no proof.
func (m module) Verify(notice.Request, notice.Notice, merchant.Channel, payment.Payment) error {
	return nil
}

// page is KCP's sample answer around the result.
const page = `<html><body><form><input type="hidden" name="result" value="%s"></form></body></html>`

// Ack returns KCP's page with 0000, or with 9999 for a refusal. KCP reads the
// page and its manual asks for no particular status, so a refusal has 400
// besides: whatever stands in between shall not take it for success.
func (m module) Ack(_ notice.Request, o provider.Outcome) provider.Reply {
	status, result := http.StatusBadRequest, "9999"
	if o == provider.Received {
		status, result = http.StatusOK, "0000"
	}
	return provider.Reply{Status: status, ContentType: "text/html", Body: fmt.Appendf(nil, page, result)}
}
