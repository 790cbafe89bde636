package action

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A shopSite answers what is posted to it.
type shopSite func(*http.Request) (*http.Response, error)

// RoundTrip answers.
func (s shopSite) RoundTrip(r *http.Request) (*http.Response, error) { return s(r) }

// says answers with a status and a body after a while.
func says(status int, body string, after time.Duration) shopSite {
	return func(r *http.Request) (*http.Response, error) {
		select {
		case <-time.After(after):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
		return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Request: r, Header: http.Header{}}, nil
	}
}

// dead answers nobody.
func dead(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }

// hooks sends the bench's webhooks to a shop.
func (b *bench) hooks(site shopSite) {
	d := &delivery.Dispatcher{Queue: b.store, Client: &http.Client{Transport: site}, Log: slog.New(slog.DiscardHandler), Idle: time.Hour}
	b.store.OnDue(d.Wake)
	b.run(d.Run)
}

// TestAnswerOrder is when the page is told, by how the shop takes the webhook and what
// its store wants.
func TestAnswerOrder(t *testing.T) {
	const most = tryEvery + lookEvery
	for _, tt := range []struct {
		name   string
		edit   func(*settings.All)
		site   shopSite
		want   payment.Answered
		least  time.Duration
		atMost time.Duration
	}{
		{"a store that does not ask for it", func(*settings.All) {}, says(200, "", 5*time.Second), payment.AnsweredAtOnce, 0, 0},
		{"a fast shop", first10, says(200, "", 5*time.Millisecond), payment.AnsweredAfterWebhook, 5 * time.Millisecond, most},
		{"a shop that takes its time", first10, says(200, "", 4*time.Second), payment.AnsweredAfterWebhook, 4 * time.Second, 4*time.Second + most},
		{"a shop that takes longer", first10, says(200, "", 8500*time.Millisecond), payment.AnsweredAfterWebhook, 8500 * time.Millisecond, 8500*time.Millisecond + most},
		{"a shop that says no", first10, says(500, "", time.Second), payment.AnsweredAfterWebhook, time.Second, time.Second + most},
		{"a dead shop", first10, dead, payment.AnsweredAfterWebhook, 0, most},
		{"a slow shop", first10, says(200, "", 20*time.Second), payment.AnsweredAtLimit, 10 * time.Second, 10 * time.Second},
		{"a slow shop with a limit of its own", func(all *settings.All) {
			first10(all)
			all.Stores[0].WebhookFirstLimit = 2 * time.Second
		}, says(200, "", 20*time.Second), payment.AnsweredAtLimit, 2 * time.Second, 2 * time.Second},
		{"nobody who wants the webhook", func(all *settings.All) {
			first10(all)
			all.Endpoints[0].Events = []string{string(webhook.Cancelled)}
		}, dead, payment.AnsweredAtOnce, 0, 0},
		{"an endpoint that is paused", func(all *settings.All) {
			first10(all)
			all.Endpoints[0].Paused = true
		}, dead, payment.AnsweredAtOnce, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				b.windows()
				b.save(tt.edit)
				b.hooks(tt.site)
				c, _ := b.pays(b.opens(wanted("o1", payment.ByCard)), approves)
				var all sync.WaitGroup
				for range 3 { // whoever asks
					all.Go(func() {
						got, err := b.AnswerCheckout(b.Context(), c.ID)
						took := time.Since(c.EndedAt)
						if err != nil || got.Answered != tt.want || got.AnsweredAt.IsZero() || took < tt.least || took > tt.atMost+time.Millisecond {
							t.Errorf("answered %q after %v, %v; want %q from %v to %v", got.Answered, took, err, tt.want, tt.least, tt.atMost)
						}
					})
				}
				all.Wait()
				counts := b.CheckoutAnswers()
				if counts[tt.want] != 1 || len(counts) != 3 {
					t.Errorf("counted: %v", counts)
				}
				sleep(time.Hour)
				began := time.Now()
				if again, err := b.AnswerCheckout(b.Context(), c.ID); err != nil || again.Answered != tt.want || time.Since(began) > 0 {
					t.Errorf("asked again: %q, %v after %v", again.Answered, err, time.Since(began))
				}
			})
		})
	}
}

// A failingStore cannot say how far webhooks are: once, after a while, and slowly.
type failingStore struct {
	Store
	after, until time.Time
}

