package tosspayments

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// createdLayout is how Toss writes createdAt: Korean time, without an offset.
const createdLayout = "2006-01-02T15:04:05.000000"

// depositBody is a DEPOSIT_CALLBACK in the order of the published sample.
type depositBody struct {
	CreatedAt      string `json:"createdAt"`
	Secret         string `json:"secret"`
	Status         string `json:"status"`
	TransactionKey string `json:"transactionKey"`
	OrderID        string `json:"orderId"`
}

// Encode writes a webhook as Toss would. Virtual accounts are told by
// DEPOSIT_CALLBACK, or by PAYMENT_STATUS_CHANGED if the notice's Form is
// FormPayment; other methods always by the latter. A notice's Kind that is a
// state of Toss's is taken as it is.
//
// EventReversed is a WAITING_FOR_DEPOSIT under a transaction key of its own,
// which decodes as EventIssued with Reopens; with Kind CANCELED it is what API
// versions up to 1.4 send. Events that Toss does not tell, and EventOther,
// become an event without an effect: the one that Kind names.
//
// The notice's Proof should be the payment's secret: the one that is made up
// if it is empty depends on the order alone.
func (m module) Encode(n notice.Notice, c merchant.Credentials) notice.Request {
	at := timeOf(n)
	r := notice.Request{Method: http.MethodPost, Path: m.Info().Paths[0], Header: http.Header{}}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(headerTime, at.Format(time.RFC3339))
	r.Header.Set(headerRetried, "0")
	r.Header.Set(headerID, "whtrans_a01"+derive(lowerDigits, 24, "transmission", transactionOf(n), string(n.Event), n.Kind, n.Form))
	switch status := statusOf(n); {
	case status == "":
		r.Body = eventBody(n)
		signEvent(&r, n, c)
	case n.Form == FormPayment || !virtual(n.Event):
		r.Body = paymentBody(n, status)
	default:
		r.Body = encode(depositBody{
			CreatedAt: at.Format(createdLayout), Secret: secretOf(n), Status: status,
			TransactionKey: transactionOf(n), OrderID: n.Order,
		})
	}
	return r
}

// Acked reports whether the answer is exactly 200: any other good status is a
// failure to Toss.
func (module) Acked(r provider.Reply) bool { return r.Status == http.StatusOK }

// statusOf is the state that Toss would tell, empty if the event is not one of
// a payment's state.
func statusOf(n notice.Notice) string {
	switch n.Event {
	case payment.EventOther, payment.EventRefunded, payment.EventRefundFailed:
		return ""
	default:
	}
	if eventOf(n.Kind, true) != payment.EventOther {
		return n.Kind
	}
	return map[payment.Event]string{
		payment.EventIssued: statusWaiting, payment.EventReversed: statusWaiting,
		payment.EventDeposited: statusDone, payment.EventApproved: statusDone,
		payment.EventCancelled: statusCanceled, payment.EventPartiallyCancelled: statusPartialCanceled,
		payment.EventFailed: statusAborted, payment.EventExpired: statusExpired,
	}[n.Event]
}

// virtual reports whether an event is one of a virtual account's. Expiry is
// not: Toss says nothing when an account expires.
func virtual(e payment.Event) bool {
	switch e {
	case payment.EventIssued, payment.EventDeposited, payment.EventReversed,
		payment.EventCancelled, payment.EventPartiallyCancelled:
		return true
	default:
		return false
	}
}

// minutes after the start of a made-up payment, so that its events have an
// order where the notice tells no time.
var minutes = map[payment.Event]int{
	payment.EventIssued: 0, payment.EventDeposited: 10, payment.EventApproved: 10,
	payment.EventReversed: 20, payment.EventPartiallyCancelled: 30, payment.EventCancelled: 40,
}

func timeOf(n notice.Notice) time.Time {
	if !n.At.IsZero() {
		return n.At.In(wire.Seoul)
	}
	return time.Date(2026, 1, 1, 9, 0, 0, 0, wire.Seoul).Add(time.Duration(minutes[n.Event]) * time.Minute)
}

func secretOf(n notice.Notice) string {
	if n.Proof != "" {
		return n.Proof.Reveal()
	}
	return "ps_" + derive(alphanumeric, 28, "secret", n.Order)
}

// transactionOf is the key of the change of state. A reversal has another than
// the deposit that it takes back, which Deposit names.
func transactionOf(n notice.Notice) string {
	switch {
	case n.Event == payment.EventReversed:
	case n.Deposit != "":
		return n.Deposit
	case n.PGCancel != "":
		return n.PGCancel
	}
	return derive(upperHex, 32, n.Order, string(n.Event), n.Deposit)
}

const (
	upperHex     = "0123456789ABCDEF"
	lowerDigits  = "0123456789abcdefghjkmnpqrstvwxyz"
	alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	decimals     = "0123456789"
)

// derive makes up length characters of an alphabet, always the same for the
// same parts.
func derive(alphabet string, length int, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(hex.EncodeToString([]byte(p)) + "/"))
	}
	seed := h.Sum(nil)
	out := make([]byte, 0, length)
	for len(out) < length {
		for _, b := range seed {
			out = append(out, alphabet[int(b)%len(alphabet)])
		}
		next := sha256.Sum256(seed)
		seed = next[:]
	}
	return string(out[:length])
}

// encode writes JSON as Toss does: without escapes for HTML, on one line.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // the types in this package can all be written
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
