package attention

import (
	"net/netip"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// A Setup is how far a channel is set up.
type Setup string

// The states.
const (
	Draft     Setup = "draft"     // credentials are missing
	Asked     Setup = "asked"     // the PG was asked to register the address (PG 등록 요청함)
	Waiting   Setup = "waiting"   // no notice of the PG was applied yet
	Connected Setup = "connected" // a notice from the PG's own address was applied
	Silent    Setup = "silent"    // accounts became due, and no notice of any kind came (조용함)
	Played    Setup = "played"    // its PG sends no notices: what is paid there is played here (테스트 승인)
)

// leastDue is how many accounts must have become due without a notice for a channel
// to be silent.
const leastDue = 3

// A Heard is a request that came on a channel's notice address. The zero Heard is
// none.
type Heard struct {
	ID      notice.ID
	At      time.Time
	Peer    netip.Addr
	Verdict payment.Verdict
	// Learnt says that the PG did not send it: it said so when it was asked.
	Learnt bool
	// Test says that it is a test notice (시험 통보), which this installation sent itself.
	Test bool
}

// IsZero reports whether nothing was heard.
func (h Heard) IsZero() bool { return h.ID == "" }

// Overdue is what is known of accounts that became due since something was heard.
type Overdue struct {
	Count  int       // of those that nobody paid into; as far as they were counted
	Oldest time.Time // when the oldest of them was issued; zero if there is none
}

// ChannelFacts are what a channel's state follows from.
type ChannelFacts struct {
	// Newest are the last requests on its address, the newest first.
	Newest []Heard
	// Decided are some notices that were applied or recorded, whenever that was.
	Decided []Heard
	Overdue Overdue   // since the newest request
	AskedAt time.Time // when the PG was asked to register the address; zero if nobody said so
}

// A ChannelState is a channel with how far it is set up, by what really happened.
type ChannelState struct {
	Channel merchant.Channel
	Setup   Setup
	// Missing are the names of credentials without which its notices prove nothing.
	Missing []string
	AskedAt time.Time
	Last    Heard // the newest request on its address, whoever sent it
	FromPG  Heard // the newest from the PG's own address
	Tested  Heard // the newest test notice, if it is recent
	Applied Heard // one from there that was applied; the newest if it is recent
	// Quiet is since when nothing was sent to it; zero if nothing ever was.
	Quiet   time.Time
	Overdue Overdue // accounts issued since then
}

// StateOf says how far a channel is set up.
func StateOf(p provider.Provider, c merchant.Channel, f ChannelFacts) ChannelState {
	s := ChannelState{Channel: c, Missing: missing(p, c), AskedAt: f.AskedAt, Quiet: lastSent(f.Newest), Overdue: f.Overdue}
	if i := slices.IndexFunc(f.Newest, sent); i >= 0 {
		s.Last = f.Newest[i]
	}
	for _, h := range slices.Concat(f.Newest, f.Decided) {
		s.note(p, h)
	}
	switch {
	case !p.Info().SendsNotices():
		s.Setup = Played
	case f.Overdue.Count >= leastDue && !c.Disabled:
		s.Setup = Silent
	case !s.Applied.IsZero():
		s.Setup = Connected
	case len(s.Missing) > 0:
		s.Setup = Draft
	case !f.AskedAt.IsZero():
		s.Setup = Asked
	default:
		s.Setup = Waiting
	}
	return s
}

// sent reports whether a notice was sent to us by somebody else.
func sent(h Heard) bool { return !h.Learnt && !h.Test }

// lastSent is when the last of some notices, the newest first, was sent to us; the
// time of the oldest if none was.
func lastSent(list []Heard) (at time.Time) {
	for _, h := range list {
		if at = h.At; sent(h) {
			break
		}
	}
	return at
}

// note notes a request, if it came from the PG's own address.
func (s *ChannelState) note(p provider.Provider, h Heard) {
	if h.Test && s.Tested.IsZero() {
		s.Tested = h
	}
	if !sent(h) || !FromPG(p, s.Channel, h.Peer) {
		return
	}
	if s.FromPG.IsZero() {
		s.FromPG = h
	}
	if s.Applied.IsZero() && h.Verdict == payment.Applied {
		s.Applied = h
	}
}

// FromPG reports whether a sender is the channel's PG, as far as its address tells.
// This machine counts only where the PG is played here, or where the channel's own
// list names it: tests that people make do not show that the PG is connected.
func FromPG(p provider.Provider, c merchant.Channel, from netip.Addr) bool {
	senders := p.Info().Senders(c)
	switch {
	case !from.IsValid():
		return false
	case len(senders) == 0: // a path with a token is all that tells
		return c.Token != "" && !from.IsLoopback() && !from.IsPrivate()
	case !provider.Admits(senders, from):
		return false
	}
	return c.Senders != nil || !provider.Admits(provider.Loopback(), from) || provider.OnTrial(p, c)
}

// missing names the credentials that a channel lacks for checking its notices. A
// test channel without any credentials lacks none: its PG is played here.
func missing(p provider.Provider, c merchant.Channel) []string {
	if c.Mode == merchant.Test && len(c.Credentials) == 0 {
		return nil
	}
	return p.Info().Unproved(c.Credentials)
}
