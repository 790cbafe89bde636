package v2

import (
	"errors"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
)

// A registerBody is what a server tells of an account that it had issued.
type registerBody struct {
	StoreID    string `json:"storeId"`
	ChannelKey string `json:"channelKey"`
	OrderName  string `json:"orderName"`
	Amount     struct {
		Total int64 `json:"total"`
	} `json:"amount"`
	Currency       string `json:"currency"`
	VirtualAccount struct {
		Bank          string         `json:"bank"`
		AccountNumber secret.Account `json:"accountNumber"`
		Type          string         `json:"type"`
		AccountHolder string         `json:"accountHolder"`
		ExpiredAt     string         `json:"expiredAt"`
	} `json:"virtualAccount"`
	PGOrderID  string        `json:"pgOrderId"`
	PGTxID     string        `json:"pgTxId"`
	PGSecret   secret.Text   `json:"pgSecret"`
	Customer   customerInput `json:"customer"`
	NoticeURLs []string      `json:"noticeUrls"`
	CustomData string        `json:"customData"`
}

// A customerInput is the buyer as PortOne's requests describe them.
type customerInput struct {
	ID          string           `json:"id"`
	Name        nameInput        `json:"name"`
	Email       string           `json:"email"`
	PhoneNumber string           `json:"phoneNumber"`
	Zipcode     string           `json:"zipcode"`
	BirthYear   string           `json:"birthYear"`
	BirthMonth  string           `json:"birthMonth"`
	BirthDay    string           `json:"birthDay"`
	Gender      string           `json:"gender"`
	Address     *payment.Address `json:"address"`
}

type nameInput struct {
	Full      string `json:"full"`
	Separated struct {
		First string `json:"first"`
		Last  string `json:"last"`
	} `json:"separated"`
}

func (in customerInput) output() (payment.Customer, error) {
	a, err := in.Address.Output()
	return payment.Customer{
		ID: in.ID, Name: payment.FullName(in.Name.Full, in.Name.Separated.First, in.Name.Separated.Last),
		Email: in.Email, PhoneNumber: in.PhoneNumber, Zipcode: in.Zipcode,
		BirthYear: in.BirthYear, BirthMonth: in.BirthMonth, BirthDay: in.BirthDay, Gender: in.Gender, Address: a,
	}, err
}

// registration is what the body says of a payment. What it means is checked by
// the action.
func (in registerBody) registration(id payment.ID) (payment.Registration, error) {
	customer, err := in.Customer.output()
	if err != nil {
		return payment.Registration{}, err
	}
	va := in.VirtualAccount
	g := payment.Registration{
		ID: id, Channel: merchant.ChannelKey(in.ChannelKey), Order: in.PGOrderID, OrderName: in.OrderName,
		Amount: payment.Money{Amount: in.Amount.Total, Currency: payment.Currency(in.Currency)},
		Account: payment.Account{
			Bank: payment.Bank(va.Bank), Number: va.AccountNumber,
			Type: payment.AccountType(va.Type), Holder: va.AccountHolder,
		},
		PGTx: in.PGTxID, Secret: in.PGSecret, Customer: customer, CustomData: in.CustomData, NoticeURLs: in.NoticeURLs,
	}
	if va.ExpiredAt != "" {
		g.Account.ExpiresAt, err = action.ParseDeadline(va.ExpiredAt)
	}
	return g, err
}

// registerAccount makes known an account that the merchant had issued by the
// PG itself, and answers with its payment, as it is kept.
//
// It may be repeated: the same order at the PG (pgOrderId, else paymentId) with
// the same account is the same registration. Then pgSecret and pgTxId are taken
// over if they were not known; what else differs from the first telling
// (orderName, customer, customData, noticeUrls, the account's bank, type, holder
// and deadline) is left as it was, and the answer shows what holds. Only where
// the payment was made from a notice (unknown = "adopt") does the first
// registration describe it. Another amount, currency or mode is
// INFORMATION_MISMATCH; another account, channel or order is one more account of
// the payment until it is paid, and ALREADY_PAID after that. While a charge of the
// payment is under way, or it is scheduled, it is INFORMATION_MISMATCH.
func (a *API) registerAccount(c *call) (any, error) {
	var in registerBody
	if err := c.body(&in); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	g, err := in.registration(c.payment)
	if err != nil {
		return nil, err
	}
	p, _, err := a.Actions.RegisterAccount(c.ctx(), caller, g)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, named{err, "CHANNEL_NOT_FOUND"}
	case errors.Is(err, payment.ErrTooManyTransactions):
		return nil, named{err, "MAX_TRANSACTION_COUNT_REACHED"}
	case errors.Is(err, payment.ErrPinned), errors.Is(err, payment.ErrUnderWay), errors.Is(err, payment.ErrScheduled):
		return nil, named{err, "INFORMATION_MISMATCH"}
	case fault.Is(err, fault.Conflict):
		return nil, a.nameConflict(c, caller, g)
	case err != nil:
		return nil, err
	}
	return a.render(c, p)
}

// The texts of conflicts are always the same: what really disagrees may be a
// payment of the other mode or of another store, of which the caller learns
// nothing.
var (
	errPaid     = fault.Errorf(fault.Conflict, "the payment has been paid: it takes no other account")
	errMismatch = fault.Errorf(fault.Conflict, "the payment is known with another amount, currency or mode, or its order at the PG belongs to another payment")
)

// nameConflict tells a payment that takes no more money from one that was
// registered as another.
func (a *API) nameConflict(c *call, caller action.Caller, g payment.Registration) error {
	p, readErr := a.Store.Payment(c.ctx(), caller.Store, g.ID, caller.Mode)
	if readErr == nil && p.Amount == g.Amount && !p.PaidAt.IsZero() {
		return named{errPaid, "ALREADY_PAID"}
	}
	return named{errMismatch, "INFORMATION_MISMATCH"}
}
