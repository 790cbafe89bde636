package payment

import "time"

// The words of a payment for a charge that came to nothing otherwise than by the PG's
// answer to it.
const (
	whyUnknown   = "the PG knows no such payment"
	whyNotMade   = "the PG did not make the charge"
	whyTakenBack = "the PG gave all of the charge back"
)

// charged ends a charge whose answer was lost, by what the PG says of it: what was
// taken counts, with what was given back of it since, also of one that was given up.
// What was taken back as a whole came to nothing, and so did what the PG does not know
// after its patience; what it knows and has not ended goes on.
func (d *Decision) charged(i int, s Standing, e Env, patience time.Duration) {
	t := d.Payment.Transactions[i]
	if s.HasAmount && s.Amount != d.Payment.Amount {
		return // it is not the money that was asked for
	}
	taken := s.State == Paid || s.State == PartiallyCancelled
	if !t.charging() && (!t.chargedAnyway() || !taken || s.Account.Number != "") {
		return
	}
	failed := func(how Charge) {
		d.then(func(p Payment) (Decision, error) { return p.chargeFailed(t.ID, how, e) })
	}
	switch s.State {
	case "":
		if s.askedAt(e).Sub(t.lostAt()) >= patience {
			failed(Charge{Failure: &Failure{Reason: whyUnknown}, Presumed: true})
		}
	case Failed:
		why := Failure{Reason: whyNotMade}
		if s.Failure != nil {
			why = *s.Failure
		}
		failed(Charge{Failure: &why})
	case Cancelled:
		failed(Charge{Failure: &Failure{Reason: whyTakenBack}, TakenBack: true})
	case Paid, PartiallyCancelled:
		d.then(func(p Payment) (Decision, error) {
			return p.ChargeDone(t.ID, Taken{PGTx: s.PGTx, Card: s.Card, Receipt: s.Receipt, At: s.PaidAt}, e)
		})
		for _, c := range s.Cancellations {
			part := Report{Event: EventPartiallyCancelled, Amount: c.Amount, HasAmount: true, PGCancel: c.PGID, PGTx: s.PGTx, At: c.At}
			d.then(func(p Payment) (Decision, error) { return p.Decide(part, e), nil })
		}
	case Ready, Issued, PayPending:
	}
}

// chargedAnyway reports whether a charge failed of which the PG may say yet that it
// made it.
func (t Transaction) chargedAnyway() bool {
	return t.Charge != nil && t.State == Failed && !t.Charge.TakenBack
}

// lostAt is since when a charge's answer may have been lost.
func (t Transaction) lostAt() time.Time {
	if t.Charge.LostAt.After(t.At) {
		return t.Charge.LostAt
	}
	return t.At
}

// chargeNamed is the index of the charge that the report names, if nobody was paid by
// it so far, or -1.
func (d *decider) chargeNamed() int {
	i := d.named()
	if i < 0 {
		return -1
	}
	t := d.p.Transactions[i]
	named := d.r.PGOrder != "" && d.r.PGOrder == t.Order && (d.r.PGTx == "" || t.PGTx == "") || d.r.PGTx != "" && d.r.PGTx == t.PGTx
	if named && (t.charging() || t.chargedAnyway()) {
		return i
	}
	return -1
}

// chargeTold handles the approval or failure of charge i, which the PG tells of
// before its answer is here, or after that was lost.
func (d *decider) chargeTold(i int) Decision {
	t := d.p.Transactions[i]
	if d.r.Event == EventFailed {
		return d.chargeEnds(i, Charge{Failure: &Failure{Reason: whyNotMade}})
	}
	if why := d.amountProblem(); why != ReasonNone {
		return d.conflict(why)
	}
	out, err := d.before.ChargeDone(t.ID, Taken{PGTx: d.r.PGTx, At: d.r.At}, d.e)
	if err != nil {
		return d.recorded(ReasonNotOurs)
	}
	return out
}

// chargeCancelled handles the cancellation of charge i, of which nobody was told that
// it was made.
func (d *decider) chargeCancelled(i int) Decision {
	if d.r.Event == EventPartiallyCancelled {
		return d.conflict(ReasonCancelTooLarge)
	}
	return d.chargeEnds(i, Charge{Failure: &Failure{Reason: whyTakenBack}, TakenBack: true})
}

// chargeEnds ends charge i as a report says, if the PG has not ended it before.
func (d *decider) chargeEnds(i int, how Charge) Decision {
	t := &d.p.Transactions[i]
	switch {
	case t.Charge.Presumed:
		t.Charge.end(how)
		return d.remembered(ReasonNone)
	case !t.charging():
		return d.recorded(ReasonNotOurs)
	}
	t.Charge.end(how)
	return d.fail(i, how.Failure.Reason)
}
