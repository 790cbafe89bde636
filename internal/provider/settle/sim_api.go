package settle

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var _ provider.Player = Module

// API plays the gateway's API: issue, its cancel, refund and inquiry.
func (module) API(b provider.Books) http.Handler {
	s := api{b}
	m := http.NewServeMux()
	m.HandleFunc("POST "+accountPath, s.as(func(r *asked) {
		if r.in.Params["bizType"] == bizClosed {
			r.close()
			return
		}
		r.issue()
	}))
	m.HandleFunc("POST "+refundPath, s.as((*asked).refund))
	m.HandleFunc("POST "+inquiryPath, s.as((*asked).inquire))
	return m
}

type api struct{ provider.Books }

// An asked is one request on its way to an answer.
type asked struct {
	provider.Books
	c       merchant.Channel
	in, out message
	code    string // why it is refused
}

// The refusals that are played (document, 41.1).
var refusals = map[string]string{
	"1901": "해쉬값 불일치 오류", "1902": "암호화 항목 미처리 오류", "6001": "유효하지 않은 요청 전문", "9902": "게이트웨이 응답 전문 오류",
	"1008": "결제 요청 정보 누락(상품명)", "1005": "결제 요청 정보 누락(상점주문번호)", "ST06": "거래정보 없음", "ST25": "중복 취소 요청", "ST26": "취소 정보 오류",
	"ST44": "원천사 정보 오류", "ST47": "미등록 상점", "ST50": "중복요청", "ST55": "복합과세 금액 불일치", "ST56": "취소회차 오류",
	"ST57": "취소금액(환불금액)이 원거래금액을 초과합니다.", "0009": "결제실패",
}

// as reads a request, finds its merchant and checks its hash.
func (s api) as(do func(*asked)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := &asked{Books: s.Books}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<16))
		if err != nil || json.Unmarshal(body, &q.in) != nil || q.in.Params == nil || q.in.Data == nil {
			q.code = "6001"
			q.answer(w)
			return
		}
		c, ok := s.Merchant(func(c merchant.Channel) bool { return c.MID == q.in.Params["mchtId"] })
		q.c = c
		switch {
		case !ok:
			q.code = "ST47"
		case q.in.Params["mchtTrdNo"] == "":
			q.code = "1005"
		case !q.signed():
			q.code = "1901"
		default:
			q.out.Data = map[string]string{"pktHash": q.in.Data["pktHash"]}
			do(q)
		}
		q.answer(w)
	}
}

// signed reports whether the hash is one of the merchant's key, over the amount
// that the request has.
func (q *asked) signed() bool {
	amount := q.in.Data["trdAmt"]
	switch {
	case q.in.Params["bizType"] == bizClosed:
		amount = "0"
	case q.in.Data["cnclAmt"] != "":
		amount, _ = open(q.c.Credentials[aesKey], q.in.Data["cnclAmt"]) // else 1901
	case q.in.Params["bizType"] == bizIssued:
		amount, _ = open(q.c.Credentials[aesKey], amount)
	}
	return secret.Text(q.in.hash("", amount, q.c.Credentials[hashKey])).Equal(q.in.Data["pktHash"])
}

// answer writes what became of it.
func (q *asked) answer(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	var v any
	switch {
	case q.code != "" && q.out.Params == nil:
		v = map[string]string{ // 2.5
			"outStatCd": statusFailed, "outRsltCd": q.code, "outRsltMsg": url.QueryEscape(refusals[q.code]),
			"mchtId": q.in.Params["mchtId"], "mchtTrdNo": q.in.Params["mchtTrdNo"],
		}
	default:
		for _, name := range []string{"mchtId", "ver", "method", "bizType", "encCd", "mchtTrdNo", "trdDt", "trdTm"} {
			if was, ok := q.in.Params[name]; ok {
				q.out.Params[name] = was
			}
		}
		v = q.out
	}
	_ = json.NewEncoder(w).Encode(v) // a client that is gone needs no answer
}

// good begins an answer of success.
func (q *asked) good(trdNo string) {
	q.out.Params = map[string]string{
		"trdNo": trdNo, "outStatCd": statusDone, "outRsltCd": "0000", "outRsltMsg": url.QueryEscape("정상적으로 처리되었습니다."),
	}
}

// amount opens a sealed amount.
func (q *asked) amount(name string) int64 {
	text, err := open(q.c.Credentials[aesKey], q.in.Data[name])
	won, bad := strconv.ParseInt(text, 10, 64)
	if err != nil || bad != nil {
		q.code = "1902"
	}
	return won
}

