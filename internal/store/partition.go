package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tongbo/tongbo/internal/settings"
)

// How far ahead partitions are made: this period and the next ones. A node that
// cannot make them has weeks until rows would go into the default partition.
const periodsAhead = 3

// A partition is a part of a history table on PostgreSQL: ids from lower to
// before upper. The default partition, where all else goes, is none of these.
type partition struct{ table, name, lower, upper string }

// period is the month, or the week from Monday on, that holds t, in UTC.
func (h history) period(t time.Time) (from, to time.Time) {
	y, m, d := t.UTC().Date()
	if h.weekly {
		sinceMonday := (int(t.UTC().Weekday()) + 6) % 7
		from = time.Date(y, m, d-sinceMonday, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 0, 7)
	}
	from = time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	return from, from.AddDate(0, 1, 0)
}

// partitionAt is the partition that holds what is made at t.
func (h history) partitionAt(t time.Time) partition {
	from, to := h.period(t)
	name := h.table + from.Format("_2006_01")
	if h.weekly {
		name = h.table + from.Format("_2006_01_02")
	}
	return partition{h.table, name, idAt(from), idAt(to)}
}

// rest is the default partition.
func (h history) rest() string { return h.table + "_rest" }

// MakeAhead makes the partitions for now and for the weeks and months to come,
// and returns how many were missing. SQLite has none. Several nodes may call it
// at once: one makes them, the others wait for it.
//
// It waits a tenth of a second at most for each table that somebody holds, and
// a notice as long behind it; then it reports fault.Unavailable. A default
// partition of at most a megabyte is looked through meanwhile, which takes some
// milliseconds; it is given up after half a second. What a larger one forbids is
// left to [Store.MakeSlowly]. What is not made in time costs nothing but speed:
// rows then go into the default partition.
func (s *Store) MakeAhead(ctx context.Context, now time.Time) (made int, err error) {
	if !s.d.postgres {
		return 0, nil
	}
	missing, err := s.missing(ctx, now)
	if err != nil {
		return 0, away(err)
	}
	failed := []error{s.dropLeftBounds(ctx)}
	for _, p := range missing {
		if ctx.Err() != nil {
			return made, errors.Join(append(failed, ctx.Err())...)
		}
		ok, err := s.makePartition(ctx, p)
		if err != nil {
			failed = append(failed, fmt.Errorf("partition %s: %w", p.name, err))
		}
		if ok {
			made++
		}
	}
	return made, errors.Join(failed...)
}

// missing are the partitions for now and for what comes that nobody made yet.
func (s *Store) missing(ctx context.Context, now time.Time) (out []partition, err error) {
	have, err := partitionsOf(ctx, over(s.db))
	if err != nil {
		return nil, err
	}
	for _, h := range histories {
		at := now
		for range periodsAhead {
			p := h.partitionAt(at)
			_, at = h.period(at)
			if !slices.ContainsFunc(have, p.overlaps) {
				out = append(out, p)
			}
		}
	}
	return out, nil
}

func (p partition) overlaps(o partition) bool {
	return p.table == o.table && p.lower < o.upper && o.lower < p.upper
}

// smallRest is how large a default partition may be, in bytes without what is
// stored out of line, to be looked through while notices wait.
const smallRest = 1 << 20

// rest tells of a partition's default one whether it has rows of its range, and
// whether it is too large to be looked through while notices wait.
func (s *Store) rest(ctx context.Context, p partition) (stays, large bool, err error) {
	// Index: the primary key.
	err = s.db.QueryRowContext(ctx, fmt.Sprintf(`select exists (select 1 from %[1]s_rest where id >= $1 and id < $2),
		pg_relation_size('%[1]s_rest') > %[2]d`, p.table, smallRest), p.lower, p.upper).Scan(&stays, &large)
	return stays, large, away(err)
}

// makePartition makes a partition if its default one is small. Rows of the new
// partition that are in there already stay there; then there is none.
func (s *Store) makePartition(ctx context.Context, p partition) (made bool, err error) {
	if stays, large, err := s.rest(ctx, p); err != nil || stays || large {
		return false, err
	}
	return s.attach(ctx, p)
}

// attach makes a partition beside its table and attaches it: unlike making it
// in place, that lets others go on writing. What holds them up is the default
// partition, which has to be looked through unless a constraint tells what is
// not in there. Then come the statements after.
func (s *Store) attach(ctx context.Context, p partition, after ...string) (made bool, err error) {
	err = s.write(ctx, func(t *tx) error {
		made = false
		if err := t.must(`set local lock_timeout = '5s'`); err != nil {
			return err
		}
		if err := t.lockName(pruneLock); err != nil { // whoever has it is soon done
			return err
		}
		have, err := partitionsOf(t.ctx, t.q)
		if err != nil || slices.ContainsFunc(have, p.overlaps) {
			return err
		}
		for _, query := range append([]string{
			pruneLockTimeout,
			`set local statement_timeout = '500ms'`,
			fmt.Sprintf(`create table %s (like %s including all)`, p.name, p.table),
			fmt.Sprintf(`alter table %s attach partition %s for values from ('%s') to ('%s')`, p.table, p.name, p.lower, p.upper),
		}, after...) {
			if err := t.must(query); err != nil {
				return err
			}
		}
		made = true
		return nil
	})
	if violates(err) {
		return false, nil // one such row came meanwhile
	}
	return made && err == nil, err
}

