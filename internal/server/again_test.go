package server_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// A desk is where a person works on notices: an ingress, the verbs and a store.
type desk struct {
	*testing.T
	db      *storetest.Database
	store   *store.Store
	ingress *ingress.Ingress
	actions *action.Actions
	as      action.Caller // who replays
}

// machine is whoever has the machine: it sees what no channel has, too.
var machine = action.Caller{Mode: merchant.Any, By: member.By{Kind: member.CLI, Name: "root"}}

// person is who works there.
var person = action.Caller{
	Merchant: storetest.Merchant, Store: storetest.Store, Mode: merchant.Test,
	By: member.By{Kind: member.Person, ID: "m-1", Name: "you@example.kr", Address: "192.0.2.1"},
}

// atDesk runs a test on a desk of each engine, after edit has changed the settings.
func atDesk(t *testing.T, edit func(*settings.All), test func(*desk)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		quiet := slog.New(slog.DiscardHandler)
		d := &desk{T: t, db: db, store: db.Open(t), as: person}
		d.ingress = &ingress.Ingress{Store: d.store, Providers: all.Providers(), Log: quiet}
		d.actions = &action.Actions{
			Store: d.store, Judge: d.ingress.Judge, Again: d.ingress.Again, ByHand: ingress.ByHand, Providers: all.ByCode, Log: quiet,
			Hash: func(purpose, _ string) string { return purpose },
		}
		d.store.OnSettings(d.ingress.Refresh)
		d.store.OnSettings(d.actions.Refresh)
		d.change(edit)
		ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
		var wg sync.WaitGroup
		running := d.ingress // a test may put another in its place
		wg.Go(func() { _ = running.Run(ctx) })
		t.Cleanup(func() { stop(); wg.Wait() })
		test(d)
		if _, err := d.store.Verify(t.Context(), func(p store.Problem) { t.Errorf("%s %s: %s", p.Kind, p.Subject, p.Text) }); err != nil {
			t.Error(err)
		}
	})
}

func (d *desk) change(edit func(*settings.All)) {
	d.Helper()
	all, err := d.store.Settings(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	edit(&all)
	if err := d.store.SaveSettings(d.Context(), all, time.Now()); err != nil {
		d.Fatal(err)
	}
}

// trusts has the first test channel admit an address.
func trusts(a string) func(*settings.All) {
	return func(s *settings.All) {
		list := append(provider.Loopback(), netip.PrefixFrom(netip.MustParseAddr(a), 32))
		s.Channels[0].Senders = &list
	}
}

func asItIs(*settings.All) {}

// waits registers an account for 1000 won.
func (d *desk) waits(id payment.ID, edit ...func(*payment.Registration)) payment.Payment {
	d.Helper()
	g := payment.Registration{
		ID: id, Channel: storetest.Channel, OrderName: "책", Amount: payment.Won(1000),
		Account: payment.Account{Bank: "SHINHAN", Number: secret.Account("110-" + string(id))},
	}
	for _, f := range edit {
		f(&g)
	}
	p, _, err := d.actions.RegisterAccount(d.Context(), person, g)
	if err != nil {
		d.Fatal(err)
	}
	return p
}

// told is the notice of 1000 won for an order.
func told(order, id string, edit ...func(*notice.Notice)) notice.Notice {
	n := notice.Notice{Merchant: "T0000", Order: order}
	n.Event, n.Deposit, n.PGTx = payment.EventDeposited, id, "tx-"+order
	n.Amount, n.HasAmount, n.Account, n.At = payment.Won(1000), true, secret.Account("110-"+order), time.Now().Truncate(time.Second)
	for _, f := range edit {
		f(&n)
	}
	return n
}

// hears takes a notice that KCP sends from an address, and returns its id.
func (d *desk) hears(from string, n notice.Notice) notice.ID {
	d.Helper()
	kcp, _ := all.ByCode("kcp")
	return d.takes(from, kcp.Encode(n, nil))
}

func (d *desk) takes(from string, in notice.Request) notice.ID {
	d.Helper()
	r := httptest.NewRequestWithContext(d.Context(), in.Method, in.Path, bytes.NewReader(in.Body))
	maps.Copy(r.Header, in.Header)
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(from), 40000).String()
	d.ingress.ServeHTTP(httptest.NewRecorder(), r)
	list, err := d.store.Notices(d.Context(), store.NoticeQuery{Limit: 1})
	if err != nil || len(list) != 1 {
		d.Fatalf("%d notices, %v", len(list), err)
	}
	return list[0].ID
}

// verdict is what a notice's is now, as "verdict reason".
func (d *desk) verdict(id notice.ID) string {
	d.Helper()
	list, err := d.store.Notices(d.Context(), store.NoticeQuery{Limit: 1000})
	if err != nil {
		d.Fatal(err)
	}
	for _, n := range list {
		if n.ID == id {
			return strings.TrimSpace(string(n.Verdict) + " " + string(n.Reason))
		}
	}
	return "gone"
}

