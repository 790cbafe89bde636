package store

import (
	"context"
	"errors"
	"net/url"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// connectTimeout bounds the attempt at each host, unless the URL says
// otherwise.
const connectTimeout = 5 * time.Second

// towardsPrimary makes a pool find the primary where the URL names several
// hosts and does not say what it wants of them. Each connection asks anew, so
// that those made after a failover go to the new one.
func towardsPrimary(cfg *pgxpool.Config, database string) {
	asked := func(name, variable string) bool {
		u, err := url.Parse(database)
		return (err == nil && u.Query().Has(name)) || os.Getenv(variable) != ""
	}
	c := cfg.ConnConfig
	if !asked("connect_timeout", "PGCONNECT_TIMEOUT") {
		c.ConnectTimeout = connectTimeout
	}
	if severalHosts(c) && !asked("target_session_attrs", "PGTARGETSESSIONATTRS") {
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
}

// severalHosts reports whether a configuration has more than one server. pgx
// also lists the same one twice, with and without TLS.
func severalHosts(c *pgx.ConnConfig) bool {
	for _, f := range c.Fallbacks {
		if f.Host != c.Host || f.Port != c.Port {
			return true
		}
	}
	return false
}

// onlyReading makes sure that a pool's connections write nothing. It is said
// only after the host was chosen: else none would pass for the primary.
func onlyReading(cfg *pgxpool.Config) {
	cfg.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, `set default_transaction_read_only = on`)
		return err
	}
}

// resetPause is how long after giving up all connections none are given up
// again: the errors of the old ones still come in.
const resetPause = time.Second

// doubt gives up the connections of all pools if an error says that the server
// behind them takes no writes: it was the primary when they were made. New ones
// find the one that is.
func (s *Store) doubt(err error) {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || e.Code != "25006" { // read_only_sql_transaction
		return
	}
	last, now := s.reset.Load(), time.Now().UnixNano()
	if now-last < int64(resetPause) || !s.reset.CompareAndSwap(last, now) {
		return
	}
	s.log.Warn("the database takes no writes here: looking for the primary anew", "err", err)
	for _, p := range s.pools {
		p.Reset()
	}
}
