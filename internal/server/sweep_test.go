package server_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/books"
	"github.com/tongbo/tongbo/internal/provider/tosspayments"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A watchtower is an installation whose PG is a played Toss that sends no notices,
// inside a bubble.
type watchtower struct {
	*testing.T
	store     *store.Store
	actions   *action.Actions
	inquiries *action.Inquiries
	channel   merchant.Channel
	other     merchant.Channel // of the same PG
	ledger    *books.Ledger
	log       bytes.Buffer
	logger    *slog.Logger

	mu    sync.Mutex
	asked []time.Time // when the PG was
	down  bool
	takes atomic.Int64 // transactions that took accounts to ask about
	hangs secret.Text  // the PG never answers whom has this key
}

// RoundTrip is the way to the PG: without a network, which a bubble has not.
func (w *watchtower) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	if r.Method == http.MethodGet {
		w.asked = append(w.asked, time.Now())
	}
	down, hangs := w.down, w.hangs
	w.mu.Unlock()
	if down {
		return nil, http.ErrServerClosed
	}
	if key, _, _ := r.BasicAuth(); key == hangs.Reveal() && hangs != "" {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	rec := httptest.NewRecorder()
	tosspayments.Module.API(w.ledger).ServeHTTP(rec, r)
	return rec.Result(), nil
}

func (w *watchtower) fail(down bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down = down
}

func (w *watchtower) times() []time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]time.Time(nil), w.asked...)
}

func onWatch(t *testing.T, test func(*watchtower)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key, err := seal.New()
		if err != nil {
			t.Fatal(err)
		}
		w := &watchtower{T: t}
		w.logger = slog.New(slog.NewTextHandler(&w.log, nil))
		if w.store, err = store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "t.db"), store.Options{Key: key}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := w.store.Close(); err != nil {
				t.Error(err)
			}
		})
		w.channel = merchant.Channel{
			Key: "channel-key-1", Merchant: "merchant-1", Store: "store-1", Name: "토스", Provider: "tosspayments", Mode: merchant.Test,
			MID: "tvivarepublica", PaymentType: merchant.APIKeyin, BaseURL: "http://pg.example", Unknown: merchant.Hold,
			Credentials: merchant.Credentials{"secret_key": tossKey},
		}
		w.other = w.channel
		w.other.Key, w.other.MID, w.other.Credentials = "channel-key-4", "tvivarepublic4", merchant.Credentials{"secret_key": tossKey + "4"}
		w.ledger = &books.Ledger{Channels: func() []merchant.Channel { return []merchant.Channel{w.channel, w.other} }}
		in := &ingress.Ingress{Store: w.store, Providers: all.Providers(), Log: w.logger}
		w.actions = &action.Actions{Store: w.store, Judge: in.Judge, Providers: all.ByCode, HTTP: &http.Client{Transport: w}}
		w.inquiries = &action.Inquiries{Store: w.store, Actions: w.actions, Learnt: ingress.Learnt, Log: w.logger, Idle: time.Hour}
		at := time.Now().UTC()
		mute := w.channel
		mute.Key, mute.MID, mute.Provider, mute.Credentials = "channel-key-2", "T0000", "kicc", nil
		refunds := mute
		refunds.Key, refunds.MID, refunds.Credentials = "channel-key-3", "T5102001", merchant.Credentials{"secret_key": "easypay-secret"}
		err = w.store.SaveSettings(t.Context(), settings.All{
			Version:   1,
			Merchants: []merchant.Merchant{{ID: "merchant-1", Name: "가나상점"}},
			Stores: []settings.Store{{Store: merchant.Store{ID: "store-1", Merchant: "merchant-1", Name: "대표", Representative: true},
				NoticeSecret: "whsec_QUJD", CreatedAt: at}},
			Channels: []merchant.Channel{w.channel, mute, refunds, w.other},
			Endpoints: []webhook.Endpoint{{
				ID: "00000000-0000-7000-8000-00000000000e", Merchant: "merchant-1", Store: "store-1", Name: "e",
				URL: "https://shop.example/", Mode: merchant.Test, Events: []string{"*", "tongbo.attention"},
				Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.PortOne, CreatedAt: at,
			}},
		}, at)
		if err != nil {
			t.Fatal(err)
		}
		test(w)
	})
}

var caller = action.Caller{Merchant: "merchant-1", Store: "store-1", Mode: merchant.Test}