func (d *desk) wants(id notice.ID, want string) {
	d.Helper()
	if got := d.verdict(id); got != want {
		d.Errorf("the notice is %s, want %s", got, want)
	}
}

func (d *desk) state(id payment.ID) payment.State {
	d.Helper()
	p, err := d.store.Payment(d.Context(), storetest.Store, id, merchant.Any)
	if err != nil {
		d.Fatal(err)
	}
	return p.State
}

// replays has a notice decided again, dry and then for good, of which both say the same.
func (d *desk) replays(id notice.ID) notice.Redecided {
	d.Helper()
	before := d.verdict(id)
	dry, err := d.actions.Replay(d.Context(), d.as, id, true)
	if err != nil {
		d.Fatal(err)
	}
	d.wants(id, before)
	r, err := d.actions.Replay(d.Context(), d.as, id, false)
	if err != nil {
		d.Fatal(err)
	}
	if dry.Verdict != r.Verdict || dry.Reason != r.Reason || dry.Changes != r.Changes || len(dry.Emissions) != len(r.Emissions) {
		d.Errorf("dry it is %s %s (%d webhooks), and then %s %s (%d)", dry.Verdict, dry.Reason, len(dry.Emissions), r.Verdict, r.Reason, len(r.Emissions))
	}
	return r
}

func (d *desk) audited(what string) int {
	d.Helper()
	return d.db.Count(d, `select count(*) from audit where action = $1`, what)
}

const paidEvents = `select count(*) from event where type = 'Transaction.Paid'`

// TestReplayRefused: a notice that was refused by its address counts once the address is
// trusted, once, however often it is replayed and sent.
func TestReplayRefused(t *testing.T) {
	atDesk(t, asItIs, func(d *desk) {
		d.waits("o-1")
		const from = "198.51.100.7"
		id, again := d.hears(from, told("o-1", "D1")), d.hears(from, told("o-1", "D1"))
		d.wants(id, "refused sender_not_listed")
		if r := d.replays(id); r.Changes || d.audited("notice.replayed") != 0 {
			d.Errorf("before the address is trusted it changes: %+v", r)
		}
		d.change(trusts(from))
		r := d.replays(id)
		if r.Verdict != payment.Applied || r.Was == nil || r.Was.State != payment.Issued || r.Is.State != payment.Paid || len(r.Emissions) != 1 {
			d.Errorf("replayed it is %+v", r)
		}
		if d.state("o-1") != payment.Paid || d.db.Count(d, paidEvents) != 1 || d.audited("notice.replayed") != 1 {
			d.Errorf("payment %s, %d events, %d entries", d.state("o-1"), d.db.Count(d, paidEvents), d.audited("notice.replayed"))
		}
		if r := d.replays(id); r.Changes || r.Verdict != payment.Applied {
			d.Errorf("a second time it is %+v", r)
		}
		if r := d.replays(again); r.Verdict != payment.Duplicate {
			d.Errorf("its copy is %s", r.Verdict)
		}
		d.wants(d.hears(from, told("o-1", "D1")), "duplicate")
		if d.db.Count(d, paidEvents) != 1 {
			d.Error("it was told twice")
		}
		if n := d.db.Count(d, `select count(*) from verdict where notice_id = $1 and verdict = 'refused'`, string(id)); n != 1 {
			d.Errorf("the verdict that it had is kept %d times", n)
		}
	})
}

// blind is a PG module that reads nothing.
type blind struct{ provider.Provider }

// Decode fails.
func (blind) Decode(notice.Request) (notice.Notice, error) {
	return notice.Notice{}, fault.Errorf(fault.Invalid, "not understood")
}

