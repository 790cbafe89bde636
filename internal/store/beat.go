package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// beatPatience is how long one beat may take: a connection that answers
	// nothing is taken for lost.
	beatPatience = 3 * time.Second
	// touchAgain is how soon a lost connection is made again.
	touchAgain = 500 * time.Millisecond
)

// beatQuery renews a node's row and tells what the node has to know. It is the
// one place that asks the database for the time, since that clock is what all
// nodes agree on. Whatever the notifications said, a delivery that is due and
// that nobody has leased shows here; so does a change of the settings.
//
// A delivery is looked for by hopping along the index from target to target;
// "exists" instead of "min" would have the table read as a whole.
// Index: delivery_ready.
const beatQuery = `with recursive clock (at) as (select (extract(epoch from clock_timestamp()) * 1000000)::bigint),
	me as (insert into node (id, name, release, began_at, seen_at) select $1, $2, $3, at, at from clock
		on conflict (id) do update set seen_at = excluded.seen_at),
	hop (target) as (
		select (select target from delivery where state = 'waiting' order by target limit 1)
		union all
		select (select target from delivery where state = 'waiting' and target > hop.target order by target limit 1)
		from hop where hop.target is not null)
	select clock.at,
		(select count(*) from node where id <> $1 and seen_at > clock.at - $4),
		(select count(*) from node where id < $1 and seen_at > clock.at - $4),
		(select count(*) from node where id <> $1 and seen_at < clock.at - $5),
		setting.version, setting.compatible_from,
		exists (select 1 from hop, (values (0), (1)) as l (lane)
			where (select min(ready_at) from delivery where state = 'waiting' and target = hop.target and lane = l.lane) <= clock.at
			and not exists (select 1 from endpoint e where e.paused and e.id::text = hop.target)),
		pg_notify($6, '')
	from clock, setting where setting.id = 1`

// watchPostgres keeps in touch with the other nodes until ctx ends, and takes
// leave of them then.
func (s *Store) watchPostgres(ctx context.Context) error {
	knows, err := newestMigration(true)
	if err != nil {
		return err
	}
	var lost bool
	for ctx.Err() == nil {
		t := &touch{s: s, knows: knows, own: nodes + "_" + strings.ReplaceAll(s.id, "-", "")}
		err := t.keep(ctx, func() {
			if lost {
				s.log.InfoContext(ctx, "in touch with the other nodes again")
			}
			lost = false
		})
		if err == nil || ctx.Err() != nil {
			continue
		}
		if !lost {
			s.log.WarnContext(ctx, "lost touch with the other nodes, trying again", "err", err)
		}
		lost = true
		s.doubt(err)
		wait(ctx, touchAgain)
	}
	s.leave(context.WithoutCancel(ctx))
	return nil
}

// leave takes this node's row away and tells the others. If the database is
// away, they find out by themselves.
func (s *Store) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, beatPatience)
	defer cancel()
	s.company.mu.Lock()
	s.company.seen = time.Time{}
	s.company.mu.Unlock()
	if _, err := s.db.ExecContext(ctx, `with gone as (delete from node where id = $1 returning 1)
		select pg_notify('`+nodes+`', 'nodes') from gone`, s.id); err != nil {
		s.log.WarnContext(ctx, "could not take leave of the other nodes", "err", err)
	}
}

// A touch is one connection by which a node hears of the others and they of it.
type touch struct {
	s     *Store
	knows int // the newest migration of this release
	conn  *pgx.Conn
	own   string // a channel of this node alone, to hear whether it hears

	counted bool
	version int64     // of the settings, as last seen
	called  time.Time // on the own channel, unanswered; zero: answered
	deaf    bool      // nothing comes through
}

