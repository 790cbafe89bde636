package v2

import (
	"errors"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// A cardInput is PortOne's InstantPaymentMethodInputCard.
type cardInput struct {
	Credential   credentialInput `json:"credential"`
	Months       int             `json:"installmentMonth"`
	FreePlan     bool            `json:"useFreeInstallmentPlan"`
	FreeInterest bool            `json:"useFreeInterestFromMerchant"`
	CardPoint    bool            `json:"useCardPoint"`
}

// A credentialInput is PortOne's CardCredential. None of it prints.
type credentialInput struct {
	Number      secret.Text `json:"number"`
	ExpiryYear  secret.Text `json:"expiryYear"`
	ExpiryMonth secret.Text `json:"expiryMonth"`
	Identity    secret.Text `json:"birthOrBusinessRegistrationNumber"`
	Password    secret.Text `json:"passwordTwoDigits"`
}

func (in credentialInput) card() provider.Card {
	return provider.Card{Number: in.Number, ExpiryYear: in.ExpiryYear, ExpiryMonth: in.ExpiryMonth, Identity: in.Identity, Password: in.Password}
}

// instantCard charges a card by its number.
func (a *API) instantCard(c *call, caller action.Caller, in instantBody) (any, error) {
	customer, err := in.Customer.output()
	if err != nil {
		return nil, err
	}
	card := in.Method.Card.Credential.card()
	return a.charged(c, caller, action.ChargeRequest{
		Registration: in.sale(c.payment, customer), Card: &card, Quiet: in.Quiet, IDs: c.ids, Terms: payment.Terms{
			Months: in.Method.Card.Months, FreeInterest: in.Method.Card.FreeInterest || in.Method.Card.FreePlan, CardPoint: in.Method.Card.CardPoint,
		},
	})
}

// A keyPayment is PortOne's BillingKeyPaymentInput, as far as Tongbo uses it.
type keyPayment struct {
	StoreID      string        `json:"storeId"`
	BillingKey   string        `json:"billingKey"`
	ChannelKey   string        `json:"channelKey"`
	OrderName    string        `json:"orderName"`
	Customer     customerInput `json:"customer"`
	CustomData   string        `json:"customData"`
	Amount       amountInput   `json:"amount"`
	Currency     string        `json:"currency"`
	Months       int           `json:"installmentMonth"`
	FreeInterest bool          `json:"useFreeInterestFromMerchant"`
	CardPoint    bool          `json:"useCardPoint"`
	NoticeURLs   []string      `json:"noticeUrls"`
	Quiet        bool          `json:"skipWebhook"`
}

// request is what the body asks for. What it means is checked by the action.
func (in keyPayment) request(c *call) (action.ChargeRequest, error) {
	customer, err := in.Customer.output()
	return action.ChargeRequest{
		BillingKey: payment.BillingKeyID(in.BillingKey), Quiet: in.Quiet, IDs: c.ids,
		Terms: payment.Terms{Months: in.Months, FreeInterest: in.FreeInterest, CardPoint: in.CardPoint},
		Registration: payment.Registration{
			ID: c.payment, Channel: merchant.ChannelKey(in.ChannelKey), OrderName: in.OrderName,
			Amount:  payment.Money{Amount: in.Amount.Total, Currency: payment.Currency(in.Currency)},
			TaxFree: in.Amount.TaxFree, VAT: in.Amount.VAT, Customer: customer, CustomData: in.CustomData, NoticeURLs: in.NoticeURLs,
		},
	}, err
}

// payByKey charges a billing key at once.
func (a *API) payByKey(c *call) (any, error) {
	var in keyPayment
	if err := c.body(&in); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	r, err := in.request(c)
	if err != nil {
		return nil, err
	}
	return a.charged(c, caller, r)
}

func (a *API) charged(c *call, caller action.Caller, r action.ChargeRequest) (any, error) {
	p, err := a.Actions.Charge(c.ctx(), caller, r)
	if err != nil {
		return nil, nameInstant(nameKey(err))
	}
	t, _ := p.Transaction()
	return paidAnswer(t.PGTx, t.PaidAt), nil
}

// nameKey gives an error of a billing key the type that operations list for it;
// others pass as they are.
func nameKey(err error) error {
	switch {
	case errors.Is(err, payment.ErrNoKey):
		return named{err, "BILLING_KEY_NOT_FOUND"}
	case errors.Is(err, payment.ErrKeyNotIssued):
		return named{err, "BILLING_KEY_NOT_ISSUED"}
	case errors.Is(err, payment.ErrKeyDeleted):
		return named{err, "BILLING_KEY_ALREADY_DELETED"}
	case errors.Is(err, payment.ErrKeyScheduled):
		return named{err, "PAYMENT_SCHEDULE_ALREADY_EXISTS"}
	}
	return err
}

// A cardMethod is PortOne's PaymentMethodCard.
type cardMethod struct {
	Type        string             `json:"type"`
	Card        *cardAnswer        `json:"card,omitempty"`
	Approval    string             `json:"approvalNumber,omitempty"`
	Installment *installmentAnswer `json:"installment,omitempty"`
}

type cardAnswer struct {
	Issuer string `json:"issuer,omitempty"`
	Brand  string `json:"brand,omitempty"`
	Type   string `json:"type,omitempty"`
	Owner  string `json:"ownerType,omitempty"`
	Number string `json:"number,omitempty"` // masked
}

type installmentAnswer struct {
	Month          int  `json:"month"`
	IsInterestFree bool `json:"isInterestFree"`
}

// A walletMethod is PortOne's PaymentMethodEasyPay. Its easyPayMethod, what the wallet itself
// paid by, is optional there and told by nobody here. That PayPal is a provider of it is so in
// PortOne's server SDKs since 0.15.
type walletMethod struct {
	Type     string         `json:"type"`
	Provider payment.Wallet `json:"provider"`
}

func cardMethodOf(c payment.Card) cardMethod {
	out := cardMethod{Type: "PaymentMethodCard", Card: cardOf(c), Approval: c.Approval}
	if c.Number != "" || c.Months > 0 {
		out.Installment = &installmentAnswer{c.Months, c.InterestFree}
	}
	return out
}

// cardOf describes a card; nil if its PG did not.
func cardOf(c payment.Card) *cardAnswer {
	if c.Number == "" {
		return nil
	}
	return &cardAnswer{Issuer: c.Issuer, Brand: c.Brand, Type: c.Type, Owner: c.Owner, Number: c.Number}
}
