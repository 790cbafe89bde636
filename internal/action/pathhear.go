package action

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/webhook"
)

// heard looks how the shop hears of a change, and reads the payment back. happened says
// whether the change came about as far as it can be told.
func (x *pathing) heard(ctx context.Context, t webhook.Type, happened bool, want payment.State) error {
	if !happened {
		x.add(ctx, say(PartWebhook, StepSkipped, "path.not_reached"), say(PartReceipt, StepSkipped, "path.not_reached"))
		return x.read(ctx, want)
	}
	p, err := x.a.Store.Payment(ctx, x.caller.Store, x.test.Payment, x.caller.Mode)
	if err != nil {
		return err
	}
	if x.test.Key = p.Key; p.State != want { // the PG is asked first, and says otherwise
		x.add(ctx, say(PartWebhook, StepSkipped, "path.not_yet"), say(PartReceipt, StepSkipped, "path.not_reached"))
		return x.read(ctx, want)
	}
	good, all, err := x.webhooks(ctx, p.Key, t)
	if err != nil {
		return err
	}
	switch {
	case all == 0:
		x.add(ctx, say(PartReceipt, StepSkipped, "path.not_reached"))
	case good < all:
		x.add(ctx, say(PartReceipt, StepFailed, "path.not_received", "good", good, "all", all))
	default:
		x.add(ctx, say(PartReceipt, StepOK, "path.received", "all", all))
	}
	return x.read(ctx, want)
}

// webhooks waits for the first try at each endpoint, and tells of each as it ends.
func (x *pathing) webhooks(ctx context.Context, k payment.Key, t webhook.Type) (good, all int, err error) {
	rep, _ := x.view.planner.Merchants.Representative(x.caller.Merchant)
	names := make(map[webhook.EndpointID]string)
	endpoints := x.view.planner.Endpoints.Of(x.caller.Store, rep.ID, x.caller.Mode)
	for _, e := range endpoints {
		names[e.ID] = e.Name
		if !webhook.Wants(e.Events, t) || !e.Version.Carries(t) {
			x.add(ctx, notice.PathRung{Part: PartWebhook, Subject: e.Name, Outcome: string(StepSkipped), Key: "path.unwanted", Args: argTexts([]any{"type", t})})
		} else {
			all++
		}
	}
	if all == 0 {
		key := "path.no_endpoint"
		if len(endpoints) > 0 {
			key = "path.none_wants"
		}
		x.add(ctx, say(PartWebhook, StepFailed, key, "type", t))
		return 0, 0, nil
	}
	told, began := make(map[webhook.DeliveryID]bool), time.Now()
	var left []webhook.FirstTry
	look := func() (bool, error) {
		list, err := x.a.Store.FirstTriesOf(ctx, k, t)
		left = nil
		for _, d := range list {
			switch {
			case told[d.Delivery]:
			case d.Try == nil && d.State == webhook.Waiting:
				left = append(left, d)
			default:
				told[d.Delivery] = true
				if x.tried(ctx, d, names[d.Endpoint]) {
					good++
				}
			}
		}
		return err == nil && len(left) == 0 && len(told) > 0, err
	}
	limited, cancel := context.WithTimeout(ctx, PathWait)
	defer cancel()
	if err := x.a.until(limited, k, tryEvery, look); err != nil && !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil {
		return good, all, errors.Join(err, ctx.Err())
	}
	for _, d := range left {
		r := say(PartWebhook, StepFailed, "path.untried", "seconds", int(PathWait.Seconds()))
		r.Subject, r.Took, r.Delivery = whose(d, names[d.Endpoint]), time.Since(began), string(d.Delivery)
		x.add(ctx, r)
	}
	if len(told)+len(left) == 0 {
		x.add(ctx, say(PartWebhook, StepFailed, "path.none_made"))
	}
	return good, max(all, len(told)+len(left)), nil
}

// tried is the rung of a webhook whose first try has ended, or that is held. It reports
// whether the shop has it.
func (x *pathing) tried(ctx context.Context, d webhook.FirstTry, name string) bool {
	r := notice.PathRung{Part: PartWebhook, Subject: whose(d, name), Outcome: string(StepFailed), Delivery: string(d.Delivery)}
	switch {
	case d.Try == nil && d.State == webhook.Held:
		r.Key = "path.held"
	case d.Try == nil:
		r.Key = "path.gone"
	default:
		r.Took = d.Try.Took
		r.Key, r.Args = "path.answered", argTexts([]any{"status", d.Try.Status})
		if d.Try.Outcome == webhook.Good {
			r.Outcome = string(StepOK)
		} else if d.Try.Status == 0 {
			r.Key, r.Args = "path.no_answer", nil
		}
		if x.a.Diagnose != nil {
			if key, args, found := x.a.Diagnose(*d.Try); found {
				r.Key, r.Args = key, argTexts(args)
			}
		}
	}
	x.add(ctx, r)
	return r.Outcome == string(StepOK)
}

// whose names where a webhook goes: the endpoint, or the host of a notice URL.
func whose(d webhook.FirstTry, name string) string {
	if name != "" {
		return name
	}
	if u, err := url.Parse(d.URL); err == nil {
		return u.Host
	}
	return ""
}

// charged is the path of a payment without an account: approved, told of, read back,
// cancelled, told of, read back.
func (x *pathing) charged(ctx context.Context) error {
	if !x.a.played(x.pg, x.channel) {
		x.add(ctx, say(PartApprove, StepSkipped, "path.approve_cannot"))
		x.failed = true
		return nil
	}
	began := time.Now()
	g := x.registration()
	g.Account = payment.Account{}
	p, err := x.a.Charge(ctx, x.caller, x.charge(g))
	if err != nil {
		return x.declined(ctx, PartApprove, err, time.Since(began))
	}
	x.test.Key = p.Key
	x.add(ctx, notice.PathRung{Part: PartApprove, Outcome: string(StepOK), Took: time.Since(began), Key: "path.approved_here"})
	if err := x.heard(ctx, webhook.Paid, true, payment.Paid); err != nil {
		return err
	}
	began = time.Now()
	_, _, err = x.a.Cancel(ctx, x.caller, p.ID, CancelRequest{CancelRequest: payment.CancelRequest{Reason: pathOrder}})
	if err != nil {
		return x.declined(ctx, PartCancel, err, time.Since(began))
	}
	x.add(ctx, notice.PathRung{Part: PartCancel, Outcome: string(StepOK), Took: time.Since(began), Key: "path.cancelled_here"})
	return x.heard(ctx, webhook.Cancelled, true, payment.Cancelled)
}

// charge is what a buyer would approve.
func (x *pathing) charge(g payment.Registration) ChargeRequest {
	if w := x.pg.Info().Wallet; w != nil {
		g.Amount.Currency = w.Currencies[0]
		return ChargeRequest{Registration: g, Wallet: &provider.WalletPay{Name: w.Name, Ending: provider.Approves}}
	}
	return ChargeRequest{Registration: g, Card: &provider.Card{Number: TestCards()[provider.Approves], ExpiryYear: "39", ExpiryMonth: "12"}}
}
