package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"
)

// usualV1 is the port of API V1 if nothing is said.
const usualV1 = "8081"

// listenOn listens on an address that a flag names.
func listenOn(ctx context.Context, address, flag string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err == nil {
		return l, nil
	}
	err = fmt.Errorf("listen on %s: %w", address, err)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, hint(err, "Another program has this port. Choose one with %s, for example %s :8090", flag, flag)
	}
	if _, ok := errors.AsType[*net.AddrError](err); ok {
		return nil, hint(err, "Write it like :8080 or 127.0.0.1:8080")
	}
	return nil, err
}

// listenV1 listens for API V1; nil if it is not to be served. That nobody can listen
// where nobody asked for it is no reason not to take notices.
func (c *serveCmd) listenV1(ctx context.Context, log *slog.Logger) (net.Listener, error) {
	if c.V1Listen == nil {
		host, port, err := net.SplitHostPort(c.Listen)
		if err != nil {
			return nil, err // never: something listens there
		}
		if port == usualV1 {
			log.InfoContext(ctx, "API V1 is not served: --listen has its usual port; choose one with --v1-listen", "listen", c.Listen)
			return nil, nil
		}
		usual := net.JoinHostPort(host, usualV1)
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", usual)
		if err != nil {
			log.WarnContext(ctx, "API V1 is not served: choose an address with --v1-listen", "listen", usual, "err", err)
			return nil, nil
		}
		return l, nil
	}
	if *c.V1Listen == "" {
		return nil, nil
	}
	return listenOn(ctx, *c.V1Listen, "--v1-listen")
}
