package cli

import (
	"fmt"
	"strconv"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/words"
)

// A sweepCmd lists the accounts about which PGs are to be asked.
type sweepCmd struct {
	databaseFlags
	consoleFlags
	langFlag
	Outage bool `help:"Only those whose notice may have been sent while no server took any."`
	Limit  int  `help:"At most so many, those that are due first in front." default:"100"`
	JSON   bool `name:"json" help:"Print one JSON object a line."`
}

// Run prints the list.
func (c *sweepCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	if c.Limit < 1 {
		return hint(fault.Errorf(fault.Invalid, "--limit %d: want 1 or more", c.Limit), "See: tongbo sweep --help")
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
	var why notice.SweepReason
	if c.Outage {
		why = notice.SweepOutage
	}
	list, err := st.Sweeps(ctx, why, c.Limit)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return linesJSON(env, list)
	case len(list) == 0:
		fmt.Fprintln(env.Stderr, words.Text(c.lang(), "cli.sweep.none"))
		return nil
	}
	return showSweeps(env, c.lang(), links, list)
}

func showSweeps(env Env, l words.Lang, links consoleLinks, list []store.ListedSweep) error {
	rows := [][]string{heads(l, "cli.sweep.", "next", "channel", "payment", "amount", "status", "why", "tries")}
	for _, x := range list {
		rows = append(rows, []string{
			x.Due.In(wire.Seoul).Format("01-02 15:04:05"), links.to(string(x.Channel), string(x.Channel)), dash(links.to(string(x.ID), short(printable(string(x.ID))))),
			fmt.Sprintf("%d %s", x.Amount, x.Currency), words.Text(l, "state.payment."+string(x.State)), words.Text(l, "cli.sweep."+string(x.Why)), strconv.Itoa(x.Tries),
		})
	}
	return writeTable(env.Stdout, rows)
}

// heads are the headings of a table's columns: the texts of a prefix and these words.
func heads(l words.Lang, prefix string, columns ...string) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = words.Text(l, prefix+c)
	}
	return out
}

// linesJSON prints one JSON object a line.
func linesJSON[T any](env Env, list []T) error {
	for _, x := range list {
		line, err := plainJSON(x)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(env.Stdout, "%s\n", line); err != nil {
			return err
		}
	}
	return nil
}
