package payment

import (
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
)

// A CheckoutID names a window (결제창): a UUIDv7.
type CheckoutID string

// CheckoutLife is how long a window takes what its buyer does.
const CheckoutLife = 30 * time.Minute

// CheckoutReadable is for how long the page of a window can be read after the account of
// its payment, or the window, takes nothing any more.
const CheckoutReadable = 24 * time.Hour

// A Checkout is a window in which a buyer is to pay: what the shop's page asked for,
// and what came of it. All of what it asked for comes from a browser, so nothing of it
// is the merchant's word; what the payment is, the payment says.
type Checkout struct {
	ID       CheckoutID          `json:"-"` // it and what follows from it stands beside the rest
	Merchant merchant.ID         `json:"merchant"`
	Store    merchant.StoreID    `json:"store"`
	Mode     merchant.Mode       `json:"mode"`
	Channel  merchant.ChannelKey `json:"channel"`
	Payment  Key                 `json:"-"`
	// PaymentID is the merchant's name for the payment, and Transaction the id of the
	// attempt that the window makes (txId, imp_uid) once its buyer acts.
	PaymentID   ID            `json:"paymentId"`
	Transaction TransactionID `json:"transaction"`
	// Begun is how many attempts the payment had begun when the window was opened.
	Begun int `json:"begun"`
	Asked
	CreatedAt time.Time `json:"-"`
	ExpiresAt time.Time `json:"-"`
	// EndedAt is when nothing more came of the window, zero before. Then Outcome says
	// how it ended.
	EndedAt time.Time `json:"-"`
	Outcome Outcome   `json:"outcome,omitzero"`
	// AnsweredAt is when the shop's page was told of the outcome, and Answered in what
	// order with the webhook; zero and empty before.
	AnsweredAt time.Time `json:"-"`
	Answered   Answered  `json:"-"`
	// Client is a keyed hash of the address of whose windows this is one; empty if
	// nobody knows it.
	Client string `json:"-"`
}

// Asked is what a shop's page asks a window for.
type Asked struct {
	Amount     Money    `json:"amount"`
	TaxFree    int64    `json:"taxFree,omitempty"` // of Amount, in its minor units
	VAT        *int64   `json:"vat,omitempty"`     // likewise; nil: an eleventh of what is taxed
	OrderName  string   `json:"orderName"`
	Customer   Customer `json:"customer"`
	CustomData string   `json:"customData,omitempty"`
	NoticeURLs []string `json:"noticeUrls,omitempty"`
	Method     Method   `json:"method"` // in the words of PortOne's payMethod
	// Wallet is the one that pays of those that the channel's PG has; empty: the channel's
	// own, if it is a wallet's.
	Wallet Wallet `json:"wallet,omitempty"`
	// AccountDue is when a virtual account is to close; zero: the window's own choice.
	// Banks are those that the buyer may choose among; empty: any.
	AccountDue time.Time `json:"accountDue,omitzero"`
	Banks      []Bank    `json:"banks,omitempty"`
	Escrow     bool      `json:"escrow,omitempty"`
	// Origin is that of the shop's page, such as https://shop.example; empty if the
	// browser sent none.
	Origin        string `json:"origin,omitempty"`
	RedirectURL   string `json:"redirectUrl,omitempty"` // where the buyer goes afterwards
	ForceRedirect bool   `json:"forceRedirect,omitempty"`
	ConfirmURL    string `json:"confirmUrl,omitempty"` // asked before the PG is
	AppScheme     string `json:"appScheme,omitempty"`
	Window        string `json:"window,omitempty"` // IFRAME, POPUP, REDIRECTION or UI
	Locale        string `json:"locale,omitempty"` // as the page gave it, such as KO_KR
	SDK           SDK    `json:"sdk"`
}

// An SDK is the script that opened a window.
type SDK string

// The scripts.
const (
	SDKV2 SDK = "v2" // /v2/browser-sdk.js
	SDKV1 SDK = "v1" // /v1/iamport.js
)

// An Outcome is how a window ended, as the shop's page hears it. An empty Code is
// success: the payment was paid, its account was issued, or its PG has yet to say.
type Outcome struct {
	Code      Code   `json:"code,omitempty"`
	Message   string `json:"message,omitempty"`
	PGCode    string `json:"pgCode,omitempty"`
	PGMessage string `json:"pgMessage,omitempty"`
}

// Left is the outcome of a window whose buyer went away.
func Left() Outcome {
	return Outcome{Code: CodeCancelled, Message: leftText}
}

const leftText = "the buyer left the payment window"