func (s *failingStore) FirstTries(ctx context.Context, k payment.Key, id payment.TransactionID) (left, ended bool, err error) {
	if s.after.IsZero() || time.Now().Before(s.after) {
		return s.Store.FirstTries(ctx, k, id)
	}
	s.after = time.Time{}
	sleep(time.Until(s.until))
	return false, false, fault.Errorf(fault.Unavailable, "the store is away")
}

// TestAnswerWithoutStore: a store that fails at the very moment at which its limit is over
// is no limit that was waited for.
func TestAnswerWithoutStore(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		b.save(first10)
		b.hooks(says(200, "", 9*time.Second+999*time.Millisecond))
		c, _ := b.pays(b.opens(wanted("o1", payment.ByCard)), approves)
		b.Store = &failingStore{Store: b.Store, after: c.EndedAt.Add(9 * time.Second), until: c.EndedAt.Add(11 * time.Second)}
		if got, err := b.AnswerCheckout(b.Context(), c.ID); !fault.Is(err, fault.Unavailable) || !got.AnsweredAt.IsZero() {
			t.Errorf("while the store was away: %q, %v", got.Answered, err)
		}
		if counts := b.CheckoutAnswers(); counts[payment.AnsweredAtLimit] != 0 {
			t.Errorf("counted: %v", counts)
		}
		if got, err := b.AnswerCheckout(b.Context(), c.ID); err != nil || got.Answered != payment.AnsweredAfterWebhook {
			t.Errorf("asked again: %q, %v", got.Answered, err)
		}
	})
}

// first10 has the store of the bench answer browsers after the webhook.
func first10(all *settings.All) { all.Stores[0].WebhookFirst = true }

// TestAnswerOpenWindow: a window that has not ended is not answered, and who gives up
// waiting writes nothing.
func TestAnswerOpenWindow(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		b.save(first10)
		b.hooks(says(200, "", 20*time.Second))
		c := b.opens(wanted("o1", payment.ByCard))
		if got, err := b.AnswerCheckout(b.Context(), c.ID); err != nil || !got.EndedAt.IsZero() || !got.AnsweredAt.IsZero() {
			t.Errorf("an open window: %+v, %v", got, err)
		}
		b.pays(c, approves)
		ctx, cancel := context.WithTimeout(b.Context(), time.Second)
		defer cancel()
		if _, err := b.AnswerCheckout(ctx, c.ID); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("who gave up: %v", err)
		}
		if now, _ := b.stands(c); !now.AnsweredAt.IsZero() {
			t.Error("it was written that the page was told")
		}
		if _, err := b.AnswerCheckout(b.Context(), "nowhere"); !errors.Is(err, payment.ErrNoCheckout) {
			t.Errorf("a window that is not there: %v", err)
		}
	})
}

// TestAwait: who waits for a window hears of its end, and of what its page shows, soon
// and once.
func TestAwait(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		c := b.opens(wanted("o1", payment.ByCard))
		mark, err := b.WatchCheckout(b.Context(), c.ID, "")
		if err != nil || mark == "" {
			t.Fatalf("WatchCheckout = %q, %v", mark, err)
		}
		began := time.Now()
		var both sync.WaitGroup
		both.Go(func() {
			got, seen, err := b.AwaitCheckout(b.Context(), c.ID)
			if err != nil || got.EndedAt.IsZero() || seen.State != payment.Paid || time.Since(began) > 5*time.Second+lookEvery {
				t.Errorf("AwaitCheckout = %+v, %s, %v after %v", got, seen.State, err, time.Since(began))
			}
		})
		both.Go(func() {
			next, err := b.WatchCheckout(b.Context(), c.ID, mark)
			if err != nil || next == mark || time.Since(began) > 5*time.Second+lookEvery {
				t.Errorf("WatchCheckout = %q, %v after %v", next, err, time.Since(began))
			}
		})
		sleep(5 * time.Second)
		b.pays(c, approves)
		both.Wait()
		if mark, err = b.WatchCheckout(b.Context(), c.ID, mark); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
		defer cancel()
		if next, err := b.WatchCheckout(ctx, c.ID, mark); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nothing happened, and WatchCheckout = %q, %v", next, err)
		}
		open := b.opens(wanted("o2", payment.ByCard))
		ctx, cancel = context.WithTimeout(b.Context(), 20*time.Second)
		defer cancel()
		if got, _, err := b.AwaitCheckout(ctx, open.ID); err != nil || !got.EndedAt.IsZero() {
			t.Errorf("a window that stays open: %+v, %v", got, err)
		}
	})
}

