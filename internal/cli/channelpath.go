package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/words"
)

// path tests the whole path of a test channel, and prints each step as it ends. It ends with
// 3 if one failed, and with 4 if nobody is there: nobody answers at the public URL, or nobody
// sends the webhooks.
func (c *channelTestCmd) path(ctx context.Context, env Env, st *store.Store, verbs *action.Actions, ch merchant.Channel) error {
	lang := langOf(c.Lang)
	verbs.Trial, verbs.Diagnose = server.Plays(st), server.Diagnosed(nil)
	if !c.JSON {
		if _, err := fmt.Fprintln(env.talk(), words.Text(lang, "cli.channel_test.begins", "seconds", int(action.PathWait.Seconds()))); err != nil {
			return err
		}
	}
	shown := 0
	var printed error
	got, err := verbs.TryPath(ctx, action.Caller{Merchant: ch.Merchant, Store: ch.Store, Mode: merchant.Test}, ch.Key, func(x notice.PathTest) {
		for ; shown < len(x.Rungs); shown++ {
			printed = cmp.Or(printed, c.pathRung(env, x.Rungs[shown], lang))
		}
	})
	if err = cmp.Or(err, printed); err != nil {
		return err
	}
	if c.JSON {
		err = linesJSON(env, []any{shownPath{Good: got.Good, Channel: got.Channel, Payment: got.Payment, TookMS: milliseconds(got.EndedAt.Sub(got.StartedAt))}})
	} else {
		key := "cli.channel_test.good"
		if !got.Good {
			key = "cli.channel_test.bad"
		}
		_, err = fmt.Fprintln(env.talk(), words.Text(lang, key, "payment", string(got.Payment)))
	}
	switch {
	case err != nil || got.Good:
		return err
	case slices.ContainsFunc(got.Rungs, func(r notice.PathRung) bool { return r.Key == "ladder.private" }):
		return &coded{exitAway, fault.Errorf(fault.Invalid, "%s", words.Text(lang, "cli.channel_test.private", "url", c.PublicURL))}
	case slices.ContainsFunc(got.Rungs, nobodyThere):
		return &coded{exitAway, fault.Errorf(fault.Unavailable, "%s", words.Text(lang, "cli.channel_test.nobody", "url", c.PublicURL))}
	}
	return &coded{exitProblems, fault.Errorf(fault.Conflict, "%s", words.Text(lang, "cli.channel_test.path_fails"))}
}

// nobodyThere reports whether a step failed since there is no server.
func nobodyThere(r notice.PathRung) bool {
	return r.Outcome == string(action.StepFailed) && (r.Key == "path.untried" ||
		r.Part == action.PartNotice && (r.Step == string(action.StepDNS) || r.Step == string(action.StepConnect)))
}

// A shownPathRung is a step of a path as JSON.
type shownPathRung struct {
	Part     string         `json:"part"`
	Step     string         `json:"step"`
	Subject  string         `json:"subject,omitempty"`
	Outcome  action.Outcome `json:"outcome"`
	TookMS   float64        `json:"took_ms"`
	Finding  string         `json:"finding"`
	Text     string         `json:"text"`
	Notice   notice.ID      `json:"notice,omitempty"`
	Delivery string         `json:"delivery,omitempty"`
}

// A shownPath is what came of all steps.
type shownPath struct {
	Good    bool                `json:"good"`
	Channel merchant.ChannelKey `json:"channel"`
	Payment payment.ID          `json:"payment"`
	TookMS  float64             `json:"took_ms"`
}

// pathRung prints one step.
func (c *channelTestCmd) pathRung(env Env, r notice.PathRung, lang words.Lang) error {
	text := page.PathText(lang, r.Key, r.Args)
	if c.JSON {
		return linesJSON(env, []any{shownPathRung{
			r.Part, r.Step, r.Subject, action.Outcome(r.Outcome), milliseconds(r.Took), r.Key, text, r.Notice, r.Delivery,
		}})
	}
	took := ""
	if r.Took > 0 {
		took = inMilliseconds(r.Took)
	}
	what := words.Text(lang, "path.part."+r.Part)
	switch {
	case r.Subject != "":
		what += " " + printable(r.Subject)
	case words.Has("ladder.step." + r.Step):
		what += " · " + words.Text(lang, "ladder.step."+r.Step)
	case words.Has("path.step." + r.Step):
		what += " · " + words.Text(lang, "path.step."+r.Step)
	}
	_, err := fmt.Fprintln(env.talk(), padded(words.Text(lang, "ladder.outcome."+r.Outcome), 10)+padded(what, 34)+padded(took, 12)+printable(text))
	return err
}

// padded fills a text up to some cells, and leaves two in any case: rows come one by one,
// before it is known how wide their columns are.
func padded(text string, wide int) string {
	return text + strings.Repeat(" ", max(wide-cells(text), 2))
}
