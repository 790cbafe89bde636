package kpn

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"net/http"
	"net/url"
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

// stamp is KPN's format of times.
const stamp = "20060102150405"

// Encode writes the form that KPN would post: the six fields in the order of
// its sample, in EUC-KR if the notice's Form is "euc-kr", or the older form, in
// the order of the notice that was captured, if it is "dbpath". Kind chooses
// the ReplyCode where several mean the event. Fields fill in or add what the
// notice has no place for; the notice's account, bank, depositor and time have
// no place on the wire.
//
// The hash is the notice's Proof if that is one, as KPN would echo what was
// registered, else made with the credentials, else with KPN's test merchant's.
func (m module) Encode(n notice.Notice, c merchant.Credentials) notice.Request {
	w := writer{extra: maps.Clone(n.Fields)}
	e := echo{order: n.Order, old: strings.EqualFold(n.Form, formOld), amount: "1000"}
	if e.order == "" {
		e.order = "KPN" + time.Unix(number(n.PGTx, n.Deposit), 0).In(wire.Seoul).Format(stamp)
	}
	e.date = w.or("MxIssueDate", dateOf(e.order, n.Deposit))
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
		w.putOld(n, e)
	case strings.EqualFold(n.Form, formEUCKR):
		charset = wire.EUCKR
		w.putSix(n, e, "정상처리", "처리실패")
	default:
		w.putSix(n, e, "OK", "FAIL")
	}
	w.putRest(n)
	return notice.Request{
		Method: http.MethodPost,
		Path:   m.Info().Paths[0],
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   wire.EncodeForm(w.fields, charset),
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

// dateOf is the MxIssueDate of an order: that in the name of its deposit, else
// one made of the names alone. It does not depend on the notice's time, since
// all that KPN tells of an order has one MxIssueDate.
func dateOf(order, deposit string) string {
	date, ok := strings.CutPrefix(deposit, url.PathEscape(order)+"/")
	if ok && len(date) == len(stamp) && wire.Digits(date) == date {
		return date
	}
	return time.Unix(number(order, deposit), 0).In(wire.Seoul).Format(stamp)
}

// number is a second of the first half of 2026 that depends on nothing but
// seed.
func number(seed ...string) int64 {
	const half = 180 * 24 * 3600
	sum := sha256.Sum256([]byte(strings.Join(seed, "\x1f")))
	return time.Date(2026, 1, 1, 0, 0, 0, 0, wire.Seoul).Unix() + int64(binary.BigEndian.Uint32(sum[:])%half)
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

// putSix writes the six fields. good and bad are the words of ReplyMessage.
func (w *writer) putSix(n notice.Notice, e echo, good, bad string) {
	if n.Event == payment.EventOther {
		good = bad
	}
	w.put("Amount", e.amount)
	w.put("ReplyCode", codeFor(n))
	w.put("ReplyMessage", w.or("ReplyMessage", good))
	w.put("MxIssueNO", e.order)
	w.put("MxIssueDate", e.date)
	w.put("MxHASH256", e.hash.Reveal())
}

func (w *writer) putOld(n notice.Notice, e echo) {
	tx := n.PGTx
	if tx == "" {
		tx = strconv.FormatInt(number(e.order, e.date)%1_000_000, 10)
	}
	w.put("ReplyCode", codeFor(n))
	w.put("MxIssueDate", e.date)
	w.put("MSTR", w.or("MSTR", ""))
	w.put("MSTR2", w.or("MSTR2", ""))
	w.put("Smode", smodeFor(n))
	w.put("Amount", e.amount)
	w.put("MxIssueNO", e.order)
	w.put("TxNO", tx)
	w.put("MxHASH", e.hash.Reveal())
	w.put("ReplyMessage", w.or("ReplyMessage", "0000"))
}

// putRest writes the notice's remaining fields, sorted since a map has no
// order.
func (w *writer) putRest(n notice.Notice) {
	if _, ok := w.extra["Smode"]; ok {
		w.extra["Smode"] = smodeFor(n)
	}
	for _, name := range slices.Sorted(maps.Keys(w.extra)) {
		w.put(name, w.extra[name])
	}
}

// Acked reports whether the answer is 200 with ACK=200OKOK. KPN's ASP sample
// has blanks and line ends around it.
func (module) Acked(r provider.Reply) bool {
	return r.Status == http.StatusOK && strings.TrimSpace(string(r.Body)) == ackStored
}
