package delivery

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/webhook"
)

// classify says what kind of end an error of an HTTP client is.
func classify(err error) webhook.Outcome {
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, safehttp.ErrPrivate):
		return webhook.NotAllowed
	case errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		return webhook.NoConnect
	}
	return webhook.NoAnswer
}

// words says what went wrong, for a person. The address is left out: it may
// hold a token of the shop's, and stands beside it anyway.
func words(err error) string {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	var t interface{ Timeout() bool }
	if classify(err) == webhook.NoAnswer && errors.As(err, &t) && t.Timeout() {
		return "no answer in time"
	}
	return clean(err.Error(), 500)
}

// conclude decides what a try means for its delivery. Delays count from the
// end of the try.
func (r *run) conclude(ctx context.Context, job webhook.Job, res result, planner webhook.Planner) webhook.Finish {
	a := res.attempt
	f := webhook.Finish{Job: job, Attempt: a, State: webhook.Undone}
	end := a.At.Add(a.Took)
	switch {
	case a.Outcome == webhook.Good:
		f.State = webhook.Completed
		return f
	case job.Manual:
		return f // one try, watched by the person who asked for it
	case a.Outcome != webhook.Gone:
		if delay, more := job.Schedule.After(a.Number, res.retryAfter, r.Random); more {
			f.State, f.Next = webhook.Waiting, end.Add(delay)
			return f
		}
	}
	f.Attention = r.attention(ctx, f, planner, end)
	return f
}

// attention tells that a delivery failed for good, to those who asked to be
// told, once per channel in ten minutes; nil if nobody did. There is none about an attention: two dead endpoints that want them
// would tell of each other for ever.
func (r *run) attention(ctx context.Context, f webhook.Finish, planner webhook.Planner, at time.Time) *webhook.Emission {
	job := f.Job
	if job.Type == webhook.Attention {
		return nil
	}
	em, err := planner.Plan(webhook.Event{
		ID: webhook.EventID(r.NewID()), Type: webhook.Attention, At: at,
		Merchant: job.Merchant, Store: job.Store, Mode: job.Mode, Payment: job.Payment, PaymentID: job.PaymentID,
		Concern: &webhook.Concern{
			Kind: "delivery_failed", Reason: string(f.Attempt.Outcome), Channel: job.Channel, Subject: job.WebhookID(),
		},
	}, nil)
	if err != nil {
		r.Log.ErrorContext(ctx, "attention not planned", "delivery_id", job.ID, "err", err)
		return nil
	}
	if len(em.Deliveries) == 0 {
		return nil
	}
	em.Throttle = "delivery_failed/" + string(job.Channel)
	if job.Channel == "" { // no transaction was told of
		em.Throttle += string(job.Store) + "/" + string(job.Mode)
	}
	return &em
}

// report writes the line of one attempt. It names the target, not the URL,
// which may hold a token of the shop's.
func (r *run) report(ctx context.Context, f webhook.Finish) {
	a := f.Attempt
	attrs := []slog.Attr{
		slog.String("delivery_id", string(f.Job.ID)),
		slog.String("webhook_id", f.Job.WebhookID()),
		slog.String("endpoint", f.Job.Target),
		slog.Int("attempt", a.Number),
		slog.String("outcome", string(a.Outcome)),
		slog.Int("status", a.Status),
		slog.Duration("took", a.Took),
		slog.String("state", string(f.State)),
	}
	if !f.Next.IsZero() {
		attrs = append(attrs, slog.Time("next", f.Next))
	}
	if a.Error != "" {
		attrs = append(attrs, slog.String("err", a.Error))
	}
	r.Log.LogAttrs(ctx, slog.LevelInfo, "webhook attempt", attrs...)
}
