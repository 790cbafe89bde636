package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"github.com/tongbo/tongbo/internal/server"
)

// loopbackConsole reports whether the console can be reached from this machine alone: it
// listens on a loopback address, and no public address leads there.
func (c *serveCmd) loopbackConsole(base string) bool {
	listen := c.ConsoleListen
	if listen == "" {
		listen = c.Listen
		if u, err := url.Parse(base); base != "" && (err != nil || !isLoopback(u.Hostname())) {
			return false
		}
	}
	host, _, err := net.SplitHostPort(listen)
	return err == nil && isLoopback(host)
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && a.IsLoopback()
}

// invite prints where the console is; while it has no members, the one-time address by
// which the first one is made.
func invite(ctx context.Context, say func(key string, args ...any), s *server.Server, l net.Listener) error {
	if s.Console != nil {
		l = s.Console
	}
	at := "http://" + clickable(l.Addr()) + "/console/"
	token, err := s.People.NewSetup(ctx)
	if err != nil {
		return fmt.Errorf("make the address that sets up the console: %w", err)
	}
	if token == "" {
		say("console", "url", at)
		return nil
	}
	say("setup", "url", at+"setup?token="+token.Reveal())
	return nil
}

// closeAll closes the listeners that there are.
func closeAll(list ...net.Listener) error {
	var errs []error
	for _, l := range list {
		if l != nil {
			errs = append(errs, l.Close())
		}
	}
	return errors.Join(errs...)
}
