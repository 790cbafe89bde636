package kpn

import (
	"cmp"
	"maps"
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

// Encode writes the form that KPN would post: the six fields in the order of
// its sample, in EUC-KR if the notice's Form is "euc-kr", or the older form, in
// the order of the notice that was captured, if it is "dbpath". Kind chooses
// the ReplyCode where several mean the event. Fields fill in or add what the
// notice has no place for; the notice's account, bank, depositor and time have
// no place on the wire. All that is told of an order has one MxIssueDate, which
// only Fields change: a deposit of the same order under another is another one.
//
// The hash is the notice's Proof if that is one, as KPN would echo what was
// registered, else made with the credentials, else with KPN's test merchant's.
func (m module) Encode(n notice.Notice, c merchant.Credentials) notice.Request {
	own := maps.Clone(n.Fields)
	if _, ok := own["Smode"]; ok {
		own["Smode"] = smodeFor(n)
	}
	w := wire.NewWriter(own)
	e := echo{order: n.Order, old: strings.EqualFold(n.Form, formOld), amount: "1000"}
	if e.order == "" {
		e.order = "KPN" + someDate(n.PGTx, n.Deposit)
	}
	e.date = w.Own("MxIssueDate", someDate(e.order))
	if n.HasAmount {
		e.amount = strconv.FormatInt(n.Amount.Amount, 10)
	}
	if e.isHash(n.Proof.Reveal()) {
		e.hash = n.Proof
	} else {
		e.hash = e.made(keys(n, c))
	}
	charset := wire.UTF8
	switch {
	case e.old:
		putOld(w, n, e)
	case strings.EqualFold(n.Form, formEUCKR):
		charset = wire.EUCKR
		putSix(w, n, e, "정상처리", "처리실패")
	default:
		putSix(w, n, e, "OK", "FAIL")
	}
	w.PutRest()
	return notice.Request{
		Method: http.MethodPost,
		Path:   m.Info().Paths[0],
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   w.Encode(charset),
	}
}

// keys are what the merchant would hash with.
func keys(n notice.Notice, c merchant.Credentials) (id, otp secret.Text) {
	id, otp = secret.Text(n.Merchant), c[mxOTP]
	if id == "" {
		id = testID
	}
	if otp == "" {
		otp = testOTP
	}
	return id, otp
}

// someDate is a second of the first half of 2026 that depends on nothing but
// seed, as KPN writes it.
func someDate(seed ...string) string {
	const half = 180 * 24 * time.Hour
	return wire.Earlier(time.Date(2026, 6, 30, 0, 0, 0, 0, wire.Seoul), half, seed...).Format(wire.Stamp)
}

// codeFor is the notice's own ReplyCode if that means its event, else the one
// that does. No code of a failure is published.
func codeFor(n notice.Notice) string {
	if e, _ := eventOf(n.Kind, smodeFor(n)); n.Kind != "" && e == n.Event {
		return n.Kind
	}
	switch n.Event {
	case payment.EventDeposited:
		return codeDeposited
	case payment.EventReversed:
		return codeReversed
	case payment.EventIssued:
		return codeIssued
	default:
		return "00009999"
	}
}

// smodeFor is the notice's own Smode, unless that would make its event another
// method's.
func smodeFor(n notice.Notice) string {
	if own := n.Fields["Smode"]; own != "" && n.Event == payment.EventOther {
		return own
	}
	return smodeAccount
}

// putSix writes the six fields. good and bad are the words of ReplyMessage.
func putSix(w *wire.Writer, n notice.Notice, e echo, good, bad string) {
	if n.Event == payment.EventOther {
		good = bad
	}
	w.Put("Amount", e.amount)
	w.Put("ReplyCode", codeFor(n))
	w.PutOwn("ReplyMessage", good)
	w.Put("MxIssueNO", e.order)
	w.Put("MxIssueDate", e.date)
	w.Put("MxHASH256", e.hash.Reveal())
}

func putOld(w *wire.Writer, n notice.Notice, e echo) {
	w.Put("ReplyCode", codeFor(n))
	w.Put("MxIssueDate", e.date)
	w.PutOwn("MSTR", "")
	w.PutOwn("MSTR2", "")
	w.Put("Smode", smodeFor(n))
	w.Put("Amount", e.amount)
	w.Put("MxIssueNO", e.order)
	w.PutOwn("TxNO", cmp.Or(n.PGTx, wire.Serial(6, e.order, e.date)))
	w.Put("MxHASH", e.hash.Reveal())
	w.PutOwn("ReplyMessage", "0000")
}

// Acked reports whether the answer is 200 with ACK=200OKOK. KPN's ASP sample
// has blanks and line ends around it.
func (module) Acked(r provider.Reply) bool {
	return r.Status == http.StatusOK && strings.TrimSpace(string(r.Body)) == ackStored
}
