package attention

// A Kind is a way in which something needs a person.
type Kind string

// The kinds. Those of cases bear the names of their verdicts.
const (
	Unmatched         Kind = "unmatched"          // a notice of no payment that is known
	Conflict          Kind = "conflict"           // a notice that does not fit its payment
	PendingLong       Kind = "pending"            // a notice for which the PG's answer is overdue
	Listed            Kind = "listed"             // decided, and to be looked at
	Refused           Kind = "refused"            // notices from an address that is not trusted
	Unreadable        Kind = "unreadable"         // notices that are not what their PG sends
	DeliveriesFailed  Kind = "delivery_failed"    // webhooks that no try brought to an endpoint
	EndpointDown      Kind = "endpoint_down"      // an endpoint that answers no more
	EndpointNeverGood Kind = "endpoint_never"     // an endpoint that never took a webhook
	ChannelSilent     Kind = "silent"             // a channel that hears nothing
	DepositOverdue    Kind = "overdue"            // accounts that became due without a notice
	SecretEnding      Kind = "secret_ending"      // an API secret that is about to expire
	CertificateEnding Kind = "certificate_ending" // a receiver's certificate that is about to expire
	CancelUnclear     Kind = "cancel_unclear"     // a cancellation whose end only a person can find out
	PaymentListed     Kind = "payment_listed"     // a payment that a person is to compare with the PG's pages
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{
		Unmatched, Conflict, PendingLong, Listed, Refused, Unreadable, DeliveriesFailed, EndpointDown, EndpointNeverGood, ChannelSilent,
		DepositOverdue, SecretEnding, CertificateEnding, CancelUnclear, PaymentListed,
	}
}
