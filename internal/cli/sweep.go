package cli

import (
	"fmt"
	"strconv"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/store"
)

// A sweepCmd lists the accounts about which PGs are to be asked.
type sweepCmd struct {
	databaseFlags
	consoleFlags
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
		fmt.Fprintln(env.Stderr, "no account is to be asked about now.")
		return nil
	}
	return showSweeps(env, links, list)
}

func showSweeps(env Env, links consoleLinks, list []store.ListedSweep) error {
	rows := [][]string{{"NEXT (KST)", "CHANNEL", "PAYMENT", "AMOUNT", "STATUS", "WHY", "TRIES"}}
	for _, x := range list {
		rows = append(rows, []string{
			x.Due.In(wire.Seoul).Format("01-02 15:04:05"), links.to(string(x.Channel), string(x.Channel)), dash(links.to(string(x.ID), short(printable(string(x.ID))))),
			fmt.Sprintf("%d %s", x.Amount, x.Currency), string(x.State), string(x.Why), strconv.Itoa(x.Tries),
		})
	}
	return writeTable(env.Stdout, rows)
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
