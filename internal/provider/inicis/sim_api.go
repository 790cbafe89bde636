package inicis

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var _ provider.Player = V1

// API plays INIAPI: issue and refunds of v1, inquiry of v2.
func (m module) API(b provider.Books) http.Handler {
	s := api{b}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/formpay", s.form(map[string]call{
		typePay + methodAccount: {s.issue, []string{"moid", "price"}},
	}))
	mux.HandleFunc("POST /api/v1/refund", s.form(map[string]call{
		typeRefund + methodWaiting:        {s.close, []string{"tid"}},
		typeRefund + methodAccount:        {s.refund, []string{"tid", "refundAcctNum"}},
		typePartialRefund + methodAccount: {s.refundPart, []string{"tid", "price", "confirmPrice", "refundAcctNum"}},
	}))
	mux.HandleFunc("POST /v2/pg/inquiry", s.inquiry)
	return mux
}

type api struct{ provider.Books }

// A call is one of v1, with the names of what its hash covers.
type call struct {
	do     func(merchant.Channel, wire.Fields) (reply, error)
	hashed []string
}

type reply map[string]any

// A no is an answer that says no. The PG's codes for it are not published, but
// for 500626 (v2) of what was refunded already.
type no string

func (n no) Error() string { return string(n) }

const (
	codeFailed = "01"
	simHolder  = "(주)케이지이니시스"
)

const errNoSuch = no("원거래가 존재하지 않습니다.")

// form reads a request of v1 and finds the merchant whose key its hash shows.
func (s api) form(calls map[string]call) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
			say(w, nil, no("요청 형식이 올바르지 않습니다."))
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		f, err := wire.ParseForm(body)
		if err != nil {
			say(w, nil, no("필수값이 없습니다."))
			return
		}
		v, err := f.Read(wire.UTF8, "mid", "tid", "price", "hashData")
		if err != nil {
			say(w, nil, no("요청 형식이 올바르지 않습니다."))
			return
		}
		c, known := calls[v.Get("type")+v.Get("paymethod")]
		if !known || len(v.Get("timestamp")) != len(wire.Stamp) || v.Get("clientIp") == "" {
			say(w, nil, no("필수값이 없습니다."))
			return
		}
		var plain strings.Builder
		for _, name := range append([]string{"type", "paymethod", "timestamp", "clientIp", "mid"}, c.hashed...) {
			plain.WriteString(v.Get(name))
		}
		ch, ok := s.merchant(v.Get("mid"), v.Get("hashData"), plain.String())
		if !ok {
			say(w, nil, no("해시 데이터가 일치하지 않습니다."))
			return
		}
		answer, err := c.do(ch, v.Fields())
		say(w, answer, err)
	}
}

func (s api) merchant(mid, hash, plain string) (merchant.Channel, bool) {
	return s.Merchant(func(c merchant.Channel) bool {
		return mid != "" && c.MID == mid && c.Credentials[fieldKey] != "" &&
			secret.Text(wire.SHA512Hex(c.Credentials[fieldKey].Reveal(), plain)).Equal(hash)
	})
}

