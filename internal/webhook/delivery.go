package webhook

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// A DeliveryID names a delivery. With the prefix "whk_" it is the webhook-id
// that receivers see, kept over retries and resends by hand.
type DeliveryID string

// WebhookIDPrefix stands before a DeliveryID wherever people or shops see it.
const WebhookIDPrefix = "whk_"

// WebhookID is the delivery's id as receivers see it.
func (d DeliveryID) WebhookID() string { return WebhookIDPrefix + string(d) }

// A DeliveryState is where a delivery stands.
type DeliveryState string

// The states. Faces show Waiting and Held as Sending (전송 중). Held is what
// Waiting is called while the endpoint is paused: it is never written, so that
// a pause moves no delivery and none is left behind when it ends.
const (
	Waiting   DeliveryState = "waiting"
	Held      DeliveryState = "held"
	Completed DeliveryState = "completed"
	Undone    DeliveryState = "failed" // the tries are used up, or nothing is left to try
)

// A Delivery is one event for one endpoint or notice URL.
type Delivery struct {
	ID        DeliveryID
	Event     EventID
	Payment   payment.Key
	PaymentID payment.ID
	Channel   merchant.ChannelKey // of the transaction that it tells of
	Merchant  merchant.ID
	Store     merchant.StoreID
	Mode      merchant.Mode
	Type      Type
	Endpoint  EndpointID // empty for a notice URL
	// URL is that of a notice URL. An endpoint's is read at each try, unless a
	// resend by hand is to go where the webhook went then.
	URL         string
	Target      string // what caps and health go by; see Planner.Cap
	ContentType ContentType
	Body        []byte // the exact bytes of every try
	Schedule    Schedule
	State       DeliveryState
	Tries       int // made so far
	DueAt       time.Time
	Manual      bool // a resend by hand
	// Original is the delivery that a resend by hand repeats; its id is the
	// webhook-id. Empty for first deliveries.
	Original  DeliveryID
	CreatedAt time.Time
}

// WebhookID is the id that receivers see.
func (d Delivery) WebhookID() string {
	if d.Original != "" {
		return d.Original.WebhookID()
	}
	return d.ID.WebhookID()
}

// MaxResends is how often one webhook may be resent by hand.
const MaxResends = 100

// ErrTooManyResends says that a webhook was resent by hand MaxResends times.
var ErrTooManyResends = fault.Errorf(fault.Conflict, "the webhook was resent by hand %d times already", MaxResends)

// A Lease is a claim's right to record an outcome: whoever lost it changes
// nothing.
type Lease string

// A Job is a delivery that is leased for a try.
type Job struct {
	Delivery
	Lease Lease
	Until time.Time // when the lease ends
}

// An Outcome is the class of an attempt's end. Each has a written
// consequence: Good completes, the others are tried again as the schedule
// says, and Gone ends the delivery.
type Outcome string

// The outcomes.
const (
	Good       Outcome = "good"        // an answer that the schedule accepts
	BadAnswer  Outcome = "bad_answer"  // another status, redirects included
	NoAnswer   Outcome = "no_answer"   // timed out, or the connection broke
	NoConnect  Outcome = "no_connect"  // the name or address could not be reached
	NotAllowed Outcome = "not_allowed" // the address is private
	Gone       Outcome = "gone"        // the endpoint was deleted
	Stopped    Outcome = "stopped"     // a person stopped the tries; no attempt has it
)

// An AttemptID names an attempt: a UUIDv7.
type AttemptID string

// An Attempt is one HTTP try of a delivery, request and answer included.
type Attempt struct {
	ID             AttemptID
	Delivery       DeliveryID // the hot row that was tried
	Webhook        DeliveryID // the delivery whose id was sent
	Endpoint       EndpointID // that it went to; empty for a notice URL
	Number         int        // from 1
	At             time.Time
	Took           time.Duration
	URL            string
	Outcome        Outcome
	Status         int    // 0 if there was no answer
	Error          string // what went wrong, in words; empty if Good
	Cause          Cause  // why there was no answer
	Trace          Trace  // how it went on the wire
	RequestHeader  string // as text, one "name: value" a line
	RequestBody    []byte
	ResponseHeader string
	ResponseBody   []byte // at most 16 KiB
	Truncated      bool   // the answer was longer
	Pruned         bool   // headers, bodies and trace are no longer kept
}

