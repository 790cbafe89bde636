package store

import (
	"context"
	"database/sql"
	"encoding/json"
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
		k, taken, err := t.know(in)
		if err != nil {
			return err
		}
		var refused []refusal
		for i, n := range in {
			switch {
			case n.Version != 0 && n.Version != t.version:
				results[i] = notice.Result{ID: n.ID, Err: fault.Errorf(fault.Stale, "the settings changed")}
				continue
			case taken[i]:
				results[i] = notice.Result{ID: n.ID, Err: busy(n)}
				continue
			}
			r, found, err := t.judge(k, n, judge)
			if err != nil {
				return err
			}
			if refuses(r) {
				refused = append(refused, refusal{i, n, r})
				continue
			}
			results[i] = resultOf(n, r)
			if err := t.record(k, n, r, found); err != nil {
				return err
			}
			k.learn(n, r)
		}
		return t.putRefusals(k, refused, results)
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// judge has a notice ruled on by what the store knows of it.
func (t *tx) judge(k *known, in notice.Inbound, judge notice.Judge) (notice.Ruling, []notice.Found, error) {
	if in.Ruled != nil {
		return *in.Ruled, nil, nil
	}
	found := k.find(in)
	r, err := t.rule(in, found, judge)
	return r, found, err
}

// rule has a notice ruled on. A payment that it would make must not be there yet.
func (t *tx) rule(in notice.Inbound, found []notice.Found, judge notice.Judge) (notice.Ruling, error) {
	r := judge(in, found)
	if r.Created {
		var key string
		// Index: payment_by_id.
		taken, err := t.has(`select key from payment where store_id = $1 and id = $2`,
			[]any{string(r.Payment.Store), string(r.Payment.ID)}, &key)
		if err != nil {
			return notice.Ruling{}, err
		}
		if taken {
			// The order is that of a payment of another channel: not ours to
			// make a second one of the same id.
			r = notice.Ruling{Verdict: payment.Unmatched, Reason: notice.ReasonUnknownOrder, Channel: r.Channel}
		}
	}
	return r, nil
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
func (t *tx) record(k *known, in notice.Inbound, r notice.Ruling, found []notice.Found) error {
	t.putNotice(in, r, k.channels[r.Channel])
	if err := t.putRuling(in, r, found); err != nil {
		return err
	}
	return t.putCase(k, in, r)
}

// putRuling writes what a ruling does beyond the notice itself.
func (t *tx) putRuling(in notice.Inbound, r notice.Ruling, found []notice.Found) error {
	if r.Claims && in.Notice.Key != "" && r.Channel != "" {
		t.put(newMessage, string(r.Channel), name(in.Notice.Key), string(in.ID))
	}
	if err := t.putDeposit(in, r, found); err != nil {
		return err
	}
	if r.Payment != nil && (r.Changed || r.Created) {
		if err := t.putPayment(*r.Payment, r.Created, namesBefore(r.Payment.Key, found)); err != nil {
			return err
		}
	}
	if r.Ask && r.Payment != nil {
		t.put(newInquiry, string(r.Payment.Key), micros(in.At), 0)
	}
	return t.emit(r.Emissions, string(in.ID))
}

// putDeposit notes whose the deposit is that a notice told of, if its payment
// keeps it under that id. A deposit of another payment breaks the transaction:
// it must never count twice, whatever the Judge says.
func (t *tx) putDeposit(in notice.Inbound, r notice.Ruling, found []notice.Found) error {
	id := in.Notice.Deposit
	if in.Notice.Event != payment.EventDeposited || id == "" || r.Payment == nil || !keeps(*r.Payment, id) {
		return nil
	}
	for _, f := range found {
		switch {
		case f.Channel != r.Channel || f.DepositOf == "":
		case f.DepositOf == r.Payment.Key:
			return nil
		default:
			return fault.Errorf(fault.Conflict, "notice %s: its deposit is payment %s's", in.ID, f.DepositOf)
		}
	}
	t.put(newDeposit, string(r.Channel), name(id), string(r.Payment.Key), string(in.ID))
	return nil
}

// keeps reports whether a deposit with the id came in for the payment.
func keeps(p payment.Payment, id string) bool {
	return slices.ContainsFunc(p.Deposits, func(d payment.Deposit) bool {
		return d.Key == id && d.State != payment.DepositForetold
	})
}

// namesBefore are the names that a payment had when it was found.
func namesBefore(k payment.Key, found []notice.Found) []payment.MatchKey {
	for _, f := range found {
		for _, p := range f.Payments {
			if p.Key == k {
				return p.Names()
			}
		}
	}
	return nil
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

// named are the payments that a name leads to. An account number leads only
// to payments that expect the report.
func (t *tx) named(k payment.MatchKey, r payment.Report) ([]payment.Payment, error) {
	var keys []string
	// Index: match_key_pkey.
	if err := t.each(`select payment_key from match_key where channel_key = $1 and kind = $2 and value = $3
		order by payment_key desc limit `+mostNamed, []any{string(k.Channel), string(k.Kind), t.s.nameOf(k)},
		func(rows rowSet) error {
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

// keptOf is a request as it is kept, with what the store needs of what it says.
func keptOf(in notice.Inbound) keptRequest {
	return keptRequest{in.Request.Method, []byte(in.Request.Path), []byte(in.Request.Query), in.Request.Header, in.Request.Body,
		keptWords{in.Notice.Deposit, in.Notice.Account.Reveal()}}
}

// What is written for a notice. A deposit that another transaction wrote
// meanwhile breaks this one.
var (
	newNotice = inserting("notice", `id uuid, received_at bigint, provider text, channel_key text, merchant_id text, store_id text,
		mode text, peer text, method text, path text, size bigint, truncated boolean, event text, kind text, order_id text, key text,
		amount bigint, currency text, occurred_at bigint, pg_tx text, verdict text, reason text, detail text, payment_key uuid,
		charset text, decided_in bigint`, "")
	newBody    = inserting("notice_body", "id uuid, request bytea", "")
	newMessage = inserting("notice_key", "channel_key text, key text, notice_id uuid", "on conflict do nothing")
	newDeposit = inserting("deposit", "channel_key text, key text, payment_key uuid, notice_id uuid", "")
)

func (t *tx) putNotice(in notice.Inbound, r notice.Ruling, c channelOwner) {
	n := in.Notice
	t.put(newNotice, string(in.ID), micros(in.At), in.Provider, string(r.Channel), string(c.merchant), string(c.store), string(c.mode),
		in.Peer.String(), text(in.Request.Method), text(in.Request.Route()), len(in.Request.Body), in.Truncated,
		string(n.Event), text(n.Kind), text(n.Order), text(n.Key), sql.NullInt64{Int64: n.Amount.Amount, Valid: n.HasAmount},
		string(n.Amount.Currency), microsOrNull(n.At), text(n.PGTx),
		string(r.Verdict), string(r.Reason), text(r.Detail), orNull(paymentOf(r)), n.Charset, decidedIn(in))
	t.put(newBody, string(in.ID), later(func() ([]byte, error) {
		b, err := json.Marshal(keptOf(in))
		if err != nil {
			return nil, err
		}
		return t.s.key.Seal(b, "notice_body/"+string(in.ID))
	}))
}

// decidedIn is how long it took from a notice's first bytes until its verdict stood, in
// microseconds: then it is also decided what its sender hears. The commit, which comes
// before that is said, cannot be told in what is committed. Null for what no PG sent.
func decidedIn(in notice.Inbound) sql.NullInt64 {
	if in.Began.IsZero() {
		return sql.NullInt64{}
	}
	return sql.NullInt64{Int64: max(0, time.Since(in.Began).Microseconds()), Valid: true}
}

// paymentOf is the payment that a ruling means, if any.
func paymentOf(r notice.Ruling) payment.Key {
	if r.Payment == nil {
		return ""
	}
	return r.Payment.Key
}

// text is what a text column can hold: PostgreSQL takes neither NUL nor bytes
// that are not UTF-8. The bytes as they came are in the sealed request.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// putVerdict gives a held notice another verdict, and keeps the one that it
// had.
func (t *tx) putVerdict(id notice.ID, at time.Time, r notice.Ruling) error {
	v7, err := uuid.NewV7()
	if err != nil {
		return err
	}
	// Ids come from the clocks of many nodes, so they do not tell which verdict
	// came first: its number does. Index: notice_pkey, verdict_by_notice.
	if err := t.must(`insert into verdict (id, notice_id, number, replaced_at, verdict, reason, detail, payment_key)
		select $1, id, (select coalesce(max(w.number), 0) + 1 from verdict w where w.notice_id = $2), $3, verdict, reason, detail, payment_key
		from notice where id = $2`, v7.String(), string(id), micros(at)); err != nil {
		return err
	}
	return t.must(`update notice set verdict = $2, reason = $3, detail = $4, payment_key = $5 where id = $1`,
		string(id), string(r.Verdict), string(r.Reason), text(r.Detail), orNull(paymentOf(r)))
}
