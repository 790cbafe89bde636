package store

import (
	"context"
	"database/sql"
	"net/netip"
	"time"

	"github.com/tongbo/tongbo/internal/doctor"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/webhook"
)

// Vitals tell of the database itself.
func (s *Store) Vitals(ctx context.Context) (doctor.Vitals, error) {
	v, err := s.vitals(ctx)
	if err != nil {
		return v, away(err)
	}
	v.Nodes = s.Nodes()
	v.Durability, err = s.Durability(ctx)
	return v, err
}

const (
	// The clock is what all nodes agree on.
	vitalsPostgres = `select (extract(epoch from clock_timestamp()) * 1000000)::bigint, pg_database_size(current_database())`
	vitalsSQLite   = `select 0, page_count * page_size from pragma_page_count(), pragma_page_size()`
)

func (r *Reader) vitals(ctx context.Context) (v doctor.Vitals, err error) {
	query := vitalsSQLite
	v.Engine = "SQLite"
	if r.d.postgres {
		v.Engine, query = "PostgreSQL", vitalsPostgres
	}
	if v.Known, err = newestMigration(r.d.postgres); err != nil {
		return v, err
	}
	var clock int64
	var pruned sql.NullInt64
	if err := r.db.QueryRowContext(ctx, `select max(version_id) from goose_db_version where is_applied`).Scan(&v.Schema); err != nil {
		return v, err
	}
	if err := r.db.QueryRowContext(ctx, `select max(at) from pruned`).Scan(&pruned); err != nil {
		return v, err
	}
	if err := r.db.QueryRowContext(ctx, query).Scan(&clock, &v.Bytes); err != nil {
		return v, err
	}
	v.PrunedAt = momentOrZero(pruned)
	if clock != 0 {
		v.Clock = moment(clock)
	}
	return v, nil
}

const (
	// Index: delivery_ready; on SQLite without columns beside it.
	waitingQuery = `select count(*) from (select 1 from delivery where state = 'waiting' limit $1) as page`
	// Targets are hopped from one to the next, as by beatQuery; what is held for a paused
	// endpoint is not late. Index: delivery_ready.
	oldestQuery = `with recursive hop (target) as (
			select (select target from delivery where state = 'waiting' order by target limit 1)
			union all
			select (select target from delivery where state = 'waiting' and target > hop.target order by target limit 1)
			from hop where hop.target is not null)
		select min(least_ready) from (select
			(select min(ready_at) from delivery where state = 'waiting' and target = hop.target and lane = l.lane) as least_ready
			from hop cross join (select 0 as lane union all select 1) as l
			where hop.target is not null and hop.target not in (select cast(id as text) from endpoint where paused)) as firsts`
)

// Queue tells of what waits to be sent.
func (r *Reader) Queue(ctx context.Context, now time.Time) (q doctor.Queue, err error) {
	if err := r.db.QueryRowContext(ctx, waitingQuery, doctor.MostCounted+1).Scan(&q.Waiting); err != nil {
		return q, away(err)
	}
	var oldest sql.NullInt64
	if err := r.db.QueryRowContext(ctx, oldestQuery).Scan(&oldest); err != nil {
		return q, away(err)
	}
	if at := momentOrZero(oldest); at.Before(now) {
		q.Oldest = at
	}
	return q, nil
}

// Clients are who sent the last n notices, rehearsals aside.
func (r *Reader) Clients(ctx context.Context, n int) (out []doctor.Client, err error) {
	// Index: notice_pkey backwards.
	err = each(ctx, over(r.db), `select peer, count(*), sum(case when reason = $2 then 1 else 0 end)
		from (select peer, reason from notice where method <> $3 and reason <> $4 order by id desc limit $1) as last
		group by peer order by peer`, []any{n, string(notice.ReasonProxy), methodLearnt, string(notice.ReasonRehearsal)},
		func(rows rowSet) error {
			var c doctor.Client
			var peer string
			if err := rows.Scan(&peer, &c.Count, &c.Proxied); err != nil {
				return err
			}
			c.Peer, _ = netip.ParseAddr(peer) // what is none is nobody's
			out = append(out, c)
			return nil
		})
	return out, away(err)
}

// Index: attempt_by_endpoint backwards, attempt_body_pkey.
const endpointTriesQuery = `select a.id, a.delivery_id, a.webhook_id, a.number, a.at, a.took, a.url, a.outcome, a.status, a.error, a.cause, a.endpoint_id,
	b.exchange from attempt a left join attempt_body b on b.id = a.id where a.endpoint_id = $1 order by a.endpoint_id desc, a.id desc limit 20`

// EndpointTries are the last 20 tries of an endpoint, the newest first.
func (r *Reader) EndpointTries(ctx context.Context, e webhook.EndpointID) ([]webhook.Attempt, error) {
	if !isID(string(e)) {
		return nil, nil // PostgreSQL would not look it up
	}
	out, err := r.attempts(ctx, endpointTriesQuery, string(e))
	return out, away(err)
}
