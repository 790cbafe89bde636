package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/simulator"
	"github.com/tongbo/tongbo/internal/store"
)

// oneOfEach are settings with a channel of each module, whose key is the module's code.
func oneOfEach() (s settings.All) {
	for _, p := range all.Providers() {
		mid := ""
		if mids := p.Info().TestMIDs; len(mids) > 0 {
			mid = mids[0].MID
		}
		s.Channels = append(s.Channels, merchant.Channel{Key: merchant.ChannelKey(p.Info().Code), Provider: p.Info().Code, Mode: merchant.Test, MID: mid})
	}
	return s
}

func seeded() *rand.Rand { return rand.New(rand.NewPCG(7, 11)) }

// An everywhere answers for the server that a traffic is about, in a bubble where no socket
// can be waited for: the API takes all, and notices are judged by their modules alone.
type everywhere struct {
	t  *testing.T
	mu sync.Mutex
	// secrets are those of orders; told how often each was told of.
	secrets map[string]secret.Text
	told    map[string]int
	begun   []time.Time
}

func (e *everywhere) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	w := httptest.NewRecorder()
	if rest, ok := strings.CutPrefix(r.URL.Path, "/payments/"); ok {
		id, verb, _ := strings.Cut(rest, "/")
		if verb == "virtual-account" {
			var in struct {
				Secret secret.Text `json:"pgSecret"`
			}
			if err := json.Unmarshal(body, &in); err != nil {
				e.t.Error(err)
			}
			e.secrets[id] = in.Secret
			e.begun = append(e.begun, time.Now())
		}
		_, _ = w.WriteString(`{"status":"VIRTUAL_ACCOUNT_ISSUED"}`)
		return w.Result(), nil
	}
	e.notice(w, r, body)
	return w.Result(), nil
}

func (e *everywhere) notice(w http.ResponseWriter, r *http.Request, body []byte) {
	for _, p := range all.Providers() {
		i := p.Info()
		path, ok := strings.CutSuffix(r.URL.Path, "/"+i.Code) // the key of its channel
		if !ok {
			continue
		}
		req := notice.Request{Method: r.Method, Path: path, Query: r.URL.RawQuery, Header: r.Header, Body: body}
		n, err := p.Decode(req)
		known := payment.Payment{Transactions: []payment.Transaction{{Order: n.Order, Secret: e.secrets[n.Order]}}}
		o := provider.Received
		if err != nil || r.Header.Get("X-Forwarded-For") != "" || e.secrets[n.Order] != "" && p.Verify(req, n, merchant.Channel{MID: n.Merchant}, known) != nil {
			o = provider.Refused
		}
		e.told[i.Code]++
		a := p.Ack(req, o)
		w.Header().Set("Content-Type", a.ContentType)
		w.WriteHeader(a.Status)
		_, _ = w.Write(a.Body)
		return
	}
	e.t.Errorf("%s is no channel's address", r.URL.Path)
}

// TestTrafficPace counts ten minutes of payments on a clock that is not waited for.
func TestTrafficPace(t *testing.T) {
	for _, rate := range []int{1, 40, 120} {
		synctest.Test(t, func(t *testing.T) {
			e := &everywhere{t: t, secrets: map[string]secret.Text{}, told: map[string]int{}}
			d := &demo{base: "http://demo.example", apiSecret: "s", client: &http.Client{Transport: e}}
			tr, err := newTraffic(d, oneOfEach(), rate, seeded())
			if err != nil {
				t.Fatal(err)
			}
			ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
			defer stop()
			began := time.Now()
			tr.run(ctx)
			if took := time.Since(began); took != 10*time.Minute {
				t.Errorf("%d a minute: it took %v", rate, took)
			}
			if n, want := tr.begun.Load(), int64(10*rate); n < want-want/20-3 || n > want+want/20+3 {
				t.Errorf("%d a minute: %d began in ten", rate, n)
			}
			if n, why := tr.failures(); n > 0 {
				t.Errorf("%d a minute: %d went wrong: %v", rate, n, why)
			}
			if rate < 40 {
				return
			}
			for _, p := range all.Providers() {
				if n, deaf := e.told[p.Info().Code], p.Info().Code == deafProvider; deaf != (n == 0) {
					t.Errorf("%d a minute: %s told %d notices", rate, p.Info().Code, n)
				}
			}
		})
	}
}

// TestTrafficStops ends a traffic whose customers are all in the middle of something.
func TestTrafficStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &everywhere{t: t, secrets: map[string]secret.Text{}, told: map[string]int{}}
		d := &demo{base: "http://demo.example", client: &http.Client{Transport: e}}
		tr, err := newTraffic(d, oneOfEach(), 60, seeded())
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(t.Context(), 15*time.Second)
		defer stop()
		began := time.Now()
		tr.run(ctx)
		if took := time.Since(began); took != 15*time.Second {
			t.Errorf("it ended after %v", took)
		}
		if n, why := tr.failures(); n > 0 {
			t.Errorf("being stopped is %d failures: %v", n, why)
		}
	})
}

// TestTrafficTellsOfFailures has a server that takes nothing.
func TestTrafficTellsOfFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &demo{base: "http://demo.example", client: &http.Client{Transport: down{}}}
		tr, err := newTraffic(d, oneOfEach(), 60, seeded())
		if err != nil {
			t.Fatal(err)
		}
		tr.most = 5
		tr.run(t.Context())
		if n, why := tr.failures(); n != 5 || why == nil || !strings.Contains(why.Error(), io.ErrUnexpectedEOF.Error()) {
			t.Errorf("%d failures, %v", n, why)
		}
	})
}

type down struct{}

