package doctor

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/settings"
)

// From when on something is worth a word.
const (
	slowWrite   = 100 * time.Millisecond
	clockWarns  = time.Second
	clockFails  = 2 * time.Second // such a node takes no work
	certWarns   = 14              // days
	queueWarns  = 10 * time.Minute
	leastCalls  = 20 // by which it is told whether all come from one address
	callsLooked = 200
	urlPatience = 5 * time.Second
)

func (d *Doctor) config() Finding {
	env, flags := 0, 0
	for _, s := range d.Config.Flags {
		switch s.Source {
		case settings.ByEnv:
			env++
		case settings.ByFlag:
			flags++
		case settings.ByDefault:
		}
	}
	f := Finding{Level: OK, Subject: OfConfig, Key: "doctor.config", Args: []any{"env", env, "flags", flags}}
	if len(d.Config.Unknown) > 0 {
		f.Level, f.Key, f.Hint = Warn, "doctor.config_unknown", "doctor.hint.config"
		f.Args = append(f.Args, "names", strings.Join(d.Config.Unknown, ", "))
	}
	return f
}

// Served is how long after it said so a server counts as running: it says so each minute.
const Served = 150 * time.Second

// serving finds what the running server was started with otherwise: what follows is then
// of another installation than the one that runs.
func (d *Doctor) serving(ctx context.Context, now time.Time) []Finding {
	flags, at, err := d.Store.Serving(ctx)
	if err != nil {
		return []Finding{unread(OfConfig, err)}
	}
	if now.Sub(at) > Served {
		return nil
	}
	var out []Finding
	for _, x := range settings.Differ(d.Config.Flags, flags) {
		out = append(out, Finding{
			Level: Warn, Subject: OfConfig, Key: "doctor.config_server", Hint: "doctor.hint.config_server",
			Args: []any{"flag", "--" + x.Name, "here", cmp.Or(x.Here, "–"), "there", cmp.Or(x.There, "–")},
		})
	}
	return out
}

// database writes to the database and reads its clock. It reports whether the rest
// can be asked.
func (d *Doctor) database(ctx context.Context) (out []Finding, alive bool) {
	began := time.Now()
	if err := d.Store.Ready(ctx); err != nil {
		return []Finding{{Level: Fail, Subject: OfDatabase, Key: "doctor.database_down", Hint: "doctor.hint.database", Args: []any{"error", err.Error()}}}, false
	}
	took := time.Since(began)
	asked := time.Now()
	v, err := d.Store.Vitals(ctx)
	if err != nil {
		return []Finding{unread(OfDatabase, err)}, false
	}
	return judgeDatabase(v, took, asked, time.Now()), true
}

// judgeDatabase judges a database that took so long for a write, and told its clock
// between two moments of ours.
func judgeDatabase(v Vitals, took time.Duration, asked, answered time.Time) []Finding {
	offset := time.Duration(0)
	if !v.Clock.IsZero() {
		offset = v.Clock.Sub(asked.Add(answered.Sub(asked) / 2)).Abs()
	}
	f := Finding{Level: OK, Subject: OfDatabase, Key: "doctor.database", Args: []any{
		"engine", v.Engine, "ms", milliseconds(took), "schema", v.Schema, "offset", milliseconds(offset), "size", size(v.Bytes),
	}}
	switch {
	case offset > clockFails:
		f.Level, f.Key, f.Hint = Fail, "doctor.database_clock", "doctor.hint.clock"
	case offset > clockWarns:
		f.Level, f.Key, f.Hint = Warn, "doctor.database_clock", "doctor.hint.clock"
	case took > slowWrite:
		f.Level, f.Key, f.Hint = Warn, "doctor.database_slow", "doctor.hint.slow"
	}
	out := []Finding{f}
	switch v.Durability {
	case "", "disk", "synchronous standby":
	case "asynchronous standby":
		out = append(out, Finding{Level: Info, Subject: OfDatabase, Key: "doctor.durability_async"})
	case "unknown":
		out = append(out, Finding{Level: Info, Subject: OfDatabase, Key: "doctor.durability_unknown"})
	default:
		out = append(out, Finding{Level: Warn, Subject: OfDatabase, Key: "doctor.durability_none", Args: []any{"how", v.Durability}})
	}
	if v.Nodes > 1 {
		out = append(out, Finding{Level: OK, Subject: OfDatabase, Key: "doctor.nodes", Args: []any{"nodes", v.Nodes}})
	}
	return out
}

// A reach is what a look at the public URL brought.
type reach struct {
	url      string
	trace    safehttp.Trace
	status   int
	location string
	body     string
	err      error
}

// publicURL looks at the public URL as a PG's admin pages do: a GET of a notice path
// is answered with our name.
func (d *Doctor) publicURL(ctx context.Context) []Finding {
	if d.PublicURL == "" {
		return []Finding{{Level: Warn, Subject: OfPublicURL, Key: "doctor.url_unset", Hint: "doctor.hint.url_unset"}}
	}
	return judgeURL(d.look(ctx), time.Now())
}

// ownAnswer is what a notice path answers to a GET without parameters.
const ownAnswer = "tongbo\n"

