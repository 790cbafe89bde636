package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// mostRead is how many rows a step of a plan may read, or sort, to do a page
// or a batch: what a statement's own limit or a batch allows, with some room.
const mostRead = 2500

// flaws says what is wrong with how an engine runs a statement.
func flaws(t *testing.T, db *storetest.Database, st statement, small map[string]bool) []string {
	t.Helper()
	if !db.Postgres {
		return sqliteFlaws(t, db, st, small)
	}
	var out []string
	conn, err := db.Raw.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.Raw(func(driver any) error {
		out, err = postgresFlaws(t.Context(), driver.(*stdlib.Conn).Conn(), st, small)
		return err
	}); err != nil {
		t.Fatalf("%s: %v", st.query, err)
	}
	return out
}

// sqliteFlaws reads the plan, since SQLite does not count what it reads.
func sqliteFlaws(t *testing.T, db *storetest.Database, st statement, small map[string]bool) (out []string) {
	t.Helper()
	rows, err := db.Raw.QueryContext(t.Context(), `explain query plan `+st.query, st.args...)
	if err != nil {
		t.Fatalf("%s: %v", st.query, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var line string
		if err := rows.Scan(new(any), new(any), new(any), &line); err != nil {
			t.Fatal(err)
		}
		words := strings.Fields(line)
		switch {
		case strings.Contains(st.query, "limit 1)") && strings.HasPrefix(line, "SCAN delivery USING COVERING INDEX delivery_ready"):
			// The first of an index: it ends at once.
		case words[0] == "SCAN" && len(words) > 1 && !small[words[1]] && !slices.Contains(parts, words[1]):
			out = append(out, line)
		case strings.HasPrefix(line, "USE TEMP B-TREE") && !slices.ContainsFunc(fewToSort, func(s string) bool { return strings.Contains(st.query, s) }):
			out = append(out, line)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// parts are names in plans that stand for a part of the query, or for a channel.
var parts = []string{"hop", "d", "k", "o", "CONSTANT", "(subquery-1)", "json_each", "page", "part", "t", "counted"}

// fewToSort are words of queries whose sorted rows are those of one payment,
// one name or one store's settings, or the parts of a page.
var fewToSort = []string{
	"from delivery where payment_key = $1", "from delivery where payment_key in (",
	"as part", "where verdict <> 'applied' and payment_key is not null",
	"from channel", "from endpoint", "from merchant", "from store", "from api_", "from allow",
}

// A step is a node of PostgreSQL's plan, with what it really did.
type step struct {
	Type     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Rows     float64 `json:"Actual Rows"`
	Loops    float64 `json:"Actual Loops"`
	Filtered float64 `json:"Rows Removed by Filter"`
	Again    float64 `json:"Rows Removed by Index Recheck"`
	Steps    []step  `json:"Plans"`
}

// postgresFlaws runs the statement and takes it back: once planned for what it
// asks, and once for anything, as PostgreSQL may do with what it prepared.
func postgresFlaws(ctx context.Context, c *pgx.Conn, st statement, small map[string]bool) (out []string, err error) {
	explain := `explain (analyze, timing off, summary off, format json) `
	if strings.HasPrefix(st.query, "insert") || strings.HasPrefix(st.query, "with w0 as (insert") {
		explain = `explain (format json) ` // its row is there by now
	}
	store.KnowColumns(c)
	tx, err := c.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(ctx) }()
	args, places := st.args, make([]string, len(st.args))
	for i := range places {
		places[i] = fmt.Sprintf("$%d", i+1)
	}
	look := func(how, query string, args ...any) error {
		if _, err := tx.Exec(ctx, `savepoint before`); err != nil {
			return err
		}
		var text []byte
		if err := tx.QueryRow(ctx, query, args...).Scan(&text); err != nil {
			return fmt.Errorf("%s: %w", how, err)
		}
		var plan []struct{ Plan step }
		if err := json.Unmarshal(text, &plan); err != nil {
			return err
		}
		for _, f := range plan[0].Plan.flaws(small) {
			out = append(out, how+": "+f)
		}
		_, err := tx.Exec(ctx, `rollback to before`)
		return err
	}
	if err := look("planned for it", explain+st.query, args...); err != nil {
		return nil, err
	}
	if st.once {
		return out, nil
	}
	if _, err := tx.Exec(ctx, `set local plan_cache_mode = force_generic_plan; prepare looked as `+st.query); err != nil {
		return nil, err
	}
	execute := explain + `execute looked`
	if len(places) > 0 {
		execute += `(` + strings.Join(places, ", ") + `)`
	}
	err = look("planned for anything", execute, append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...)
	if _, e := tx.Exec(ctx, `deallocate looked`); err == nil {
		err = e
	}
	return out, err
}

// partition is how the name of a partition ends.
var partition = regexp.MustCompile(`_(rest|2[0-9]{3}_[0-9]{2}(_[0-9]{2})?)$`)

// fewInPartition is how many rows a partition has that is rather read than its
// index.
const fewInPartition = 200

// flaws are those of a step and of what is below it.
func (s step) flaws(small map[string]bool) (out []string) {
	read := (s.Rows + s.Filtered + s.Again) * s.Loops
	table := partition.ReplaceAllString(s.Relation, "")
	few := table != s.Relation && read < fewInPartition // of the next months, or without one
	switch {
	case s.Type == "Seq Scan" && !small[table] && !few:
		out = append(out, fmt.Sprintf("%s is read as a whole: %.0f rows", table, read))
	case s.Relation != "" && read > mostRead:
		out = append(out, fmt.Sprintf("%s reads %.0f rows of %s by %s", s.Type, read, table, s.Index))
	case strings.Contains(s.Type, "Sort") && read > mostRead:
		out = append(out, fmt.Sprintf("%.0f rows are sorted", read))
	}
	for _, below := range s.Steps {
		out = append(out, below.flaws(small)...)
	}
	return out
}
