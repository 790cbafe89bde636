package action

import (
	"bytes"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/safehttp"
)

// A climb is what is known of a test notice that was sent.
type climb struct {
	*rehearsal
	trace    safehttp.Trace
	err      error             // of the call
	got      provider.Reply    // if there was none
	location string            // that the answer led to
	seen     *notice.Rehearsed // nil: it did not arrive
}

// rungs says how each step went. What comes after a step that failed is skipped,
// unless it is known all the same.
func (c climb) rungs(needed provider.Reply) []Rung {
	base, _ := url.Parse(c.base) // it was checked when the server began
	host := base.Hostname()
	out := []Rung{c.dns(host), c.connect(host), c.tls(base), c.server(), c.address(), c.decode(), c.match(), c.state(), c.ack(needed)}
	fell := false
	for i, r := range out {
		if fell && r.Finding == "" {
			out[i] = Rung{Step: r.Step, Outcome: StepSkipped, Finding: FoundNothing}
		}
		fell = fell || r.Outcome == StepFailed
	}
	return out
}

// later is a step that was not come to.
func later(s Step) Rung { return Rung{Step: s, Outcome: StepSkipped} }

func (c climb) dns(host string) Rung {
	r := Rung{Step: StepDNS, Outcome: StepOK, Took: c.trace.DNSTook, Finding: FoundName, Args: []any{"host", host}}
	switch t := safehttp.TroubleOf(c.err); {
	case isAddress(host):
		r.Outcome, r.Finding = StepSkipped, FoundLiteral
	case t == safehttp.NoSuchName:
		r.Outcome, r.Finding = StepFailed, FoundNoName
	case t == safehttp.DNSFailed:
		r.Outcome, r.Finding = StepFailed, FoundNoDNS
	default:
		r.Args = append(r.Args, "addresses", addressList(c.trace.Found))
	}
	return r
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func addressList(list []netip.Addr) string {
	var words []string
	for _, a := range list {
		words = append(words, a.String())
	}
	return strings.Join(words, ", ")
}

func (c climb) connect(host string) Rung {
	r := Rung{Step: StepConnect, Outcome: StepFailed, Took: c.trace.ConnectTook, Args: []any{"host", host}}
	if c.trace.Connected {
		r.Outcome, r.Finding, r.Args = StepOK, FoundListener, []any{"address", c.trace.Remote.String()}
		return r
	}
	switch safehttp.TroubleOf(c.err) {
	case safehttp.Private:
		r.Finding = FoundPrivate
	case safehttp.ConnRefused:
		r.Finding = FoundRefused
	case safehttp.TimedOut, safehttp.Stopped:
		r.Finding = FoundTimeout
	case safehttp.NoSuchName, safehttp.DNSFailed:
		return later(StepConnect)
	default:
		r.Finding = FoundNoWay
	}
	return r
}

// ofCertificate are the findings about certificates and TLS.
func ofCertificate(t safehttp.Trouble) (Finding, bool) {
	f, ok := map[safehttp.Trouble]Finding{
		safehttp.CertExpired: FoundCertExpired, safehttp.CertEarly: FoundCertEarly, safehttp.CertName: FoundCertName,
		safehttp.CertAlone: FoundCertAlone, safehttp.CertSelf: FoundCertSelf, safehttp.CertUntrusted: FoundCertUntrusted,
		safehttp.NoTLS: FoundNoTLS, safehttp.TLSFailed: FoundTLSFailed,
	}[t]
	return f, ok
}

func (c climb) tls(base *url.URL) Rung {
	r := Rung{Step: StepTLS, Outcome: StepOK, Took: c.trace.TLSTook, Args: []any{"host", base.Hostname()}}
	bad, wrong := ofCertificate(safehttp.TroubleOf(c.err))
	switch {
	case !c.trace.Connected:
		return later(StepTLS)
	case base.Scheme == "http":
		r.Outcome, r.Finding = StepSkipped, FoundPlain
	case c.trace.Secured && len(c.trace.Certs) > 0:
		days := int64(time.Until(c.trace.Certs[0].NotAfter) / (24 * time.Hour))
		r.Finding, r.Args = FoundTLS, []any{"days", days}
	case wrong:
		r.Outcome, r.Finding = StepFailed, bad
	case safehttp.TroubleOf(c.err) == safehttp.TimedOut:
		r.Outcome, r.Finding = StepFailed, FoundTimeout
	default:
		r.Outcome, r.Finding = StepFailed, FoundTLSFailed
	}
	return r
}

func (c climb) server() Rung {
	r := Rung{Step: StepServer, Outcome: StepFailed, Took: c.trace.WaitTook}
	switch t := safehttp.TroubleOf(c.err); {
	case c.seen != nil:
		r.Outcome, r.Finding = StepOK, FoundArrived
	case !c.trace.Connected || c.err != nil && !c.trace.Secured && strings.HasPrefix(c.base, "https:"):
		return later(StepServer)
	case t == safehttp.TimedOut || t == safehttp.Stopped:
		r.Finding = FoundNoAnswer
	case c.err != nil:
		r.Finding = FoundBrokenOff
	case c.got.Status >= 300 && c.got.Status < 400:
		r.Finding, r.Args = FoundRedirect, []any{"status", c.got.Status, "to", c.location}
	case c.got.Status == 503:
		r.Finding = FoundNotNow
	default:
		r.Finding, r.Args = FoundElsewhere, []any{"status", c.got.Status}
	}
	return r
}

func (c climb) address() Rung {
	if c.seen == nil {
		return later(StepAddress)
	}
	r := Rung{Step: StepAddress, Outcome: StepFailed, Args: []any{"peer", c.seen.Peer.String()}}
	switch c.seen.Reason { //nolint:exhaustive // the others are of later steps
	case notice.ReasonProxy:
		r.Finding = FoundProxy
		return r
	case notice.ReasonUnknownChannel, notice.ReasonWrongToken:
		r.Finding = FoundBadPath
		return r
	case notice.ReasonDisabled:
		r.Finding = FoundDisabled
		return r
	}
	if c.info.Deaf(c.channel) {
		r.Finding = FoundNoSenders // the token alone made it heard
		return r
	}
	r.Outcome, r.Finding = StepOK, FoundAdmitted
	return r
}

func (c climb) decode() Rung {
	if c.seen == nil || c.unheard() {
		return later(StepDecode)
	}
	r := Rung{Step: StepDecode, Outcome: StepOK, Finding: FoundRead, Args: []any{"charset", c.info.Charset}}
	switch {
	case c.seen.Digest != c.request.Digest():
		r.Outcome, r.Finding, r.Args = StepFailed, FoundAltered, nil
	case c.seen.Verdict == payment.Unreadable:
		r.Outcome, r.Finding, r.Args = StepFailed, FoundUnreadable, []any{"detail", c.seen.Detail}
	}
	return r
}

// unheard reports whether nothing after the path was looked at.
func (c climb) unheard() bool {
	switch c.seen.Reason { //nolint:exhaustive // after the others it was
	case notice.ReasonProxy, notice.ReasonUnknownChannel, notice.ReasonWrongToken, notice.ReasonDisabled:
		return true
	}
	return false
}

func (c climb) match() Rung {
	if c.seen == nil || c.unheard() || c.seen.Verdict == payment.Unreadable {
		return later(StepMatch)
	}
	r := Rung{Step: StepMatch, Outcome: StepFailed}
	switch {
	case c.seen.Reason == notice.ReasonProof:
		r.Finding = FoundBadProof
	case c.seen.Reason == notice.ReasonOtherMID:
		r.Finding = FoundOtherMID
	case c.seen.Verdict == payment.Unmatched || c.seen.Verdict == payment.Refused:
		r.Finding, r.Args = FoundNoMatch, []any{"reason", string(c.seen.Reason)}
	default:
		r.Outcome, r.Finding = StepOK, FoundMatched
	}
	return r
}

func (c climb) state() Rung {
	if m := c.match(); m.Outcome != StepOK {
		return later(StepState)
	}
	r := Rung{Step: StepState, Outcome: StepOK, Took: c.seen.Took}
	switch c.seen.Verdict {
	case payment.Applied:
		r.Finding = FoundPaid
	case payment.Pending:
		r.Finding = FoundAsksFirst
	case payment.Duplicate:
		r.Finding = FoundDuplicate
	case payment.Recorded:
		r.Outcome, r.Finding, r.Args = StepFailed, FoundRecorded, []any{"reason", string(c.seen.Reason)}
	default:
		r.Outcome, r.Finding, r.Args = StepFailed, FoundConflict, []any{"reason", string(c.seen.Reason)}
	}
	return r
}

func (c climb) ack(needed provider.Reply) Rung {
	if c.err != nil || c.seen == nil {
		return later(StepAck)
	}
	r := Rung{Step: StepAck, Outcome: StepOK, Finding: FoundAcked, Args: []any{"status", c.got.Status}}
	switch {
	case !c.provider.Acked(c.got):
		r.Outcome, r.Finding = StepFailed, FoundNotAcked
	case c.got.Status != needed.Status || !bytes.Equal(c.got.Body, needed.Body):
		r.Finding = FoundAckChanged // and the PG does not mind
	}
	return r
}
