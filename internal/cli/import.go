package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/server"
)

// An importCmd has the commands that take over what began elsewhere.
type importCmd struct {
	Accounts importAccountsCmd `cmd:""`
}

// An importAccountsCmd registers accounts that wait already.
type importAccountsCmd struct {
	databaseFlags
	consoleFlags
	logFlags
	File    string `arg:"" help:"The CSV file, in UTF-8 or CP949; - reads standard input."`
	Apply   bool   `help:"Register them. Left out, only says what would happen."`
	Channel string `help:"The channel of rows that name none: its key, as tongbo apply printed it." placeholder:"KEY"`
	All     bool   `help:"Print every row, not only the first hundred and those that are wrong."`
	JSON    bool   `name:"json" help:"Print one JSON object a line."`
}

// maxImport bounds the file, and shownRows how many rows without a problem are shown.
const (
	maxImport = 128 << 20
	shownRows = 100
)

// What becomes of a row.
const (
	rowNew   = "new"
	rowMore  = "one more account"
	rowAdds  = "adds what was missing"
	rowPaid  = "paid: its deposit was waiting"
	rowKnown = "known already"
	rowWrong = "wrong"
)

// An importedRow is what becomes, or would, of a row.
type importedRow struct {
	Line    int                 `json:"line"`
	Payment payment.ID          `json:"payment"`
	Channel merchant.ChannelKey `json:"channel"`
	Bank    payment.Bank        `json:"bank"`
	Account string              `json:"account"` // masked
	Amount  int64               `json:"amount"`
	Until   string              `json:"until,omitempty"`
	Outcome string              `json:"outcome"`
	Why     string              `json:"why,omitempty"`
}

// Run registers the accounts, or says what would happen. Each row is registered by
// itself, as a whole or not at all; what was registered before is known.
func (c *importAccountsCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	if c.Apply && env.Signals != nil {
		signal.Ignore(syscall.SIGPIPE) // a reader that went away does not end it half-way
	}
	text, err := readInput(env, c.File, maxImport)
	if os.IsNotExist(err) {
		return fault.Errorf(fault.Invalid, "there is no file %s", c.File)
	}
	if err != nil {
		return err
	}
	rows, err := readAccounts(text, merchant.ChannelKey(c.Channel))
	if err != nil {
		return hint(fmt.Errorf("%s: %w", c.File, err), "The columns are described in docs/operate.md.")
	}
	repeated(rows)
	links, err := c.links(env)
	if err != nil {
		return err
	}
	st, err := c.openThere(ctx, c.logger(env.Stderr))
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	now, err := st.Settings(ctx)
	if err != nil {
		return err
	}
	i := &importing{env: env, verbs: server.Verbs(st, quiet()), channels: now.Directory(), dry: !c.Apply, by: byUser()}
	done, err := i.all(ctx, rows)
	if shown := c.show(env, links, done); err == nil {
		err = shown
	}
	if err != nil {
		return c.stopped(err, len(done), len(rows))
	}
	return c.ended(env, done)
}

// An importing is one run over a file.
type importing struct {
	env      Env
	verbs    *action.Actions
	channels merchant.Directory
	dry      bool
	by       member.By
}

// all does the rows in order. The error is one that ends it early: the rows before
// are done.
func (i *importing) all(ctx context.Context, rows []accountRow) (done []importedRow, err error) {
	p := newProgress(i.env)
	defer p.end()
	for n, r := range rows {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		x, err := i.one(ctx, r)
		if err != nil {
			return done, fmt.Errorf("line %d: %w", r.line, err)
		}
		done = append(done, x)
		p.show("%s of %s rows, %d %%", grouped(int64(n+1)), grouped(int64(len(rows))), percent(int64(n+1), int64(len(rows))))
	}
	return done, nil
}

