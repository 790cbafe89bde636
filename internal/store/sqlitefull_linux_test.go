package store

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A query that meets a full disk ends the transaction of everybody in the
// batch. Nothing that runs after it may be committed bit by bit.
func TestAQueryMeetsAFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tongbo-test", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("a small disk is needed, and mounting one is not allowed here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	s := openFileIn(t, dir)
	defer func() { _ = s.Close() }()
	block := make([]byte, 3000)
	fill := func(x *tx, table string, rows int) error {
		for i := range rows {
			if err := x.must(`insert into `+table+` (id, b) values ($1, $2)`, i, block); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.write(t.Context(), func(x *tx) error {
		for _, table := range []string{"before", "big", "one", "two"} {
			if err := x.must(`create table ` + table + ` (id integer primary key, b blob)`); err != nil {
				return err
			}
		}
		return fill(x, "big", 1500)
	}); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(dir, "filler")
	first := true
	batch := []*sqliteJob{
		{fn: func(x *tx) error { // fills the cache with pages that are not written yet, then the disk
			if err := fill(x, "before", 900); err != nil || !first {
				return err
			}
			f, err := os.Create(filler)
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			for err == nil {
				_, err = f.Write(block)
			}
			return nil
		}},
		{fn: func(x *tx) error { // reads more than the cache holds
			return x.each(`select id, b from big`, nil, func(rows rowSet) error {
				return rows.Scan(new(int), new([]byte))
			})
		}},
		{fn: func(x *tx) error { // there is space again, but it fails halfway
			_ = os.Remove(filler)
			if err := fill(x, "one", 1); err != nil {
				return err
			}
			if first {
				first = false
				return errors.New("a later statement fails")
			}
			return fill(x, "two", 1)
		}},
	}
	for _, j := range batch {
		j.ctx, j.first, j.done = t.Context(), true, make(chan struct{})
	}
	s.w.(*sqliteWriter).commit(batch)
	t.Logf("they end with %v, %v and %v", batch[0].err, batch[1].err, batch[2].err)
	var one, two int
	if err := s.db.QueryRowContext(t.Context(), `select (select count(*) from one), (select count(*) from two)`).Scan(&one, &two); err != nil {
		t.Fatal(err)
	}
	if one != two || (one == 1) != (batch[2].err == nil) {
		t.Errorf("of the last function's two rows %d and %d are kept, and it ended with %v", one, two, batch[2].err)
	}
}
