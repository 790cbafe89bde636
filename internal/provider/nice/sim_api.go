package nice

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var _ provider.Player = module{}

// API plays the web API of npg and, for nice_v2, the start API. The books' ids
// of cancels are longer than NICE's.
func (m module) API(b provider.Books) http.Handler {
	s := api{b}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+issuePath, s.as(s.issue))
	mux.HandleFunc("POST "+fixedPath, s.as(s.issue))
	mux.HandleFunc("POST "+inquiryPath, s.as(s.inquire))
	mux.HandleFunc("POST "+cancelPath, s.as(s.cancel))
	if m.json {
		mux.HandleFunc("GET /v1/payments/{tid}", s.asStart(s.startFind))
		mux.HandleFunc("GET /v1/payments/find/{order}", s.asStart(s.startFind))
		mux.HandleFunc("POST /v1/payments/{tid}/cancel", s.asStart(s.startCancel))
	}
	return mux
}

type api struct{ provider.Books }

// refused is an error answer.
type refused struct{ code, message string }

func (r refused) Error() string { return r.code }

// Codes and texts of the manual's list (common/code.md, 2025-07).
var (
	errBadSignature = refused{"A101", "SIGN DATA 검증에 실패하였습니다"}
	errBadMID       = refused{"A114", "상점 MID가 유효하지 않습니다"}
	missing         = refused{"A117", "필수입력항목이 누락되었습니다"}
	errDoubleOrder  = refused{"A127", "주문번호 중복 오류"}
	errDoubleTID    = refused{"A225", "TID 중복 오류"}
	errTooLong      = refused{"A147", "필드 길이가 초과되었습니다"}
	errBadDue       = refused{"A108", "입금예정일을 오늘 이전 날짜로 설정할 수 없습니다"}
	errBadAccount   = refused{"4104", "가상계좌 정보 오류"}
	errOtherAmount  = refused{"2011", "취소 금액 불일치"}
	errNoSuch       = refused{"2012", "취소 해당거래 없음"}
	gone            = refused{"2013", "취소 완료 거래"}
	cannot          = refused{"2014", "취소 불가능 거래"}
	errTooMuch      = refused{"2032", "취소금액이 취소가능금액보다 큼"}
)

// as reads a form and finds the merchant that it names.
func (s api) as(do func(merchant.Channel, wire.Values) (map[string]string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		if err != nil {
			return
		}
		var v wire.Values
		form, err := wire.ParseForm(body)
		if err == nil {
			v, err = form.Decode(wire.EUCKR)
		}
		out := map[string]string{}
		c, ok := s.Merchant(func(c merchant.Channel) bool { return c.MID == v.Get("MID") && c.Credentials[merchantKey] != "" })
		switch {
		case err != nil:
			err = refused{"A102", "알 수 없는 TYPE 입니다"}
		case !ok:
			err = errBadMID
		default:
			out, err = do(c, v)
		}
		if no, ok := errors.AsType[refused](err); ok {
			out = map[string]string{"ResultCode": no.code, "ResultMsg": no.message, "TID": v.Get("TID")}
		}
		s.answer(w, out, v.Get("CharSet"))
	}
}

// answer writes JSON in the charset that was asked for.
func (s api) answer(w http.ResponseWriter, out map[string]string, charset string) {
	b, err := wire.MarshalJSON(out)
	if err != nil {
		panic(err) // strings always marshal
	}
	if !strings.EqualFold(charset, "utf-8") {
		charset = "euc-kr"
		b = wire.Transcode(b)
	}
	w.Header().Set("Content-Type", "application/json;charset="+charset)
	_, _ = w.Write(b) // a client that is gone needs no answer
}

func signed(c merchant.Channel, v wire.Values, parts ...string) bool {
	return secret.Text(wire.SHA256Hex(append(parts, c.Credentials[merchantKey].Reveal())...)).Equal(v.Get("SignData"))
}

func (s api) issue(c merchant.Channel, v wire.Values) (map[string]string, error) {
	tid, order := v.Get("TID"), v.Get("Moid")
	won, err := wire.Amount(v.Get("Amt"))
	fixed := v.Has("VbankNum")
	due, dueErr := wire.Deadline(v.Get("VbankExpDate") + v.Get("VbankExpTime"))
	bank := payment.BankByCode(v.Get("BankCode") + v.Get("VbankBankCode"))
	_, double := s.Find(c, func(e provider.Entry) bool { return e.PGTx == tid })
	switch {
	case !signed(c, v, c.MID, v.Get("Amt"), v.Get("EdiDate"), order):
		return nil, errBadSignature
	case err != nil || won == 0 || order == "" || !fixed && (v.Get("GoodsName") == "" || v.Get("CashReceiptType") == ""),
		v.Get("CashReceiptType") > "0" && v.Get("ReceiptTypeNo") == "", fixed && v.Get("VbankNum") == "":
		return nil, missing
	case len(tid) != len(c.MID)+20 || !strings.HasPrefix(tid, c.MID+"0301"):
		return nil, refused{"A115", "TID가 유효하지 않습니다"}
	case len(order) > maxID || longerThan(v.Get("GoodsName"), maxGoods) || longerThan(v.Get("VbankAccountName"), maxAccountName) || longerThan(v.Get("BuyerName"), maxBuyer):
		return nil, errTooLong
	case double:
		return nil, errDoubleTID
	case bank == "":
		return nil, errBadAccount
	case dueErr != nil || !due.After(s.Now()):
		return nil, errBadDue
	}
	e := provider.Entry{
		Order: order, Name: v.Get("GoodsName"), PGTx: tid, Amount: payment.Won(won),
		Buyer:   payment.Customer{Name: v.Get("BuyerName"), Email: v.Get("BuyerEmail"), PhoneNumber: v.Get("BuyerTel")},
		Account: payment.Account{Bank: bank, Type: payment.Normal, Holder: v.Get("VbankAccountName"), ExpiresAt: due},
	}
	code, message := "4100", "가상계좌 발급 성공"
	if fixed {
		e.Account.Type, e.Account.Number = payment.Fixed, secret.Account(v.Get("VbankNum"))
		code, message = "4120", "가상계좌 과오납체크 등록 성공"
	}
	if e, err = s.Issue(c, e); err != nil {
		return nil, errDoubleOrder
	}
	return map[string]string{
		"ResultCode": code, "ResultMsg": message, "TID": tid, "Moid": order, "Amt": wire.PadZeros(v.Get("Amt"), 12),
		"AuthDate": short(s.Now()), "VbankBankCode": bank.Code(), "VbankBankName": bank.Name(),
		"VbankNum": e.Account.Number.Reveal(), "VbankExpDate": due.Format("20060102"), "VbankExpTime": due.Format("150405"),
	}, nil
}

