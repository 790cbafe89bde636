package tosspayments

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// A wallet has the billing keys that the played API issued.
type wallet struct {
	mu   sync.Mutex
	keys map[string]walletKey
}

type walletKey struct {
	customer string
	channel  merchant.ChannelKey
	card     payment.Card
	over     bool // the card is over its limit: its number ends so
}

// overLimit ends the numbers of cards that are over their limit.
const overLimit = "0002"

// cardData is a Payment's card.
type cardData struct {
	IssuerCode string `json:"issuerCode"`
	Number     string `json:"number"`
	Months     int    `json:"installmentPlanMonths"`
	ApproveNo  string `json:"approveNo"`
	CardType   string `json:"cardType"`
	OwnerType  string `json:"ownerType"`
	NoInterest bool   `json:"isInterestFree"`
}

// billing is what issues a key: a Billing.
type billing struct {
	MID         string   `json:"mId"`
	CustomerKey string   `json:"customerKey"`
	At          string   `json:"authenticatedAt"`
	Method      string   `json:"method"`
	BillingKey  string   `json:"billingKey"`
	Card        cardData `json:"card"`
}

func (s api) issueKey(c merchant.Channel, r *http.Request) (any, error) {
	var q keyRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.CustomerKey == "" || len(q.Year) != 2 || len(q.Month) != 2 {
		return nil, refused{http.StatusBadRequest, "INVALID_REQUEST", "잘못된 요청입니다."}
	}
	if len(q.Number) < 13 || strings.Trim(q.Number, "0123456789") != "" {
		return nil, refused{http.StatusBadRequest, "INVALID_CARD_NUMBER", "카드번호를 다시 확인해주세요."}
	}
	key := derive(alphanumeric, 44, "billing", c.MID, q.CustomerKey)
	card := payment.Card{Number: q.Number[:6] + "******" + q.Number[len(q.Number)-4:], Issuer: "61", Type: "신용", Owner: "개인"}
	s.wallet.mu.Lock()
	s.wallet.keys[key] = walletKey{q.CustomerKey, c.Key, card, strings.HasSuffix(q.Number, overLimit)}
	s.wallet.mu.Unlock()
	return billing{c.MID, q.CustomerKey, rfc(s.Now()), "카드", key, cardDataOf(card)}, nil
}

func cardDataOf(c payment.Card) cardData {
	return cardData{IssuerCode: c.Issuer, Number: c.Number, Months: c.Months, ApproveNo: c.Approval, CardType: c.Type, OwnerType: c.Owner}
}

func (s api) charge(c merchant.Channel, r *http.Request) (provider.Entry, error) {
	var q chargeRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.OrderID == "" || q.OrderName == "" || q.Amount < 1 {
		return provider.Entry{}, refused{http.StatusBadRequest, "INVALID_REQUEST", "잘못된 요청입니다."}
	}
	s.wallet.mu.Lock()
	k, ok := s.wallet.keys[r.PathValue("key")]
	s.wallet.mu.Unlock()
	switch {
	case !ok || k.channel != c.Key:
		return provider.Entry{}, refused{http.StatusNotFound, "NOT_FOUND_BILLING", "존재하지 않는 빌링 결제 정보 입니다."}
	case k.customer != q.CustomerKey:
		return provider.Entry{}, refused{http.StatusForbidden, "NOT_MATCHES_CUSTOMER_KEY", "빌링 인증 고객키와 결제 요청 고객키가 일치하지 않습니다."}
	case k.over:
		return provider.Entry{}, refused{http.StatusForbidden, "REJECT_CARD_PAYMENT", "한도초과 혹은 잔액부족으로 결제에 실패했습니다."}
	}
	card := k.card
	card.Months, card.Approval = q.Months, derive(decimals, 8, "approval", q.OrderID)
	e, err := s.Take(c, provider.Entry{
		Order: q.OrderID, Name: q.OrderName, Key: r.Header.Get("Idempotency-Key"), Amount: payment.Won(q.Amount), Card: &card,
		PGTx: derive(alphanumeric, 48, "payment", c.MID, q.OrderID),
	})
	if errors.Is(err, provider.ErrTaken) {
		return e, refused{http.StatusBadRequest, "DUPLICATED_ORDER_ID", "이미 승인 및 취소가 진행된 중복된 주문번호 입니다."}
	}
	return e, err
}