// issue has the PG issue an account.
func (w *watchtower) issue(id payment.ID, deadline time.Duration) {
	w.Helper()
	w.issueOn(w.channel, id, deadline)
}

func (w *watchtower) issueOn(c merchant.Channel, id payment.ID, deadline time.Duration) {
	w.Helper()
	_, err := w.actions.Issue(w.Context(), caller, action.IssueRequest{Registration: payment.Registration{
		ID: id, Channel: c.Key, OrderName: "책", Amount: payment.Won(1000), Customer: payment.Customer{Name: "홍길동"},
		Account: payment.Account{Bank: "SHINHAN", ExpiresAt: time.Now().Add(deadline)},
	}})
	if err != nil {
		w.Fatal(err)
	}
}

// pay pays money into an account, of which the PG sends no notice.
func (w *watchtower) pay(id payment.ID) {
	w.Helper()
	e, ok := w.ledger.Find(w.channel, func(e provider.Entry) bool { return e.Order == string(id) })
	if !ok {
		w.Fatalf("the PG has no order %s", id)
	}
	if _, err := w.ledger.Deposit(w.channel, e.PGTx, "홍길동"); err != nil {
		w.Fatal(err)
	}
}

// sweep lets the engines of a node run for some time.
func (w *watchtower) sweep(lasts time.Duration) {
	w.Helper()
	ctx, stop := context.WithCancel(w.Context())
	sweeps := &action.Sweeps{Store: counted{w.store, &w.takes}, Inquiries: w.inquiries, Log: w.logger}
	deadlines := &action.Deadlines{Store: w.store, Log: w.logger, Providers: all.ByCode}
	var engines sync.WaitGroup
	for _, run := range []func(context.Context) error{sweeps.Run, deadlines.Run} {
		engines.Go(func() {
			if err := run(ctx); err != nil {
				w.Error(err)
			}
		})
	}
	time.Sleep(lasts)
	synctest.Wait()
	stop()
	engines.Wait()
}

// want checks a payment's state.
func (w *watchtower) want(id payment.ID, state payment.State) payment.Payment {
	w.Helper()
	p, err := w.store.Payment(w.Context(), "store-1", id, merchant.Test)
	if err != nil {
		w.Fatal(err)
	}
	if p.State != state {
		w.Errorf("payment %s is %s, want %s", id, p.State, state)
	}
	return p
}

// waiting are the accounts that are to be asked about, of a reason or any.
func (w *watchtower) waiting(why notice.SweepReason) (ids []string) {
	w.Helper()
	list, err := w.store.Sweeps(w.Context(), why, 100)
	if err != nil {
		w.Fatal(err)
	}
	for _, x := range list {
		ids = append(ids, string(x.ID))
	}
	return ids
}

// TestDepositWithoutNotice: half an hour before an account's deadline its PG is
// asked, and money that no notice told of is settled as its notice would have been.
func TestDepositWithoutNotice(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		w.issue("o-1", 24*time.Hour)
		begun := time.Now()
		time.Sleep(time.Hour)
		w.pay("o-1")
		time.Sleep(21*time.Hour + 30*time.Minute)
		w.sweep(30 * time.Minute)
		w.want("o-1", payment.Issued) // nobody asked yet
		w.sweep(time.Hour)
		p := w.want("o-1", payment.Paid)
		if len(p.Deposits) != 1 || !p.Deposits[0].Learnt || !p.PaidAt.Equal(begun.Add(time.Hour)) {
			t.Errorf("deposits are %+v, paid at %v", p.Deposits, p.PaidAt)
		}
		list, err := w.store.Notices(w.Context(), store.NoticeQuery{Limit: 10})
		if err != nil || len(list) != 1 || list[0].Verdict != payment.Applied || list[0].Reason != notice.ReasonInquired {
			t.Errorf("notices are %+v, %v", list, err)
		}
		hooks, err := w.store.Webhooks(w.Context(), p.Key)
		if err != nil || len(hooks) != 2 || hooks[0].Type != "Transaction.Paid" && hooks[1].Type != "Transaction.Paid" {
			t.Errorf("webhooks are %+v, %v", hooks, err)
		}
		if asked := w.times(); len(asked) != 1 {
			t.Errorf("the PG was asked %d times", len(asked))
		}
		if left := w.waiting(""); len(left) != 0 {
			t.Errorf("%v are still to be asked about", left)
		}
		if !strings.Contains(w.log.String(), "a deposit was found by asking the PG") {
			t.Errorf("the log tells nothing:\n%s", w.log.String())
		}
	})
}