// say answers in the PG's way: status 200 whatever it says.
func say(w http.ResponseWriter, answer reply, err error) {
	if no, ok := errors.AsType[no](err); ok {
		answer = reply{"resultCode": codeFailed, "resultMsg": string(no), "tid": nil}
	} else if err != nil {
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	_ = json.NewEncoder(w).Encode(answer) // a client that is gone needs no answer
}

func done(more reply) reply {
	out := reply{"resultCode": codeDone, "resultMsg": "정상처리되었습니다."}
	maps.Copy(out, more)
	return out
}

func (s api) issue(c merchant.Channel, q wire.Fields) (reply, error) {
	for name, most := range map[string]int{
		"moid": maxOrder, "url": maxSite, "goodName": maxGoods, "buyerName": maxBuyer, "buyerEmail": maxEmail,
		"nmInput": maxPayer, "dtInput": 8, "tmInput": 4, "bankCode": 2,
	} {
		if q[name] == "" || len(q[name]) > most {
			return nil, no(name + " 길이가 올바르지 않습니다.")
		}
	}
	amount, err := wire.Amount(q["price"])
	until, timeErr := wire.Time(q["dtInput"] + q["tmInput"])
	bank := bankOf(q["bankCode"])
	switch {
	case err != nil || amount < 1 || q["currency"] != "WON":
		return nil, no("결제금액이 올바르지 않습니다.")
	case timeErr != nil || !until.After(s.Now()):
		return nil, no("입금예정일자가 올바르지 않습니다.")
	case bank == "":
		return nil, no("은행코드가 올바르지 않습니다.")
	}
	if q["flgCash"] != "0" {
		if err := reveals(c, q["cashRegNo"]); err != nil {
			return nil, no("현금영수증 발행정보가 올바르지 않습니다.")
		}
	}
	now := s.Now().In(wire.Seoul)
	e, err := s.Issue(c, provider.Entry{
		Order: q["moid"], Name: q["goodName"], Amount: payment.Won(amount),
		PGTx:    "INIAPIVBNK" + c.MID + now.Format(wire.Stamp) + wire.Serial(6, c.MID, q["moid"], now.String()),
		Account: payment.Account{Bank: bank, Type: payment.Normal, Holder: simHolder, ExpiresAt: until},
		Buyer:   payment.Customer{Name: q["buyerName"], Email: q["buyerEmail"], PhoneNumber: q["buyerTel"]},
	})
	if errors.Is(err, provider.ErrTaken) {
		return nil, no("이미 사용된 주문번호입니다.")
	}
	if err != nil {
		return nil, err
	}
	return done(reply{
		"tid": e.PGTx, "authDate": now.Format("20060102"), "authTime": now.Format("150405"),
		"vacct": e.Account.Number.Reveal(), "vacctName": simHolder, "vacctBankCode": q["bankCode"],
		"validDate": q["dtInput"], "validTime": q["tmInput"] + "00", "price": strconv.FormatInt(amount, 10),
	}), nil
}

// reveals sees that encrypt can be undone. A key or vector that is not the merchant's
// own gives something other than digits.
func reveals(c merchant.Channel, s string) error {
	b, err := base64.StdEncoding.DecodeString(s)
	if err == nil {
		b, err = wire.OpenCBC([]byte(c.Credentials[fieldKey].Reveal()), []byte(c.Credentials[fieldVector].Reveal()), b)
	}
	if err != nil || len(b) == 0 || wire.Digits(string(b)) != string(b) {
		return no("복호화에 실패했습니다.")
	}
	return nil
}

// entry is the payment of an id: of its issue or of its deposit.
func (s api) entry(c merchant.Channel, tid string) (provider.Entry, error) {
	e, ok := s.Find(c, func(e provider.Entry) bool { return tid != "" && (e.PGTx == tid || e.Deposit == tid) })
	if !ok {
		return e, errNoSuch
	}
	return e, nil
}

func (s api) close(c merchant.Channel, q wire.Fields) (reply, error) {
	e, err := s.Close(c, q["tid"])
	switch {
	case errors.Is(err, provider.ErrNoEntry):
		return nil, errNoSuch
	case err != nil:
		return nil, no("채번취소가 불가능한 거래입니다.")
	}
	at := e.ClosedAt.In(wire.Seoul)
	return done(reply{"cancelDate": at.Format("20060102"), "cancelTime": at.Format("150405"), "cshrCancelNum": nil}), nil
}

// receiver refuses a refund that names no account.
func (s api) receiver(c merchant.Channel, q wire.Fields) error {
	if err := reveals(c, q["refundAcctNum"]); err != nil {
		return err
	}
	if len(q["refundBankCode"]) != 2 || bankOf(q["refundBankCode"]) == "" || q["refundAcctName"] == "" {
		return no("환불계좌 정보가 올바르지 않습니다.")
	}
	return nil
}

func (s api) refund(c merchant.Channel, q wire.Fields) (reply, error) {
	e, err := s.entry(c, q["tid"])
	if err == nil {
		err = s.receiver(c, q)
	}
	if err != nil {
		return nil, err
	}
	if len(e.Cancellations) > 0 {
		return nil, no("이미 취소된 거래입니다.")
	}
	_, x, err := s.Refund(c, e.PGTx, "", e.Amount)
	if err != nil {
		return nil, no("환불이 불가능한 거래입니다.")
	}
	at := x.At.In(wire.Seoul)
	return done(reply{"cancelDate": at.Format("20060102"), "cancelTime": at.Format("150405"), "cshrCancelNum": nil}), nil
}

func (s api) refundPart(c merchant.Channel, q wire.Fields) (reply, error) {
	e, err := s.entry(c, q["tid"])
	if err == nil {
		err = s.receiver(c, q)
	}
	if err != nil {
		return nil, err
	}
	give, err := wire.Amount(q["price"])
	left, err2 := wire.Amount(q["confirmPrice"])
	if err != nil || err2 != nil || give+left != e.Left().Amount {
		return nil, no("부분취소 금액이 올바르지 않습니다.")
	}
	e, x, err := s.Refund(c, e.PGTx, "", payment.Won(give))
	if err != nil {
		return nil, no("환불이 불가능한 거래입니다.")
	}
	at := x.At.In(wire.Seoul)
	return done(reply{
		"tid": x.PGID, "prtcTid": e.PGTx, "prtcPrice": q["price"], "prtcRemains": q["confirmPrice"],
		"prtcCnt": strconv.Itoa(len(e.Cancellations)), "prtcType": "1",
		"prtcDate": at.Format("20060102"), "prtcTime": at.Format("150405"),
	}), nil
}

// inquiry answers by TID or by order id.
func (s api) inquiry(w http.ResponseWriter, r *http.Request) {
	var q envelope
	var about which
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") ||
		json.NewDecoder(r.Body).Decode(&q) != nil || json.Unmarshal(q.Data, &about) != nil ||
		q.Type != typeInquiry || len(q.Timestamp) != len(wire.Stamp) || q.ClientIP == "" {
		say(w, nil, no("필수값이 없습니다."))
		return
	}
	c, ok := s.merchant(q.MID, q.Hash, q.MID+q.Type+q.Timestamp+string(q.Data))
	if !ok {
		say(w, nil, no("해시 데이터가 일치하지 않습니다."))
		return
	}
	e, ok := s.Find(c, func(e provider.Entry) bool {
		return about.TID != "" && e.PGTx == about.TID || about.Order != "" && e.Order == about.Order
	})
	if !ok {
		say(w, reply{"resultCode": codeFound, "resultMsg": "성공", "mid": c.MID, "transactionStatus": letterUnknown}, nil)
		return
	}
	say(w, told(c, e), nil)
}

// told is an entry as an answer of v2.
func told(c merchant.Channel, e provider.Entry) reply {
	at, number := e.Account.IssuedAt.In(wire.Seoul), e.Account.Number.Reveal()
	account := reply{
		"bankName": e.Account.Bank.Name(), "bankCode": codeOf(e.Account.Bank), "accountName": e.Account.Holder,
		"senderName": e.Buyer.Name, "validDate": e.Account.ExpiresAt.In(wire.Seoul).Format(wire.Stamp),
	}
	out := reply{
		"resultCode": codeFound, "resultMsg": "성공", "tid": e.PGTx, "mid": c.MID, "oid": e.Order,
		"price": strconv.FormatInt(e.Amount.Amount, 10), "goodsName": e.Name, "paymethod": methodVBank,
		"approvedDate": at.Format("20060102"), "approvedTime": at.Format("150405"), "buyerName": e.Buyer.Name,
		"transactionStatus": map[payment.State]string{
			payment.Issued: statusWaiting, payment.Paid: statusPaid, payment.PartiallyCancelled: statusPartly,
			payment.Cancelled: statusRefunding, payment.Failed: statusCancelled,
		}[e.State],
		"availablePartCancelPrice": strconv.FormatInt(e.Left().Amount, 10), "vacctInfo": account,
	}
	if e.PaidAt.IsZero() {
		number = number[:len(number)/2] + strings.Repeat("*", len(number)-len(number)/2)
	} else {
		paid := e.PaidAt.In(wire.Seoul)
		account["depositName"], account["depositAmount"] = e.Depositor, out["price"]
		account["depositDate"], account["depositTime"] = paid.Format("20060102"), paid.Format("150405")
	}
	account["accountNumber"] = number
	if len(e.Cancellations) > 1 || len(e.Cancellations) == 1 && e.State == payment.PartiallyCancelled {
		parts := make([]reply, len(e.Cancellations))
		for i, x := range e.Cancellations {
			at := x.At.In(wire.Seoul)
			parts[i] = reply{
				"tid": x.PGID, "requestDate": at.Format("20060102"), "requestTime": at.Format("150405"),
				"requestPrice": strconv.FormatInt(x.Amount.Amount, 10),
			}
		}
		out["partCancelTransInfo"] = parts
	}
	return out
}
