package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// A tailCmd shows what happens, in one line of time.
type tailCmd struct {
	databaseFlags
	langFlag
	consoleFlags
	Payment  string        `help:"Only what happened to this payment, from its beginning." placeholder:"ID"`
	Channel  string        `help:"Only this channel: its key." placeholder:"KEY"`
	Endpoint string        `help:"Only this endpoint: its id or its name." placeholder:"ID"`
	Verdict  string        `help:"Only notices of this verdict: applied, duplicate, recorded, pending, unmatched, conflict, refused, unreadable."`
	Failed   bool          `help:"Only what went wrong."`
	Follow   bool          `short:"f" help:"Go on with what happens from now on."`
	Since    time.Duration `help:"How far to go back, without --payment." default:"10m"`
	JSON     bool          `name:"json" help:"Print one JSON object a line."`
}

// tailEvery is how often --follow looks: it only reads, and nobody tells it.
const tailEvery = time.Second

// tailBack is how far each look goes back: what was being written comes late.
const tailBack = 10 * time.Second

// Run prints what happened, and with --follow what happens.
func (c *tailCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	verdict, err := parseVerdict(c.Verdict)
	if err != nil {
		return err
	}
	if c.Since < 0 {
		return fault.Errorf(fault.Invalid, "--since %v: want a time such as 10m", c.Since)
	}
	st, end, err := c.openReadOnly(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = end() }()
	links, err := c.links(env)
	if err != nil {
		return err
	}
	t := &tail{env: env, links: links, cmd: c, store: st, verdict: verdict, lang: c.lang(), seen: map[string]time.Time{}}
	if err := t.endpointID(ctx); err != nil {
		return err
	}
	since := time.Now().Add(-c.Since)
	for first := true; ; first = false {
		list, err := t.look(ctx, since)
		if err != nil || ctx.Err() != nil {
			return interrupted(ctx, err)
		}
		if err := t.print(list); err != nil {
			return err
		}
		if first && len(list) == 0 && !c.JSON && !c.Follow {
			fmt.Fprintln(env.Stderr, words.Text(t.lang, t.nothing()))
		}
		if !c.Follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(tailEvery):
		}
		since = time.Now().Add(-tailEvery - tailBack)
	}
}

// interrupted is err, or nothing if somebody ended the command.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// A tail reads what happened, each thing once.
type tail struct {
	env      Env
	cmd      *tailCmd
	store    *store.Reader
	verdict  payment.Verdict
	endpoint webhook.EndpointID
	lang     words.Lang
	links    consoleLinks
	seen     map[string]time.Time // what was printed, by id, and when
}

func (t *tail) nothing() string {
	if t.verdict != "" || t.cmd.Failed || t.cmd.Channel != "" || t.endpoint != "" {
		return "cli.tail.noneSuch"
	}
	return "cli.tail.none"
}

// endpointID finds the endpoint that a flag names.
func (t *tail) endpointID(ctx context.Context) error {
	if t.cmd.Endpoint == "" {
		return nil
	}
	all, err := t.store.Settings(ctx)
	if err != nil {
		return err
	}
	for _, e := range all.Endpoints {
		if string(e.ID) == t.cmd.Endpoint || e.Name == t.cmd.Endpoint {
			if t.endpoint != "" {
				return hint(fault.Errorf(fault.Invalid, "--endpoint %s names several endpoints", t.cmd.Endpoint), "Name one by its id.")
			}
			t.endpoint = e.ID
		}
	}
	if t.endpoint == "" {
		return fault.Errorf(fault.NotFound, "there is no endpoint %q", t.cmd.Endpoint)
	}
	return nil
}

// A happening is one thing that happened.
type happening struct {
	At      time.Time           `json:"at"`
	Kind    string              `json:"kind"` // notice, event, attempt or listen
	ID      string              `json:"id"`
	Payment payment.ID          `json:"payment,omitempty"`
	Channel merchant.ChannelKey `json:"channel,omitempty"`

	Provider string          `json:"provider,omitempty"`
	Event    payment.Event   `json:"event,omitempty"`
	Peer     string          `json:"peer,omitempty"`
	Amount   *int64          `json:"amount,omitempty"`
	Verdict  payment.Verdict `json:"verdict,omitempty"`
	Reason   payment.Reason  `json:"reason,omitempty"`

	Type  webhook.Type  `json:"type,omitempty"`
	State payment.State `json:"state,omitempty"`

	Webhook  string             `json:"webhook,omitempty"`
	Endpoint webhook.EndpointID `json:"endpoint,omitempty"`
	URL      string             `json:"url,omitempty"`
	Outcome  webhook.Outcome    `json:"outcome,omitempty"`
	Status   int                `json:"status,omitempty"`
	Error    string             `json:"error,omitempty"`
	TookMS   float64            `json:"took_ms,omitempty"`
	Number   int                `json:"number,omitempty"`
	Most     int                `json:"most,omitempty"`
}

