package action

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// TestScheduledAfterARestore restores a backup that was made before scheduled payments
// were charged: the PG is asked again under the same key.
func TestScheduledAfterARestore(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		k := b.key()
		one, two := b.plan("o1", k, time.Hour), b.plan("o2", k, time.Hour)
		file := filepath.Join(t.TempDir(), "backup.db")
		if _, err := store.Backup(b.Context(), "sqlite:"+b.file, file, store.BackupOptions{}); err != nil {
			t.Fatal(err)
		}
		stop := b.schedules()
		sleep(time.Hour)
		stop()
		before := []payment.Payment{b.payment("o1"), b.payment("o2")}
		b.file = file
		b.open()
		b.Store = b.store
		s := &Schedules{Store: b.store, Actions: b.Actions, Log: slog.New(slog.DiscardHandler)}
		b.run(s.Run)
		sleep(time.Second)
		for i, x := range []payment.Schedule{one, two} {
			p := b.payment(x.Payment)
			if id := p.Transactions[0].ID; string(id) != string(x.ID) || id != before[i].Transactions[0].ID || p.Transactions[0].Order != before[i].Transactions[0].Order {
				t.Errorf("%s: the attempt is %+v, was %+v", x.Payment, p.Transactions[0], before[i].Transactions[0])
			}
			if p.State != payment.Paid || g.byKey[string(x.ID)] != 2 {
				t.Errorf("%s is %s; the PG was asked %v", x.Payment, p.State, g.byKey)
			}
		}
	})
}
