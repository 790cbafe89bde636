package payment

import "time"

// named is the index of the transaction that the report is about: the one it
// names by the PG's id, else by its account, else by its order, else the
// current one. Where several bear the name, see best. It is -1 if the report
// names an account that the transaction it is about doesn't have.
func (d *decider) named() int {
	if i := d.best(func(t Transaction) bool {
		return d.r.PGTx != "" && t.PGTx == d.r.PGTx && accountFits(t, d.r)
	}); i >= 0 {
		return i
	}
	if i := d.best(func(t Transaction) bool {
		return d.r.Account != "" && t.Account != nil && sameAccount(t.Account.Number, d.r.Account)
	}); i >= 0 {
		return i
	}
	i := d.ordered()
	if i >= 0 && !accountFits(d.p.Transactions[i], d.r) {
		return -1
	}
	return i
}

// ordered is the index of the transaction with the report's order, else of the
// current one; -1 if there is none.
func (d *decider) ordered() int {
	if i := d.best(func(t Transaction) bool { return d.r.PGOrder != "" && t.Order == d.r.PGOrder }); i >= 0 {
		return i
	}
	if d.p.Current < len(d.p.Transactions) {
		return d.p.Current
	}
	return -1
}

// best is the index of the transaction that fits, or -1. Of several it is one
// of the report's channel, then one with its order, then the current one, then
// one that waits for money, then the latest.
func (d *decider) best(fits func(Transaction) bool) int {
	found, most := -1, 0
	for i, t := range d.p.Transactions {
		if t.Opened || !fits(t) {
			continue
		}
		n := 0
		for _, holds := range []bool{
			d.r.Channel != "" && t.Channel == d.r.Channel, d.r.PGOrder != "" && t.Order == d.r.PGOrder,
			i == d.p.Current, t.open(),
		} {
			n *= 2
			if holds {
				n++
			}
		}
		if n >= most {
			found, most = i, n
		}
	}
	return found
}

// open reports whether the attempt still waits for money.
func (t Transaction) open() bool {
	if t.Opened {
		return false // nobody was told where to send it
	}
	switch t.State {
	case Ready, Issued, PayPending:
		return true
	case Paid, PartiallyCancelled, Cancelled, Failed:
	}
	return false
}

// next is the index of the attempt that a payment goes on with when its
// current one ends: the latest that waits as the payment does, one that can
// still be paid in time before one that can't; -1 if none waits.
func (d *decider) next() int {
	found, foundInTime := -1, false
	for i, t := range d.p.Transactions {
		if t.State != d.p.State || t.Opened {
			continue
		}
		if inTime := t.inTime(d.e.Now); inTime || !foundInTime {
			found, foundInTime = i, inTime
		}
	}
	return found
}

func (t Transaction) inTime(now time.Time) bool {
	return t.Account == nil || t.Account.ExpiresAt.IsZero() || !now.After(t.Account.ExpiresAt)
}

// accountFits reports whether the report's account, if it names one, is the
// transaction's.
func accountFits(t Transaction, r Report) bool {
	return r.Account == "" || t.Account == nil || t.Account.Number == "" || sameAccount(t.Account.Number, r.Account)
}

// fill takes what the transaction lacks from the report and reports whether
// it took anything. What is known is never overwritten.
func (d *decider) fill(i int) bool {
	if i < 0 || i >= len(d.p.Transactions) {
		return false
	}
	t := &d.p.Transactions[i]
	changed := false
	if t.PGTx == "" && d.r.PGTx != "" {
		t.PGTx, changed = d.r.PGTx, true
	}
	if d.r.Account == "" {
		return changed
	}
	if t.Account == nil {
		t.Account = &Account{Type: Normal, IssuedAt: d.at()}
	}
	a := t.Account
	if a.Number == "" {
		a.Number, changed = d.r.Account, true
	}
	if a.Bank == "" && d.r.Bank != "" {
		a.Bank, changed = d.r.Bank, true
	}
	if a.Holder == "" && d.r.Holder != "" {
		a.Holder, changed = d.r.Holder, true
	}
	if a.ExpiresAt.IsZero() && !d.r.ExpiresAt.IsZero() {
		a.ExpiresAt, changed = d.r.ExpiresAt, true
	}
	return changed
}
