package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/words"
)

// channelKeyPrefix begins the key of every channel.
const channelKeyPrefix = "channel-key-"

// ofChannel takes module, key and token from a channel in the database.
func (c *guideCmd) ofChannel(env Env) error {
	if c.Channel != "" || c.Token != "" {
		return hint(fault.Errorf(fault.Invalid, "--channel and --token belong to a module's guide"), "The channel %s knows its own.", c.Provider)
	}
	ctx, cancel := env.context()
	defer cancel()
	st, end, err := c.openReadOnly(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = end() }()
	ch, err := channelByKey(ctx, st, c.Provider)
	if err != nil {
		return err
	}
	c.Provider, c.Channel, c.Token = ch.Provider, string(ch.Key), ch.Token
	return nil
}

// channelByKey finds a channel of the database.
func channelByKey(ctx context.Context, st *store.Reader, key string) (merchant.Channel, error) {
	now, err := st.Settings(ctx)
	if err != nil {
		return merchant.Channel{}, err
	}
	i := slices.IndexFunc(now.Channels, func(ch merchant.Channel) bool { return string(ch.Key) == key })
	if i < 0 {
		return merchant.Channel{}, hint(fault.Errorf(fault.NotFound, "there is no channel %s in this database", printable(key)),
			"tongbo apply prints the keys of channels.")
	}
	return now.Channels[i], nil
}

// A channelTestCmd tests the whole path of a test channel, or sends a test notice alone.
type channelTestCmd struct {
	databaseFlags
	Channel              string `arg:"" help:"The channel's key, as tongbo apply printed it." placeholder:"KEY"`
	PublicURL            string `help:"How the PG reaches the server that is to be tested, such as https://pay.example.kr." env:"TONGBO_PUBLIC_URL" placeholder:"URL" required:""`
	NoticeOnly           bool   `help:"Send a test notice alone, of a payment that exists nowhere else: no account, no webhook. A live channel is never tested otherwise."`
	Payment              string `help:"Send a test notice alone, and have it pay this payment of a test channel." placeholder:"ID"`
	AllowPrivateWebhooks bool   `help:"The public URL may be a private or loopback address."`
	JSON                 bool   `name:"json" help:"Print one JSON object a line: the steps, then the whole."`
	Lang                 string `help:"ko or en; Korean unless the system's language (LC_ALL, LC_MESSAGES, LANG) is English." enum:",ko,en" default:""`
}

// Run tests the path, or sends the notice and prints the ladder. It ends with 3 if a PG's
// notice would not be taken.
func (c *channelTestCmd) Run(env Env) error {
	base, err := publicBase(c.PublicURL)
	if err != nil {
		return err
	}
	ctx, cancel := env.context()
	defer cancel()
	st, verbs, err := c.verbs(ctx, quiet())
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	ch, err := channelByKey(ctx, st.Reader, c.Channel)
	if err != nil {
		return err
	}
	verbs.PublicURL, verbs.HTTP = base, safehttp.New(safehttp.Config{AllowPrivate: c.AllowPrivateWebhooks})
	if ch.Mode == merchant.Test && !c.NoticeOnly && c.Payment == "" {
		return c.path(ctx, env, st, verbs, ch)
	}
	if ch.Mode == merchant.Live && !c.JSON {
		if _, err := fmt.Fprintln(env.talk(), words.Text(langOf(c.Lang), "cli.channel_test.live")); err != nil {
			return err
		}
	}
	caller := action.Caller{Merchant: ch.Merchant, Store: ch.Store, Mode: merchant.Any}
	l, err := verbs.Rehearse(ctx, caller, ch.Key, payment.ID(c.Payment))
	if err != nil {
		return err
	}
	desk := attention.Desk{Store: st, Providers: all.ByCode}
	state, err := desk.ChannelState(ctx, ch.Key)
	if err != nil {
		return err
	}
	lang := langOf(c.Lang)
	if c.JSON {
		err = ladderJSON(env, l, state, lang)
	} else {
		err = ladderText(env, l, state, lang)
	}
	if err == nil && !l.Good() {
		err = &coded{exitProblems, fault.Errorf(fault.Conflict, "%s", words.Text(lang, "cli.channel_test.notice_fails"))}
	}
	return err
}

