package server_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// lost is a way to PGs by which no answer comes back, but that of a proxy.
type lost struct{}

// RoundTrip answers as a proxy that waited in vain.
func (lost) RoundTrip(r *http.Request) (*http.Response, error) {
	body := io.NopCloser(strings.NewReader("<h1>Gateway Timeout</h1>"))
	return &http.Response{StatusCode: http.StatusGatewayTimeout, Body: body, Header: http.Header{}, Request: r}, nil
}

// paidOn registers a payment of 1000 won on a channel, and has it paid.
func (w *watchtower) paidOn(c merchant.ChannelKey, id payment.ID) {
	w.Helper()
	p, _, err := w.actions.RegisterAccount(w.Context(), caller, payment.Registration{
		ID: id, Channel: c, OrderName: "책", Amount: payment.Won(1000), PGTx: "25110509200010000001",
		Account: payment.Account{Bank: "IBK", Number: "123-456"},
	})
	if err != nil {
		w.Fatal(err)
	}
	all, err := w.store.Settings(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	ch, _ := all.Directory().Channel(c)
	in, err := ingress.Learnt(ch, p.Transactions[0], payment.Standing{
		State: payment.Paid, Amount: p.Amount, HasAmount: true, Deposit: "25110509275210000001", PaidAt: time.Now(),
	}, time.Now())
	if err != nil {
		w.Fatal(err)
	}
	in.Version = all.Version
	results, err := w.store.Settle(w.Context(), []notice.Inbound{in}, w.actions.Judge(all))
	if err != nil || results[0].Err != nil || results[0].Verdict != payment.Applied {
		w.Fatalf("the deposit: %+v, %v", results, err)
	}
}

// cancelled asks for 400 won back, of which the answer is lost.
func (w *watchtower) cancelled(id payment.ID) payment.Cancellation {
	w.Helper()
	actions := &action.Actions{Store: w.store, Judge: w.actions.Judge, Providers: all.ByCode, HTTP: &http.Client{Transport: lost{}}}
	_, c, err := actions.Cancel(w.Context(), caller, id, action.CancelRequest{
		CancelRequest: payment.CancelRequest{Amount: new(int64(400)), Reason: "변심", Trigger: payment.TriggerAPI},
		Account:       &provider.RefundAccount{Bank: "SHINHAN", Number: "110-123-456789", Holder: "홍길동"},
	})
	if err != nil || c.State != payment.CancelRequested {
		w.Fatalf("the cancellation is %+v, %v", c, err)
	}
	return c
}

// inquire lets inquiries run for some time.
func (w *watchtower) inquire(lasts time.Duration) {
	w.Helper()
	ctx, stop := context.WithCancel(w.Context())
	done := make(chan error)
	go func() { done <- w.inquiries.Run(ctx) }()
	time.Sleep(lasts)
	synctest.Wait()
	stop()
	if err := <-done; err != nil {
		w.Error(err)
	}
}

func (w *watchtower) end(id payment.ID, e action.CancelEnd) (payment.Payment, payment.Cancellation, error) {
	ended, err := w.actions.EndCancel(w.Context(), caller, id, e)
	return ended.Payment, ended.Cancellation, err
}

func (w *watchtower) outstanding() int {
	w.Helper()
	list, err := w.store.Outstanding(w.Context(), 10)
	if err != nil {
		w.Fatal(err)
	}
	return len(list)
}

// TestEndCancel: what became of a cancellation at a PG that cannot be asked a
// person says, and the payment follows.
func TestEndCancel(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		w.paidOn("channel-key-3", "o-1")
		c := w.cancelled("o-1")
		word := action.CancelEnd{ID: c.ID, CancelWord: payment.CancelWord{Succeeded: true, PGID: "C1", Reason: "PG 화면에서 봄"}}
		if _, _, err := w.end("o-1", word); !errors.Is(err, action.ErrUnderWay) {
			t.Errorf("at once: %v, want ErrUnderWay", err)
		}
		w.inquire(20 * 24 * time.Hour)
		if n := strings.Count(w.log.String(), "asked in vain"); n != 0 {
			t.Errorf("a PG that cannot be asked was asked %d times", n)
		}
		if n := strings.Count(w.log.String(), "only a person can find out"); n != 3 {
			t.Errorf("the log calls for a person %d times in 20 days, want 3", n)
		}
		if w.outstanding() != 1 {
			t.Error("it is not listed for a person")
		}
		for name, wrong := range map[string]action.CancelEnd{
			"no reason":            {ID: c.ID, CancelWord: payment.CancelWord{Succeeded: true}},
			"failed with a number": {ID: c.ID, CancelWord: payment.CancelWord{PGID: "C1", Reason: "없음"}},
			"in the future":        {ID: c.ID, CancelWord: payment.CancelWord{Succeeded: true, At: time.Now().Add(time.Hour), Reason: "봄"}},
		} {
			if _, _, err := w.end("o-1", wrong); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, _, err := w.end("o-1", action.CancelEnd{ID: "x", CancelWord: word.CancelWord}); !errors.Is(err, payment.ErrNoCancellation) {
			t.Errorf("another id: %v", err)
		}
		p, got, err := w.end("o-1", word)
		if err != nil || got.State != payment.CancelSucceeded || got.PGID != "C1" || got.Refund != payment.RefundPending ||
			got.ByHand == nil || got.ByHand.Reason != word.Reason || p.State != payment.PartiallyCancelled || p.Cancellable().Total != 600 {
			t.Fatalf("%+v of %s, %v", got, p.State, err)
		}
		if w.outstanding() != 0 {
			t.Error("it is still listed")
		}
		hooks, err := w.store.Webhooks(w.Context(), p.Key)
		if err != nil || !strings.HasSuffix(string(hooks[0].Type)+string(hooks[len(hooks)-1].Type), "PartialCancelled") &&
			!strings.HasPrefix(string(hooks[0].Type), "Transaction.PartialCancelled") {
			t.Errorf("webhooks are %+v, %v", hooks, err)
		}
		if _, _, err := w.end("o-1", word); !errors.Is(err, payment.ErrNotPending) {
			t.Errorf("once more: %v, want ErrNotPending", err)
		}
	})
}

