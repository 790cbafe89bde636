package store

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/seal"
)

// TestNoticesOfAChannelUseTheIndex checks that a channel's notices are listed
// without reading those of others.
func TestNoticesOfAChannelUseTheIndex(t *testing.T) {
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
	var plan strings.Builder
	err = each(t.Context(), s.db, `explain query plan `+noticesByChannelQuery, []any{"f", 100, "channel-key-1"}, func(rows *sql.Rows) error {
		var id, parent, unused int
		var detail string
		err := rows.Scan(&id, &parent, &unused, &detail)
		plan.WriteString(detail + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if text := plan.String(); !strings.Contains(text, "notice_by_channel (channel_key=? AND ") || strings.Contains(text, "SCAN ") || strings.Contains(text, "TEMP B-TREE") {
		t.Errorf("the plan is\n%s", text)
	}
}
