package console

import (
	"context"
	"html/template"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/console/chart"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// A flowLine is the way of news through a channel.
type flowLine struct {
	Channel merchant.ChannelKey
	Name    string
	Setup   attention.Setup
	Spark   template.HTML // notices by the hour
	Path    string        // of the channel; empty if the visitor may not open it
	Stages  []flowStage
}

// A flowStage is a part of the way. At most one of a channel is broken: the first.
type flowStage struct {
	Key    string
	N      string
	Median time.Duration
	Last   time.Time
	Broken bool
}

// flowTime is of how long the strips tell.
const flowTime = store.FlowHours * time.Hour

// channelFlows are how news went through the channels of the scope, as they were a few
// seconds ago at most: the front page and the list of channels tell the same.
func (v *visit) channelFlows(now time.Time) ([]store.Flow, error) {
	return v.c.front.flows.Get(v.ctx(), v.reading(), func(ctx context.Context) ([]store.Flow, error) {
		return v.c.Store.Flows(ctx, v.reading(), now.Add(-flowTime))
	})
}

// noticeSpark draws the notices of a channel by the hour.
func (v *visit) noticeSpark(f store.Flow) template.HTML {
	return chart.Spark{Title: v.t("home.spark", "n", v.number(store.Count{N: f.Notices.N, More: f.Cut})), Values: f.Hours[:]}.SVG()
}

// flows fills in the strips of the channels in use.
func (v *visit) flows(page *homePage, states []attention.ChannelState, list attention.List, now time.Time) error {
	flows, err := v.channelFlows(now)
	if err != nil {
		return err
	}
	for _, s := range states {
		if s.Channel.Disabled {
			continue
		}
		i := slices.IndexFunc(flows, func(f store.Flow) bool { return f.Channel == s.Channel.Key })
		var f store.Flow
		if i >= 0 {
			f = flows[i]
		}
		l := flowLine{Channel: s.Channel.Key, Name: v.channelName(s.Channel.Key), Setup: s.Setup}
		l.Spark = v.noticeSpark(f)
		if v.May("integrate") {
			l.Path = v.Scope.Base() + "/channels/" + string(s.Channel.Key)
		}
		page.Cut = page.Cut || f.Cut
		broken := brokenStage(s, f, v.down(list))
		for n, stage := range []struct {
			key string
			store.Stage
		}{{"notices", f.Notices}, {"applied", f.Applied}, {"webhooks", f.Webhooks}, {"answered", f.Answered}} {
			l.Stages = append(l.Stages, flowStage{
				Key: stage.key, N: v.number(store.Count{N: stage.N}), Median: stage.Median, Last: stage.Last, Broken: n == broken,
			})
		}
		page.Flows = append(page.Flows, l)
	}
	return nil
}

// down reports whether an endpoint answers no more.
func (v *visit) down(list attention.List) bool {
	return slices.ContainsFunc(list.Items, func(i attention.Item) bool {
		return i.Kind == attention.EndpointDown || i.Kind == attention.EndpointNeverGood
	})
}

// brokenStage is the first part of a channel's way where news stops; -1 if it goes through.
func brokenStage(s attention.ChannelState, f store.Flow, down bool) int {
	refused := !s.Last.IsZero() && (s.Last.Verdict == payment.Refused || s.Last.Verdict == payment.Unreadable ||
		s.Last.Verdict == payment.Unmatched || s.Last.Verdict == payment.Conflict)
	switch {
	case s.Setup == attention.Silent:
		return 0
	case f.Notices.N > 0 && f.Applied.N == 0 && refused:
		return 1
	case f.Applied.N > 0 && f.Webhooks.N == 0:
		return 2
	case f.Webhooks.N > 0 && (f.Answered.N == 0 || down && f.Answered.Last.Before(f.Webhooks.Last)):
		return 3
	}
	return -1
}

// moneyOf is the sum of a day, as tables show it.
func moneyOf(d store.DayFigures) string {
	return page.Money(payment.Money{Amount: d.Sum, Currency: d.Currency})
}
