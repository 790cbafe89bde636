package store_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// aWindow is a window for a payment of 1000 won, opened so long after noon.
func aWindow(id payment.ID, client string, after time.Duration) payment.Checkout {
	at := storetest.Noon.Add(after)
	return payment.Checkout{
		ID: payment.CheckoutID(storetest.NewID()), Merchant: storetest.Merchant, Store: storetest.Store, Mode: merchant.Test, Channel: storetest.Channel,
		PaymentID: id, Transaction: payment.TransactionID(storetest.NewID()), Client: client, CreatedAt: at, ExpiresAt: at.Add(payment.CheckoutLife),
		Asked: payment.Asked{
			Amount: payment.Won(1000), OrderName: "책", Customer: payment.Customer{Name: "김비밀"}, Method: payment.VirtualAccount, SDK: payment.SDKV2,
			Origin: "https://shop.example", RedirectURL: "https://shop.example/done?\u0026x", Banks: []payment.Bank{"IBK"},
		},
	}
}

// opening is the act that opens a window.
func opening(c payment.Checkout) notice.Act {
	env := payment.Env{Now: c.CreatedAt, NewID: storetest.NewID}
	return notice.Act{Store: c.Store, ID: c.PaymentID, Env: env, Begins: true, Do: func(known *payment.Payment) (notice.Acted, error) {
		p, made, err := payment.Open(known, c, env)
		opens := c
		opens.Payment, opens.Begun = p.Key, p.Begun()
		out := notice.Acted{Payment: p, Changed: made, Opens: &opens}
		if made {
			out.Emissions = []webhook.Emission{{Event: webhook.EventOf(p, p.Opened(), env.Now, storetest.NewID())}}
		}
		return out, err
	}}
}

func openWindow(t *testing.T, s *store.Store, id payment.ID, client string, after time.Duration) payment.Checkout {
	t.Helper()
	c := aWindow(id, client, after)
	p, err := s.Act(t.Context(), opening(c))
	if err != nil {
		t.Fatal(err)
	}
	c.Payment, c.Begun = p.Key, p.Begun()
	return c
}

