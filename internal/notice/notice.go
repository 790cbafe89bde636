// Package notice holds what a PG told us (통보): the request as it came, what
// it says in our words, and what became of it. Pure values and functions.
package notice

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// An ID names a notice: a UUIDv7.
type ID string

// A Request is one HTTP request on a notice path, its bytes as they came.
type Request struct {
	Method string
	Path   string // as sent, before any decoding
	Query  string // the raw query, without "?"
	Header http.Header
	Body   []byte
}

// Route returns the path as it may be shown and logged: without the token that
// ends a channel's own path.
func (r Request) Route() string {
	path := r.Path
	if p, err := url.PathUnescape(path); err == nil {
		path = p
	}
	if at := strings.Index(path, "/channel-key-"); at >= 0 {
		if end := strings.IndexByte(path[at+1:], '/'); end >= 0 {
			return path[:at+1+end] + "/…"
		}
	}
	return r.Path
}

// ContentType returns the request's Content-Type header; PGs may send none.
func (r Request) ContentType() string { return r.Header.Get("Content-Type") }

// A Notice is what a request says, in our words.
type Notice struct {
	payment.Report
	Merchant string // the MID at the PG; empty if the PG sends none
	Order    string // the PG's order id; empty if absent or the PG's constant for none
	Kind     string // the PG's own word for the event, such as "TX00"
	// Form tells wire formats apart where one URL sees several.
	Form     string
	BankCode string // the PG's own code of the account's bank
	BankName string // as the PG spelt it
	// Charset is what the request was read in: one of Charsets, or empty where that is not
	// known. It tells a person, and nothing is decided by it.
	Charset string
	// CharsetByRule says that the PG's rule tells the charset; otherwise the bytes did.
	CharsetByRule bool
	// Damaged are names that were left out because they came unreadable:
	// "depositor", "holder" or "bank_name". WithoutDamage sets it.
	Damaged []string
	// Test says that the notice bears the mark of the PG's test tool.
	Test bool
	// Proof is a secret that the body carried. It is never stored in clear.
	Proof secret.Text
	// Fields are the PG's other fields, decoded, by the PG's names. Secrets
	// are left out.
	Fields map[string]string
}

// The charsets in which requests are read.
const (
	UTF8  = "UTF-8"
	EUCKR = "EUC-KR" // with Microsoft's extension, also called CP949
	ASCII = "ASCII"  // it has nothing beyond, and reads the same in both
)

// Charsets lists what Notice.Charset may be.
func Charsets() []string { return []string{UTF8, EUCKR, ASCII} }

// An Inbound is a request on its way to a verdict.
type Inbound struct {
	ID ID
	At time.Time // when it came
	// Began is when its first bytes came; zero for what no PG sent.
	Began     time.Time
	Provider  string
	Request   Request
	Peer      netip.Addr // who sent it, behind any trusted proxies
	Truncated bool       // the body was longer than what is kept

	Notice Notice
	// Ruled, if set, is a verdict that needs no payment: Refused or
	// Unreadable. It is stored as it is.
	Ruled *Ruling
	// Channels are those that may be meant, after the path, the MID and the
	// sender's address were checked.
	Channels []merchant.ChannelKey
	// Version is the version of the settings that all of this was judged by.
	Version int64
	// Doubted says that it was refused when it came, and is decided again: where the PG
	// can be asked, it counts only if the PG bears it out.
	Doubted bool
}

// Keys are the names under which the notice may find its payment, in all the
// channels that may be meant.
func (in Inbound) Keys() []payment.MatchKey {
	var keys []payment.MatchKey
	for _, c := range in.Channels {
		keys = append(keys, payment.ReportKeys(c, in.Notice.Order, in.Notice.Report)...)
	}
	return keys
}

// A Found is what the store knows of one channel that a notice may mean.
type Found struct {
	Channel merchant.ChannelKey
	// By is how the payments were found; empty if none was.
	By payment.MatchKind
	// Payments are those that the name leads to: at most one, except by
	// account.
	Payments []payment.Payment
	// Claimed says that a notice with the same Key was decided before.
	Claimed bool
	// DepositOf is the payment that the deposit was applied to before.
	DepositOf payment.Key
	// Standing is what the PG said of the payment when it was asked; nil if it
	// was not.
	Standing *payment.Standing
	// OtherMode says that the order is known, but to a payment of the store in
	// the other mode.
	OtherMode bool
}

// A Ruling is what becomes of a notice: the verdict, and all that is written
// with it in one transaction.
type Ruling struct {
	Verdict payment.Verdict
	Reason  payment.Reason
	Detail  string              // in words, for a person; holds no secret
	Channel merchant.ChannelKey // empty if it could not be told
	Payment *payment.Payment    // as it is afterwards; nil if none is meant
	Changed bool                // Payment has to be written
	Created bool                // Payment is new
	// Claims says that the notice's Key is occupied from now on, so that the
	// same message again is a Duplicate.
	Claims bool
	// Listed opens a case for a person although the verdict is final.
	Listed    bool
	Emissions []webhook.Emission
	// Ask says that the PG is to be asked about the payment.
	Ask bool
}

// A Judge decides on a notice, given what the store found for each channel in
// Inbound.Channels. It must be pure: a store may call it more than once. A
// notice that is judged again later comes with its Request alone: a Judge
// decodes it when Notice has no Event.
type Judge func(Inbound, []Found) Ruling

// ErrBusy says that another node is deciding about what a notice means. Nothing
// was decided; a moment later it can be.
var ErrBusy = errors.New("another node is busy with what it means")

// A Result is what a notice's sender is told about.
type Result struct {
	ID      ID
	Verdict payment.Verdict
	Reason  payment.Reason
	Channel merchant.ChannelKey
	Payment payment.Key
	// Deadline is when the payment's waiting account closes; zero if the
	// notice did not change the payment, or nothing waits.
	Deadline time.Time
	// Err is why this notice was not committed; nil if it was. fault.Stale
	// says that the settings have changed: judge again by the new ones. ErrBusy
	// in it says: the same again in a moment.
	Err error
}

// The reasons for verdicts that are given before any payment is looked at, or
// about the meeting of notice and payment.
const (
	ReasonUnknownChannel  payment.Reason = "unknown_channel"
	ReasonWrongToken      payment.Reason = "wrong_token"
	ReasonDisabled        payment.Reason = "channel_disabled"
	ReasonOtherMID        payment.Reason = "other_mid"
	ReasonAddress         payment.Reason = "sender_not_listed"
	ReasonNoSenders       payment.Reason = "no_sender_list"
	ReasonProxy           payment.Reason = "untrusted_proxy"
	ReasonTooLarge        payment.Reason = "body_too_large"
	ReasonMethod          payment.Reason = "method"
	ReasonUnreadable      payment.Reason = "unreadable"
	ReasonProof           payment.Reason = "wrong_secret"
	ReasonTestNotice      payment.Reason = "test_notice"
	ReasonTestSender      payment.Reason = "test_sender"
	ReasonUnknownOrder    payment.Reason = "unknown_order"
	ReasonAmbiguous       payment.Reason = "several_match"
	ReasonConfirm         payment.Reason = "awaiting_inquiry"
	ReasonDenied          payment.Reason = "denied_by_pg" // asked, the PG tells otherwise
	ReasonInquired        payment.Reason = "learnt_by_inquiry"
	ReasonDepositElsewher payment.Reason = "deposit_of_another_payment"
	ReasonOtherOrder      payment.Reason = "other_order"
)
