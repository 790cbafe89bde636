package v2

import (
	"errors"
	"strconv"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A webhookAnswer is PortOne's PaymentWebhook: one webhook and how it fared.
type webhookAnswer struct {
	PaymentStatus payment.State    `json:"paymentStatus,omitempty"`
	ID            string           `json:"id"`
	Status        string           `json:"status,omitempty"` // of the latest try
	URL           string           `json:"url"`
	IsAsync       bool             `json:"isAsync"` // tried again if it fails
	Tries         int              `json:"currentExecutionCount"`
	MaxTries      int              `json:"maxExecutionCount"`
	Trigger       webhook.Trigger  `json:"trigger,omitempty"`
	Request       *requestAnswer   `json:"request,omitempty"`
	Response      *exchangedAnswer `json:"response,omitempty"`
	TriggeredAt   string           `json:"triggeredAt,omitempty"`
}

type requestAnswer struct {
	Header      string `json:"header,omitempty"`
	Body        string `json:"body"`
	RequestedAt string `json:"requestedAt,omitempty"`
}

type exchangedAnswer struct {
	Code        string `json:"code"`
	Header      string `json:"header"`
	Body        string `json:"body"`
	RespondedAt string `json:"respondedAt"`
}

func webhookOf(h webhook.History) webhookAnswer {
	out := webhookAnswer{
		PaymentStatus: h.PaymentState, ID: h.ID.WebhookID(), URL: h.URL, IsAsync: h.MaxTries > 1,
		Tries: h.Tries, MaxTries: h.MaxTries, Trigger: h.Trigger, TriggeredAt: at(h.TriggeredAt),
		Request: &requestAnswer{Body: string(h.Body)},
	}
	last := h.Last
	if last == nil {
		return out
	}
	out.Status = statusOf(last.Outcome)
	out.Request.Header, out.Request.RequestedAt = last.RequestHeader, at(last.At)
	if last.Status != 0 {
		out.Response = &exchangedAnswer{
			Code: strconv.Itoa(last.Status), Header: last.ResponseHeader, Body: string(last.ResponseBody),
			RespondedAt: at(last.At.Add(last.Took)),
		}
	}
	return out
}

// statusOf is how a try ended, in PortOne's words.
func statusOf(o webhook.Outcome) string {
	switch o {
	case webhook.Good:
		return "SUCCEEDED"
	case webhook.BadAnswer:
		return "FAILED_NOT_OK_RESPONSE"
	case webhook.NoAnswer, webhook.NoConnect, webhook.NotAllowed, webhook.Gone, webhook.Stopped:
	}
	return "FAILED_UNEXPECTED_ERROR"
}

// resendWebhook sends a webhook of a payment once more, and answers with its
// history: the new try is made soon after.
func (a *API) resendWebhook(c *call) (any, error) {
	var in struct {
		StoreID   string `json:"storeId"`
		WebhookID string `json:"webhookId"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	d, err := a.Actions.Resend(c.ctx(), caller, c.payment, in.WebhookID)
	switch {
	case errors.Is(err, action.ErrNoWebhook):
		return nil, named{err, "WEBHOOK_NOT_FOUND"}
	case errors.Is(err, webhook.ErrTooManyResends):
		return nil, named{fault.Errorf(fault.Invalid, "%w", err), "MAX_WEBHOOK_RETRY_COUNT_REACHED"}
	case err != nil:
		return nil, noPayment(err)
	}
	history, err := a.Store.Webhooks(c.ctx(), d.Payment)
	if err != nil {
		return nil, err
	}
	if string(d.ID) == string(d.Event) {
		history = append(history, webhook.Summarize(webhook.Event{}, []webhook.Delivery{d}, nil)) // for listen sessions alone
	}
	for _, h := range history {
		if h.ID.WebhookID() == d.WebhookID() {
			return struct {
				Webhook webhookAnswer `json:"webhook"`
			}{webhookOf(h)}, nil
		}
	}
	return nil, fault.Errorf(fault.Internal, "webhook %s was resent and has no history", d.WebhookID())
}