func endWindow(t *testing.T, s *store.Store, c payment.Checkout) payment.Checkout {
	t.Helper()
	out, err := s.EndCheckout(t.Context(), c.ID, payment.Outcome{Code: payment.CodePG, Message: "아니요", PGCode: "51"}, c.CreatedAt.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// liveWindows has a store do all with windows.
func liveWindows(t *testing.T, s *store.Store, id payment.ID) {
	t.Helper()
	c := openWindow(t, s, id, "someone", 0)
	openWindow(t, s, id, "", time.Minute)
	endWindow(t, s, c)
	if _, err := s.AnswerCheckout(t.Context(), c.ID, payment.AnsweredAtOnce, c.CreatedAt); err != nil {
		t.Fatal(err)
	}
	live := liveWindow(id + " live")
	p, err := s.Act(t.Context(), opening(live))
	if err != nil {
		t.Fatal(err)
	}
	live.Payment, live.Begun = p.Key, p.Begun()
	accountFor(t, s, live, live.CreatedAt.Add(time.Hour))
	if list, err := s.Checkouts(t.Context(), c.Payment, 10); err != nil || len(list) != 2 {
		t.Fatalf("%d windows, %v", len(list), err)
	}
	if _, _, err := s.FirstTries(t.Context(), c.Payment, c.Transaction); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Stirred(t.Context(), storetest.Noon); err != nil {
		t.Fatal(err)
	}
}

// TestCheckout keeps a window, and how it ended, as it was; and tells nobody who reads
// the database what a buyer is called.
func TestCheckout(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		c := openWindow(t, s, "주문 1", "client", 0)
		got, err := s.Checkout(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c, got); d != "" {
			t.Errorf("kept (-opened +read): %s", d)
		}
		ended := endWindow(t, s, c)
		if ended.EndedAt != c.CreatedAt.Add(time.Minute) || ended.Outcome.PGCode != "51" {
			t.Errorf("ended, it is %+v", ended)
		}
		if again, err := s.EndCheckout(t.Context(), c.ID, payment.Outcome{}, c.CreatedAt.Add(time.Hour)); err != nil || cmp.Diff(ended, again) != "" {
			t.Errorf("ended again: %+v, %v", again, err)
		}
		for i, want := range []bool{true, false} {
			if first, err := s.AnswerCheckout(t.Context(), c.ID, payment.AnsweredAtLimit, c.CreatedAt); err != nil || first != want {
				t.Errorf("answer %d: %v, %v", i, first, err)
			}
		}
		if got, err = s.Checkout(t.Context(), c.ID); err != nil || got.Answered != payment.AnsweredAtLimit || !got.AnsweredAt.Equal(c.CreatedAt) {
			t.Errorf("answered, it is %+v, %v", got, err)
		}
		open := openWindow(t, s, "o-2", "", 0)
		if first, err := s.AnswerCheckout(t.Context(), open.ID, payment.AnsweredAtOnce, c.CreatedAt); err != nil || first {
			t.Errorf("a window that is open was answered: %v, %v", first, err)
		}
		for _, id := range []payment.CheckoutID{"", "x", "00000000-0000-7000-8000-000000000000"} {
			if _, err := s.Checkout(t.Context(), id); !errors.Is(err, payment.ErrNoCheckout) {
				t.Errorf("window %q: %v", id, err)
			}
			if _, err := s.EndCheckout(t.Context(), id, payment.Outcome{}, c.CreatedAt); !errors.Is(err, payment.ErrNoCheckout) {
				t.Errorf("the end of window %q: %v", id, err)
			}
		}
		var doc []byte
		if err := db.Raw.QueryRowContext(t.Context(), `select doc from checkout where id = '`+string(c.ID)+`'`).Scan(&doc); err != nil || strings.Contains(string(doc), "김비밀") {
			t.Errorf("what is kept can be read without the key (%v)", err)
		}
	})
}

// TestWindowLeavesPayment: a second window writes its own row alone, also where the PG is
// to be asked about the payment.
func TestWindowLeavesPayment(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		p := registered(t, s, "o-1")
		acts(t, s, p.Key, notice.Acted{Ask: storetest.Noon})
		before, err := s.PaymentByKey(t.Context(), p.Key)
		if err != nil {
			t.Fatal(err)
		}
		events := db.Count(t, `select count(*) from event`)
		c := aWindow("o-1", "", 0)
		c.Amount = p.Amount
		if _, err := s.Act(t.Context(), opening(c)); err != nil {
			t.Fatal(err)
		}
		after, err := s.PaymentByKey(t.Context(), p.Key)
		if d := cmp.Diff(before, after); err != nil || d != "" {
			t.Errorf("the payment changed: %s (%v)", d, err)
		}
		if n := db.Count(t, `select count(*) from event`); n != events {
			t.Errorf("%d events came", n-events)
		}
		if list, _ := inquiries(t, s, 0); len(list) != 1 {
			t.Error("the PG is not asked any more")
		}
	})
}

// TestTooManyWindows bounds them also when they are opened at once.
func TestTooManyWindows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		var all sync.WaitGroup
		for range 25 {
			all.Go(func() {
				if _, err := s.Act(t.Context(), opening(aWindow("o-1", "one", 0))); err != nil && !errors.Is(err, payment.ErrTooManyWindows) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if n := db.Count(t, `select count(*) from checkout`); n != 10 {
			t.Errorf("%d windows were opened from one address", n)
		}
		if n := db.Count(t, `select count(*) from payment`); n != 1 {
			t.Errorf("%d payments were made", n)
		}
		if _, err := s.Act(t.Context(), opening(aWindow("o-1", "two", 0))); err != nil {
			t.Errorf("another address: %v", err)
		}
		if _, err := s.Act(t.Context(), opening(aWindow("o-1", "one", time.Hour))); err != nil {
			t.Errorf("an hour later: %v", err)
		}
	})
}

