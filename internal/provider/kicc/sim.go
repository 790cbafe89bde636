package kicc

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// Encode writes a notice as KICC would post it: as JSON if the notice's Form
// is "json" or its event is one that only the new form is known to tell, else
// in the old form. Kind chooses among the numbers that mean the event (40 for
// an escrow deposit), and Fields may give the state and what the notice has no
// place for. No credential is needed.
func (m module) Encode(n notice.Notice, _ merchant.Credentials) notice.Request {
	r := notice.Request{Method: http.MethodPost, Path: m.Info().Paths[0], Header: http.Header{}}
	t := tell(n)
	if n.Form == formJSON || onlyNew(t.kind) {
		r.Header.Set("Content-Type", "application/json; charset=utf-8")
		r.Body = writeJSON(t.newFields())
		return r
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Body = wire.EncodeForm(t.oldFields(), wire.EUCKR)
	return r
}

// onlyNew reports whether a kind is known of the new form alone.
func onlyNew(kind string) bool {
	switch kind {
	case kindReversed, kindRefunded, kindRefundFailed, kindUnionPay:
		return true
	}
	return false
}

// Acked reports whether KICC would stop: status 200 and result code 0000, in
// either form. A reply does not tell which form it answers. Observed: the old
// form's fields may be parted by "^" as well as by the byte 0x1F.
func (module) Acked(r provider.Reply) bool {
	if r.Status != http.StatusOK {
		return false
	}
	if bytes.HasPrefix(bytes.TrimLeft(r.Body, " \t\r\n"), []byte("{")) {
		values, err := parseJSON(r.Body)
		return err == nil && values["resCd"] == success
	}
	for field := range strings.FieldsFuncSeq(string(r.Body), func(c rune) bool { return c == 0x1f || c == '^' }) {
		if code, ok := strings.CutPrefix(field, "res_cd="); ok {
			return code == success
		}
	}
	return false
}

// A telling is a notice with everything that KICC says of it.
type telling struct {
	notice.Notice
	kind, code, message      string
	state, stateText, method string
	tx, issue                string
	total, part              string // part is of cancels and refunds only
	at                       string
}

// tell fills what the notice leaves empty. It depends on nothing but the
// notice, so that the same notice is the same message again.
func tell(n notice.Notice) telling {
	t := telling{Notice: complete(n)}
	t.at = t.At.Format(wire.Stamp)
	t.choose()
	t.issue = t.PGTx
	t.tx = t.issue
	switch t.Event {
	case payment.EventDeposited, payment.EventReversed:
		t.tx = cmp.Or(t.Deposit, number(t.At, "deposit", t.Merchant, t.Order, t.PGTx, t.Amount.String()))
	case payment.EventOther:
		if t.kind == kindEscrow {
			t.tx = number(t.At, "state", t.Merchant, t.Order, t.state)
		}
	default:
	}
	t.total = strconv.FormatInt(t.Amount.Amount, 10)
	switch t.Event {
	case payment.EventPartiallyCancelled:
		// The notice has the part; the payment's amount is not known here.
		t.part, t.total = t.total, cmp.Or(n.Fields["amount"], strconv.FormatInt(2*t.Amount.Amount, 10))
	case payment.EventCancelled:
		t.part = t.total
	case payment.EventRefunded, payment.EventRefundFailed:
		// Documented as a field of refunds; the published samples lack it.
		if n.HasAmount {
			t.part = t.total
		}
	default:
	}
	return t
}

// choose sets kind, state and messages.
func (t *telling) choose() {
	own := t.Fields["stat_cd"]
	if t.Form == formJSON {
		own = t.Fields["statusCode"]
	}
	t.code, t.method = success, methodAccount
	switch t.Event {
	case payment.EventIssued:
		t.kind, t.message, t.state, t.stateText = kindApproved, "정상", stateWaiting, "입금대기"
	case payment.EventReversed:
		t.kind, t.message = kindReversed, "입금취소"
	case payment.EventCancelled:
		t.kind, t.message, t.state, t.stateText = kindChanged, "정상취소", stateCancelled, "승인취소"
		if t.Closes {
			t.state, t.stateText = escrowClosed, "계좌발급 취소"
		}
	case payment.EventPartiallyCancelled:
		t.kind, t.message, t.state, t.stateText = kindChanged, "정상처리", stateRefunded, "환불완료"
	case payment.EventRefunded:
		t.kind, t.message, t.state, t.stateText = kindRefunded, "정상 처리", stateRefunded, "환불완료"
	case payment.EventRefundFailed:
		t.kind, t.code, t.message = kindRefundFailed, "5413", "기타수취불가"
	case payment.EventApproved:
		t.kind, t.message, t.method, t.state, t.stateText = kindApproved, "정상", methodCard, "TS03", "매입요청"
		if t.Kind == kindUnionPay {
			t.kind, t.state, t.stateText = kindUnionPay, "", ""
		}
	case payment.EventDeposited:
		t.kind, t.message = kindDeposited, "입금완료"
		if t.Form != formJSON {
			t.state = stateDeposited
		}
		if t.Kind == kindEscrow {
			t.kind, t.state, t.stateText = kindEscrow, escrowDeposited, "입금완료"
		}
	default: // other, and what KICC has no word for
		t.kind, t.message, t.state, t.stateText = kindEscrow, "정상", escrowConfirmed, "구매확인"
		if strings.HasPrefix(own, "ES") && own != escrowDeposited {
			t.state, t.stateText = own, ""
		}
	}
}

// someTime stands for a time that the notice leaves out.
var someTime = time.Date(2026, 1, 2, 12, 0, 0, 0, wire.Seoul)

func complete(n notice.Notice) notice.Notice {
	n.Merchant, n.Order = cmp.Or(n.Merchant, "T0010143"), cmp.Or(n.Order, "ORDER20260102001")
	if n.PGTx == "" {
		// From the order alone: all notices of an order speak of one issue.
		n.PGTx = number(someTime, "issue", n.Merchant, n.Order)
	}
	if n.At.IsZero() {
		n.At = someTime
	}
	n.At = n.At.In(wire.Seoul)
	if n.Amount.IsZero() {
		n.Amount = payment.Won(15000)
	}
	if n.Bank == "" {
		n.Bank = bankOf(cmp.Or(n.BankCode, "011"))
	}
	n.BankName = cmp.Or(n.BankName, n.Bank.Name())
	if n.Account == "" {
		n.Account = secret.Account("T" + wire.Serial(13, n.Merchant, n.PGTx)) // as test accounts are
	}
	if n.Depositor == "" && (n.Event == payment.EventDeposited || n.Event == payment.EventReversed) {
		n.Depositor = "홍길동"
	}
	if n.ExpiresAt.IsZero() {
		n.ExpiresAt = time.Date(n.At.Year(), n.At.Month(), n.At.Day()+7, 23, 59, 59, 0, wire.Seoul)
	}
	n.ExpiresAt = n.ExpiresAt.In(wire.Seoul)
	if n.PGCancel == "" {
		n.PGCancel = number(n.At, "cancel", n.Merchant, n.Order, n.Amount.String())
	}
	return n
}

// bankCode spells the account's bank: in three digits, or in two as the
// samples of the new form do where the first is a zero.
func (t telling) bankCode() string {
	code := t.BankCode
	if code == "" && t.Bank == "SHINHAN" {
		code = shinhanIssued
	}
	code = cmp.Or(code, t.Bank.Code())
	if t.Form == formJSON && len(code) == 3 {
		code = strings.TrimPrefix(code, "0")
	}
	return code
}

// number makes up a transaction number: a time and eight digits.
func number(at time.Time, seed ...string) string {
	return at.In(wire.Seoul).Format("060102150405") + wire.Serial(8, seed...)
}

// writeJSON writes one object of strings, in order. KICC does not escape "&"
// and "<" as package json would.
func writeJSON(fields []wire.Field) []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	text := func(s string) {
		if err := e.Encode(s); err != nil {
			panic(err) // a string always marshals
		}
		out.Truncate(out.Len() - 1) // the line end
	}
	out.WriteByte('{')
	for i, f := range fields {
		if i > 0 {
			out.WriteByte(',')
		}
		text(f.Name)
		out.WriteByte(':')
		text(f.Value)
	}
	out.WriteByte('}')
	return out.Bytes()
}
