package action

import (
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/provider"
)

// A Step is a part of the way of a test notice.
type Step string

// The steps, in their order.
const (
	StepDNS     Step = "dns"     // the public URL's name leads somewhere
	StepConnect Step = "connect" // somebody listens there
	StepTLS     Step = "tls"     // a PG would trust the certificate
	StepServer  Step = "server"  // it is this installation that answers
	StepAddress Step = "address" // the channel would be heard
	StepDecode  Step = "decode"  // the notice came as it was sent, and can be read
	StepMatch   Step = "match"   // its payment was found, and its proof holds
	StepState   Step = "state"   // the payment would be paid
	StepAck     Step = "ack"     // the PG would stop sending
)

// Steps lists every step in its order.
func Steps() []Step {
	return []Step{StepDNS, StepConnect, StepTLS, StepServer, StepAddress, StepDecode, StepMatch, StepState, StepAck}
}

// A Rung is how one step went.
type Rung struct {
	Step    Step
	Outcome Outcome
	Took    time.Duration // zero if it was not measured
	// Finding says what was found, and Args what its text is filled with: names
	// and values in turn.
	Finding Finding
	Args    []any
}

// An Outcome of a step is how it went.
type Outcome string

// The outcomes.
const (
	StepOK      Outcome = "ok"
	StepFailed  Outcome = "failed"
	StepSkipped Outcome = "skipped" // it was not come to, or there is nothing to do
)

// A Ladder is how a test notice went, step by step.
type Ladder struct {
	Channel  merchant.ChannelKey
	Provider string
	Mode     merchant.Mode
	URL      string // that was called, without the path's token
	Rungs    []Rung // one for each of Steps
	// Notice is what the notice is kept under; empty if it did not arrive.
	Notice notice.ID
	// Needed is what the PG wants to hear, and Got what it would have heard; Got is
	// zero if nothing came.
	Needed, Got provider.Reply
}

// Good reports whether a PG's notice would be taken.
func (l Ladder) Good() bool {
	for _, r := range l.Rungs {
		if r.Outcome == StepFailed {
			return false
		}
	}
	return len(l.Rungs) > 0 && l.Rungs[len(l.Rungs)-1].Outcome == StepOK
}

// A Finding is what a step found: a key of the texts of area "ladder".
type Finding string

// The findings.
const (
	FoundNothing Finding = "not_reached" // an earlier step failed

	FoundName     Finding = "dns_found"
	FoundLiteral  Finding = "dns_literal"
	FoundNoName   Finding = "no_such_name"
	FoundNoDNS    Finding = "dns_failed"
	FoundListener Finding = "connected"
	FoundPrivate  Finding = "private"
	FoundRefused  Finding = "refused"
	FoundNoWay    Finding = "unreachable"
	FoundTimeout  Finding = "timeout"

	FoundTLS           Finding = "tls_ok"
	FoundPlain         Finding = "plain"
	FoundCertExpired   Finding = "cert_expired"
	FoundCertEarly     Finding = "cert_early"
	FoundCertName      Finding = "cert_name"
	FoundCertAlone     Finding = "cert_alone"
	FoundCertSelf      Finding = "cert_self"
	FoundCertUntrusted Finding = "cert_untrusted"
	FoundNoTLS         Finding = "no_tls"
	FoundTLSFailed     Finding = "tls_failed"

	FoundArrived   Finding = "arrived"
	FoundRedirect  Finding = "redirect"
	FoundElsewhere Finding = "elsewhere"
	FoundNotNow    Finding = "not_now"
	FoundBrokenOff Finding = "broken_off"
	FoundNoAnswer  Finding = "no_answer"

	FoundAdmitted  Finding = "admitted"
	FoundProxy     Finding = "proxy"
	FoundNoSenders Finding = "no_senders"
	FoundBadPath   Finding = "bad_path"
	FoundDisabled  Finding = "disabled"

	FoundRead       Finding = "read"
	FoundAltered    Finding = "altered"
	FoundUnreadable Finding = "unreadable"

	FoundMatched  Finding = "matched"
	FoundBadProof Finding = "bad_proof"
	FoundOtherMID Finding = "other_mid"
	FoundNoMatch  Finding = "no_match"

	FoundPaid      Finding = "paid"
	FoundAsksFirst Finding = "asks_first"
	FoundConflict  Finding = "conflict"
	FoundDuplicate Finding = "duplicate"
	FoundRecorded  Finding = "recorded"

	FoundAcked      Finding = "acked"
	FoundAckChanged Finding = "ack_changed"
	FoundNotAcked   Finding = "not_acked"
)

// Findings lists every finding.
func Findings() []Finding {
	return []Finding{
		FoundNothing, FoundName, FoundLiteral, FoundNoName, FoundNoDNS, FoundListener, FoundPrivate, FoundRefused, FoundNoWay, FoundTimeout,
		FoundTLS, FoundPlain, FoundCertExpired, FoundCertEarly, FoundCertName, FoundCertAlone, FoundCertSelf, FoundCertUntrusted,
		FoundNoTLS, FoundTLSFailed, FoundArrived, FoundRedirect, FoundElsewhere, FoundNotNow, FoundBrokenOff, FoundNoAnswer,
		FoundAdmitted, FoundProxy, FoundNoSenders, FoundBadPath, FoundDisabled, FoundRead, FoundAltered, FoundUnreadable, FoundMatched,
		FoundBadProof, FoundOtherMID, FoundNoMatch, FoundPaid, FoundAsksFirst, FoundConflict, FoundDuplicate, FoundRecorded, FoundAcked,
		FoundAckChanged, FoundNotAcked,
	}
}
