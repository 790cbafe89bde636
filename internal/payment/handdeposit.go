package payment

import "time"

// A HandDeposit is a person's word that money came in (수동 입금) of which no notice
// told. It counts as the PG's notice would.
type HandDeposit struct {
	// Number is the PG's transaction number, as the person gave it. The deposit's Key is
	// the same until a notice tells of it under another.
	Number string    `json:"number"`
	Reason string    `json:"reason"` // what the word goes by; never empty
	At     time.Time `json:"at"`     // when it was given
	// Heard says that the PG's own notice came since.
	Heard bool `json:"heard,omitempty"`
}

// ReasonByHand is given to what a person entered.
const ReasonByHand Reason = "by_hand"

// Unheard reports whether the deposit rests on a person's word alone: its notice may
// come yet.
func (d Deposit) Unheard() bool { return d.ByHand != nil && !d.ByHand.Heard }

// comparableTo reports whether the report and deposit k have names that tell them
// apart. A number that a person typed may be another than the one that the PG's notices
// bear: that it is not the same says nothing.
func (d *decider) comparableTo(k Deposit) bool {
	switch {
	case d.r.Deposit == "" || k.Key == "":
		return false
	case k.Key == d.r.Deposit, d.r.ByHand != nil && k.ByHand != nil:
		return true
	}
	return d.r.ByHand == nil && (k.ByHand == nil || k.ByHand.Heard && k.Key != k.ByHand.Number)
}

// isByHand reports whether a person entered deposit k, and the report is the PG's notice
// of it, or the other way round: the same money for the same attempt, not told of
// under two names that can be compared, and not more than a day apart. What the bank
// took back since is meant by what came before that.
func (d *decider) isByHand(k Deposit) bool {
	if d.r.ByHand == nil && !k.Unheard() || d.comparableTo(k) || !d.sameMoney(k) || d.elsewhere(k) {
		return false
	}
	if k.State == DepositReversed && !d.r.At.IsZero() && !k.ReversedAt.IsZero() && d.r.At.After(k.ReversedAt) {
		return false
	}
	return !d.timed(k) || d.r.At.Sub(k.At).Abs() <= learntWithin
}

// heard notes that the PG told of deposit k itself, and reports whether that told
// anything new. The PG's name goes before the person's.
func (d *decider) heard(k *Deposit) bool {
	if k.ByHand == nil || d.r.Learnt {
		return false
	}
	changed := k.Unheard()
	if changed && !d.r.At.IsZero() {
		k.At, k.Untimed = d.r.At, false
	}
	if d.r.Deposit != "" && k.Key == k.ByHand.Number && k.Key != d.r.Deposit {
		k.Key, changed = d.r.Deposit, true
	}
	if k.Depositor == "" && d.r.Depositor != "" {
		k.Depositor, changed = d.r.Depositor, true
	}
	k.ByHand.Heard = true // the decider's own copy
	return changed
}
