package v1

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// A leanPayment is what go-iamport knows of a payment; it refuses an answer that
// has more. Fields that no payment here has are always null.
type leanPayment struct {
	ImpUID            string         `json:"imp_uid"`
	MerchantUID       string         `json:"merchant_uid"`
	PayMethod         *string        `json:"pay_method"`
	Channel           string         `json:"channel"`
	PGProvider        *string        `json:"pg_provider"`
	PGTID             *string        `json:"pg_tid"`
	PGID              *string        `json:"pg_id"`
	Escrow            bool           `json:"escrow"`
	ApplyNum          *string        `json:"apply_num"`
	BankCode          *string        `json:"bank_code"` // a number to go-iamport: never set
	BankName          *string        `json:"bank_name"`
	CardCode          *string        `json:"card_code"`
	CardName          *string        `json:"card_name"`
	CardQuota         int            `json:"card_quota"`
	CardNumber        *string        `json:"card_number"`
	CardType          *int           `json:"card_type"`
	VbankCode         *string        `json:"vbank_code"`
	VbankName         *string        `json:"vbank_name"`
	VbankNum          *string        `json:"vbank_num"`
	VbankHolder       *string        `json:"vbank_holder"`
	VbankDate         int64          `json:"vbank_date"`
	VbankIssuedAt     int64          `json:"vbank_issued_at"`
	Name              *string        `json:"name"`
	Amount            int64          `json:"amount"`
	CancelAmount      int64          `json:"cancel_amount"`
	Currency          string         `json:"currency"`
	BuyerName         *string        `json:"buyer_name"`
	BuyerEmail        *string        `json:"buyer_email"`
	BuyerTel          *string        `json:"buyer_tel"`
	BuyerAddr         *string        `json:"buyer_addr"`
	BuyerPostcode     *string        `json:"buyer_postcode"`
	CustomData        *string        `json:"custom_data"`
	UserAgent         *string        `json:"user_agent"`
	Status            string         `json:"status"`
	StartedAt         int64          `json:"started_at"`
	PaidAt            int64          `json:"paid_at"`
	FailedAt          int64          `json:"failed_at"`
	CancelledAt       int64          `json:"cancelled_at"`
	FailReason        *string        `json:"fail_reason"`
	CancelReason      *string        `json:"cancel_reason"`
	ReceiptURL        *string        `json:"receipt_url"`
	CancelHistory     []leanCancel   `json:"cancel_history"`
	CancelReceiptURLs []string       `json:"cancel_receipt_urls"`
	CashReceiptIssued bool           `json:"cash_receipt_issued"`
	CustomerUID       *string        `json:"customer_uid"`
	CustomerUIDUsage  *string        `json:"customer_uid_usage"`
	Promotion         *promotionItem `json:"promotion"`
}

type promotionItem struct{} // no PG here has them

type leanCancel struct {
	PGTID       string  `json:"pg_tid"`
	Amount      int64   `json:"amount"`
	CancelledAt int64   `json:"cancelled_at"`
	Reason      string  `json:"reason"`
	ReceiptURL  *string `json:"receipt_url"`
}

// A paymentAnswer is PortOne's PaymentAnnotation. What it names again stands for
// the lean one's.
type paymentAnswer struct {
	leanPayment
	EmbPGProvider     *string         `json:"emb_pg_provider"`
	Sandbox           bool            `json:"sandbox"`
	CardIssuerCode    *string         `json:"card_issuer_code"`
	CardIssuerName    *string         `json:"card_issuer_name"`
	CardPublisherCode *string         `json:"card_publisher_code"`
	CardPublisherName *string         `json:"card_publisher_name"`
	CancelHistory     []cancelAnswer  `json:"cancel_history"`
	DepositHistory    []depositAnswer `json:"deposit_history"`
}

type cancelAnswer struct {
	leanCancel
	CancellationID string `json:"cancellation_id"`
}

