package console

import (
	"net/http"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// limitRoutes are the pages of how often webhooks are tried and how long things are kept.
// What they show is changed elsewhere.
func (c *Console) limitRoutes() []route {
	return []route{
		{http.MethodGet, "/settings/delivery", member.Administer, false, c.deliverySettings},
		{http.MethodGet, "/settings/retention", member.Administer, false, c.retention},
	}
}

// deliveryPage is how webhooks are sent.
type deliveryPage struct {
	Presets   []presetRow
	Endpoints []endpointRow
	Stores    []settings.Store
	Flags     []settings.Flag
}

// A presetRow is a schedule by name.
type presetRow struct {
	Name    webhook.Schedule
	Default bool
	Delays  string
	Tries   int
	Lasts   string // from the first try to the last
}

// An endpointRow is an endpoint with how it is sent to.
type endpointRow struct {
	webhook.Endpoint
	StoreName string
	Delays    string
	Tries     int
	Cap       int // how many webhooks at once
}

// delays are the nominal delays of a schedule, and their sum.
func delays(s webhook.Schedule) (text string, sum time.Duration) {
	var list []string
	for n := 1; ; n++ {
		d, more := s.After(n, 0, nil)
		if !more {
			return strings.Join(list, " · "), sum
		}
		list, sum = append(list, brief(d)), sum+d
	}
}

// brief writes a delay without the parts that are none: 4m, 1h30m, 0.
func brief(d time.Duration) string {
	if d == 0 {
		return "0"
	}
	text := d.String()
	for _, none := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, none) {
			text = strings.TrimSuffix(text, none[1:])
		}
	}
	return text
}

func (c *Console) deliverySettings(v *visit) error {
	p := deliveryPage{Stores: v.scopeStores(), Flags: c.flags("webhook-bind", "allow-private-webhooks", "grace")}
	for _, s := range []webhook.Schedule{webhook.PortOne, webhook.PortOne2024, webhook.Toss} {
		text, sum := delays(s)
		p.Presets = append(p.Presets, presetRow{s, s == webhook.Default, text, s.Tries(), brief(sum)})
	}
	for _, s := range p.Stores {
		for _, e := range v.All.Endpoints {
			if e.Store != s.ID || e.Mode != v.Scope.Mode {
				continue
			}
			row := endpointRow{Endpoint: e, StoreName: s.Name, Tries: e.Schedule.Tries(), Cap: e.InFlight}
			row.Delays, _ = delays(e.Schedule)
			if row.Cap == 0 {
				row.Cap = webhook.DefaultInFlight
			}
			p.Endpoints = append(p.Endpoints, row)
		}
	}
	return v.page("settings_delivery", p)
}

// flags are those of the node's flags, in this order.
func (c *Console) flags(names ...string) []settings.Flag {
	var out []settings.Flag
	for _, name := range names {
		for _, f := range c.Flags {
			if f.Name == name {
				out = append(out, f)
			}
		}
	}
	return out
}

// retentionPage is how long things are kept.
type retentionPage struct{ Flags []settings.Flag }

func (c *Console) retention(v *visit) error {
	return v.page("settings_retention", retentionPage{c.flags("keep-bodies", "keep-history", "keep-payments")})
}
