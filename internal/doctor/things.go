package doctor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/webhook"
)

// channels examines every channel that is in use.
func (d *Doctor) channels(ctx context.Context) (out []Finding) {
	all, err := d.Store.Settings(ctx)
	if err != nil {
		return []Finding{unread(OfChannel, err)}
	}
	for _, m := range all.Merchants {
		for _, mode := range []merchant.Mode{merchant.Live, merchant.Test} {
			list, err := d.Channels(ctx, attention.Scope{Merchant: m.ID, Mode: mode})
			if err != nil {
				return append(out, unread(OfChannel, err))
			}
			for _, s := range list {
				if p, known := d.Providers(s.Channel.Provider); known && !s.Channel.Disabled {
					out = append(out, judgeChannel(s, p.Info()))
				}
			}
		}
	}
	return out
}

// judgeChannel judges a channel by how far it is set up.
func judgeChannel(s attention.ChannelState, i provider.Info) Finding {
	c := s.Channel
	f := Finding{Level: OK, Subject: OfChannel, Name: c.Name, ID: string(c.Key), Args: []any{"name", c.Name, "key", string(c.Key), "mode", string(c.Mode)}}
	switch {
	case s.Setup == attention.Played:
		f.Key = "doctor.channel_played"
		return f
	case i.Deaf(c):
		f.Level, f.Key, f.Hint = Fail, "doctor.channel_deaf", "doctor.hint.channel_deaf"
		return f
	case s.Setup == attention.Silent:
		f.Level, f.Key, f.Hint = Fail, "doctor.channel_silent", "doctor.hint.channel"
		if s.FromPG.IsZero() {
			f.Key = "doctor.channel_silent_ever"
		}
		f.Args = append(f.Args, "count", s.Overdue.Count)
	case s.Setup == attention.Draft:
		f.Level, f.Key, f.Hint = Warn, "doctor.channel_draft", "doctor.hint.channel_draft"
		f.Args = append(f.Args, "missing", strings.Join(s.Missing, ", "))
	case s.Setup == attention.Asked:
		f.Level, f.Key, f.Hint = Info, "doctor.channel_asked", "doctor.hint.channel"
		f.Args = append(f.Args, "day", s.AskedAt.Add(9*time.Hour).UTC().Format(time.DateOnly))
	case s.Setup == attention.Waiting:
		f.Level, f.Key, f.Hint = Warn, "doctor.channel_waiting", "doctor.hint.channel"
		if c.Mode == merchant.Test {
			f.Level = Info
		}
	default:
		f.Key = "doctor.channel"
		f.Args = append(f.Args, "at", seoulTime(s.FromPG.At))
	}
	return f
}

// seoulTime writes a time as people in Korea read it.
func seoulTime(t time.Time) string {
	return t.UTC().Add(9 * time.Hour).Format("2006-01-02 15:04:05")
}

// endpoints examines every endpoint by its last tries.
func (d *Doctor) endpoints(ctx context.Context) (out []Finding) {
	all, err := d.Store.Settings(ctx)
	if err != nil {
		return []Finding{unread(OfEndpoint, err)}
	}
	for _, e := range all.Endpoints {
		tries, err := d.Store.EndpointTries(ctx, e.ID)
		if err != nil {
			return append(out, unread(OfEndpoint, err))
		}
		out = append(out, judgeEndpoint(e, tries, time.Now()))
	}
	return out
}

// judgeEndpoint judges an endpoint by its last tries, the newest first.
func judgeEndpoint(e webhook.Endpoint, tries []webhook.Attempt, now time.Time) Finding {
	f := Finding{Level: OK, Subject: OfEndpoint, Name: e.Name, ID: string(e.ID), Args: []any{"name", e.Name, "url", e.URL}}
	good := slices.IndexFunc(tries, func(a webhook.Attempt) bool { return a.Outcome == webhook.Good })
	switch {
	case e.Paused:
		f.Level, f.Key = Info, "doctor.endpoint_paused"
		return f
	case len(tries) == 0:
		f.Level, f.Key = Info, "doctor.endpoint_untried"
		return f
	case good != 0:
		f.failing(tries[0], good < 0)
		return f
	}
	f.Key = "doctor.endpoint"
	f.Args = append(f.Args, "at", seoulTime(tries[0].At))
	if until := tries[0].Trace.Certificate; !until.IsZero() {
		if days := int(until.Sub(now) / (24 * time.Hour)); days < certWarns {
			f.Level, f.Key, f.Hint = Warn, "doctor.endpoint_cert_soon", "doctor.hint.endpoint_cert"
			f.Args = append(f.Args, "days", days)
		}
	}
	return f
}

