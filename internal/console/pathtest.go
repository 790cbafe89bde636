package console

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/words"
)

// pathEvery is how often the page of a test that goes on is loaded again, by browsers
// themselves: it works without scripts.
const pathEvery = "1"

// A pathResult is how the latest test of a channel's path went.
type pathResult struct {
	ID, State string // going, good, bad or broken
	At        time.Time
}

// lastPath is the latest test of a channel's path that the visitor may see; nil if there is
// none.
func (v *visit) lastPath(ch merchant.Channel) (*pathResult, error) {
	store := v.Scope.Store
	if store == "" {
		store = v.Member.Store
	}
	x, err := v.c.Store.LastPathTest(v.ctx(), ch.Key, store)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return &pathResult{x.ID, pathState(x, v.now()), x.StartedAt}, err
}

// pathState is how far a test is, as people are told.
func pathState(x notice.PathTest, now time.Time) string {
	switch {
	case x.BrokenOff(now):
		return "broken"
	case x.EndedAt.IsZero():
		return "going"
	case x.Good:
		return "good"
	}
	return "bad"
}

// runPath begins a test of a channel's path; its page shows how it goes.
func (c *Console) runPath(v *visit) error {
	ch, _, err := v.channelHere()
	if err != nil {
		return err
	}
	store, ok := v.payeeOf(ch)
	if !ok || ch.Mode != merchant.Test || ch.Disabled {
		return errNoThing
	}
	x, err := c.PathTests.Begin(v.ctx(), v.caller(store), ch.Key)
	if often, tooOften := errors.AsType[*action.TooOftenError](err); tooOften {
		seconds := v.retryAfter(often.Until)
		p, err := v.integrationPage()
		if err != nil {
			return err
		}
		return v.show(http.StatusTooManyRequests, "integration", p, []mistake{{"", v.t("channels.test_too_often",
			"time", page.Clock(often.Until, v.zone()), "zone", v.zone(), "seconds", seconds)}})
	}
	if err != nil {
		return err
	}
	return v.seeOther("/integration/runs/" + x.ID)
}

// A pathPage is a test of a channel's path.
type pathPage struct {
	notice.PathTest
	Channel triedChannel
	State   string
	V1      bool
	May     bool
	Rungs   []pathLine
	Took    time.Duration
}

func (p pathPage) title() string { return p.Channel.Name }

// A pathLine is a step as people read it.
type pathLine struct {
	notice.PathRung
	What, Text string
	First      bool // of its part
}

// pathTest shows how a test goes, or went.
func (c *Console) pathTest(v *visit) error {
	x, err := c.Store.PathTest(v.ctx(), v.r.PathValue("id"))
	if fault.Is(err, fault.NotFound) {
		return errNoThing
	}
	if err != nil {
		return err
	}
	at := slices.IndexFunc(v.All.Channels, func(ch merchant.Channel) bool { return ch.Key == x.Channel })
	if at < 0 || v.Scope.Mode != merchant.Test || v.Scope.Store != "" && v.Scope.Store != x.Store {
		return errNoThing
	}
	ch := v.All.Channels[at]
	m, known := c.Actions.Providers(ch.Provider)
	if !known || !v.sees(ch.Merchant, x.Store) {
		return errNoThing
	}
	p := pathPage{
		PathTest: x, State: pathState(x, v.now()), V1: strings.Contains(m.Info().Modules, "V1"), May: v.May(member.Integrate),
		Channel: triedChannel{Channel: ch, Answers: whoAnswers(m, ch), PG: pgOf(ch)},
	}
	if !x.EndedAt.IsZero() {
		p.Took = x.EndedAt.Sub(x.StartedAt)
	}
	for i, r := range x.Rungs {
		p.Rungs = append(p.Rungs, v.pathLine(r, i == 0 || x.Rungs[i-1].Part != r.Part))
	}
	if p.State == "going" {
		v.w.Header().Set("Refresh", pathEvery)
	}
	return v.page("integration_run", p)
}

// pathLine writes a step. What a shop answered may be personal data, and so may the address
// that it redirects to.
func (v *visit) pathLine(r notice.PathRung, first bool) pathLine {
	out := pathLine{PathRung: r, First: first, What: v.t("path.part." + r.Part)}
	switch {
	case r.Subject != "":
		out.What = r.Subject
	case words.Has("path.step." + r.Step):
		out.What = v.t("path.step." + r.Step)
	case r.Part == action.PartNotice:
		out.What = v.t("ladder.step." + r.Step)
	}
	key := r.Key
	if !v.May(member.Resend) && (strings.HasPrefix(key, "calltest.redirect") || key == "calltest.broken") {
		key = "path.withheld"
	}
	out.Text = page.PathText(v.Lang, key, r.Args)
	return out
}
