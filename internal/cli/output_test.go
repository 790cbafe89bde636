package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/tongbo/tongbo/internal/server"
)

// talkedShop is a declaration with all that commands speak of.
const talkedShop = `
[[merchant]]
name = "가나상점"
[[merchant.store]]
name = "대표"
[[merchant.store.channel]]
key = "channel-key-00000000-0000-4000-8000-000000000001"
provider = "kcp"
mode = "test"
mid = "T0000"
[[merchant.store.endpoint]]
name = "운영"
url = %q
schedule = []
mode = "test"
[[merchant.store.api_secret]]
name = "server"
mode = "test"
secret = "the-talked-api-secret"
`

const talkedChannel = "channel-key-00000000-0000-4000-8000-000000000001"

// A talk is an installation that commands work on: a server on loopback whose database
// they open, and a shop that takes webhooks.
type talk struct {
	dir, database, url, shop string
}

func newTalk(t *testing.T) *talk {
	t.Helper()
	shop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(shop.Close)
	dir := t.TempDir()
	x := &talk{dir: dir, database: "sqlite:" + filepath.Join(dir, "t.db"), shop: shop.URL}
	x.write(t, "shop.toml", fmt.Sprintf(talkedShop, shop.URL))
	x.write(t, "accounts.csv", "paymentId,orderName,amount,bank,accountNumber\nimported-1,책,1000,SHINHAN,56211992494252\n")
	if code, _, errs := run(t, "", "apply", "--database", x.database, filepath.Join(dir, "shop.toml")); code != exitOK {
		t.Fatal(errs)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x.url = "http://" + l.Addr().String()
	s, err := server.Open(t.Context(), server.Config{
		Database: x.database, Key: server.KeySource{Database: x.database}, AllowPrivate: true, PublicURL: x.url, Log: slog.New(slog.DiscardHandler),
	})
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
	return x
}

func (x *talk) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(x.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A spoken is how a command writes.
type spoken struct {
	args string // split at blanks; DB, URL, SHOP, DIR and HUB are replaced
	// product says that what it prints without --json goes to standard output, piped too.
	product bool
	code    int
	// mute says that with --json there may be no object: nothing changed, nothing is wrong.
	mute bool
	// apart says why the command is not called here, and what looks at it instead.
	apart string
}

// spokenBy are all commands.
var spokenBy = map[string]spoken{
	"serve":             {product: true, apart: "runs until it is stopped: TestFirstRun and the scripts read where it listens"},
	"demo":              {product: true, apart: "TestDemo reads the story, which is all that it is for"},
	"apply":             {args: "--database DB DIR/shop.toml", product: true, mute: true}, // secrets among it are shown once
	"decode":            {args: "kcp DIR/notice", product: true},
	"simulate":          {args: "kcp deposited --to URL --order o-1"},
	"listen":            {args: "--server HUB --forward SHOP --secret hush", code: exitFailed},
	"trigger":           {args: "kcp deposit --server URL --secret the-talked-api-secret"},
	"notices":           {args: "--database DB", product: true},
	"tail":              {args: "--database DB"},
	"export":            {args: "payments --database DB --mode test", product: true},
	"replay notices":    {args: "--database DB"},
	"replay webhooks":   {args: "--database DB --endpoint 운영 --all"},
	"sweep":             {product: true, apart: "a list: TestSweepList"},
	"cancellation list": {product: true, apart: "a list: TestCancellation"},
	"cancellation end":  {apart: "wants the PG's answer to be lost: TestCancellation, TestCancellationReopened"},
	"admin owner":       {args: "you@example.kr --database DB", product: true}, // the link
	"verify":            {args: "--database DB", mute: true},
	"backup":            {args: "--database DB --force DIR/copy.db"},
	"import accounts":   {args: "--database DB --channel " + talkedChannel + " DIR/accounts.csv"},
	"move":              {apart: "wants PostgreSQL: test/scripts/move.txtar"},
	"providers":         {product: true},
	"channel guide":     {args: "kcp --public-url https://pay.example.kr --channel k", product: true},
	"channel test":      {args: talkedChannel + " --database DB --public-url URL --allow-private-webhooks"},
	"doctor":            {args: "--database DB --public-url URL --allow-private-webhooks"},
	"config show":       {args: "--database DB", product: true},
	"endpoint test":     {args: "SHOP --allow-private-webhooks"},
	"endpoint list":     {args: "--database DB", product: true},
	"endpoint pause":    {args: "운영 --database DB"},
	"endpoint resume":   {args: "운영 --database DB"},
	"endpoint rotate":   {args: "운영 --database DB", product: true}, // the secret
	"key":               {product: true},
	"version":           {product: true},
}

// TestWhereTextGoes calls every command piped, with --json and on a terminal: piped, text
// for people never reaches standard output, and with --json it has objects alone.
func TestWhereTextGoes(t *testing.T) {
	t.Parallel()
	x := newTalk(t)
	if code, _, errs := run(t, "", "trigger", "kcp", "deposit", "--server", x.url, "--secret", "the-talked-api-secret"); code != exitOK {
		t.Fatal(errs)
	}
	_, raw, _ := run(t, "", "simulate", "kcp", "deposited", "--raw")
	x.write(t, "notice", raw)
	h := newHub(t)
	for range 3 {
		h.parts = append(h.parts, []string{`{"kind":"ready"}`, h.item(t, "o-1", time.Now()), `{"kind":"end","reason":"taken"}`})
	}
	words := strings.NewReplacer("DB", x.database, "URL", x.url, "SHOP", x.shop, "DIR", x.dir, "HUB", h.URL)
	known := map[string]bool{}
	for _, c := range leaves(t) {
		known[c.name] = true
		row, ok := spokenBy[c.name]
		if !ok {
			t.Errorf("%s: a command without a row in spokenBy", c.name)
		}
		if !ok || row.apart != "" {
			continue
		}
		args := append(strings.Fields(c.name), strings.Fields(words.Replace(row.args))...)
		row.piped(t, args)
		if c.json {
			row.objects(t, append(args, "--json"))
		}
		if code, out, errs := watch(t, args...); code != row.code || out == "" {
			t.Errorf("%v on a terminal: exit %d, and standard output has %q\n%s", args, code, out, errs)
		}
	}
	for name := range spokenBy {
		if !known[name] {
			t.Errorf("%s is in spokenBy, and is no command", name)
		}
	}
}

// piped calls a command whose output leads elsewhere.
func (s spoken) piped(t *testing.T, args []string) {
	t.Helper()
	code, out, errs := run(t, "", args...)
	if code != s.code || (out != "") != s.product || !s.product && errs == "" {
		t.Errorf("%v piped: exit %d, standard output has %q, standard error %q", args, code, out, errs)
	}
}

// objects calls a command with --json, which a terminal changes nothing about.
func (s spoken) objects(t *testing.T, args []string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := Main(args, Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Terminal: true, Colours: true})
	if code != s.code {
		t.Errorf("%v: exit %d\n%s", args, code, errs.String())
	}
	for line := range strings.Lines(out.String()) {
		if err := json.Unmarshal([]byte(line), new(map[string]any)); err != nil || strings.Contains(line, "\x1b") {
			t.Errorf("%v: %q is no object", args, line)
		}
	}
	if out.Len() == 0 && !s.mute {
		t.Errorf("%v: no object\n%s", args, errs.String())
	}
}

// A leaf is a command that does something.
type leaf struct {
	name string
	json bool
}

// leaves lists the commands of the grammar.
func leaves(t *testing.T) (out []leaf) {
	t.Helper()
	k, err := kong.New(new(commands), grammar()...)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range k.Model.Leaves(false) {
		l := leaf{name: strings.TrimPrefix(n.FullPath(), "tongbo ")}
		for _, f := range n.Flags {
			l.json = l.json || f.Name == "json"
		}
		out = append(out, l)
	}
	return out
}
