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

	"github.com/tongbo/tongbo/internal/people"
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
	server    *server.Server
	client    *http.Client
	step      int
	at        time.Time   // when the story's deposits are made
	password  secret.Text // of demoOwner
}

// demoTimeout bounds the story: every wait in it is short.
const demoTimeout = time.Minute

// Run plays the story, and then stays until a signal comes.
func (c *demoCmd) Run(env Env) error {
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
		return nil
	}
	if err := d.owner(ctx); err != nil {
		return fmt.Errorf("let somebody into the console: %w", err)
	}
	if d.invite(); ctx.Err() != nil {
		return nil
	}
	d.follow(ctx)
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
	signing := webhook.NewSecret()
	d.shop = &simulator.Shop{Secrets: []secret.Text{signing}}
	d.stumbling = &simulator.Shop{Secrets: []secret.Text{signing}, Answers: []int{500, 500}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	stop = func() { cancel(); wg.Wait() }
	shopAt, err := serveShop(ctx, &wg, d.shop)
	if err != nil {
		return stop, err
	}
	if d.stumbleAt, err = serveShop(ctx, &wg, d.stumbling); err != nil {
		return stop, err
	}
	l, err := d.listen(ctx, c.Listen)
	if err != nil {
		return stop, err
	}
	d.base = "http://" + l.Addr().String()
	log := slog.New(slog.DiscardHandler)
	if c.Verbose {
		log = slog.New(slog.NewTextHandler(d.env.Stderr, nil))
	}
	key := server.KeySource{Database: "sqlite:" + filepath.Join(dir, "demo.db")}
	d.server, err = server.Open(ctx, server.Config{Database: key.Database, Key: key, AllowPrivate: true, Log: log, Grace: time.Second,
		PublicURL: d.base, LoopbackConsole: true,
	})
	if err != nil {
		return stop, err
	}
	if err := d.declare(ctx, log, key, shopAt, signing); err != nil {
		return stop, errors.Join(err, d.server.Store.Close())
	}
	wg.Go(func() { _ = d.server.Serve(ctx, l) })
	return stop, nil
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

func (d *demo) declare(ctx context.Context, log *slog.Logger, key server.KeySource, shop string, signing secret.Text) error {
	text := strings.NewReplacer("{{SHOP}}", shop, "{{SECRET}}", signing.Reveal(), "{{API_SECRET}}", d.apiSecret).Replace(demoSettings)
	f, err := settings.Parse([]byte(text))
	if err != nil {
		return err
	}
	k, err := key.Load(log)
	if err != nil {
		return err
	}
	_, err = declare(ctx, d.server.Store, k, byUser(), f)
	return err
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

// invite prints what to paste next.
func (d *demo) invite() {
	d.say("\n콘솔을 브라우저에서 열어 보세요. 방금 일어난 일이 모두 있습니다:", "\nOpen the console in a browser. All that just happened is there:")
	fmt.Fprintf(d.env.Stdout, "%s/console/   %s   %s\n", d.base, demoOwner, d.password.Reveal())
	d.say("\n서버가 계속 실행 중입니다. 다른 터미널에 붙여 넣어 보세요 (끝내려면 Ctrl-C):",
		"\nStill listening. Paste these into another terminal (Ctrl-C to stop):")
	d.say("\n# 계좌 등록", "\n# register an account")
	fmt.Fprintf(d.env.Stdout, `curl -s %s/payments/order-9/virtual-account -H 'Authorization: PortOne %s' \
  -d '{"channelKey":"%s","orderName":"배 1상자","amount":{"total":25000},"currency":"KRW","virtualAccount":{"bank":"SHINHAN","accountNumber":"T9000000000001"}}'; echo
`, d.base, d.apiSecret, demoKCP)
	d.say("\n# KCP가 보내는 입금통보", "\n# the deposit notice that KCP would send")
	fmt.Fprintf(d.env.Stdout, `curl -s %s/kcp-v2 \
  -d 'site_cd=T0000&tno=20261121000009&order_no=order-9&tx_cd=TX00&tx_tm=%s&ipgm_name=홍길동&remitter=홍길동&ipgm_mnyx=25000&ipgm_time=%[2]s&bank_code=BK88&account=T9000000000001&noti_id=20261121000000000009&op_cd=50'; echo
`, d.base, time.Now().UTC().Add(9*time.Hour).Format("20060102150405"))
	d.say("\n# 결제 조회", "\n# look at the payment")
	fmt.Fprintf(d.env.Stdout, "curl -s %s/payments/order-9 -H 'Authorization: PortOne %s'; echo\n\n", d.base, d.apiSecret)
}