func (d *Doctor) look(ctx context.Context) reach {
	ctx, cancel := context.WithTimeout(ctx, urlPatience)
	defer cancel()
	tracing, trace := safehttp.Traced(ctx)
	r := reach{url: d.PublicURL}
	req, err := http.NewRequestWithContext(tracing, http.MethodGet, d.PublicURL+"/kcp-v2", http.NoBody)
	if err != nil {
		r.err = err
		return r
	}
	resp, err := safehttp.Once(d.HTTP).Do(req)
	r.trace, r.err = trace(), err
	if err != nil {
		return r
	}
	defer func() { _ = resp.Body.Close() }() // what matters was read
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
	r.status, r.location, r.body = resp.StatusCode, resp.Header.Get("Location"), string(body)
	return r
}

// judgeURL says whether PGs reach us, as far as it can be told from here.
func judgeURL(r reach, now time.Time) []Finding {
	host := r.url
	if u, err := url.Parse(r.url); err == nil {
		host = u.Hostname()
	}
	f := Finding{Level: Fail, Subject: OfPublicURL, Args: []any{"url", r.url, "host", host}}
	switch trouble := safehttp.TroubleOf(r.err); {
	case trouble == safehttp.Private:
		f.Level, f.Key, f.Hint = Warn, "doctor.url_private", "doctor.hint.url_private"
	case trouble == safehttp.TimedOut:
		f.Level, f.Key, f.Hint = Warn, "doctor.url_timeout", "doctor.hint.url_timeout"
	case trouble != safehttp.None:
		f.Key, f.Hint = "doctor.url."+string(trouble), "doctor.hint.url"
	case r.status >= 300 && r.status < 400:
		f.Key, f.Hint = "doctor.url_redirect", "doctor.hint.url_redirect"
		f.Args = append(f.Args, "status", r.status, "to", r.location)
	case r.status != http.StatusOK || r.body != ownAnswer:
		f.Key, f.Hint = "doctor.url_elsewhere", "doctor.hint.url"
		f.Args = append(f.Args, "status", r.status)
	case !strings.HasPrefix(r.url, "https:"):
		f.Level, f.Key, f.Hint = Warn, "doctor.url_plain", "doctor.hint.url_plain"
	default:
		days := certDays(r.trace, now)
		f.Args = append(f.Args, "days", days)
		if f.Level, f.Key = OK, "doctor.url"; days < certWarns {
			f.Level, f.Key, f.Hint = Warn, "doctor.url_cert_soon", "doctor.hint.cert_soon"
		}
	}
	return []Finding{f}
}

// certDays is for how many days the certificate that was shown is valid.
func certDays(t safehttp.Trace, now time.Time) int {
	if len(t.Certs) == 0 {
		return 0
	}
	return int(t.Certs[0].NotAfter.Sub(now) / (24 * time.Hour))
}

func (d *Doctor) clients(ctx context.Context) Finding {
	list, err := d.Store.Clients(ctx, callsLooked)
	if err != nil {
		return unread(OfClients, err)
	}
	return judgeClients(list, d.TrustedProxies)
}

// judgeClients sees whether a proxy hides who sends notices.
func judgeClients(list []Client, trusted []netip.Prefix) Finding {
	all, refused := 0, 0
	var proxy netip.Addr
	for _, c := range list {
		if all, refused = all+c.Count, refused+c.Proxied; c.Proxied > 0 {
			proxy = c.Peer
		}
	}
	f := Finding{Level: OK, Subject: OfClients, Key: "doctor.clients", Args: []any{"addresses", len(list), "requests", all}}
	switch {
	case refused > 0:
		f.Level, f.Key, f.Hint, f.Args = Fail, "doctor.clients_proxy", "doctor.hint.proxies", []any{"peer", proxy.String(), "requests", refused}
	case all == 0:
		f.Level, f.Key = Info, "doctor.clients_none"
	case len(list) == 1 && all >= leastCalls && list[0].Peer.IsPrivate() && !provider.Admits(trusted, list[0].Peer):
		f.Level, f.Key, f.Hint, f.Args = Warn, "doctor.clients_one", "doctor.hint.proxies", []any{"peer", list[0].Peer.String(), "requests", all}
	}
	return f
}

func (d *Doctor) queue(ctx context.Context) Finding {
	now := time.Now()
	q, err := d.Store.Queue(ctx, now)
	if err != nil {
		return unread(OfQueue, err)
	}
	return judgeQueue(q, now)
}

func judgeQueue(q Queue, now time.Time) Finding {
	f := Finding{Level: OK, Subject: OfQueue, Key: "doctor.queue", Args: []any{"waiting", min(q.Waiting, MostCounted)}}
	if q.Waiting > MostCounted {
		f.Key = "doctor.queue_more"
	}
	if late := now.Sub(q.Oldest); !q.Oldest.IsZero() && late > queueWarns {
		f.Level, f.Key, f.Hint = Warn, "doctor.queue_late", "doctor.hint.queue"
		f.Args = append(f.Args, "minutes", int(late/time.Minute))
	}
	return f
}
