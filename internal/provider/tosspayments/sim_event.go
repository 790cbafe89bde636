package tosspayments

import (
	"encoding/base64"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
)

// dataEvent is an event with data.
type dataEvent struct {
	EventType string `json:"eventType"`
	CreatedAt string `json:"createdAt"`
	Data      any    `json:"data"`
}

// entityEvent is an event with a signature.
type entityEvent struct {
	EventType  string `json:"eventType"`
	CreatedAt  string `json:"createdAt"`
	Version    string `json:"version"`
	EventID    string `json:"eventId"`
	EntityType string `json:"entityType"`
	EntityBody any    `json:"entityBody"`
}

// eventBody writes an event that moves no payment. What documents do not show
// in full is cut to what they show.
func eventBody(n notice.Notice) []byte {
	kind := n.Kind
	if kind == "" {
		kind = "METHOD_UPDATED"
	}
	at := timeOf(n)
	switch kind {
	case payoutChanged:
		return encode(entity(n, "payout", struct {
			ID     string `json:"id"`
			Status string `json:"status"`
		}{"FPA_" + derive(lowerDigits, 26, "payout", n.Key), "COMPLETED"}))
	case sellerChanged:
		return encode(entity(n, "seller", struct {
			ID     string `json:"id"`
			Status string `json:"status"`
		}{derive(lowerDigits, 26, "seller", n.Key), "APPROVED"}))
	}
	return encode(dataEvent{kind, at.Format(createdLayout), dataOf(kind, n)})
}

func entity(n notice.Notice, kind string, body any) entityEvent {
	return entityEvent{
		EventType: n.Kind, CreatedAt: timeOf(n).Format(time.RFC3339), Version: "2022-11-16",
		EventID: derive(lowerDigits, 26, "event", n.Key, n.Kind), EntityType: kind, EntityBody: body,
	}
}

// dataOf is the data of an event that is named by kind.
func dataOf(kind string, n notice.Notice) any {
	customer := derive(alphanumeric, 22, "customer", n.Key)
	at := timeOf(n).Format(time.RFC3339)
	switch kind {
	case "CANCEL_STATUS_CHANGED":
		return cancel{
			TransactionKey: transactionOf(n), CancelReason: "고객 변심", CanceledAt: at,
			CancelAmount: plausible, CancelStatus: "DONE",
		}
	case "BILLING_DELETED":
		return struct {
			BillingKey string  `json:"billingKey"`
			Reason     *string `json:"reason"`
		}{derive(alphanumeric, 43, "billing", n.Key), nil}
	case "CUSTOMER_STATUS_CHANGED":
		return struct {
			CustomerKey string `json:"customerKey"`
			Status      string `json:"status"`
			ChangedAt   string `json:"changedAt"`
		}{customer, "CREATED", at}
	case "METHOD_UPDATED":
		return struct {
			CustomerKey string `json:"customerKey"`
			MethodKey   string `json:"methodKey"`
			Status      string `json:"status"`
		}{customer, derive(alphanumeric, 43, "method", n.Key), "ENABLED"}
	}
	return struct{}{}
}

// signEvent signs an event of the kinds that Toss signs. A channel without a
// security key gets it without a signature.
func signEvent(r *notice.Request, n notice.Notice, c merchant.Credentials) {
	key := c[securityKey]
	if key == "" || (n.Kind != payoutChanged && n.Kind != sellerChanged) {
		return
	}
	sum := base64.StdEncoding.EncodeToString(sign([]byte(key.Reveal()), r.Body, r.Header.Get(headerTime)))
	r.Header.Set(headerSignature, "v1:"+sum+",v1:"+sum)
}
