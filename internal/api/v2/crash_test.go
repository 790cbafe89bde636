package v2

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/books"
	"github.com/tongbo/tongbo/internal/provider/tosspayments"
)

// A toss is a played PG without a network.
type toss struct {
	*books.Ledger
	http.Handler
	channel merchant.Channel
	asked   []string // paths of POST
	// after, if set, is what becomes of a call once the PG did what it asks.
	after func()
	stall chan struct{} // if set, calls wait for it first
}

// RoundTrip plays one call.
func (p *toss) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.stall != nil {
		<-p.stall
	}
	if r.Method == http.MethodPost {
		p.asked = append(p.asked, r.URL.Path)
	}
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	if p.after != nil {
		p.after()
	}
	return w.Result(), nil
}

// toss gives the bench a channel of a played Toss.
func (b *bench) toss() *toss {
	b.Helper()
	p := &toss{channel: merchant.Channel{
		Key: "channel-key-00000000-0000-4000-8000-000000000009", Merchant: acme, Store: mainStore, Name: "토스", Provider: "tosspayments",
		Mode: merchant.Test, MID: "tvivarepublica", PaymentType: merchant.APIKeyin, Unknown: merchant.Hold, BaseURL: "https://toss.invalid",
		Credentials: merchant.Credentials{"secret_key": "test_sk_zXLkKEypNArWmo50nX3lmeaxYG5R"},
	}}
	p.Ledger = &books.Ledger{Channels: func() []merchant.Channel { return []merchant.Channel{p.channel} }}
	p.Handler = tosspayments.Module.API(p.Ledger)
	b.all.Channels = append(b.all.Channels, p.channel)
	b.save()
	b.api.Actions.Providers = all.ByCode
	b.api.Actions.HTTP = &http.Client{Transport: p}
	return p
}

const tossIssue = `{"channelKey":"channel-key-00000000-0000-4000-8000-000000000009","orderName":"책","currency":"KRW","amount":{"total":11000},
	"method":{"virtualAccount":{"bank":"SHINHAN","expiry":{"validHours":24}}}}`

const tossCancel = `{"reason":"변심","amount":3000,"refundAccount":{"bank":"KOOKMIN","number":"123-456","holderName":"홍길동"}}`

// entry is what the PG has of an order.
func (b *bench) entry(p *toss, order string) provider.Entry {
	b.Helper()
	e, ok := p.Find(p.channel, func(e provider.Entry) bool { return e.Order == order })
	if !ok {
		b.Fatalf("the PG has no order %s", order)
	}
	return e
}

// paidAt has an account issued and paid.
func (b *bench) paidAt(p *toss, id string) {
	b.Helper()
	b.ok(b.call("POST", "/payments/"+id+"/instant", "PortOne test", tossIssue))
	e, err := p.Deposit(p.channel, b.entry(p, id).PGTx, "홍길동")
	if err != nil {
		b.Fatal(err)
	}
	r := payment.Report{Event: payment.EventDeposited, Deposit: e.Deposit, Amount: e.Amount, HasAmount: true, Account: e.Account.Number, At: e.PaidAt}
	env := payment.Env{Now: time.Now().UTC(), NewID: b.id}
	if _, err := b.store.Act(b.Context(), notice.Act{Store: mainStore, ID: payment.ID(id), Env: env, Do: func(known *payment.Payment) (notice.Acted, error) {
		d := known.Decide(r, env)
		return notice.Acted{Payment: d.Payment, Changed: d.Changed}, nil
	}}); err != nil {
		b.Fatal(err)
	}
}

// dies makes a call in which the server dies as the PG has done what it asks.
func (b *bench) dies(p *toss, key, path, body string) {
	b.Helper()
	p.after = runtime.Goexit
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.keyed(key, "POST", path, "test", body)
		b.Error("the server did not die")
	}()
	<-done
	p.after = nil
}

