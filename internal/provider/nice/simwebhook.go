package nice

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// isoForm is how NICE writes times: with milliseconds and without a colon in
// the offset. (Observed.)
const isoForm = "2006-01-02T15:04:05.000-0700"

// A body is form B as NICE writes it, in the order of its own test webhook.
type body struct {
	ResultCode        string          `json:"resultCode"`
	ResultMsg         string          `json:"resultMsg"`
	TID               string          `json:"tid"`
	CancelledTID      *string         `json:"cancelledTid"`
	OrderID           string          `json:"orderId"`
	EdiDate           string          `json:"ediDate"`
	Signature         *string         `json:"signature"`
	Status            string          `json:"status"`
	PaidAt            string          `json:"paidAt"`
	FailedAt          string          `json:"failedAt"`
	CancelledAt       string          `json:"cancelledAt"`
	PayMethod         string          `json:"payMethod"`
	Amount            int64           `json:"amount"`
	BalanceAmt        int64           `json:"balanceAmt"`
	GoodsName         string          `json:"goodsName"`
	MallReserved      *string         `json:"mallReserved"`
	UseEscrow         bool            `json:"useEscrow"`
	Currency          string          `json:"currency"`
	Channel           string          `json:"channel"`
	ApproveNo         string          `json:"approveNo"`
	BuyerName         *string         `json:"buyerName"`
	BuyerTel          *string         `json:"buyerTel"`
	BuyerEmail        *string         `json:"buyerEmail"`
	ReceiptURL        string          `json:"receiptUrl"`
	MallUserID        *string         `json:"mallUserId"`
	IssuedCashReceipt bool            `json:"issuedCashReceipt"`
	Coupon            json.RawMessage `json:"coupon"`
	Card              json.RawMessage `json:"card"`
	Vbank             *bodyVbank      `json:"vbank"`
	Cancels           []bodyCancel    `json:"cancels"`
	CashReceipts      []bodyReceipt   `json:"cashReceipts"`
	MessageSource     string          `json:"messageSource"`
	Bank              json.RawMessage `json:"bank"`
}

type bodyVbank struct {
	Code   string `json:"vbankCode"`
	Name   string `json:"vbankName"`
	Number string `json:"vbankNumber"`
	Due    string `json:"vbankExpDate"`
	Holder string `json:"vbankHolder"`
}

type bodyCancel struct {
	TID         string `json:"tid"`
	Amount      int64  `json:"amount"`
	CancelledAt string `json:"cancelledAt"`
	Reason      string `json:"reason"`
	ReceiptURL  string `json:"receiptUrl"`
	CouponAmt   int64  `json:"couponAmt"`
}

type bodyReceipt struct {
	TID     string `json:"receiptTid"`
	OrgTID  string `json:"orgTid"`
	Status  string `json:"status"`
	Amount  int64  `json:"amount"`
	Type    string `json:"receiptType"`
	IssueNo string `json:"issueNo"`
}

const (
	receiptPage = "https://npg.nicepay.co.kr/issue/issueLoader.do?type=0&innerWin=Y&TID="
	dummyText   = "웹훅 등록/수정 시 자동으로 응답되는 TEST 데이터 입니다.(This is automatically generated TEST data for registering/updating a webhook)"
)

// encodeWebhook writes form B. An event other is the dummy of the registration
// of a URL, the only message of this form that moves nothing.
func encodeWebhook(n notice.Notice, c merchant.Credentials) []byte {
	b := body{
		ResultCode: "0000", ResultMsg: "정상 처리되었습니다.", TID: webhookTID(n), OrderID: cmp.Or(n.Order, "test7492739"),
		EdiDate: cmp.Or(n.Fields["ediDate"], timeOr(n.At).Format(isoForm)), PaidAt: "0", FailedAt: "0", CancelledAt: "0",
		PayMethod: "vbank", Amount: won(n), GoodsName: cmp.Or(n.Fields["goodsName"], "나이스상품"), Currency: "KRW",
		Channel: "pc", ApproveNo: "000000", MessageSource: "nicepay",
	}
	if n.Amount.Currency != "" {
		b.Currency = string(n.Amount.Currency)
	}
	b.ReceiptURL = receiptPage + b.TID
	b.tellEvent(n)
	if b.PayMethod == "vbank" {
		b.Vbank = vbankOf(n)
	}
	if r := n.CashReceipt; r != nil {
		kind := "individual"
		if r.Type == "CORPORATE" {
			kind = "company"
		}
		b.IssuedCashReceipt = true
		b.CashReceipts = []bodyReceipt{{OrgTID: b.TID, Status: "issueRequested", Amount: b.Amount, Type: kind, IssueNo: r.Number}}
	}
	if key := c[secretKey]; key != "" && n.Event != payment.EventFailed { // only valid transactions are signed
		s := webhook{tid: b.TID, amountText: strconv.FormatInt(b.Amount, 10), ediDate: b.EdiDate}.signed(key.Reveal())
		b.Signature = &s
	}
	return b.bytes()
}

