package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
)

// served applies the shop's file and serves its database on loopback. It returns
// the database's flag, the server's address and the settings.
func served(t *testing.T) (database, url string, now settings.All) {
	t.Helper()
	file, database := shopFile(t)
	if code, _, errs := run(t, "", "apply", database, file); code != exitOK {
		t.Fatal(errs)
	}
	name := strings.TrimPrefix(database, "--database=")
	key, err := seal.LoadFile(filepath.Join(filepath.Dir(file), "t.db.key"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Open(t.Context(), server.Config{Database: name, Key: server.KeySource{Database: name, Text: key.Text()}, AllowPrivate: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if now, err = s.Store.Settings(t.Context()); err != nil {
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
	return database, "http://" + l.Addr().String(), now
}

// TestChannelTest sends test notices beside a server on the same database.
func TestChannelTest(t *testing.T) {
	t.Parallel()
	database, url, now := served(t)
	for _, ch := range now.Channels {
		args := []string{"channel", "test", string(ch.Key), database, "--public-url=" + url, "--allow-private-webhooks", "--lang=en", "--notice-only"}
		code, out, errs := watch(t, args...)
		if code != exitOK || errs != "" || !strings.Contains(out, "Byte for byte what the PG waits for") || !strings.Contains(out, " ms ") ||
			!strings.HasSuffix(out, "No request from the PG's address yet.\n") {
			t.Errorf("%s: exit %d %s\n%s", ch.Key, code, errs, out)
		}
		if ch.Token != "" && strings.Contains(out, ch.Token) {
			t.Errorf("the path's token is printed:\n%s", out)
		}
		code, out, _ = watch(t, append(args, "--json")...)
		lines := bufio.NewScanner(strings.NewReader(out))
		var n int
		var last map[string]any
		for lines.Scan() {
			last = nil
			if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
				t.Fatalf("%v: %s", err, lines.Text())
			}
			n++
		}
		if code != exitOK || n != 10 || last["good"] != true || last["notice"] == "" || last["needed"] != last["got"] {
			t.Errorf("--json: exit %d, %d lines, at the end %v", code, n, last)
		}
	}
}

func TestChannelTestFails(t *testing.T) {
	t.Parallel()
	database, url, now := served(t)
	key := string(now.Channels[0].Key)
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"a private address":  {[]string{key, database, "--public-url=" + url, "--lang=ko"}, exitProblems, "내부 주소"},
		"no public URL":      {[]string{key, database}, exitUsage, "--public-url"},
		"no such channel":    {[]string{"channel-key-x", database, "--public-url=" + url}, exitFailed, "there is no channel"},
		"no database":        {[]string{key, "--database=sqlite:nothing.db", "--public-url=" + url}, exitFailed, "there is no database"},
		"no such payment":    {[]string{key, database, "--public-url=" + url, "--payment=nobody"}, exitFailed, "payment"},
		"a URL with a path":  {[]string{key, database, "--public-url=" + url + "/tongbo"}, exitUsage, "has a path"},
		"nobody at that URL": {[]string{key, database, "--public-url=https://nobody.invalid", "--lang=en"}, exitProblems, "nobody.invalid"},
	} {
		code, out, errs := run(t, "", append([]string{"channel", "test"}, tt.args...)...)
		if code != tt.code || !strings.Contains(out+errs, tt.want) {
			t.Errorf("%s: exit %d, want %d with %q\n%s%s", name, code, tt.code, tt.want, out, errs)
		}
	}
}

// TestChannelPath goes the whole path of a test channel beside a server on the same database.
func TestChannelPath(t *testing.T) {
	t.Parallel()
	database, url, now := served(t)
	var status atomic.Int64
	status.Store(http.StatusOK)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) }))
	t.Cleanup(shop.Close)
	file := filepath.Join(t.TempDir(), "more.toml")
	key := "channel-key-" + uuid.NewString()
	store := now.Stores[0]
	more := fmt.Sprintf("[[merchant]]\nid = %q\n[[merchant.store]]\nid = %q\n[[merchant.store.channel]]\nkey = %q\nprovider = \"kicc\"\nmode = \"test\"\nmid = \"T5102001\"\n"+
		"[[merchant.store.endpoint]]\nname = \"경로 시험\"\nurl = %q\nmode = \"test\"\nevents = [\"*\"]\n", store.Merchant, store.ID, key, shop.URL)
	if err := os.WriteFile(file, []byte(more), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := run(t, "", "apply", database, file); code != exitOK {
		t.Fatal(errs)
	}
	for _, ep := range now.Endpoints { // others' shops are not there
		if ep.Mode == merchant.Test {
			t.Fatalf("the shop's file has a test endpoint already: %s", ep.Name)
		}
	}
	args := []string{"channel", "test", key, database, "--public-url=" + url, "--allow-private-webhooks", "--lang=en"}
	code, out, errs := watch(t, args...)
	if code != exitOK || errs != "" || !strings.Contains(out, "경로 시험") || !strings.Contains(out, "Read by the API it is paid") || !strings.Contains(out, "It went the whole way") {
		t.Errorf("exit %d %s\n%s", code, errs, out)
	}
	status.Store(http.StatusInternalServerError)
	code, out, _ = watch(t, append(args, "--json")...)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var last map[string]any
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil {
		t.Fatal(err)
	}
	if code != exitProblems || last["good"] != false || !strings.Contains(out, `"finding":"calltest.status"`) || len(lines) < 12 {
		t.Errorf("--json: exit %d, %v\n%s", code, last, out)
	}
	if _, _, errs := watch(t, append(slices.Clone(args[:len(args)-1]), "--lang=ko")...); !strings.HasSuffix(errs, "tongbo: 이 채널의 결제는 끝까지 가지 못해요\n") {
		t.Errorf("in Korean it ends with %q", errs)
	}
	gone := append(slices.Clone(args[:len(args)-3]), "--public-url=http://127.0.0.1:1", "--allow-private-webhooks", "--lang=en")
	if code, out, _ := watch(t, gone...); code != exitAway {
		t.Errorf("nobody at the URL: exit %d, want %d\n%s", code, exitAway, out)
	}
	private := slices.DeleteFunc(slices.Clone(args), func(s string) bool { return s == "--allow-private-webhooks" })
	if code, out, errs := watch(t, private...); code != exitAway || !strings.Contains(errs, "add --allow-private-webhooks") || strings.Contains(errs, "nobody answers") {
		t.Errorf("a private URL: exit %d, want %d with how it is allowed\n%s%s", code, exitAway, errs, out)
	}
}

