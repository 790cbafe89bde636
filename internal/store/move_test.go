package store_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// The tables of the schema. A new one belongs into one of the two lists, and
// rich must put something into it.
var (
	tablesMoved = []string{
		"allow", "api_key", "api_secret", "attempt", "attempt_body", "attention", "case_key", "channel", "delivery", "delivery_end",
		"deposit", "endpoint", "event", "match_key", "merchant", "notice", "notice_body", "notice_key", "open_case", "payment",
		"refusal", "refusal_day", "setting", "store", "verdict",
	}
	tablesLeft = []string{"probe"}
)

// oddOrder is an order as some PG's merchants write it, and as nobody does.
const oddOrder = "주문 \\N \\x00 \"'`\t\r\n🍎 \u200b\u202e{}\x00\xff $1 %s"

// rich puts rows into every table, with every verdict and state.
func rich(t *testing.T, db *storetest.Database) {
	t.Helper()
	s := db.Open(t)
	richSettings(t, s, false)
	busy(t, s)
	told := func(in notice.Inbound, r notice.Ruling) {
		t.Helper()
		in.Ruled = &r
		settle(t, s, in)
	}
	told(refusedFrom("203.0.113.9"))
	told(attended("unmatched"))
	for _, v := range []payment.Verdict{payment.Pending, payment.Unreadable} {
		told(byOrder(storetest.NewID()), notice.Ruling{Verdict: v, Reason: notice.ReasonUnreadable, Channel: storetest.Channel})
	}
	odd := byOrder(oddOrder)
	odd.Request.Body = append(odd.Request.Body, strings.Repeat(" ", 60<<10)...)
	settle(t, s, odd)
	big := claim(t, s, time.Hour, 1, all).Jobs[0]
	f := outcome(big, time.Hour, 2*time.Hour, webhook.BadAnswer)
	f.Attempt.ResponseBody = []byte(strings.Repeat("\x00\xffa", 100<<10))
	finish(t, s, f)
	richSettings(t, s, true)
	db.Exec(t, `update delivery set state = 'held' where state = 'waiting' and lease is null and tries = 0`)
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	verified(t, s)
	for _, query := range []string{
		`select count(*) from delivery where state = 'held'`, `select count(*) from delivery where lease is not null`,
		`select count(*) from delivery where state = 'waiting' and tries > 0`, `select count(*) from open_case`,
	} {
		if db.Count(t, query) == 0 {
			t.Fatalf("%s finds nothing", query)
		}
	}
	for _, v := range []string{"applied", "duplicate", "recorded", "pending", "unmatched", "conflict", "refused", "unreadable"} {
		if db.Count(t, `select count(*) from verdict where verdict = $1`, v) == 0 {
			t.Fatalf("no notice is %s", v)
		}
	}
}

// richSettings declares something of everything.
func richSettings(t *testing.T, s *store.Store, paused bool) {
	t.Helper()
	old, err := s.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	more := storetest.Scene()
	more.Version = old.Version
	senders := []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
	confirm := false
	more.Channels[1].Senders, more.Channels[1].Confirm, more.Channels[1].Token = &senders, &confirm, "token-opensesame"
	more.Channels[1].Credentials = merchant.Credentials{"site_key": "opensesame"}
	more.Endpoints[0].Paused = paused
	more.APISecrets = []settings.APISecret{{APISecret: merchant.APISecret{ID: "00000000-0000-7000-8000-00000000000a", Merchant: storetest.Merchant,
		Store: storetest.Store, Name: "server", Mode: merchant.Any}, Hash: "hash-of-secret"}}
	more.APIKeys = []settings.APIKey{{APIKey: merchant.APIKey{ID: "00000000-0000-7000-8000-00000000000b", Merchant: storetest.Merchant,
		Store: storetest.Store, Key: "imp-1", Mode: merchant.Test}, Hash: "hash-of-key"}}
	more.Allows = []merchant.Allow{{Store: storetest.Store, Scope: merchant.AllowAPI, CIDR: netip.MustParsePrefix("203.0.113.0/24")}}
	if err := s.SaveSettings(t.Context(), more, storetest.Noon); err != nil {
		t.Fatal(err)
	}
}

