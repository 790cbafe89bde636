// Package provider is the port behind which every PG module stands: a codec
// for its notices, with the exact acknowledgement the PG wants. What only
// some PGs can do is an optional interface, found by type assertion.
package provider

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// A Provider is one PG module. Its methods are pure: no I/O, clock or log.
// They are safe for concurrent use.
type Provider interface {
	// Info describes the module. It is the same on every call.
	Info() Info

	// Decode reads a request. It judges form, not sender: it reports
	// fault.Invalid if the bytes are not what this PG sends. Documented
	// lengths and digit classes never make a notice unreadable.
	Decode(notice.Request) (notice.Notice, error)

	// Verify checks whatever proof the PG gives, when notice and payment have
	// met. It reports fault.Unauthorized if the proof is wrong, ErrUnproved if
	// there is nothing to check it with, and nil if it holds or if the PG has
	// none at all. Comparisons take constant time.
	Verify(notice.Request, notice.Notice, merchant.Channel, payment.Payment) error

	// Ack returns the exact answer that the PG expects.
	Ack(notice.Request, Outcome) Reply

	// Encode writes what the PG would send: the simulator's half. What the
	// notice leaves empty gets a plausible value.
	Encode(notice.Notice, merchant.Credentials) notice.Request

	// Acked reports whether the PG would stop resending after this answer.
	Acked(Reply) bool

	// Guide says in Markdown how the PG's notices are set up in its own pages.
	// lang is "ko" or "en". NoticeURLMark stands for the address of notices,
	// SecondURLMark for that with the second of Info's paths.
	Guide(lang string) string
}

// What a guide has in place of addresses.
const (
	NoticeURLMark = "{{.NoticeURL}}"
	SecondURLMark = "{{.SecondURL}}"
)

// ErrUnproved is reported by Verify when the PG has a proof, but neither
// channel nor payment has anything to check it with.
var ErrUnproved = errors.New("there is no key to check the notice with")

// An Outcome is what a PG is told. The zero Outcome is Refused.
type Outcome int

// The outcomes.
const (
	Refused  Outcome = iota // not from the PG, or not understood
	Received                // committed: the PG need not send it again
)

// A Reply is an HTTP answer to a PG.
type Reply struct {
	Status      int
	ContentType string
	Body        []byte
}

// A Text is in both of the console's languages.
type Text struct{ KO, EN string }

// Same is a text that is the same in both: a name, a date, an address.
func Same(s string) Text { return Text{s, s} }

// A Field is one credential that a channel of the module has.
type Field struct {
	Name   string // as apply's file and the store spell it
	Label  Text
	Secret bool // sealed at rest, never shown again
	// Inquiry says that confirming a notice with the PG needs it.
	Inquiry bool
	// Proof says that Verify proves a deposit's notice with it.
	Proof bool
	// Or names another field that notices are proved with where the merchant's contract is
	// of the PG's other kind: a channel has one of the two, and lacks nothing by that.
	Or string
}

// A Class says how strong the proof in a notice is.
type Class string

// The classes, weakest first.
const (
	AddressOnly  Class = "address"       // nothing but the sender's address
	SharedSecret Class = "shared_secret" // a secret in the body
	PartialMAC   Class = "partial_mac"   // a keyed hash that leaves amount or state out
	FullMAC      Class = "full_mac"      // a keyed hash over order, amount and state
)

// An Info describes a module: all that faces, guides and the simulator need.
type Info struct {
	Code    string // PortOne's code, such as "kcp_v2"
	Name    Text
	Admin   string // the PG's admin site; empty if unknown
	Modules string // which of PortOne's modules use it: "V1", "V2" or "V1+V2"
	Paths   []string
	Methods []string // of notices; POST unless stated
	Charset string   // of notices, in words: "EUC-KR", "UTF-8"

	Fields []Field

	// Published sender addresses. Nil if the PG publishes none. SendersAsOf is the
	// day, month or year of the list, such as 2025-10-15; of one without a date
	// SendersIn says where it is. See SendersDate.
	LiveSenders, TestSenders []netip.Prefix
	SendersAsOf, SendersIn   string

	Class  Class
	Proves Text // what a passed Verify proves, honestly
	// OrderSecret says that a notice may be proved with the secret that was
	// registered with its order, instead of a credential of the channel.
	OrderSecret bool

	// Resend is how the PG repeats a notice that was not acknowledged: the
	// delays after each failed try. Nil if unknown.
	Resend     []time.Duration
	ResendNote Text

	// Events are those the module can tell of; the simulator plays them.
	Events []payment.Event
	// Forms are the wire formats that Encode writes if a notice's Form asks for
	// one. Nil if there is one format only.
	Forms []string

	// ConfirmAlways says that live notices count only after an inquiry.
	ConfirmAlways bool

	TestMIDs []TestMID
	// TestKeys are keys that the PG publishes for trials without saying of which MID; nil
	// if there are none.
	TestKeys *TestMID

	// Letter asks the PG to register the address of notices; nil where the merchant
	// enters it in the PG's own pages.
	Letter *Letter

	// Wallet is there if the module is an easy-pay service's own; nil for all others.
	Wallet *Wallet
}

