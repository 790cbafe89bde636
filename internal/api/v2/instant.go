package v2

import (
	"errors"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// An instantBody is PortOne's InstantPaymentInput, as far as Tongbo uses it.
type instantBody struct {
	StoreID    string        `json:"storeId"`
	ChannelKey string        `json:"channelKey"`
	Method     instantInput  `json:"method"`
	OrderName  string        `json:"orderName"`
	IsEscrow   bool          `json:"isEscrow"`
	Customer   customerInput `json:"customer"`
	CustomData string        `json:"customData"`
	Amount     amountInput   `json:"amount"`
	Currency   string        `json:"currency"`
	NoticeURLs []string      `json:"noticeUrls"`
	Quiet      bool          `json:"skipWebhook"`
}

type amountInput struct {
	Total   int64  `json:"total"`
	TaxFree int64  `json:"taxFree"`
	VAT     *int64 `json:"vat"`
}

type instantInput struct {
	Card           *cardInput    `json:"card"`
	VirtualAccount *accountInput `json:"virtualAccount"`
}

type accountInput struct {
	Bank   string `json:"bank"`
	Expiry struct {
		ValidHours int64  `json:"validHours"`
		DueDate    string `json:"dueDate"`
	} `json:"expiry"`
	Option struct {
		Type  string `json:"type"`
		Fixed struct {
			AccountID string         `json:"pgAccountId"`
			Number    secret.Account `json:"accountNumber"`
		} `json:"fixed"`
	} `json:"option"`
	CashReceipt *struct {
		Type     string      `json:"type"`
		Identity secret.Text `json:"customerIdentityNumber"`
	} `json:"cashReceipt"`
	RemitteeName string `json:"remitteeName"`
}

// longestExpiry is how far ahead an account may expire, in hours: PGs allow a
// year at most.
const longestExpiry = 366 * 24

// instant has a virtual account issued by the channel's PG, or a card charged, and
// answers with the PG's id and the time of it; the account itself is read with the
// payment.
func (a *API) instant(c *call) (any, error) {
	var in instantBody
	if err := c.body(&in); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	va, card := in.Method.VirtualAccount, in.Method.Card
	switch {
	case (va == nil) == (card == nil):
		return nil, fault.Errorf(fault.Invalid, "method must hold exactly one of card and virtualAccount")
	case card != nil:
		return a.instantCard(c, caller, in)
	}
	r, err := in.request(c.payment)
	if err != nil {
		return nil, err
	}
	r.IDs = c.ids
	p, err := a.Actions.Issue(c.ctx(), caller, r)
	if err != nil {
		return nil, nameInstant(err)
	}
	t, _ := p.Transaction()
	if t.Account != nil {
		return paidAnswer(t.PGTx, t.Account.IssuedAt), nil
	}
	return paidAnswer(t.PGTx, p.StatusChangedAt), nil
}

// paidAnswer is what a payment that was made at once is answered.
func paidAnswer(pgTx string, paid time.Time) any {
	var out struct {
		Payment struct {
			PGTxID string `json:"pgTxId"`
			PaidAt string `json:"paidAt"`
		} `json:"payment"`
	}
	out.Payment.PGTxID, out.Payment.PaidAt = pgTx, at(paid)
	return out
}

// nameInstant gives an error the type that the operation lists for it.
func nameInstant(err error) error {
	if _, has := errors.AsType[named](err); has {
		return err
	}
	switch {
	case errors.Is(err, payment.ErrUnderWay):
		return fault.Errorf(fault.Invalid, "%w", err) // the operation has no word for it
	case errors.Is(err, payment.ErrScheduled):
		return named{err, "PAYMENT_SCHEDULE_ALREADY_EXISTS"}
	case errors.Is(err, payment.ErrAlreadyPaid):
		return named{err, "ALREADY_PAID"}
	case errors.Is(err, payment.ErrTooManyTransactions):
		return named{err, "MAX_TRANSACTION_COUNT_REACHED"}
	case errors.Is(err, action.ErrParts):
		return named{err, "SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT"}
	case fault.Is(err, fault.NotFound):
		return named{err, "CHANNEL_NOT_FOUND"}
	case errors.Is(err, payment.ErrPinned):
		return fault.Errorf(fault.Invalid, "%w", err)
	case fault.Is(err, fault.Conflict):
		return fault.Errorf(fault.Invalid, "%w", errMismatch) // the operation has no word for it
	}
	return err
}

// request is what the body asks for. What it means is checked by the action.
func (in instantBody) request(id payment.ID) (action.IssueRequest, error) {
	va := in.Method.VirtualAccount
	customer, err := in.Customer.output()
	if err != nil {
		return action.IssueRequest{}, err
	}
	r := action.IssueRequest{
		AccountID: va.Option.Fixed.AccountID, Escrow: in.IsEscrow, Quiet: in.Quiet, Registration: in.sale(id, customer),
	}
	r.Account = payment.Account{
		Bank: payment.Bank(va.Bank), Type: payment.AccountType(va.Option.Type), Number: va.Option.Fixed.Number, Holder: va.RemitteeName,
	}
	if r.Receipt, err = va.receipt(); err != nil {
		return r, err
	}
	r.Account.ExpiresAt, err = va.expiry()
	return r, err
}

// sale is what the body says of the payment, whatever it is paid by.
func (in instantBody) sale(id payment.ID, customer payment.Customer) payment.Registration {
	return payment.Registration{
		ID: id, Channel: merchant.ChannelKey(in.ChannelKey), OrderName: in.OrderName,
		Amount:  payment.Money{Amount: in.Amount.Total, Currency: payment.Currency(in.Currency)},
		TaxFree: in.Amount.TaxFree, VAT: in.Amount.VAT, Customer: customer, CustomData: in.CustomData, NoticeURLs: in.NoticeURLs,
	}
}

// expiry is until when the account takes money.
func (in accountInput) expiry() (time.Time, error) {
	hours, due := in.Expiry.ValidHours, in.Expiry.DueDate
	switch {
	case (hours != 0) == (due != ""):
		return time.Time{}, fault.Errorf(fault.Invalid, "expiry must hold exactly one of validHours and dueDate")
	case due != "":
		return action.ParseDeadline(due)
	case hours < 0 || hours > longestExpiry:
		return time.Time{}, fault.Errorf(fault.Invalid, "expiry.validHours must be from 1 to %d", longestExpiry)
	}
	return time.Now().Add(time.Duration(hours) * time.Hour), nil
}

func (in accountInput) receipt() (*provider.ReceiptOrder, error) {
	if in.CashReceipt == nil {
		return nil, nil
	}
	switch in.CashReceipt.Type {
	case "NO_RECEIPT", "":
		return nil, nil
	case "PERSONAL", "CORPORATE":
		if in.CashReceipt.Identity == "" {
			return nil, fault.Errorf(fault.Invalid, "cashReceipt.customerIdentityNumber must not be empty")
		}
		return &provider.ReceiptOrder{Business: in.CashReceipt.Type == "CORPORATE", Identity: in.CashReceipt.Identity}, nil
	}
	return nil, fault.Errorf(fault.Invalid, "cashReceipt.type: want PERSONAL, CORPORATE or NO_RECEIPT")
}
