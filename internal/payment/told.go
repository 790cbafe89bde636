package payment

import "time"

// How far apart a PG may tell of one cancellation in its answer to us and in its
// notice. Its clock and ours differ; and a refund is transferred on a later day,
// which may be the time that its notice bears.
const (
	toldEarly = 10 * time.Minute
	toldSoon  = 24 * time.Hour
	toldAtAll = 14 * 24 * time.Hour // the longest holidays, and some days
)

// toldBefore handles a cancellation that is known by the PG's id of it.
func (d *decider) toldBefore() (Decision, bool) {
	for i := range d.p.Cancellations {
		c := &d.p.Cancellations[i]
		if d.r.PGCancel == "" || c.PGID != d.r.PGCancel || c.State != CancelSucceeded {
			continue
		}
		out := d.duplicate()
		if !c.Told {
			c.Told = true
			out.Payment, out.Changed = d.p, true
		}
		return out, true
	}
	return Decision{}, false
}

// answered handles a part that the PG may have told of in its answer to us: of
// the same amount, by no name that both have, and not told by a notice yet. Each
// of ours takes up one notice, so that what is cancelled in the PG's pages beside
// it still counts. If their times leave it open, a person decides.
func (d *decider) answered() (Decision, bool) {
	if !d.r.HasAmount {
		return Decision{}, false
	}
	open := false
	for i := range d.p.Cancellations {
		c := &d.p.Cancellations[i]
		if c.Amount != d.r.Amount || !d.untold(*c) {
			continue
		}
		switch soon, later := d.after(*c); {
		case soon:
			c.Told = true
			if c.PGID == "" && !d.r.CancelAlias {
				c.PGID = d.r.PGCancel
			}
			return d.remembered(ReasonNone), true
		case later:
			open = true
		}
	}
	if open {
		return d.conflict(ReasonForAPerson), true
	}
	return Decision{}, false
}

// answeredAll handles a cancellation of all that may be the notice of a part of ours:
// a PG may have no word for a part, and tell of it by the part's amount, by the
// payment's or by none. The part's own amount tells it; else a person decides.
func (d *decider) answeredAll() (Decision, bool) {
	if out, ours := d.answered(); ours {
		return out, true
	}
	if d.r.HasAmount && d.r.Amount != d.p.Amount {
		return Decision{}, false
	}
	for _, c := range d.p.Cancellations {
		if d.untold(c) && (d.r.At.IsZero() || d.r.At.Sub(c.CancelledAt) <= toldAtAll) {
			return d.conflict(ReasonForAPerson), true
		}
	}
	return Decision{}, false
}

// untold reports whether c was booked, no notice told of it yet, and no name says
// that the report is not of it.
func (d *decider) untold(c Cancellation) bool {
	return c.State == CancelSucceeded && !c.Told && !c.Reversal && !d.comparable(c)
}

// comparable reports whether the report and c have names that tell them apart.
func (d *decider) comparable(c Cancellation) bool {
	return d.r.PGCancel != "" && !d.r.CancelAlias && c.PGID != ""
}

// after reports whether the report can be of c by its time: soon after it, or at
// least within the days that a transfer takes.
func (d *decider) after(c Cancellation) (soon, later bool) {
	switch {
	case d.r.At.IsZero():
		return true, false
	case d.r.At.Before(c.RequestedAt.Add(-toldEarly)):
		return false, false
	}
	took := d.r.At.Sub(c.CancelledAt)
	return took <= toldSoon, took <= toldAtAll
}

// mistaken is another request that a notice was taken for, though by amount, time
// and want of a name it may have told of c as well; nil if there is none.
func (d *decider) mistaken(c *Cancellation) *Cancellation {
	for i := range d.p.Cancellations {
		o := &d.p.Cancellations[i]
		if o.ID != c.ID && o.State == CancelSucceeded && o.Guessed && o.PGID == "" && o.Amount == c.Amount &&
			!o.CancelledAt.Before(c.RequestedAt.Add(-toldEarly)) {
			return o
		}
	}
	return nil
}