func (i *importing) one(ctx context.Context, r accountRow) (importedRow, error) {
	g := r.g
	x := importedRow{
		Line: r.line, Payment: g.ID, Channel: g.Channel, Bank: g.Account.Bank, Account: g.Account.Number.String(), Amount: g.Amount.Amount, Outcome: rowWrong,
	}
	if t := g.Account.ExpiresAt; !t.IsZero() {
		x.Until = t.In(wire.Seoul).Format("2006-01-02 15:04")
	}
	if r.err != nil {
		x.Why = r.err.Error()
		return x, nil
	}
	ch, ok := i.channels.Channel(g.Channel)
	if !ok {
		x.Why = fmt.Sprintf("there is no channel %q in use", printable(string(g.Channel)))
		return x, nil
	}
	caller := action.Caller{Merchant: ch.Merchant, Store: ch.Store, Mode: merchant.Any, By: i.by}
	if r.store != "" {
		caller.Store = r.store
	}
	p, changed, err := i.verbs.TakeOver(ctx, caller, g, i.dry)
	switch kind := fault.KindOf(err); {
	case err != nil && (kind == fault.Unavailable || kind == fault.Internal):
		return x, err
	case err != nil:
		x.Why = err.Error()
	default:
		x.Outcome = becomes(p, changed)
	}
	return x, nil
}

// becomes says what a registration did.
func becomes(p payment.Payment, changed bool) string {
	switch {
	case !changed:
		return rowKnown
	case p.State == payment.Paid:
		return rowPaid
	case !p.RequestedAt.Equal(p.UpdatedAt) && p.StatusChangedAt.Equal(p.UpdatedAt), len(p.Transactions) > 1:
		return rowMore
	case !p.RequestedAt.Equal(p.UpdatedAt):
		return rowAdds
	}
	return rowNew
}

func (c *importAccountsCmd) show(env Env, links consoleLinks, done []importedRow) error {
	if c.JSON {
		return linesJSON(env, done)
	}
	rows := [][]string{{"LINE", "PAYMENT", "BANK", "ACCOUNT", "AMOUNT", "UNTIL (KST)", "OUTCOME"}}
	fine, left := 0, 0
	for _, x := range done {
		said := x.Outcome
		if x.Why != "" {
			said += ": " + printable(x.Why)
		} else if fine++; fine > shownRows && !c.All {
			left++
			continue
		}
		name := short(printable(string(x.Payment)))
		if x.Outcome == rowKnown || c.Apply && x.Outcome != rowWrong {
			name = links.to(string(x.Payment), name)
		}
		rows = append(rows, []string{fmt.Sprint(x.Line), dash(name), dash(string(x.Bank)), dash(printable(x.Account)),
			fmt.Sprint(x.Amount), dash(x.Until), said})
	}
	if err := writeTable(env.talk(), rows); err != nil {
		return err
	}
	if left > 0 {
		fmt.Fprintf(env.talk(), "… and %s more without a problem\n", grouped(int64(left)))
	}
	return nil
}

// ended sums up.
func (c *importAccountsCmd) ended(env Env, done []importedRow) error {
	count := make(map[string]int64)
	for _, x := range done {
		count[x.Outcome]++
	}
	out := env.talk()
	fmt.Fprintf(out, "%s rows", grouped(int64(len(done))))
	for _, what := range []string{rowNew, rowMore, rowAdds, rowPaid, rowKnown, rowWrong} {
		if count[what] > 0 {
			fmt.Fprintf(out, ", %s %s", grouped(count[what]), what)
		}
	}
	fmt.Fprintln(out)
	if !c.Apply {
		channel := ""
		if c.Channel != "" {
			channel = " --channel " + printable(c.Channel)
		}
		fmt.Fprintf(out, "Nothing was written. Register them with: tongbo import accounts %s%s --apply\n", printable(c.File), channel)
	}
	if n := count[rowWrong]; n > 0 {
		return hint(&coded{exitProblems, fmt.Errorf("%s rows are wrong", grouped(n))},
			"Mend them in the file and run it again: rows that were registered are known then, and stay as they are.")
	}
	return nil
}

// stopped says how far it came.
func (c *importAccountsCmd) stopped(err error, done, rows int) error {
	if !c.Apply {
		return err
	}
	return hint(err, "%s of %s rows were done, each as a whole. Run it again: those are known then.", grouped(int64(done)), grouped(int64(rows)))
}
