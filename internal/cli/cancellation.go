package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
)

// A cancellationCmd has the commands about cancellations of which a PG's answer was
// lost.
type cancellationCmd struct {
	List cancellationListCmd `cmd:""`
	End  cancellationEndCmd  `cmd:""`
}

// A cancellationListCmd lists cancellations that are REQUESTED.
type cancellationListCmd struct {
	databaseFlags
	consoleFlags
	JSON bool `name:"json" help:"Print one JSON object a line."`
}

// mostOutstanding is how many payments are looked at.
const mostOutstanding = 10_000

// A listedCancellation is one line of the list.
type listedCancellation struct {
	Store        merchant.StoreID    `json:"store"`
	Payment      payment.ID          `json:"payment"`
	Cancellation string              `json:"cancellation"`
	Amount       int64               `json:"amount"`
	Currency     payment.Currency    `json:"currency"`
	RequestedAt  time.Time           `json:"requested_at"`
	Channel      merchant.ChannelKey `json:"channel"`
	Provider     string              `json:"provider"`
	// Asked says that the PG can be asked, and NextAt when it is.
	Asked  bool      `json:"asked"`
	NextAt time.Time `json:"next_at"`
}

// Run prints the list.
func (c *cancellationListCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	links, err := c.links(env)
	if err != nil {
		return err
	}
	st, end, err := c.openReadOnly(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = end() }()
	list, err := requested(ctx, st)
	switch {
	case err != nil:
		return err
	case c.JSON:
		return linesJSON(env, list)
	case len(list) == 0:
		fmt.Fprintln(env.Stderr, "no cancellation is outstanding.")
		return nil
	}
	rows := [][]string{{"REQUESTED (KST)", "PAYMENT", "CANCELLATION", "AMOUNT", "PROVIDER", "THE PG"}}
	for _, x := range list {
		said := "cannot be asked: say what became of it"
		if x.Asked {
			said = "is asked at " + x.NextAt.In(wire.Seoul).Format("01-02 15:04:05")
		}
		rows = append(rows, []string{
			x.RequestedAt.In(wire.Seoul).Format("01-02 15:04:05"), links.to(string(x.Payment), short(printable(string(x.Payment)))), links.to(string(x.Payment), x.Cancellation),
			fmt.Sprintf("%d %s", x.Amount, x.Currency), x.Provider, said,
		})
	}
	if err := writeTable(env.Stdout, rows); err != nil {
		return err
	}
	fmt.Fprintln(env.Stderr, "Look into the PG's pages, and say: tongbo cancellation end PAYMENT CANCELLATION --succeeded|--failed --reason TEXT")
	return nil
}

// requested are the cancellations that have not ended.
func requested(ctx context.Context, st *store.Reader) (list []listedCancellation, err error) {
	now, err := st.Settings(ctx)
	if err != nil {
		return nil, err
	}
	payments, err := st.Outstanding(ctx, mostOutstanding)
	if err != nil {
		return nil, err
	}
	channels := now.Directory()
	for _, o := range payments {
		at, _ := o.Payment.Transaction()
		ch, _ := channels.Channel(at.Channel)
		pg, known := all.ByCode(ch.Provider)
		for _, x := range o.Payment.Cancellations {
			if x.State != payment.CancelRequested {
				continue
			}
			list = append(list, listedCancellation{
				Store: o.Payment.Store, Payment: o.Payment.ID, Cancellation: x.ID, Amount: x.Amount.Amount, Currency: x.Amount.Currency,
				RequestedAt: x.RequestedAt, Channel: at.Channel, Provider: ch.Provider,
				Asked: known && provider.CanBeAsked(pg, ch), NextAt: o.Due,
			})
		}
	}
	return list, nil
}

