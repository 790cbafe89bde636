package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

var noon = time.Date(2026, 8, 1, 3, 0, 0, 0, time.UTC)

// wantSaid checks that everything about a finding can be read in both languages, with
// nothing left in braces.
func wantSaid(t *testing.T, list ...Finding) {
	t.Helper()
	for _, f := range list {
		for _, lang := range words.Langs() {
			for _, key := range []string{f.Key, f.Hint, "doctor.level." + string(f.Level), "doctor.subject." + string(f.Subject)} {
				text := words.Text(lang, key, f.Args...)
				if key != "" && (!words.Has(key) || strings.ContainsAny(text, "{}")) {
					t.Errorf("%s %s says %q", f.Subject, key, text)
				}
			}
		}
		if bad := f.Level == Warn || f.Level == Fail; bad && f.Hint == "" && f.Key != "doctor.unread" && f.Key != "doctor.durability_none" {
			t.Errorf("%s has no hint", f.Key)
		}
	}
}

func wantFinding(t *testing.T, name string, got Finding, want string) {
	t.Helper()
	wantSaid(t, got)
	if s := string(got.Level) + " " + strings.TrimPrefix(got.Key, "doctor."); s != want {
		t.Errorf("%s: %s, want %s", name, s, want)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	d := Doctor{Config: Config{Flags: []settings.Flag{{Source: settings.ByEnv}, {Source: settings.ByFlag}, {Source: settings.ByDefault}}}}
	wantFinding(t, "all known", d.config(), "ok config")
	d.Config.Unknown = []string{"TONGBO_LISSEN"}
	wantFinding(t, "a slip", d.config(), "warn config_unknown")
}

func TestDatabase(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		v    Vitals
		took time.Duration
		want string // all findings
	}{
		{"SQLite", Vitals{Engine: "SQLite", Durability: "disk"}, time.Millisecond, "ok database"},
		{"a slow disk", Vitals{Durability: "disk"}, time.Second, "warn database_slow"},
		{"clocks agree", Vitals{Clock: noon.Add(50 * time.Millisecond)}, time.Millisecond, "ok database"},
		{"clocks differ", Vitals{Clock: noon.Add(-1500 * time.Millisecond)}, time.Millisecond, "warn database_clock"},
		{"clocks differ a lot", Vitals{Clock: noon.Add(time.Minute)}, time.Millisecond, "fail database_clock"},
		{"a lazy standby", Vitals{Durability: "asynchronous standby"}, 1, "ok database, info durability_async"},
		{"standbys unseen", Vitals{Durability: "unknown"}, 1, "ok database, info durability_unknown"},
		{"commits are not waited for", Vitals{Durability: "not yet on disk: x"}, 1, "ok database, warn durability_none"},
		{"three nodes", Vitals{Durability: "synchronous standby", Nodes: 3}, 1, "ok database, ok nodes"},
	} {
		list := judgeDatabase(tt.v, tt.took, noon, noon.Add(100*time.Millisecond))
		wantSaid(t, list...)
		var got []string
		for _, f := range list {
			got = append(got, string(f.Level)+" "+strings.TrimPrefix(f.Key, "doctor."))
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, s, tt.want)
		}
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	certs := func(days int) safehttp.Trace {
		return safehttp.Trace{Certs: []*x509.Certificate{{NotAfter: noon.AddDate(0, 0, days)}}}
	}
	const url = "https://pay.example.kr"
	for _, tt := range []struct {
		name string
		r    reach
		want string
	}{
		{"all is well", reach{url: url, status: 200, body: ownAnswer, trace: certs(61)}, "ok url"},
		{"a certificate that ends", reach{url: url, status: 200, body: ownAnswer, trace: certs(13)}, "warn url_cert_soon"},
		{"plain", reach{url: "http://pay.example.kr", status: 200, body: ownAnswer}, "warn url_plain"},
		{"a redirect", reach{url: url, status: 308, location: "/x"}, "fail url_redirect"},
		{"another page", reach{url: url, status: 200, body: "<html>"}, "fail url_elsewhere"},
		{"not found", reach{url: url, status: 404}, "fail url_elsewhere"},
		{"a private address", reach{url: url, err: safehttp.ErrPrivate}, "warn url_private"},
		{"too slow", reach{url: url, err: context.DeadlineExceeded}, "warn url_timeout"},
		{"nobody there", reach{url: url, err: syscall.ECONNREFUSED}, "fail url.refused"},
	} {
		wantFinding(t, tt.name, judgeURL(tt.r, noon)[0], tt.want)
	}
	for _, trouble := range safehttp.Troubles() {
		if key := "doctor.url." + string(trouble); !words.Has(key) && trouble != safehttp.Private && trouble != safehttp.TimedOut {
			t.Errorf("%s has no text", key)
		}
	}
}

