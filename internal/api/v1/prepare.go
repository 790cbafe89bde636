package v1

import (
	"errors"
	"net/http"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/payment"
)

// A preparedAnswer is what is pinned of a payment. go-iamport knows no currency.
type preparedAnswer struct {
	MerchantUID string  `json:"merchant_uid"`
	Amount      int64   `json:"amount"`
	Currency    *string `json:"currency,omitempty"`
}

func prepared(c *call, id string, x payment.Pin) preparedAnswer {
	out := preparedAnswer{MerchantUID: id}
	if x.Amount != nil {
		out.Amount = *x.Amount
	}
	if !c.lean() {
		currency := string(x.Currency)
		if currency == "" {
			currency = string(payment.KRW)
		}
		out.Currency = &currency
	}
	return out
}

var errNotPrepared = refusal{http.StatusNotFound, codeRefused, "사전등록된 결제정보가 존재하지 않습니다."}

// prepare pins amount and currency of a payment before it begins. It does so once:
// changePrepared changes them.
func (a *API) prepare(c *call) (any, error) { return a.pin(c, false) }

// changePrepared pins other ones.
func (a *API) changePrepared(c *call) (any, error) { return a.pin(c, true) }

// pin pins what the call asks for, for the first time or again.
func (a *API) pin(c *call, again bool) (any, error) {
	in, err := c.body()
	if err != nil {
		return nil, err
	}
	id, amount, currency := in.text("merchant_uid"), in.amount("amount"), in.text("currency")
	switch {
	case in.err != nil:
		return nil, in.err
	case id == "" || amount == nil:
		return nil, invalid("merchant_uid와 amount는 필수입니다.")
	case currency == "":
		currency = string(payment.KRW)
	case currency != string(payment.KRW):
		return nil, invalid("currency: KRW만 사용할 수 있습니다. 다른 통화는 API V2로 사전등록하세요.")
	}
	x := payment.Pin{Amount: amount, Currency: payment.Currency(currency)}
	switch err := a.Actions.Prepare(c.ctx(), c.caller, payment.ID(id), x, again); {
	case errors.Is(err, payment.ErrPinnedBefore):
		return nil, invalid("결제정보 사전등록에 실패하였습니다(이미 등록된 merchant_uid입니다).") // as PortOne's is spelt: clients look for it
	case errors.Is(err, payment.ErrNotPinned):
		return nil, errNotPrepared
	case err != nil:
		return nil, err
	}
	return prepared(c, id, x), nil
}

// getPrepared answers with what is pinned of a payment.
func (a *API) getPrepared(c *call) (any, error) {
	id := payment.ID(c.names[0])
	if action.CheckPaymentID(id) != nil {
		return nil, errNotPrepared
	}
	x, known, err := a.Store.Pinned(c.ctx(), c.caller.Store, id, c.caller.Mode)
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, errNotPrepared
	}
	return prepared(c, string(id), x), nil
}
