package store_test

import (
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
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// The tables of the schema. A new one belongs into the first list, and rich must
// put something into it, or into the second.
var (
	tablesMoved = []string{
		"acknowledged", "allow", "api_key", "api_request", "api_secret", "attempt", "attempt_body", "attention", "audit", "billing_key", "case_key",
		"channel", "checkout", "closed_case", "delivery", "delivery_end", "deposit", "endpoint", "event", "heartbeat", "idempotency", "inquiry", "listener",
		"listener_repeat", "listener_try", "match_key", "member", "merchant", "notice", "notice_body", "notice_key", "open_case", "overdue", "path_test", "payment",
		"preregistration", "pruned", "refusal", "refusal_day", "rehearsal", "resend_job", "resend_made", "schedule", "search_due", "search_page", "search_upto", "session", "setting",
		"setup", "sign_in", "store", "sweep", "trial", "verdict",
	}
	tablesLeft = []string{"probe", "node"} // an engine may lack one
)

// oddOrder is an order as some PG's merchants write it, and as nobody does.
const oddOrder = "주문 \\N \\x00 \"'`\t\r\n🍎 \u200b\u202e{}\x00\xff $1 %s"

// richListener opens a listen session that has tried one thing and waits for
// another.
func richListener(t *testing.T, s *store.Store) {
	t.Helper()
	l, _, err := s.OpenListener(t.Context(), webhook.Listener{
		ID: webhook.ListenerID(storetest.NewID()), Merchant: storetest.Merchant, Store: storetest.Store, Mode: merchant.Test,
		Credential: storetest.NewID(), Name: "노트북 \u202e🍎\n", Events: []string{"*"}, Version: webhook.V20240425, ContentType: webhook.JSON,
		Secret: webhook.NewSecret(), Floor: s.EventFloor(time.UnixMilli(0)), OpenedAt: storetest.Noon,
	})
	if err != nil {
		t.Fatal(err)
	}
	stores := []merchant.StoreID{storetest.Store}
	events, _, err := s.NextEvents(t.Context(), stores, merchant.Test, l.Floor, 1)
	if err != nil || len(events) == 0 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if err := s.PutListened(t.Context(), l, stores, webhook.Listened{Item: string(events[0].ID), Number: 1, At: storetest.Noon, Error: "refused"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Resend(t.Context(), events[0].Payment, "", storetest.Noon); err != nil {
		t.Fatal(err)
	}
}

// rich puts rows into every table, with every verdict and state. It is long as there are many
// tables: each takes a line or two.
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
	looked, ruling := attended("unmatched")
	told(looked, ruling)
	closeCase(t, s, looked.ID)
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
	begin(t, s, asking("outstanding", "x"), 0, nil)
	answered := asking("answered", "x")
	begin(t, s, answered, 0, nil)
	endRepeat(t, s, answered, &merchant.KeptAnswer{Status: 200, Body: []byte("{}")})
	pinned(t, s, "pinned", merchant.Any, 1000, 0, 0)
	onTrial(t, s, oddOrder, "books")
	endWindow(t, s, openWindow(t, s, "창 1", "", 0))
	rehearse(t, s, "token", notice.Rehearsal{Channel: storetest.Channel, Order: oddOrder})
	if err := s.KeepPathTest(t.Context(), pathTest(storetest.Channel)); err != nil {
		t.Fatal(err)
	}
	if err := s.Preregister(t.Context(), storetest.Store, "open", merchant.Test, payment.Pin{}, storetest.Noon); err != nil {
		t.Fatal(err)
	}
	liveSchedules(t, s, "rich")
	richPeople(t, s, db)
	richListener(t, s)
	db.Exec(t, `insert into pruned (name, upto, at) values ('refusal', '00000000-0000-7000-8000-000000000000', 1)`)
	db.Exec(t, `insert into inquiry (payment_key, due_at, tries) select key, 1, 2 from payment limit 1`)
	if n, err := s.PutSearchable(t.Context(), time.Now().Add(time.Hour), 1000); err != nil || n == 0 {
		t.Fatalf("%d things are searchable, %v", n, err)
	}
	db.Exec(t, `insert into search_due (payment_key) select key from payment limit 1`)
	db.Exec(t, `insert into sweep (payment_key, channel_key, due_at, tries, why) select key, channel_key, 1, 2, 'outage' from payment limit 1`)
	db.Exec(t, `insert into overdue (payment_key, merchant_id, store_id, mode, channel_key, issued_at, due_at, asked)
		select key, merchant_id, store_id, mode, channel_key, 1, 2, true from payment limit 1`)
	db.Exec(t, `insert into acknowledged (id, merchant_id, store_id, mode, kind, subject, upto, count, at, by_kind, by_id, by_name, note)
		values ('00000000-0000-7000-8000-00000000000a', 'merchant-1', 'store-1', 'test', 'refused', '203.0.113.7', 1, 2, 3, 'person', 'p', '김', '메모')`)
	db.Exec(t, `insert into api_request (id, at, merchant_id, store_id, mode, credential_kind, credential_id, method, route, path, status, took, client, error_type)
		values ('00000000-0000-7000-8000-00000000000b', 1, 'merchant-1', 'store-1', 'test', 'api_secret', 's', 'GET', '/r', '/p', 200, 5, '203.0.113.7', '')`)
	job := sentAgain(t, s, webhook.ResendFilter{Kind: webhook.ResendAll, From: storetest.Noon})
	db.Exec(t, `insert into resend_made (job_id, original, delivery_id, at) select id, id, null, 1 from resend_job where id = '`+string(job.ID)+`'`)
	db.Exec(t, `insert into heartbeat (id, at, gap_from, gap_until) values (1, 3, 1, 2)`)
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
	for _, v := range []payment.Verdict{payment.Applied, payment.Duplicate, payment.Recorded, payment.Pending, payment.Unmatched,
		payment.Conflict, payment.Refused, payment.Unreadable} {
		if list, err := s.Notices(t.Context(), store.NoticeQuery{Verdict: v}); err != nil || len(list) == 0 {
			t.Fatalf("no notice is %s (%v)", v, err)
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
		moved := slices.DeleteFunc(tablesOf(t, db), func(name string) bool { return slices.Contains(tablesLeft, name) })
		if diff := cmp.Diff(tablesMoved, moved); diff != "" {
			t.Errorf("tables (-in the list +in the schema):\n%s", diff)
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
	to.Open(t)                                                               // makes the schema, with this key's canary
	mustExec(t, to, `create table if not exists node (id text primary key)`) // which SQLite lacks
	busy(t, db.Open(t))
	if _, err := move(t, db, to.URL()); err != nil {
		t.Fatal(err)
	}
	sameBySight(t, db.Open(t), to.Open(t))
}
