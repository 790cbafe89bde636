package attention_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// A room is a desk over a database.
type room struct {
	*testing.T
	db    *storetest.Database
	store *store.Store
	desk  *attention.Desk
	now   time.Time
	acts  *action.Actions
	log   int
}

var (
	everything = attention.Scope{Merchant: storetest.Merchant, Mode: merchant.Test}
	operators  = attention.Scope{Merchant: storetest.Merchant, Mode: merchant.Test, Installation: true}
)

// onEach runs a test on both engines.
func onEach(t *testing.T, test func(*room)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		r := &room{T: t, db: db, store: db.Open(t), now: time.Now().UTC().Truncate(time.Microsecond)}
		r.desk = &attention.Desk{Store: r.store.Reader, Providers: all.ByCode}
		r.store.OnSettings(r.desk.Refresh)
		r.acts = &action.Actions{Store: r.store, Providers: all.ByCode, Judge: func(settings.All) notice.Judge { return storetest.Judge }}
		test(r)
	})
}

// list is what the desk lists, and rows what a test says of it: kind, count and subject
// or what it is about.
func (r *room) list(scope attention.Scope) []attention.Item {
	r.Helper()
	l, err := r.desk.List(r.Context(), scope, r.now)
	if err != nil {
		r.Fatal(err)
	}
	return l.Items
}

func rows(list []attention.Item) (out []string) {
	for _, i := range list {
		out = append(out, fmt.Sprintf("%s %d", i.Kind, i.Count))
	}
	slices.Sort(out)
	return out
}