type depositAnswer struct {
	PGTID         string  `json:"pg_tid"`
	Amount        int64   `json:"amount"`
	DepositorName *string `json:"depositor_name"`
	DepositedAt   int64   `json:"deposited_at"`
}

// An attempt is what V1 calls a payment: one of the attempts at a payment of ours.
// What became of the payment, its money and its cancellations, is shown with the
// current one alone.
type attempt struct {
	p       payment.Payment
	t       payment.Transaction
	current bool
}

// attemptsOf are all attempts at a payment, in the order in which they began. One
// that never began an attempt has none.
func attemptsOf(p payment.Payment) []attempt {
	out := make([]attempt, len(p.Transactions))
	for i, t := range p.Transactions {
		out[i] = attempt{p, t, i == p.Current}
	}
	return out
}

// currentOf is the attempt that lists show.
func currentOf(p payment.Payment) (attempt, bool) {
	t, ok := p.Transaction()
	return attempt{p, t, true}, ok
}

// state is where the attempt stands.
func (x attempt) state() payment.State {
	if x.current {
		return x.p.State
	}
	return x.t.State
}

// status is where the attempt stands in V1's words. What was cancelled in part is
// still paid.
func (x attempt) status() string {
	switch x.state() {
	case payment.Paid, payment.PartiallyCancelled:
		return "paid"
	case payment.Cancelled:
		return "cancelled"
	case payment.Failed:
		return "failed"
	case payment.Ready, payment.Issued, payment.PayPending:
	}
	return "ready"
}

// paidAt is when the attempt was paid; zero if it was not.
func (x attempt) paidAt() time.Time {
	if x.current && !x.p.PaidAt.IsZero() {
		return x.p.PaidAt
	}
	return x.t.PaidAt
}

// updatedAt is when the attempt came to where it stands. Of one that is not the
// current one, it is the latest time that is known.
func (x attempt) updatedAt() time.Time {
	if x.current {
		return x.p.StatusChangedAt
	}
	last := x.t.LastAt()
	for _, c := range x.p.CancellationsOf(x.t.ID) {
		if c.CancelledAt.After(last) {
			last = c.CancelledAt
		}
	}
	return last
}

// render is an attempt as the client of a call takes it.
func (v *view) render(c *call, x attempt) any {
	full := v.answer(x)
	if !c.lean() {
		return full
	}
	for _, h := range full.CancelHistory {
		full.leanPayment.CancelHistory = append(full.leanPayment.CancelHistory, h.leanCancel)
	}
	return full.leanPayment
}

// answer is an attempt as PortOne shows payments.
func (v *view) answer(x attempt) paymentAnswer {
	p, ch := x.p, v.channel(x.t.Channel)
	out := paymentAnswer{
		Sandbox: p.Mode == merchant.Test, CancelHistory: []cancelAnswer{}, DepositHistory: []depositAnswer{},
		leanPayment: leanPayment{
			ImpUID: string(x.t.ID), MerchantUID: string(p.ID), Channel: "api", PGProvider: textOf(ch.Provider), PGTID: textOf(x.t.PGTx),
			PGID: textOf(ch.MID), Name: textOf(p.OrderName), Amount: p.Amount.Amount, Currency: string(p.Amount.Currency),
			BuyerName: textOf(p.Customer.Name), BuyerEmail: textOf(p.Customer.Email), BuyerTel: textOf(p.Customer.PhoneNumber),
			BuyerAddr: textOf(lineOf(p.Customer.Address)), BuyerPostcode: textOf(p.Customer.Zipcode), CustomData: textOf(p.CustomData),
			Status: x.status(), StartedAt: unix(x.t.At), PaidAt: unix(x.paidAt()), CancelHistory: []leanCancel{}, CancelReceiptURLs: []string{},
		},
	}
	if x.current {
		out.PayMethod = textOf(payMethods[p.Method()])
	}
	if c := x.t.Charge; c != nil && c.Wallet != "" {
		out.wallet(c.Wallet, ch.Provider)
	}
	if x.t.Account != nil {
		out.account(*x.t.Account)
	}
	if x.status() == "failed" {
		out.FailedAt = unix(x.updatedAt())
	}
	if x.current {
		out.outcome(p)
	}
	out.moved(x)
	return out
}