// TestEndedWindow: what is done in a window that has ended by then is not done.
func TestEndedWindow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		c := openWindow(t, s, "o-1", "", 0)
		leaving := notice.Act{Payment: c.Payment, Window: c.ID, Env: payment.Env{Now: storetest.Noon.Add(time.Second), NewID: storetest.NewID}}
		leaving.Do = func(known *payment.Payment) (notice.Acted, error) {
			d, err := known.Leave(c, leaving.Env)
			return notice.Acted{Payment: d.Payment, Changed: d.Changed, Ends: &payment.Outcome{Code: payment.CodeCancelled}}, err
		}
		if _, err := s.Act(t.Context(), leaving); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Checkout(t.Context(), c.ID); err != nil || got.Outcome.Code != payment.CodeCancelled || !got.EndedAt.Equal(leaving.Env.Now) {
			t.Errorf("the window is %+v, %v", got, err)
		}
		if _, err := s.Act(t.Context(), leaving); !errors.Is(err, payment.ErrCheckoutEnded) {
			t.Errorf("leaving again: %v", err)
		}
		leaving.Window = payment.CheckoutID(storetest.NewID())
		if _, err := s.Act(t.Context(), leaving); !errors.Is(err, payment.ErrNoCheckout) {
			t.Errorf("leaving a window that is not there: %v", err)
		}
	})
}

// TestServersWord: what the merchant's server says of a payment for which only windows
// were opened is written where lists look, too.
func TestServersWord(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		squat := aWindow("o-1", "", 0)
		squat.Mode, squat.Amount = merchant.Live, payment.Won(7)
		if _, err := s.Act(t.Context(), opening(squat)); err != nil {
			t.Fatal(err)
		}
		g := storetest.Registration("o-1")
		p, changed, err := s.Register(t.Context(), g, storetest.Registering(storetest.Noon))
		if err != nil || !changed || p.Amount != g.Amount || p.Mode != merchant.Test {
			t.Fatalf("Register = %+v, %v, %v", p, changed, err)
		}
		if n := db.Count(t, `select amount from payment where mode = 'test' and currency = 'KRW'`); int64(n) != g.Amount.Amount {
			t.Errorf("lists have it with %d", n)
		}
		// A pre-registration fixes one that a window began to describe, and its window
		// with another amount begins no more.
		c := openWindow(t, s, "o-2", "", 0)
		pinned(t, s, "o-2", merchant.Test, 5000, 0, 1)
		if n := db.Count(t, `select amount from payment where id = 'o-2'`); n != 5000 {
			t.Errorf("pre-registered with 5000, it has %d", n)
		}
		if p, err := s.PaymentByKey(t.Context(), c.Payment); err != nil || p.Amount != payment.Won(5000) || !errors.Is(p.MayPay(c, storetest.Noon), payment.ErrOtherAmount) {
			t.Errorf("it is %+v, %v", p, err)
		}
		verified(t, s)
	})
}

// TestBeginOpened takes up an opened attempt under a pin, which holds for it as for a new
// one.
func TestBeginOpened(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		c := openWindow(t, s, "o-1", "", 0)
		// Another mode's pin changes no payment that it does not see; and as long as it is
		// the last, a window of this mode begins nothing.
		pinned(t, s, "o-1", merchant.Live, 5000, 0, 1)
		env := payment.Env{Now: storetest.Noon.Add(time.Minute), NewID: storetest.NewID}
		begin := notice.Act{Payment: c.Payment, Window: c.ID, Begins: true, Env: env, Do: func(known *payment.Payment) (notice.Acted, error) {
			p, _, err := payment.Begin(known, c.Registration(*known), env)
			return notice.Acted{Payment: p, Changed: true, Ask: env.Now}, err
		}}
		if _, err := s.Act(t.Context(), begin); !errors.Is(err, payment.ErrOtherMode) {
			t.Fatalf("begun though the server said that it is live: %v", err)
		}
		pinned(t, s, "o-1", merchant.Test, 1000, 0, 2)
		p, err := s.Act(t.Context(), begin)
		if err != nil || len(p.Transactions) != 1 || p.Begun() != 1 {
			t.Fatalf("begun: %+v, %v", p, err)
		}
		if n := db.Count(t, `select count(*) from match_key where kind = 'order'`); n != 1 {
			t.Errorf("notices find it by %d orders", n)
		}
		if found, err := s.PaymentOfAttempt(t.Context(), storetest.Store, c.Transaction, merchant.Test); err != nil || found.Key != c.Payment {
			t.Errorf("by its attempt: %v, %v", found.Key, err)
		}
	})
}