// Unconfirmed begins the message of a payment that its shop did not confirm, where the shop
// itself gave no reason.
const Unconfirmed = "the shop was asked to confirm the payment, and "

// A Code is why a window ended without a payment, or without anybody knowing of one, in the
// words of PortOne's browser SDK.
type Code string

// The codes with which windows end.
const (
	CodeCancelled   Code = "PAYMENT_CANCELLED"  // the buyer went away
	CodeExpired     Code = "DeadlineExceeded"   // nobody did anything for CheckoutLife
	CodeAlreadyPaid Code = "PaymentAlreadyPaid" // elsewhere
	CodeOvertaken   Code = "InvalidEntityState" // another attempt at the payment began
	CodeOtherAmount Code = "AmountNotEqualToPredefined"
	CodeConfirm     Code = "ConfirmProcessFailed" // the shop's confirmUrl did not say 200
	CodeUnclear     Code = "Unavailable"          // its buyer acted, and nobody knew for long what came of it: it may be paid
	CodePG          Code = "PGProviderError"      // the PG said no, or could not be asked
)

// Answered says how the shop's page was told of an outcome.
type Answered string

// The ways. The webhook meant is the one that tells of the outcome.
const (
	AnsweredAtOnce       Answered = "at_once"       // nothing was waited for
	AnsweredAfterWebhook Answered = "after_webhook" // its first try had ended
	AnsweredAtLimit      Answered = "limit"         // it had not when the store's limit was over
)

// Why a window is not opened, or nothing may be done in it any more. Faces have
// PortOne's word for each.
var (
	ErrNoCheckout      = fault.Errorf(fault.NotFound, "there is no such window")
	ErrCheckoutEnded   = fault.Errorf(fault.Conflict, "the window has ended: open another")
	ErrCheckoutExpired = fault.Errorf(fault.Conflict, "the window's time is over, and it takes nothing any more: open another")
	ErrOvertaken       = fault.Errorf(fault.Conflict, "another attempt at the payment began after the window was opened: open another")
	ErrOtherMode       = fault.Errorf(fault.Conflict, "the payment and the channel are not of the same mode: one is of test, one is live")
	ErrOtherAmount     = fault.Errorf(fault.Conflict, "the payment was begun with another amount, tax-free amount or currency")
	ErrServerIssued    = fault.Errorf(fault.Conflict, "the payment waits for a deposit to an account that the merchant's server had issued: no window begins another attempt")
	ErrTooManyWindows  = fault.Errorf(fault.Unavailable, "too many windows were opened: wait a while")
	ErrTooManyAccounts = fault.Errorf(fault.Unavailable, "%w: within an hour the store had as many live accounts issued in windows as it may", ErrTooManyWindows)
)

// MaxWindowAttempts is how many attempts of a payment may be begun in windows: of
// MaxTransactions it leaves most to the merchant's own server, whatever buyers do.
const MaxWindowAttempts = 20

// Begun is how many attempts at the payment have begun: those that are merely opened
// have not.
func (p Payment) Begun() (n int) {
	for _, t := range p.Transactions {
		if !t.Opened {
			n++
		}
	}
	return n
}

// OnlyOpened reports whether nothing but windows was opened for the payment: no PG was
// asked for anything, and nothing that the merchant's server said is in it.
func (p Payment) OnlyOpened() bool {
	return p.Begun() == 0 && len(p.Transactions) > 0 && len(p.Deposits) == 0 && len(p.Cancellations) == 0
}

// ByWindows reports whether all that is known of the payment was said by windows: none
// of its attempts is the merchant's server's, or a PG's that told of it first.
func (p Payment) ByWindows() bool {
	return len(p.Transactions) > 0 && !p.Adopted && !slices.ContainsFunc(p.Transactions, func(t Transaction) bool { return t.Checkout == "" })
}