// A Finish is an attempt with its consequence for the delivery.
type Finish struct {
	Job     Job
	Attempt Attempt
	// Next is when the delivery is due again; zero ends it, as State says.
	Next  time.Time
	State DeliveryState // Completed, Undone or Waiting
	// Attention is told when a delivery ends Undone; nil otherwise.
	Attention *Emission
}

// An Emission is an event with the deliveries that were made for it.
type Emission struct {
	Event      Event
	Deliveries []Delivery
	// Told says that whoever wants the event is told of it. It is false if that
	// was not to be: then listen sessions do not hear of it either.
	Told bool
	// Throttle, if not empty, names a kind of attention: the emission is
	// dropped if one of its kind was written less than ThrottleFor ago.
	Throttle string
}

// ThrottleFor is how long one kind of attention stays quiet.
const ThrottleFor = 10 * time.Minute

// A Planner makes the deliveries of events.
type Planner struct {
	Merchants merchant.Directory
	Endpoints Directory
	NewID     func() string // fresh UUIDv7s
}

// Plan makes the deliveries of an event: to the payment's own notice URLs if
// it has any, else to the endpoints of its store and mode that subscribe to
// its type.
func (pl Planner) Plan(e Event, noticeURLs []string) (Emission, error) {
	rep, _ := pl.Merchants.Representative(e.Merchant)
	endpoints := pl.Endpoints.Of(e.Store, rep.ID, e.Mode)
	out := Emission{Event: e, Told: true}
	if len(noticeURLs) > 0 && e.Concern == nil && e.Type != VirtualAccountExpired {
		return pl.toNoticeURLs(out, noticeURLs, endpoints)
	}
	for _, ep := range endpoints {
		if !Wants(ep.Events, e.Type) || !ep.Version.Carries(e.Type) {
			continue
		}
		body, err := Render(e, ep.Version, ep.ContentType)
		if err != nil {
			return Emission{}, err
		}
		d := pl.delivery(e, body, ep.ContentType, ep.Schedule)
		d.Endpoint, d.Target = ep.ID, string(ep.ID)
		out.Deliveries = append(out.Deliveries, d)
	}
	return out, nil
}

// toNoticeURLs makes one delivery per notice URL, formatted and scheduled
// like the oldest endpoint in use, or in the latest format if there is none.
func (pl Planner) toNoticeURLs(out Emission, urls []string, endpoints []Endpoint) (Emission, error) {
	like := likeEndpoint(endpoints)
	if !like.Version.Carries(out.Event.Type) {
		return out, nil
	}
	body, err := Render(out.Event, like.Version, like.ContentType)
	if err != nil {
		return Emission{}, err
	}
	for i, u := range urls {
		if slices.Contains(urls[:i], u) {
			continue // given twice, told once
		}
		d := pl.delivery(out.Event, body, like.ContentType, like.Schedule)
		d.URL, d.Target = u, noticeTarget(out.Event.Merchant, u)
		out.Deliveries = append(out.Deliveries, d)
	}
	return out, nil
}

func (pl Planner) delivery(e Event, body []byte, c ContentType, s Schedule) Delivery {
	return Delivery{
		ID: DeliveryID(pl.NewID()), Event: e.ID, Payment: e.Payment, PaymentID: e.PaymentID, Channel: e.Channel,
		Merchant: e.Merchant, Store: e.Store, Mode: e.Mode, Type: e.Type, ContentType: c, Body: body, Schedule: s,
		State: Waiting, DueAt: e.At, CreatedAt: e.At,
	}
}