func TestFirstTries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		settle(t, s, byOrder(string(registered(t, s, "o-1").ID)))
		jobs := claim(t, s, time.Hour, 10, all).Jobs
		if len(jobs) == 0 {
			t.Fatal("no webhook waits")
		}
		p, err := s.PaymentByKey(t.Context(), jobs[0].Payment)
		if err != nil {
			t.Fatal(err)
		}
		at, _ := p.Transaction()
		check := func(what string, wantLeft, wantEnded bool) {
			t.Helper()
			if left, ended, err := s.FirstTries(t.Context(), p.Key, at.ID); err != nil || left != wantLeft || ended != wantEnded {
				t.Errorf("%s: left %v, ended %v, %v", what, left, ended, err)
			}
		}
		check("before", true, false)
		for i, j := range jobs {
			next := time.Duration(0)
			if i == 0 {
				next = 2 * time.Hour // to be tried again: its first try is over
			}
			finish(t, s, outcome(j, time.Hour, next, webhook.NoConnect))
			check("after one more", i < len(jobs)-1, true)
		}
		if left, ended, err := s.FirstTries(t.Context(), p.Key, "another"); err != nil || left || ended {
			t.Errorf("of another attempt: %v, %v, %v", left, ended, err)
		}
	})
}

func TestPruneWindows(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		openWindow(t, s, "idle", "", 0)
		endWindow(t, s, openWindow(t, s, "refused", "", 0))
		good := openWindow(t, s, "good", "", 0)
		if _, err := s.EndCheckout(t.Context(), good.ID, payment.Outcome{}, storetest.Noon); err != nil {
			t.Fatal(err)
		}
		if _, err := s.AnswerCheckout(t.Context(), good.ID, payment.AnsweredAtOnce, storetest.Noon); err != nil {
			t.Fatal(err)
		}
		// Of one that came to something its page, which is gone, never heard; and of one the
		// account is open for longer than history is kept.
		if _, err := s.EndCheckout(t.Context(), openWindow(t, s, "gone", "", 0).ID, payment.Outcome{}, storetest.Noon); err != nil {
			t.Fatal(err)
		}
		waits := accountFor(t, s, openWindow(t, s, "waits", "", 0), storetest.Noon.AddDate(0, 0, 420))
		if told := pruneAt(t, s, time.Until(storetest.Noon.AddDate(0, 0, 89))); told["checkout_idle"].Rows+told["checkout"].Rows != 0 {
			t.Errorf("after 89 days went %+v", told)
		}
		if told := pruneAt(t, s, time.Until(storetest.Noon.AddDate(0, 0, 91))); told["checkout_idle"].Rows != 2 {
			t.Errorf("after 91 days went %+v", told)
		}
		if told := pruneAt(t, s, time.Until(storetest.Noon.AddDate(0, 0, 402))); told["checkout"].Rows != 2 {
			t.Errorf("after 402 days went %+v", told)
		}
		if _, err := s.Checkout(t.Context(), waits.ID); err != nil {
			t.Errorf("the window of an account that is open: %v", err)
		}
		if told := pruneAt(t, s, time.Until(storetest.Noon.AddDate(0, 0, 420+402))); told["checkout"].Rows != 1 {
			t.Errorf("400 days after the account's end went %+v", told)
		}
	})
}