func longerThan(s string, most int) bool { return wire.Fit(s, wire.EUCKR, most, "") != s }

// inquire answers as the manual words it: an account that waits has no approval.
// What real answers say of such an account, or of one refunded in part, is not
// published.
func (s api) inquire(c merchant.Channel, v wire.Values) (map[string]string, error) {
	tid := v.Get("TID")
	if !signed(c, v, tid, c.MID, v.Get("EdiDate")) {
		return nil, errBadSignature
	}
	e, _ := s.Find(c, func(e provider.Entry) bool { return e.PGTx == tid })
	out := map[string]string{"ResultCode": "0000", "ResultMsg": "조회 성공", "TID": tid, "Status": "9", "AuthCode": "", "AuthDate": ""}
	switch e.State {
	case payment.Paid, payment.PartiallyCancelled:
		out["Status"] = "0"
	case payment.Cancelled, payment.Failed:
		out["Status"] = "1"
	default:
	}
	if !e.PaidAt.IsZero() {
		out["AuthDate"] = short(e.PaidAt)
	}
	return out, nil
}

func (s api) cancel(c merchant.Channel, v wire.Values) (map[string]string, error) {
	won, err := wire.Amount(v.Get("CancelAmt"))
	part := v.Get("PartialCancelCode") == "1"
	switch {
	case !signed(c, v, c.MID, v.Get("CancelAmt"), v.Get("EdiDate")):
		return nil, errBadSignature
	case err != nil || won == 0 || v.Get("CancelMsg") == "" || v.Get("Moid") == "" || !v.Has("PartialCancelCode"):
		return nil, missing
	case longerThan(v.Get("CancelMsg"), maxReason) || longerThan(v.Get("RefundAcctNm"), maxHolder) || len(v.Get("RefundAcctNo")) > maxAccount:
		return nil, errTooLong
	}
	to := v.Get("RefundAcctNo") != "" && v.Get("RefundAcctNm") != "" && payment.BankByCode(v.Get("RefundBankCd")) != ""
	key := ""
	if part {
		key = v.Get("Moid")
	}
	e, done, err := s.giveBack(c, v.Get("TID"), key, payment.Won(won), part, to)
	if err != nil {
		return nil, err
	}
	amount := wire.PadZeros(v.Get("CancelAmt"), 12)
	return map[string]string{
		"ResultCode": "2001", "ResultMsg": "취소 성공", "CancelAmt": amount, "MID": c.MID, "Moid": v.Get("Moid"),
		"Signature": wire.SHA256Hex(e.PGTx, c.MID, amount, c.Credentials[merchantKey].Reveal()), "PayMethod": "VBANK", "TID": e.PGTx,
		"CancelDate": timeOr(done.At).Format("20060102"), "CancelTime": timeOr(done.At).Format("150405"), "CancelNum": done.PGID,
		"RemainAmt": wire.PadZeros(strconv.FormatInt(e.Left().Amount, 10), 12),
	}, nil
}

// giveBack closes an account that waits, and gives back money where to says that
// an account for it was named. give is zero for all of it.
func (s api) giveBack(c merchant.Channel, tid, key string, give payment.Money, part, to bool) (provider.Entry, provider.Cancelled, error) {
	e, ok := s.Find(c, func(e provider.Entry) bool { return e.PGTx == tid })
	if give.Amount == 0 {
		give = e.Amount
	}
	switch {
	case !ok:
		return e, provider.Cancelled{}, errNoSuch
	case e.State == payment.Failed || e.State == payment.Cancelled:
		return e, provider.Cancelled{}, gone
	case !part && give != e.Amount:
		return e, provider.Cancelled{}, errOtherAmount
	case e.State == payment.Issued && part, e.State != payment.Issued && !to:
		return e, provider.Cancelled{}, cannot
	}
	if e.State == payment.Issued {
		e, err := s.Close(c, tid)
		if err != nil {
			return e, provider.Cancelled{}, cannot // money came meanwhile
		}
		return e, provider.Cancelled{Amount: e.Amount, At: s.Now()}, nil
	}
	e, done, err := s.Refund(c, tid, key, give)
	if err != nil {
		return e, done, errTooMuch
	}
	return e, done, nil
}
