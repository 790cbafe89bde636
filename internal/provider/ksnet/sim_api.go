package ksnet

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var _ provider.Player = Module

// API plays the issue of accounts, as for a shop that must name a deadline.
func (module) API(b provider.Books) http.Handler {
	s := api{b}
	m := http.NewServeMux()
	m.HandleFunc("POST "+issuePath, func(w http.ResponseWriter, r *http.Request) {
		code, data := s.issue(w, r)
		message := map[string]string{codeDone: "Success", codeRefused: "Fail", codeRequest: "요청 파라미터 오류", codeAuth: "인증 오류"}[code]
		answer := map[string]any{"aid": "WFVVPSI" + wire.Serial(17, s.Now().String()), "code": code, "message": message, "data": data}
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		_ = json.NewEncoder(w).Encode(answer) // a client that is gone needs no answer
	})
	return m
}

type api struct{ provider.Books }

// issue returns the answer's code and its data, nil if it has none.
func (s api) issue(w http.ResponseWriter, r *http.Request) (string, any) {
	var q issueRequest
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&q) != nil {
		return codeRequest, nil
	}
	c, ok := s.Merchant(func(c merchant.Channel) bool {
		return c.MID == q.MID && secret.Text("pgapi "+c.Credentials[apiKey].Reveal()).Equal(r.Header.Get("Authorization"))
	})
	if !ok {
		return codeAuth, nil
	}
	won, err := wire.Amount(q.Amount)
	bank := bankOfType(q.Bank)
	if err != nil || won == 0 || bank == "" || q.Order == "" || q.User == "" || q.Product == "" || q.Type != typeNormal && q.Type != typeFixed ||
		q.Type == typeFixed && q.Number == "" {
		return codeRequest, nil
	}
	tid := wire.Serial(12, q.Order, strconv.FormatInt(s.Now().UnixNano(), 10))
	data := map[string]string{
		"payload": q.Payload, "tid": tid, "tradeDateTime": s.Now().In(wire.Seoul).Format(wire.Stamp), "totalAmount": q.Amount,
		"respCode": "0000", "respMessage": "계좌요청완료", "bankType": q.Bank, "bankName": bank.Name(), "virtualAccountNumb": "", "accountHolder": "",
	}
	until, err := wire.Deadline(q.Until)
	switch {
	case q.Until == "":
		data["respCode"], data["respMessage"] = "B013", "발급거절/마감일자정보없음"
		return codeRefused, data
	case err != nil || !until.After(s.Now()):
		return codeRequest, nil
	}
	e := provider.Entry{
		Order: q.Order, Name: q.Product, Amount: payment.Won(won), PGTx: tid, Buyer: payment.Customer{Name: q.User},
		Account: payment.Account{Bank: bank, Number: secret.Account(q.Number), Type: payment.Normal, Holder: q.User, ExpiresAt: until},
	}
	if q.Type == typeFixed {
		e.Account.Type = payment.Fixed
	}
	if e, err = s.Issue(c, e); err != nil {
		data["respCode"], data["respMessage"] = "S001", "시뮬레이터: 중복 주문번호" // KSNET's code is not published
		return codeRefused, data
	}
	data["virtualAccountNumb"], data["accountHolder"] = e.Account.Number.Reveal(), e.Account.Holder
	return codeDone, data
}