// TestReplayUnreadable: what an earlier release did not understand is read now, and its
// row and case say what it says.
func TestReplayUnreadable(t *testing.T) {
	atDesk(t, asItIs, func(d *desk) {
		knows := d.ingress
		kcp, _ := all.ByCode("kcp")
		d.ingress = &ingress.Ingress{Store: d.store, Providers: []provider.Provider{blind{kcp}}, Log: knows.Log}
		ctx, stop := context.WithCancel(d.Context())
		var wg sync.WaitGroup
		unknowing := d.ingress
		wg.Go(func() { _ = unknowing.Run(ctx) })
		id, lost := d.hears("127.0.0.1", told("o-1", "D1")), d.hears("127.0.0.1", told("o-2", "D2"))
		stop()
		wg.Wait()
		d.ingress = knows
		d.wants(id, "unreadable unreadable")
		if _, err := d.actions.Replay(d.Context(), person, id, true); !fault.Is(err, fault.NotFound) {
			d.Errorf("what no channel has is seen by a merchant: %v", err)
		}
		d.as = machine
		d.waits("o-1")
		if r := d.replays(id); r.Verdict != payment.Applied {
			d.Errorf("it is %s %s", r.Verdict, r.Reason)
		}
		d.replays(lost)
		d.wants(lost, "unmatched unknown_order")
		d.waits("o-2") // decides what waits
		d.wants(lost, "applied")
		d.db.Exec(d, `delete from notice_body where id = $1`, string(d.hears("198.51.100.7", told("o-3", "D3"))))
		list, _ := d.store.Notices(d.Context(), store.NoticeQuery{Limit: 1})
		if _, err := d.actions.Replay(d.Context(), person, list[0].ID, false); !errors.Is(err, notice.ErrBodyGone) {
			d.Errorf("without its bytes: %v", err)
		}
		d.db.Exec(d, `delete from notice where id = $1`, string(list[0].ID))
		for _, id := range []notice.ID{list[0].ID, "no id", ""} {
			if _, err := d.actions.Replay(d.Context(), person, id, false); !fault.Is(err, fault.NotFound) {
				d.Errorf("notice %q: %v, want not found", id, err)
			}
		}
	})
}

// TestReplayOfOthers: a caller sees the notices of its merchant and mode alone.
func TestReplayOfOthers(t *testing.T) {
	atDesk(t, asItIs, func(d *desk) {
		id := d.hears("127.0.0.1", told("o-1", "D1"))
		d.wants(id, "unmatched unknown_order")
		other, live, branch := person, person, person
		other.Merchant, live.Mode, branch.Store = "merchant-2", merchant.Live, "store-2"
		for name, c := range map[string]action.Caller{"another merchant": other, "the other mode": live, "another store": branch} {
			if r, err := d.actions.Replay(d.Context(), c, id, true); !fault.Is(err, fault.NotFound) {
				d.Errorf("%s: %+v, %v, want not found", name, r, err)
			}
		}
		if r, err := d.actions.Replay(d.Context(), machine, id, true); err != nil || r.Changes {
			d.Errorf("the installation's own: %+v, %v", r, err)
		}
	})
}

// TestReplayAsks: where the PG can be asked, a notice that was refused counts only if the
// PG bears it out.
func TestReplayAsks(t *testing.T) {
	const from = "198.51.100.7"
	inicis, _ := all.ByCode("inicis_v2")
	atDesk(t, func(s *settings.All) {
		s.Channels[0].Provider = "inicis_v2"
		s.Channels[0].Credentials = merchant.Credentials{}
		for _, f := range inicis.Info().Fields {
			s.Channels[0].Credentials[f.Name] = "x"
		}
	}, func(d *desk) {
		for _, o := range []payment.ID{"o-1", "o-2"} {
			d.waits(o)
		}
		yes, no := d.takes(from, inicis.Encode(told("o-1", "D1"), nil)), d.takes(from, inicis.Encode(told("o-2", "D2"), nil))
		d.change(trusts(from))
		for _, id := range []notice.ID{yes, no} {
			if r := d.replays(id); r.Verdict != payment.Pending || !r.Asks {
				d.Fatalf("it is %s %s, asks %v", r.Verdict, r.Reason, r.Asks)
			}
		}
		if n := d.db.Count(d, `select count(*) from inquiry`); n != 2 {
			d.Errorf("%d payments are asked about", n)
		}
		d.says("o-1", payment.Standing{State: payment.Paid, Order: "o-1", Amount: payment.Won(1000), HasAmount: true, Deposit: "D1"})
		d.says("o-2", payment.Standing{State: payment.Issued, Order: "o-2"})
		d.wants(yes, "applied")
		d.wants(no, "conflict denied_by_pg")
		if d.state("o-1") != payment.Paid || d.state("o-2") != payment.Issued {
			d.Errorf("the payments are %s and %s", d.state("o-1"), d.state("o-2"))
		}
		fresh := d.takes(from, inicis.Encode(told("o-2", "D3"), nil))
		d.wants(fresh, "applied") // a test channel asks nothing of what was never refused
	})
}

// says has the PG answer, an hour from now, where a payment stands.
func (d *desk) says(id payment.ID, s payment.Standing) {
	d.Helper()
	p, err := d.store.Payment(d.Context(), storetest.Store, id, merchant.Any)
	if err != nil {
		d.Fatal(err)
	}
	all, err := d.store.Settings(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	s.AskedAt = time.Now().Add(time.Hour)
	if _, err := d.store.Act(d.Context(), notice.Act{
		Payment: p.Key, Env: payment.Env{Now: time.Now(), NewID: storetest.NewID}, Judge: d.actions.Judge(all), Channel: storetest.Channel, Standing: &s,
		Do: func(known *payment.Payment) (notice.Acted, error) { return notice.Acted{Payment: *known}, nil },
	}); err != nil {
		d.Fatal(err)
	}
}
