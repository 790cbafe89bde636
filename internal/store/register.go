package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// Register writes a registration and, in the same transaction, decides on the
// notices that came before it. Registration and notice may come in either
// order and on two nodes at once: both lock every name they have before they
// look each other up, so exactly one of them applies the notice.
//
// changed is false if the same registration was made before. It reports
// what payment.Register does, payment.ErrPinned if the payment was pre-registered
// otherwise, payment.ErrScheduled for another account of one that is scheduled, and
// fault.Stale if the settings changed. A dry one writes nothing.
func (s *Store) Register(ctx context.Context, g payment.Registration, r notice.Registering) (p payment.Payment, changed bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		p, changed, err = t.register(g, r)
		if err == nil && r.Dry {
			return errDry
		}
		return err
	})
	if errors.Is(err, errDry) {
		err = nil
	}
	return p, changed, err
}

// errDry undoes a transaction of which only the outcome was wanted.
var errDry = fault.Errorf(fault.Conflict, "nothing is to be written")

func (t *tx) register(g payment.Registration, r notice.Registering) (p payment.Payment, changed bool, err error) {
	if err := t.lock(registrationLocks(g)); err != nil {
		return p, false, err
	}
	if err := t.fresh(r.Version); err != nil {
		return p, false, err
	}
	known, exists, err := t.paymentByID(g.Store, g.ID)
	if err != nil {
		return p, false, err
	}
	var before *payment.Payment
	if exists {
		before = &known
	}
	if !exists || known.OnlyOpened() {
		if err := t.fillPin(&g); err != nil {
			return p, false, err
		}
	}
	p, changed, err = payment.Register(before, g, r.Env)
	if err != nil {
		return p, false, err
	}
	if p.Begun() > known.Begun() {
		if err := t.unscheduled(notice.Act{Store: g.Store, ID: g.ID}); err != nil {
			return p, false, err
		}
	}
	if err := t.ownNames(p); err != nil {
		return p, false, err
	}
	if changed {
		if err := t.putPayment(p, !exists, known.Names()); err != nil {
			return p, false, err
		}
		if err := t.putSale(before, p); err != nil {
			return p, false, err
		}
		if r.Audit != nil {
			if err := t.audit(r.Audit(known, p)); err != nil {
				return p, false, err
			}
		}
	}
	if p, err = t.decideHeld(p, meeting{channel: g.Channel, env: r.Env, judge: r.Judge}); err != nil {
		return p, false, err
	}
	// A payment that its waiting deposit has already paid was never seen to
	// wait: only Transaction.Paid is told, as when a payment is adopted.
	if changed && p.State == payment.Issued && (!exists || known.State != payment.Issued || len(known.Transactions) != len(p.Transactions)) {
		list, err := r.Announce(p)
		if err != nil {
			return p, false, err
		}
		return p, true, t.emit(list, "")
	}
	if changed {
		t.put(newSearchDue, string(p.Key))
	}
	return p, changed, nil
}

// ownNames reports fault.Conflict if an order of the payment is another
// payment's: a notice about it could not be told to either.
func (t *tx) ownNames(p payment.Payment) error {
	for _, k := range p.MatchKeys() {
		if k.Kind != payment.ByOrder {
			continue
		}
		var other string
		// Index: match_key_pkey.
		taken, err := t.has(`select p.id from match_key m join payment p on p.key = m.payment_key
			where m.channel_key = $1 and m.kind = $2 and m.value = $3 and m.payment_key <> $4 limit 1`,
			[]any{string(k.Channel), string(k.Kind), t.s.nameOf(k), string(p.Key)}, &other)
		if err != nil {
			return err
		}
		if taken {
			return fault.Errorf(fault.Conflict, "the order %q of the channel is payment %q's", k.Value, other)
		}
	}
	return nil
}

// registrationLocks are the names a registration takes, in whatever order.
func registrationLocks(g payment.Registration) []string {
	order := g.Order
	if order == "" {
		order = string(g.ID)
	}
	locks := []string{paymentLock(g.Store, g.ID)}
	one := payment.Payment{Transactions: []payment.Transaction{{Channel: g.Channel, Order: order, PGTx: g.PGTx, Account: &g.Account}}}
	for _, k := range one.MatchKeys() {
		locks = append(locks, k.String())
	}
	return locks
}

// A meeting is how notices that waited for a payment are decided.
type meeting struct {
	channel  merchant.ChannelKey // through which something new was learnt
	env      payment.Env
	judge    notice.Judge
	standing *payment.Standing // what the PG said; nil if it was not asked
}

// lagging is how long a PG may not know yet what its own notice said.
const lagging = 10 * time.Minute

// standingFor is what the PG said, for a notice that came before it was asked.
func (m meeting) standingFor(came time.Time) *payment.Standing {
	if m.standing == nil || m.standing.AskedAt.Before(came) {
		return nil
	}
	s := *m.standing
	s.Final = s.AskedAt.Sub(came) >= lagging
	return &s
}

