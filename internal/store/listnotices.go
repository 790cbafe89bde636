package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// A NoticeFilter narrows the list of notices. Its zero value takes all.
type NoticeFilter struct {
	Verdicts    []payment.Verdict
	Channel     merchant.ChannelKey
	Provider    string // a module's code
	Peer        string // the address that sent it
	Event       payment.Event
	Charset     string      // in which it was read: one of notice.Charsets
	Order       string      // the PG's order id, as a whole
	Payment     payment.Key // of the notices of one payment
	From, Until time.Time   // of coming, to a millisecond; zero leaves an end open
	// Strange leaves the first notice of each address that none of the 5,000
	// notices of the channel before it, or more, came from.
	Strange bool
	// Folded leaves out what tells again what was told before: the row of the
	// first telling counts them.
	Folded bool
	// Unowned takes also what belongs to no channel, and so to no merchant. It is
	// for those who run the installation.
	Unowned bool
}

// A NoticeRow is a line of the list of notices: what can be shown without
// opening what is sealed.
type NoticeRow struct {
	ListedNotice
	Merchant merchant.ID      // whose channel it came to; empty if it is unknown
	Store    merchant.StoreID // likewise
	Payment  payment.Key      // empty if it is about none
	Kind     string           // the PG's own word for the event
	PGTx     string
	Charset  string // in which it was read; empty if it was not
	// DecidedIn is how long it took from the notice's first bytes until its verdict stood,
	// before the commit and the answer. Zero for what no PG sent.
	DecidedIn time.Duration
	Again     int       // how often it was told again, if the list is folded
	AgainAt   time.Time // when it was told last
}

// NoticeRows lists notices of a scope, the newest first, each with its latest
// verdict. Notices of a channel are its store's; those about a payment are seen
// by the payment's store, and by no other. It reports fault.Invalid for a cursor
// of another list.
func (r *Reader) NoticeRows(ctx context.Context, s Scope, f NoticeFilter, p Page) (out Listed[NoticeRow], err error) {
	stores, err := r.storesOf(ctx, s)
	if err != nil {
		return out, err
	}
	channels, err := r.channelsOf(ctx, s, stores)
	if err != nil {
		return out, err
	}
	if f.Unowned {
		channels = append(channels, "")
	}
	if f.Channel != "" && !slices.Contains(channels, f.Channel) {
		return out, nil
	}
	if f.Payment != "" || f.Order != "" || f.Strange {
		out, err = r.fewNotices(ctx, s, f, p, channels)
	} else {
		out, err = listPart(ctx, r, r.noticeListing(s, f, channels), p, scanNoticeRow)
	}
	if err != nil {
		return out, away(err)
	}
	if err := r.completeNotices(ctx, out.Rows, f.Folded); err != nil {
		return out, away(err)
	}
	out.Floor, err = r.floor(ctx, "notice")
	return out, err
}

// channelsOf are the channels that notices of a scope come to: its stores' own,
// and those that are assigned to them.
func (r *Reader) channelsOf(ctx context.Context, s Scope, stores []merchant.StoreID) (out []merchant.ChannelKey, err error) {
	err = each(ctx, over(r.db), `select key, store_id, stores from channel where merchant_id = $1 and mode = $2 order by created_at, key`,
		[]any{string(s.Merchant), string(s.Mode)}, func(rows rowSet) error {
			var c merchant.Channel
			var assigned string
			if err := rows.Scan(&c.Key, &c.Store, &assigned); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(assigned), &c.Stores); err != nil {
				return &programError{err}
			}
			if slices.ContainsFunc(stores, c.UsedBy) {
				out = append(out, c.Key)
			}
			return nil
		})
	return out, away(err)
}

// noticeColumns are what a NoticeRow is read from.
const noticeColumns = `id, received_at, provider, channel_key, merchant_id, store_id, mode, peer, path, size, event, kind, order_id,
	key, amount, currency, occurred_at, pg_tx, verdict, reason, detail, payment_key, charset, decided_in`

// noticeListing is how notices are found. Index: notice_by_channel; where the
// verdict tells enough, notice_by_verdict; rows are looked at where other things
// are asked for.
func (r *Reader) noticeListing(s Scope, f NoticeFilter, channels []merchant.ChannelKey) listing {
	g := r.listing("id")
	g.columns = noticeColumns
	g.least, g.most = between(f.From, f.Until)
	if f.Channel != "" {
		channels = []merchant.ChannelKey{f.Channel}
	}
	rare := len(f.Verdicts) > 0 && !slices.Contains(f.Verdicts, payment.Applied)
	if rare && f.Channel == "" {
		for _, v := range f.Verdicts {
			g.legs = append(g.legs, leg{from: "notice", index: "notice_by_verdict", when: "verdict <> 'applied'", same: []string{"verdict"}, values: []string{string(v)}})
		}
		oneOf(&g, "channel_key", channels)
	} else {
		for _, c := range channels {
			g.legs = append(g.legs, leg{from: "notice", index: "notice_by_channel", same: []string{"channel_key"}, values: []string{string(c)}})
		}
		oneOf(&g, "verdict", f.Verdicts)
	}
	if f.Provider != "" {
		g.narrow("t.provider = $1", f.Provider)
	}
	if f.Peer != "" {
		g.narrow("t.peer = $1", f.Peer)
	}
	if f.Event != "" {
		g.narrow("t.event = $1", string(f.Event))
	}
	if f.Charset != "" {
		g.narrow("t.charset = $1", f.Charset)
	}
	if f.Folded {
		g.narrow("t.verdict <> 'duplicate'")
	}
	if s.Store != "" {
		// Index: payment_pkey.
		g.narrow(`(exists (select 1 from payment p where p.key = t.payment_key and p.store_id = $1)
			or (t.payment_key is null and t.store_id in ($1, '')))`, string(s.Store))
	}
	return g
}

func scanNoticeRow(rows rowSet) ([]any, NoticeRow, error) {
	var n NoticeRow
	var at int64
	var amount, told, took sql.NullInt64
	var key sql.NullString
	err := rows.Scan(&n.ID, &at, &n.Provider, &n.Channel, &n.Merchant, &n.Store, &n.Mode, &n.Peer, &n.Path, &n.Size, &n.Event, &n.Kind,
		&n.Order, &n.Key, &amount, &n.Currency, &told, &n.PGTx, &n.Verdict, &n.Reason, &n.Detail, &key,
		&n.Charset, &took)
	n.At, n.Told, n.Payment = moment(at), momentOrZero(told), keyOf(key)
	n.DecidedIn = time.Duration(took.Int64) * time.Microsecond
	if amount.Valid {
		n.Amount = &amount.Int64
	}
	return []any{string(n.ID)}, n, err
}