// A cancellationEndCmd ends a cancellation by a person's word.
type cancellationEndCmd struct {
	databaseFlags
	consoleFlags
	logFlags
	Payment      string    `arg:"" help:"The payment's id."`
	Cancellation string    `arg:"" help:"The cancellation's id, as tongbo cancellation list prints it."`
	Succeeded    bool      `help:"The PG gave the money back." xor:"word" required:""`
	Failed       bool      `help:"The PG did not." xor:"word" required:""`
	Reason       string    `help:"What you go by, such as who at the PG said so. It is kept with the cancellation." required:"" placeholder:"TEXT"`
	PGID         string    `name:"pg-id" help:"The PG's number of the cancellation, if it succeeded." placeholder:"ID"`
	At           time.Time `help:"When the PG made it; now if left out." format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
	Refunded     bool      `help:"The money has reached the buyer. Left out, the transfer is pending."`
	Store        string    `help:"The payment's store, if several have a payment of that id." placeholder:"ID"`
	Force        bool      `help:"Also if the PG can be asked. Where it lists no parts (settle, nice) it may never say."`
	JSON         bool      `name:"json" help:"Print one JSON object."`
}

// An endedCancellation is what became of a cancellation, for programs.
type endedCancellation struct {
	Cancellation string                    `json:"cancellation"`
	State        payment.CancellationState `json:"state"`
	Payment      payment.ID                `json:"payment"`
	Status       payment.State             `json:"status"`
	Cancelled    int64                     `json:"cancelled"`
	Total        int64                     `json:"total"`
	Currency     payment.Currency          `json:"currency"`
	Reopened     string                    `json:"reopened,omitempty"`
}

// Run ends the cancellation and prints what the payment is now.
func (c *cancellationEndCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	links, err := c.links(env)
	if err != nil {
		return err
	}
	st, verbs, err := c.verbs(ctx, c.logger(env.Stderr))
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	caller, err := callerOf(ctx, st, payment.ID(c.Payment), c.Store)
	if err != nil {
		return err
	}
	caller.By = byUser()
	ended, err := verbs.EndCancel(ctx, caller, payment.ID(c.Payment), action.CancelEnd{
		ID: c.Cancellation, Force: c.Force,
		CancelWord: payment.CancelWord{Succeeded: c.Succeeded, PGID: c.PGID, At: c.At, Refunded: c.Refunded, Reason: c.Reason},
	})
	switch {
	case errors.Is(err, action.ErrCanBeAsked):
		return hint(err, "If it never will, because it lists no parts, say so with --force")
	case errors.Is(err, payment.ErrNoCancellation), errors.Is(err, payment.ErrNotPending):
		return hint(err, "See: tongbo cancellation list")
	case err != nil:
		return err
	}
	return c.tell(env, links, ended)
}

// tell prints what became of the cancellation, and what the payment is now.
func (c *cancellationEndCmd) tell(env Env, links consoleLinks, ended action.CancelEnded) error {
	x, p := ended.Cancellation, ended.Payment
	if c.JSON {
		return linesJSON(env, []endedCancellation{{
			x.ID, x.State, p.ID, p.State, p.CancelledAmount(), p.Parts().Total, p.Amount.Currency, ended.Reopened,
		}})
	}
	if _, err := fmt.Fprintf(env.talk(), "cancellation %s: %s\npayment %s: %s, %d of %d %s cancelled\n",
		x.ID, x.State, links.to(string(p.ID), printable(string(p.ID))), p.State, p.CancelledAmount(), p.Parts().Total, p.Amount.Currency); err != nil {
		return err
	}
	if ended.Reopened == "" {
		return nil
	}
	_, err := fmt.Fprintf(env.talk(), "cancellation %s: %s again, since the notice that was taken for it was of the other. See: tongbo cancellation list\n",
		ended.Reopened, payment.CancelRequested)
	return err
}

// callerOf is on whose behalf something is done to a payment: its store's.
func callerOf(ctx context.Context, st *store.Store, id payment.ID, only string) (action.Caller, error) {
	now, err := st.Settings(ctx)
	if err != nil {
		return action.Caller{}, err
	}
	var found []settings.Store
	for _, s := range now.Stores {
		if only != "" && string(s.ID) != only {
			continue
		}
		_, err := st.Payment(ctx, s.ID, id, merchant.Any)
		switch {
		case err == nil:
			found = append(found, s)
		case !fault.Is(err, fault.NotFound):
			return action.Caller{}, err
		}
	}
	switch len(found) {
	case 0:
		return action.Caller{}, fault.Errorf(fault.NotFound, "there is no payment %q", string(id))
	case 1:
		return action.Caller{Merchant: found[0].Merchant, Store: found[0].ID, Mode: merchant.Any}, nil
	}
	return action.Caller{}, hint(fault.Errorf(fault.Invalid, "%d stores have a payment %q", len(found), string(id)), "Name one with --store, such as --store %s", found[0].ID)
}
