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
		if c.Refund == RefundPending {
			return true
		}
	}
	return p.Outstanding()
}

// Outstanding reports whether the PG has yet to say what became of something
// that it was asked for: an account to be issued or closed, a charge, or a
// cancellation.
func (p Payment) Outstanding() bool {
	for _, t := range p.Transactions {
		if t.State == Ready && t.Account == nil && !t.Opened || t.charging() || t.open() && !t.Closing.IsZero() {
			return true
		}
	}
	for _, c := range p.Cancellations {
		if c.State == CancelRequested {
			return true
		}
	}
	return false
}