// TestUnpaidAccount: an account that is not paid is asked about some times around
// its deadline, ever more rarely, and then no more.
func TestUnpaidAccount(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		begun := time.Now()
		w.issue("o-1", 2*time.Hour)
		for _, part := range []struct{ runs, rests time.Duration }{
			{210 * time.Minute, 4 * time.Hour}, {time.Hour, 17 * time.Hour}, {time.Hour, 47 * time.Hour}, {time.Hour, 300 * time.Hour}, {time.Hour, 0},
		} {
			w.sweep(part.runs)
			time.Sleep(part.rests)
		}
		w.want("o-1", payment.Issued)
		var after []time.Duration
		for _, at := range w.times() {
			after = append(after, at.Sub(begun).Round(time.Minute)-2*time.Hour)
		}
		want := []time.Duration{-30 * time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 72 * time.Hour}
		if len(after) != len(want) {
			t.Fatalf("asked %v from the deadline, want %v", after, want)
		}
		for i, d := range want {
			if off := after[i] - d; off < 0 || off > 2*time.Minute {
				t.Errorf("asked %v from the deadline, want %v", after, want)
				break
			}
		}
		if left := w.waiting(""); len(left) != 0 {
			t.Errorf("%v are still to be asked about", left)
		}
	})
}

// TestSweepIsGentle: many accounts of one deadline are asked about one in a
// second, and a PG that does not answer is left alone for a minute.
func TestSweepIsGentle(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		for _, id := range []payment.ID{"o-1", "o-2", "o-3", "o-4", "o-5"} {
			w.issue(id, 10*time.Minute)
		}
		w.fail(true)
		w.sweep(5 * time.Minute)
		down := w.times()
		for i := 1; i < len(down); i++ {
			if gap := down[i].Sub(down[i-1]); gap < time.Minute {
				t.Errorf("a PG that did not answer was asked again after %v", gap)
			}
		}
		if len(down) < 3 {
			t.Errorf("asked %d times in five minutes", len(down))
		}
		w.fail(false)
		w.sweep(2 * time.Hour)
		all := w.times()[len(down):]
		for i := 1; i < len(all); i++ {
			if gap := all[i].Sub(all[i-1]); gap < time.Second {
				t.Errorf("asked again after %v", gap)
			}
		}
		if len(all) < 5 {
			t.Errorf("asked %d times in two hours, about five accounts", len(all))
		}
	})
}

// TestLongOutage: after a time without any node that is longer than Toss repeats
// its notices, all accounts that wait are asked about; after a shorter one none.
func TestLongOutage(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		w.sweep(time.Hour)
		for _, id := range []payment.ID{"o-1", "o-2"} {
			w.issue(id, 40*24*time.Hour)
		}
		_, _, err := w.actions.RegisterAccount(w.Context(), caller, payment.Registration{
			ID: "o-9", Channel: "channel-key-2", OrderName: "책", Amount: payment.Won(1000),
			Account: payment.Account{Bank: "IBK", Number: "123-456", ExpiresAt: time.Now().Add(40 * 24 * time.Hour)},
		})
		if err != nil {
			t.Fatal(err)
		}
		w.sweep(time.Hour)
		time.Sleep(80 * time.Hour)
		w.sweep(time.Hour)
		if n := len(w.times()); n != 0 {
			t.Fatalf("the PG was asked %d times after an outage that it bridges", n)
		}
		w.pay("o-1")
		time.Sleep(100 * time.Hour)
		w.fail(true)
		w.sweep(30 * time.Second)
		if left := w.waiting(notice.SweepOutage); len(left) != 2 {
			t.Errorf("%v are listed, want o-1 and o-2", left)
		}
		w.fail(false)
		w.sweep(2 * time.Hour)
		w.want("o-1", payment.Paid)
		w.want("o-2", payment.Issued)
		w.want("o-9", payment.Issued)
		if left := w.waiting(notice.SweepOutage); len(left) != 0 {
			t.Errorf("%v are still listed", left)
		}
		// KICC gives up after half an hour: both were too long for it.
		for text, times := range map[string]int{"its accounts are asked about now": 1, "compare the accounts that wait with its pages": 2} {
			if got := strings.Count(w.log.String(), text); got != times {
				t.Errorf("the log tells %d times, want %d: %s\n%s", got, times, text, w.log.String())
			}
		}
	})
}
