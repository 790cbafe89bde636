package action

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// AwaitCheckout is Checkout once the window has ended, or ctx has; at once if too many wait.
func (a *Actions) AwaitCheckout(ctx context.Context, id payment.CheckoutID) (c payment.Checkout, p payment.Payment, err error) {
	c, p, err = a.Checkout(ctx, id)
	if err != nil || !c.EndedAt.IsZero() || a.watch.crowded(c.Payment) {
		return c, p, err
	}
	err = a.until(ctx, c.Payment, lookSelf, func() (bool, error) {
		now, seen, err := a.Checkout(ctx, id)
		if err == nil {
			c, p = now, seen
		}
		return !now.EndedAt.IsZero(), err
	})
	if ctx.Err() != nil {
		err = nil
	}
	return c, p, err
}

// WatchCheckout waits until what the page of a window shows is another than it was under
// a mark, and returns the mark of what it then shows; at once for an empty mark. It
// reports payment.ErrNoCheckout, ErrCrowded, and the error of ctx if that ends first.
func (a *Actions) WatchCheckout(ctx context.Context, id payment.CheckoutID, seen string) (mark string, err error) {
	c, p, err := a.Checkout(ctx, id)
	if err != nil {
		return "", err
	}
	if mark = markOf(c, p); mark != seen {
		return mark, nil
	}
	if a.watch.crowded(c.Payment) {
		return mark, ErrCrowded
	}
	err = a.until(ctx, c.Payment, lookSelf, func() (bool, error) {
		c, p, err := a.Checkout(ctx, id)
		mark = markOf(c, p)
		return mark != seen, err
	})
	return mark, err
}

// markOf tells what a page shows from what it showed before.
func markOf(c payment.Checkout, p payment.Payment) string {
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, c.EndedAt.IsZero(), c.Outcome, p.State, p.Expired, p.Late, len(p.Transactions), len(p.Deposits), len(p.Cancellations)) // a Hash takes all
	for _, t := range p.Transactions {
		_, _ = fmt.Fprint(h, t.State, t.Account != nil, t.PaidAt.UnixMicro())
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// AnswerCheckout says that the page of a window may be told of its outcome. A store that
// asks for it hears the webhook first: then it waits until the first try of each webhook
// that tells of the outcome has ended, well or badly, and at most until the store's limit
// after the window's end. It writes how it was, once, and returns the window with that.
//
// A window that has not ended is returned as it is, at once. It reports
// payment.ErrNoCheckout, and the error of ctx if that ends first.
func (a *Actions) AnswerCheckout(ctx context.Context, id payment.CheckoutID) (payment.Checkout, error) {
	c, _, err := a.checkout(ctx, id)
	if err != nil || c.EndedAt.IsZero() || !c.AnsweredAt.IsZero() {
		return c, err
	}
	how, err := a.afterWebhook(ctx, c)
	if err != nil {
		return c, err
	}
	first, err := a.Store.AnswerCheckout(ctx, id, how, now())
	if err != nil {
		return c, err
	}
	if first {
		a.answers.count(how)
		if a.Log != nil {
			a.Log.InfoContext(ctx, "a page was told how its payment window ended", "checkout_id", c.ID, "payment_key", c.Payment, "code", c.Outcome.Code, "order", how, "took", time.Since(c.EndedAt))
		}
	}
	return a.Store.Checkout(ctx, id)
}

// afterWebhook waits as a window's store says.
func (a *Actions) afterWebhook(ctx context.Context, c payment.Checkout) (payment.Answered, error) {
	var s merchant.Store
	if err := a.viewed(ctx, func(v *view) error {
		s, _ = v.channels.Store(c.Store)
		return nil
	}); err != nil {
		return "", err
	}
	left, ended := false, false
	tries := func() (bool, error) {
		var err error
		left, ended, err = a.Store.FirstTries(ctx, c.Payment, c.Transaction)
		return !left, err
	}
	if !s.WebhookFirst {
		return payment.AnsweredAtOnce, nil
	}
	if done, err := tries(); err != nil {
		return "", err
	} else if done && !ended {
		return payment.AnsweredAtOnce, nil // there is none to wait for
	}
	limited, cancel := context.WithDeadlineCause(ctx, c.EndedAt.Add(s.WebhookLimit()), errLimit)
	defer cancel()
	err := a.until(limited, c.Payment, tryEvery, tries)
	switch {
	case err == nil:
		return payment.AnsweredAfterWebhook, nil
	case ctx.Err() == nil && errors.Is(err, errLimit):
		return payment.AnsweredAtLimit, nil
	}
	return "", err // also of a store that failed at that moment: whoever asks again learns more
}

// errLimit says that a store's limit is over.
var errLimit = errors.New("the webhook was waited for as long as the store wants")

// An answerCount counts how pages were told. The zero answerCount is ready.
type answerCount struct {
	mu   sync.Mutex
	many map[payment.Answered]uint64
}

func (n *answerCount) count(how payment.Answered) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.many == nil {
		n.many = make(map[payment.Answered]uint64)
	}
	n.many[how]++
}

// CheckoutAnswers is how many pages were told of the outcome of their windows by this
// node since it started, by the order of that and the webhook.
func (a *Actions) CheckoutAnswers() map[payment.Answered]uint64 {
	a.answers.mu.Lock()
	defer a.answers.mu.Unlock()
	out := map[payment.Answered]uint64{payment.AnsweredAtOnce: 0, payment.AnsweredAfterWebhook: 0, payment.AnsweredAtLimit: 0}
	maps.Copy(out, a.answers.many)
	return out
}
