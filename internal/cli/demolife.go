package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/simulator"
)

// A kind is what may become of a payment of the traffic.
type kind struct {
	name  string // in words, for errors
	share int    // of a hundred payments
	// manner, if set, is one that the PG must be able to tell notices in.
	manner simulator.Manner
	// deaf says that it is of the channel that hears nothing; no other kind is.
	deaf bool
	// proved says that only orders with a secret of their own can have it.
	proved bool
	live   func(context.Context, *life) error
}

// kinds are all kinds, the usual one first, in the order in which a newcomer sees one of
// each.
func kinds() []*kind {
	return []*kind{
		{name: "paid", share: 60, live: paid},
		{name: "told twice", share: 7, manner: simulator.Duplicate, live: toldTwice},
		{name: "not heard", share: 6, deaf: true, live: expiring},
		{name: "another amount", share: 1, manner: simulator.OtherAmount, live: otherAmount},
		{name: "told by a stranger", share: 1, manner: simulator.UnknownAddress, live: byStranger},
		{name: "reversed", share: 1, manner: simulator.Reordered, live: reversed},
		{name: "not registered", share: 1, live: unregistered},
		{name: "expired", share: 2, live: expiring},
		{name: "waiting", share: 8, live: waiting},
		{name: "refunded", share: 3, live: refunded},
		{name: "told before it is registered", share: 2, live: toldEarly},
		{name: "garbled", share: 1, manner: simulator.Garbage, live: garbled},
		{name: "refunded in part", share: 3, live: refundedInPart},
		{name: "paid late", share: 1, live: paidLate},
		{name: "closed", share: 2, live: closedUnpaid},
		{name: "forged", share: 1, manner: simulator.WrongSignature, proved: true, live: forged},
	}
}

// fits reports whether a payment of the kind may be paid by a channel.
func (k *kind) fits(c tradedChannel) bool {
	if k.deaf != (c.Provider == deafProvider) || k.proved && !c.provider.Info().OrderSecret {
		return false
	}
	if k.manner == "" {
		return true
	}
	l := life{channel: c, order: order{id: "demo", account: "1", amount: 1, bank: banks[0]}}
	_, err := simulator.NewPlay(c.provider, k.manner, l.deposit(), c.Credentials, 0)
	return !fault.Is(err, fault.Unsupported)
}

// A life is what a payment's customer, merchant and PG do, one after the other.
type life struct {
	*traffic
	channel tradedChannel
	order   order
	pg      simulator.PG
	random  *rand.Rand
}

func paid(ctx context.Context, l *life) error {
	_, err := l.pay(ctx)
	return err
}

func waiting(ctx context.Context, l *life) error { return l.register(ctx) }

// expiring waits for money in vain.
func expiring(ctx context.Context, l *life) error {
	l.dueIn(45*time.Second, 90*time.Second)
	return l.register(ctx)
}

func toldTwice(ctx context.Context, l *life) error {
	n, err := l.pay(ctx)
	if err != nil {
		return err
	}
	if err := l.pause(ctx, 2*time.Second, 20*time.Second); err != nil {
		return err
	}
	return l.perform(ctx, simulator.Duplicate, n)
}

// otherAmount is paid with what the customer had.
func otherAmount(ctx context.Context, l *life) error {
	if err := l.await(ctx); err != nil {
		return err
	}
	n := l.deposit()
	n.Amount.Amount -= 1000
	return l.tell(ctx, n)
}

// byStranger is told of by somebody at an address of nobody, and then by the PG.
func byStranger(ctx context.Context, l *life) error {
	return l.afterManner(ctx, simulator.UnknownAddress)
}

// forged is told of by somebody who has not the order's secret, and then by the PG.
func forged(ctx context.Context, l *life) error { return l.afterManner(ctx, simulator.WrongSignature) }

// garbled comes as bytes that are no notice, and then as it should.
func garbled(ctx context.Context, l *life) error { return l.afterManner(ctx, simulator.Garbage) }

func (l *life) afterManner(ctx context.Context, m simulator.Manner) error {
	if err := l.await(ctx); err != nil {
		return err
	}
	n := l.deposit()
	if err := l.perform(ctx, m, n); err != nil {
		return err
	}
	if err := l.pause(ctx, 3*time.Second, 8*time.Second); err != nil {
		return err
	}
	return l.tell(ctx, n)
}

// reversed is taken back by the bank.
func reversed(ctx context.Context, l *life) error {
	n, err := l.pay(ctx)
	if err != nil {
		return err
	}
	play, err := simulator.NewPlay(l.pg.Provider, simulator.Reordered, n, l.channel.Credentials, 0)
	if err != nil {
		return err
	}
	if err := l.pause(ctx, 5*time.Second, 15*time.Second); err != nil {
		return err
	}
	play.Acts = play.Acts[:1] // the reversal; its deposit was told
	return l.play(ctx, play)
}

// unregistered is paid into an account that nobody made known.
func unregistered(ctx context.Context, l *life) error { return l.tell(ctx, l.deposit()) }

// toldEarly is told of before the merchant makes the account known.
func toldEarly(ctx context.Context, l *life) error {
	if err := l.tell(ctx, l.deposit()); err != nil {
		return err
	}
	if err := l.pause(ctx, 4*time.Second, 12*time.Second); err != nil {
		return err
	}
	return l.register(ctx)
}

