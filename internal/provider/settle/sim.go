package settle

import (
	"cmp"
	"net/http"
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

// Encode writes the form that Hecto would post, in the order of its document,
// as EUC-KR or, if the notice's Form is "utf-8", as UTF-8. Kind chooses the
// bizType where several mean the event, and Fields override what would be made
// up; with acntType 3 and no order it is a deposit on an account without
// limit. The hash is made with hash_key, or as on the test servers if the
// credentials have none.
func (m module) Encode(n notice.Notice, c merchant.Credentials) notice.Request {
	w := writer{wire.NewWriter(n.Fields)}
	l := w.lineFor(n)
	n = w.completed(n)
	w.putHead(l, n)
	if l.method == methodAccount {
		w.putAccount(n)
	} else {
		w.putCard()
	}
	w.putTail(l, n)
	w.Drop("pktHash")
	w.PutRest()
	w.sign(cmp.Or(c[hashKey], testHashKey))

	charset := wire.EUCKR
	if strings.EqualFold(n.Form, formUTF8) {
		charset = wire.UTF8
	}
	return notice.Request{
		Method: http.MethodPost,
		Path:   m.Info().Paths[0],
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   w.Encode(charset),
	}
}

// Acked reports whether Hecto would stop: status 200 and the body "OK", with
// or without a line break around it.
func (module) Acked(r provider.Reply) bool {
	return r.Status == http.StatusOK && strings.Trim(string(r.Body), "\r\n") == "OK"
}

// A line is how the form words an event.
type line struct{ status, method, biz, cancel string }

// lineFor chooses the words of an event: those with the notice's Kind if there
// are any, else the most usual.
func (w writer) lineFor(n notice.Notice) line {
	l := line{status: statusDone, method: methodAccount}
	if n.OtherMethod || n.Event == payment.EventApproved {
		l.method = methodCard
		if own := w.Own("method", ""); own != "" && own != methodAccount {
			l.method = own
		}
	}
	switch n.Event {
	case payment.EventIssued:
		l.status, l.biz = statusWaiting, bizIssued
		if n.Kind == bizIssued010 {
			l.biz = n.Kind
		}
	case payment.EventDeposited:
		l.biz = bizDeposit
	case payment.EventApproved:
		l.biz = bizApproved
	case payment.EventCancelled:
		l.biz, l.cancel = bizRefund, cancelAll
		if (n.Kind == bizClosed || n.Closes) && !n.OtherMethod {
			l.biz, l.cancel = bizClosed, ""
		}
	case payment.EventPartiallyCancelled:
		l.biz, l.cancel = bizRefund, cancelPart
	default: // no notice that moves nothing is documented: one of a failure
		l.status, l.biz = statusFailed, cmp.Or(n.Kind, bizDeposit)
		if own := w.Own("outStatCd", ""); own != "" && l.with(own).event() == payment.EventOther {
			l.status = own
		}
	}
	return l
}

// with is the line with another status.
func (l line) with(status string) line {
	l.status = status
	return l
}

// event is what the line means to Decode.
func (l line) event() payment.Event {
	e, _ := form{Fields: wire.Fields{"outStatCd": l.status, "method": l.method, "bizType": l.biz}}.event()
	return e
}

// completed fills what the notice leaves empty. It depends on nothing but the
// notice, so that the same notice is the same message again.
func (w writer) completed(n notice.Notice) notice.Notice {
	unlimited := w.Own("acntType", "") == "3"
	if n.Merchant == "" {
		n.Merchant = testMID
		if unlimited {
			n.Merchant = testMIDUnlimited
		}
	}
	if n.At.IsZero() {
		n.At = someTime
	}
	n.At = n.At.In(wire.Seoul)
	if n.Order == "" {
		n.Order = noOrder
		if !unlimited {
			n.Order = "ORDER" + wire.Serial(14, n.Merchant, n.PGTx, n.Deposit, n.Account.Reveal())
		}
	}
	if !n.HasAmount && n.Amount.IsZero() {
		n.Amount = payment.Won(1000)
	}
	if n.Account == "" {
		n.Account = secret.Account("790" + wire.Serial(11, n.Merchant, n.Order))
	}
	if n.Event != payment.EventIssued { // nobody has paid yet
		n.Depositor = cmp.Or(n.Depositor, "홍길동")
	}
	if n.Bank == "" && n.BankCode == "" {
		n.BankCode = "011"
	}
	n.BankCode = cmp.Or(n.BankCode, n.Bank.Code())
	n.BankName = cmp.Or(n.BankName, n.Bank.Name(), payment.BankByCode(n.BankCode).Name())
	if n.ExpiresAt.IsZero() {
		// Ten days unless the merchant asks for another time (document, 15.1.1).
		y, month, d := n.At.Date()
		n.ExpiresAt = time.Date(y, month, d+10, 23, 59, 59, 0, wire.Seoul)
	}
	return n
}

// someTime stands for a time that the notice leaves out.
var someTime = time.Date(2026, 1, 2, 12, 0, 0, 0, wire.Seoul)

// numbers are the trdNo and orgTrdNo of a completed notice. Where the notice
// names neither, those of an issue and of the cancel of it follow from the
// order alone, and a deposit has its own, since they may differ.
func numbers(l line, n notice.Notice) (no, original string) {
	when, amount := n.At.Format(wire.Stamp), n.Amount.String()
	switch n.Event {
	case payment.EventCancelled, payment.EventPartiallyCancelled:
		no = cmp.Or(n.PGCancel, newNumber(l, n, n.At, "cancel", when, amount))
		return no, cmp.Or(n.PGTx, n.Deposit, newNumber(l, n, issuedAt(n)))
	case payment.EventDeposited:
		return cmp.Or(n.Deposit, n.PGTx, newNumber(l, n, n.At, "deposit", when, amount, n.Account.Reveal())), ""
	default:
		return cmp.Or(n.PGTx, newNumber(l, n, issuedAt(n))), ""
	}
}

// newNumber makes up a trdNo as the document's look: the method, the MID
// filled up to ten characters, a time and seven digits.
func newNumber(l line, n notice.Notice, at time.Time, seed ...string) string {
	mid := n.Merchant + strings.Repeat("0", max(0, 10-len(n.Merchant)))
	return "STFP_PG" + l.method + mid + "0" + at.Format("060102150405") + "M" +
		wire.Serial(7, append(seed, n.Merchant, n.Order)...)
}

// issuedAt is a time for the issue of a notice's order.
func issuedAt(n notice.Notice) time.Time {
	return wire.Earlier(someTime, 3*time.Hour, "issue", n.Merchant, n.Order)
}

// A writer writes one form of Hecto's.
type writer struct{ *wire.Writer }

func (w writer) putHead(l line, n notice.Notice) {
	no, _ := numbers(l, n)
	w.Put("outStatCd", l.status)
	w.Put("trdNo", no)
	w.Put("method", l.method)
	w.Put("bizType", l.biz)
	w.Put("mchtId", n.Merchant)
	w.Put("mchtTrdNo", n.Order)
	w.PutOwn("mchtCustNm", "홍길동")
	w.PutOwn("mchtName", "헥토파이낸셜")
	w.PutOwn("pmtprdNm", "테스트상품")
	w.Put("trdDtm", n.At.Format(wire.Stamp))
	w.Put("trdAmt", strconv.FormatInt(n.Amount.Amount, 10))
}

func (w writer) putAccount(n notice.Notice) {
	w.Put("bankCd", n.BankCode)
	w.Put("bankNm", n.BankName)
	w.PutOwn("acntType", "1")
	w.Put("vAcntNo", n.Account.Reveal())
	w.Put("expireDt", n.ExpiresAt.In(wire.Seoul).Format(wire.Stamp))
	w.PutOwn("AcntPrintNm", "헥토파이낸셜")
	w.Put("dpstrNm", n.Depositor)
}

func (w writer) putCard() {
	w.PutOwn("cardCd", "NHC")
	w.PutOwn("cardNm", "NH 체크")
	w.PutOwn("cardApprNo", "30001234")
	w.PutOwn("instmtMon", "00")
}

func (w writer) putTail(l line, n notice.Notice) {
	receipt, originalDate := "", ""
	if n.CashReceipt != nil {
		receipt = cmp.Or(n.CashReceipt.Number, "123456789")
	}
	_, original := numbers(l, n)
	if original = cmp.Or(original, w.Own("orgTrdNo", "")); original != "" {
		originalDate = n.At.Format("20060102")
	}
	w.PutOwn("email", "hong@example.com")
	w.PutOwn("mchtCustId", "HongGilDong")
	w.Put("orgTrdNo", original)
	w.PutOwn("orgTrdDt", originalDate)
	w.Put("csrcIssNo", receipt)
	w.Put("cnclType", l.cancel)
	w.PutOwn("mchtParam", "name=HongGilDong&age=25")
}

// sign ends the form with its hash.
func (w writer) sign(key secret.Text) {
	var plain strings.Builder
	for _, name := range hashed {
		i := slices.IndexFunc(w.Fields, func(f wire.Field) bool { return f.Name == name })
		plain.WriteString(w.Fields[i].Value)
	}
	w.Put("pktHash", hash(plain.String(), key))
}
