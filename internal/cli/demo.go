package cli

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/people"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/simulator"
	"github.com/tongbo/tongbo/internal/webhook"
)

//go:embed demo.toml
var demoSettings string

// The demo's keys are the same every time, so that its commands can be pasted.
const (
	demoStore     = "store-00000000-0000-4000-8000-000000000001"
	demoInicis    = "channel-key-00000000-0000-4000-8000-000000000001"
	demoKCP       = "channel-key-00000000-0000-4000-8000-000000000002"
	demoAPISecret = "demo-api-secret"
)

// A demoCmd plays the main job on a temporary database.
type demoCmd struct {
	Listen  string `help:"Address to listen on; a free port is taken if it is in use." default:"127.0.0.1:8080"`
	Once    bool   `help:"Play the story and end: 0 only if every step was seen."`
	Rate    int    `help:"Payments that begin in a minute once the story is told; 0 is none." default:"40" env:"TONGBO_DEMO_RATE" placeholder:"N"`
	Shop    bool   `help:"Open a sample shop, in which you buy something in the browser."`
	Lang    string `help:"ko or en; Korean unless the system's language (LC_ALL, LC_MESSAGES, LANG) is English." enum:",ko,en" default:""`
	Verbose bool   `help:"Show the server's log."`
}

// A demo is a story being told: a server, a shop that listens and one that
// stumbles, and a PG to play.
type demo struct {
	env       Env
	korean    bool
	base      string // the server's address
	apiSecret string
	shop      *simulator.Shop // listens
	stumbling *simulator.Shop // answers 500 twice first
	stumbleAt string          // its URL
	slow      *simulator.Shop // of the traffic, as broken is
	broken    *simulator.Shop
	slowAt    string
	brokenAt  string
	signing   secret.Text // what webhooks to all of them are signed with
	server    *server.Server
	key       *seal.Key
	client    *http.Client
	step      int
	at        time.Time   // when the story's deposits are made
	password  secret.Text // of demoOwner
	counter   *counter    // the sample shop; nil if it was not asked for
}

// demoTimeout bounds the story: every wait in it is short.
const demoTimeout = time.Minute

// Run plays the story, and then has customers pay until a signal comes.
func (c *demoCmd) Run(env Env) error {
	if c.Rate < 0 || c.Rate > mostRate {
		return hint(fault.Errorf(fault.Invalid, "--rate %d: want 0 to %d payments a minute", c.Rate, mostRate), "0 is no traffic. See: tongbo demo --help")
	}
	if c.Shop && c.Once {
		return hint(fault.Errorf(fault.Invalid, "--once ends before anybody could buy in the shop of --shop"), "Leave one of them out.")
	}
	ctx, cancel := env.context()
	defer cancel()
	if env.Signals != nil {
		// When a reader goes away, the story ends and its folder with it.
		signal.Ignore(syscall.SIGPIPE)
	}
	env.Stdout = lasting{env.Stdout, cancel}
	dir, err := os.MkdirTemp("", "tongbo-demo-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	d := &demo{env: env, korean: inKorean(c.Lang), apiSecret: demoAPISecret, client: simulator.NewClient()}
	stop, err := d.open(ctx, c, dir)
	if err != nil {
		return err
	}
	defer stop()
	story, done := context.WithTimeout(ctx, demoTimeout)
	defer done()
	err = d.tell(story)
	if ctx.Err() != nil {
		return errors.New("stopped before the story was told")
	}
	if err != nil {
		return fmt.Errorf("the story went wrong: %w", err)
	}
	if c.Once {
		d.tellNext("cli.demo.once")
		return nil
	}
	if err := d.owner(ctx); err != nil {
		return fmt.Errorf("let somebody into the console: %w", err)
	}
	return d.stay(ctx, c)
}

// stay keeps the server running until ctx ends, with traffic if there is to be any.
func (d *demo) stay(ctx context.Context, c *demoCmd) error {
	var t *traffic
	if c.Rate > 0 {
		var err error
		if t, err = d.bustle(ctx, c.Rate); err != nil {
			return fmt.Errorf("begin the traffic: %w", err)
		}
	}
	var wg sync.WaitGroup
	if c.Shop {
		var err error
		if d.counter, err = d.openCounter(ctx, &wg); err != nil {
			return fmt.Errorf("open the sample shop: %w", err)
		}
	}
	if d.invite(t); ctx.Err() != nil {
		wg.Wait()
		return nil
	}
	if t != nil {
		wg.Go(func() { t.run(ctx) })
	}
	d.follow(ctx, t, !c.Verbose)
	d.tellNext("cli.demo.ended")
	wg.Wait()
	return nil
}

// inKorean decides the language: as asked, else Korean unless the system
// speaks English.
func inKorean(asked string) bool {
	if asked != "" {
		return asked == "ko"
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return !strings.HasPrefix(v, "en")
		}
	}
	return true
}