// bytes writes the body. NICE does not escape "&" and "<" as package json
// would.
func (b body) bytes() []byte {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(b); err != nil {
		panic(err) // strings, numbers and nulls always marshal
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// tellEvent sets what differs between events.
func (b *body) tellEvent(n notice.Notice) {
	at := timeOr(n.At).Format(isoForm)
	switch n.Event {
	case payment.EventIssued:
		b.Status, b.ResultMsg = "ready", "가상계좌 발급 성공"
	case payment.EventApproved:
		b.Status, b.PayMethod, b.PaidAt, b.BalanceAmt = "paid", "card", at, b.Amount
	case payment.EventCancelled:
		b.Status = "cancelled"
		b.addCancel(cmp.Or(n.PGCancel, b.TID), at)
	case payment.EventPartiallyCancelled:
		b.Status = "partialCancelled"
		b.addCancel(cmp.Or(n.PGCancel, newTID(n, "03")), at)
		// The notice has the part; the payment's amount is not known here.
		b.BalanceAmt, b.Amount = b.Amount, 2*b.Amount
		if whole, err := strconv.ParseInt(n.Fields["amount"], 10, 64); err == nil && whole > b.BalanceAmt {
			b.BalanceAmt, b.Amount = whole-b.BalanceAmt, whole
		}
	case payment.EventFailed:
		b.Status, b.FailedAt, b.ResultCode, b.ResultMsg = "failed", at, "4102", "가상계좌 발급 실패"
	case payment.EventExpired:
		b.Status = "expired"
	case payment.EventOther:
		text := dummyText
		b.Status, b.PaidAt, b.MallReserved, b.GoodsName = "ready", at, &text, "나이스페이테스트상품"
	default:
		b.Status, b.PaidAt, b.BalanceAmt = "paid", at, b.Amount
	}
}

func (b *body) addCancel(tid, at string) {
	b.CancelledTID, b.CancelledAt = &tid, at
	b.Cancels = []bodyCancel{{TID: tid, Amount: b.Amount, CancelledAt: at, Reason: "고객 요청", ReceiptURL: receiptPage + tid}}
}

// webhookTID is the notice's transaction, in form B also the name of its
// deposit.
func webhookTID(n notice.Notice) string {
	tid := n.PGTx
	if tid == "" {
		tid, _, _ = strings.Cut(n.Deposit, "/")
	}
	if n.Event == payment.EventOther && !strings.HasPrefix(tid, testTID) {
		n.Merchant = testTID + "m"
		return newTID(n, "03")
	}
	if tid == "" {
		return newTID(n, "03")
	}
	return tid
}

func vbankOf(n notice.Notice) *bodyVbank {
	bank := n.Bank
	if bank == "" {
		bank = payment.BankByCode(cmp.Or(n.BankCode, "004"))
	}
	expires := ""
	if !n.ExpiresAt.IsZero() {
		expires = timeOr(n.ExpiresAt).Format(isoForm)
	}
	return &bodyVbank{
		Code: cmp.Or(n.BankCode, bank.Code()), Name: cmp.Or(n.BankName, bank.Name()),
		Number: cmp.Or(n.Account.Reveal(), "2220652830110"), Due: expires, Holder: cmp.Or(n.Holder, "통보상점"),
	}
}
