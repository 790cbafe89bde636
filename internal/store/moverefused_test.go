package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

func TestMoveRefuses(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	busy(t, db.Open(t))
	other, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		from, to string // empty: the database, and an empty target
		key      *seal.Key
		source   string // SQL run in the source before, and what takes it back
		undo     string
		target   string // SQL run in the target before; its schema is made first if it begins with "insert" or "update"
		kind     fault.Kind
		text     string
	}{
		{name: "from PostgreSQL", from: "postgres://x:opensesame@db.example/x", kind: fault.Invalid, text: "sqlite:FILE"},
		{name: "from nothing", from: "sqlite:", kind: fault.Invalid, text: "sqlite:FILE"},
		{name: "from a file that is not there", from: "sqlite:" + db.File + ".none", kind: fault.NotFound, text: "no database"},
		{name: "to SQLite", to: "sqlite:x.db", kind: fault.Invalid, text: "postgres://"},
		{name: "to no URL", to: "postgres://x:opensesame@[", kind: fault.Invalid, text: "not a PostgreSQL URL"},
		{name: "to nobody", to: "postgres://x:opensesame@127.0.0.1:1/x", kind: fault.Unavailable, text: "did not do it"},
		{name: "with another key", key: other, kind: fault.Invalid, text: "the key is not"},
		{name: "from a newer schema", source: `insert into goose_db_version (version_id, is_applied) values (999, 1)`,
			undo: `delete from goose_db_version where version_id = 999`, kind: fault.Invalid, text: "newer release"},
		{name: "with a table that nobody knows", source: `create table notes (n)`, undo: `drop table notes`, kind: fault.Invalid, text: "table notes"},
		{name: "to another program's database", target: `create table theirs (n bigint)`, kind: fault.Conflict, text: "not Tongbo's"},
		{name: "to a newer schema", target: `insert into goose_db_version (version_id, is_applied) values (999, true)`, kind: fault.Invalid, text: "newer release"},
		{name: "to one with another key", target: `update setting set canary = 'theirs'`, kind: fault.Invalid, text: "the key is not"},
		{name: "to one in which something is", target: `insert into merchant values ('m', 'm', 1)`, kind: fault.Conflict, text: "not empty (table merchant)"},
		{name: "to one with history", target: `insert into attempt_body values ('00000000-0000-7000-8000-000000000001', '')`, kind: fault.Conflict, text: "not empty (table attempt_body)"},
		{name: "to one that is served", target: `insert into probe values ('p', 1)`, kind: fault.Conflict, text: "runs on the target"},
	} {
		to := db.On(t, storetest.Postgres(t))
		if c.target != "" {
			if !strings.HasPrefix(c.target, "create") {
				to.Open(t)
			}
			mustExec(t, to, c.target)
		}
		if c.source != "" {
			mustExec(t, db, c.source)
		}
		o := store.MoveOptions{Key: db.Key()}
		if c.key != nil {
			o.Key = c.key
		}
		_, err := store.Move(t.Context(), either(c.from, db.URL()), either(c.to, to.URL()), o)
		if !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "opensesame") {
			t.Errorf("%s: Move = %v (%v), want %v with %q", c.name, err, fault.KindOf(err), c.kind, c.text)
		}
		if c.undo != "" {
			mustExec(t, db, c.undo)
		}
	}
	if _, err := store.Move(t.Context(), db.URL(), storetest.Postgres(t), store.MoveOptions{}); !fault.Is(err, fault.Invalid) {
		t.Errorf("Move without a key = %v", err)
	}
}