func (down) RoundTrip(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

// TestDeck: something of everything at first, and then each kind by its share.
func TestDeck(t *testing.T) {
	t.Parallel()
	tr, err := newTraffic(&demo{}, oneOfEach(), 40, seeded())
	if err != nil {
		t.Fatal(err)
	}
	usual, sum := kinds()[0].name, 0
	first, later, want := map[string]int{}, map[string]int{}, map[string]int{}
	for range 2 * (len(kinds()) - 1) {
		first[tr.next().name]++
	}
	for range 200 {
		later[tr.next().name]++
	}
	for _, k := range kinds() {
		sum += k.share
		want[k.name] = 2 * k.share
		if n := first[k.name]; n != 1 && k.name != usual {
			t.Errorf("%s comes %d times at first", k.name, n)
		}
		fitting := 0
		for _, c := range tr.channels {
			if k.fits(c) {
				fitting++
			}
		}
		if fitting == 0 {
			t.Errorf("no channel can have a payment that is %s", k.name)
		}
	}
	if sum != 100 || first[usual] != len(kinds())-1 {
		t.Errorf("shares are %d in all; %d of the first are %s", sum, first[usual], usual)
	}
	if diff := cmp.Diff(want, later); diff != "" {
		t.Errorf("shares (-want +got):\n%s", diff)
	}
}

// TestTraffic lets customers that take no time pay at a real server.
func TestTraffic(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out bytes.Buffer
	d := &demo{env: Env{Stdout: &out, Stderr: &out}, apiSecret: demoAPISecret, client: simulator.NewClient()}
	stop, err := d.open(t.Context(), &demoCmd{Listen: "127.0.0.1:0"}, t.TempDir())
	defer stop()
	if err != nil {
		t.Fatal(err)
	}
	tr, err := d.bustle(t.Context(), mostRate)
	if err != nil {
		t.Fatal(err)
	}
	tr.most, tr.fast, tr.rate, tr.random = 60, 100, 1200, seeded()
	tr.run(t.Context())
	if n, why := tr.failures(); n > 0 || tr.begun.Load() != 60 {
		t.Fatalf("%d of %d went wrong: %v", n, tr.begun.Load(), why)
	}
	list, err := d.server.Store.Notices(t.Context(), store.NoticeQuery{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	verdicts, codes := map[payment.Verdict]int{}, map[string]bool{}
	for _, n := range list {
		verdicts[n.Verdict]++
		codes[n.Provider] = true
		if n.Channel == "" {
			t.Errorf("a notice of %s is nobody's", n.Provider)
		}
	}
	for _, v := range []payment.Verdict{payment.Applied, payment.Duplicate, payment.Conflict, payment.Unmatched, payment.Refused, payment.Unreadable} {
		if verdicts[v] == 0 {
			t.Errorf("no notice is %s: %v", v, verdicts)
		}
	}
	if verdicts[payment.Applied]*2 < len(list) {
		t.Errorf("%d of %d notices are applied, want most", verdicts[payment.Applied], len(list))
	}
	if codes[deafProvider] || len(codes) != len(all.Providers())-1 {
		t.Errorf("notices of %v", codes)
	}
	checked, err := d.server.Store.Verify(t.Context(), func(p store.Problem) { t.Error(p) })
	if err != nil || checked.Payments < 55 || checked.Deliveries < 100 {
		t.Errorf("Verify = %+v, %v", checked, err)
	}
	trafficStates(t, d)
}

// trafficStates asks the API in which states the payments are.
func trafficStates(t *testing.T, d *demo) {
	t.Helper()
	for _, state := range []payment.State{payment.Issued, payment.Paid, payment.PartiallyCancelled, payment.Cancelled, payment.Failed} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.base+"/payments", strings.NewReader(`{"filter":{"status":["`+string(state)+`"]}}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "PortOne "+d.apiSecret)
		resp, err := d.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Page struct {
				Total int `json:"totalCount"`
			} `json:"page"`
		}
		err = json.NewDecoder(resp.Body).Decode(&got)
		if _ = resp.Body.Close(); err != nil || got.Page.Total == 0 {
			t.Errorf("%s: %d payments, status %d, %v", state, got.Page.Total, resp.StatusCode, err)
		}
	}
}

// TestDemoFile: the demo has a channel of each module, and its traffic three endpoints.
func TestDemoFile(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	d := &demo{env: Env{Stdout: io.Discard, Stderr: io.Discard}, apiSecret: demoAPISecret, client: simulator.NewClient()}
	stop, err := d.open(t.Context(), &demoCmd{Listen: "127.0.0.1:0"}, t.TempDir())
	defer stop()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.bustle(t.Context(), 40); err != nil {
		t.Fatal(err)
	}
	s, err := d.server.Store.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, c := range s.Channels {
		seen[c.Provider]++
		if p, ok := all.ByCode(c.Provider); !ok || !provider.OnTrial(p, c) {
			t.Errorf("the PG of %s would be called for real", c.Name)
		}
	}
	for _, p := range all.Providers() {
		if seen[p.Info().Code] != 1 {
			t.Errorf("%d channels of %s", seen[p.Info().Code], p.Info().Code)
		}
	}
	if len(s.Channels) != len(all.Providers()) || len(s.Endpoints) != 3 {
		t.Errorf("%d channels, %d endpoints", len(s.Channels), len(s.Endpoints))
	}
}

// TestDemoRate refuses what is no rate, before anything is made.
func TestDemoRate(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for _, rate := range []string{"-1", "3001", "many"} {
		code, out, errs := run(t, "", "demo", "--rate="+rate)
		if code != exitUsage || out != "" || !strings.Contains(errs, "tongbo demo --help") {
			t.Errorf("%s: exit %d, %q %q", rate, code, out, errs)
		}
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}
