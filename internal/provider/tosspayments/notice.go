package tosspayments

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
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

// The states of a Payment that Toss tells of.
const (
	statusWaiting         = "WAITING_FOR_DEPOSIT"
	statusDone            = "DONE"
	statusCanceled        = "CANCELED"
	statusPartialCanceled = "PARTIAL_CANCELED"
	statusAborted         = "ABORTED"
	statusExpired         = "EXPIRED"
	statusReady           = "READY"       // before a buyer said how to pay
	statusInProgress      = "IN_PROGRESS" // before it is approved
)

// The events with a name that means something here.
const (
	depositCallback = "DEPOSIT_CALLBACK" // never in a body, as documented
	paymentChanged  = "PAYMENT_STATUS_CHANGED"
	payoutChanged   = "payout.changed"
	sellerChanged   = "seller.changed"
)

// The headers of every webhook, and the one that only signed events have.
const (
	headerTime      = "tosspayments-webhook-transmission-time"
	headerRetried   = "tosspayments-webhook-transmission-retried-count"
	headerID        = "tosspayments-webhook-transmission-id"
	headerSignature = "tosspayments-webhook-signature"
)

// Decode reads a webhook of any shape. Toss asks for a 200 to events that one
// does not know, so those are notices without an effect; only a JSON object of
// none of the shapes is refused.
func (module) Decode(r notice.Request) (notice.Notice, error) {
	o, err := parse(r.Body)
	if err != nil {
		return notice.Notice{}, err
	}
	n, err := decode(r, o)
	if err != nil {
		return notice.Notice{}, err
	}
	for _, h := range []string{headerID, headerRetried} {
		if v := header(r, h); v != "" {
			n.Fields[h] = v
		}
	}
	return n, nil
}

func decode(r notice.Request, o object) (notice.Notice, error) {
	kind := o.text("eventType")
	switch {
	case o.text("entityType") != "":
		return decodeOther(r, o, FormEntity), nil
	case (kind == "" || kind == depositCallback) && o.isText("secret") && o.isText("transactionKey"):
		return decodeDeposit(r, o), nil
	case kind == paymentChanged:
		return decodePayment(r, o)
	case kind != "":
		return decodeOther(r, o, FormEvent), nil
	}
	return notice.Notice{}, fault.Errorf(fault.Invalid, "body is no webhook of Toss Payments")
}

// decodeDeposit reads a DEPOSIT_CALLBACK.
func decodeDeposit(r notice.Request, o object) notice.Notice {
	n := begin(o)
	n.Form, n.Kind = FormDeposit, o.text("status")
	n.Order = o.text("orderId")
	n.Proof = secret.Text(o.text("secret"))
	n.AmountEnforced = true
	n.Event = eventOf(n.Kind, true)
	n.name(r, o.text("transactionKey"), true)
	o.collect(n.Fields, "createdAt", "status", "orderId", "transactionKey")
	return n.Notice
}

// A draft is a notice being decoded.
type draft struct{ notice.Notice }

// begin starts a notice with what every shape has. A time that cannot be read
// is left to Fields: the money in the notice is worth more.
func begin(o object) draft {
	n := draft{notice.Notice{Fields: map[string]string{}, Charset: notice.UTF8, CharsetByRule: true}}
	created := o.text("createdAt")
	at, err := wire.ISOTime(created)
	if err == nil {
		n.At = at
	} else if created != "" {
		n.Fields["createdAt"] = created
	}
	return n
}

// name gives the message its key. Virtual accounts tell the money, too, since
// whether a second WAITING_FOR_DEPOSIT is a reversal depends on its
// transaction key being new.
func (n *draft) name(r notice.Request, transaction string, virtual bool) {
	if n.Event == payment.EventOther {
		n.Listed = true // a state that Toss did not have when this was written
	}
	if n.Event == payment.EventCancelled || n.Event == payment.EventPartiallyCancelled {
		n.PGCancel = transaction
	}
	if transaction == "" {
		n.Key = fallbackKey(r, n.Kind)
		return
	}
	n.Key = transaction + "/" + n.Kind
	if virtual {
		n.Deposit = transaction
		n.Reopens = n.Event == payment.EventIssued
	}
}

