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

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// Register writes a registration and, in the same transaction, decides on the
// notices that came before it. Registration and notice may come in either
// order and on two nodes at once: both lock every name they have before they
// look each other up, so exactly one of them applies the notice.
//
// changed is false if the same registration was made before. It reports
// fault.Conflict as payment.Register does, and fault.Stale if the settings
// changed.
func (s *Store) Register(ctx context.Context, g payment.Registration, r notice.Registering) (p payment.Payment, changed bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		p, changed, err = t.register(g, r)
		return err
	})
	return p, changed, err
}

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
	p, changed, err = payment.Register(before, g, r.Env)
	if err != nil {
		return p, false, err
	}
	if changed {
		if err := t.putPayment(p, !exists, known.MatchKeys()); err != nil {
			return p, false, err
		}
	}
	if p, err = t.decideHeld(p, g, r); err != nil {
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
	return p, changed, nil
}

// registrationLocks are the names a registration takes, in whatever order.
func registrationLocks(g payment.Registration) []string {
	order := g.Order
	if order == "" {
		order = string(g.ID)
	}
	locks := []string{"payment\x1f" + string(g.Store) + "\x1f" + string(g.ID)}
	one := payment.Payment{Transactions: []payment.Transaction{{Channel: g.Channel, Order: order, PGTx: g.PGTx, Account: &g.Account}}}
	for _, k := range one.MatchKeys() {
		locks = append(locks, k.String())
	}
	return locks
}

// decideHeld judges the notices that waited for payment p, in the PG's order
// of time, each on the state that the one before it left.
func (t *tx) decideHeld(p payment.Payment, g payment.Registration, r notice.Registering) (payment.Payment, error) {
	held, err := t.casesFor(p.MatchKeys())
	if err != nil {
		return p, err
	}
	for _, in := range held {
		if in.Channels[0] != g.Channel {
			continue // another attempt's channel: nothing new was learnt for it
		}
		in.At = r.Env.Now
		f := notice.Found{Channel: g.Channel, By: payment.ByOrder, Payments: []payment.Payment{p}}
		if in.Notice.Order == "" {
			f.By = payment.ByAccount
		}
		if f.Claimed, f.DepositOf, err = t.seen(g.Channel, in.Notice); err != nil {
			return p, err
		}
		ruling := r.Judge(in, []notice.Found{f})
		if ruling.Verdict == payment.Unmatched {
			continue // still not this payment's
		}
		if err := t.putVerdict(in.ID, in.At, ruling); err != nil {
			return p, err
		}
		if err := t.putRuling(in, ruling, []notice.Found{f}); err != nil {
			return p, err
		}
		if err := t.moveCase(in, ruling); err != nil {
			return p, err
		}
		if ruling.Payment != nil {
			p = *ruling.Payment
		}
	}
	return p, nil
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

// heldNotice loads a notice that is waiting in a case. waits is false if the
// case is gone or waits for something else than a registration.
func (t *tx) heldNotice(id string) (in notice.Inbound, waits bool, err error) {
	var kind string
	found, err := t.has(`select kind from open_case where id = $1`+t.d.forUpdate, []any{id}, &kind)
	if err != nil || !found || kind == string(payment.Pending) || kind == caseListed {
		return in, false, err
	}
	in, err = loadNotice(t.ctx, t.q, t.s.Reader, notice.ID(id))
	return in, err == nil, err
}

// loadNotice reads a notice with its bytes as they came. What it says is read
// from its columns as far as matching needs; a Judge decodes the rest.
func loadNotice(ctx context.Context, q querier, r *Reader, id notice.ID) (in notice.Inbound, err error) {
	var peer string
	var received int64
	var at sql.NullInt64
	var sealed []byte
	// Index: notice_pkey, notice_body_pkey.
	err = q.QueryRowContext(ctx, `select n.received_at, n.provider, n.peer, n.truncated, n.order_id, n.key, n.occurred_at, b.request
		from notice n join notice_body b on b.id = n.id where n.id = $1`, string(id)).
		Scan(&received, &in.Provider, &peer, &in.Truncated, &in.Notice.Order, &in.Notice.Key, &at, &sealed)
	if err != nil {
		return in, fmt.Errorf("notice %s: %w", id, err)
	}
	in.ID, in.At, in.Notice.At = id, moment(received), momentOrZero(at)
	if peer != "" {
		if in.Peer, err = netip.ParseAddr(peer); err != nil {
			in.Peer = netip.Addr{}
		}
	}
	in.Request, err = r.openRequest(id, sealed)
	return in, err
}

func (r *Reader) openRequest(id notice.ID, sealed []byte) (notice.Request, error) {
	b, err := r.key.Open(sealed, "notice_body/"+string(id))
	if err != nil {
		return notice.Request{}, &programError{fmt.Errorf("notice %s: %w", id, err)}
	}
	var k keptRequest
	if err := json.Unmarshal(b, &k); err != nil {
		return notice.Request{}, &programError{fmt.Errorf("notice %s: %w", id, err)}
	}
	return notice.Request{Method: k.Method, Path: string(k.Path), Query: string(k.Query), Header: http.Header(k.Header), Body: k.Body}, nil
}

func sortByPGTime(list []notice.Inbound) {
	slices.SortStableFunc(list, func(a, b notice.Inbound) int {
		if c := a.Notice.At.Compare(b.Notice.At); c != 0 {
			return c
		}
		return a.At.Compare(b.At)
	})
}

// isNoRows reports whether a query found nothing.
func isNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }
