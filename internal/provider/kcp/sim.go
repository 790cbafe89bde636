package kcp

import (
	"crypto/sha256"
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
	"github.com/tongbo/tongbo/internal/secret"
)

// stamp is KCP's format of times.
const stamp = "20060102150405"

// Encode writes the form that KCP would post, in the order of its manual's
// tables, as UTF-8 or, if the notice's Form is "euc-kr", as EUC-KR. Kind
// chooses the tx_cd where several mean the event. Fields fill in or add what
// the notice has no place for. No credential is needed.
func (m module) Encode(n notice.Notice, _ merchant.Credentials) notice.Request {
	kind := kindFor(n)
	n = completed(n)
	w := writer{extra: maps.Clone(n.Fields)}
	w.put("site_cd", n.Merchant)
	w.put("tno", n.PGTx)
	w.put("order_no", n.Order)
	w.put("tx_cd", kind)
	w.put("tx_tm", w.or("tx_tm", n.At.Format(stamp)))
	w.putKind(kind, n)
	w.putRest()

	charset := wire.UTF8
	if strings.EqualFold(n.Form, formEUCKR) {
		charset = wire.EUCKR
	}
	return notice.Request{
		Method: http.MethodPost,
		Path:   m.path,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   wire.EncodeForm(w.fields, charset),
	}
}

// kindFor is the notice's own kind if that means its event, else the one that
// a merchant without escrow would see.
func kindFor(n notice.Notice) string {
	if n.Kind != "" && eventOf(n.Kind, "") == n.Event {
		return n.Kind
	}
	switch n.Event {
	case payment.EventDeposited, payment.EventReversed:
		return kindAccount
	case payment.EventRefunded:
		return kindRefunded
	case payment.EventCancelled:
		return kindClosed
	default:
		return kindDelivery
	}
}

// completed fills what the notice leaves empty. It depends on nothing but the
// notice, so that the same notice is the same message again; a deposit and its
// reversal share what they must if the caller gives them the same Deposit.
func completed(n notice.Notice) notice.Notice {
	if n.Merchant == "" {
		n.Merchant = "T0000"
	}
	if n.Order == "" {
		n.Order = "TEST" + digitsFrom(10, n.Merchant, n.PGTx, n.Account.Reveal())
	}
	if n.PGTx == "" {
		n.PGTx = "20" + digitsFrom(12, n.Merchant, n.Order)
	}
	if n.At.IsZero() {
		n.At = time.Date(2026, 1, 2, 12, 0, 0, 0, wire.Seoul)
	}
	n.At = n.At.In(wire.Seoul)
	if !n.HasAmount {
		n.Amount = payment.Won(1000)
	}
	if n.Deposit == "" {
		n.Deposit = n.At.Format("20060102") + digitsFrom(12, n.Merchant, n.PGTx, n.At.Format(stamp), n.Amount.String())
	}
	if n.Account == "" {
		// Observed: the numbers of test accounts begin with a T.
		n.Account = secret.Account("T" + digitsFrom(13, n.Merchant, n.PGTx))
	}
	if n.Depositor == "" {
		n.Depositor = "홍길동"
	}
	if n.BankCode == "" {
		n.BankCode = bankCode(n.Bank)
	}
	return n
}

// bankCode spells a bank as KCP does: BK04, and B209 for securities companies.
func bankCode(b payment.Bank) string {
	if b == "" {
		return "BK04"
	}
	code := b.Code()
	if code == "" {
		return ""
	}
	if rest, ok := strings.CutPrefix(code, "0"); ok {
		return "BK" + rest
	}
	return "B" + code
}

// digitsFrom makes n digits, at most 32, that depend on nothing but seed.
func digitsFrom(n int, seed ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(seed, "\x1f")))
	out := make([]byte, n)
	for i := range out {
		out[i] = '0' + sum[i]%10
	}
	return string(out)
}

// A writer collects the form's fields. extra are the notice's own fields that
// are not written yet.
type writer struct {
	fields []wire.Field
	extra  map[string]string
}

func (w *writer) put(name, value string) {
	w.fields = append(w.fields, wire.Field{Name: name, Value: value})
	delete(w.extra, name)
}

// or returns the notice's own field, or value if it has none.
func (w *writer) or(name, value string) string {
	if own, ok := w.extra[name]; ok {
		return own
	}
	return value
}

// putKind writes the fields that only this kind has.
func (w *writer) putKind(kind string, n notice.Notice) {
	switch kind {
	case kindAccount:
		w.putDeposit(n)
	case kindRefunded:
		w.put("refund_nm", w.or("refund_nm", n.Depositor))
		w.put("refund_mny", strconv.FormatInt(n.Amount.Amount, 10))
		w.put("bank_code", w.or("bank_code", n.BankCode))
	case kindConfirmation:
		w.put("st_cd", w.or("st_cd", "Y"))
	case kindDelivery:
		w.put("waybill_no", w.or("waybill_no", digitsFrom(12, n.PGTx)))
		w.put("waybill_corp", w.or("waybill_corp", "우체국택배"))
	}
}

func (w *writer) putDeposit(n notice.Notice) {
	amount := strconv.FormatInt(n.Amount.Amount, 10)
	w.put("ipgm_name", w.or("ipgm_name", n.Depositor))
	w.put("remitter", n.Depositor)
	w.put("ipgm_mnyx", amount)
	w.put("totl_mnyx", w.or("totl_mnyx", amount))
	w.put("ipgm_time", n.At.Format(stamp))
	w.put("bank_code", n.BankCode)
	w.put("account", n.Account.Reveal())
	w.put("noti_id", n.Deposit)
	w.put("op_cd", w.op(n))
	if n.Test {
		w.put("ipgm_stat", statMock)
	}
	if r := n.CashReceipt; r != nil {
		w.put("cash_a_no", r.Number)
		if !r.At.IsZero() {
			w.put("cash_a_dt", r.At.In(wire.Seoul).Format(stamp))
		}
	}
}

// op is the notice's op_cd: its own one unless that would mean another event.
func (w *writer) op(n notice.Notice) string {
	switch own := w.extra["op_cd"]; {
	case n.Event == payment.EventReversed:
		return opReversed
	case n.Test:
		return opMock
	case own != "" && own != opReversed:
		return own
	}
	return "50"
}

// putRest writes the notice's remaining fields, sorted since a map has no
// order.
func (w *writer) putRest() {
	for _, name := range slices.Sorted(maps.Keys(w.extra)) {
		w.put(name, w.extra[name])
	}
}

var (
	inputTag  = regexp.MustCompile(`(?is)<input\b((?:[^>"']|"[^"]*"|'[^']*')*)>`)
	attribute = regexp.MustCompile(`(?s)([^\s"'>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))`)
)

// Acked reports whether the answer is 200 with a page that has an input called
// result whose value is 0000, however its attributes are written.
func (m module) Acked(r provider.Reply) bool {
	if r.Status != http.StatusOK {
		return false
	}
	for _, tag := range inputTag.FindAllSubmatch(r.Body, -1) {
		var name, value string
		for _, a := range attribute.FindAllSubmatch(tag[1], -1) {
			text := string(a[2]) + string(a[3]) + string(a[4])
			switch strings.ToLower(string(a[1])) {
			case "name":
				name = text
			case "value":
				value = text
			}
		}
		if name == "result" && strings.TrimSpace(value) == "0000" {
			return true
		}
	}
	return false
}