// TestEndFailedCancel: what a person says was not made is free to be asked for
// again.
func TestEndFailedCancel(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		w.paidOn("channel-key-3", "o-1")
		c := w.cancelled("o-1")
		time.Sleep(time.Hour)
		p, got, err := w.end("o-1", action.CancelEnd{ID: c.ID, CancelWord: payment.CancelWord{Reason: "접수되지 않음"}})
		if err != nil || got.State != payment.CancelFailed || p.State != payment.Paid || p.Cancellable().Total != 1000 {
			t.Errorf("%+v of %s, %v", got, p.State, err)
		}
	})
}

// TestEndCancelOfAPGThatTells: where the PG can be asked, a person's word counts
// only if it is insisted on.
func TestEndCancelOfAPGThatTells(t *testing.T) {
	onWatch(t, func(w *watchtower) {
		w.paidOn(w.channel.Key, "o-1")
		c := w.cancelled("o-1")
		time.Sleep(time.Hour)
		word := action.CancelEnd{ID: c.ID, CancelWord: payment.CancelWord{Succeeded: true, Refunded: true, Reason: "PG 화면에서 봄"}}
		if _, _, err := w.end("o-1", word); !errors.Is(err, action.ErrCanBeAsked) {
			t.Errorf("EndCancel = %v, want ErrCanBeAsked", err)
		}
		word.Force = true
		if _, got, err := w.end("o-1", word); err != nil || got.State != payment.CancelSucceeded || got.Refund != payment.RefundCompleted {
			t.Errorf("insisted: %+v, %v", got, err)
		}
	})
}
