package store

import (
	"fmt"
	"runtime"
	"sync"
)

// streamPage is how many rows of a stream PostgreSQL hands over at a time.
const streamPage = 2000

// A stream is the rows of a query in their order, of which the first is in
// hand. Several may be open in one transaction, so that tables in one order
// are walked through side by side.
type stream[T any] struct {
	v    *verifier
	name string
	scan func(rowSet) (T, error)
	rows rowSet // of SQLite
	page []T    // of PostgreSQL, whose connection has one query at a time
	last bool   // after the page there is nothing more

	head T
	ok   bool // there is a head
}

// open begins a stream. Each query has a name of its own, since PostgreSQL
// remembers under it what its rows are like.
func open[T any](v *verifier, name, query string, scan func(rowSet) (T, error)) (s *stream[T], err error) {
	s = &stream[T]{v: v, name: "verify_" + name, scan: scan}
	if v.r.d.postgres {
		_, err = v.q.ExecContext(v.ctx, `declare `+s.name+` no scroll cursor for `+query)
	} else {
		s.rows, err = v.q.QueryContext(v.ctx, query)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := s.next(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// next takes the following row in hand.
func (s *stream[T]) next() (err error) {
	var zero T
	s.head, s.ok = zero, false
	if s.rows != nil {
		if !s.rows.Next() {
			return s.rows.Err()
		}
		s.head, err = s.scan(s.rows)
		s.ok = err == nil
		return err
	}
	if len(s.page) == 0 && !s.last {
		if err := s.fetch(); err != nil {
			return err
		}
	}
	if len(s.page) > 0 {
		s.head, s.ok, s.page = s.page[0], true, s.page[1:]
	}
	return nil
}

func (s *stream[T]) fetch() error {
	n := 0
	err := s.v.each(fmt.Sprintf(`fetch %d from %s`, streamPage, s.name), nil, func(rows rowSet) error {
		row, err := s.scan(rows)
		s.page = append(s.page, row)
		n++
		return err
	})
	s.last = n < streamPage
	return err
}

// past goes on while the head is before a place, and calls with, if there is
// one, for each head that it leaves behind.
func (s *stream[T]) past(before func(T) bool, with func(T)) error {
	for s.ok && before(s.head) {
		if with != nil {
			with(s.head)
		}
		if err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream[T]) close() {
	if s.rows != nil {
		_ = s.rows.Close()
		return
	}
	_, _ = s.v.q.ExecContext(s.v.ctx, `close `+s.name)
}

// all calls check with each row that is left.
func (s *stream[T]) all(check func(T) error) error {
	for s.ok {
		if err := check(s.head); err != nil {
			return err
		}
		if err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

// batchSize is how many rows are opened together.
const batchSize = 1024

// onAll runs check on rows, on all processors at once. What check returns is run
// afterwards, one after the other: only that may ask the database.
func onAll[T any](rows []T, check func(*T) (later func() error)) error {
	workers := runtime.GOMAXPROCS(0)
	later := make([][]func() error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w * len(rows) / workers; i < (w+1)*len(rows)/workers; i++ {
				if f := check(&rows[i]); f != nil {
					later[w] = append(later[w], f)
				}
			}
		})
	}
	wg.Wait()
	for _, list := range later {
		for _, f := range list {
			if err := f(); err != nil {
				return err
			}
		}
	}
	return nil
}

// full checks a batch once it has its size, and empties it.
func full[T any](v *verifier, batch *[]T, check func(*T) (later func() error)) error {
	if len(*batch) < batchSize {
		return nil
	}
	err := onAll(*batch, check)
	v.seen(len(*batch))
	clear(*batch)
	*batch = (*batch)[:0]
	return err
}

// rest checks the last batch.
func rest[T any](v *verifier, batch []T, check func(*T) (later func() error)) error {
	v.seen(len(batch))
	return onAll(batch, check)
}