// langOf is a language as it was asked for, else as the system has it.
func langOf(asked string) words.Lang {
	if inKorean(asked) {
		return words.Ko
	}
	return words.En
}

// ladderText prints a line for each step.
func ladderText(env Env, l action.Ladder, state attention.ChannelState, lang words.Lang) error {
	rows := [][]string{}
	for _, r := range l.Rungs {
		took := ""
		if r.Took > 0 {
			took = inMilliseconds(r.Took)
		}
		rows = append(rows, []string{
			words.Text(lang, "ladder.outcome."+string(r.Outcome)), words.Text(lang, "ladder.step."+string(r.Step)), took,
			printable(words.Text(lang, "ladder."+string(r.Finding), words.Worded(lang, r.Args, "reason", "reason.")...)),
		})
	}
	if _, err := fmt.Fprintf(env.talk(), "POST %s\n", l.URL); err != nil {
		return err
	}
	if err := writeTable(env.talk(), rows); err != nil {
		return err
	}
	if l.Got.Status != 0 && l.Rungs[len(l.Rungs)-1].Outcome == action.StepFailed {
		if _, err := fmt.Fprintf(env.talk(), "  %d %s\n  %d %s\n", l.Needed.Status, quoted(l.Needed.Body), l.Got.Status, quoted(l.Got.Body)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(env.talk(), lastFromPG(state, lang))
	return err
}

// inMilliseconds writes a short time as the console does.
func inMilliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// lastFromPG says when the PG itself was last heard.
func lastFromPG(state attention.ChannelState, lang words.Lang) string {
	if state.FromPG.IsZero() {
		return words.Text(lang, "ladder.from_inside_never")
	}
	return words.Text(lang, "ladder.from_inside", "at", state.FromPG.At.In(wire.Seoul).Format("2006-01-02 15:04:05"), "peer", state.FromPG.Peer)
}

// A shownRung is a step as JSON.
type shownRung struct {
	Step    action.Step    `json:"step"`
	Outcome action.Outcome `json:"outcome"`
	TookMS  float64        `json:"took_ms"`
	Finding action.Finding `json:"finding"`
	Text    string         `json:"text"`
}

// A shownLadder is what came of all steps.
type shownLadder struct {
	Good       bool                `json:"good"`
	Channel    merchant.ChannelKey `json:"channel"`
	URL        string              `json:"url"`
	Notice     string              `json:"notice,omitempty"`
	NeedStatus int                 `json:"needed_status"`
	Need       string              `json:"needed"`
	GotStatus  int                 `json:"got_status"`
	Got        string              `json:"got"`
	FromPGAt   time.Time           `json:"last_from_pg_at,omitzero"`
	FromPG     string              `json:"last_from_pg,omitempty"`
}

func ladderJSON(env Env, l action.Ladder, state attention.ChannelState, lang words.Lang) error {
	list := make([]any, 0, len(l.Rungs)+1)
	for _, r := range l.Rungs {
		list = append(list, shownRung{
			r.Step, r.Outcome, milliseconds(r.Took), r.Finding, words.Text(lang, "ladder."+string(r.Finding), words.Worded(lang, r.Args, "reason", "reason.")...),
		})
	}
	end := shownLadder{
		Good: l.Good(), Channel: l.Channel, URL: l.URL, Notice: string(l.Notice),
		NeedStatus: l.Needed.Status, Need: string(l.Needed.Body), GotStatus: l.Got.Status, Got: string(l.Got.Body),
	}
	if !state.FromPG.IsZero() {
		end.FromPGAt, end.FromPG = state.FromPG.At, state.FromPG.Peer.String()
	}
	return linesJSON(env, append(list, end))
}