func (r *room) want(when string, scope attention.Scope, want ...string) {
	r.Helper()
	slices.Sort(want)
	if diff := cmp.Diff(want, rows(r.list(scope))); diff != "" {
		r.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// settle has notices ruled on as told.
func (r *room) settle(ruling notice.Ruling, list ...notice.Inbound) {
	r.Helper()
	for _, in := range list {
		in.Ruled = &ruling
		in.At = r.now.Add(-time.Minute)
		res, err := r.store.Settle(r.Context(), []notice.Inbound{in}, storetest.Judge)
		if err != nil || res[0].Err != nil {
			r.Fatal(err, res)
		}
	}
}

func told(peer string) notice.Inbound {
	in := storetest.Told(storetest.Channel, "o", storetest.Deposit("o", storetest.NewID()))
	in.Peer = netip.MustParseAddr(peer)
	return in
}

// save changes the settings.
func (r *room) save(edit func(*settings.All)) {
	r.Helper()
	a, err := r.store.Settings(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	edit(&a)
	if err := r.store.SaveSettings(r.Context(), a, r.now); err != nil {
		r.Fatal(err)
	}
}

// register makes accounts that wait.
func (r *room) register(c merchant.ChannelKey, due time.Time, ids ...string) {
	r.Helper()
	for _, id := range ids {
		g := storetest.Registration(id)
		g.Channel, g.Account.ExpiresAt = c, due
		if _, _, err := r.store.Register(r.Context(), g, storetest.Registering(due.Add(-time.Hour))); err != nil {
			r.Fatal(err)
		}
	}
}

// expire flags all that is due.
func (r *room) expire() {
	r.Helper()
	if _, err := r.store.Expire(r.Context(), r.now, 100, 0, func(p payment.Payment) (notice.Expiry, error) {
		d := p.Decide(payment.Report{Event: payment.EventExpired}, payment.Env{Now: r.now, NewID: storetest.NewID})
		return notice.Expiry{Payment: d.Payment}, nil
	}); err != nil {
		r.Fatal(err)
	}
}

// try ends everything that is due with an outcome, each job with one try.
func (r *room) try(o webhook.Outcome, certificate time.Time) {
	r.Helper()
	r.log++
	at := r.now.Add(time.Duration(r.log-1000) * time.Second)
	c, err := r.store.Claim(r.Context(), r.now, time.Minute, webhook.Room{Total: 100, Retries: 100, Of: func(string, []webhook.Job) int { return 100 }})
	if err != nil || len(c.Jobs) == 0 {
		r.Fatalf("%d jobs, %v", len(c.Jobs), err)
	}
	for _, j := range c.Jobs {
		f := webhook.Finish{Job: j, State: webhook.Undone, Attempt: webhook.Attempt{
			ID: webhook.AttemptID(storetest.NewID()), Delivery: j.ID, Webhook: j.ID, Endpoint: j.Endpoint, Number: j.Tries + 1, At: at, Took: time.Second,
			URL: j.URL, Outcome: o, RequestBody: j.Body, Trace: webhook.Trace{Certificate: certificate},
		}}
		if o == webhook.Good {
			f.State = webhook.Completed
		}
		if j.Original != "" {
			f.Attempt.Webhook = j.Original
		}
		errs, err := r.store.Finish(r.Context(), []webhook.Finish{f})
		if err != nil || errs[0] != nil {
			r.Fatal(err, errs)
		}
	}
}

var someone = action.Caller{
	Merchant: storetest.Merchant, Store: storetest.Store, Mode: merchant.Test,
	By: member.By{Kind: member.Person, ID: "m-1", Name: "김담당"},
}

// ack acknowledges the first thing of a kind.
func (r *room) ack(kind attention.Kind) {
	r.Helper()
	list := r.list(operators)
	i := slices.IndexFunc(list, func(i attention.Item) bool { return i.Kind == kind })
	if i < 0 {
		r.Fatalf("nothing is %s: %v", kind, rows(list))
	}
	if err := r.acts.Acknowledge(r.Context(), someone, list[i], "PG에 물어봤어요"); err != nil {
		r.Fatal(err)
	}
}

func TestNothing(t *testing.T) {
	onEach(t, func(r *room) { r.want("at first", operators) })
}

func TestCases(t *testing.T) {
	onEach(t, func(r *room) {
		ruled := func(v payment.Verdict, c merchant.ChannelKey) notice.Ruling {
			return notice.Ruling{Verdict: v, Reason: notice.ReasonUnknownOrder, Channel: c}
		}
		r.settle(ruled(payment.Unmatched, storetest.Channel), told("203.0.113.1"))
		r.settle(ruled(payment.Conflict, storetest.Channel), told("203.0.113.1"))
		r.settle(ruled(payment.Pending, storetest.Channel), told("203.0.113.1"))
		r.settle(notice.Ruling{Verdict: payment.Applied, Channel: storetest.Channel, Listed: true}, told("203.0.113.1"))
		r.settle(ruled(payment.Conflict, storetest.LiveChannel), told("203.0.113.1"))
		r.settle(ruled(payment.Unmatched, ""), told("203.0.113.1"))
		r.want("a PG is being asked", everything, "unmatched 1", "conflict 1", "listed 1")
		r.want("to the operator", operators, "unmatched 1", "unmatched 1", "conflict 1", "listed 1")
		r.want("live", attention.Scope{Merchant: storetest.Merchant, Mode: merchant.Live}, "conflict 1")
		r.want("to another merchant", attention.Scope{Merchant: "merchant-2", Mode: merchant.Test})
		r.want("to another store", attention.Scope{Merchant: storetest.Merchant, Store: "store-2", Mode: merchant.Test})
		r.now = r.now.Add(time.Hour)
		r.want("its answer is overdue", everything, "unmatched 1", "conflict 1", "listed 1", "pending 1")
		list := r.list(everything)
		if !slices.IsSortedFunc(list, func(a, b attention.Item) int { return a.Since.Compare(b.Since) }) {
			t.Errorf("the oldest is not first: %+v", list)
		}
		for _, i := range list {
			if i.Closes() == (i.Kind == attention.PendingLong) || i.Acknowledgeable() {
				t.Errorf("%s: closes %v, is acknowledged %v", i.Kind, i.Closes(), i.Acknowledgeable())
			}
			if !i.Closes() {
				continue
			}
			if _, err := r.acts.CloseCase(r.Context(), someone, i.Case, "확인했어요"); err != nil {
				t.Fatal(err)
			}
		}
		r.want("closed", everything, "pending 1")
	})
}

func TestRefusals(t *testing.T) {
	onEach(t, func(r *room) {
		refused := notice.Ruling{Verdict: payment.Refused, Reason: notice.ReasonAddress, Channel: storetest.Channel}
		r.settle(refused, told("203.0.113.7"), told("203.0.113.7"), told("203.0.113.8"))
		r.settle(notice.Ruling{Verdict: payment.Unreadable, Reason: notice.ReasonUnreadable, Channel: storetest.Channel}, told("203.0.113.7"))
		r.settle(notice.Ruling{Verdict: payment.Refused, Reason: notice.ReasonAddress}, told("203.0.113.9"))
		r.want("refused and unreadable", everything, "refused 2", "refused 1", "unreadable 1")
		r.want("to the operator", operators, "refused 2", "refused 1", "refused 1", "unreadable 1")
		r.ack(attention.Unreadable)
		r.want("one is acknowledged", everything, "refused 2", "refused 1")
		r.now = r.now.Add(time.Minute)
		r.settle(notice.Ruling{Verdict: payment.Unreadable, Reason: notice.ReasonUnreadable, Channel: storetest.Channel}, told("203.0.113.7"))
		r.want("and comes again", everything, "refused 2", "refused 1", "unreadable 2")
		for n := range 20 {
			r.settle(refused, told(fmt.Sprint("198.51.100.", n+1)))
		}
		list := r.list(everything)
		i := slices.IndexFunc(list, func(i attention.Item) bool { return i.Kind == attention.Refused })
		if len(list) != 2 || list[i].Folded != 22 || list[i].Count != 23 || list[i].Acknowledgeable() {
			t.Errorf("of 22 addresses: %+v", list)
		}
		r.now = r.now.Add(40 * 24 * time.Hour)
		r.want("forty days later", everything)
	})
}

func TestDeliveries(t *testing.T) {
	onEach(t, func(r *room) {
		r.register(storetest.Channel, r.now.Add(time.Hour), "o-1", "o-2")
		r.try(webhook.NoAnswer, time.Time{})
		r.want("both failed", everything, "delivery_failed 2", "endpoint_never 1")
		p, err := r.store.Payment(r.Context(), storetest.Store, "o-1", merchant.Test)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.store.Resend(r.Context(), p.Key, "", r.now); err != nil {
			t.Fatal(err)
		}
		r.try(webhook.Good, r.now.Add(13*24*time.Hour))
		r.want("one was resent well", everything, "delivery_failed 1", "certificate_ending 1")
		r.want("to another store", attention.Scope{Merchant: storetest.Merchant, Store: "store-2", Mode: merchant.Test})
		r.want("live", attention.Scope{Merchant: storetest.Merchant, Mode: merchant.Live})
		r.ack(attention.DeliveriesFailed)
		r.ack(attention.CertificateEnding)
		r.want("acknowledged", everything)
		r.register(storetest.Channel, r.now.Add(time.Hour), "o-3", "o-4", "o-5", "o-6", "o-7")
		r.try(webhook.BadAnswer, r.now.Add(15*24*time.Hour))
		r.want("five more failed", everything, "delivery_failed 6", "endpoint_down 1")
		r.ack(attention.EndpointDown)
		r.register(storetest.Channel, r.now.Add(time.Hour), "o-8")
		r.try(webhook.BadAnswer, time.Time{})
		r.want("the outage goes on", everything, "delivery_failed 7")
		r.save(func(a *settings.All) { a.Endpoints[0].Paused = true })
		r.want("paused", everything, "delivery_failed 7")
	})
}

func TestSilentChannel(t *testing.T) {
	onEach(t, func(r *room) {
		r.register(storetest.Channel, r.now.Add(-time.Hour), "o-1", "o-2")
		r.expire()
		r.want("two became due", everything, "overdue 2")
		r.ack(attention.DepositOverdue)
		r.want("acknowledged", everything)
		r.register(storetest.OtherOne, r.now.Add(-2*time.Hour), "p-1")
		r.expire()
		r.want("one on another channel", everything, "overdue 1")
		r.register(storetest.Channel, r.now.Add(-time.Minute), "o-3")
		r.expire()
		r.want("the third", everything, "overdue 1", "silent 3")
		r.ack(attention.ChannelSilent)
		r.want("its silence is acknowledged, and so are its accounts", everything, "overdue 1")
		r.want("to another store", attention.Scope{Merchant: storetest.Merchant, Store: "store-2", Mode: merchant.Test})
		r.db.Exec(t, `update payment set state = 'PAID'`)
		r.want("all were paid", everything)
		r.now = r.now.Add(10 * 24 * time.Hour)
		r.db.Exec(t, `update payment set state = 'VIRTUAL_ACCOUNT_ISSUED'`)
		r.want("ten days later", everything)
	})
}

func TestSecrets(t *testing.T) {
	onEach(t, func(r *room) {
		secret := func(n int, mode merchant.Mode, left time.Duration) settings.APISecret {
			return settings.APISecret{Hash: fmt.Sprint(n), APISecret: merchant.APISecret{
				ID: fmt.Sprintf("00000000-0000-7000-8000-%012d", n), Merchant: storetest.Merchant, Store: storetest.Store,
				Name: fmt.Sprint("s", n), Mode: mode, ExpiresAt: r.now.Add(left),
			}}
		}
		const day = 24 * time.Hour
		r.save(func(a *settings.All) {
			a.APISecrets = []settings.APISecret{
				secret(1, merchant.Test, 13*day), secret(2, merchant.Any, -day), secret(3, merchant.Test, 15*day),
				secret(4, merchant.Live, day), secret(5, merchant.Test, -8*day),
			}
		})
		r.want("of the mode or of both", everything, "secret_ending 1", "secret_ending 1")
		list := r.list(everything)
		if list[0].Name != "s2" || !list[0].Ends.Equal(r.now.Add(-day)) {
			t.Errorf("first is %+v", list[0])
		}
		r.ack(attention.SecretEnding)
		r.want("one is acknowledged", everything, "secret_ending 1")
	})
}

// TestUnclear: cancellations whose end no PG tells, and payments that are to be looked at.
func TestUnclear(t *testing.T) {
	onEach(t, func(r *room) {
		r.register(storetest.Channel, r.now.Add(time.Hour), "o-1", "o-2")
		r.try(webhook.Good, time.Time{})
		p, err := r.store.Payment(r.Context(), storetest.Store, "o-1", merchant.Test)
		if err != nil {
			t.Fatal(err)
		}
		due := r.now.Add(5 * time.Minute)
		_, err = r.store.Act(r.Context(), notice.Act{Payment: p.Key, Do: func(p *payment.Payment) (notice.Acted, error) {
			out := *p
			out.Cancellations = []payment.Cancellation{{ID: "c-1", State: payment.CancelRequested, Amount: payment.Won(1000), RequestedAt: r.now.Add(-time.Hour)}}
			return notice.Acted{Payment: out, Changed: true, Ask: due}, nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		r.want("the PG is asked soon", everything)
		r.db.Exec(t, `update inquiry set due_at = $1`, r.now.Add(7*24*time.Hour).UnixMicro())
		r.want("it cannot be asked", everything, "cancel_unclear 1")
		r.ack(attention.CancelUnclear)
		r.want("acknowledged", everything)
		concern, _ := json.Marshal(webhook.Concern{Kind: "listed", Reason: "for_a_person", Channel: storetest.Channel, Subject: "o-2"})
		raise := func(ago time.Duration) {
			r.db.Exec(t, `insert into event (id, type, at, merchant_id, store_id, mode, payment_key, payment_id, transaction_id, cancellation_id, billing_key,
				state, deposited, concern, fanout) select `+r.uuid()+`, 'tongbo.attention', $1, merchant_id, store_id, mode, key, id, '', '', '', state, false, $2, 0
				from payment where id = 'o-2'`, r.now.Add(-ago).UnixMicro(), string(concern))
		}
		raise(2 * time.Hour)
		raise(time.Hour)
		r.want("a payment is listed", everything, "payment_listed 1")
		r.ack(attention.PaymentListed)
		r.want("acknowledged, too", everything)
		raise(time.Minute)
		r.want("and listed again", everything, "payment_listed 1")
	})
}

// uuid is SQL for a new id.
func (r *room) uuid() string { return "'" + storetest.NewID() + "'" }
