package webhook

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// A ListenerID names a listen session: a UUIDv7.
type ListenerID string

// ListenerPrefix stands before a ListenerID wherever people see it.
const ListenerPrefix = "lsn_"

// A Listener is a listen session: a developer's machine that hears of a store's
// events by a connection of its own making, as an endpoint would by an address.
// It belongs to the API secret that opened it, and remembers how far it came
// while nobody is connected.
type Listener struct {
	ID          ListenerID
	Merchant    merchant.ID
	Store       merchant.StoreID
	Mode        merchant.Mode // live or test
	Credential  string        // id of the API secret
	Name        string        // tells the sessions of one secret apart
	Forward     string        // where the machine gives webhooks to, as it says itself
	Events      []string      // as an endpoint's
	Version     Version
	ContentType ContentType
	Secret      secret.Text // signs what it is sent, and nothing else
	// Floor is an id before which no event is left to be sent.
	Floor    EventID
	OpenedAt time.Time
	HeardAt  time.Time // when the machine was last connected
}

// Bounds of listen sessions.
const (
	// MaxListeners is how many a store may have in a mode.
	MaxListeners = 20
	// ListenerLife is for how long one waits that nobody connects to.
	ListenerLife = 7 * 24 * time.Hour
	// MaxListenerText bounds its name, and what it says of itself.
	MaxListenerText = 200
)

// ErrTooManyListeners says that a store has MaxListeners.
var ErrTooManyListeners = fault.Errorf(fault.Conflict, "the store has %d listen sessions already: end one of them", MaxListeners)

// ErrListenerTaken says that another connection has taken a listen session over.
var ErrListenerTaken = fault.Errorf(fault.Conflict, "the listen session was taken over by another connection")

// Check reports fault.Invalid if a session cannot be opened as it is.
func (l Listener) Check() error {
	switch {
	case l.Mode != merchant.Live && l.Mode != merchant.Test:
		return fault.Errorf(fault.Invalid, "mode: want live or test")
	case l.Name == "" || !isText(l.Name, MaxListenerText):
		return fault.Errorf(fault.Invalid, "name must have 1 to %d bytes of text", MaxListenerText)
	case !isText(l.Forward, 10*MaxListenerText):
		return fault.Errorf(fault.Invalid, "forward must have at most %d bytes of text", 10*MaxListenerText)
	case len(l.Events) > len(PortOneTypes())+len(OwnTypes()):
		return fault.Errorf(fault.Invalid, "events names more types than there are")
	}
	for _, want := range l.Events {
		if err := CheckWanted(want); err != nil {
			return err
		}
	}
	shape := Endpoint{Name: l.Name, URL: "http://localhost/", Version: l.Version, ContentType: l.ContentType}
	return shape.Check()
}

// isText reports whether s is text that every database keeps.
func isText(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && !strings.ContainsRune(s, 0)
}

// CheckWanted reports fault.Invalid for a subscription that no event meets.
func CheckWanted(want string) error {
	for _, t := range append(PortOneTypes(), OwnTypes()...) {
		if Wants([]string{want}, t) {
			return nil
		}
	}
	return fault.Errorf(fault.Invalid, "there is no event %.100q: name a type, Transaction.*, BillingKey.* or *", want)
}

// Hears reports whether a session is sent events of a type.
func (l Listener) Hears(t Type) bool { return Wants(l.Events, t) && l.Version.Carries(t) }

// ListenedID is the webhook-id under which sessions are sent an event: the
// same however often it is sent.
func ListenedID(e EventID) string { return WebhookIDPrefix + string(e) }

// A Repeat asks a session to send an event once more, since somebody resent its
// webhook by hand.
type Repeat struct {
	ID    string // a UUIDv7
	Event Event
}

// A Listened is one try through a session, as its machine reported it. It
// counts for no endpoint and no delivery.
type Listened struct {
	Listener       ListenerID
	Item           string // id of the event, or of the Repeat, that was sent
	Number         int    // from 1: how often the machine has tried it
	Event          EventID
	Type           Type
	Payment        payment.Key // empty for an event of none
	PaymentID      payment.ID
	At             time.Time
	Took           time.Duration
	URL            string
	Status         int    // 0 if there was no answer
	Error          string // why not
	ResponseHeader string // as text, one "name: value" a line
	ResponseBody   []byte // at most 16 KiB
	Truncated      bool   // the answer was longer
}
