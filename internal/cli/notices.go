package cli

import (
	"fmt"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/store"
)

// A noticesCmd lists the notices that came.
type noticesCmd struct {
	databaseFlags
	Verdict string `help:"Only this verdict: applied, duplicate, recorded, pending, unmatched, conflict, refused, unreadable."`
	Limit   int    `help:"At most so many, the newest first." default:"100"`
	JSON    bool   `help:"Print one JSON object a line."`
}

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
	st, end, err := c.openReadOnly(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = end() }()
	list, err := st.Notices(ctx, store.NoticeQuery{Verdict: verdict, Limit: c.Limit})
	if err != nil {
		return err
	}
	if c.JSON {
		for _, n := range list {
			line, err := plainJSON(n)
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintf(env.Stdout, "%s\n", line); err != nil {
				return err
			}
		}
		return nil
	}
	return showNotices(env, list)
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

func showNotices(env Env, list []store.ListedNotice) error {
	if len(list) == 0 {
		fmt.Fprintln(env.Stderr, "no notices. Send one with: tongbo simulate kcp deposited --to http://127.0.0.1:8080 --order ORDER")
		return nil
	}
	rows := [][]string{{"WHEN (KST)", "PROVIDER", "EVENT", "ORDER", "AMOUNT", "VERDICT", "REASON", "FROM"}}
	for _, n := range list {
		amount := "–"
		if n.Amount != nil {
			amount = fmt.Sprintf("%d %s", *n.Amount, n.Currency)
		}
		order := printable(n.Order)
		if id := printable(string(n.PaymentID)); id != "" && id != order {
			order += " = " + id
		}
		rows = append(rows, []string{n.At.In(wire.Seoul).Format("01-02 15:04:05"), n.Provider, dash(string(n.Event)),
			dash(short(order)), amount, string(n.Verdict), dash(string(n.Reason)), n.Peer})
	}
	return writeTable(env.Stdout, rows)
}

func dash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