// failing says how the newest try of an endpoint failed. never says that none of
// those that were looked at was good.
func (f *Finding) failing(last webhook.Attempt, never bool) {
	f.Level, f.Hint = Warn, "doctor.hint.endpoint"
	f.Args = append(f.Args, "status", last.Status)
	switch {
	case last.Status >= 300 && last.Status < 400:
		f.Key, f.Hint = "doctor.endpoint_redirect", "doctor.hint.endpoint_redirect"
		f.Args = append(f.Args, "to", location(last.ResponseHeader))
	case last.Cause == webhook.CauseTLS:
		f.Key, f.Hint = "doctor.endpoint_tls", "doctor.hint.endpoint_cert"
	case last.Status == 0 && never:
		f.Key = "doctor.endpoint_never_answers." + string(cmp.Or(last.Cause, webhook.CauseBroken))
	case last.Status == 0:
		f.Key = "doctor.endpoint_unanswered." + string(cmp.Or(last.Cause, webhook.CauseBroken))
	case never:
		f.Key = "doctor.endpoint_never"
	default:
		f.Key = "doctor.endpoint_failing"
	}
	if never {
		f.Level = Fail
	}
}

// location is where an answer's headers lead.
func location(header string) string {
	for line := range strings.Lines(header) {
		name, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(strings.TrimSpace(name), "location") {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// disk looks how full the database's disk is.
func (d *Doctor) disk() Finding {
	if d.Folder == "" {
		return Finding{Level: Info, Subject: OfDisk, Key: "doctor.disk_elsewhere"}
	}
	space := d.Space
	if space == nil {
		space = systemSpace
	}
	free, total, err := space(d.Folder)
	if err != nil || total == 0 {
		return Finding{Level: Info, Subject: OfDisk, Key: "doctor.disk_unknown"}
	}
	f := Finding{Level: OK, Subject: OfDisk, Key: "doctor.disk", Args: []any{"free", size(int64(min(free, 1<<62))), "percent", int(min(free*100/total, 100))}}
	switch {
	case free < 256<<20:
		f.Level, f.Key, f.Hint = Fail, "doctor.disk_full", "doctor.hint.disk"
	case free < 2<<30 || free*100/total < 5:
		f.Level, f.Key, f.Hint = Warn, "doctor.disk_low", "doctor.hint.disk"
	}
	return f
}

func (d *Doctor) retention() Finding {
	k := d.Keep
	if k.Bodies == 0 || k.History == 0 || k.Payments == 0 {
		return Finding{Level: Info, Subject: OfRetention, Key: "doctor.retention_ever"}
	}
	return Finding{Level: OK, Subject: OfRetention, Key: "doctor.retention", Args: []any{"bodies", k.Bodies, "history", k.History, "payments", k.Payments}}
}

// senders tells of the address lists of PGs that live channels go by.
func (d *Doctor) senders(ctx context.Context) (out []Finding) {
	all, err := d.Store.Settings(ctx)
	if err != nil {
		return []Finding{unread(OfSenders, err)}
	}
	seen := make(map[string]bool)
	for _, c := range all.Channels {
		p, known := d.Providers(c.Provider)
		if !known || c.Disabled || c.Mode != merchant.Live || c.Senders != nil || seen[c.Provider] {
			continue
		}
		seen[c.Provider] = true
		i := p.Info()
		f := Finding{Level: OK, Subject: OfSenders, Name: i.Code, Key: "doctor.senders", Args: []any{"name", i.Code, "count", len(i.LiveSenders), "date", i.SendersAsOf}}
		switch {
		case i.LiveSenders == nil:
			f.Level, f.Key = Info, "doctor.senders_none"
		case i.SendersAsOf == "":
			f.Key, f.Args = "doctor.senders_undated", []any{"name", i.Code, "count", len(i.LiveSenders), "in", i.SendersIn}
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Finding) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

func (d *Doctor) egress() Finding {
	if len(d.Egress) == 0 {
		return Finding{Level: Info, Subject: OfEgress, Key: "doctor.egress_unknown", Hint: "doctor.hint.egress"}
	}
	words := make([]string, len(d.Egress))
	for i, a := range d.Egress {
		words[i] = a.String()
	}
	return Finding{Level: Info, Subject: OfEgress, Key: "doctor.egress", Args: []any{"addresses", strings.Join(words, ", ")}}
}

// milliseconds writes a short time.
func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

// size writes a number of bytes in the unit that fits.
func size(n int64) string {
	for _, u := range []struct {
		at   int64
		name string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= u.at {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(u.at), u.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}
