package cli

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/webhook"
)

func cutSQLite(database string) (file string, ok bool) { return strings.CutPrefix(database, "sqlite:") }

// A serveCmd takes notices, sends webhooks and answers the API.
type serveCmd struct {
	databaseFlags
	logFlags
	Listen               string         `help:"Address to listen on." default:":8080"`
	PublicURL            string         `help:"How PGs reach this server, for guides. Example: https://pay.example.kr" env:"TONGBO_PUBLIC_URL"`
	TrustedProxies       []netip.Prefix `help:"Proxies whose X-Forwarded-For is believed, as CIDR blocks." sep:"," placeholder:"CIDR"`
	WebhookBind          netip.Addr     `help:"Source address of webhooks, for shops that allow only one." placeholder:"IP"`
	AllowPrivateWebhooks bool           `help:"Let webhooks go to private and loopback addresses."`
	Grace                time.Duration  `help:"How long tries in hand may take when stopping." default:"20s"`
}

// Run serves until a signal comes.
func (c *serveCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	log := c.logger(env.Stderr)
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		err = fmt.Errorf("listen on %s: %w", c.Listen, err)
		if errors.Is(err, syscall.EADDRINUSE) {
			return hint(err, "Another program has this port. Choose one with --listen, for example --listen :8090")
		}
		return err
	}
	s, err := server.Open(ctx, server.Config{
		Database: c.Database, Key: c.key(), TrustedProxies: c.TrustedProxies, AllowPrivate: c.AllowPrivateWebhooks,
		Bind: c.WebhookBind, Random: webhook.SystemRandom, Grace: c.Grace, Log: log,
	})
	if err != nil {
		_ = l.Close()
		if fault.Is(err, fault.Unavailable) {
			err = hint(err, "Is the database running, and may this user reach it?")
		}
		return err
	}
	fmt.Fprintf(env.Stdout, "  ingress   http://%s/%s\n  api       http://%s/payments/{paymentId}\n  store     %s\n",
		l.Addr(), c.public(), l.Addr(), c.shownDatabase())
	log.Info("serving", "listen", l.Addr().String())
	err = s.Serve(ctx, l)
	log.Info("stopped")
	return err
}

func (c *serveCmd) public() string {
	if c.PublicURL == "" {
		return ""
	}
	return "   public " + c.PublicURL
}

// shownDatabase is the database without its password.
func (c *serveCmd) shownDatabase() string {
	if at := strings.LastIndex(c.Database, "@"); at >= 0 && strings.Contains(c.Database, "://") {
		return c.Database[:strings.Index(c.Database, "://")+3] + "…" + c.Database[at:]
	}
	return c.Database
}
