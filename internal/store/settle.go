package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// Settle decides on notices that arrived together, in order, and writes raw
// notices, verdicts, payments, events and deliveries in one transaction.
//
// judge must be pure: it may be called more than once. A notice that breaks
// the batch is settled alone, so that it never fails its neighbours; what
// could not be committed has Err set in its result. One that another node is
// busy with has notice.ErrBusy there: nothing waits for that node. The error
// of Settle itself says that nothing at all was committed.
func (s *Store) Settle(ctx context.Context, in []notice.Inbound, judge notice.Judge) ([]notice.Result, error) {
	results, err := s.settle(ctx, in, judge)
	if err == nil || len(in) == 1 || ctx.Err() != nil {
		return results, err
	}
	results = make([]notice.Result, len(in))
	for i := range in {
		if ctx.Err() != nil {
			// Nobody waits any more, and a database that is away would make
			// each notice wait anew.
			results[i] = notice.Result{ID: in[i].ID, Err: away(ctx.Err())}
			continue
		}
		one, err := s.settle(ctx, in[i:i+1], judge)
		if err != nil {
			results[i] = notice.Result{ID: in[i].ID, Err: err}
			continue
		}
		results[i] = one[0]
	}
	return results, nil
}

func (s *Store) settle(ctx context.Context, in []notice.Inbound, judge notice.Judge) ([]notice.Result, error) {
	var results []notice.Result
	err := s.writeFirst(ctx, func(t *tx) error {
		results = make([]notice.Result, len(in)) // fn may run again
		taken, err := t.take(in)
		if err != nil {
			return err
		}
		version, err := t.settingsVersion()
		if err != nil {
			return err
		}
		var refused []refusal
		for i, n := range in {
			switch {
			case n.Version != 0 && n.Version != version:
				results[i] = notice.Result{ID: n.ID, Err: fault.Errorf(fault.Stale, "the settings changed")}
				continue
			case taken[i]:
				results[i] = notice.Result{ID: n.ID, Err: busy(n)}
				continue
			}
			r, found, err := t.judge(n, judge)
			if err != nil {
				return err
			}
			if refuses(r) {
				refused = append(refused, refusal{i, n, r})
				continue
			}
			results[i] = resultOf(n, r)
			if err := t.record(n, r, found); err != nil {
				return err
			}
		}
		return t.putRefusals(refused, results)
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// judge has a notice ruled on by what the store knows of it.
func (t *tx) judge(in notice.Inbound, judge notice.Judge) (notice.Ruling, []notice.Found, error) {
	if in.Ruled != nil {
		return *in.Ruled, nil, nil
	}
	found, err := t.find(in)
	if err != nil {
		return notice.Ruling{}, nil, err
	}
	r := judge(in, found)
	if r.Created {
		var key string
		// Index: payment_by_id.
		taken, err := t.has(`select key from payment where store_id = $1 and id = $2`,
			[]any{string(r.Payment.Store), string(r.Payment.ID)}, &key)
		if err != nil {
			return notice.Ruling{}, nil, err
		}
		if taken {
			// The order is that of a payment of another channel: not ours to
			// make a second one of the same id.
			r = notice.Ruling{Verdict: payment.Unmatched, Reason: notice.ReasonUnknownOrder, Channel: r.Channel}
		}
	}
	return r, found, nil
}

// resultOf is what a ruling means for the notice's sender.
func resultOf(in notice.Inbound, r notice.Ruling) notice.Result {
	res := notice.Result{ID: in.ID, Verdict: r.Verdict, Reason: r.Reason, Channel: r.Channel}
	if r.Payment != nil {
		res.Payment = r.Payment.Key
		if r.Changed {
			res.Deadline = r.Payment.Deadline()
		}
	}
	return res
}

// record writes a notice with its ruling.
func (t *tx) record(in notice.Inbound, r notice.Ruling, found []notice.Found) error {
	if err := t.putNotice(in, r); err != nil {
		return err
	}
	if err := t.putVerdict(in.ID, in.At, r); err != nil {
		return err
	}
	if err := t.putRuling(in, r, found); err != nil {
		return err
	}
	return t.putCase(in, r)
}

// putRuling writes what a ruling does beyond the notice itself.
func (t *tx) putRuling(in notice.Inbound, r notice.Ruling, found []notice.Found) error {
	if r.Claims && in.Notice.Key != "" && r.Channel != "" {
		if err := t.must(`insert into notice_key (channel_key, key, notice_id) values ($1, $2, $3)
			on conflict do nothing`, string(r.Channel), name(in.Notice.Key), string(in.ID)); err != nil {
			return err
		}
	}
	if err := t.putDeposit(in, r); err != nil {
		return err
	}
	if r.Payment != nil && (r.Changed || r.Created) {
		if err := t.putPayment(*r.Payment, r.Created, keysBefore(r.Payment.Key, found)); err != nil {
			return err
		}
	}
	return t.emit(r.Emissions, string(in.ID))
}

// putDeposit notes whose the deposit is that a notice told of, if its payment
// keeps it under that id. A deposit of another payment breaks the transaction:
// it must never count twice, whatever the Judge says.
func (t *tx) putDeposit(in notice.Inbound, r notice.Ruling) error {
	id := in.Notice.Deposit
	if in.Notice.Event != payment.EventDeposited || id == "" || r.Payment == nil || !keeps(*r.Payment, id) {
		return nil
	}
	var owner string
	// The update changes nothing: it makes a row that is there answer too.
	if err := t.row(`insert into deposit (channel_key, key, payment_key, notice_id) values ($1, $2, $3, $4)
		on conflict (channel_key, key) do update set payment_key = deposit.payment_key returning payment_key`,
		string(r.Channel), name(id), string(r.Payment.Key), string(in.ID)).Scan(&owner); err != nil {
		return err
	}
	if owner != string(r.Payment.Key) {
		return fault.Errorf(fault.Conflict, "notice %s: its deposit is payment %s's", in.ID, owner)
	}
	return nil
}

// keeps reports whether a deposit with the id came in for the payment.
func keeps(p payment.Payment, id string) bool {
	return slices.ContainsFunc(p.Deposits, func(d payment.Deposit) bool {
		return d.Key == id && d.State != payment.DepositForetold
	})
}

// keysBefore are the names that a payment had when it was found.
func keysBefore(k payment.Key, found []notice.Found) []payment.MatchKey {
	for _, f := range found {
		for _, p := range f.Payments {
			if p.Key == k {
				return p.MatchKeys()
			}
		}
	}
	return nil
}

// find looks up, for each channel that may be meant, what is known of the
// notice.
func (t *tx) find(in notice.Inbound) ([]notice.Found, error) {
	out := make([]notice.Found, 0, len(in.Channels))
	for _, c := range in.Channels {
		f, err := t.findIn(c, in.Notice)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func (t *tx) findIn(c merchant.ChannelKey, n notice.Notice) (f notice.Found, err error) {
	f.Channel = c
	if f.Claimed, f.DepositOf, err = t.seen(c, n); err != nil {
		return f, err
	}
	for _, k := range payment.ReportKeys(c, n.Order, n.Report) {
		if f.Payments, err = t.named(k, n.Report); err != nil {
			return f, err
		}
		if len(f.Payments) > 0 {
			f.By = k.Kind
			return f, nil
		}
	}
	if n.Order == "" {
		return f, nil
	}
	// Index: match_key_by_store. The order may be the other mode's.
	var other string
	f.OtherMode, err = t.has(`select m.payment_key from match_key m join channel c on c.key = $1
		join channel o on o.key = m.channel_key
		where m.store_id = c.store_id and m.kind = 'order' and m.value = $2 and o.mode <> c.mode limit 1`,
		[]any{string(c), name(payment.Shorten(n.Order))}, &other)
	return f, err
}

// seen tells whether a notice's message and deposit were decided before.
func (t *tx) seen(c merchant.ChannelKey, n notice.Notice) (claimed bool, depositOf payment.Key, err error) {
	var id string
	if n.Key != "" {
		// Index: notice_key_pkey.
		if claimed, err = t.has(`select notice_id from notice_key where channel_key = $1 and key = $2`,
			[]any{string(c), name(n.Key)}, &id); err != nil {
			return claimed, "", err
		}
	}
	if n.Deposit == "" || n.Event != payment.EventDeposited {
		return claimed, "", nil
	}
	// Index: deposit_pkey.
	_, err = t.has(`select payment_key from deposit where channel_key = $1 and key = $2`,
		[]any{string(c), name(n.Deposit)}, &depositOf)
	return claimed, depositOf, err
}

// mostNamed is how many payments of one name are looked at, the newest first.
const mostNamed = 100

// named are the payments that a name leads to. An account number leads only
// to payments that expect the report.
func (t *tx) named(k payment.MatchKey, r payment.Report) ([]payment.Payment, error) {
	var keys []string
	// Index: match_key_pkey.
	if err := t.each(`select payment_key from match_key where channel_key = $1 and kind = $2 and value = $3
		order by payment_key desc limit $4`, []any{string(k.Channel), string(k.Kind), t.s.nameOf(k), mostNamed},
		func(rows *sql.Rows) error {
			var key string
			err := rows.Scan(&key)
			keys = append(keys, key)
			return err
		}); err != nil {
		return nil, err
	}
	slices.Sort(keys) // payments are locked in a fixed order
	var out []payment.Payment
	for _, key := range keys {
		p, err := t.paymentByKey(payment.Key(key))
		if err != nil {
			return nil, err
		}
		if k.Kind != payment.ByAccount || p.Expects(r) {
			out = append(out, p)
		}
	}
	return out, nil
}

// keptRequest is a request as it is sealed: its bytes as they came.
type keptRequest struct {
	Method string              `json:"method"`
	Path   []byte              `json:"path"`
	Query  []byte              `json:"query,omitempty"`
	Header map[string][]string `json:"header"`
	Body   []byte              `json:"body"`
	Said   keptWords           `json:"said"`
}

// keptWords are what the store itself needs of a notice that it looks at
// again, and what must not stand in a clear column.
type keptWords struct {
	Deposit string `json:"deposit,omitempty"`
	Account string `json:"account,omitempty"`
}

func (t *tx) putNotice(in notice.Inbound, r notice.Ruling) error {
	n := in.Notice
	var c merchant.Channel
	if r.Channel != "" {
		if err := t.row(`select merchant_id, store_id, mode from channel where key = $1`, string(r.Channel)).
			Scan(&c.Merchant, &c.Store, &c.Mode); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
	}
	amount := sql.NullInt64{Int64: n.Amount.Amount, Valid: n.HasAmount}
	if err := t.must(`insert into notice (id, received_at, provider, channel_key, merchant_id, store_id, mode, peer,
		method, path, size, truncated, event, kind, order_id, key, amount, currency, occurred_at, pg_tx)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
		string(in.ID), micros(in.At), in.Provider, string(r.Channel), string(c.Merchant), string(c.Store), string(c.Mode),
		in.Peer.String(), text(in.Request.Method), text(in.Request.Route()), len(in.Request.Body), in.Truncated,
		string(n.Event), text(n.Kind), text(n.Order), text(n.Key), amount, string(n.Amount.Currency),
		microsOrNull(n.At), text(n.PGTx)); err != nil {
		return err
	}
	b, err := json.Marshal(keptRequest{in.Request.Method, []byte(in.Request.Path), []byte(in.Request.Query),
		in.Request.Header, in.Request.Body, keptWords{n.Deposit, n.Account.Reveal()}})
	if err != nil {
		return err
	}
	sealed, err := t.s.key.Seal(b, "notice_body/"+string(in.ID))
	if err != nil {
		return err
	}
	return t.must(`insert into notice_body (id, request) values ($1, $2)`, string(in.ID), sealed)
}

// text is what a text column can hold: PostgreSQL takes neither NUL nor bytes
// that are not UTF-8. The bytes as they came are in the sealed request.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func (t *tx) putVerdict(id notice.ID, at time.Time, r notice.Ruling) error {
	var key payment.Key
	if r.Payment != nil {
		key = r.Payment.Key
	}
	v7, err := uuid.NewV7()
	if err != nil {
		return err
	}
	// Ids come from the clocks of many nodes, so they do not tell which verdict
	// is the latest: its number does. Index: verdict_by_notice.
	return t.must(`insert into verdict (id, notice_id, number, at, verdict, reason, detail, payment_key)
		values ($1, $2, (select coalesce(max(number), 0) + 1 from verdict where notice_id = $2), $3, $4, $5, $6, $7)`,
		v7.String(), string(id), micros(at), string(r.Verdict), string(r.Reason), text(r.Detail), orNull(key))
}
