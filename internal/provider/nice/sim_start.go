package nice

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// startCodes are the start API's own codes for what npg has others for.
var startCodes = map[string]refused{
	errBadSignature.code: {"U312", "SIGN DATA 검증에 실패하였습니다."},
	missing.code:         {"U100", "필수입력항목이 누락되었습니다."},
	errTooLong.code:      {"U124", "필드 길이가 잘못되었습니다."},
	errNoSuch.code:       {"U122", "취소 해당거래 없음"},
	errTooMuch.code:      {"U123", "취소금액이 취소가능금액보다 큼."},
}

// asStart finds the merchant whose keys a request bears.
func (s api) asStart(do func(merchant.Channel, *http.Request) (provider.Entry, provider.Cancelled, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id, key, _ := r.BasicAuth()
		c, ok := s.Merchant(func(c merchant.Channel) bool {
			return c.Credentials[clientKey].Equal(id) && c.Credentials[secretKey].Equal(key)
		})
		if !ok {
			say(w, http.StatusUnauthorized, body{ResultCode: "U304", ResultMsg: "BASIC AUTHENTICATION 실패"})
			return
		}
		e, done, err := do(c, r)
		if no, ok := errors.AsType[refused](err); ok {
			if own, ok := startCodes[no.code]; ok {
				no = own
			}
			say(w, http.StatusOK, map[string]string{"resultCode": no.code, "resultMsg": no.message})
			return
		}
		say(w, http.StatusOK, s.paymentBody(c, e, done))
	}
}

func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // a client that is gone needs no answer
}

func (s api) startFind(c merchant.Channel, r *http.Request) (provider.Entry, provider.Cancelled, error) {
	tid, order, day := r.PathValue("tid"), r.PathValue("order"), r.FormValue("orderDate")
	e, ok := s.Find(c, func(e provider.Entry) bool {
		return e.PGTx == tid || tid == "" && e.Order == order && timeOr(e.Account.IssuedAt).Format("20060102") == day
	})
	if !ok {
		return e, provider.Cancelled{}, refused{"U107", "거래내역이 존재 하지 않습니다."}
	}
	return e, provider.Cancelled{}, nil
}

func (s api) startCancel(c merchant.Channel, r *http.Request) (provider.Entry, provider.Cancelled, error) {
	var q startCancel
	b, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	tid := r.PathValue("tid")
	if err != nil || json.Unmarshal(b, &q) != nil || q.Reason == "" || q.OrderID == "" {
		return provider.Entry{}, provider.Cancelled{}, missing
	}
	switch {
	case !secret.Text(wire.SHA256Hex(tid, q.EdiDate, c.Credentials[secretKey].Reveal())).Equal(q.SignData):
		return provider.Entry{}, provider.Cancelled{}, errBadSignature
	case len(q.OrderID) > maxID || longerThan(q.Reason, maxReason) || longerThan(q.Holder, maxHolder) || len(q.Account) > maxAccount:
		return provider.Entry{}, provider.Cancelled{}, errTooLong
	}
	to := q.Account != "" && q.Holder != "" && payment.BankByCode(q.Bank) != ""
	return s.giveBack(c, tid, q.OrderID, payment.Won(q.Amount), q.Amount != 0, to)
}

// paymentBody is an entry as the start API tells it, and done the cancel that
// was asked for, if one was.
func (s api) paymentBody(c merchant.Channel, e provider.Entry, done provider.Cancelled) body {
	now := s.Now()
	b := body{
		ResultCode: "0000", ResultMsg: "정상 처리되었습니다.", TID: e.PGTx, OrderID: e.Order, EdiDate: timeOr(now).Format(isoForm),
		PaidAt: "0", FailedAt: "0", CancelledAt: "0", PayMethod: "vbank", Amount: e.Amount.Amount, BalanceAmt: e.Left().Amount,
		GoodsName: e.Name, Currency: string(e.Amount.Currency), Channel: "pc", ApproveNo: "000000", ReceiptURL: receiptPage + e.PGTx,
		Vbank: &bodyVbank{
			Code: e.Account.Bank.Code(), Name: e.Account.Bank.Name(), Number: e.Account.Number.Reveal(),
			Due: timeOr(e.Account.ExpiresAt).Format(isoForm), Holder: e.Account.Holder,
		},
	}
	b.Status = map[payment.State]string{
		payment.Issued: "ready", payment.Paid: "paid", payment.PartiallyCancelled: "partialCancelled",
		payment.Cancelled: "cancelled", payment.Failed: "cancelled",
	}[e.State]
	if e.State == payment.Issued && now.After(e.Account.ExpiresAt) {
		b.Status = "expired"
	}
	if !e.PaidAt.IsZero() {
		b.PaidAt = timeOr(e.PaidAt).Format(isoForm)
	}
	for _, x := range e.Cancellations {
		b.CancelledAt = timeOr(x.At).Format(isoForm)
		b.Cancels = append(b.Cancels, bodyCancel{TID: x.PGID, Amount: x.Amount.Amount, CancelledAt: b.CancelledAt, Reason: "고객 요청", ReceiptURL: receiptPage + x.PGID})
	}
	if e.State == payment.Failed {
		b.CancelledAt = timeOr(e.ClosedAt).Format(isoForm)
		b.Cancels = []bodyCancel{{TID: e.PGTx, Amount: e.Amount.Amount, CancelledAt: b.CancelledAt, Reason: "고객 요청"}}
	}
	if done.PGID != "" {
		b.CancelledTID = &done.PGID
	}
	signature := wire.SHA256Hex(b.TID, strconv.FormatInt(b.Amount, 10), b.EdiDate, c.Credentials[secretKey].Reveal())
	b.Signature = &signature
	return b
}
