package kicc

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var _ provider.Player = Module

// API plays the REST API's changes: closing of accounts and refunds.
func (module) API(b provider.Books) http.Handler {
	s := &api{Books: b, seen: make(map[string]bool)}
	m := http.NewServeMux()
	m.HandleFunc("POST "+revisePath, func(w http.ResponseWriter, r *http.Request) {
		var q revision
		answer := refusal("전문 오류")
		if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&q) == nil {
			answer = s.revise(q)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(answer) // a client that is gone needs no answer
	})
	return m
}

type api struct {
	provider.Books

	mu   sync.Mutex
	seen map[string]bool // the numbers of requests that were taken
}

// refusal has a made-up code: KICC's are not published.
func refusal(why string) map[string]any {
	return map[string]any{"resCd": "S001", "resMsg": "시뮬레이터: " + why}
}

func (s *api) revise(q revision) map[string]any {
	c, ok := s.Merchant(func(c merchant.Channel) bool { return c.MID == q.MID })
	e, found := s.Find(c, func(e provider.Entry) bool { return e.PGTx == q.Transaction })
	switch {
	case !ok:
		return refusal("등록되지 않은 상점")
	case !secret.Text(auth(q.Transaction, q.Request, c.Credentials[secretKey])).Equal(q.Auth):
		return refusal("메시지 인증값 불일치")
	case q.Date != s.Now().In(wire.Seoul).Format("20060102"):
		return refusal("요청일자 오류")
	case !s.first(c.MID + "|" + q.Request):
		return refusal("중복 요청")
	case !found:
		return refusal("원거래 없음")
	}
	switch q.Type + q.SubType {
	case changeAll:
		return s.close(c, q)
	case changeRefund + stateRequest, changeEscrow + escrowRefund:
		if len(e.Cancellations) > 0 {
			return refusal("이미 환불된 거래")
		}
		return s.refund(c, q, e.Amount)
	case changePart + stateRequest:
		if q.Remain != 0 && q.Remain != e.Left().Amount {
			return refusal("환불가능금액 불일치")
		}
		return s.refund(c, q, payment.Won(q.Amount))
	}
	return refusal("변경구분 오류")
}

// mostSeen is how many numbers are remembered.
const mostSeen = 100_000

// first reports whether a request's number is new.
func (s *api) first(request string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen[request] {
		return false
	}
	if len(s.seen) >= mostSeen {
		clear(s.seen) // KICC forgets them at midnight
	}
	s.seen[request] = true
	return true
}

func (s *api) close(c merchant.Channel, q revision) map[string]any {
	e, err := s.Close(c, q.Transaction)
	if err != nil {
		return refusal("취소할 수 없는 거래")
	}
	return s.changed(q, wire.Serial(maxTransaction, "close", e.PGTx), e.Amount, e, stateCancelled)
}

func (s *api) refund(c merchant.Channel, q revision, give payment.Money) map[string]any {
	switch to := q.Refund; {
	case to == nil || payment.BankByCode(to.Bank) == "" || to.Account == "" || to.Holder == "" || len(to.Account) > maxAccount:
		return refusal("환불계좌 오류")
	case q.Tax != nil && q.Tax.Taxed+q.Tax.Free+q.Tax.VAT != give.Amount:
		return refusal("복합과세 금액 오류")
	}
	e, done, err := s.Refund(c, q.Transaction, q.Request, give)
	switch {
	case errors.Is(err, provider.ErrTooMuch):
		return refusal("환불가능금액 초과")
	case err != nil:
		return refusal("입금되지 않은 거래")
	}
	return s.changed(q, done.PGID, give, e, stateRequest)
}

// changed is the answer to a change that was made.
func (s *api) changed(q revision, id string, give payment.Money, e provider.Entry, state string) map[string]any {
	now := s.Now().In(wire.Seoul).Format(wire.Stamp)
	return map[string]any{
		"resCd": success, "resMsg": "정상취소", "mallId": q.MID, "shopTransactionId": q.Request, "oriPgCno": q.Transaction,
		"cancelPgCno": id, "shopOrderNo": e.Order, "cancelAmount": strconv.FormatInt(give.Amount, 10),
		"remainAmount": strconv.FormatInt(e.Left().Amount, 10), "transactionDate": now, "statusCode": state,
		"reviseInfo": map[string]any{"payMethodTypeCode": methodAccount, "approvalDate": now},
	}
}