// TestAwaitElsewhere: what another node writes is heard of within the time of a look, and
// so is what no row tells of, in the end.
func TestAwaitElsewhere(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		b.NewID = nil // ids that tell when they were made
		other := &Actions{Store: b.store, Judge: b.Judge, Providers: b.Providers, Trial: b.Trial, Hash: b.Hash}
		paid := b.opens(wanted("o1", payment.ByCard))
		b.opens(wanted("o2", payment.ByCard))
		left := b.opens(wanted("o2", payment.ByCard)) // leaving this one writes no event
		began := time.Now()
		var both sync.WaitGroup
		for _, x := range []struct {
			c    payment.Checkout
			most time.Duration
		}{{paid, 5*time.Second + 2*lookEvery}, {left, 5*time.Second + lookSelf + 2*lookEvery}} {
			both.Go(func() {
				if got, _, err := b.AwaitCheckout(b.Context(), x.c.ID); err != nil || got.EndedAt.IsZero() || time.Since(began) > x.most {
					t.Errorf("AwaitCheckout of %s = %+v, %v after %v", x.c.PaymentID, got, err, time.Since(began))
				}
			})
		}
		sleep(5 * time.Second)
		if _, _, err := other.PayCheckout(b.Context(), paid.ID, approves); err != nil {
			t.Error(err)
		}
		if _, err := other.LeaveCheckout(b.Context(), left.ID); err != nil {
			t.Error(err)
		}
		both.Wait()
	})
}

// lowered is a header whose name is written exactly so, as receivers look it up.
func lowered(h http.Header, name string) string {
	for key, values := range h {
		if key == name {
			return strings.Join(values, "|")
		}
	}
	return ""
}

// endless is a shop that says yes at once, and never ends what it says behind that.
func endless(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(untilGone{r}), Request: r}, nil
}

type untilGone struct{ *http.Request }

func (u untilGone) Read([]byte) (int, error) {
	<-u.Context().Done()
	return 0, u.Context().Err()
}

// TestConfirm is the shop's word before the PG is asked.
func TestConfirm(t *testing.T) {
	for _, tt := range []struct {
		name string
		site shopSite
		sdk  payment.SDK
		say  string // of the outcome; empty: the payment goes on
		took time.Duration
	}{
		{"yes", says(200, "", 9*time.Second), payment.SDKV2, "", 9 * time.Second},
		{"no", says(409, `{"errorMessage":"품절\u0000\u202e이에요"}`, 0), payment.SDKV2, "품절이에요", 0},
		{"no, to V1", says(400, `{"reason":"품절"}`, 0), payment.SDKV1, "고객사 요청에 의해 결제를 중단합니다. (상세사유 : 품절)", 0},
		{"no, without a word", says(500, `<html>`, 0), payment.SDKV2, "the shop was asked to confirm the payment, and answered 500", 0},
		{"another yes", says(204, "", 0), payment.SDKV2, "the shop was asked to confirm the payment, and answered 204", 0},
		{"a redirect", says(302, "", 0), payment.SDKV2, "the shop was asked to confirm the payment, and answered 302", 0},
		{"nothing", dead, payment.SDKV2, "the shop was asked to confirm the payment, and did not answer", 0},
		{"yes, and no end of it", endless, payment.SDKV2, "", 0},
		{"nothing in time", says(200, "", time.Minute), payment.SDKV2, "the shop was asked to confirm the payment, and did not answer", 10 * time.Second},
		{"a long reason", says(400, `{"errorMessage":"`+strings.Repeat("가", 500)+`"}`, 0), payment.SDKV2, strings.Repeat("가", 200), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(b *bench) {
				b.windows()
				var asked []string
				b.Shops = &http.Client{Transport: shopSite(func(r *http.Request) (*http.Response, error) {
					body, _ := io.ReadAll(r.Body)
					asked = append(asked, r.URL.String()+" "+string(body))
					if p := b.payment("o1"); p.Begun() != 1 || p.State != payment.Ready {
						t.Errorf("while the shop is asked the payment is %+v", p)
					}
					if sig := lowered(r.Header, webhook.HeaderSignature); !strings.HasPrefix(sig, "v1,") {
						t.Errorf("the signature is %q", sig)
					}
					return tt.site(r)
				}), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
				r := wanted("o1", payment.ByCard)
				r.SDK, r.ConfirmURL = tt.sdk, "https://shop.example/confirm?x"
				c := b.opens(r)
				began := time.Now()
				now, _ := b.pays(c, approves)
				if took := time.Since(began); took < tt.took || took > tt.took+time.Second {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				p := b.payment("o1")
				if good := tt.say == ""; good != (p.State == payment.Paid) || good != (now.Outcome.Code == "") || now.Outcome.Message != tt.say {
					t.Errorf("the window stands at %+v, its payment is %s", now.Outcome, p.State)
				}
				if tt.say != "" && (now.Outcome.Code != payment.CodeConfirm || p.State != payment.Failed || p.FailureReason != tt.say || b.webhooks(p) != "Ready Failed") {
					t.Errorf("the window stands at %+v, its payment is %s (%s), told %q", now.Outcome, p.State, p.FailureReason, b.webhooks(p))
				}
				want := `"type":"Transaction.Confirm"`
				if tt.sdk == payment.SDKV1 {
					want = `{"imp_uid":"` + string(c.Transaction) + `","merchant_uid":"o1","amount":1000}`
				}
				if len(asked) != 1 || !strings.Contains(asked[0], "https://shop.example/confirm?x {") || !strings.Contains(asked[0], want) {
					t.Errorf("the shop was asked %q", asked)
				}
			})
		})
	}
}