// open starts the shops and the server.
func (d *demo) open(ctx context.Context, c *demoCmd, dir string) (stop func(), err error) {
	d.signing = webhook.NewSecret()
	d.shop = d.newShop(steadyManner())
	d.stumbling = d.newShop(nil)
	d.stumbling.Answers = []int{500, 500}
	d.slow, d.broken = d.newShop(slowManner()), d.newShop(brokenManner())
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	stop = func() { cancel(); wg.Wait() }
	shopAt := ""
	for shop, at := range map[*simulator.Shop]*string{d.shop: &shopAt, d.stumbling: &d.stumbleAt, d.slow: &d.slowAt, d.broken: &d.brokenAt} {
		if *at, err = serveShop(ctx, &wg, shop); err != nil {
			return stop, err
		}
	}
	l, err := d.listen(ctx, c.Listen)
	if err != nil {
		return stop, err
	}
	d.base = "http://" + clickable(l.Addr())
	log := slog.New(slog.DiscardHandler)
	if c.Verbose {
		log = slog.New(slog.NewTextHandler(d.env.Stderr, nil))
	}
	key := server.KeySource{Database: "sqlite:" + filepath.Join(dir, "demo.db")}
	d.server, err = server.Open(ctx, server.Config{Database: key.Database, Key: key, AllowPrivate: true, Log: log, Grace: time.Second,
		PublicURL: d.base, LoopbackConsole: true, TrustedProxies: provider.Loopback(), Keep: demoKeep,
	})
	if err != nil {
		return stop, err
	}
	if d.key, err = key.Load(log); err == nil {
		err = d.declare(ctx, demoSettings, "{{SHOP}}", shopAt, "{{API_SECRET}}", d.apiSecret)
	}
	if err != nil {
		return stop, errors.Join(err, d.server.Store.Close())
	}
	wg.Go(func() { _ = d.server.Serve(ctx, l) })
	return stop, nil
}

// demoKeep bounds the database of a demo that is left running.
var demoKeep = settings.Retention{Bodies: 1, History: 2, Payments: 7}

// newShop is a shop that checks signatures and then has a manner.
func (d *demo) newShop(m func(simulator.Call) simulator.Answer) *simulator.Shop {
	return &simulator.Shop{Secrets: []secret.Text{d.signing}, Manner: m}
}

// demoOwner is who may sign in to the console of a demo.
const demoOwner = "owner@example.kr"

// owner makes the one who may sign in to the console, with a password of this demo alone.
func (d *demo) owner(ctx context.Context) error {
	token, err := d.server.People.NewSetup(ctx)
	if err != nil {
		return err
	}
	d.password = secret.Text(rand.Text()[:16])
	_, err = d.server.People.SetUp(ctx, people.Setup{
		Token: token, Email: demoOwner, Name: "데모", Password: d.password, Merchant: "가나상점",
	}, people.From{})
	return err
}

// listen takes the wanted address, or a free port if somebody has it.
func (d *demo) listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", addr)
	if err == nil {
		return l, nil
	}
	err = fmt.Errorf("listen on %s: %w", addr, err)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return nil, hint(err, "Choose an address of this machine, such as --listen 127.0.0.1:8080")
	}
	host, port, splitErr := net.SplitHostPort(addr)
	if splitErr != nil {
		return nil, err
	}
	if l, err = lc.Listen(ctx, "tcp", net.JoinHostPort(host, "0")); err == nil {
		if at := l.Addr().String(); d.korean {
			fmt.Fprintf(d.env.Stdout, "포트 %s 사용 중이어서 %s 실행합니다.\n", subject(port), toward(at))
		} else {
			fmt.Fprintf(d.env.Stdout, "Port %s is taken; listening on %s instead.\n", port, at)
		}
	}
	return l, err
}

// serveShop serves a shop on a free port until ctx ends.
func serveShop(ctx context.Context, wg *sync.WaitGroup, shop *simulator.Shop) (url string, err error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	hs := &http.Server{Handler: shop, ReadHeaderTimeout: time.Second}
	wg.Go(func() { _ = hs.Serve(l) })
	context.AfterFunc(ctx, func() { _ = hs.Close() })
	return "http://" + l.Addr().String() + "/webhook", nil
}

// declare declares a file, in which names stand for values.
func (d *demo) declare(ctx context.Context, text string, values ...string) error {
	f, err := settings.Parse([]byte(strings.NewReplacer(append(values, "{{SECRET}}", d.signing.Reveal())...).Replace(text)))
	if err != nil {
		return err
	}
	_, err = declare(ctx, d.server.Store, d.key, byUser(), f)
	return err
}

// bustle declares what the traffic has beside the story, and returns the traffic.
func (d *demo) bustle(ctx context.Context, rate int) (*traffic, error) {
	if err := d.declare(ctx, demoTrafficSettings, "{{SLOW}}", d.slowAt, "{{BROKEN}}", d.brokenAt); err != nil {
		return nil, err
	}
	s, err := d.server.Store.Settings(ctx)
	if err != nil {
		return nil, err
	}
	return newTraffic(d, s, rate, newRandom())
}

// say prints a line in the story's language.
func (d *demo) say(ko, en string, args ...any) {
	text := en
	if d.korean {
		text = ko
	}
	fmt.Fprintf(d.env.Stdout, text+"\n", args...)
}

// chapter begins a step of the story.
func (d *demo) chapter(ko, en string) {
	d.step++
	title := en
	if d.korean {
		title = ko
	}
	bold, plain := "", ""
	if d.env.Colours {
		bold, plain = "\x1b[1m", "\x1b[0m"
	}
	fmt.Fprintf(d.env.Stdout, "\n%s%d. %s%s\n", bold, d.step, title, plain)
}
