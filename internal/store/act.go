package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// Act changes one payment as a.Do says and, in the same transaction, decides on
// the notices that waited for it, tells whoever is to be told, and notes when the
// PG is to be asked. It returns the payment afterwards.
//
// It reports what a.Do does, fault.Stale if the settings changed, fault.Conflict
// if the payment would bear a name that is another's, payment.ErrPinned if it
// would begin otherwise than it was pre-registered, payment.ErrOtherMode if a window would
// in another mode, payment.ErrScheduled or
// payment.ErrScheduleTaken as a.Begins says, what BillingKey.Usable does of the
// billing key that it would charge, payment.ErrCheckoutEnded as a.Window says, and
// payment.ErrTooManyWindows or payment.ErrTooManyAccounts if too many are.
func (s *Store) Act(ctx context.Context, a notice.Act) (p payment.Payment, err error) {
	err = s.write(ctx, func(t *tx) error {
		p, err = t.act(a)
		return err
	})
	return p, err
}

func (t *tx) act(a notice.Act) (payment.Payment, error) {
	known, err := t.actOn(a)
	if err != nil {
		return payment.Payment{}, err
	}
	if err := t.stillOpen(a.Window); err != nil {
		return payment.Payment{}, err
	}
	out, err := a.Do(known)
	if err != nil {
		return payment.Payment{}, err
	}
	if a.Begins && out.Changed {
		if err := t.mayBegin(a); err != nil {
			return payment.Payment{}, err
		}
	}
	p := out.Payment
	if out.Opens != nil || a.Window != "" && p.Begun() > begun(known) {
		if err := t.keepsMode(known, p); err != nil {
			return p, err
		}
	}
	if err := t.asksLive(a, known, p); err != nil {
		return p, err
	}
	if out.Changed {
		if err := t.keepsPin(known, p); err != nil {
			return p, err
		}
		if err := t.ownNames(p); err != nil {
			return p, err
		}
		var before []payment.MatchKey
		if known != nil {
			before = known.Names()
		}
		if err := t.putPayment(p, known == nil, before); err != nil {
			return p, err
		}
		if err := t.putSale(known, p); err != nil {
			return p, err
		}
		if len(out.Emissions) == 0 {
			t.put(newSearchDue, string(p.Key))
		}
	}
	if err := t.emit(out.Emissions, ""); err != nil {
		return p, err
	}
	if only, err := t.putWindows(a, out); only || err != nil {
		return p, err
	}
	if at, ok := p.Transaction(); ok && a.Judge != nil {
		m := meeting{channel: cmp.Or(a.Channel, at.Channel), env: a.Env, judge: a.Judge, standing: a.Standing}
		if p, err = t.decideHeld(p, m); err != nil {
			return p, err
		}
	}
	if a.Audit != nil {
		var was payment.Payment
		if known != nil {
			was = *known
		}
		if err := t.audit(a.Audit(was, p)); err != nil {
			return p, err
		}
	}
	return p, t.putInquiry(p, out)
}

func begun(p *payment.Payment) int {
	if p == nil {
		return 0
	}
	return p.Begun()
}

// mayBegin reports why an act may not begin an attempt.
func (t *tx) mayBegin(a notice.Act) error {
	if err := t.unscheduled(a); err != nil || a.BillingKey == "" {
		return err
	}
	k, err := t.billingKey(a.BillingKey)
	if err != nil {
		return err
	}
	return k.Usable()
}

// actOn locks the names of an act and loads its payment, nil if there is none
// that the mode sees.
func (t *tx) actOn(a notice.Act) (*payment.Payment, error) {
	locks := make([]string, 0, len(a.Names)+2)
	if a.Payment == "" {
		locks = append(locks, paymentLock(a.Store, a.ID))
	}
	if a.BillingKey != "" {
		locks = append(locks, keyLock(a.BillingKey))
	}
	for _, k := range a.Names {
		locks = append(locks, k.String())
	}
	if err := t.lock(locks); err != nil {
		return nil, err
	}
	if err := t.fresh(a.Version); err != nil {
		return nil, err
	}
	if a.Payment != "" {
		p, err := t.paymentByKey(a.Payment)
		if isNoRows(err) {
			return nil, fault.Errorf(fault.NotFound, "there is no payment %s", a.Payment)
		}
		return &p, err
	}
	p, found, err := t.paymentByID(a.Store, a.ID)
	if err != nil || !found {
		return nil, err
	}
	return &p, nil
}

