package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestEndpointTest(t *testing.T) {
	t.Parallel()
	var status atomic.Int64
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header["Webhook-Signature"] == nil {
			t.Error("the call is not signed")
		}
		w.Header().Set("X-Shop", "a\u202eb")
		w.WriteHeader(int(status.Load()))
		_, _ = io.WriteString(w, "seen \x1b[2J it")
	}))
	t.Cleanup(shop.Close)
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	_ = l.Close()
	for _, x := range []struct {
		name   string
		status int
		args   []string
		code   int
		text   string
	}{
		{"taken", 200, []string{shop.URL, "--allow-private-webhooks"}, exitOK, "accepted it"},
		{"in Korean", 200, []string{shop.URL, "--allow-private-webhooks", "--lang=ko"}, exitOK, "잘 받았어요"},
		{"as a form", 200, []string{shop.URL, "--allow-private-webhooks", "--version=v1", "--form"}, exitOK, "accepted it"},
		{"not found", 404, []string{shop.URL, "--allow-private-webhooks"}, exitProblems, "404: check the path"},
		{"nobody listens", 200, []string{closed, "--allow-private-webhooks"}, exitAway, "is closed"},
		{"a private address", 200, []string{shop.URL}, exitProblems, "tongbo listen"},
		{"no address", 200, []string{"shop"}, exitUsage, "not a URL"},
		{"an event that the version lacks", 200, []string{shop.URL, "--version=v1", "--event=Transaction.Failed"}, exitUsage, "no payload"},
		{"a secret that is none", 200, []string{shop.URL, "--secret=x*"}, exitUsage, "whsec_"},
		{"for too long", 200, []string{shop.URL, "--timeout=2h"}, exitUsage, "1m"},
	} {
		status.Store(int64(x.status))
		code, out, errs := run(t, "", append([]string{"endpoint", "test", "--lang=en"}, x.args...)...)
		if code != x.code || !strings.Contains(out+errs, x.text) {
			t.Errorf("%s: exit %d, want %d and %q\n%s\n%s", x.name, code, x.code, x.text, out, errs)
		}
		if strings.ContainsAny(out+errs, "\x1b\u202e") {
			t.Errorf("%s: what the shop said moves the cursor: %q", x.name, out+errs)
		}
	}
	status.Store(302)
	code, out, _ := run(t, "", "endpoint", "test", shop.URL, "--allow-private-webhooks", "--json", "--lang=en")
	var got testedEndpoint
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitProblems || got.Status != 302 || got.OK || got.Finding != "status" || got.Peer == "" || got.TookMS <= 0 {
		t.Errorf("exit %d, %v: %+v", code, err, got)
	}
}

// receiving declares a shop whose endpoint is at a URL, and returns the flag of its
// database and what may be done to it.
func receiving(t *testing.T, url string) (database string, dir string) {
	t.Helper()
	dir = t.TempDir()
	file := filepath.Join(dir, "shop.toml")
	text := fmt.Sprintf(kiccShop+"\n[[merchant.store.endpoint]]\nname = \"운영\"\nurl = %q\nschedule = []\nmode = \"test\"\n", url)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	database = "--database=sqlite:" + filepath.Join(dir, "t.db")
	if code, _, errs := run(t, "", "apply", database, file); code != exitOK {
		t.Fatal(errs)
	}
	return database, dir
}

