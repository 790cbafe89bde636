package action

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/settings"
)

// cards makes the bench's channel one without accounts.
func cards(all *settings.All) { all.Channels[0].Methods = []string{"CARD"} }

// TestPathWaits: webhooks are waited for as long as a shop may take, and no longer where
// nobody sends them.
func TestPathWaits(t *testing.T) {
	for name, tt := range map[string]struct {
		site        shopSite // nil: no server sends webhooks
		key         string
		least, most time.Duration
	}{
		"nobody who sends":          {nil, "path.untried", 2 * PathWait, 2*PathWait + time.Second},
		"a shop that takes 20 s":    {says(200, "", 20*time.Second), "path.answered", 40 * time.Second, 42 * time.Second},
		"a shop that never answers": {says(200, "", time.Hour), "path.no_answer", 40 * time.Second, 2 * PathWait},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				b.windows()
				b.save(cards)
				if tt.site != nil {
					b.hooks(tt.site)
				}
				began := time.Now()
				x, err := b.TryPath(b.Context(), shop, "channel-1", func(notice.PathTest) {})
				took := time.Since(began)
				if err != nil || took < tt.least || took > tt.most {
					t.Errorf("it took %v, %v; want %v to %v", took, err, tt.least, tt.most)
				}
				n := 0
				for _, r := range x.Rungs {
					if r.Key == tt.key {
						n++
					}
				}
				if n != 2 { // of the payment, and of its cancellation
					t.Errorf("%d steps say %s: %+v", n, tt.key, x.Rungs)
				}
			})
		})
	}
}

// TestPathTurns: a store has as many tests in a minute as test notices.
func TestPathTurns(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		b.save(cards)
		r := &PathTests{Actions: b.Actions}
		for range RehearsalsOfStore {
			if _, err := r.Begin(b.Context(), shop, "channel-1"); err != nil {
				t.Fatal(err)
			}
			<-r.queue()
		}
		if _, err := r.Begin(b.Context(), shop, "channel-1"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("one more: %v", err)
		}
		sleep(time.Minute)
		if _, err := r.Begin(b.Context(), shop, "channel-1"); err != nil {
			t.Errorf("a minute later: %v", err)
		}
		live := shop
		live.Mode = merchant.Live
		if _, err := r.Begin(b.Context(), live, "channel-1"); !fault.Is(err, fault.Forbidden) {
			t.Errorf("for who sees live payments alone: %v", err)
		}
	})
}
