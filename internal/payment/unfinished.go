package payment

// Unfinished reports whether something may still come to the payment by right:
// a deposit to an account that waits for it or never closes, a cancellation or
// a refund that was asked for.
func (p Payment) Unfinished() bool {
	if p.State == Issued && !p.Expired {
		return true
	}
	for _, t := range p.Transactions {
		if t.unlimited() && t.State != Failed {
			return true
		}
	}
	for _, c := range p.Cancellations {
		if c.State == CancelRequested || c.Refund == RefundPending {
			return true
		}
	}
	return false
}
