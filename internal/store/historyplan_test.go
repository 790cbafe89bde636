package store

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/seal"
)

// TestHistoryUsesIndexes checks that no history is read by scanning a table:
// the cost must not grow with what was delivered to others.
func TestHistoryUsesIndexes(t *testing.T) {
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "t.db"), Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	tests := []struct {
		query   string
		indexes []string
	}{
		{sentQuery, []string{"delivery_by_payment", "delivery_end_by_payment"}},
		{lastAttemptQuery, []string{"attempt_by_webhook"}},
		{attemptsQuery, []string{"attempt_by_webhook"}},
	}
	for _, test := range tests {
		var plan []string
		err := each(t.Context(), s.db, `explain query plan `+test.query, []any{"x"}, func(rows *sql.Rows) error {
			var id, parent, unused int
			var detail string
			err := rows.Scan(&id, &parent, &unused, &detail)
			plan = append(plan, detail)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(plan, "\n")
		for _, index := range test.indexes {
			if !strings.Contains(text, index+" ") {
				t.Errorf("the plan does not use %s:\n%s", index, text)
			}
		}
		if i := slices.IndexFunc(plan, func(s string) bool { return strings.HasPrefix(s, "SCAN ") && s != "SCAN d" }); i >= 0 {
			t.Errorf("the plan reads a whole table (%s):\n%s", plan[i], text)
		}
	}
}