// leaves reports whether a held notice stays as it is: it still waits for the PG, is
// ruled on as before, or the PG's word has made it a person's.
func (m meeting) leaves(h held, r notice.Ruling) bool {
	if r.Verdict == h.is && (r.Verdict == payment.Pending || r.Reason == h.why) {
		return true
	}
	if r.Verdict != payment.Pending {
		return false
	}
	told := []payment.Reason{notice.ReasonDenied, payment.ReasonOtherAmount, payment.ReasonOtherCurrency}
	return slices.Contains(told, h.why) || m.standing != nil && h.is == payment.Conflict
}

// decideHeld judges the notices that waited for payment p, in the PG's order
// of time, each on the state that the one before it left.
func (t *tx) decideHeld(p payment.Payment, m meeting) (payment.Payment, error) {
	held, err := t.casesFor(p.MatchKeys())
	if err != nil {
		return p, err
	}
	for _, h := range held {
		if h.name.Channel != m.channel {
			continue // another attempt's channel: nothing new was learnt for it
		}
		f, meant, err := t.foundFor(h, p)
		if err != nil {
			return p, err
		}
		if !meant {
			continue
		}
		f.Standing = m.standingFor(h.in.At)
		h.in.At = m.env.Now
		ruling := m.judge(h.in, []notice.Found{f})
		if ruling.Verdict == payment.Unmatched || m.leaves(h, ruling) {
			continue
		}
		if err := t.putHeld(h, ruling, f); err != nil {
			return p, err
		}
		if ruling.Payment != nil {
			p = *ruling.Payment
		}
	}
	return p, nil
}

// putHeld writes what became of a held notice.
func (t *tx) putHeld(h held, r notice.Ruling, f notice.Found) error {
	if err := t.putVerdict(h.in.ID, h.in.At, r); err != nil {
		return err
	}
	in := h.in
	in.Notice.Report = h.said
	if err := t.putRuling(in, r, []notice.Found{f}); err != nil {
		return err
	}
	return t.moveCase(in, r)
}

// moveCase brings the case of a notice that was judged again up to date.
func (t *tx) moveCase(in notice.Inbound, r notice.Ruling) error {
	kind := string(r.Verdict)
	if !r.Verdict.Open() {
		if !r.Listed {
			return t.dropCase(string(in.ID))
		}
		kind = caseListed
	}
	var key sql.NullString
	if r.Payment != nil {
		key = orNull(r.Payment.Key)
	}
	return t.must(`update open_case set kind = $2, channel_key = $3, payment_key = $4, reason = $5 where id = $1`,
		string(in.ID), kind, string(r.Channel), key, string(r.Reason))
}

// loadNotice reads a notice with its bytes as they came, ready for a Judge to
// decode. said is what it says as far as matching needs.
func loadNotice(ctx context.Context, q querier, r *Reader, id notice.ID) (in notice.Inbound, said payment.Report, err error) {
	var peer string
	var received int64
	var at, amount sql.NullInt64
	var sealed []byte
	// Index: notice_pkey, notice_body_pkey.
	err = q.QueryRowContext(ctx, `select n.received_at, n.provider, n.peer, n.truncated, n.order_id, n.event, n.key,
		n.occurred_at, n.amount, n.currency, b.request
		from notice n join notice_body b on b.id = n.id where n.id = $1`, string(id)).
		Scan(&received, &in.Provider, &peer, &in.Truncated, &in.Notice.Order, &said.Event, &said.Key,
			&at, &amount, &said.Amount.Currency, &sealed)
	if err != nil {
		return in, said, fmt.Errorf("notice %s: %w", id, err)
	}
	said.At, said.Amount.Amount, said.HasAmount = momentOrZero(at), amount.Int64, amount.Valid
	in.ID, in.At, in.Notice.Key, in.Notice.At = id, moment(received), said.Key, said.At
	if peer != "" {
		if in.Peer, err = netip.ParseAddr(peer); err != nil {
			in.Peer = netip.Addr{}
		}
	}
	kept, err := r.openRequest(id, sealed)
	in.Request = kept.request()
	said.Deposit, said.Account = kept.Said.Deposit, secret.Account(kept.Said.Account)
	return in, said, err
}

func (r *Reader) openRequest(id notice.ID, sealed []byte) (k keptRequest, err error) {
	b, err := r.key.Open(sealed, "notice_body/"+string(id))
	if err != nil {
		return k, &programError{fmt.Errorf("notice %s: %w", id, err)}
	}
	if err := json.Unmarshal(b, &k); err != nil {
		return k, &programError{fmt.Errorf("notice %s: %w", id, err)}
	}
	return k, nil
}

// request is the request as it came.
func (k keptRequest) request() notice.Request {
	return notice.Request{Method: k.Method, Path: string(k.Path), Query: string(k.Query), Header: http.Header(k.Header), Body: k.Body}
}

// isNoRows reports whether a query found nothing.
func isNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }
