package smartro

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var _ provider.Player = V2

// API plays the issue of accounts and the cancel of those that nobody paid.
func (module) API(b provider.Books) http.Handler {
	s := api{b}
	m := http.NewServeMux()
	m.HandleFunc("POST "+issuePath, s.as(s.issue))
	m.HandleFunc("POST "+cancelPath, s.as(s.cancel))
	return m
}

type api struct{ provider.Books }

// Codes of refusals. Which Smartro answers with is not published, but for the
// second; the others are made up and say so.
const (
	simRefused   = "S001"
	codeAlready  = "2013" // 기취소
	refusedWords = "시뮬레이터: "
)

func refusal(code, why string) map[string]string {
	return map[string]string{"ResultCode": code, "ResultMsg": refusedWords + why}
}

// as finds the merchant and opens the request.
func (s api) as(do func(merchant.Channel, map[string]string) map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var e envelope
		answer := refusal(simRefused, "전문 오류")
		if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&e) == nil {
			if c, ok := s.Merchant(func(c merchant.Channel) bool { return c.MID == e.MID }); !ok {
				answer = refusal(simRefused, "등록되지 않은 상점")
			} else if q, ok := opened(c.Credentials[merchantKey], e.Sealed); !ok || q["Mid"] != e.MID {
				answer = refusal(simRefused, "복호화 오류")
			} else {
				answer = do(c, q)
			}
		}
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		_ = json.NewEncoder(w).Encode(answer) // a client that is gone needs no answer
	}
}

func opened(key secret.Text, sealed string) (map[string]string, bool) {
	b, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(key) < keyedLength {
		return nil, false
	}
	plain, err := wire.OpenCBC([]byte(key.Reveal()[:keyedLength]), make([]byte, 16), b)
	var q map[string]string
	return q, err == nil && json.Unmarshal(plain, &q) == nil
}

func (s api) issue(c merchant.Channel, q map[string]string) map[string]string {
	for _, name := range []string{"GoodsName", "Amt", "Moid", "EdiDate", "BuyerName", "BuyerTel", "BuyerEmail", "VbankBankCode", "VbankExpDate"} {
		if q[name] == "" {
			return refusal(simRefused, "필수값 누락 "+name)
		}
	}
	won, err := wire.Amount(q["Amt"])
	bank := payment.BankByCode(q["VbankBankCode"])
	until, bad := wire.Deadline(q["VbankExpDate"])
	fixed := q["TransType"] == "04"
	switch {
	case err != nil || won == 0 || bank == "" || bad != nil || until.Before(s.Now()) || q["PayMethod"] != "VBANK":
		return refusal(simRefused, "값 오류")
	case strings.Trim(q["Moid"], alphanumeric) != "":
		return refusal(simRefused, "주문번호 특수문자")
	case fixed && q["SubId"] == "":
		return refusal(simRefused, "가상계좌번호 누락")
	}
	e := provider.Entry{
		Order: q["Moid"], Name: q["GoodsName"], Amount: payment.Won(won), PGTx: s.newTID(c, q["Moid"]),
		Buyer:   payment.Customer{Name: q["BuyerName"], PhoneNumber: q["BuyerTel"], Email: q["BuyerEmail"]},
		Account: payment.Account{Bank: bank, Number: secret.Account(q["SubId"]), Type: payment.Normal, Holder: q["VBankAccountName"], ExpiresAt: until},
	}
	if fixed {
		e.Account.Type = payment.Fixed
	}
	if e, err = s.Issue(c, e); err != nil {
		return refusal(simRefused, "중복 주문번호")
	}
	sign, _ := signed(e.PGTx, codeIssued, c.Credentials[merchantKey])
	return map[string]string{
		"ResultCode": codeIssued, "ResultMsg": "가상계좌 발급 성공", "Tid": e.PGTx, "Mid": c.MID, "Moid": e.Order, "PayMethod": "VBANK",
		"VbankName": bank.Name(), "VbankNum": e.Account.Number.Reveal(), "SignValue": sign,
	}
}

// newTID has the form of the others: MID, the service 03, 01, the time and four
// digits.
func (s api) newTID(c merchant.Channel, order string) string {
	now := s.Now().In(wire.Seoul)
	id := c.MID + strings.Repeat("m", max(0, maxMID-len(c.MID)))
	return id + "0301" + short(now) + wire.Serial(4, order, strconv.FormatInt(now.UnixNano(), 10))
}

func (s api) cancel(c merchant.Channel, q map[string]string) map[string]string {
	e, ok := s.Find(c, func(e provider.Entry) bool { return e.PGTx == q["Tid"] })
	hash := secret.Text(cancelHash(q["Tid"], q["CancelAmt"], q["PartialCancelCode"], c.Credentials[merchantKey]))
	switch {
	case !hash.Equal(q["HashData"]):
		return refusal(simRefused, "검증데이터 불일치")
	case !c.Credentials[cancelPassword].Equal(q["CancelPwd"]):
		return refusal(simRefused, "취소 패스워드 불일치")
	case !ok:
		return refusal(simRefused, "원거래 없음")
	case e.State == payment.Failed:
		return refusal(codeAlready, "기취소 거래")
	case q["CancelAmt"] != strconv.FormatInt(e.Amount.Amount, 10) || q["PartialCancelCode"] != "0":
		return refusal(simRefused, "취소금액 오류")
	}
	if _, err := s.Close(c, e.PGTx); err != nil {
		return refusal(simRefused, "입금된 가상계좌는 환불 연동 필요")
	}
	return map[string]string{"ResultCode": codeCancelled, "ResultMsg": "취소 성공", "Tid": e.PGTx, "Mid": c.MID, "Moid": e.Order, "CancelAmt": q["CancelAmt"]}
}