// Open is a payment for which a window is opened. A payment that is not there yet
// (known; nil if there is none) is made, READY, with one attempt that is merely opened.
// So is one of test for which nothing but windows was opened, under its key, by a live
// window: an order that somebody tried out binds no buyer. One that is there otherwise
// stays as it is: made is false.
//
// It reports ErrAlreadyPaid, ErrOtherMode, ErrOtherAmount and ErrTooManyTransactions.
func Open(known *Payment, c Checkout, e Env) (p Payment, made bool, err error) {
	p = Payment{Key: Key(e.NewID()), RequestedAt: e.Now}
	switch {
	case known == nil:
	case known.Mode == merchant.Test && c.Mode == merchant.Live && known.OnlyOpened():
		was := known.clone()
		was.overtake("")
		p = Payment{Key: was.Key, RequestedAt: was.RequestedAt, Transactions: was.Transactions}
	default:
		return *known, false, known.mayOpen(c)
	}
	p.Merchant, p.Store, p.ID, p.Mode, p.State = c.Merchant, c.Store, c.PaymentID, c.Mode, Ready
	p.Amount, p.TaxFree, p.VAT, p.OrderName, p.Customer, p.CustomData, p.NoticeURLs = c.Amount, c.TaxFree, c.VAT, c.OrderName, c.Customer, c.CustomData, c.NoticeURLs
	p.UpdatedAt, p.StatusChangedAt = e.Now, e.Now
	p.Transactions = append(p.Transactions, Transaction{
		ID: c.Transaction, Channel: c.Channel, Order: string(c.PaymentID), State: Ready, At: e.Now, Opened: true, Checkout: c.ID,
	})
	p.Current = len(p.Transactions) - 1
	return p, true, nil
}

// Opened is the transition of a payment that Open made.
func (p Payment) Opened() Transition {
	t, _ := p.Transaction()
	return Transition{Change: ChangeReady, Transaction: t.ID}
}

// mayOpen reports why no window is opened for the payment.
func (p Payment) mayOpen(c Checkout) error {
	switch {
	case p.State == Paid, p.State == PartiallyCancelled, p.State == Cancelled:
		return ErrAlreadyPaid
	case p.Mode != c.Mode:
		return ErrOtherMode
	case p.Amount != c.Amount || p.TaxFree != c.TaxFree:
		return ErrOtherAmount
	case p.windowed() >= MaxWindowAttempts, len(p.Transactions) >= MaxTransactions && !p.opened(c.Transaction):
		return ErrTooManyTransactions
	}
	return nil
}

// windowed is how many attempts were begun in windows.
func (p Payment) windowed() (n int) {
	for _, t := range p.Transactions {
		if t.Checkout != "" && !t.Opened {
			n++
		}
	}
	return n
}

// MayPay reports why the attempt of a window may not begin at now: what Open does,
// ErrCheckoutEnded, ErrCheckoutExpired, ErrUnderWay while another attempt has not
// ended, ErrOvertaken if one began since the window was opened, and ErrServerIssued. The
// attempt itself must not have begun.
func (p Payment) MayPay(c Checkout, now time.Time) error {
	switch {
	case !c.EndedAt.IsZero():
		return ErrCheckoutEnded
	case !now.Before(c.ExpiresAt):
		return ErrCheckoutExpired
	}
	if err := p.mayOpen(c); err != nil {
		return err
	}
	at, _ := p.Transaction()
	switch {
	case p.Begun() != c.Begun:
		return ErrOvertaken
	case p.State == Issued && at.Checkout == "":
		return ErrServerIssued
	case p.charging() || slices.ContainsFunc(p.Transactions, Transaction.issuing):
		return ErrUnderWay
	}
	return nil
}

// Registration is what the attempt of a window begins with. The order is described in the
// words of the window's own page if windows alone have described it, and else in those of
// the merchant's server.
func (c Checkout) Registration(p Payment) Registration {
	if p.ByWindows() {
		p.say(Words{OrderName: c.OrderName, Customer: c.Customer, CustomData: c.CustomData, NoticeURLs: c.NoticeURLs, VAT: c.VAT})
	}
	return Registration{
		Merchant: p.Merchant, Store: p.Store, Channel: c.Channel, Mode: p.Mode, ID: p.ID, OrderName: p.OrderName,
		Amount: p.Amount, TaxFree: p.TaxFree, VAT: p.VAT, Customer: p.Customer, CustomData: p.CustomData, NoticeURLs: p.NoticeURLs,
		Attempt: c.Transaction, Checkout: c.ID,
	}
}

// Leave ends the attempt of a window whose buyer went away. It reports ErrUnderWay if
// it has begun: what comes of it decides. An attempt that the payment does not have
// changes nothing.
func (p Payment) Leave(c Checkout, e Env) (Decision, error) {
	d := decider{p: p.clone(), before: p, e: e}
	i := d.attempt(c.Transaction)
	switch {
	case i < 0 || d.p.Transactions[i].State == Failed && d.p.Transactions[i].Opened:
		return d.recorded(ReasonNone), nil
	case !d.p.Transactions[i].Opened:
		return Decision{}, ErrUnderWay
	}
	return d.fail(i, leftText), nil
}

// opened reports whether an attempt was merely opened, and waits for its buyer.
func (p Payment) opened(id TransactionID) bool {
	return slices.ContainsFunc(p.Transactions, func(t Transaction) bool { return t.ID == id && t.Opened && t.State == Ready })
}

