package webhook

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// Timestamp writes a time as PortOne's payloads do: UTC with Z and
// milliseconds, which every SDK parses.
func Timestamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

type payloadV2 struct {
	Type      Type   `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      any    `json:"data"`
}

type transactionData struct {
	StoreID        string `json:"storeId"`
	PaymentID      string `json:"paymentId"`
	TransactionID  string `json:"transactionId"`
	CancellationID string `json:"cancellationId,omitempty"`
}

type billingKeyData struct {
	StoreID    string `json:"storeId"`
	BillingKey string `json:"billingKey"`
}

type attentionData struct {
	StoreID    string `json:"storeId"`
	Kind       string `json:"kind"`
	Reason     string `json:"reason,omitempty"`
	ChannelKey string `json:"channelKey,omitempty"`
	PaymentID  string `json:"paymentId,omitempty"`
	Subject    string `json:"subject,omitempty"`
}

type payloadFirst struct {
	PaymentID string `json:"payment_id"`
	TxID      string `json:"tx_id"`
	Status    string `json:"status"`
}

type payloadV1 struct {
	ImpUID         string `json:"imp_uid"`
	MerchantUID    string `json:"merchant_uid"`
	Status         string `json:"status"`
	CancellationID string `json:"cancellation_id,omitempty"`
}

// Carries reports whether a payload of the version can tell of the event at
// all: the older ones know only PortOne's payment events, and V1 does not
// send an ordinary failure.
func (v Version) Carries(t Type) bool {
	switch v {
	case V20240425:
		return true
	case V20240101:
		return t != Attention && t != VirtualAccountExpired && !strings.HasPrefix(string(t), "BillingKey.")
	case V1:
		return v1Status[t] != ""
	}
	return false
}

// v1Status are V1's statuses: ready is an issued account; a failure is sent
// only for scheduled payments (PortOne V1 webhook guide, 2026-08).
var v1Status = map[Type]string{
	VirtualAccountIssued: "ready", Paid: "paid", Cancelled: "cancelled", PartialCancelled: "cancelled",
}

// Render writes the event's payload. The bytes depend on the arguments alone,
// so a body can be written once and sent on every try.
func Render(e Event, v Version, c ContentType) ([]byte, error) {
	if !v.Carries(e.Type) {
		return nil, fault.Errorf(fault.Invalid, "version %s has no payload for %s", v, e.Type)
	}
	switch v {
	case V20240425:
		return marshal(payloadV2{e.Type, Timestamp(e.At), e.data()})
	case V20240101:
		p := payloadFirst{string(e.PaymentID), string(e.Transaction), strings.TrimPrefix(string(e.Type), "Transaction.")}
		if c == Form {
			return form("payment_id", p.PaymentID, "tx_id", p.TxID, "status", p.Status), nil
		}
		return marshal(p)
	case V1:
		p := payloadV1{string(e.Transaction), string(e.PaymentID), v1Status[e.Type], e.Cancellation}
		if c == Form {
			pairs := []string{"imp_uid", p.ImpUID, "merchant_uid", p.MerchantUID, "status", p.Status}
			if p.CancellationID != "" {
				pairs = append(pairs, "cancellation_id", p.CancellationID)
			}
			return form(pairs...), nil
		}
		return marshal(p)
	}
	return nil, fault.Errorf(fault.Invalid, "payload version %q is unknown", v)
}

func (e Event) data() any {
	if e.BillingKey != "" {
		return billingKeyData{string(e.Store), string(e.BillingKey)}
	}
	if e.Concern == nil {
		return transactionData{string(e.Store), string(e.PaymentID), string(e.Transaction), e.Cancellation}
	}
	return attentionData{
		StoreID: string(e.Store), Kind: e.Concern.Kind, Reason: e.Concern.Reason,
		ChannelKey: string(e.Concern.Channel), PaymentID: string(e.PaymentID), Subject: e.Concern.Subject,
	}
}

// marshal writes JSON without HTML escapes: payment ids may hold any text.
func marshal(v any) ([]byte, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return []byte(strings.TrimSuffix(b.String(), "\n")), nil
}

// form writes names and values, which alternate, in their order.
func form(pairs ...string) []byte {
	var b strings.Builder
	for pair := range slices.Chunk(pairs, 2) {
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(pair[0]) + "=" + url.QueryEscape(pair[1]))
	}
	return []byte(b.String())
}