// bad reports whether something went wrong.
func (h happening) bad() bool {
	switch h.Kind {
	case "notice":
		return !slices.Contains([]payment.Verdict{payment.Applied, payment.Duplicate, payment.Recorded}, h.Verdict)
	case "attempt":
		return h.Outcome != webhook.Good
	case "listen":
		return h.Status < 200 || h.Status > 299
	}
	return h.Type == webhook.Attention || h.State == payment.Failed
}

// fits reports whether a happening is asked for.
func (t *tail) fits(h happening) bool {
	switch {
	case t.verdict != "" && h.Verdict != t.verdict,
		t.endpoint != "" && h.Endpoint != t.endpoint,
		t.cmd.Channel != "" && string(h.Channel) != t.cmd.Channel,
		t.cmd.Failed && !h.bad():
		return false
	}
	return true
}

// look reads what happened, the oldest first, but for what was seen.
func (t *tail) look(ctx context.Context, since time.Time) (out []happening, err error) {
	var list []happening
	if t.cmd.Payment != "" {
		list, err = t.ofPayment(ctx)
	} else {
		list, err = t.ofAll(ctx, since)
	}
	if err != nil {
		return nil, err
	}
	now := time.Now()
	for _, h := range list {
		key := h.Kind + "/" + h.ID
		if _, known := t.seen[key]; !known && t.fits(h) {
			out = append(out, h)
		}
		t.seen[key] = now
	}
	if t.cmd.Payment == "" {
		for key, at := range t.seen {
			if now.Sub(at) > tailEvery+2*tailBack {
				delete(t.seen, key)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b happening) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

// print prints happenings.
func (t *tail) print(list []happening) error {
	if t.cmd.JSON {
		return linesJSON(t.env, list)
	}
	for _, h := range list {
		day := ""
		if h.At.Before(time.Now().Add(-12 * time.Hour)) {
			day = h.At.In(wire.Seoul).Format("01-02 ")
		}
		text := fmt.Sprintf("%s%s  %s  %s", day, h.At.In(wire.Seoul).Format("15:04:05.000"), t.text(h), t.link(h))
		if _, err := fmt.Fprintln(t.env.talk(), strings.TrimRight(text, " ")); err != nil {
			return err
		}
	}
	return nil
}

// text is a happening in words.
func (t *tail) text(h happening) string {
	view := &exchangeView{env: t.env}
	end := view.paint(green, t.outcome(h))
	if h.bad() {
		end = view.paint(red, t.outcome(h))
	}
	took := (time.Duration(h.TookMS * float64(time.Millisecond))).Round(time.Millisecond).String()
	switch h.Kind {
	case "notice":
		amount := "–"
		if h.Amount != nil {
			amount = "₩" + grouped(*h.Amount)
		}
		return words.Text(t.lang, "cli.tail.notice", "provider", h.Provider, "event", dash(string(h.Event)), "peer", printable(h.Peer), "amount", amount, "verdict", end)
	case "event":
		return words.Text(t.lang, "cli.tail.event", "type", string(h.Type), "state", words.Text(t.lang, "state.payment."+string(h.State)))
	case "attempt":
		return words.Text(t.lang, "cli.tail.attempt", "type", string(h.Type), "url", printable(h.URL), "outcome", end, "took", took, "number", h.Number, "most", h.Most)
	}
	return words.Text(t.lang, "cli.tail.listen", "type", string(h.Type), "url", printable(h.URL), "outcome", end, "took", took)
}

// outcome is how a happening ended.
func (t *tail) outcome(h happening) string {
	switch {
	case h.Kind == "notice" && h.Reason != "":
		return words.Text(t.lang, "state.verdict."+string(h.Verdict)) + " (" + string(h.Reason) + ")"
	case h.Kind == "notice":
		return words.Text(t.lang, "state.verdict."+string(h.Verdict))
	case h.Status != 0:
		return fmt.Sprint(h.Status)
	case h.Error != "":
		return printable(clip(h.Error, 60))
	}
	return string(h.Outcome)
}

// link is what a happening is about, as a link to the console on a terminal.
func (t *tail) link(h happening) string {
	name := printable(string(h.Payment))
	if name == "" {
		name = h.ID
	}
	id := h.ID
	switch h.Kind {
	case "event":
		id = string(h.Payment)
	case "attempt", "listen":
		id = h.Webhook
	}
	return t.links.to(id, name)
}