func (q *asked) issue() {
	number, order := "", q.in.Params["mchtTrdNo"]
	won, bank := q.amount("trdAmt"), payment.BankByCode(q.in.Data["bankCd"])
	if q.in.Data["acntType"] == "2" {
		var err error
		if number, err = open(q.c.Credentials[aesKey], q.in.Data["vAcntNo"]); err != nil {
			q.code = "1902"
		}
	}
	until, err := wire.Deadline(q.in.Data["expireDate"])
	if q.in.Data["expireDate"] == "" {
		until, err = q.Now().AddDate(0, 0, 10), nil
	}
	switch {
	case q.code != "":
		return
	case q.in.Data["prdtNm"] == "" || q.in.Data["sellerNm"] == "":
		q.code = "1008"
		return
	case bank == "" || won <= 0 || err != nil || !until.After(q.Now()):
		q.code = "6001"
		return
	case q.in.Data["taxTypeCd"] == "G" && q.amount("taxAmt")+q.amount("vatAmt")+q.amount("taxFreeAmt") != won:
		q.code = "ST55"
		return
	}
	if number == "" {
		number = "790" + wire.Serial(11, q.c.MID, order)
	}
	kind := payment.Normal
	if q.in.Data["acntType"] == "2" {
		kind = payment.Fixed
	}
	e, err := q.Issue(q.c, provider.Entry{
		Order: order, Name: q.in.Data["prdtNm"], Amount: payment.Won(won), NoticeURL: q.in.Data["notiUrl"], PGTx: q.newNumber(order),
		Buyer:   payment.Customer{Name: q.in.Data["ordNm"], Email: q.in.Data["email"], ID: q.in.Data["mchtCustId"]},
		Account: payment.Account{Bank: bank, Number: secret.Account(number), Type: kind, Holder: q.in.Data["sellerNm"], ExpiresAt: until},
	})
	if err != nil {
		q.code = "ST50"
		return
	}
	q.good(e.PGTx)
	s := &sealer{key: q.c.Credentials[aesKey]}
	q.out.Data = map[string]string{
		"bankCd": q.in.Data["bankCd"], "vAcntNo": s.seal(number), "expireDate": until.In(wire.Seoul).Format(wire.Stamp),
		"trdAmt": q.in.Data["trdAmt"], "acntType": q.in.Data["acntType"],
		// 15.4 rather than 15.3
		"pktHash": q.in.hash(statusDone, strconv.FormatInt(won, 10), q.c.Credentials[hashKey]),
	}
}

// newNumber is a trdNo for a request of now.
func (q *asked) newNumber(seed string) string {
	at := q.Now()
	n := notice.Notice{Merchant: q.c.MID, Order: q.in.Params["mchtTrdNo"]}
	return newNumber(line{method: methodAccount}, n, at.In(wire.Seoul), seed, at.Format(time.RFC3339Nano))
}

// original finds what orgTrdNo names.
func (q *asked) original() (provider.Entry, bool) {
	return q.Find(q.c, func(e provider.Entry) bool { return e.PGTx == q.in.Data["orgTrdNo"] })
}

func (q *asked) close() {
	number, err := open(q.c.Credentials[aesKey], q.in.Data["vAcntNo"])
	e, ok := q.original()
	switch {
	case err != nil:
		q.code = "1902"
		return
	case !ok || e.Account.Number.Reveal() != number:
		q.code = "ST06"
		return
	}
	if _, err := q.Close(q.c, e.PGTx); err != nil {
		q.code = "ST26"
		if e.State == payment.Failed {
			q.code = "ST25"
		}
		return
	}
	q.good(q.newNumber("close"))
	q.out.Data["orgTrdNo"], q.out.Data["vAcntNo"] = e.PGTx, q.in.Data["vAcntNo"]
}

func (q *asked) refund() {
	e, ok := q.original()
	won, round := q.amount("cnclAmt"), q.in.Data["cnclOrd"]
	to, err := open(q.c.Credentials[aesKey], q.in.Data["refundAcntNo"])
	n, bad := strconv.Atoi(round)
	switch {
	case q.code != "":
		return
	case !ok:
		q.code = "ST06"
	case err != nil:
		q.code = "1902"
	case to == "" || payment.BankByCode(q.in.Data["refundBankCd"]) == "" || q.in.Data["refundDpstrNm"] == "" || q.in.Data["crcCd"] != "KRW":
		q.code = "ST44"
	case len(round) != 3 || bad != nil || n <= len(e.Cancellations):
		q.code = "ST56"
	}
	if q.code != "" {
		return
	}
	e, done, err := q.Refund(q.c, e.PGTx, q.in.Params["mchtTrdNo"], payment.Won(won))
	switch {
	case errors.Is(err, provider.ErrTooMuch):
		q.code = "ST57"
		return
	case err != nil:
		q.code = "ST26"
		return
	}
	q.good(done.PGID)
	s := &sealer{key: q.c.Credentials[aesKey]}
	q.out.Data["orgTrdNo"], q.out.Data["cnclAmt"] = e.PGTx, q.in.Data["cnclAmt"]
	q.out.Data["blcAmt"] = s.seal(strconv.FormatInt(e.Left().Amount, 10))
}

// inquire answers with outRsltCd. What a waiting account is answered with is not
// in the document: here, as in the payment window, with 0051. A closed one has
// failed.
func (q *asked) inquire() {
	e, ok := q.Find(q.c, func(e provider.Entry) bool {
		tx := q.in.Data["orgTrdNo"]
		return e.Order == q.in.Data["orgMchtTrdNo"] && (tx == "" || e.PGTx == tx)
	})
	if !ok || q.in.Data["trdAmt"] != strconv.FormatInt(e.Amount.Amount, 10) || !near(e.Account.IssuedAt, q.in.Data["orgTrdDt"]) {
		q.code = resultUnknown
		return
	}
	q.good(e.PGTx)
	back := e.Amount.Amount - e.Left().Amount
	switch e.State {
	case payment.Issued:
		q.out.Params["outStatCd"], back = statusWaiting, 0
	case payment.Failed:
		q.out.Params["outStatCd"], q.out.Params["outRsltCd"], back = statusFailed, resultFailed, 0
	case payment.PartiallyCancelled, payment.Cancelled:
		q.out.Params["outRsltCd"] = resultRefunded
	default:
	}
	q.out.Data["method"], q.out.Data["trdAmt"] = methodAccount, q.in.Data["trdAmt"]
	q.out.Data["cnclAmt"] = strconv.FormatInt(back, 10)
}

// near reports whether a day is that of at, the one before or the one after.
func near(at time.Time, day string) bool {
	d, err := wire.Time(day)
	return err == nil && at.Sub(d.Add(12*time.Hour)).Abs() <= 36*time.Hour
}
