package cli

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/store"
)

// TestSweepList lists accounts about which PGs are to be asked.
func TestSweepList(t *testing.T) {
	t.Parallel()
	file, database := shopFile(t)
	if code, _, errs := run(t, "", "apply", database, file); code != exitOK {
		t.Fatal(errs)
	}
	key, err := seal.LoadFile(filepath.Join(filepath.Dir(file), "t.db.key"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), strings.TrimPrefix(database, "--database="), store.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	all, err := st.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ch := all.Channels[0]
	deadlines := []time.Time{time.Date(2100, 1, 1, 3, 0, 0, 0, time.UTC), time.Date(2100, 1, 2, 3, 0, 0, 0, time.UTC)}
	for i, at := range deadlines {
		_, _, err := server.Verbs(st, quiet()).RegisterAccount(t.Context(), action.Caller{Merchant: ch.Merchant, Store: ch.Store, Mode: merchant.Any}, payment.Registration{
			ID: payment.ID("order-" + string(rune('1'+i))), Channel: ch.Key, OrderName: "책", Amount: payment.Won(1000),
			Account: payment.Account{Bank: "IBK", Number: "123-456", ExpiresAt: at},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, e := range []notice.Enlisting{{Why: notice.SweepDue, Until: deadlines[0]}, {Why: notice.SweepOutage, After: deadlines[0]}} {
		e.When = func(_ merchant.ChannelKey, deadline time.Time) time.Time { return deadline }
		if _, err := st.Enlist(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args  []string
		lines []string // what they begin and end with
	}{
		"all":         {nil, []string{"NEXT (KST) … TRIES", "01-01 12:00:00 … due     0", "01-02 12:00:00 … outage  0"}},
		"an outage's": {[]string{"--outage"}, []string{"NEXT (KST) … TRIES", "01-02 12:00:00 … outage  0"}},
		"as JSON":     {[]string{"--json", "--limit", "1"}, []string{`{"channel":"` + string(ch.Key) + `" … ,"why":"due","tries":0,"due":"2100-01-01T03:00:00Z"}`}},
	} {
		code, out, errs := run(t, "", append([]string{"sweep", database}, c.args...)...)
		got := strings.Split(strings.TrimSpace(out), "\n")
		if code != exitOK || len(got) != len(c.lines) {
			t.Errorf("%s: %d, %d lines, want %d\n%s%s", name, code, len(got), len(c.lines), out, errs)
			continue
		}
		for i, want := range c.lines {
			begin, end, _ := strings.Cut(want, " … ")
			if !strings.HasPrefix(got[i], begin) || !strings.HasSuffix(got[i], end) {
				t.Errorf("%s, line %d is %q, want %q", name, i+1, got[i], want)
			}
		}
	}
}
