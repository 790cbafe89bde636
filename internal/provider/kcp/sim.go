package kcp

import (
	"net/http"
	"regexp"
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

// Encode writes the form that KCP would post, in the order of its manual's
// tables, as UTF-8 or, if the notice's Form is "euc-kr", as EUC-KR. Kind
// chooses the tx_cd where several mean the event. Fields fill in or add what
// the notice has no place for. No credential is needed.
func (m module) Encode(n notice.Notice, _ merchant.Credentials) notice.Request {
	kind := kindFor(n)
	n = completed(n)
	w := wire.NewWriter(n.Fields)
	w.Put("site_cd", n.Merchant)
	w.Put("tno", n.PGTx)
	w.Put("order_no", n.Order)
	w.Put("tx_cd", kind)
	w.PutOwn("tx_tm", n.At.Format(wire.Stamp))
	putKind(w, kind, n)
	w.PutRest()

	charset := wire.UTF8
	if strings.EqualFold(n.Form, formEUCKR) {
		charset = wire.EUCKR
	}
	return notice.Request{
		Method: http.MethodPost,
		Path:   m.path,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   w.Encode(charset),
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
		n.Order = "TEST" + wire.Serial(10, n.Merchant, n.PGTx, n.Account.Reveal())
	}
	if n.PGTx == "" {
		n.PGTx = "20" + wire.Serial(12, n.Merchant, n.Order)
	}
	if n.At.IsZero() {
		n.At = time.Date(2026, 1, 2, 12, 0, 0, 0, wire.Seoul)
	}
	n.At = n.At.In(wire.Seoul)
	if !n.HasAmount {
		n.Amount = payment.Won(1000)
	}
	if n.Deposit == "" {
		n.Deposit = n.At.Format("20060102") + wire.Serial(12, n.Merchant, n.PGTx, n.At.Format(wire.Stamp), n.Amount.String())
	}
	if n.Account == "" {
		// Observed: the numbers of test accounts begin with a T.
		n.Account = secret.Account("T" + wire.Serial(13, n.Merchant, n.PGTx))
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

// putKind writes the fields that only this kind has.
func putKind(w *wire.Writer, kind string, n notice.Notice) {
	switch kind {
	case kindAccount:
		putDeposit(w, n)
	case kindRefunded:
		w.PutOwn("refund_nm", n.Depositor)
		w.Put("refund_mny", strconv.FormatInt(n.Amount.Amount, 10))
		w.PutOwn("bank_code", n.BankCode)
	case kindConfirmation:
		w.PutOwn("st_cd", "Y")
	case kindDelivery:
		w.PutOwn("waybill_no", wire.Serial(12, n.PGTx))
		w.PutOwn("waybill_corp", "우체국택배")
	}
}

func putDeposit(w *wire.Writer, n notice.Notice) {
	amount := strconv.FormatInt(n.Amount.Amount, 10)
	w.PutOwn("ipgm_name", n.Depositor)
	w.Put("remitter", n.Depositor)
	w.Put("ipgm_mnyx", amount)
	w.PutOwn("totl_mnyx", amount)
	w.Put("ipgm_time", n.At.Format(wire.Stamp))
	w.Put("bank_code", n.BankCode)
	w.Put("account", n.Account.Reveal())
	w.Put("noti_id", n.Deposit)
	w.Put("op_cd", opOf(w, n))
	if n.Test {
		w.Put("ipgm_stat", statMock)
	}
	if r := n.CashReceipt; r != nil {
		w.Put("cash_a_no", r.Number)
		if !r.At.IsZero() {
			w.Put("cash_a_dt", r.At.In(wire.Seoul).Format(wire.Stamp))
		}
	}
}

// opOf is the notice's op_cd: its own one unless that would mean another event.
func opOf(w *wire.Writer, n notice.Notice) string {
	switch own := w.Own("op_cd", ""); {
	case n.Event == payment.EventReversed:
		return opReversed
	case n.Test:
		return opMock
	case own != "" && own != opReversed:
		return own
	}
	return "50"
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
