package cli

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

func cutSQLite(database string) (file string, ok bool) { return strings.CutPrefix(database, "sqlite:") }

// A serveCmd takes notices, sends webhooks and answers the API.
type serveCmd struct {
	databaseFlags
	logFlags
	langFlag
	Listen               string        `help:"Address to listen on." default:":8080"`
	PublicURL            string        `help:"How PGs reach this server, such as https://pay.example.kr: told to those that take the address of notices with each order." env:"TONGBO_PUBLIC_URL" placeholder:"URL"`
	V1Listen             *string       `help:"Address to listen on for API V1; port 8081 beside --listen if left out, and none if empty." name:"v1-listen" env:"TONGBO_V1_LISTEN" placeholder:"ADDRESS"`
	ConsoleListen        string        `help:"Address to serve the console on, and nowhere else; left out, it is below /console of --listen." placeholder:"ADDRESS"`
	Egress               []netip.Addr  `help:"Addresses from which webhooks leave: shown to people as what shops must allow. --webhook-bind if left out." sep:"," placeholder:"IP"`
	TrustedProxies       []proxyBlock  `help:"Proxies whose X-Forwarded-For is believed: addresses or CIDR blocks." sep:"," placeholder:"CIDR"`
	WebhookBind          netip.Addr    `help:"Source address of webhooks, for shops that allow only one." placeholder:"IP"`
	AllowPrivateWebhooks bool          `help:"Let webhooks go to private and loopback addresses."`
	Drain                time.Duration `help:"When stopping, how long /readyz says so before the listener closes; 5s or so behind a load balancer." default:"0s"`
	Grace                time.Duration `help:"When stopping, how long webhooks in hand may take." default:"20s"`
	KeepBodies           int           `help:"Days to keep requests and answers as they came and went; 0 is for ever." default:"${bodies}" placeholder:"DAYS"`
	KeepHistory          int           `help:"Days to keep notices, events and tries of webhooks; 0 is for ever." default:"${history}" placeholder:"DAYS"`
	APIRate              int           `help:"Calls of the API that one API secret may make in a second on each node, in bursts four times that; 0 is without limit." default:"50" placeholder:"CALLS"`
	KeepPayments         int           `help:"Days to keep payments after their last change; 0 is for ever." default:"${payments}" placeholder:"DAYS"`
}

// Run serves until a signal comes.
func (c *serveCmd) Run(env Env, k *kong.Context) error {
	ctx, cancel := env.context()
	defer cancel()
	if err := c.keep().Check(); err != nil {
		return hint(err, "Change --keep-bodies, --keep-history or --keep-payments. See: tongbo serve --help")
	}
	if c.APIRate < 0 {
		return hint(fault.Errorf(fault.Invalid, "%d calls in a second are none", c.APIRate), "Change --api-rate: 0 is without limit")
	}
	base, err := c.base()
	if err != nil {
		return err
	}
	collectLess()
	log := c.logger(env.Stderr)
	l, err := listenOn(ctx, c.Listen, "--listen")
	if err != nil {
		return err
	}
	s, err := server.Open(ctx, server.Config{
		Database: c.Database, Key: c.key(), TrustedProxies: c.proxies(), AllowPrivate: c.AllowPrivateWebhooks,
		Bind: c.WebhookBind, Random: webhook.SystemRandom, Grace: c.Grace, Drain: c.Drain, Keep: c.keep(),
		APIRate: c.APIRate, PublicURL: base, Flags: serverFlags(k), Unknown: unknownNames(k), Log: log, Egress: c.egress(), LoopbackConsole: c.loopbackConsole(base),
	})
	if err != nil {
		_ = l.Close()
		if fault.Is(err, fault.Unavailable) {
			err = hint(err, "Is the database running, and may this user reach it?")
		}
		return c.keyHint(err)
	}
	if s.V1, err = c.listenV1(ctx, log); err != nil {
		return errors.Join(err, l.Close(), s.Store.Close())
	}
	if c.ConsoleListen != "" {
		if s.Console, err = listenOn(ctx, c.ConsoleListen, "--console-listen"); err != nil {
			return errors.Join(err, closeAll(l, s.V1), s.Store.Close())
		}
	}
	if err := c.banner(ctx, env.Stdout, s, l); err != nil {
		return errors.Join(err, closeAll(l, s.V1, s.Console), s.Store.Close())
	}
	log.Info("serving", "listen", l.Addr().String())
	err = s.Serve(ctx, l)
	log.Info("stopped")
	return err
}

// collectLess has garbage collected at a third of the usual rate, unless GOGC
// says otherwise: the collector took a seventh of a busy server's processors to
// keep a heap of a few megabytes small.
func collectLess() {
	if usual := debug.SetGCPercent(300); usual != 100 {
		debug.SetGCPercent(usual)
	}
}

// clickable is an address that a browser on this machine opens: where a server
// listens on all of them, the loopback one.
func clickable(a net.Addr) string {
	if t, ok := a.(*net.TCPAddr); ok && t.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(t.Port))
	}
	return a.String()
}

// A proxyBlock is a flag that names one address or a block of them.
type proxyBlock struct{ netip.Prefix }

// UnmarshalText reads an address or a CIDR block.
func (p *proxyBlock) UnmarshalText(text []byte) error {
	if a, err := netip.ParseAddr(string(text)); err == nil {
		p.Prefix = netip.PrefixFrom(a, a.BitLen())
		return nil
	}
	block, err := netip.ParsePrefix(string(text))
	if err != nil {
		return fmt.Errorf("%q is no address or block such as 10.0.0.0/8", text)
	}
	p.Prefix = block
	return nil
}

func (c *serveCmd) proxies() []netip.Prefix {
	out := make([]netip.Prefix, len(c.TrustedProxies))
	for i, p := range c.TrustedProxies {
		out[i] = p.Prefix
	}
	return out
}

func (c *serveCmd) keep() settings.Retention {
	return settings.Retention{Bodies: c.KeepBodies, History: c.KeepHistory, Payments: c.KeepPayments}
}

// egress are the addresses that webhooks come from, as far as anybody said.
func (c *serveCmd) egress() []netip.Addr {
	if len(c.Egress) == 0 && c.WebhookBind.IsValid() {
		return []netip.Addr{c.WebhookBind}
	}
	return c.Egress
}

// base is PublicURL as addresses of notices begin; empty if there is none.
func (c *serveCmd) base() (string, error) {
	if c.PublicURL == "" {
		return "", nil
	}
	return publicBase(c.PublicURL)
}