// TestConfirmCrash dies between the shop's yes and the PG: the payment comes to an end
// all the same, and its window with it.
func TestConfirmCrash(t *testing.T) {
	for _, method := range []payment.Method{payment.ByCard, payment.VirtualAccount} {
		t.Run(string(method), func(t *testing.T) {
			inBubble(t, func(b *bench) {
				b.windows()
				b.ask()
				b.Shops = &http.Client{Transport: shopSite(func(*http.Request) (*http.Response, error) {
					runtime.Goexit()
					return nil, nil
				})}
				r := wanted("o1", method)
				r.ConfirmURL = "https://shop.example/confirm"
				c := b.opens(r)
				died := make(chan struct{})
				go func() {
					defer close(died)
					choice := approves
					if method == payment.VirtualAccount {
						choice = byAccount
					}
					_, _, _ = b.PayCheckout(b.Context(), c.ID, choice)
				}()
				<-died
				if now, seen := b.stands(c); !now.EndedAt.IsZero() || len(seen.Transactions) != 1 || seen.State != payment.Ready {
					t.Errorf("right after the crash the window stands at %+v, and shows %+v", now, seen)
				}
				if now, err := b.LeaveCheckout(b.Context(), c.ID); err != nil || !now.EndedAt.IsZero() {
					t.Errorf("left while nobody knows: %+v, %v", now, err)
				}
				sleep(10 * time.Minute)
				now, _ := b.stands(c)
				if p := b.payment("o1"); p.State != payment.Failed || p.Begun() != 1 || method == payment.VirtualAccount && now.Outcome.Code != payment.CodePG {
					t.Errorf("in the end the window stands at %+v, its payment is %s", now, p.State)
				}
			})
		})
	}
}

// TestNoWindowForRealCards: no PG that is called for real is given the numbers of cards
// that are played here.
func TestNoWindowForRealCards(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.windows()
		c := b.opens(wanted("o1", payment.ByCard))
		g := b.cards() // a test channel with the PG's secrets
		b.save(func(all *settings.All) { all.Channels[0].BaseURL = "https://pg.example" })
		if _, err := b.OpenCheckout(b.Context(), wanted("o2", payment.ByCard)); !errors.Is(err, ErrNoWindow) || !fault.Is(err, fault.Unsupported) || !strings.Contains(err.Error(), `payMethod "CARD"`) {
			t.Errorf("a window for cards: %v", err)
		}
		if _, _, err := b.PayCheckout(b.Context(), c.ID, approves); !errors.Is(err, ErrNoWindow) || g.asked != 0 {
			t.Errorf("a window that was open: %v; the PG was asked %d times", err, g.asked)
		}
	})
}