// payMethods are V1's words for what a payment is paid by.
var payMethods = map[payment.Method]string{payment.VirtualAccount: "vbank", "CARD": "card", "TRANSFER": "trans", "MOBILE": "phone"}

// wallet fills in the wallet that paid. Within the window of another PG it is the embedded one
// (PortOne's V1 pages: pg_provider is whose channel it is, emb_pg_provider the easy pay in it).
func (out *paymentAnswer) wallet(w payment.Wallet, module string) {
	out.PayMethod = textOf(w.V1())
	if w.Within(module) {
		out.EmbPGProvider = textOf(w.V1())
	}
}

// account fills in what is known of the account that was issued.
func (out *paymentAnswer) account(a payment.Account) {
	out.PayMethod = textOf(payMethods[payment.VirtualAccount])
	out.VbankCode, out.VbankName = textOf(a.Bank.Code()), textOf(a.Bank.Name())
	out.VbankNum, out.VbankHolder = textOf(a.Number.Reveal()), textOf(a.Holder)
	out.VbankDate, out.VbankIssuedAt = unix(a.ExpiresAt), unix(a.IssuedAt)
}

// outcome fills in what became of the payment.
func (out *paymentAnswer) outcome(p payment.Payment) {
	if p.State == payment.Cancelled {
		out.CancelledAt = unix(p.CancelledAt)
	}
	if !p.FailedAt.IsZero() {
		out.FailedAt = unix(p.FailedAt)
	}
	out.FailReason = textOf(p.FailureReason)
	out.CashReceiptIssued = p.CashReceipt != nil && p.CashReceipt.Number != ""
}

// moved fills in what came in and went back by the attempt. Money that the bank took
// back before another deposit came is not part of what this paid.
func (out *paymentAnswer) moved(x attempt) {
	for _, c := range x.p.CancellationsOf(x.t.ID) {
		out.CancelAmount += c.Amount.Amount
		out.CancelledAt, out.CancelReason = max(out.CancelledAt, unix(c.CancelledAt)), textOf(c.Reason)
		out.CancelHistory = append(out.CancelHistory, cancelAnswer{leanCancel{
			PGTID: cmp.Or(c.PGID, x.t.PGTx), Amount: c.Amount.Amount, CancelledAt: unix(c.CancelledAt), Reason: c.Reason,
		}, c.ID})
	}
	if x.t.Account == nil || x.t.Account.Type != payment.FixedUnlimited {
		return
	}
	for _, d := range x.p.DepositsOf(x.t.ID) {
		if d.State == payment.DepositApplied {
			out.DepositHistory = append(out.DepositHistory, depositAnswer{d.Key, d.Amount.Amount, textOf(d.Depositor), unix(d.At)})
		}
	}
}

// lineOf is an address in one line.
func lineOf(address json.RawMessage) string {
	var lines struct {
		OneLine string `json:"oneLine"`
	}
	if len(address) == 0 || json.Unmarshal(address, &lines) != nil {
		return ""
	}
	return lines.OneLine
}

// unix is a time in whole seconds; 0 for the zero time.
func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// sortings are the orders of a list: by the time that is named, the latest first
// with a dash before it. The first is the usual one.
var sortings = []string{"-started", "started", "-paid", "paid", "-updated", "updated"}

// sortBy brings attempts into an order.
func sortBy(list []attempt, sorting string) {
	at := map[string]func(attempt) time.Time{
		"started": func(x attempt) time.Time { return x.t.At }, "paid": attempt.paidAt, "updated": attempt.updatedAt,
	}
	name, latest := sorting, false
	if name[0] == '-' {
		name, latest = name[1:], true
	}
	slices.SortStableFunc(list, func(a, b attempt) int { return at[name](a).Compare(at[name](b)) })
	if latest {
		slices.Reverse(list) // of one time, the one that began last comes first
	}
}