func paidLate(ctx context.Context, l *life) error {
	l.dueIn(15*time.Second, 25*time.Second)
	if err := l.register(ctx); err != nil {
		return err
	}
	if err := sleep(ctx, time.Until(l.order.due)+l.hurried(4*time.Second)); err != nil {
		return err
	}
	return l.tell(ctx, l.deposit())
}

func refunded(ctx context.Context, l *life) error { return l.giveBack(ctx, l.order.amount) }

func refundedInPart(ctx context.Context, l *life) error {
	return l.giveBack(ctx, l.order.amount/200*100)
}

// giveBack has the PG give money back that was paid.
func (l *life) giveBack(ctx context.Context, amount int64) error {
	if _, err := l.pay(ctx); err != nil {
		return err
	}
	if err := l.pause(ctx, 5*time.Second, 20*time.Second); err != nil {
		return err
	}
	return l.ask(ctx, "cancel", map[string]any{
		"amount": amount, "reason": "구매자 요청",
		"refundAccount": map[string]any{"bank": l.order.bank, "number": "1100000000001", "holderName": l.order.customer},
	})
}

// closedUnpaid is given up before it was paid.
func closedUnpaid(ctx context.Context, l *life) error {
	if err := l.await(ctx); err != nil {
		return err
	}
	return l.ask(ctx, "virtual-account/close", map[string]any{})
}

// ask has the server do something with the payment.
func (l *life) ask(ctx context.Context, verb string, body any) error {
	_, err := l.demo.call(ctx, http.MethodPost, "/payments/"+l.order.id+"/"+verb, body)
	return err
}

// dueIn brings the account's deadline near.
func (l *life) dueIn(from, to time.Duration) { l.order.due = time.Now().Add(l.some(from, to)) }

// register makes the account known, as the merchant does once the PG has issued it.
func (l *life) register(ctx context.Context) error {
	_, err := l.demo.register(ctx, l.order)
	return err
}

// await makes the account known, and lets the customer take time.
func (l *life) await(ctx context.Context) error {
	if err := l.register(ctx); err != nil {
		return err
	}
	return l.pause(ctx, 2*time.Second, 20*time.Second)
}

// pay makes the account known, has the customer pay, and the PG tell of it. It returns
// what it told.
func (l *life) pay(ctx context.Context) (notice.Notice, error) {
	if err := l.await(ctx); err != nil {
		return notice.Notice{}, err
	}
	n := l.deposit()
	return n, l.tell(ctx, n)
}

// deposit is what the PG says of the payment's money, if it came just now.
func (l *life) deposit() notice.Notice {
	n := notice.Notice{Merchant: l.channel.MID, Order: l.order.id, Proof: l.order.secret}
	n.Report = payment.Report{
		Event: payment.EventDeposited, Amount: payment.Won(l.order.amount), HasAmount: true, Account: secret.Account(l.order.account),
		Bank: payment.Bank(l.order.bank), Depositor: l.order.customer, At: time.Now().In(wire.Seoul).Truncate(time.Second), ExpiresAt: l.order.due,
	}
	return n
}

// tell sends a notice, again until it is acknowledged.
func (l *life) tell(ctx context.Context, n notice.Notice) error {
	return l.play(ctx, simulator.Play{Acts: []simulator.Act{{Notice: n, Request: l.pg.Provider.Encode(n, l.channel.Credentials)}}})
}

// perform tells a notice in some manner.
func (l *life) perform(ctx context.Context, m simulator.Manner, n notice.Notice) error {
	play, err := simulator.NewPlay(l.pg.Provider, m, n, l.channel.Credentials, 1)
	if err != nil {
		return err
	}
	return l.play(ctx, play)
}

// mostBusy is how often something is played to a server that is too busy to judge it.
const mostBusy = 20

// play has the PG send its notices to the channel's own address. It is an error if it
// does not hear what it should.
func (l *life) play(ctx context.Context, play simulator.Play) error {
	path := play.Acts[0].Request.Path
	if path == "" {
		path = l.pg.Provider.Info().Paths[0]
	}
	for n := 1; ; n++ {
		scenes, err := l.pg.Perform(ctx, l.demo.base+provider.NoticePath(path, l.channel.Channel), play, nil)
		if err != nil {
			return err
		}
		busy := false
		for _, s := range scenes {
			last := s.Tries[len(s.Tries)-1]
			busy = busy || last.Reply.Status == http.StatusServiceUnavailable
			switch {
			case s.Err != nil:
				return s.Err
			case !s.Good && (!busy || n == mostBusy):
				return fmt.Errorf("the PG was answered %d %.40q, want %s", last.Reply.Status, last.Reply.Body, play.Want)
			}
		}
		if !busy || n == mostBusy {
			return nil
		}
		if err := l.pause(ctx, 10*time.Second, 30*time.Second); err != nil {
			return err
		}
	}
}

// pause lets some time pass, of the customers' lives.
func (l *life) pause(ctx context.Context, from, to time.Duration) error {
	return sleep(ctx, l.some(from, to))
}

// some is a time between two.
func (l *life) some(from, to time.Duration) time.Duration {
	return l.hurried(from + time.Duration(l.random.Float64()*float64(to-from)))
}