// likeEndpoint is the endpoint whose format notice URLs follow.
func likeEndpoint(endpoints []Endpoint) Endpoint {
	for _, ep := range endpoints {
		if !ep.Paused {
			return ep
		}
	}
	return Endpoint{Version: V20240425, ContentType: JSON, Schedule: Default}
}

// A Destination is where and how a delivery goes at this moment.
type Destination struct {
	URL     string
	Secrets []secret.Text
	// Schedule is the endpoint's. It judges answers to a resend by hand, whose
	// own schedule is Once.
	Schedule Schedule
	Timeout  time.Duration // of a try; 0 means MaxTimeout
	// Headers are the endpoint's own. They go to the origin of its address alone: not to
	// notice URLs, nor to where a webhook went before the endpoint moved.
	Headers []Header
}

// Destination returns where a delivery goes now. It is false if its endpoint
// no longer exists.
func (pl Planner) Destination(d Delivery, now time.Time) (Destination, bool) {
	if d.Endpoint != "" {
		ep, ok := pl.Endpoints.Endpoint(d.Endpoint)
		to := Destination{cmp.Or(d.URL, ep.URL), ep.Signing(now), ep.Schedule, ep.Timeout, ep.Headers}
		if d.URL != "" && !SameOrigin(d.URL, ep.URL) {
			to.Headers = nil
		}
		return to, ok
	}
	rep, _ := pl.Merchants.Representative(d.Merchant)
	like := likeEndpoint(pl.Endpoints.Of(d.Store, rep.ID, d.Mode))
	secrets := like.Signing(now)
	if own := pl.Endpoints.NoticeSecret(d.Store); len(secrets) == 0 && own != "" {
		secrets = []secret.Text{own}
	}
	return Destination{URL: d.URL, Secrets: secrets, Schedule: like.Schedule, Timeout: like.Timeout}, true
}

// noticeTarget is the target of a merchant's notice URL: the merchant with the
// URL's origin, so that nobody spoils the health of another's shop.
func noticeTarget(m merchant.ID, notice string) string {
	origin := notice
	if u, err := url.Parse(notice); err == nil {
		origin = u.Scheme + "://" + u.Host
	}
	return string(m) + " " + origin
}

// Cap says whose a target is, and how many tries it may have at once. The
// merchant of an endpoint that was deleted is unknown, and empty.
func (pl Planner) Cap(target string) (merchant.ID, int) {
	if m, _, notice := strings.Cut(target, " "); notice {
		return merchant.ID(m), DefaultInFlight
	}
	ep, _ := pl.Endpoints.Endpoint(EndpointID(target))
	return ep.Merchant, cmp.Or(ep.InFlight, DefaultInFlight)
}

// Held reports whether what waits for a target is held, since its endpoint is
// paused.
func (pl Planner) Held(target string) bool {
	ep, _ := pl.Endpoints.Endpoint(EndpointID(target))
	return ep.Paused
}

// A Room is how much a claim may take.
type Room struct {
	Total   int // deliveries in all
	Retries int // of these, such as were tried before
	// Of says how many of a target, given the jobs that the claim took before.
	// It is called from one goroutine at a time, and not after the claim.
	Of func(target string, taken []Job) int
}

// A Claim is what a queue hands out at once.
type Claim struct {
	Jobs []Job
	// Left are the targets of which first tries are due that were not handed
	// out.
	Left []string
	// Next is when the next delivery becomes due that was not handed out; the
	// zero time if none waits. It may be in the past, if a target had no room.
	Next time.Time
	// Version is the version of the settings at the time of the claim.
	Version int64
}

// A FirstTry is a delivery with its first try.
type FirstTry struct {
	Delivery DeliveryID
	Endpoint EndpointID // empty for a notice URL
	URL      string     // of the endpoint as it is now, or the notice URL
	State    DeliveryState
	Try      *Attempt // nil if it has not ended
}
