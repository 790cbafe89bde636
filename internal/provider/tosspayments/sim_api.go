package tosspayments

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var _ provider.Player = Module

// API plays the core API: accounts, billing keys, inquiry and cancellation.
func (module) API(b provider.Books) http.Handler {
	s := api{b, &wallet{keys: make(map[string]walletKey)}}
	m := http.NewServeMux()
	m.HandleFunc("POST /v1/virtual-accounts", s.as(s.issue))
	m.HandleFunc("GET /v1/payments/{key}", s.as(s.find))
	m.HandleFunc("GET /v1/payments/orders/{order}", s.as(s.find))
	m.HandleFunc("POST /v1/payments/{key}/cancel", s.as(s.cancel))
	m.HandleFunc("POST /v1/billing/{key}", s.as(s.charge))
	m.HandleFunc("POST /v1/billing/authorizations/card", s.answering(s.issueKey))
	return m
}

type api struct {
	provider.Books
	wallet *wallet
}

// refused is an error answer.
type refused struct {
	status        int
	code, message string
}

func (r refused) Error() string { return r.code }

// as is answering of what answers with a Payment.
func (s api) as(do func(merchant.Channel, *http.Request) (provider.Entry, error)) http.HandlerFunc {
	return s.answering(func(c merchant.Channel, r *http.Request) (any, error) {
		e, err := do(c, r)
		return paymentOf(c, e, s.Now()), err
	})
}

// answering finds the merchant whose secret key a request bears.
func (s api) answering(do func(merchant.Channel, *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, password, _ := r.BasicAuth()
		c, ok := s.Merchant(func(c merchant.Channel) bool {
			return key != "" && password == "" && c.Credentials[secretKey].Equal(key)
		})
		if !ok {
			answer(w, http.StatusUnauthorized, map[string]string{"code": "UNAUTHORIZED_KEY", "message": "인증되지 않은 시크릿 키 혹은 클라이언트 키 입니다."})
			return
		}
		v, err := do(c, r)
		if no, ok := errors.AsType[refused](err); ok {
			answer(w, no.status, map[string]string{"code": no.code, "message": no.message})
			return
		}
		answer(w, http.StatusOK, v)
	}
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that is gone needs no answer
}

func (s api) issue(c merchant.Channel, r *http.Request) (provider.Entry, error) {
	var q issueRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.OrderID == "" || q.OrderName == "" || q.CustomerName == "" || q.Amount < 1 {
		return provider.Entry{}, refused{http.StatusBadRequest, "INVALID_REQUEST", "잘못된 요청입니다."}
	}
	bank := bankOf(q.Bank, q.Bank)
	if bank == "" {
		return provider.Entry{}, refused{http.StatusBadRequest, "INVALID_BANK", "은행 값이 올바르지 않습니다."}
	}
	due, err := wire.ISOTime(q.DueDate)
	if q.DueDate == "" {
		due, err = s.Now().Add(168*time.Hour), nil
	}
	if err != nil || !due.After(s.Now()) {
		return provider.Entry{}, refused{http.StatusBadRequest, "INVALID_DUE_DATE", "입금 기한이 올바르지 않습니다."}
	}
	e := provider.Entry{
		Order: q.OrderID, Name: q.OrderName, Key: r.Header.Get("Idempotency-Key"), Amount: payment.Won(q.Amount),
		PGTx: derive(alphanumeric, 48, "payment", c.MID, q.OrderID, r.Header.Get("Idempotency-Key")), Secret: secret.Text("ps_" + derive(alphanumeric, 28, "secret", q.OrderID, r.Header.Get("Idempotency-Key"))),
		Account: payment.Account{Bank: bank, Type: payment.Normal, Holder: q.CustomerName, ExpiresAt: due},
	}
	if q.AccountKey != "" {
		e.Account.Type = payment.Fixed
		e.Account.Number = secret.Account("X" + derive(decimals, 13, "account", c.MID, q.AccountKey))
	}
	e, err = s.Issue(c, e)
	if errors.Is(err, provider.ErrTaken) {
		return e, refused{http.StatusBadRequest, "DUPLICATED_ORDER_ID", "이미 승인 및 취소가 진행된 중복된 주문번호 입니다."}
	}
	return e, err
}

func (s api) find(c merchant.Channel, r *http.Request) (provider.Entry, error) {
	key, order := r.PathValue("key"), r.PathValue("order")
	e, ok := s.Find(c, func(e provider.Entry) bool { return e.PGTx == key || key == "" && e.Order == order })
	if !ok {
		return e, errNotFound
	}
	return e, nil
}

var errNotFound = refused{http.StatusNotFound, "NOT_FOUND_PAYMENT", "존재하지 않는 결제 정보 입니다."}

