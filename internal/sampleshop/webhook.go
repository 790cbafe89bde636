package sampleshop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/payment"
)

// webhook takes one webhook. It is answered with 200 once its order is what the payment says;
// any other answer has it sent again. A shop with more to do than one reading writes the
// webhook down first, and answers then: see docs/receivers.
func (s *Shop) webhook(w http.ResponseWriter, r *http.Request) {
	// The signature is over the bytes as they came, so it is checked before they are parsed.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil || s.signature.Verify(body, r.Header) != nil {
		http.Error(w, "the signature does not fit", http.StatusUnauthorized)
		return
	}
	var event struct {
		Type string
		Data struct{ PaymentID string }
	}
	if err := json.Unmarshal(body, &event); err != nil {
		http.Error(w, "the webhook is no JSON", http.StatusBadRequest)
		return
	}
	if strings.HasPrefix(event.Type, "Transaction.") {
		err = s.settle(r.Context(), event.Data.PaymentID, event.Type, r.Header.Get("webhook-id"))
	}
	if err != nil {
		http.Error(w, "the payment could not be read: send it again", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusOK) // what is about no order of ours is taken, too
}

// settleFor reads the payment because a page asks for it. If that fails, the webhook will
// have it read again.
func (s *Shop) settleFor(r *http.Request, id string) { _ = s.settle(r.Context(), id, "", "") }

// settle reads an order's payment by the API, and makes the order what the payment says. It
// may be called any number of times: a webhook that came before does nothing.
func (s *Shop) settle(ctx context.Context, id, event, webhookID string) error {
	e := s.orders.find(id)
	if e == nil {
		return nil
	}
	e.reading.Lock()
	defer e.reading.Unlock()
	if e.heard[webhookID] {
		return nil
	}
	p, err := s.read(ctx, id)
	if errors.Is(err, errNoPayment) && event == "" {
		return nil // the window was closed before there was a payment
	}
	step := Step{At: time.Now(), Event: event, Status: p.Status, Total: payment.Money{Amount: p.Amount.Total, Currency: p.Currency}}
	if err != nil {
		s.orders.change(e, func(o *Order) { o.Steps = append(o.Steps, step) })
		return err
	}
	was := e.State
	o := s.orders.change(e, func(o *Order) {
		step.Differs = p.ID != o.ID || step.Total != o.Amount
		o.Steps = append(o.Steps, step)
		o.State = p.state(step.Differs, o.State)
		o.Account = p.account()
	})
	if webhookID != "" {
		e.heard[webhookID] = true
	}
	if o.State != was && s.Changed != nil {
		s.Changed(o)
	}
	return nil
}

// A paid is what the API says of a payment, as far as the shop needs it.
type paid struct {
	ID       string
	Status   string
	Currency payment.Currency
	Amount   struct{ Total int64 }
	Method   struct {
		Bank          payment.Bank
		AccountNumber string
		ExpiredAt     time.Time
	}
}

// state is what becomes of an order whose payment this is. Money of another amount than the
// order's is no reason to ship anything.
func (p paid) state(differs bool, was State) State {
	switch p.Status {
	case "PAID", "VIRTUAL_ACCOUNT_ISSUED":
		switch {
		case differs:
			return Held
		case p.Status == "PAID":
			return Paid
		}
		return Awaiting
	case "FAILED":
		return Failed
	case "CANCELLED", "PARTIAL_CANCELLED":
		return Refunded
	}
	return was // READY and PAY_PENDING say nothing yet
}

func (p paid) account() *Account {
	if p.Method.AccountNumber == "" {
		return nil
	}
	return &Account{Bank: p.Method.Bank, Number: p.Method.AccountNumber, ExpiresAt: p.Method.ExpiredAt}
}

// errNoPayment says that nobody has begun to pay.
var errNoPayment = errors.New("there is no such payment")

// read asks the API for a payment, by the secret that only the server has.
func (s *Shop) read(ctx context.Context, id string) (p paid, err error) {
	resp, err := s.call(ctx, http.MethodGet, "/payments/"+url.PathEscape(id), nil)
	if err != nil {
		return p, err
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return p, errNoPayment
	default:
		return p, fmt.Errorf("read payment %s: %s", id, resp.Status)
	}
	var answer paid
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer); err != nil {
		return p, fmt.Errorf("read payment %s: %w", id, err)
	}
	return answer, nil
}

// call calls the API.
func (s *Shop) call(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.Hub+path, body) //nolint:gosec // the hub that this shop was given, and a path with an escaped id
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "PortOne "+s.APISecret.Reveal())
	return s.client.Do(req) //nolint:gosec // as above
}
