package action

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// attended has the endpoint want attention, and nothing else.
func attended(a *settings.All) { a.Endpoints[0].Events = []string{string(webhook.Attention)} }

// listen runs Deadlines and Silence on a bench whose endpoint wants attention, and
// returns the silence and its log.
func (b *bench) listen() (*Silence, *bytes.Buffer) {
	b.Helper()
	b.save(attended)
	var log bytes.Buffer
	desk := &attention.Desk{Store: b.store.Reader, Providers: all.ByCode}
	s := &Silence{Store: b.store, Desk: desk, NewID: b.id, Log: slog.New(slog.NewTextHandler(&log, nil))}
	d := &Deadlines{Store: b.store, NewID: b.id, Expired: s.Look}
	b.Registered = d.Sooner
	b.store.OnSettings(desk.Refresh)
	b.run(d.Run)
	b.run(s.Run)
	return s, &log
}

// issue registers accounts that become due an hour from now.
func (b *bench) issue(ids ...payment.ID) {
	b.Helper()
	for _, id := range ids {
		g := order(id, time.Now().Add(time.Hour))
		g.Account.Number += "7"
		if _, _, err := b.RegisterAccount(b.Context(), shop, g); err != nil {
			b.Fatal(err)
		}
	}
}

// hear settles a notice of the channel that is refused: it is one all the same.
func (b *bench) hear(how string) {
	b.Helper()
	id := notice.ID(fmt.Sprintf("%08x-%04x-7000-9000-%012d", time.Now().UnixMilli()>>16, time.Now().UnixMilli()&0xffff, b.ids.Add(1)))
	in := notice.Inbound{
		ID: id, At: time.Now(), Provider: "kcp_v2", Peer: netip.MustParseAddr("203.0.113.7"), Request: notice.Request{Method: how},
		Ruled: &notice.Ruling{Verdict: payment.Refused, Reason: notice.ReasonAddress, Channel: "channel-1"},
	}
	if _, err := b.store.Settle(b.Context(), []notice.Inbound{in}, wait); err != nil {
		b.Fatal(err)
	}
}

// told is how often the log tells of a silent channel, and how many deliveries of
// attention there are.
func (b *bench) told(log *bytes.Buffer) string {
	b.Helper()
	c, err := b.store.Claim(b.Context(), time.Now(), time.Microsecond, webhook.Room{
		Total: 100, Retries: 100, Of: func(string, []webhook.Job) int { return 100 },
	})
	if err != nil {
		b.Fatal(err)
	}
	return fmt.Sprintf("%d logged, %d webhooks", strings.Count(log.String(), "a channel is silent"), len(c.Jobs))
}

func TestSilence(t *testing.T) {
	inBubble(t, func(b *bench) {
		_, log := b.listen()
		want := func(when, want string) {
			t.Helper()
			if got := b.told(log); got != want {
				t.Errorf("%s: %s, want %s", when, got, want)
			}
		}
		b.issue("a1", "a2")
		sleep(2 * time.Hour)
		want("two accounts became due", "0 logged, 0 webhooks")
		b.issue("a3")
		sleep(2 * time.Hour)
		want("the third became due", "1 logged, 1 webhooks")
		b.issue("a4", "a5", "a6", "a7")
		sleep(100 * time.Hour)
		want("the silence goes on", "1 logged, 1 webhooks")
		b.hear("POST")
		sleep(time.Second)
		b.issue("b1", "b2")
		sleep(2 * time.Hour)
		b.hear("INQUIRY") // the PG was asked: it sent nothing
		want("a notice came, then two became due", "1 logged, 1 webhooks")
		b.issue("b3")
		sleep(2 * time.Hour)
		want("it fell silent again", "2 logged, 2 webhooks")
	})
}

// TestSilenceOfADisabledChannel: nobody is told of a channel that is switched off,
// and at once of one that is switched on again, by whichever node looks first.
func TestSilenceOfADisabledChannel(t *testing.T) {
	inBubble(t, func(b *bench) {
		s, log := b.listen()
		b.issue("a1", "a2", "a3")
		b.save(func(a *settings.All) { attended(a); a.Channels[0].Disabled = true })
		sleep(3 * time.Hour)
		if got := b.told(log); got != "0 logged, 0 webhooks" {
			t.Errorf("of a disabled channel: %s", got)
		}
		b.save(attended)
		other := &Silence{Store: b.store, Desk: &attention.Desk{Store: b.store.Reader, Providers: all.ByCode}, NewID: b.id, Log: s.Log}
		b.run(other.Run)
		s.Look("channel-1")
		s.Look("channel-none")
		sleep(time.Minute)
		if got := b.told(log); got != "1 logged, 1 webhooks" {
			t.Errorf("of a channel that is in use again: %s", got)
		}
	})
}
