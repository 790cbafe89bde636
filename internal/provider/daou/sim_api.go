package daou

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

var _ provider.Player = Module

// cancelPath is where the simulated PG sends the second request of a cancel.
const cancelPath = "/pay/cancel"

// API plays the cancel of an issue, in its two requests.
func (module) API(b provider.Books) http.Handler {
	s := &api{Books: b, tokens: make(map[string]cancelRequest)}
	m := http.NewServeMux()
	m.HandleFunc("POST "+readyPath, s.as(s.ready))
	m.HandleFunc("POST "+cancelPath, s.as(s.cancel))
	return m
}

type api struct {
	provider.Books

	mu     sync.Mutex
	made   int
	tokens map[string]cancelRequest // handed out and not used yet
}

// refused has a made-up code: Kiwoom's are not published.
func refused(why string) map[string]string {
	return map[string]string{"RESULTCODE": "S001", "ERRORMESSAGE": "시뮬레이터: " + why}
}

// as reads a request in EUC-KR, finds its merchant, and answers in EUC-KR.
func (s *api) as(do func(merchant.Channel, cancelRequest, string) map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q cancelRequest
		answer := refused("전문 오류")
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
		text, bad := wire.Text(body, wire.EUCKR)
		if err == nil && bad == nil && json.Unmarshal([]byte(text), &q) == nil {
			c, ok := s.Merchant(func(c merchant.Channel) bool {
				return c.MID == q.CPID && c.Credentials[authKey].Equal(r.Header.Get("Authorization"))
			})
			if answer = refused("인증 오류"); ok {
				answer = do(c, q, r.Header.Get("Token"))
			}
		}
		w.Header().Set("Content-Type", "application/json;charset=EUC-KR")
		out, err := json.Marshal(answer)
		if err == nil {
			out, err = wire.ToEUCKR(string(out))
		}
		if err == nil {
			_, _ = w.Write(out) // a client that is gone needs no answer
		}
	}
}

// mostTokens is how many unused tokens are remembered.
const mostTokens = 10_000

func (s *api) ready(c merchant.Channel, q cancelRequest, _ string) map[string]string {
	if q.Method != cancelIssue || q.Cancel != "Y" || q.Reason == "" {
		return refused("전문 오류")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tokens) >= mostTokens {
		clear(s.tokens)
	}
	s.made++
	token := wire.Digest(c.MID, q.Tx, strconv.Itoa(s.made))
	s.tokens[token] = q
	return map[string]string{"TOKEN": token, "RETURNURL": testHost + cancelPath}
}

func (s *api) cancel(c merchant.Channel, q cancelRequest, token string) map[string]string {
	s.mu.Lock()
	asked, ok := s.tokens[token]
	delete(s.tokens, token)
	s.mu.Unlock()
	e, found := s.Find(c, func(e provider.Entry) bool { return e.PGTx == q.Tx })
	switch {
	case !ok || asked != q:
		return refused("토큰 오류")
	case !found:
		return refused("원거래 없음")
	case q.Amount != strconv.FormatInt(e.Amount.Amount, 10):
		return refused("취소금액 오류")
	case e.State != payment.Issued:
		return refused("취소할 수 없는 거래")
	}
	if _, err := s.Close(c, e.PGTx); err != nil {
		return refused("취소할 수 없는 거래")
	}
	return map[string]string{
		"RESULTCODE": resultDone, "ERRORMESSAGE": "", "DAOUTRX": e.PGTx, "AMOUNT": q.Amount, "ORDERNO": e.Order,
		"CANCELDATE": s.Now().In(wire.Seoul).Format(wire.Stamp), "CPNAME": "시험상점",
	}
}
