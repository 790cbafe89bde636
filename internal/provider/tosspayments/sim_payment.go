package tosspayments

import (
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// paymentEvent is a PAYMENT_STATUS_CHANGED.
type paymentEvent struct {
	EventType string      `json:"eventType"`
	CreatedAt string      `json:"createdAt"`
	Data      paymentData `json:"data"`
}

// paymentData is a Payment of API version 2022-11-16, the latest.
type paymentData struct {
	MID                *string         `json:"mId"`
	LastTransactionKey string          `json:"lastTransactionKey"`
	PaymentKey         string          `json:"paymentKey"`
	OrderID            string          `json:"orderId"`
	OrderName          string          `json:"orderName"`
	TaxExemptionAmount int64           `json:"taxExemptionAmount"`
	Status             string          `json:"status"`
	RequestedAt        string          `json:"requestedAt"`
	ApprovedAt         *string         `json:"approvedAt"`
	UseEscrow          bool            `json:"useEscrow"`
	Card               *cardData       `json:"card"`
	VirtualAccount     *virtualAccount `json:"virtualAccount"`
	CashReceipt        *struct{}       `json:"cashReceipt"`
	CashReceipts       []struct{}      `json:"cashReceipts"`
	Receipt            *receipt        `json:"receipt"`
	Cancels            []cancel        `json:"cancels"`
	Secret             string          `json:"secret"`
	Type               string          `json:"type"`
	Country            string          `json:"country"`
	Failure            *failure        `json:"failure"`
	PartialCancelable  bool            `json:"isPartialCancelable"`
	Currency           string          `json:"currency"`
	TotalAmount        int64           `json:"totalAmount"`
	BalanceAmount      int64           `json:"balanceAmount"`
	SuppliedAmount     int64           `json:"suppliedAmount"`
	VAT                int64           `json:"vat"`
	TaxFreeAmount      int64           `json:"taxFreeAmount"`
	Method             string          `json:"method"`
	Version            string          `json:"version"`
	Metadata           *struct{}       `json:"metadata"`
}

type virtualAccount struct {
	AccountNumber        string    `json:"accountNumber"`
	AccountType          string    `json:"accountType"`
	BankCode             string    `json:"bankCode"`
	CustomerName         string    `json:"customerName"`
	DepositorName        *string   `json:"depositorName"`
	DueDate              string    `json:"dueDate"`
	Expired              bool      `json:"expired"`
	SettlementStatus     string    `json:"settlementStatus"`
	RefundStatus         string    `json:"refundStatus"`
	RefundReceiveAccount *struct{} `json:"refundReceiveAccount"`
}

type cancel struct {
	TransactionKey     string  `json:"transactionKey"`
	CancelReason       string  `json:"cancelReason"`
	TaxExemptionAmount int64   `json:"taxExemptionAmount"`
	CanceledAt         string  `json:"canceledAt"`
	ReceiptKey         *string `json:"receiptKey"`
	CancelAmount       int64   `json:"cancelAmount"`
	TaxFreeAmount      int64   `json:"taxFreeAmount"`
	RefundableAmount   int64   `json:"refundableAmount"`
	CancelStatus       string  `json:"cancelStatus"`
}

type receipt struct {
	URL string `json:"url"`
}

type failure struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// plausible is what a payment costs when a notice tells no amount.
const plausible = 10000

func paymentBody(n notice.Notice, status string) []byte {
	at := timeOf(n)
	requested := at
	if status != statusWaiting {
		requested = at.Add(-10 * time.Minute)
	}
	p := paymentData{
		LastTransactionKey: transactionOf(n), PaymentKey: n.PGTx, OrderID: n.Order, OrderName: "시험 상품",
		Status: status, RequestedAt: requested.Format(time.RFC3339), Secret: secretOf(n),
		Type: "NORMAL", Country: "KR", PartialCancelable: true, Method: "카드", Version: "2022-11-16",
	}
	if p.PaymentKey == "" {
		p.PaymentKey = derive(alphanumeric, 48, "payment", n.Order)
	}
	if n.Merchant != "" {
		p.MID = &n.Merchant
	}
	if virtual(n.Event) {
		p.Method = "가상계좌"
		p.VirtualAccount = accountOf(n, status, requested)
	}
	if approved := at.Format(time.RFC3339); status == statusDone {
		p.ApprovedAt = &approved
	}
	if status == statusAborted {
		p.Failure = &failure{"REJECT_CARD_PAYMENT", "한도초과 혹은 잔액부족으로 결제에 실패했습니다."}
	}
	p.fillAmounts(n, status, at)
	return encode(paymentEvent{paymentChanged, at.Format(createdLayout), p})
}

// fillAmounts tells the notice's amount: the part of a partial cancellation,
// which then is of twice as much, else the whole.
func (p *paymentData) fillAmounts(n notice.Notice, status string, at time.Time) {
	amount := int64(plausible)
	p.Currency = string(payment.KRW)
	if n.HasAmount {
		amount, p.Currency = n.Amount.Amount, string(n.Amount.Currency)
	}
	p.TotalAmount, p.BalanceAmount = amount, amount
	switch status {
	case statusPartialCanceled:
		p.TotalAmount = 2 * amount
	case statusCanceled:
		p.BalanceAmount = 0
	}
	p.VAT = p.BalanceAmount / 11
	p.SuppliedAmount = p.BalanceAmount - p.VAT
	if status != statusCanceled && status != statusPartialCanceled {
		return
	}
	c := cancel{
		TransactionKey: n.PGCancel, CancelReason: "고객 변심", CanceledAt: at.Format(time.RFC3339),
		CancelAmount: amount, RefundableAmount: p.BalanceAmount, CancelStatus: "DONE",
	}
	if c.TransactionKey == "" {
		c.TransactionKey = transactionOf(n)
	}
	p.Cancels = []cancel{c}
}

func accountOf(n notice.Notice, status string, issued time.Time) *virtualAccount {
	a := &virtualAccount{
		AccountNumber: n.Account.Reveal(), AccountType: "일반", BankCode: codeOf(n.Bank), CustomerName: n.Holder,
		SettlementStatus: "INCOMPLETED", RefundStatus: "NONE",
	}
	if a.AccountNumber == "" {
		a.AccountNumber = "X" + derive(decimals, 13, "account", n.Order) // no bank has such a number
	}
	if n.Bank == "" {
		a.BankCode = "20"
	}
	if a.CustomerName == "" {
		a.CustomerName = "김통보"
	}
	if status != statusWaiting {
		depositor := n.Depositor
		if depositor == "" {
			depositor = a.CustomerName
		}
		a.DepositorName = &depositor
	}
	due := n.ExpiresAt
	if due.IsZero() {
		due = issued.Add(168 * time.Hour) // the documented default
	}
	a.DueDate = due.In(issued.Location()).Format(time.RFC3339)
	return a
}
