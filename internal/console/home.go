package console

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/console/chart"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/store"
)

func (c *Console) homeRoutes() []route {
	return []route{
		{http.MethodGet, "/{$}", member.See, false, c.home},
		{http.MethodPost, "/steps", member.See, false, c.putStepsAway},
	}
}

// homePage is where one begins.
type homePage struct {
	Steps   []step // the first-run checklist; none once its end was told
	Done    int    // how many of them are
	Whole   bool   // all of them are
	Figures []figure
	Flows   []flowLine
	Cut     bool // flows are of the newest news alone
	Ranges  []choice
	Chart   template.HTML
	Since   time.Time // from when on the chart was looked at, if not from its beginning
	Empty   bool      // there is nothing in the chart
}

// A figure is a number with what it was a day before.
type figure struct {
	Key, Path, Value, More, Before string
	Bad                            bool
}

// homeFigures keeps what the front page is made of for a few seconds.
type homeFigures struct {
	figures store.Cached[store.Scope, store.Figures]
	flows   store.Cached[store.Scope, []store.Flow]
	health  store.Cached[healthKey, store.Health]
}

type healthKey struct {
	scope store.Scope
	name  string
}

func (c *Console) home(v *visit) error {
	if bar := v.query("bar"); bar != "" {
		return v.bar(bar)
	}
	now := v.now()
	states, err := c.Desk.ChannelStates(v.ctx(), v.watch())
	if err != nil {
		return err
	}
	list, err := c.Desk.Recent(v.ctx(), v.watch(), now)
	if err != nil {
		return err
	}
	p := homePage{}
	if p.Steps, err = v.steps(states); err != nil {
		return err
	}
	for _, s := range p.Steps {
		if s.Done {
			p.Done++
		}
	}
	if p.Whole = p.Done == len(p.Steps); p.Whole && v.putAway() {
		p.Steps = nil
	}
	numbers, err := c.front.figures.Get(v.ctx(), v.reading(), func(ctx context.Context) (store.Figures, error) {
		local := now.In(page.Location(v.zone()))
		midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, local.Location())
		return c.Store.Figures(ctx, v.reading(), midnight.UTC(), now, dueSoon)
	})
	if err != nil {
		return err
	}
	p.Figures = v.figures(numbers, list.Total)
	if err := v.flows(&p, states, list, now); err != nil {
		return err
	}
	if err := v.health(&p, now); err != nil {
		return err
	}
	v.topics = []string{topicPayments, topicNotices, topicDeliveries}
	return v.page("home", p)
}

// figures are the four numbers.
func (v *visit) figures(f store.Figures, waiting int) []figure {
	today, before := f.Today, f.Yesterday
	rate := func(d store.DayFigures) string {
		if d.Webhooks.N == 0 {
			return v.t("chart.none")
		}
		return strconv.FormatFloat(float64(d.Completed)*100/float64(d.Completed+d.Failed), 'f', 1, 64) + "%"
	}
	sum := func(d store.DayFigures) string { return moneyOf(d) }
	return []figure{
		{
			Key: "deposits", Path: "/payments?state=PAID&basis=changed", Value: v.number(today.Deposits), More: sum(today),
			Before: v.t("home.before", "value", v.number(before.Deposits)+" "+sum(before)),
		},
		{
			Key: "awaiting", Path: "/payments?state=VIRTUAL_ACCOUNT_ISSUED", Value: v.number(f.Awaiting),
			More: v.t("home.due_soon", "count", v.number(f.DueSoon)),
		},
		{Key: "attention", Path: "/attention", Value: v.number(store.Count{N: waiting}), Bad: waiting > 0},
		{
			Key: "webhooks", Path: "/deliveries", Value: rate(today), More: v.t("home.failed", "n", today.Failed),
			Before: v.t("home.before", "value", rate(before)),
		},
	}
}

// bar goes to the list of what a bar of the chart stands for.
func (v *visit) bar(at string) error {
	unix, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return errNoPage
	}
	from := time.Unix(unix, 0).UTC()
	q := url.Values{"from": {from.Format(time.RFC3339)}, "until": {from.Add(spanOf(v.query("range")).step - time.Second).Format(time.RFC3339)}}
	return v.seeOther("/deliveries?" + q.Encode())
}

// A span is a time that the chart can be of.
type span struct {
	name       string
	long, step time.Duration
}

var spans = []span{{"hour", time.Hour, time.Minute}, {"day", 24 * time.Hour, 15 * time.Minute}, {"week", 7 * 24 * time.Hour, time.Hour}}

// spanOf is the span of a name; a day if there is none of it.
func spanOf(name string) span {
	for _, s := range spans {
		if s.name == name {
			return s
		}
	}
	return spans[1]
}

// health draws how webhooks went.
func (v *visit) health(page *homePage, now time.Time) error {
	s := spanOf(v.query("range"))
	for _, one := range spans {
		page.Ranges = append(page.Ranges, choice{v.t("home.range." + one.name), v.with("range", one.name), one.name == s.name})
	}
	h, err := v.c.front.health.Get(v.ctx(), healthKey{v.reading(), s.name}, func(ctx context.Context) (store.Health, error) {
		return v.c.Store.DeliveryHealth(ctx, v.reading(), "", now.Add(-s.long), now, s.step)
	})
	if err != nil {
		return err
	}
	page.Since = h.Since
	page.Chart, page.Empty = v.healthChart(h, s)
	return nil
}

func (v *visit) healthChart(h store.Health, s span) (out template.HTML, empty bool) {
	frame := chart.Frame{
		ID: "health", Title: v.t("chart.health"), Desc: v.t("chart.health_say", "range", v.t("home.range."+s.name)), None: v.t("chart.none"),
		Table: v.t("chart.table"), At: v.t("chart.at", "zone", v.zone()), Zone: page.Location(v.zone()), Step: h.Step,
	}
	p := chart.Pair{
		Bars:  chart.Bars{Completed: v.t("state.delivery.completed"), Retrying: v.t("chart.retrying"), Failed: v.t("state.delivery.failed")},
		Lines: chart.Lines{P50: v.t("chart.p50"), P95: v.t("chart.p95")},
	}
	empty = true
	for _, b := range h.Buckets {
		frame.From = append(frame.From, b.From)
		bar := chart.Bar{Completed: b.Completed, Retrying: b.Retrying, Failed: b.Failed}
		if bar != (chart.Bar{}) {
			empty = false
			bar.Link = "?range=" + s.name + "&bar=" + strconv.FormatInt(b.From.Unix(), 10)
		}
		p.Bars.Bars = append(p.Bars.Bars, bar)
		p.Lines.Points = append(p.Lines.Points, chart.Point{P50: b.P50, P95: b.P95})
	}
	p.Bars.Frame, p.Lines.Frame = frame, frame
	p.Lines.ID, p.Lines.Title, p.Lines.Desc = "took", v.t("chart.took"), v.t("chart.took_say", "range", v.t("home.range."+s.name))
	return p.HTML(), empty
}
