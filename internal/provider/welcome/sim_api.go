package welcome

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var _ provider.Player = Module

// API plays PAYAPI's cancel call, as far as it closes accounts.
func (m module) API(b provider.Books) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+pathCancel, api{b}.cancel)
	return mux
}

type api struct{ provider.Books }

// reply is an answer. What only a success has is left out of others.
type reply struct {
	Code  string `json:"ResultCode"`
	Words string `json:"ResultMsg"`
	MID   string `json:"Mid,omitempty"`
	TID   string `json:"Tid,omitempty"`
	Order string `json:"Moid,omitempty"`
	Price string `json:"Price,omitempty"`
	Day   string `json:"CancelDate,omitempty"`
	Clock string `json:"CancelTime,omitempty"`
}

// codeRefused stands for the codes of refusals, which are not published.
const codeRefused = "01"

func (s api) cancel(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f, err := wire.ParseForm(body)
	if err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	q, err := f.Read(wire.UTF8, "mid", "tid", "price", "signature")
	if err != nil {
		http.Error(w, "Bad Request", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(s.cancelled(q)) // a client that is gone needs no answer
}

func (s api) cancelled(q wire.Values) reply {
	c, ok := s.Merchant(func(c merchant.Channel) bool {
		return q.Get("mid") != "" && c.MID == q.Get("mid") && c.Credentials[signKey] != "" &&
			secret.Text(signature(c, q.Get("timestamp"))).Equal(q.Get("signature"))
	})
	price, err := wire.Amount(q.Get("price"))
	e, found := s.Find(c, func(e provider.Entry) bool { return q.Get("tid") != "" && e.PGTx == q.Get("tid") })
	switch {
	case !ok || len(q.Get("timestamp")) != len(wire.Stamp):
		return reply{Code: codeRefused, Words: "signature 검증에 실패하였습니다."}
	case q.Get("payType") != payAccount || q.Get("currency") != currencyWon || err != nil:
		return reply{Code: codeRefused, Words: "요청 파라미터 오류입니다."}
	case !found:
		return reply{Code: codeRefused, Words: "원거래가 존재하지 않습니다."}
	case price != e.Amount.Amount:
		return reply{Code: codeRefused, Words: "취소 금액이 일치하지 않습니다."}
	}
	e, err = s.Close(c, e.PGTx)
	switch {
	case errors.Is(err, provider.ErrNotWaiting) && e.Left().Amount > 0:
		return reply{Code: codeRefused, Words: "환불 계좌 정보가 없습니다."}
	case err != nil:
		return reply{Code: codeRefused, Words: "이미 취소된 거래입니다."}
	}
	at := e.ClosedAt.In(wire.Seoul)
	return reply{
		Code: codeDone, Words: "정상", MID: c.MID, TID: e.PGTx, Order: e.Order, Price: strconv.FormatInt(price, 10),
		Day: at.Format("20060102"), Clock: at.Format("150405"),
	}
}
