package payment

// A Verdict is what became of a notice.
type Verdict string

// The verdicts. A PG hears "received" for all but Refused and Unreadable.
const (
	Applied    Verdict = "applied"    // it moved a payment
	Duplicate  Verdict = "duplicate"  // told before; nothing moved
	Recorded   Verdict = "recorded"   // kept; it moves nothing by the rules
	Pending    Verdict = "pending"    // ours to finish: the PG is asked before it counts
	Unmatched  Verdict = "unmatched"  // no payment is known for it yet
	Conflict   Verdict = "conflict"   // it disagrees with the payment; a person decides
	Refused    Verdict = "refused"    // not from the PG, or not proved
	Unreadable Verdict = "unreadable" // not understood
)

// Verdicts lists every verdict, in the order a person would read them.
func Verdicts() []Verdict {
	return []Verdict{Applied, Duplicate, Recorded, Pending, Unmatched, Conflict, Refused, Unreadable}
}

// Open reports whether a notice with this verdict waits for something: the
// PG's answer, a registration or a person.
func (v Verdict) Open() bool { return v == Pending || v == Unmatched || v == Conflict }

// A Reason is a stable code for why a verdict was given. Faces translate it.
type Reason string

// The reasons a decision gives. Reasons for refusals are given by package
// notice's callers and live beside them.
const (
	ReasonNone              Reason = ""
	ReasonOtherAmount       Reason = "other_amount"
	ReasonNoAmount          Reason = "no_amount"
	ReasonOtherCurrency     Reason = "other_currency"
	ReasonOtherAccount      Reason = "other_account"
	ReasonSecondDeposit     Reason = "second_deposit"
	ReasonNotPayable        Reason = "not_payable"
	ReasonLate              Reason = "late"
	ReasonReversed          Reason = "reversed_by_bank"
	ReasonReversedEarlier   Reason = "reversed_before_deposit"
	ReasonReversalForetold  Reason = "reversal_before_deposit"
	ReasonReversalUnknown   Reason = "reversal_of_other_deposit"
	ReasonReversalAfterward Reason = "reversed_after_refund"
	ReasonRefundFailed      Reason = "refund_failed"
	ReasonNoRefundPending   Reason = "no_refund_pending"
	ReasonCancelTooLarge    Reason = "cancel_exceeds_payment"
	ReasonClosed            Reason = "account_closed"
	ReasonNotOurs           Reason = "not_started_here"
	ReasonForAPerson        Reason = "for_a_person"
)