func either(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// TestMoveAlone holds one side while a move wants it, and the other way round.
func TestMoveAlone(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	busy(t, db.Open(t))
	to := db.On(t, storetest.Postgres(t))
	served, err := store.Open(t.Context(), db.URL(), store.Options{Key: db.Key(), Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := move(t, db, to.URL()); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "another tongbo serves") {
		t.Errorf("Move from a database that is served = %v", err)
	}
	if err := served.Close(); err != nil {
		t.Fatal(err)
	}
	to.Open(t)
	release := hold(t, to, `insert into merchant values ('m', 'm', 1)`)
	if _, err := move(t, db, to.URL()); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "something works in the target") {
		t.Errorf("Move to a database in which something works = %v", err)
	}
	release()
	_, err = store.Move(t.Context(), db.URL(), to.URL(), store.MoveOptions{Key: db.Key(), Progress: func(s store.MoveStep) {
		if s.Phase != store.MoveVerifies {
			return
		}
		if _, err := store.Open(t.Context(), db.URL(), store.Options{Key: db.Key(), Exclusive: true}); !fault.Is(err, fault.Conflict) {
			t.Errorf("Open of what is moved = %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := db.Raw.ExecContext(ctx, `update setting set version = version + 1`); err == nil {
			t.Error("what is moved was written")
		}
	}})
	if err != nil {
		t.Error(err)
	}
}

// failed moves a database, wants an error, and then sees that the target is
// empty: once everything is put right, the move is made.
func failed(t *testing.T, db *storetest.Database, to *storetest.Database, o store.MoveOptions) error {
	t.Helper()
	o.Key = db.Key()
	_, err := store.Move(t.Context(), db.URL(), to.URL(), o)
	if err == nil {
		t.Error("the move was made")
		return errors.New("none")
	}
	for _, name := range tablesOf(t, to) {
		if n := to.Count(t, `select count(*) from `+name); n > 0 && name != "setting" {
			t.Errorf("after %v: table %s has %d rows", err, name, n)
		}
	}
	if n := to.Count(t, `select count(*) from setting where canary is null`); n != 1 {
		t.Errorf("after %v: %d rows of setting are as the schema makes them", err, n)
	}
	return err
}

// TestMoveOfOddRows moves rows that PostgreSQL cannot keep as they are.
func TestMoveOfOddRows(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	db.Raw.SetMaxOpenConns(1) // temporary tables are a connection's own
	busy(t, db.Open(t))
	to := db.On(t, storetest.Postgres(t))
	for _, c := range []struct{ column, table, value, text string }{
		{"path", "notice", `'a' || char(0) || 'opensesame'`, "column path holds a NUL"},
		{"path", "notice", `cast(x'6f70656e736573616d65ff' as text)`, "column path is no UTF-8"},
		{"representative", "store", `2`, "column representative is neither 0 nor 1"},
		{"payment_key", "deposit", `upper(payment_key)`, "column payment_key is no UUID in lower case"},
		{"payment_key", "deposit", `'opensesame'`, "column payment_key is no UUID"},
		{"version", "setting", `'opensesame'`, "column version is no whole number"},
	} {
		mustExec(t, db, `create temp table kept as select * from `+c.table)
		mustExec(t, db, `update `+c.table+` set `+c.column+` = `+c.value)
		err := failed(t, db, to, store.MoveOptions{})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "opensesame") {
			t.Errorf("%s of %s = %s: Move = %v, want %q", c.column, c.table, c.value, err, c.text)
		}
		mustExec(t, db, `delete from `+c.table)
		mustExec(t, db, `insert into `+c.table+` select * from temp.kept`)
		mustExec(t, db, `drop table temp.kept`)
	}
	if _, err := move(t, db, to.URL()); err != nil {
		t.Error(err)
	}
}

// TestMoveOfADamagedDatabase moves what Verify finds wrong.
func TestMoveOfADamagedDatabase(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	db.Raw.SetMaxOpenConns(1) // temporary tables are a connection's own
	busy(t, db.Open(t))
	to := db.On(t, storetest.Postgres(t))
	mustExec(t, db, `create temp table lost as select * from deposit`)
	db.Exec(t, `delete from deposit`)
	var found []store.Problem
	err := failed(t, db, to, store.MoveOptions{Problem: func(p store.Problem) { found = append(found, p) }})
	problems, ok := errors.AsType[*store.ProblemsError](err)
	if !ok || problems.Problems != int64(len(found)) || len(found) == 0 || found[0].Kind != store.ProblemDeposit {
		t.Errorf("Move = %v, %v", err, found)
	}
	mustExec(t, db, `insert into deposit select * from temp.lost`)
	if _, err := move(t, db, to.URL()); err != nil {
		t.Error(err)
	}
}

// TestMoveSeesDifferences lets the target change what is written to it.
func TestMoveSeesDifferences(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	rich(t, db)
	to := db.On(t, storetest.Postgres(t))
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := store.Move(ctx, db.URL(), to.URL(), store.MoveOptions{Key: db.Key(), Progress: func(store.MoveStep) { cancel() }}); err == nil {
		t.Fatal("a move that was stopped was made")
	}
	for _, c := range []struct{ table, change, text string }{
		{"payment", "new.amount := new.amount + 1", "payment has"},
		{"store", "new.representative := not new.representative", "store has"},
		{"notice_body", `new.request := '\x00'`, "notice_body has"},
		{"verdict", "new.reason := new.reason || 'odd'", "verdict has"},
		{"event", "new := null", "were copied"},
	} {
		mustExec(t, to, `create function odd() returns trigger language plpgsql as 'begin `+strings.ReplaceAll(c.change, `'`, `''`)+`; return new; end'`)
		mustExec(t, to, `create trigger odd before insert on `+c.table+` for each row execute function odd()`)
		if err := failed(t, db, to, store.MoveOptions{}); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: Move = %v, want %q", c.change, err, c.text)
		}
		mustExec(t, to, `drop function odd cascade`)
	}
	if _, err := move(t, db, to.URL()); err != nil {
		t.Error(err)
	}
}

// TestMoveEndsWithItsContext ends moves in each of their phases.
func TestMoveEndsWithItsContext(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	busy(t, db.Open(t))
	to := db.On(t, storetest.Postgres(t))
	for _, phase := range []string{store.MoveCopies, store.MoveCompares, store.MoveVerifies} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := store.Move(ctx, db.URL(), to.URL(), store.MoveOptions{Key: db.Key(), Progress: func(s store.MoveStep) {
			if s.Phase == phase {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: Move = %v", phase, err)
		}
		cancel()
		if n := to.Count(t, `select count(*) from payment`); n != 0 {
			t.Errorf("%s: %d payments are left", phase, n)
		}
	}
	if _, err := move(t, db, to.URL()); err != nil {
		t.Error(err)
	}
}