// The value of an endpoint's header is in no output, and in no copy of the database.
func TestEndpointHeaders(t *testing.T) {
	t.Parallel()
	var got string
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = r.Header.Get("Authorization") }))
	t.Cleanup(shop.Close)
	database, dir := receiving(t, "https://shop.example/hook")
	file, copied := filepath.Join(dir, "more.toml"), filepath.Join(dir, "copy.db")
	text := kiccShop + "\n[[merchant.store.endpoint]]\nname = \"운영\"\nmode = \"test\"\ntimeout = \"7s\"\nheaders = { Authorization = \"Bearer opensesame-0123\" }\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, args := range [][]string{
		{"apply", database, file}, {"endpoint", "list", database, "--json"}, {"endpoint", "list", database}, {"config", "show", database},
		{"endpoint", "pause", "운영", database, "--json"}, {"backup", database, copied},
		{"endpoint", "test", shop.URL, "--allow-private-webhooks", "--json", "--header=Authorization: Bearer opensesame-0123"},
	} {
		code, out, errs := run(t, "", args...)
		if code != exitOK {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
		all.WriteString(out + errs)
	}
	for _, want := range []string{`"headers":[{"name":"Authorization","value":"••••0123"}]`, `"timeoutSeconds":7`, "7s  ", "authorization: ••••0123"} {
		if !strings.Contains(all.String(), want) {
			t.Errorf("nothing printed %s:\n%s", want, all.String())
		}
	}
	b, err := os.ReadFile(copied)
	if err != nil || len(b) == 0 || strings.Contains(string(b), "sesame") || strings.Contains(all.String(), "sesame") {
		t.Errorf("the value is in the copy (%d bytes, %v), or was printed", len(b), err)
	}
	if got != "Bearer opensesame-0123" {
		t.Errorf("the receiver of the call got %q", got)
	}
	if code, _, errs := run(t, "", "endpoint", "test", shop.URL, "--allow-private-webhooks", "--header=Host: evil.example"); code != exitUsage && code != exitFailed || strings.Contains(errs, "evil") {
		t.Errorf("a header that is not the endpoint's to set: exit %d, %s", code, errs)
	}
}

func TestEndpointCommands(t *testing.T) {
	t.Parallel()
	database, _ := receiving(t, "https://shop.example/hook")
	list := func() listedEndpoint {
		t.Helper()
		code, out, errs := watch(t, "endpoint", "list", database, "--json")
		var e listedEndpoint
		if err := json.Unmarshal([]byte(out), &e); err != nil || code != exitOK {
			t.Fatal(code, err, out, errs)
		}
		return e
	}
	first := list()
	if first.Name != "운영" || first.Health != webhook.HealthNew || first.Secret != "" || first.OldSecretUntil != nil {
		t.Errorf("listed %+v", first)
	}
	if code, out, _ := watch(t, "endpoint", "list", database, "--lang=ko"); code != exitOK || !strings.Contains(out, "아직 보낸 적 없음") || !strings.Contains(out, "https://shop.example/hook") {
		t.Errorf("exit %d:\n%s", code, out)
	}
	for _, x := range []struct {
		args   []string
		text   string
		paused bool
		health webhook.Health
	}{
		{[]string{"pause", "운영", "--reason=배포"}, "is paused. Webhooks are held", true, webhook.HealthPaused},
		{[]string{"pause", string(first.ID)}, "paused already", true, webhook.HealthPaused},
		{[]string{"resume", "운영"}, "goes on", false, webhook.HealthNew},
		{[]string{"resume", "운영"}, "is not paused", false, webhook.HealthNew},
	} {
		code, out, errs := watch(t, append(append([]string{"endpoint"}, x.args...), database, "--lang=en")...)
		if e := list(); code != exitOK || !strings.Contains(out, x.text) || e.Paused != x.paused || e.Health != x.health {
			t.Errorf("%v: exit %d, %s%s, %+v", x.args, code, out, errs, e)
		}
	}
	code, out, _ := watch(t, "endpoint", "rotate", "운영", database, "--lang=en")
	if e := list(); code != exitOK || !strings.Contains(out, "whsec_") || !strings.Contains(out, "shown this once") || e.OldSecretUntil == nil {
		t.Errorf("rotate: exit %d, %s, %+v", code, out, e)
	}
	if code, out, _ = watch(t, "endpoint", "rotate", "운영", database, "--end-overlap", "--lang=en"); code != exitOK || strings.Contains(out, "whsec_") || list().OldSecretUntil != nil {
		t.Errorf("end the overlap: exit %d, %s", code, out)
	}
	if code, out, _ = watch(t, "endpoint", "rotate", "운영", database, "--overlap=0s", "--json"); code != exitOK || !strings.Contains(out, `"secret":"whsec_`) {
		t.Errorf("rotate at once: exit %d, %s", code, out)
	}
	for _, x := range []struct {
		args []string
		code int
	}{
		{[]string{"endpoint", "pause", "없음"}, exitFailed},
		{[]string{"endpoint", "rotate", "운영", "--end-overlap"}, exitFailed},
		{[]string{"endpoint", "rotate", "운영", "--overlap=9000h"}, exitUsage},
		{[]string{"replay", "webhooks", "--endpoint=없음"}, exitFailed},
		{[]string{"replay", "webhooks"}, exitUsage},
		{[]string{"replay", "webhooks", "--endpoint=운영", "--failed", "--all"}, exitUsage},
		{[]string{"replay", "webhooks", "--endpoint=운영", "--since=neulich"}, exitUsage},
		{[]string{"replay", "webhooks", "--endpoint=운영", "--type=Transaction.Stolen"}, exitUsage},
	} {
		if code, out, errs := watch(t, append(x.args, database)...); code != x.code || errs == "" {
			t.Errorf("%v: exit %d, want %d: %s%s", x.args, code, x.code, out, errs)
		}
	}
	if code, _, errs := watch(t, "replay", "webhooks", "--endpoint=운영", database, "--lang=en"); code != exitOK || !strings.Contains(errs, "nothing to send") {
		t.Errorf("nothing to send: exit %d, %s", code, errs)
	}
}

