package store_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// planRows is how many rows each large table has when plans are looked at.
const planRows = 4000

// large are the tables that grow with the payments, with the columns that
// differ from row to row: by an id, or by a number at the end of a text.
var large = []struct {
	name       string
	ids, texts []string
}{
	{"payment", []string{"key"}, []string{"id"}},
	{"match_key", []string{"payment_key"}, []string{"value"}},
	{"notice_key", []string{"notice_id"}, []string{"key"}},
	{"deposit", []string{"payment_key", "notice_id"}, []string{"key"}},
	{"notice", []string{"id"}, []string{"order_id", "key"}},
	{"notice_body", []string{"id"}, nil},
	{"verdict", []string{"id", "notice_id", "payment_key"}, nil},
	{"open_case", []string{"id"}, []string{"notice_key"}},
	{"case_key", []string{"case_id"}, []string{"value"}},
	{"event", []string{"id", "payment_key"}, nil},
	{"delivery", []string{"id", "event_id", "payment_key"}, nil},
	{"delivery_end", []string{"id", "event_id", "payment_key"}, nil},
	{"attempt", []string{"id", "delivery_id", "webhook_id"}, nil},
	{"attempt_body", []string{"id"}, nil},
}

// statement is one that a store ran, or runs.
type statement struct {
	query string
	args  []any
}

// TestPlans checks that no large table is read as a whole by what is done for
// each notice, each delivery and each look: their cost must not grow with what
// others did before.
func TestPlans(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		live(t, s, "a")
		for _, table := range large {
			multiply(t, db, table.name, table.ids, table.texts)
		}
		if _, err := db.Raw.ExecContext(t.Context(), `analyze`); err != nil {
			t.Fatal(err)
		}
		var list []statement
		s.Record(func(query string, args []any) { list = append(list, statement{query, slices.Clone(args)}) })
		key, webhookID := live(t, s, "b")
		newest := "ffffffff-ffff-ffff-ffff-ffffffffffff"
		list = append(list,
			statement{store.NoticesQuery, []any{newest, 100}},
			statement{store.NoticesByVerdictQuery, []any{newest, 100, "conflict"}},
			statement{store.SentQuery, []any{string(key)}},
			statement{store.AttemptsQuery, []any{string(webhookID)}},
			statement{store.LastAttemptQuery, []any{string(webhookID)}},
			statement{`select key, doc from payment where store_id = $1 and id = $2`, []any{string(storetest.Store), "b"}},
		)
		explained := make(map[string]bool)
		for _, st := range list {
			if explained[st.query] || !plannable.MatchString(st.query) {
				continue
			}
			explained[st.query] = true
			plan := explain(t, db, st)
			for _, table := range readWhole(db, plan) {
				t.Errorf("%s is read as a whole by\n%s\n%s", table, st.query, strings.Join(plan, "\n"))
			}
		}
		if len(explained) < 40 {
			t.Errorf("only %d statements were looked at", len(explained))
		}
	})
}

var plannable = regexp.MustCompile(`^\s*(select|insert|update|delete|with)\b`)

// live has a store do everything that it does often, and returns a payment and
// a delivery that is over.
func live(t *testing.T, s *store.Store, name string) (payment.Key, webhook.DeliveryID) {
	t.Helper()
	order := func(i int) string { return fmt.Sprint(name, i) }
	settle(t, s, byOrder(order(1)), byAccount(order(2)), refusedBy("203.0.113.1"))
	p := register(t, s, storetest.Registration(order(1))) // decides what was held
	register(t, s, storetest.Registration(order(3)))
	register(t, s, storetest.Registration(order(4)))
	settle(t, s, byOrder(order(3)), byOrder(order(3)), byAccount(order(9)), byOrder(order(8)), byOrder(order(8)))
	jobs := claim(t, s, time.Hour, 10, all).Jobs
	finish(t, s, outcome(jobs[0], time.Hour, 0, webhook.Good))
	finish(t, s, outcome(jobs[1], time.Hour, 1000*time.Hour, webhook.NoAnswer))
	now := storetest.Noon.Add(72 * time.Hour)
	if _, err := s.Expire(t.Context(), now, 10, 0, expired(now)); err != nil {
		t.Fatal(err)
	}
	in, r := attended("plan-" + name)
	if _, err := s.Settle(t.Context(), []notice.Inbound{in}, func(notice.Inbound, []notice.Found) notice.Ruling { return r }); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Resend(t.Context(), p.Key, "", now); err != nil {
		t.Fatal(err)
	}
	return p.Key, jobs[0].ID
}

// multiply makes many rows out of one.
func multiply(t *testing.T, db *storetest.Database, table string, ids, texts []string) {
	t.Helper()
	columns := columnsOf(t, db, table)
	id := `lower(hex(randomblob(16)))`
	if db.Postgres {
		id = `gen_random_uuid()`
	}
	values := make([]string, len(columns))
	for i, c := range columns {
		switch {
		case slices.Contains(ids, c):
			values[i] = id
		case slices.Contains(texts, c):
			values[i] = c + ` || ' ' || i`
		default:
			values[i] = c
		}
	}
	db.Exec(t, fmt.Sprintf(`with recursive n (i) as (select 1 union all select i + 1 from n where i < %d)
		insert into %s (%s) select %s from (select * from %s limit 1) as one, n`,
		planRows, table, strings.Join(columns, ", "), strings.Join(values, ", "), table))
}

func columnsOf(t *testing.T, db *storetest.Database, table string) []string {
	t.Helper()
	rows, err := db.Raw.QueryContext(t.Context(), `select * from `+table+` limit 0`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err = errors.Join(err, rows.Err()); err != nil {
		t.Fatal(err)
	}
	return columns
}

// explain is the plan of a statement, line by line.
func explain(t *testing.T, db *storetest.Database, st statement) []string {
	t.Helper()
	how := `explain query plan `
	if db.Postgres {
		how = `explain (costs off) `
	}
	rows, err := db.Raw.QueryContext(t.Context(), how+st.query, st.args...)
	if err != nil {
		t.Fatalf("%s: %v", st.query, err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var line string
		dest := []any{&line}
		if !db.Postgres {
			dest = []any{new(any), new(any), new(any), &line}
		}
		if err := rows.Scan(dest...); err != nil {
			t.Fatal(err)
		}
		out = append(out, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", st.query, err)
	}
	return out
}

var (
	// A scan in the order of an index ends at the statement's limit.
	sqliteScan   = regexp.MustCompile(`^SCAN (\w+)$`)
	postgresScan = regexp.MustCompile(`Seq Scan on (\w+?)(?:_rest)?(?: \w+)?$`)
)

// small are names in plans that stand for no large table: settings, and parts
// of a query.
var small = []string{
	"setting", "channel", "endpoint", "hop", "d", "refusal", "refusal_day", "attention", "probe",
}

// readWhole lists the tables that a plan reads as a whole.
func readWhole(db *storetest.Database, plan []string) (tables []string) {
	scan := sqliteScan
	if db.Postgres {
		scan = postgresScan
	}
	for _, line := range plan {
		m := scan.FindStringSubmatch(strings.TrimSpace(line))
		if m != nil && !slices.Contains(small, m[1]) {
			tables = append(tables, m[1])
		}
	}
	return tables
}