func (b *bench) asked(p *toss, part string, want int) {
	b.Helper()
	n := 0
	for _, path := range p.asked {
		if strings.Contains(path, part) {
			n++
		}
	}
	if n != want {
		b.Errorf("the PG was asked for %s %d times, want %d", part, n, want)
	}
}

// TestCancelOverACrash has the server die between the PG's refund and the
// outcome: the same call again finds what it did.
func TestCancelOverACrash(t *testing.T) {
	inBubble(t, func(b *bench) {
		p := b.toss()
		b.paidAt(p, "order-1")
		const path = "/payments/order-1/cancel"
		b.dies(p, keyA, path, tossCancel)
		b.want(b.keyed(keyA, "POST", path, "test", tossCancel), 409, "IDEMPOTENCY_OUTSTANDING_REQUEST")
		time.Sleep(takenOver - time.Microsecond)
		b.want(b.keyed(keyA, "POST", path, "test", tossCancel), 409, "IDEMPOTENCY_OUTSTANDING_REQUEST")
		b.want(b.keyed(keyA, "POST", path, "test", tossIssue), 400, "INVALID_REQUEST")
		time.Sleep(time.Microsecond)
		got := b.keyed(keyA, "POST", path, "test", tossCancel)
		if b.ok(got); !strings.Contains(got.body, `"status":"REQUESTED"`) {
			b.Errorf("taken over: %s", got.body)
		}
		b.same(got, b.keyed(keyA, "POST", path, "test", tossCancel))
		b.asked(p, "/cancel", 1)
		if left := b.entry(p, "order-1").Left().Amount; left != 8000 {
			b.Errorf("the PG has %d left, want 8000", left)
		}
		b.ok(b.keyed(keyB, "POST", path, "test", tossCancel)) // another key is another refund
		b.asked(p, "/cancel", 2)
	})
}

// TestInstantOverACrash is TestCancelOverACrash of an issue: before the PG was
// asked what became of it, and after.
func TestInstantOverACrash(t *testing.T) {
	inBubble(t, func(b *bench) {
		p := b.toss()
		b.dies(p, keyA, "/payments/order-1/instant", tossIssue)
		time.Sleep(takenOver)
		got := b.keyed(keyA, "POST", "/payments/order-1/instant", "test", tossIssue)
		if b.want(got, 502, "PG_PROVIDER"); !strings.Contains(got.body, "UNCLEAR") {
			b.Errorf("taken over: %s", got.body)
		}
		b.same(got, b.keyed(keyA, "POST", "/payments/order-1/instant", "test", tossIssue))

		b.dies(p, keyA+"2", "/payments/order-2/instant", tossIssue)
		e := b.entry(p, "order-2")
		env := payment.Env{Now: time.Now().UTC(), NewID: b.id}
		if _, err := b.store.Act(b.Context(), notice.Act{Store: mainStore, ID: "order-2", Env: env, Do: func(known *payment.Payment) (notice.Acted, error) {
			d := known.Stands(known.Transactions[0].ID, payment.Standing{State: payment.Issued, PGTx: e.PGTx, Account: e.Account}, env, time.Minute)
			return notice.Acted{Payment: d.Payment, Changed: d.Changed}, nil
		}}); err != nil {
			b.Fatal(err)
		}
		time.Sleep(takenOver)
		if got := b.keyed(keyA+"2", "POST", "/payments/order-2/instant", "test", tossIssue); !strings.Contains(got.body, e.PGTx) {
			b.Errorf("taken over after the PG told: %d %s", got.status, got.body)
		}
		b.asked(p, "/virtual-accounts", 2)
	})
}

