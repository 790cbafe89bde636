package ingress

import (
	"crypto/subtle"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// admit decodes a notice and finds the channels that it may mean. What is
// refused or not understood gets its ruling here, since no payment has to be
// looked at for it.
func (i *Ingress) admit(v *view, r *http.Request, rt route, in arrival) {
	in.Version, in.Ruled, in.Channels = v.all.Version, nil, nil
	addr, known := ClientAddr(r, i.TrustedProxies)
	in.Peer = addr
	a := admission{v: v, info: rt.info, rt: rt, in: in.Inbound, own: in.own}
	if !known {
		in.Peer = peerOf(r)
		i.warnProxy(in.Peer)
		a.refuse(payment.Refused, notice.ReasonProxy, "", "")
		return
	}
	a.admit(in.cut)
}

// admit admits a notice whose sender is known. cut says why its bytes are not whole, if
// they are not.
func (a *admission) admit(cut payment.Reason) {
	switch {
	case cut != payment.ReasonNone:
		a.refuse(payment.Unreadable, cut, a.rt.channel, "")
		return
	case !slices.Contains(a.info.Methods, a.in.Request.Method):
		a.refuse(payment.Unreadable, notice.ReasonMethod, a.rt.channel, "")
		return
	}
	n, err := decode(a.rt, a.in.Request, a.in.At)
	if err != nil {
		a.refuse(payment.Unreadable, notice.ReasonUnreadable, a.rt.channel, err.Error())
		return
	}
	a.in.Notice = n
	if candidates, ok := a.candidates(); ok {
		a.byAddress(candidates)
	}
}

// decode reads what a request says. Bytes that a provider trips over are not
// understood, whatever is wrong with the provider: they are kept as such. A
// time that cannot be, given when the request came, counts as not told, and so
// does a name that came unreadable.
func decode(p provider.Provider, r notice.Request, came time.Time) (n notice.Notice, err error) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fault.Errorf(fault.Internal, "the provider module failed on it")
		}
	}()
	n, err = p.Decode(r)
	n = n.WithoutDamage()
	n.Key, n.Deposit = payment.Shorten(n.Key), payment.Shorten(n.Deposit)
	if !plausible(n.At, came) {
		n.At = time.Time{} // as if the PG had told no time
	}
	return n, err
}

// warnProxy says loudly, once a minute, that notices are being turned away.
func (i *Ingress) warnProxy(peer netip.Addr) {
	now := time.Now().Unix()
	if last := i.warn.Load(); now-last < 60 || !i.warn.CompareAndSwap(last, now) {
		return
	}
	i.Log.Error("notices come through a proxy that is not trusted: all are refused with 503. "+
		"Name the proxy's address with --trusted-proxies", "peer", peer.String())
}

// An admission is one notice being matched with the channels.
type admission struct {
	v    *view
	info provider.Info
	rt   route
	in   *notice.Inbound
	own  *rehearsing // nil: it is no rehearsal
}

func (a *admission) refuse(v payment.Verdict, why payment.Reason, c merchant.ChannelKey, detail string) {
	ch, ok := a.v.judge.channels.Channel(c)
	if ok = ok && ch.Provider == a.info.Code; !ok {
		c = ""
	}
	r := notice.Ruling{Verdict: v, Reason: why, Channel: c, Detail: detail}
	if ok && v == payment.Refused {
		r.Emissions = a.v.judge.attention(ch, string(v), why, string(a.in.ID), nil, a.in.At)
	}
	a.in.Ruled = &r
}

