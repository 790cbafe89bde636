package cli

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/words"
)

// A replayNoticesCmd has notices decided again that were refused, not understood, or
// wait.
type replayNoticesCmd struct {
	databaseFlags
	consoleFlags
	logFlags
	langFlag
	Verdict string `help:"Only this verdict: unmatched, conflict, refused, unreadable or pending. Left out, all of them."`
	From    string `help:"Only what came from this address or block, such as 203.0.113.0/24." placeholder:"CIDR"`
	Channel string `help:"Only this channel: its key, as tongbo apply printed it." placeholder:"KEY"`
	Since   string `help:"Only what came since then: a time ago such as 2h, or a date such as 2026-11-20 (KST)." default:"24h" placeholder:"WHEN"`
	Live    bool   `help:"Notices of live channels. Left out, of test channels."`
	Unowned bool   `help:"Also those of which it is not known to which channel they came."`
	DryRun  bool   `help:"Say what would become of them, and change nothing; so it is without --yes, too." xor:"do"`
	Yes     bool   `help:"Do it." xor:"do"`
	JSON    bool   `name:"json" help:"Print one JSON object a line."`
}

// mostReplayed bounds how many notices one command decides.
const mostReplayed = 10_000

// A replayed is what became of one notice, or would.
type replayed struct {
	ID      notice.ID           `json:"id"`
	At      time.Time           `json:"at"`
	Channel merchant.ChannelKey `json:"channel,omitempty"`
	Peer    string              `json:"peer"`
	Order   string              `json:"order,omitempty"`
	Amount  *int64              `json:"amount,omitempty"`
	Was     payment.Verdict     `json:"was"`
	Verdict payment.Verdict     `json:"verdict,omitempty"`
	Reason  payment.Reason      `json:"reason,omitempty"`
	Payment payment.ID          `json:"payment,omitempty"`
	State   payment.State       `json:"state,omitempty"`
	Asks    bool                `json:"asks,omitempty"`
	Error   string              `json:"error,omitempty"`

	money payment.Money
	key   string
}

// Run replays the notices and prints what became of them.
func (c *replayNoticesCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	q, err := c.query(time.Now())
	if err != nil {
		return err
	}
	links, err := c.links(env)
	if err != nil {
		return err
	}
	st, verbs, err := c.verbs(ctx, c.logger(env.Stderr))
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	list, err := q.find(ctx, st)
	if err != nil {
		return err
	}
	caller := action.Caller{Mode: q.mode, By: byUser()}
	for i := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		list[i].replay(ctx, verbs, caller, !c.Yes)
	}
	if !c.Yes {
		foretell(list)
	}
	return c.tell(env, links, list)
}

// A replayQuery says which notices are meant.
type replayQuery struct {
	verdicts []payment.Verdict
	from     netip.Prefix
	channel  merchant.ChannelKey
	since    time.Time
	mode     merchant.Mode
	unowned  bool
}

func (c *replayNoticesCmd) query(now time.Time) (q replayQuery, err error) {
	q = replayQuery{channel: merchant.ChannelKey(c.Channel), mode: merchant.Test, unowned: c.Unowned}
	if c.Live {
		q.mode = merchant.Live
	}
	open := slices.DeleteFunc(payment.Verdicts(), notice.Final)
	q.verdicts = open
	if c.Verdict != "" {
		v, err := parseVerdict(c.Verdict)
		if err != nil {
			return q, err
		}
		if notice.Final(v) {
			return q, fault.Errorf(fault.Invalid, "--verdict %s: such a notice was decided, and is not decided again", v)
		}
		q.verdicts = []payment.Verdict{v}
	}
	if c.From != "" {
		if q.from, err = settings.ParseBlock(c.From); err != nil {
			return q, fault.Errorf(fault.Invalid, "--from: %w", err)
		}
	}
	q.since, err = parseSince(c.Since, now)
	return q, err
}

// parseSince reads a time ago or a date of Seoul's.
func parseSince(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, s, wire.Seoul); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	return time.Time{}, fault.Errorf(fault.Invalid, "--since %q: want a time ago such as 2h, or a date such as 2026-11-20", s)
}

