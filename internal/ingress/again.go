package ingress

import (
	"net/http"
	"net/netip"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
)

// Again returns what admits kept notices by the given settings, for those who decide on
// them again: by the same steps as when they came, with the sender they came from. It is
// pure.
func (i *Ingress) Again(all settings.All) func(notice.Kept) notice.Inbound {
	i.init()
	v := &view{all: all, judge: newJudge(all, i.Providers)}
	return func(k notice.Kept) notice.Inbound { return i.readmit(v, k) }
}

func (i *Ingress) readmit(v *view, k notice.Kept) notice.Inbound {
	in := k.Inbound
	in.Notice, in.Ruled, in.Channels, in.Version = notice.Notice{}, nil, nil, v.all.Version
	in.Doubted = in.Doubted || k.Verdict == payment.Refused
	asItWas := &notice.Ruling{Verdict: k.Verdict, Reason: k.Reason, Detail: k.Detail, Channel: k.Channel}
	if in.Request.IsRehearsal() {
		in.Ruled = asItWas // nothing ever comes of it
		return in
	}
	if learnt(in.Request) {
		n, err := decodeAny(v.judge.providers[in.Provider], in.Request, in.At)
		if err != nil {
			in.Ruled = asItWas
			return in
		}
		in.Notice, in.Channels = n, []merchant.ChannelKey{k.Channel}
		return in
	}
	rt, ok := i.route(in.Request.Path)
	if !ok {
		in.Ruled = asItWas // this build takes no notices there
		return in
	}
	a := admission{v: v, info: rt.info, rt: rt, in: &in}
	if k.Reason == notice.ReasonProxy && !i.throughProxy(&in) {
		a.refuse(payment.Refused, notice.ReasonProxy, "", "")
		return in
	}
	cut := payment.ReasonNone
	if in.Truncated {
		if cut = notice.ReasonTooLarge; k.Reason == ReasonCut {
			cut = ReasonCut
		}
	}
	a.admit(cut)
	return in
}

// throughProxy finds the sender of a notice that came through a proxy which was not
// trusted then, and reports whether the proxy is by now.
func (i *Ingress) throughProxy(in *notice.Inbound) bool {
	r := &http.Request{RemoteAddr: netip.AddrPortFrom(in.Peer, 0).String(), Header: in.Request.Header}
	addr, known := ClientAddr(r, i.TrustedProxies)
	if known {
		in.Peer = addr
	}
	return known
}
