package store

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// mostPeriodsMoved is how many periods back a move makes partitions: ten years
// of months. Older rows go to the default partition.
const mostPeriodsMoved = 120

// makePartitions makes the target's partitions before anything is copied, so
// that rows land in them: of the periods of which the source has rows, and of
// those for which a server would make them ahead. Rows whose ids are of no such
// period go to the default partition.
func (m *mover) makePartitions() error {
	have, err := partitionsOf(m.ctx, over(m.tx))
	if err != nil {
		return err
	}
	now := time.Now()
	for _, h := range histories {
		at := h.back(now, mostPeriodsMoved)
		for range mostPeriodsMoved + periodsAhead {
			p := h.partitionAt(at)
			past := at.Before(now) && p != h.partitionAt(now)
			_, at = h.period(at)
			if slices.ContainsFunc(have, p.overlaps) {
				continue
			}
			if past {
				if some, err := m.hasRows(p); err != nil {
					return err
				} else if !some {
					continue
				}
			}
			err := m.exec(fmt.Sprintf(`create table %s partition of %s for values from ('%s') to ('%s')`, p.name, p.table, p.lower, p.upper))
			if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "55P03" {
				return errTargetInUse()
			} else if err != nil {
				return fmt.Errorf("partition %s: %w", p.name, err)
			}
		}
	}
	return nil
}

// hasRows reports whether the source has rows for a partition. Index: the
// primary key.
func (m *mover) hasRows(p partition) (some bool, err error) {
	if err = m.source.QueryRowContext(m.ctx, fmt.Sprintf(`select exists (select 1 from %s where id >= ? and id < ?)`, p.table),
		p.lower, p.upper).Scan(&some); err != nil {
		err = fmt.Errorf("read %s: %w", p.table, err)
	}
	return some, err
}

// back is when the period began that is n periods before that of t.
func (h history) back(t time.Time, n int) time.Time {
	from, _ := h.period(t)
	if h.weekly {
		return from.AddDate(0, 0, -7*n)
	}
	return from.AddDate(0, -n, 0)
}