// TestReplayWebhooks has a shop miss three webhooks, and sends them again beside the
// server.
func TestReplayWebhooks(t *testing.T) {
	t.Parallel()
	const many = 3
	var status atomic.Int64
	status.Store(500)
	heard := make(chan string, 4*many)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(int(status.Load()))
		heard <- r.Header.Get(webhook.HeaderID)
	}))
	t.Cleanup(shop.Close)
	database, dir := receiving(t, shop.URL)
	key, err := seal.LoadFile(filepath.Join(dir, "t.db.key"))
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(database, "--database=")
	s, err := server.Open(t.Context(), server.Config{
		Database: name, Key: server.KeySource{Database: name, Text: key.Text()}, AllowPrivate: true, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Serve(ctx, l); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { stop(); wg.Wait() })
	now, err := s.Store.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ch := now.Channels[0]
	for i := range many {
		if _, _, err := server.Verbs(s.Store, quiet()).RegisterAccount(t.Context(), action.Caller{Merchant: ch.Merchant, Store: ch.Store, Mode: merchant.Test}, payment.Registration{
			ID: payment.ID(fmt.Sprint("order-", i)), Channel: ch.Key, OrderName: "책", Amount: payment.Won(1000), PGTx: fmt.Sprint("2511050920001000000", i),
			Account: payment.Account{Bank: "IBK", Number: secret.Account(fmt.Sprint("123-456", i))},
		}); err != nil {
			t.Fatal(err)
		}
	}
	before := map[string]bool{}
	for range many {
		before[<-heard] = true
	}
	failed := func() bool {
		code, out, _ := watch(t, "replay", "webhooks", "--endpoint=운영", "--failed", database, "--json")
		return code == exitOK && strings.Contains(out, fmt.Sprintf(`"count":%d`, many))
	}
	for !failed() { // until the last outcome is written
		if t.Context().Err() != nil {
			t.Fatal("the outcomes are not written")
		}
	}
	if code, out, _ := watch(t, "replay", "webhooks", "--endpoint=운영", database, "--lang=en"); code != exitOK || !strings.Contains(out, "3 deliveries") || !strings.Contains(out, "--yes") {
		t.Errorf("a dry run: exit %d, %s", code, out)
	}
	status.Store(200)
	code, out, errs := watch(t, "replay", "webhooks", "--endpoint=운영", "--never-received", "--yes", database, "--json")
	var r resendReport
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != exitOK || r.State != webhook.ResendDone || r.OK != many || r.Failed+r.Left != 0 {
		t.Errorf("exit %d, %+v, %v: %s", code, r, err, errs)
	}
	for range many {
		if id := <-heard; !before[id] {
			t.Errorf("%s was sent, which was not before", id)
		}
	}
	status.Store(503)
	if code, out, errs = watch(t, "replay", "webhooks", "--endpoint=운영", "--all", "--yes", database, "--lang=en"); code != exitProblems || !strings.Contains(out, "0 ok, 3 failed") {
		t.Errorf("a shop that is still down: exit %d, %s%s", code, out, errs)
	}
}
