package webhook

import (
	"cmp"
	"net/url"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
)

// An EndpointID names an endpoint: a UUIDv7.
type EndpointID string

// A Version is a payload format.
type Version string

// The versions.
const (
	V20240425 Version = "2024-04-25" // PortOne V2, latest; JSON only
	V20240101 Version = "2024-01-01" // PortOne V2, first; JSON or form
	V1        Version = "v1"         // PortOne V1 (iamport); JSON or form
)

// A ContentType is how a payload is written.
type ContentType string

// The content types.
const (
	JSON ContentType = "json"
	Form ContentType = "form"
)

// MIME returns the content type as an HTTP header has it.
func (c ContentType) MIME() string {
	if c == Form {
		return "application/x-www-form-urlencoded"
	}
	return "application/json"
}

// An Endpoint is an address of a merchant's server that is told of events.
type Endpoint struct {
	ID          EndpointID
	Merchant    merchant.ID
	Store       merchant.StoreID
	Name        string
	URL         string
	Mode        merchant.Mode
	Events      []string // "*" for PortOne's types; ours by name
	Version     Version
	ContentType ContentType
	Schedule    Schedule
	Paused      bool
	Secrets     []secret.Text // live signing secrets, newest first; at most two
	// OldUntil is when the second secret stops to sign, while a new one takes its
	// place (see Rotate); zero: both sign as long as both are declared.
	OldUntil  time.Time
	InFlight  int           // cap of tries at once; 0 means DefaultInFlight
	Timeout   time.Duration // of a try; 0 means MaxTimeout
	Headers   []Header      // its own, beside those of every webhook; replaced, never changed in place
	CreatedAt time.Time
}

// DefaultInFlight is how many tries one endpoint may have in flight unless it
// says otherwise, and MaxInFlight how many it may ask for.
const (
	DefaultInFlight = 256
	MaxInFlight     = 1024
)

// Check reports fault.Invalid if the endpoint cannot work.
func (e Endpoint) Check() error {
	if err := CheckURL(e.URL); err != nil {
		return err
	}
	switch {
	case e.Version != V20240425 && e.Version != V20240101 && e.Version != V1:
		return fault.Errorf(fault.Invalid, "endpoint %q: version %q: want 2024-04-25, 2024-01-01 or v1", e.Name, e.Version)
	case e.ContentType != JSON && e.ContentType != Form:
		return fault.Errorf(fault.Invalid, "endpoint %q: content_type %q: want json or form", e.Name, e.ContentType)
	case e.Version == V20240425 && e.ContentType == Form:
		return fault.Errorf(fault.Invalid, "endpoint %q: version 2024-04-25 is JSON only", e.Name)
	case e.InFlight < 0 || e.InFlight > MaxInFlight:
		return fault.Errorf(fault.Invalid, "endpoint %q: in_flight %d: want 1 to %d", e.Name, e.InFlight, MaxInFlight)
	case e.Timeout != 0 && (e.Timeout < MinTimeout || e.Timeout > MaxTimeout || e.Timeout%time.Second != 0):
		return fault.Errorf(fault.Invalid, "endpoint %q: timeout %v: want whole seconds from %v to %v", e.Name, e.Timeout, MinTimeout, MaxTimeout)
	case len(e.Secrets) > 2:
		return fault.Errorf(fault.Invalid, "endpoint %q has %d secrets: at most two may be live", e.Name, len(e.Secrets))
	}
	for _, s := range e.Secrets {
		if _, err := signingKey(s); err != nil {
			return err
		}
	}
	if err := CheckHeaders(e.Headers); err != nil {
		return fault.Errorf(fault.Invalid, "endpoint %q: %w", e.Name, err)
	}
	_, err := ParseSchedule(string(e.Schedule))
	return err
}

// CheckURL reports fault.Invalid unless s is an absolute http or https URL
// without user name or fragment.
func CheckURL(s string) error {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return fault.Errorf(fault.Invalid, "webhook address %q is not a URL with a host", s)
	case u.Scheme != "http" && u.Scheme != "https":
		return fault.Errorf(fault.Invalid, "webhook address %q: want http or https", s)
	case u.User != nil || u.Fragment != "":
		return fault.Errorf(fault.Invalid, "webhook address %q: user names and fragments are not sent", u.Redacted())
	case len(s) > 2048:
		return fault.Errorf(fault.Invalid, "webhook address is longer than 2048 bytes")
	}
	return nil
}

// A Directory is every endpoint of the installation at one moment. It never
// changes and is safe for concurrent use.
type Directory struct {
	byID    map[EndpointID]Endpoint
	byStore map[storeMode][]Endpoint // oldest first
	notice  map[merchant.StoreID]secret.Text
	follow  map[merchant.StoreID]bool // although they may have endpoints
}

type storeMode struct {
	store merchant.StoreID
	mode  merchant.Mode
}

// NewDirectory indexes endpoints. noticeSecrets are the stores' own secrets,
// which sign what goes to noticeUrls while a store has no endpoint. follow are the stores
// that use the representative store's endpoints even where they have some of their own;
// of that store itself it says nothing. The maps must not change any more.
func NewDirectory(endpoints []Endpoint, noticeSecrets map[merchant.StoreID]secret.Text, follow map[merchant.StoreID]bool) Directory {
	d := Directory{
		byID:    make(map[EndpointID]Endpoint, len(endpoints)),
		byStore: make(map[storeMode][]Endpoint),
		notice:  noticeSecrets,
		follow:  follow,
	}
	sorted := slices.SortedFunc(slices.Values(endpoints), func(a, b Endpoint) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, e := range sorted {
		d.byID[e.ID] = e
		at := storeMode{e.Store, e.Mode}
		d.byStore[at] = append(d.byStore[at], e)
	}
	return d
}

// Endpoint returns the endpoint with the id.
func (d Directory) Endpoint(id EndpointID) (Endpoint, bool) { e, ok := d.byID[id]; return e, ok }

// Of returns the endpoints that hear of a store's events in a mode: its own, or those of
// representative if it has none in that mode or follows that store.
func (d Directory) Of(store, representative merchant.StoreID, mode merchant.Mode) []Endpoint {
	own := d.byStore[storeMode{store, mode}]
	switch {
	case representative == "" || representative == store:
		return own
	case len(own) > 0 && !d.follow[store]:
		return own
	}
	return d.byStore[storeMode{representative, mode}]
}

// NoticeSecret returns the store's own signing secret.
func (d Directory) NoticeSecret(store merchant.StoreID) secret.Text { return d.notice[store] }