// TestLook reaches a server that answers notice paths, and one that does not.
func TestLook(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/kcp-v2" {
			_, _ = io.WriteString(w, ownAnswer)
		}
	}))
	defer srv.Close()
	d := Doctor{HTTP: safehttp.New(safehttp.Config{AllowPrivate: true}), PublicURL: srv.URL}
	wantFinding(t, "our own", d.publicURL(t.Context())[0], "warn url_plain")
	d.HTTP = safehttp.New(safehttp.Config{})
	wantFinding(t, "a private address", d.publicURL(t.Context())[0], "warn url_private")
	d.PublicURL = ""
	wantFinding(t, "none", d.publicURL(t.Context())[0], "warn url_unset")
}

func TestClients(t *testing.T) {
	t.Parallel()
	from := func(peer string, count, proxied int) Client {
		return Client{Peer: netip.MustParseAddr(peer), Count: count, Proxied: proxied}
	}
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for _, tt := range []struct {
		name    string
		list    []Client
		trusted []netip.Prefix
		want    string
	}{
		{"nobody", nil, nil, "info clients_none"},
		{"two", []Client{from("203.0.113.7", 100, 0), from("10.0.0.4", 100, 0)}, nil, "ok clients"},
		{"one of the internet", []Client{from("203.0.113.7", 100, 0)}, nil, "ok clients"},
		{"one of our network", []Client{from("10.0.0.4", 20, 0)}, nil, "warn clients_one"},
		{"a few of our network", []Client{from("10.0.0.4", 19, 0)}, nil, "ok clients"},
		{"one that is trusted", []Client{from("10.0.0.4", 100, 0)}, trusted, "ok clients"},
		{"refused", []Client{from("10.0.0.4", 3, 1), from("203.0.113.7", 1, 0)}, nil, "fail clients_proxy"},
	} {
		wantFinding(t, tt.name, judgeClients(tt.list, tt.trusted), tt.want)
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		q    Queue
		want string
	}{
		{Queue{}, "ok queue"},
		{Queue{Waiting: 3, Oldest: noon.Add(-9 * time.Minute)}, "ok queue"},
		{Queue{Waiting: MostCounted + 1}, "ok queue_more"},
		{Queue{Waiting: 3, Oldest: noon.Add(-11 * time.Minute)}, "warn queue_late"},
	} {
		wantFinding(t, fmt.Sprint(tt.q), judgeQueue(tt.q, noon), tt.want)
	}
}

func TestChannel(t *testing.T) {
	t.Parallel()
	p, _ := all.ByCode("nice")
	live := merchant.Channel{Key: "channel-key-1", Name: "결제", Provider: "nice", Mode: merchant.Live}
	test := live
	test.Mode = merchant.Test
	deaf := live
	deaf.Senders = &[]netip.Prefix{}
	heard := attention.Heard{ID: "n", At: noon}
	for _, tt := range []struct {
		name string
		s    attention.ChannelState
		want string
	}{
		{"connected", attention.ChannelState{Channel: live, Setup: attention.Connected, FromPG: heard}, "ok channel"},
		{"silent", attention.ChannelState{Channel: live, Setup: attention.Silent, FromPG: heard, Overdue: attention.Overdue{Count: 7}}, "fail channel_silent"},
		{"silent from the beginning", attention.ChannelState{Channel: live, Setup: attention.Silent}, "fail channel_silent_ever"},
		{"waiting", attention.ChannelState{Channel: live, Setup: attention.Waiting}, "warn channel_waiting"},
		{"a test channel that waits", attention.ChannelState{Channel: test, Setup: attention.Waiting}, "info channel_waiting"},
		{"asked", attention.ChannelState{Channel: live, Setup: attention.Asked, AskedAt: noon}, "info channel_asked"},
		{"a draft", attention.ChannelState{Channel: live, Setup: attention.Draft, Missing: []string{"merchant_key"}}, "warn channel_draft"},
		{"deaf", attention.ChannelState{Channel: deaf, Setup: attention.Connected, FromPG: heard}, "fail channel_deaf"},
	} {
		wantFinding(t, tt.name, judgeChannel(tt.s, p.Info()), tt.want)
	}
}