// tablesOf are the tables of a database, without partitions.
func tablesOf(t *testing.T, db *storetest.Database) (names []string) {
	t.Helper()
	query := `select name from sqlite_master where type = 'table' and name not like 'sqlite%'`
	if db.Postgres {
		query = `select relname from pg_class where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace`
	}
	rows, err := db.Raw.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if name != "goose_db_version" {
			names = append(names, name)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func TestEveryTableIsMovedOrLeft(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		want := slices.Concat(tablesMoved, tablesLeft)
		slices.Sort(want)
		if diff := cmp.Diff(want, tablesOf(t, db)); diff != "" {
			t.Errorf("tables (-in the lists +in the schema):\n%s", diff)
		}
	})
}

func move(t *testing.T, db *storetest.Database, to string) (store.Moved, error) {
	t.Helper()
	return store.Move(t.Context(), db.URL(), to, store.MoveOptions{Key: db.Key()})
}

func TestMove(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	rich(t, db)
	leased := db.Count(t, `select count(*) from delivery where lease is not null`)
	to := db.On(t, storetest.Postgres(t))
	var phases []string
	var last store.MoveStep
	m, err := store.Move(t.Context(), db.URL(), to.URL(), store.MoveOptions{Key: db.Key(), Progress: func(s store.MoveStep) {
		if s.Phase != last.Phase {
			phases = append(phases, s.Phase)
		}
		last = s
	}, Problem: func(p store.Problem) { t.Error(p) }})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, table := range m.Tables {
		names = append(names, table.Table)
		if n := to.Count(t, `select count(*) from `+table.Table); table.Rows == 0 || int64(n) != table.Rows || len(table.Digest) != 64 {
			t.Errorf("%+v, and the target has %d", table, n)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(tablesMoved, names); diff != "" {
		t.Errorf("moved (-want +got):\n%s", diff)
	}
	if want := []string{store.MoveCopies, store.MoveCompares, store.MoveVerifies}; !slices.Equal(phases, want) {
		t.Errorf("phases %v", phases)
	}
	if n := db.Count(t, `select count(*) from delivery where lease is not null`); n != leased {
		t.Errorf("the source has %d leases, and had %d", n, leased)
	}
	if n := to.Count(t, `select count(*) from delivery where lease is not null`); n != 0 {
		t.Errorf("the target has %d leases", n)
	}
	sameBySight(t, db.Open(t), to.Open(t))
	busyWith(t, to.Open(t), "after the move")
	if _, err := move(t, db, to.URL()); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("a second move = %v", err)
	}
}

// sameBySight compares what two stores show.
func sameBySight(t *testing.T, a, b *store.Store) {
	t.Helper()
	checked := verified(t, a)
	if got := verified(t, b); got != checked {
		t.Errorf("Verify looked at %v, want %v", got, checked)
	}
	list := func(s *store.Store) []store.ListedNotice {
		t.Helper()
		l, err := s.Notices(t.Context(), store.NoticeQuery{})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if diff := cmp.Diff(list(a), list(b)); diff != "" {
		t.Errorf("notices:\n%s", diff)
	}
	for _, order := range []payment.ID{"paid", "reopened", "short", "waiting", "cancelled", "late", "foretold", "unlimited"} {
		one, err := a.Payment(t.Context(), storetest.Store, order, merchant.Test)
		if err != nil {
			t.Fatal(err)
		}
		other, err := b.Payment(t.Context(), storetest.Store, order, merchant.Test)
		if diff := cmp.Diff(one, other); err != nil || diff != "" {
			t.Errorf("payment %s: %v\n%s", order, err, diff)
		}
	}
	one, err := a.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other, err := b.Settings(t.Context())
	if diff := cmp.Diff(one, other, sameSettings); err != nil || diff != "" {
		t.Errorf("settings: %v\n%s", err, diff)
	}
}

// TestMoveIntoASchema moves into what a server made and nobody used.
func TestMoveIntoASchema(t *testing.T) {
	t.Parallel()
	db := storetest.SQLite(t)
	to := db.On(t, storetest.Postgres(t))
	to.Open(t) // makes the schema, with this key's canary
	busy(t, db.Open(t))
	if _, err := move(t, db, to.URL()); err != nil {
		t.Fatal(err)
	}
	sameBySight(t, db.Open(t), to.Open(t))
}

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
		{"verdict", "new.payment_key := null", "verdict has"},
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
		if err == nil || ctx.Err() == nil {
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