// TestRepeatAfterRefusal has the PG out of reach, then saying no: of the first
// nothing is kept, and the second is the answer.
func TestRepeatAfterRefusal(t *testing.T) {
	inBubble(t, func(b *bench) {
		p := b.toss()
		b.paidAt(p, "order-1")
		const path = "/payments/order-1/cancel"
		client := b.api.Actions.HTTP
		b.api.Actions.HTTP = &http.Client{Transport: unreachable{}}
		for range 2 {
			got := b.keyed(keyA, "POST", path, "test", tossCancel)
			if b.want(got, 502, "PG_PROVIDER"); !strings.Contains(got.body, "UNREACHABLE") {
				b.Errorf("out of reach: %s", got.body)
			}
		}
		b.api.Actions.HTTP = client
		got := b.keyed(keyA, "POST", path, "test", tossCancel)
		if b.ok(got); !strings.Contains(got.body, `"status":"SUCCEEDED"`) {
			b.Errorf("for real: %s", got.body)
		}
		b.asked(p, "/cancel", 1)

		if _, _, err := p.Refund(p.channel, b.entry(p, "order-1").PGTx, "by hand", payment.Won(8000)); err != nil {
			b.Fatal(err)
		}
		no := b.keyed(keyB, "POST", path, "test", tossCancel)
		b.want(no, 502, "PG_PROVIDER")
		b.same(no, b.keyed(keyB, "POST", path, "test", tossCancel))
		b.asked(p, "/cancel", 2)
	})
}

// unreachable is a network in which nobody answers the phone.
type unreachable struct{}

// RoundTrip fails before anything is sent.
func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, fault.Errorf(fault.Unavailable, "connection refused")
}

// TestHangUp has a client hang up while the PG thinks: the work is done, and its
// answer waits under the key.
func TestHangUp(t *testing.T) {
	inBubble(t, func(b *bench) {
		p := b.toss()
		b.paidAt(p, "order-1")
		p.stall = make(chan struct{})
		ctx, hangUp := context.WithCancel(b.Context())
		r := httptest.NewRequestWithContext(ctx, "POST", "/payments/order-1/cancel", strings.NewReader(tossCancel))
		r.Header = http.Header{"Authorization": {"PortOne test"}, "Idempotency-Key": {`"` + keyA + `"`}}
		done := make(chan struct{})
		go func() {
			defer close(done)
			b.api.Routes().ServeHTTP(httptest.NewRecorder(), r)
		}()
		synctest.Wait()
		hangUp()
		b.want(b.keyed(keyA, "POST", "/payments/order-1/cancel", "test", tossCancel), 409, "IDEMPOTENCY_OUTSTANDING_REQUEST")
		close(p.stall)
		<-done
		got := b.keyed(keyA, "POST", "/payments/order-1/cancel", "test", tossCancel)
		if b.ok(got); !strings.Contains(got.body, `"status":"SUCCEEDED"`) {
			b.Errorf("after hanging up: %s", got.body)
		}
		b.asked(p, "/cancel", 1)

		gone := httptest.NewRequestWithContext(ctx, "POST", "/payments/order-1/cancel", strings.NewReader(tossCancel))
		gone.Header.Set("Authorization", "PortOne test")
		b.ok(b.serve(gone)) // before anything was begun
		b.asked(p, "/cancel", 2)
	})
}

// TestOutcomeNotWritten has the store go away while the PG works: nobody is told
// that nothing was done.
func TestOutcomeNotWritten(t *testing.T) {
	inBubble(t, func(b *bench) {
		p := b.toss()
		b.paidAt(p, "order-1")
		down := &downStore{Store: b.store}
		b.api.Actions.Store = down
		p.after = func() { down.err = fault.Errorf(fault.Unavailable, "the disk is full") }
		for _, c := range []struct{ path, body string }{
			{"/payments/order-1/cancel", tossCancel}, {"/payments/order-2/instant", tossIssue},
		} {
			down.err = nil
			got := b.keyed(keyA+c.path, "POST", c.path, "test", c.body)
			if b.want(got, 502, "PG_PROVIDER"); !strings.Contains(got.body, "UNCLEAR") {
				b.Errorf("not written: %s", got.body)
			}
			b.same(got, b.keyed(keyA+c.path, "POST", c.path, "test", c.body))
		}
		b.asked(p, "/cancel", 1)
		b.asked(p, "/virtual-accounts", 2)
	})
}