func TestEndpoint(t *testing.T) {
	t.Parallel()
	try := func(o webhook.Outcome, status int, c webhook.Cause) webhook.Attempt {
		return webhook.Attempt{Outcome: o, Status: status, Cause: c, At: noon, ResponseHeader: "Date: x\r\nlocation: /webhook/\r\n"}
	}
	good, bad := try(webhook.Good, 200, ""), try(webhook.BadAnswer, 500, "")
	ending := good
	ending.Trace.Certificate = noon.AddDate(0, 0, 5)
	for _, tt := range []struct {
		name  string
		e     webhook.Endpoint
		tries []webhook.Attempt
		want  string
	}{
		{"good", webhook.Endpoint{}, []webhook.Attempt{good, bad}, "ok endpoint"},
		{"its certificate ends", webhook.Endpoint{}, []webhook.Attempt{ending}, "warn endpoint_cert_soon"},
		{"untried", webhook.Endpoint{}, nil, "info endpoint_untried"},
		{"paused", webhook.Endpoint{Paused: true}, []webhook.Attempt{bad}, "info endpoint_paused"},
		{"failing", webhook.Endpoint{}, []webhook.Attempt{bad, good}, "warn endpoint_failing"},
		{"never good", webhook.Endpoint{}, []webhook.Attempt{bad, bad}, "fail endpoint_never"},
		{"a redirect", webhook.Endpoint{}, []webhook.Attempt{try(webhook.BadAnswer, 308, ""), good}, "warn endpoint_redirect"},
		{"a certificate that is none", webhook.Endpoint{}, []webhook.Attempt{try(webhook.NoAnswer, 0, webhook.CauseTLS), good}, "warn endpoint_tls"},
	} {
		f := judgeEndpoint(tt.e, tt.tries, noon)
		wantFinding(t, tt.name, f, tt.want)
		if tt.name == "a redirect" && !strings.Contains(words.Text(words.En, f.Key, f.Args...), "308 → /webhook/") {
			t.Errorf("the redirect is told as %q", words.Text(words.En, f.Key, f.Args...))
		}
	}
	for _, c := range []webhook.Cause{webhook.CauseTimeout, webhook.CauseRefused, webhook.CauseDNS, webhook.CauseBlocked, webhook.CauseBroken, ""} {
		wantSaid(t, judgeEndpoint(webhook.Endpoint{}, []webhook.Attempt{try(webhook.NoAnswer, 0, c), good}, noon),
			judgeEndpoint(webhook.Endpoint{}, []webhook.Attempt{try(webhook.NoAnswer, 0, c)}, noon))
	}
}

func TestDiskAndTheRest(t *testing.T) {
	t.Parallel()
	const gib = 1 << 30
	for _, tt := range []struct {
		free, total uint64
		err         error
		want        string
	}{
		{50 * gib, 100 * gib, nil, "ok disk"},
		{3 * gib, 100 * gib, nil, "warn disk_low"},
		{gib, 10 * gib, nil, "warn disk_low"},
		{100 << 20, 100 * gib, nil, "fail disk_full"},
		{0, 0, errors.New("no"), "info disk_unknown"},
	} {
		d := Doctor{Folder: "x", Space: func(string) (uint64, uint64, error) { return tt.free, tt.total, tt.err }}
		wantFinding(t, fmt.Sprint(tt.free), d.disk(), tt.want)
	}
	d := Doctor{Keep: settings.DefaultRetention()}
	wantFinding(t, "another machine", d.disk(), "info disk_elsewhere")
	wantFinding(t, "as usual", d.retention(), "ok retention")
	wantFinding(t, "for ever", (&Doctor{}).retention(), "info retention_ever")
	wantFinding(t, "unknown", d.egress(), "info egress_unknown")
	d.Egress = []netip.Addr{netip.MustParseAddr("203.0.113.20")}
	wantFinding(t, "known", d.egress(), "info egress")
	if free, total, err := systemSpace(t.TempDir()); err == nil && (free == 0 || total < free) {
		t.Errorf("this disk has %d of %d free", free, total)
	}
	if Worst(nil) != OK || Worst([]Finding{{Level: Warn}, {Level: Fail}, {Level: Info}}) != Fail {
		t.Error("the worst of some findings is another")
	}
}

