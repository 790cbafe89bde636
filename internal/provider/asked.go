package provider

import (
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
)

// CanBeAsked reports whether the PG of a channel can be asked where a payment
// stands (거래조회): its module has that call, and the channel the credentials for
// it; or it is on trial. What of a payment must be known besides, CanInquire says.
func CanBeAsked(p Provider, c merchant.Channel) bool {
	if OnTrial(p, c) {
		return true
	}
	_, ok := p.(Inquirer)
	return ok && p.Info().Inquires(c.Credentials)
}

// ResendsFor is for how long a PG of this build goes on sending a notice that is
// not acknowledged; false if nobody outside the PG knows.
func (i Info) ResendsFor() (window time.Duration, known bool) {
	for _, d := range i.Resend {
		window += d
	}
	return window, len(i.Resend) > 0
}

// A Call is what a PG can be asked for by API.
type Call string

// The calls, each an optional interface of a Provider.
const (
	CallIssue  Call = "issue"  // Issuer
	CallAsk    Call = "ask"    // Inquirer
	CallClose  Call = "close"  // Closer
	CallRefund Call = "refund" // Refunder: whole and in part
)

// AllCalls lists every call.
func AllCalls() []Call { return []Call{CallIssue, CallAsk, CallClose, CallRefund} }

// Calls lists the calls that a module has. Whether a channel may make one, and for
// what, the Check methods say.
func Calls(p Provider) []Call {
	has := make(map[Call]bool)
	_, has[CallIssue] = p.(Issuer)
	_, has[CallAsk] = p.(Inquirer)
	_, has[CallClose] = p.(Closer)
	_, has[CallRefund] = p.(Refunder)
	return slices.DeleteFunc(AllCalls(), func(c Call) bool { return !has[c] })
}