// overtake ends attempts that were merely opened, since another one begins.
func (p *Payment) overtake(by TransactionID) {
	for i := range p.Transactions {
		if t := &p.Transactions[i]; t.Opened && t.ID != by {
			t.State = Failed
		}
	}
}

// issuing reports whether a PG has been asked for the attempt's account, and has not
// said what came of it.
func (t Transaction) issuing() bool {
	return t.State == Ready && t.Account == nil && t.Charge == nil && !t.Opened
}

// Own is the attempt of the window, and false before it has begun.
func (c Checkout) Own(p Payment) (Transaction, bool) {
	i := slices.IndexFunc(p.Transactions, func(t Transaction) bool { return t.ID == c.Transaction && !t.Opened })
	if i < 0 {
		return Transaction{}, false
	}
	return p.Transactions[i], true
}

// Stands is the window as it is at now, by its payment: one whose outcome nobody wrote
// down has ended if the payment says so, or its time is over.
func (c Checkout) Stands(p Payment, now time.Time) Checkout {
	if !c.EndedAt.IsZero() {
		return c
	}
	t, own := c.Own(p)
	switch {
	case own:
		return c.followed(p, t, now)
	case p.State == Paid, p.State == PartiallyCancelled, p.State == Cancelled:
		c.EndedAt, c.Outcome = now, Outcome{Code: CodeAlreadyPaid, Message: ErrAlreadyPaid.Error()}
	case p.Begun() != c.Begun, p.Mode != c.Mode:
		c.EndedAt, c.Outcome = now, Outcome{Code: CodeOvertaken, Message: ErrOvertaken.Error()}
	case !now.Before(c.ExpiresAt):
		c.EndedAt, c.Outcome = c.ExpiresAt, Outcome{Code: CodeExpired, Message: ErrCheckoutExpired.Error()}
	}
	return c
}

// followed is the window by what came of its attempt.
func (c Checkout) followed(p Payment, t Transaction, now time.Time) Checkout {
	switch t.State {
	case Issued, PayPending, Paid, PartiallyCancelled, Cancelled:
		c.EndedAt = now
	case Failed:
		c.EndedAt, c.Outcome = now, Outcome{Code: CodePG, Message: "the payment failed"}
		if current, _ := p.Transaction(); current.ID == t.ID && p.FailureReason != "" {
			c.Outcome.Message = p.FailureReason
		}
		if t.Charge != nil && t.Charge.Failure != nil {
			why := t.Charge.Failure
			c.Outcome = Outcome{Code: CodePG, Message: why.Reason, PGCode: why.PGCode, PGMessage: why.PGMessage}
		}
	case Ready: // the PG has yet to say
		if over := later(c.ExpiresAt, t.At.Add(attemptTime)); !now.Before(over) {
			c.EndedAt, c.Outcome = over, Outcome{Code: CodeUnclear, Message: "what came of the payment is not known yet: read it by the API"}
		}
	}
	return c
}

// attemptTime is how long a window waits at least for what comes of its attempt: longer
// than its PG is asked, and asked again.
const attemptTime = 5 * time.Minute

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Seen is what of the payment the window may show: its own attempt, and beside that
// only what its own page asked for. A window is nobody's credential.
func (c Checkout) Seen(p Payment) Payment {
	out := Payment{
		Key: p.Key, Merchant: c.Merchant, Store: c.Store, ID: c.PaymentID, Mode: c.Mode, State: Ready, Amount: c.Amount,
		TaxFree: c.TaxFree, VAT: c.VAT, OrderName: c.OrderName, Customer: c.Customer, CustomData: c.CustomData, RequestedAt: c.CreatedAt,
	}
	t, own := c.Own(p)
	if !own {
		return out
	}
	t.Secret, t.IssueKey, t.IssueToldAt, t.Words = "", "", time.Time{}, nil
	out.Transactions, out.State, out.PaidAt = []Transaction{t}, t.State, t.PaidAt
	out.Deposits, out.Cancellations = p.DepositsOf(t.ID), p.CancellationsOf(t.ID)
	if current, _ := p.Transaction(); current.ID == t.ID {
		out.State, out.Expired, out.Late, out.CashReceipt = p.State, p.Expired, p.Late, p.CashReceipt
		out.CancelledAt, out.FailedAt, out.FailureReason = p.CancelledAt, p.FailedAt, p.FailureReason
		out.UpdatedAt, out.StatusChangedAt = p.UpdatedAt, p.StatusChangedAt
	}
	return out.clone()
}