// paymentLock is the name under which a merchant's name for a payment is locked.
func paymentLock(s merchant.StoreID, id payment.ID) string {
	return "payment\x1f" + string(s) + "\x1f" + string(id)
}

// newInquiry has the PG asked about a payment for which a notice waits.
var newInquiry = func() *bulk {
	b := inserting("inquiry", "payment_key uuid, due_at bigint, tries bigint",
		"on conflict (payment_key) do update set due_at = excluded.due_at, tries = 0")
	b.last = true
	return b
}()

// putInquiry notes when the PG is to be asked about a payment. Without a time it
// need not be, unless something else is outstanding: then it is asked when it
// would have been. Who was asking changes nothing if somebody else did meanwhile.
func (t *tx) putInquiry(p payment.Payment, out notice.Acted) error {
	ask := out.Ask
	if ask.IsZero() {
		pending, err := t.pending(p.Key)
		if err != nil {
			return err
		}
		if pending || p.Outstanding() {
			if ask = out.Again; ask.IsZero() {
				return nil
			}
		}
	}
	switch {
	case out.Taken == nil && ask.IsZero():
		return t.must(`delete from inquiry where payment_key = $1`, string(p.Key))
	case out.Taken == nil:
		return t.must(`insert into inquiry (payment_key, due_at, tries) values ($1, $2, 0)
			on conflict (payment_key) do update set due_at = excluded.due_at`, string(p.Key), micros(ask))
	case ask.IsZero():
		return t.must(`delete from inquiry where payment_key = $1 and due_at = $2`, string(p.Key), micros(out.Taken.Until))
	}
	return t.must(`update inquiry set due_at = $3 where payment_key = $1 and due_at = $2`, string(p.Key), micros(out.Taken.Until), micros(ask))
}

// pending reports whether notices wait for what the PG says of a payment.
func (t *tx) pending(k payment.Key) (bool, error) {
	var id string
	// Index: open_case_by_payment.
	return t.has(`select id from open_case where payment_key = $1 and kind = $2 limit 1`, []any{string(k), string(payment.Pending)}, &id)
}

// Inquiries takes up to n payments about which the PG is to be asked by now. No
// other caller gets them before until: whoever asked says by Act when to ask
// again. It also returns when the next one is due, which is past if there are
// more; the zero time if none waits.
func (s *Store) Inquiries(ctx context.Context, now, until time.Time, n int) (list []notice.Inquiry, next time.Time, err error) {
	err = s.write(ctx, func(t *tx) error {
		list = nil
		skip := ""
		if t.d.postgres {
			skip = " for update skip locked"
		}
		tries := make(map[payment.Key]int)
		// Index: inquiry_by_due.
		if err := t.each(`update inquiry set due_at = $2, tries = tries + 1 where payment_key in
			(select payment_key from inquiry where due_at <= $1 order by due_at limit $3`+skip+`) returning payment_key, tries`,
			[]any{micros(now), micros(until), n}, func(rows rowSet) error {
				var key string
				var count int
				err := rows.Scan(&key, &count)
				tries[payment.Key(key)] = count
				return err
			}); err != nil {
			return err
		}
		for key, count := range tries {
			p, err := t.inquired(key)
			switch {
			case isNoRows(err):
				if err := t.must(`delete from inquiry where payment_key = $1`, string(key)); err != nil {
					return err
				}
			case isProgram(err):
				// One that cannot be opened must not stand in the way of others.
				t.s.log.ErrorContext(t.ctx, "a payment cannot be opened, so its PG is not asked for now", "payment_key", key, "err", err)
			case err != nil:
				return err
			default:
				list = append(list, notice.Inquiry{Payment: p, Tries: count, Until: until})
			}
		}
		var due sql.NullInt64
		// Index: inquiry_by_due.
		if err := t.row(`select min(due_at) from inquiry`).Scan(&due); err != nil {
			return err
		}
		next = momentOrZero(due)
		return nil
	})
	return list, next, err
}

// inquired loads a payment that is asked about.
func (t *tx) inquired(k payment.Key) (payment.Payment, error) {
	var doc []byte
	if err := t.row(`select doc from payment where key = $1`, string(k)).Scan(&doc); err != nil {
		return payment.Payment{}, err
	}
	return t.s.openPayment(k, doc)
}

// isProgram reports whether an error is one of ours, which another try will not
// mend.
func isProgram(err error) bool {
	_, ours := errors.AsType[*programError](err)
	return ours
}
