package action

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/webhook"
)

// How long a shop has to confirm a payment (PortOne's guide of the confirm process,
// 2026-08), how much of its answer is read, and how much of its reason is kept.
const (
	confirmTime   = 10 * time.Second
	confirmAnswer = 16 << 10
	confirmReason = 200 // runes
)

// A ConfirmError says that a shop did not confirm a payment: the PG was not asked.
type ConfirmError struct {
	Status int    // of the shop's answer; 0: there was none
	Reason string // the shop's own; empty if it gave none
	sdk    payment.SDK
}

// Error says what became of the question, as the buyer's page and the payment have it.
func (e *ConfirmError) Error() string {
	switch {
	case e.sdk == payment.SDKV1 && e.Reason != "": // PortOne V1's own words
		return "고객사 요청에 의해 결제를 중단합니다. (상세사유 : " + e.Reason + ")"
	case e.Reason != "":
		return e.Reason
	case e.Status == 0:
		return payment.Unconfirmed + "did not answer"
	}
	return fmt.Sprintf("%sanswered %d", payment.Unconfirmed, e.Status)
}

// confirm asks the shop of a window whether its attempt may go on. It reports a
// *ConfirmError unless the answer is 200, and asks nobody without a confirmUrl.
func (w *windowed) confirm(ctx context.Context, a *Actions, p payment.Payment, id payment.TransactionID) error {
	if w == nil || w.ConfirmURL == "" {
		return nil
	}
	req, err := w.question(ctx, a, webhook.Confirmation{Store: p.Store, Payment: p.ID, Transaction: id, Amount: p.Amount, At: now()})
	if err != nil {
		return &ConfirmError{sdk: w.SDK}
	}
	ctx, cancel := context.WithTimeout(ctx, confirmTime)
	defer cancel()
	client := a.Shops
	if client == nil {
		client = a.HTTP
	}
	resp, err := client.Do(req.WithContext(ctx))
	if err != nil {
		return &ConfirmError{sdk: w.SDK}
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusOK {
		return nil // the status alone decides, as for webhooks, whatever follows, and however slowly
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, confirmAnswer))
	if err != nil {
		body = nil
	}
	return &ConfirmError{Status: resp.StatusCode, Reason: reasonIn(body), sdk: w.SDK}
}

// question is the request by which a shop is asked, signed as its webhooks are.
func (w *windowed) question(ctx context.Context, a *Actions, q webhook.Confirmation) (*http.Request, error) {
	v, err := a.views.Get(ctx, a.load)
	if err != nil {
		return nil, err
	}
	version, content, secrets := v.planner.Like(w.Merchant, w.Store, w.Mode, q.At)
	if w.SDK == payment.SDKV1 {
		version = webhook.V1
	}
	body, err := q.Render(version, content)
	if err != nil {
		return nil, err
	}
	id := webhook.WebhookIDPrefix + string(q.Transaction)
	signature, err := webhook.Sign(id, q.At, body, secrets...)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.ConfirmURL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", content.MIME())
	req.Header.Set("User-Agent", "Tongbo-Webhook/1")
	// Not by Set: receivers look the names up in lower case.
	req.Header[webhook.HeaderID] = []string{id}
	req.Header[webhook.HeaderTimestamp] = []string{strconv.FormatInt(q.At.Unix(), 10)}
	if signature != "" {
		req.Header[webhook.HeaderSignature] = []string{signature}
	}
	return req, nil
}

// reasonIn is why a shop says no: PortOne V2's errorMessage, or V1's reason.
func reasonIn(body []byte) string {
	var no struct {
		ErrorMessage string `json:"errorMessage"`
		Reason       string `json:"reason"`
	}
	if json.Unmarshal(body, &no) != nil {
		return ""
	}
	text := no.ErrorMessage
	if text == "" {
		text = no.Reason
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	if runes := []rune(text); len(runes) > confirmReason {
		text = string(runes[:confirmReason])
	}
	return strings.TrimSpace(text)
}
