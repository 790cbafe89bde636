package cli

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// A replayWebhooksCmd sends the webhooks of an endpoint again, many at a time.
type replayWebhooksCmd struct {
	databaseFlags
	logFlags
	langFlag
	Endpoint      string         `help:"The endpoint: its id, or its name if no other has it." required:"" placeholder:"ID"`
	Failed        bool           `help:"Those whose tries are used up." xor:"kind"`
	NeverReceived bool           `help:"Those that no try brought over, those included that are still tried. So it is if none is given." xor:"kind"`
	All           bool           `help:"All that were tried." xor:"kind"`
	Type          []webhook.Type `help:"Only these event types." placeholder:"TYPE"`
	Since         string         `help:"Only what was made since then: a time ago such as 2h, or a date such as 2026-11-20 (KST)." placeholder:"WHEN"`
	Rate          int            `help:"How many a second." default:"20"`
	DryRun        bool           `help:"Say how many they are, and send nothing; so it is without --yes, too." xor:"do"`
	Yes           bool           `help:"Do it." xor:"do"`
	JSON          bool           `name:"json" help:"Print one JSON object a line."`
}

// Run counts what is meant and, if it was told to, sends it again and shows how far
// that is. If it is interrupted, a server goes on with it.
func (c *replayWebhooksCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	f := webhook.ResendFilter{Types: c.Type, Kind: webhook.ResendMissed}
	switch {
	case c.Failed:
		f.Kind = webhook.ResendFailed
	case c.All:
		f.Kind = webhook.ResendAll
	}
	if c.Since != "" {
		var err error
		if f.From, err = parseSince(c.Since, time.Now()); err != nil {
			return err
		}
	}
	st, verbs, err := c.verbs(ctx, quiet())
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	e, caller, err := endpointOf(ctx, st, c.Endpoint)
	if err != nil {
		return err
	}
	f.Endpoint = e.ID
	p, err := verbs.PreviewResends(ctx, caller, f)
	if err != nil {
		return err
	}
	if err := c.foretell(env, p); err != nil || !c.Yes || p.N == 0 {
		return err
	}
	if e.Paused {
		fmt.Fprintln(env.Stderr, words.Text(c.lang(), "deliveries.cli.paused", "name", printable(e.Name)))
	}
	// Whoever has the machine has proved enough.
	j, err := verbs.StartResends(ctx, caller, f, c.Rate, true)
	if err != nil {
		return err
	}
	return c.follow(ctx, env, st, store.Scope{Merchant: caller.Merchant, Store: caller.Store, Mode: caller.Mode}, j)
}

// A previewedResends is a preview for programs.
type previewedResends struct {
	Count  int        `json:"count"`
	More   bool       `json:"more,omitempty"`
	Oldest *time.Time `json:"oldest,omitempty"`
	Newest *time.Time `json:"newest,omitempty"`
}

// foretell prints what would be sent.
func (c *replayWebhooksCmd) foretell(env Env, p webhook.ResendPreview) error {
	if c.JSON && !c.Yes {
		out := previewedResends{Count: p.N, More: p.More}
		if p.N > 0 {
			out.Oldest, out.Newest = &p.Oldest, &p.Newest
		}
		return linesJSON(env, []previewedResends{out})
	}
	if p.N == 0 {
		fmt.Fprintln(env.Stderr, words.Text(c.lang(), "deliveries.cli.nothing"))
		return nil
	}
	if c.Yes {
		return nil
	}
	day := func(t time.Time) string { return t.In(wire.Seoul).Format("2006-01-02 15:04:05") }
	_, err := fmt.Fprintln(env.talk(), words.Text(c.lang(), "deliveries.cli.would", "n", countText(p.N, p.More), "oldest", day(p.Oldest), "newest", day(p.Newest), "rate", c.Rate))
	return err
}

// countText is a count, marked if it is not the whole.
func countText(n int, more bool) string {
	text := grouped(int64(n))
	if more {
		text += "+"
	}
	return text
}

// How often progress is looked at, and how long nothing may happen before the rest
// is left to the server.
const (
	progressLook  = 500 * time.Millisecond
	resendsSilent = 40 * time.Second
)

// A resendReport is how far a job is, for programs.
type resendReport struct {
	ID       webhook.ResendJobID `json:"id"`
	State    webhook.ResendState `json:"state"`
	Expected int                 `json:"expected"`
	Made     int                 `json:"made"`
	Skipped  int                 `json:"skipped,omitempty"`
	OK       int                 `json:"ok"`
	Failed   int                 `json:"failed"`
	Left     int                 `json:"left"`
}

// follow goes on with the job beside any server, until everything has an answer.
func (c *replayWebhooksCmd) follow(ctx context.Context, env Env, st *store.Store, scope store.Scope, j webhook.ResendJob) error {
	work, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { _ = (&action.Resends{Store: st, Log: slog.New(slog.DiscardHandler)}).Run(work) }) // returns nil
	defer running.Wait()
	defer stop()
	line := newProgress(env)
	defer line.end()
	moved, last := time.Now(), resendReport{}
	for {
		job, p, err := st.ResendJob(ctx, scope, j.ID)
		if err != nil {
			return err
		}
		r := resendReport{job.ID, job.State, job.Expected, job.Made, job.Skipped, p.Completed, p.Failed, max(0, max(job.Expected, job.Made)-p.Completed-p.Failed-job.Skipped)}
		if job.State != webhook.ResendRunning {
			r.Left = p.Waiting
		}
		if r != last {
			moved, last = time.Now(), r
		}
		line.show("%s", c.bar(r))
		over := job.State != webhook.ResendRunning && p.Waiting == 0
		if over || time.Since(moved) > resendsSilent {
			line.end()
			return c.done(env, r, over)
		}
		if !slept(ctx, progressLook) {
			line.end()
			fmt.Fprintln(env.Stderr, words.Text(c.lang(), "deliveries.cli.left", "n", r.Left))
			return nil
		}
	}
}

// slept sleeps and reports whether ctx still lives.
func slept(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// barCells is how long the bar is.
const barCells = 15

// bar is a job's progress in one line.
func (c *replayWebhooksCmd) bar(r resendReport) string {
	whole := max(1, r.OK+r.Failed+r.Left)
	full := (r.OK + r.Failed) * barCells / whole
	return words.Text(c.lang(), "deliveries.cli.bar", "n", whole, "bar", strings.Repeat("█", full)+strings.Repeat("░", barCells-full),
		"ok", r.OK, "failed", r.Failed, "left", r.Left, "rate", c.Rate)
}

// done prints what came of a job.
func (c *replayWebhooksCmd) done(env Env, r resendReport, over bool) error {
	if c.JSON {
		if err := linesJSON(env, []resendReport{r}); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(env.talk(), words.Text(c.lang(), "deliveries.cli.done", "n", r.Made, "ok", r.OK, "failed", r.Failed))
	}
	switch {
	case !over:
		fmt.Fprintln(env.Stderr, words.Text(c.lang(), "deliveries.cli.left", "n", r.Left))
	case r.State == webhook.ResendStopped:
		return fault.Errorf(fault.Conflict, "somebody stopped it")
	case r.Failed > 0:
		return &coded{exitProblems, fault.Errorf(fault.Conflict, "%d of %d were not taken", r.Failed, r.Made)}
	}
	return nil
}
