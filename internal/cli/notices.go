package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/words"
)

// A noticesCmd lists the notices that came.
type noticesCmd struct {
	databaseFlags
	consoleFlags
	langFlag
	Verdict  string `help:"Only this verdict: applied, duplicate, recorded, pending, unmatched, conflict, refused, unreadable."`
	Order    string `help:"Only this order of the PG's, or this payment. Of the newest ${looked} notices, as with --provider." placeholder:"ID"`
	Provider string `help:"Only this module, such as kcp. Looks through the newest ${looked} notices, or those of the verdict or channel." placeholder:"CODE"`
	Channel  string `help:"Only this channel: its key, as tongbo apply printed it." placeholder:"KEY"`
	Limit    int    `help:"At most so many, the newest first." default:"100"`
	JSON     bool   `help:"Print one JSON object a line."`
}

// mostLooked bounds how many notices a filter without an index looks through,
// so that a list never reads the history of years.
const mostLooked = 20_000

// lookedPage is how many of them are read at a time.
const lookedPage = 1000

// Run prints the list.
func (c *noticesCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	if c.Limit < 1 {
		return hint(fault.Errorf(fault.Invalid, "--limit %d: want 1 or more", c.Limit), "See: tongbo notices --help")
	}
	verdict, err := parseVerdict(c.Verdict)
	if err != nil {
		return err
	}
	if c.Provider != "" {
		if _, err := providerByCode(c.Provider); err != nil {
			return err
		}
	}
	links, err := c.links(env)
	if err != nil {
		return err
	}
	st, end, err := c.openReadOnly(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = end() }()
	list, whole, err := c.list(ctx, st, verdict)
	if err != nil {
		return err
	}
	if !whole {
		fmt.Fprintln(env.Stderr, words.Text(c.lang(), "cli.notices.cut", "n", mostLooked))
	}
	if c.JSON {
		return linesJSON(env, list)
	}
	if len(list) == 0 && (verdict != "" || c.filters()) {
		fmt.Fprintln(env.Stderr, words.Text(c.lang(), "cli.notices.none_such"))
		return nil
	}
	return showNotices(env, c.lang(), links, list)
}

// filters reports whether the list is narrowed by anything but the verdict.
func (c *noticesCmd) filters() bool { return c.Order != "" || c.Provider != "" || c.Channel != "" }

// A noticeReader lists notices.
type noticeReader interface {
	Notices(ctx context.Context, q store.NoticeQuery) ([]store.ListedNotice, error)
}

// list reads the notices that fit. whole is false if it gave up looking.
func (c *noticesCmd) list(ctx context.Context, st noticeReader, verdict payment.Verdict) (out []store.ListedNotice, whole bool, err error) {
	q := store.NoticeQuery{Verdict: verdict, Channel: c.Channel, Limit: c.Limit}
	if c.Channel != "" {
		q.Verdict = ""
	}
	if c.Order == "" && c.Provider == "" && q.Verdict == verdict {
		out, err = st.Notices(ctx, q)
		return out, true, err
	}
	q.Limit = lookedPage
	for looked := 0; looked < mostLooked; looked += lookedPage {
		page, err := st.Notices(ctx, q)
		if err != nil {
			return nil, false, err
		}
		for _, n := range page {
			if c.fits(n, verdict) {
				out = append(out, n)
			}
			if len(out) == c.Limit {
				return out, true, nil
			}
		}
		if len(page) < lookedPage {
			return out, true, nil
		}
		q.Before = page[len(page)-1].ID
	}
	return out, false, nil
}

func (c *noticesCmd) fits(n store.ListedNotice, verdict payment.Verdict) bool {
	return (c.Order == "" || n.Order == c.Order || string(n.PaymentID) == c.Order) &&
		(c.Provider == "" || n.Provider == c.Provider) && (verdict == "" || n.Verdict == verdict)
}

func parseVerdict(s string) (payment.Verdict, error) {
	if s == "" {
		return "", nil
	}
	for _, v := range payment.Verdicts() {
		if strings.EqualFold(s, string(v)) {
			return v, nil
		}
	}
	var names []string
	for _, v := range payment.Verdicts() {
		names = append(names, string(v))
	}
	return "", fault.Errorf(fault.Invalid, "--verdict %s: want one of %s", s, strings.Join(names, ", "))
}

func showNotices(env Env, l words.Lang, links consoleLinks, list []store.ListedNotice) error {
	if len(list) == 0 {
		fmt.Fprintln(env.Stderr, words.Text(l, "cli.notices.none"))
		return nil
	}
	rows := [][]string{heads(l, "cli.notices.", "when", "provider", "event", "order", "amount", "verdict", "reason", "from")}
	for _, n := range list {
		amount := "–"
		if n.Amount != nil {
			amount = fmt.Sprintf("%d %s", *n.Amount, n.Currency)
		}
		order := printable(n.Order)
		if id := printable(string(n.PaymentID)); id != "" && id != order {
			order += " = " + id
		}
		rows = append(rows, []string{links.to(string(n.ID), n.At.In(wire.Seoul).Format("01-02 15:04:05")), n.Provider, dash(wordOf(l, "told.", string(n.Event))),
			dash(links.to(string(n.PaymentID), short(order))), amount, words.Text(l, "state.verdict."+string(n.Verdict)), dash(wordOf(l, "reason.", string(n.Reason))), n.Peer})
	}
	return writeTable(env.Stdout, rows)
}

// wordOf is the word of a code: the text of a prefix and the code, or the code itself if
// there is none.
func wordOf(l words.Lang, prefix, code string) string {
	if words.Has(prefix + code) {
		return words.Text(l, prefix+code)
	}
	return code
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