// find reads the notices that are meant, those that came first in front.
func (q replayQuery) find(ctx context.Context, st *store.Store) (out []replayed, err error) {
	for _, v := range q.verdicts {
		page := store.NoticeQuery{Verdict: v, Limit: lookedPage}
		for {
			list, err := st.Notices(ctx, page)
			if err != nil {
				return nil, err
			}
			for _, n := range list {
				if q.means(n) {
					out = append(out, replayed{
						ID: n.ID, At: n.At, Channel: merchant.ChannelKey(n.Channel), Peer: n.Peer, Order: n.Order, Amount: n.Amount, Was: n.Verdict,
					})
				}
				if len(out) > mostReplayed {
					return nil, hint(fault.Errorf(fault.TooLarge, "more than %s notices are meant", grouped(mostReplayed)), "Narrow them with --since, --from or --channel")
				}
			}
			if len(list) < lookedPage || list[len(list)-1].At.Before(q.since) {
				break
			}
			page.Before = list[len(list)-1].ID
		}
	}
	slices.SortFunc(out, func(a, b replayed) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

func (q replayQuery) means(n store.ListedNotice) bool {
	if n.At.Before(q.since) || n.Mode == "" && !q.unowned || n.Mode != "" && n.Mode != string(q.mode) {
		return false
	}
	if q.channel != "" && n.Channel != string(q.channel) {
		return false
	}
	if q.from.IsValid() {
		a, err := netip.ParseAddr(n.Peer)
		return err == nil && q.from.Contains(a.Unmap())
	}
	return true
}

// replay has one notice decided.
func (r *replayed) replay(ctx context.Context, verbs *action.Actions, c action.Caller, dry bool) {
	got, err := verbs.Replay(ctx, c, r.ID, dry)
	if err != nil {
		r.Error = err.Error()
		return
	}
	r.Verdict, r.Reason, r.Asks, r.key = got.Verdict, got.Reason, got.Asks, got.Notice.Key
	r.Channel = got.Channel
	if got.Is != nil {
		r.Payment, r.State = got.Is.ID, got.Is.State
	}
	if got.Notice.HasAmount {
		r.money, r.Amount = got.Notice.Amount, &got.Notice.Amount.Amount
	}
}

// foretell says of what would be applied twice that it would be once: dry, each notice is
// decided as if it were the only one.
func foretell(list []replayed) {
	type message struct {
		channel merchant.ChannelKey
		key     string
	}
	seen := make(map[message]bool)
	for i := range list {
		r := &list[i]
		if m := (message{r.Channel, r.key}); r.key != "" && (r.Verdict == payment.Applied || r.Verdict == payment.Recorded) {
			if seen[m] {
				r.Verdict, r.Reason = payment.Duplicate, payment.ReasonNone
			}
			seen[m] = true
		}
	}
}

// tell prints what became of the notices. The summary is for people.
func (c *replayNoticesCmd) tell(env Env, links consoleLinks, list []replayed) error {
	if c.JSON {
		if err := linesJSON(env, list); err != nil {
			return err
		}
	}
	out := env.talk()
	failed := 0
	for _, r := range list {
		if r.Error != "" {
			failed++
			fmt.Fprintf(out, "%s: %s\n", links.to(string(r.ID), string(r.ID)), printable(r.Error))
		}
	}
	l := c.lang()
	if len(list) == 0 {
		fmt.Fprintln(out, words.Text(l, "cli.replay.none"))
		return nil
	}
	key := "cli.replay.would"
	if c.Yes {
		key = "cli.replay.did"
	}
	fmt.Fprintln(out, words.Text(l, key, "n", len(list), "what", verdictCounts(l, list)))
	if failed > 0 {
		return fault.Errorf(fault.Internal, "%d of %d notices were not decided", failed, len(list))
	}
	if !c.Yes && slices.ContainsFunc(list, func(r replayed) bool { return r.Verdict != r.Was }) {
		fmt.Fprintln(out, words.Text(l, "cli.replay.again"))
	}
	return nil
}

// verdictCounts lists how many notices came to each verdict, with the money of those that
// were applied.
func verdictCounts(l words.Lang, list []replayed) string {
	count := make(map[payment.Verdict]int64)
	sums := make(map[payment.Currency]int64)
	for _, r := range list {
		if r.Error != "" {
			continue
		}
		count[r.Verdict]++
		if r.Verdict == payment.Applied {
			sums[r.money.Currency] += r.money.Amount
		}
	}
	var parts []string
	for _, v := range payment.Verdicts() {
		if count[v] == 0 && v != payment.Applied && v != payment.Duplicate && v != payment.Conflict {
			continue
		}
		part := words.Text(l, "state.verdict."+string(v)) + " " + grouped(count[v])
		if v == payment.Applied && count[v] > 0 {
			part += " (" + sumsText(sums) + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// sumsText writes sums of money, by currency.
func sumsText(sums map[payment.Currency]int64) string {
	var out []string
	for currency, sum := range sums {
		switch currency {
		case "KRW", "":
			out = append(out, "₩"+words.Count(sum))
		default:
			out = append(out, words.Count(sum)+" "+string(currency))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// A replayCmd does again what was done.
type replayCmd struct {
	Notices  replayNoticesCmd  `cmd:""`
	Webhooks replayWebhooksCmd `cmd:""`
}