// TestGuideOfChannel takes module, key and token from the database.
func TestGuideOfChannel(t *testing.T) {
	t.Parallel()
	file, database := shopFile(t)
	if code, _, errs := run(t, "", "apply", database, file); code != exitOK {
		t.Fatal(errs)
	}
	key, err := seal.LoadFile(filepath.Join(filepath.Dir(file), "t.db.key"))
	if err != nil {
		t.Fatal(err)
	}
	st, end, err := store.OpenReadOnly(t.Context(), strings.TrimPrefix(database, "--database="), store.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = end() }()
	now, err := st.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ch := now.Channels[0]
	code, out, errs := run(t, "", "channel", "guide", string(ch.Key), database, "--public-url=https://pay.example.kr", "--lang=ko")
	if code != exitOK || errs != "" || !strings.Contains(out, "/"+string(ch.Key)) || !strings.Contains(out, "가이드 확인일") || !strings.Contains(out, ch.Token) {
		t.Errorf("exit %d %s\n%s", code, errs, out)
	}
	for _, args := range [][]string{{"channel-key-x", database}, {string(ch.Key), database, "--token=abcdefghijklmnopqrstuv"}} {
		if code, _, _ := run(t, "", append([]string{"channel", "guide"}, args...)...); code == exitOK {
			t.Errorf("%v: exit 0", args)
		}
	}
}