// A TestMID is a merchant id with keys that the PG publishes for trials.
type TestMID struct {
	MID         string
	Credentials map[string]secret.Text
	Source      Text
}

// SendersDate says of when the published addresses are, or that nobody knows. It is
// empty if the PG publishes none.
func (i Info) SendersDate() Text {
	switch {
	case i.LiveSenders == nil && i.TestSenders == nil:
		return Text{}
	case i.SendersAsOf == "":
		return Text{KO: "날짜 없음 (" + i.SendersIn + ")", EN: "undated (" + i.SendersIn + ")"}
	}
	return Same(i.SendersAsOf)
}

// Unproved names the credentials that a channel lacks for proving its notices, in the
// order of Fields. Two of which either is enough are one name, "a / b".
func (i Info) Unproved(c merchant.Credentials) (names []string) {
	told := make(map[string]bool)
	for _, f := range i.Fields {
		if !f.Proof || c[f.Name] != "" || f.Or != "" && c[f.Or] != "" || told[f.Name] {
			continue
		}
		name := f.Name
		if f.Or != "" {
			name += " / " + f.Or
			told[f.Or] = true
		}
		names = append(names, name)
	}
	return names
}

// Inquires reports whether a channel with these credentials has every field
// that asking the PG about a payment needs, and the PG has such a call.
func (i Info) Inquires(c merchant.Credentials) bool {
	can := false
	for _, f := range i.Fields {
		if !f.Inquiry {
			continue
		}
		if c[f.Name] == "" {
			return false
		}
		can = true
	}
	return can
}

// Confirms reports whether a deposit on the channel counts only after an
// inquiry: the channel's own word, else by default on live channels that can
// ask. A module without proof of the amount always asks when live.
func (i Info) Confirms(c merchant.Channel) bool {
	if c.Mode == merchant.Live && i.ConfirmAlways {
		return true
	}
	if c.Confirm != nil {
		return *c.Confirm
	}
	return c.Mode == merchant.Live && i.Inquires(c.Credentials)
}

// Senders returns the addresses that a channel admits: its own list, else the
// published ones of its mode and what it has beside them. A test channel also trusts this machine, where
// the simulator runs.
func (i Info) Senders(c merchant.Channel) []netip.Prefix {
	switch {
	case c.Senders != nil:
		return *c.Senders
	case c.Mode == merchant.Live && len(c.SendersToo) == 0:
		return i.LiveSenders
	case c.Mode == merchant.Live:
		return slices.Concat(i.LiveSenders, c.SendersToo)
	}
	return slices.Concat(Loopback(), i.TestSenders, c.SendersToo)
}

// Deaf reports whether a channel hears nobody's notices: its address list is
// empty, and it has no token in its path that stands in for one.
func (i Info) Deaf(c merchant.Channel) bool {
	byToken := c.Mode == merchant.Live && c.Senders == nil && c.Token != "" && i.LiveSenders == nil
	return len(i.Senders(c)) == 0 && !byToken
}

// Loopback is this machine.
func Loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// Prefixes parses addresses and CIDR blocks of a table. It panics on a bad
// one: tables are the programmer's.
func Prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		if a, err := netip.ParseAddr(s); err == nil {
			out[i] = netip.PrefixFrom(a, a.BitLen())
			continue
		}
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

// Admits reports whether an address is in one of the blocks. An IPv4 address
// written as IPv6 counts as IPv4.
func Admits(list []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