func (s api) cancel(c merchant.Channel, r *http.Request) (provider.Entry, error) {
	var q cancelRequest
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Reason == "" {
		return provider.Entry{}, refused{http.StatusBadRequest, "INVALID_REQUEST", "잘못된 요청입니다."}
	}
	key := r.PathValue("key")
	e, err := s.Close(c, key)
	if errors.Is(err, provider.ErrNotWaiting) && e.Left().Amount > 0 {
		if e.Card == nil && (q.Account == nil || q.Account.Number == "" || q.Account.Holder == "" || bankOf(q.Account.Bank, "") == "") {
			return e, refused{http.StatusBadRequest, "INVALID_REFUND_ACCOUNT_INFO", "환불 계좌번호와 예금주명을 올바르게 입력해주세요."}
		}
		give := e.Left()
		if q.Amount != 0 {
			give.Amount = q.Amount
		}
		e, _, err = s.Refund(c, key, r.Header.Get("Idempotency-Key"), give)
	}
	switch {
	case errors.Is(err, provider.ErrNoEntry):
		return e, errNotFound
	case errors.Is(err, provider.ErrTooMuch):
		return e, refused{http.StatusForbidden, "NOT_CANCELABLE_AMOUNT", "취소 할 수 없는 금액 입니다."}
	case err != nil:
		return e, refused{http.StatusBadRequest, "ALREADY_CANCELED_PAYMENT", "이미 취소된 결제 입니다."}
	}
	return e, nil
}

// paymentOf is an entry as a Payment.
func paymentOf(c merchant.Channel, e provider.Entry, now time.Time) paymentData {
	status := map[payment.State]string{
		payment.Issued: statusWaiting, payment.Paid: statusDone, payment.PartiallyCancelled: statusPartialCanceled,
		payment.Cancelled: statusCanceled, payment.Failed: statusCanceled,
	}[e.State]
	p := paymentData{
		MID: &c.MID, PaymentKey: e.PGTx, OrderID: e.Order, OrderName: e.Name, Status: status, Secret: e.Secret.Reveal(),
		RequestedAt: rfc(e.Account.IssuedAt), Type: "NORMAL", Country: "KR", PartialCancelable: true, Method: "가상계좌",
		Version: "2022-11-16", Currency: string(e.Amount.Currency), TotalAmount: e.Amount.Amount, BalanceAmount: e.Amount.Amount,
		LastTransactionKey: derive(upperHex, 32, e.PGTx, "issue"), Cancels: []cancel{},
		VirtualAccount: &virtualAccount{
			AccountNumber: e.Account.Number.Reveal(), AccountType: "일반", BankCode: codeOf(e.Account.Bank),
			CustomerName: e.Account.Holder, DueDate: rfc(e.Account.ExpiresAt), Expired: now.After(e.Account.ExpiresAt),
			SettlementStatus: "INCOMPLETED", RefundStatus: "NONE",
		},
	}
	if e.Card != nil {
		card := cardDataOf(*e.Card)
		p.Type, p.Method, p.Card, p.VirtualAccount, p.Secret = "BILLING", "카드", &card, nil, ""
		p.RequestedAt, p.Receipt = rfc(e.PaidAt), &receipt{"https://receipt.example/" + e.PGTx}
		p.LastTransactionKey = e.Deposit
	}
	if e.Account.Type == payment.Fixed {
		p.VirtualAccount.AccountType = "고정"
	}
	if !e.PaidAt.IsZero() {
		at := rfc(e.PaidAt)
		p.ApprovedAt, p.LastTransactionKey = &at, e.Deposit
		if p.VirtualAccount != nil {
			p.VirtualAccount.DepositorName = &e.Depositor
		}
	}
	for i, x := range e.Cancellations {
		p.BalanceAmount -= x.Amount.Amount
		p.LastTransactionKey = x.PGID
		if p.VirtualAccount != nil {
			p.VirtualAccount.RefundStatus = "PENDING"
		}
		p.Cancels = append(p.Cancels, cancel{
			TransactionKey: x.PGID, CancelReason: "취소 " + strconv.Itoa(i+1), CanceledAt: rfc(x.At), CancelAmount: x.Amount.Amount,
			RefundableAmount: p.BalanceAmount, CancelStatus: "DONE",
		})
	}
	if e.State == payment.Failed {
		p.BalanceAmount = 0
		p.LastTransactionKey = derive(upperHex, 32, e.PGTx, "close")
		p.Cancels = []cancel{{TransactionKey: p.LastTransactionKey, CancelReason: "취소", CanceledAt: rfc(e.ClosedAt), CancelAmount: e.Amount.Amount, CancelStatus: "DONE"}}
	}
	return p
}

func rfc(t time.Time) string { return t.In(wire.Seoul).Format(time.RFC3339) }