// eventOf says what a state means, of a virtual account or of another method.
func eventOf(status string, virtual bool) payment.Event {
	switch {
	case status == statusWaiting && virtual:
		return payment.EventIssued
	case status == statusDone && virtual:
		return payment.EventDeposited
	case status == statusDone:
		return payment.EventApproved
	case status == statusCanceled:
		return payment.EventCancelled
	case status == statusPartialCanceled:
		return payment.EventPartiallyCancelled
	case status == statusAborted:
		return payment.EventFailed
	case status == statusExpired:
		return payment.EventExpired
	}
	return payment.EventOther
}

// decodeOther reads an event that moves no payment. Nothing in it is proved,
// so its key is one that no payment's notice can have.
func decodeOther(r notice.Request, o object, form string) notice.Notice {
	n := begin(o)
	n.Form, n.Kind, n.Event = form, o.text("eventType"), payment.EventOther
	// Listed: an envelope that the documents say does not exist may be money.
	n.Listed = n.Kind == depositCallback
	n.Key = fallbackKey(r, n.Kind)
	if id := o.text("eventId"); id != "" {
		n.Key = "event:" + n.Kind + "/" + id
	}
	data := o.object("data")
	n.Merchant, n.Order = data.text("mId"), data.text("orderId")
	data.collect(n.Fields, "mId", "orderId")
	o.collect(n.Fields, "createdAt", "eventType", "data")
	return n.Notice
}

// fallbackKey names a message without a transaction key by its transmission
// id, which is documented as unique for a webhook, else by its bytes.
func fallbackKey(r notice.Request, kind string) string {
	if id := header(r, headerID); id != "" {
		return "event:" + kind + "/" + id
	}
	sum := sha256.Sum256(r.Body)
	return "event:" + kind + "/" + hex.EncodeToString(sum[:])
}

// maxHeader is far more than the headers that Toss sends.
const maxHeader = 200

// header returns a header that is fit to be kept: printable ASCII and short.
func header(r notice.Request, name string) string {
	v := r.Header.Get(name)
	odd := func(c rune) bool { return c < ' ' || c > '~' }
	if len(v) > maxHeader || strings.ContainsFunc(v, odd) {
		return ""
	}
	return v
}

// isoTime reads a time of a Payment; zero if it is absent or odd.
func isoTime(s string) time.Time {
	t, err := wire.ISOTime(s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Verify compares the notice's secret with the one that came with the
// payment's account. An event that moves nothing needs no proof, but a wrong
// one refutes it.
func (module) Verify(r notice.Request, n notice.Notice, c merchant.Channel, p payment.Payment) error {
	if n.Form == FormEvent || n.Form == FormEntity {
		return verifySignature(r, n, c.Credentials[securityKey])
	}
	err := verifySecret(n, p)
	if n.Event == payment.EventOther && errors.Is(err, provider.ErrUnproved) {
		return nil
	}
	return err
}

func verifySecret(n notice.Notice, p payment.Payment) error {
	if n.Proof == "" && n.Form == FormPayment {
		return provider.ErrUnproved // Toss promises no secret in a Payment
	}
	known, equal := false, false
	for _, t := range p.Transactions {
		if t.Order != n.Order || t.Secret == "" {
			continue
		}
		known = true
		equal = t.Secret.Equal(n.Proof.Reveal()) || equal
	}
	switch {
	case !known:
		return provider.ErrUnproved
	case !equal:
		return fault.Errorf(fault.Unauthorized, "the secret is not that of the payment")
	}
	return nil
}

// Ack returns a bare 200 for what was taken. Toss reads nothing but the
// status, and documents that any other is a failure; so a refusal is a 400,
// which is what shops in the field answer to a wrong secret. It costs seven
// resends, and in turn gives a wrongly refused notice four days to be let in.
func (module) Ack(_ notice.Request, o provider.Outcome) provider.Reply {
	if o == provider.Received {
		return provider.Reply{Status: http.StatusOK}
	}
	return provider.Reply{
		Status: http.StatusBadRequest, ContentType: "text/plain; charset=utf-8", Body: []byte("refused\n"),
	}
}