// violates says that a row is where it must not be.
func violates(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "23514"
}

// lockName waits for a name that others only try to get.
func (t *tx) lockName(key string) error {
	return t.must(`select pg_advisory_xact_lock(hashtextextended($1, 0))`, name(key))
}

// bounds reads those of a partition as PostgreSQL writes them.
var bounds = regexp.MustCompile(`^FOR VALUES FROM \('([0-9a-f-]{36})'\) TO \('([0-9a-f-]{36})'\)$`)

// partitionsOf lists the partitions of all history tables, the default ones
// aside, oldest first. Partitions that somebody made by hand are among them; one
// that another node drops meanwhile has no bounds any more, and is left out.
func partitionsOf(ctx context.Context, q querier) ([]partition, error) {
	names := make([]string, len(histories))
	for i, h := range histories {
		names[i] = h.table
	}
	var out []partition
	err := each(ctx, q, `select p.relname, format('%I', c.relname), coalesce(pg_get_expr(c.relpartbound, c.oid), '')
		from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
		where i.inhparent in (select to_regclass(n) from unnest($1::text[]) as n)`, []any{names}, func(rows rowSet) error {
		var p partition
		var bound string
		if err := rows.Scan(&p.table, &p.name, &bound); err != nil {
			return err
		}
		if m := bounds.FindStringSubmatch(bound); m != nil {
			p.lower, p.upper = m[1], m[2]
			out = append(out, p)
		}
		return nil
	})
	slices.SortFunc(out, func(a, b partition) int { return strings.Compare(a.lower, b.lower) })
	return out, err
}

// mostMoved is how many rows are moved out of the way of a drop, while notices
// wait. A partition that holds more of what is open is pruned row by row.
const mostMoved = 1000

// partitions drops those partitions of a table that are wholly before cut. It
// returns where rows have to be looked for one by one.
func (p *pruning) partitions(h history, cut string, out *settings.Pruned) (left []string, err error) {
	have, err := partitionsOf(p.ctx, over(p.s.db))
	if err != nil {
		return nil, err
	}
	left = []string{h.rest()}
	for _, part := range have {
		if part.table != h.table || part.upper > cut {
			continue
		}
		var dropped, full bool
		if err := p.write(func(t *tx) (err error) {
			dropped, full, err = t.dropPartition(h, part, p.now)
			return err
		}); err != nil {
			return nil, err
		}
		switch {
		case dropped:
			out.Partitions++
		case full:
			left = append(left, part.name)
		}
	}
	return left, nil
}

// dropPartition drops a partition, and moves what is open in it to the default
// one. full says that it did not, since too much is open.
func (t *tx) dropPartition(h history, p partition, now time.Time) (dropped, full bool, err error) {
	have, err := partitionsOf(t.ctx, t.q)
	if err != nil || !slices.Contains(have, p) {
		return false, false, err // another node was quicker
	}
	held, args := h.held(p)
	if held != "" {
		// What is open is few and tells what to look for, whatever the planner
		// knows of it: the partition is not to be read.
		for _, way := range []string{"hashjoin", "mergejoin", "seqscan"} {
			if err := t.must(`set local enable_` + way + ` = off`); err != nil {
				return false, false, err
			}
		}
		var n int
		if err := t.row(fmt.Sprintf(`select count(*) from (select 1%s limit %d) as held`, held, mostMoved+1), args...).Scan(&n); err != nil {
			return false, false, err
		}
		if n > mostMoved {
			return false, true, nil
		}
	}
	if err := t.must(fmt.Sprintf(`alter table %s detach partition %s`, h.table, p.name)); err != nil {
		return false, false, err
	}
	if held != "" {
		if err := t.must(fmt.Sprintf(`insert into %s select h.*%s`, h.table, held), args...); err != nil {
			return false, false, err
		}
	}
	if err := t.must(`drop table ` + p.name); err != nil {
		return false, false, err
	}
	return true, false, t.mark(h.table, p.upper, now)
}

// held is the from clause of those rows h of a partition that something open
// holds.
func (h history) held(p partition) (from string, args []any) {
	if h.holder == "" {
		return "", nil
	}
	within := ""
	if h.column == "id" { // then what holds a row has its id
		within, args = fmt.Sprintf(` where %[1]s >= $1 and %[1]s < $2`, h.holderKey), []any{p.lower, p.upper}
	}
	return fmt.Sprintf(` from (select distinct %s as id from %s%s) k join %s h on h.%s = k.id`,
		h.holderKey, h.holder, within, p.name, h.column), args
}