// A ward is a store with one merchant's things, or one that is away.
type ward struct {
	all    settings.All
	away   error
	flags  []settings.Flag // of a server that said at served that it runs
	served time.Time
}

func (w ward) Ready(context.Context) error            { return w.away }
func (w ward) Vitals(context.Context) (Vitals, error) { return Vitals{}, w.away }
func (w ward) Serving(context.Context) ([]settings.Flag, time.Time, error) {
	return w.flags, w.served, nil
}
func (w ward) Queue(context.Context, time.Time) (Queue, error) { return Queue{}, nil }
func (w ward) Clients(context.Context, int) ([]Client, error) {
	return nil, errors.New("no such table")
}
func (w ward) EndpointTries(context.Context, webhook.EndpointID) ([]webhook.Attempt, error) {
	return nil, nil
}

// states says of each channel of a scope that it waits.
func (w ward) states(_ context.Context, scope attention.Scope) (out []attention.ChannelState, err error) {
	for _, c := range w.all.Channels {
		if c.Merchant == scope.Merchant && c.Mode == scope.Mode {
			out = append(out, attention.ChannelState{Channel: c, Setup: attention.Waiting})
		}
	}
	return out, nil
}

func (w ward) Settings(context.Context) (settings.All, error) { return w.all, w.away }

// TestExamine goes once through everything, in the order of the subjects.
func TestExamine(t *testing.T) {
	t.Parallel()
	w := ward{all: settings.All{
		Merchants: []merchant.Merchant{{ID: "m"}},
		Channels: []merchant.Channel{
			{Key: "k1", Merchant: "m", Name: "라이브", Provider: "nice", Mode: merchant.Live},
			{Key: "k2", Merchant: "m", Name: "테스트", Provider: "kcp", Mode: merchant.Test},
			{Key: "k3", Merchant: "m", Name: "꺼짐", Provider: "kcp", Mode: merchant.Live, Disabled: true},
		},
		Endpoints: []webhook.Endpoint{{ID: "e", Name: "주문 서버"}},
	}}
	d := Doctor{Store: w, Channels: w.states, Providers: all.ByCode}
	list := d.Examine(t.Context())
	wantSaid(t, list...)
	var got []string
	for _, f := range list {
		got = append(got, string(f.Subject)+" "+string(f.Level))
	}
	want := "config ok, database ok, public_url warn, clients fail, channel warn, channel info, endpoint info, queue ok, disk info, retention info, senders ok, egress info"
	if s := strings.Join(got, ", "); s != want {
		t.Errorf("found %s\nwant  %s", s, want)
	}
	d.Store = ward{away: errors.New("disk full")}
	list = d.Examine(t.Context())
	wantSaid(t, list...)
	if len(list) != 6 || list[1].Level != Fail {
		t.Errorf("of a store that is away: %+v", list)
	}
}

// TestServing: what a running server was started with otherwise is told, and that of one
// that stopped is not.
func TestServing(t *testing.T) {
	t.Parallel()
	there := []settings.Flag{{Name: "public-url", Value: "https://pay.example.kr"}, {Name: "grace", Value: "20s"}}
	now := time.Now()
	for name, c := range map[string]struct {
		served time.Time
		here   string
		want   string
	}{
		"it has a public URL":   {now.Add(-time.Minute), "", "warn config_server"},
		"the same":              {now.Add(-time.Minute), "https://pay.example.kr", ""},
		"it stopped":            {now.Add(-time.Hour), "", ""},
		"there never was one":   {time.Time{}, "", ""},
		"a clock that is ahead": {now.Add(time.Minute), "", "warn config_server"},
	} {
		d := Doctor{Store: ward{flags: there, served: c.served}, Config: Config{Flags: []settings.Flag{{Name: "public-url", Value: c.here}, {Name: "grace", Value: "20s"}}}}
		got := d.serving(t.Context(), now)
		if c.want == "" {
			if len(got) != 0 {
				t.Errorf("%s: %+v", name, got)
			}
			continue
		}
		if len(got) != 1 {
			t.Fatalf("%s: %+v", name, got)
		}
		wantFinding(t, name, got[0], c.want)
		if s := words.Text(words.En, got[0].Key, got[0].Args...); !strings.Contains(s, "https://pay.example.kr") {
			t.Errorf("%s: %s", name, s)
		}
	}
}