// candidates are the channels that the path and the MID leave. It is false if
// the notice has been refused.
func (a *admission) candidates() ([]merchant.Channel, bool) {
	if a.rt.channel != "" {
		return a.named()
	}
	dir, n := a.v.judge.channels, a.in.Notice
	keys := dir.ByProvider(a.info.Code)
	if n.Merchant != "" {
		keys = dir.ByMID(a.info.Code, n.Merchant)
	}
	var out []merchant.Channel
	elsewhere := merchant.ChannelKey("") // one that hears only on its own path
	for _, k := range keys {
		switch c, ok := dir.Channel(k); {
		case ok && c.Token == "":
			out = append(out, c)
		case ok:
			elsewhere = k
		}
	}
	switch {
	case len(out) > 0:
	case elsewhere != "":
		// Taking it here would be hearing it: refused, the PG sends it again
		// while somebody mends the address.
		if len(keys) > 1 {
			elsewhere = ""
		}
		a.refuse(payment.Refused, notice.ReasonWrongToken, elsewhere, "")
		return nil, false
	case n.Merchant != "" && dir.Shut(a.info.Code, n.Merchant):
		a.refuse(payment.Refused, notice.ReasonDisabled, "", "")
		return nil, false
	}
	return out, true
}

// named is the channel in the path, if token and MID agree with it.
func (a *admission) named() ([]merchant.Channel, bool) {
	c, ok := a.v.judge.channels.Channel(a.rt.channel)
	if !ok || c.Provider != a.info.Code {
		a.refuse(payment.Refused, notice.ReasonUnknownChannel, "", "")
		return nil, false
	}
	if subtle.ConstantTimeCompare([]byte(c.Token), []byte(a.rt.token)) != 1 {
		a.refuse(payment.Refused, notice.ReasonWrongToken, c.Key, "")
		return nil, false
	}
	if mid := a.in.Notice.Merchant; mid != "" && c.MID != "" && mid != c.MID {
		a.refuse(payment.Refused, notice.ReasonOtherMID, c.Key, "")
		return nil, false
	}
	return []merchant.Channel{c}, true
}

// byAddress keeps the candidates that admit the sender.
func (a *admission) byAddress(candidates []merchant.Channel) {
	testSender := false
	for _, c := range candidates {
		if a.admits(c) || a.own.passes(c) {
			a.in.Channels = append(a.in.Channels, c.Key)
		}
		testSender = testSender || (c.Mode == merchant.Live && provider.Admits(a.info.TestSenders, a.in.Peer))
	}
	if len(a.in.Channels) > 0 {
		return
	}
	only := merchant.ChannelKey("")
	if len(candidates) == 1 {
		only = candidates[0].Key
	}
	switch {
	case testSender:
		// The PG's test machines speak; live money does not listen.
		a.refuse(payment.Recorded, notice.ReasonTestSender, only, "")
	case len(candidates) == 0 && a.published():
		a.refuse(payment.Unmatched, notice.ReasonUnknownChannel, "", "")
	case len(candidates) == 0:
		a.refuse(payment.Refused, notice.ReasonUnknownChannel, "", "")
	case only != "" && len(a.info.Senders(candidates[0])) == 0:
		a.refuse(payment.Refused, notice.ReasonNoSenders, only, "")
	default:
		a.refuse(payment.Refused, notice.ReasonAddress, only, "")
	}
}

// admits reports whether a channel's address list lets the sender in. No list
// opens a live channel to this machine or its network. The right token stands
// in for a list where the PG publishes no addresses.
func (a *admission) admits(c merchant.Channel) bool {
	if c.Mode == merchant.Live && private(a.in.Peer) {
		return false
	}
	if c.Senders == nil && c.Token != "" && c.Mode == merchant.Live && a.info.LiveSenders == nil {
		return true
	}
	return provider.Admits(a.info.Senders(c), a.in.Peer)
}

// published reports whether the sender is one of the PG's own machines, or
// this one.
func (a *admission) published() bool {
	return provider.Admits(a.info.LiveSenders, a.in.Peer) || provider.Admits(a.info.TestSenders, a.in.Peer) ||
		provider.Admits(provider.Loopback(), a.in.Peer)
}

// plausible reports whether a PG's time can be when something happened: in
// this century, and not days ahead of the clock.
func plausible(at, now time.Time) bool {
	return at.Year() >= 2000 && at.Before(now.Add(48*time.Hour))
}