// keep connects, listens, and beats until ctx ends or the connection breaks. It
// calls begun once nothing can be missed any more.
func (t *touch) keep(ctx context.Context, begun func()) error {
	var err error
	if t.conn, err = pgx.ConnectConfig(ctx, t.s.pools[0].Config().ConnConfig); err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), beatPatience)
		defer cancel()
		_ = t.conn.Close(closing)
	}()
	if err := t.listen(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		next := time.Now().Add(beatEvery)
		if err := t.beat(ctx, begun); err != nil {
			return err
		}
		if err := t.hear(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

func (t *touch) listen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beatPatience)
	defer cancel()
	for _, channel := range []string{nodes, t.own} {
		if _, err := t.conn.Exec(ctx, `listen `+channel); err != nil {
			return fmt.Errorf("listen: %w", err)
		}
	}
	return nil
}

// beat tells that this node lives, and counts the others.
func (t *touch) beat(ctx context.Context, begun func()) error {
	if err := t.listenAnew(ctx); err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, beatPatience)
	defer cancel()
	c, err := t.count(limited)
	if err != nil {
		return fmt.Errorf("count the nodes: %w", err)
	}
	if t.called.IsZero() {
		t.called = c.asked
	}
	changed := t.s.company.learn(ctx, c, t.knows)
	if !t.counted {
		begun()
		if _, err := t.conn.Exec(limited, `select pg_notify('`+nodes+`', 'nodes')`); err != nil {
			return fmt.Errorf("tell the other nodes: %w", err)
		}
	}
	settings := !t.counted || c.version != t.version
	t.counted, t.version = true, c.version
	if settings || changed || c.due {
		t.s.call(settings)
	}
	if c.dead > 0 {
		if _, err := t.conn.Exec(limited, `delete from node where id in (select id from node where seen_at < $1 for update skip locked)`,
			micros(c.clock.Add(-deadAfter))); err != nil {
			return fmt.Errorf("sweep away nodes that are gone: %w", err)
		}
	}
	var stand standbys
	if err := t.conn.QueryRow(limited, standbysQuery).Scan(&stand.commit, &stand.all, &stand.synchronous, &stand.hidden); err != nil {
		return fmt.Errorf("look for standbys: %w", err)
	}
	t.s.company.onSafe(ctx, stand.durability())
	return nil
}

func (t *touch) count(ctx context.Context) (c count, err error) {
	var clock int64
	c.asked = time.Now()
	err = t.conn.QueryRow(ctx, beatQuery, t.s.id, nodeName(), release(), liveFor.Microseconds(), deadAfter.Microseconds(), t.own).
		Scan(&clock, &c.nodes, &c.place, &c.dead, &c.version, &c.needs, &c.due, nil)
	c.answered, c.clock = time.Now(), moment(clock)
	c.nodes++ // this one, whose row may be too new to be seen
	return c, err
}

// listenAnew listens again where the node does not hear itself: a pooler may
// stand between that gave it another connection to the database.
func (t *touch) listenAnew(ctx context.Context) error {
	if t.called.IsZero() || time.Since(t.called) < beatEvery/2 {
		return nil
	}
	if !t.deaf {
		t.s.log.WarnContext(ctx, "notifications of the database do not come through: work of other nodes is found every 5 s only",
			"likely", "a connection pooler that is not in session mode")
	}
	t.deaf = true
	return t.listen(ctx)
}

// hear takes what comes until a time, or until a node came or went.
func (t *touch) hear(ctx context.Context, until time.Time) error {
	waiting, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	for {
		n, err := t.conn.WaitForNotification(waiting)
		switch {
		case err != nil && waiting.Err() != nil:
			return nil // the time has come
		case err != nil:
			return err
		case n.Channel == t.own:
			t.heardItself(ctx)
		case n.Payload == "nodes":
			return nil
		case n.Payload == due+t.s.id:
			// What this node commits it acts on already.
		default:
			t.s.call(n.Payload == "settings")
		}
	}
}

func (t *touch) heardItself(ctx context.Context) {
	t.called = time.Time{}
	if t.deaf {
		t.deaf = false
		t.s.log.InfoContext(ctx, "notifications of the database come through again")
	}
}
