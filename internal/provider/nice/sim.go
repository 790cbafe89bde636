package nice

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// Encode writes a notice as NICE would send it. nice_v2 writes form B if the
// notice's Form is "json" or form A has no word for its event; all else is
// form A. A Kind (a ResultCode) is kept where it means the notice's event, and
// Fields override what would be made up. Form A carries MerchantKey if the
// credentials have merchant_key, form B is signed with secret_key.
func (m module) Encode(n notice.Notice, c merchant.Credentials) notice.Request {
	r := notice.Request{Method: http.MethodPost, Path: m.Info().Paths[0], Header: http.Header{}}
	if m.json && (n.Form == formB || n.Form == "" && onlyWebhook(n.Event)) {
		r.Header.Set("Content-Type", "application/json;charset=utf-8")
		r.Body = encodeWebhook(n, c)
		return r
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Body = wire.EncodeForm(formFields(n, c), wire.EUCKR)
	return r
}

// onlyWebhook reports whether form A has no word for an event.
func onlyWebhook(e payment.Event) bool {
	return e == payment.EventPartiallyCancelled || e == payment.EventFailed || e == payment.EventExpired
}

// Acked reports whether NICE would stop: status 200 and the body "OK", from
// nice_v2 also the "ok" of form B's official samples. Whether OK체크 is off,
// when any 200 would do, a reply does not tell; the stricter reading holds.
func (m module) Acked(r provider.Reply) bool {
	body := string(r.Body)
	return r.Status == http.StatusOK && (body == "OK" || m.json && body == "ok")
}

// A row is how form A words an event.
type row struct{ method, code, message, state, service string }

// rowFor chooses the row of an event: the one with the notice's Kind if there
// is one, else the most usual.
func rowFor(n notice.Notice) row {
	rows := map[payment.Event][]row{
		payment.EventDeposited: {{"VBANK", "4110", "승인", "0", "03"}},
		payment.EventIssued: {
			{"VBANK", "4100", "가상계좌 발급 성공", "0", "03"},
			{"VBANK", "4120", "가상계좌 등록 성공", "0", "03"},
		},
		payment.EventCancelled: {
			{"VBANK", "2211", "환불 성공", "2", "03"},
			{"VBANK", "2001", "취소 성공", "1", "03"},
			{"VBANK", "4110", "승인", "1", "03"},
			{"CARD", "3001", "카드 결제 성공", "1", "01"},
		},
		payment.EventApproved: {
			{"CARD", "3001", "카드 결제 성공", "0", "01"},
			{"BANK", "4000", "계좌이체 결제 성공", "0", "02"},
			{"CELLPHONE", "A000", "휴대폰 결제 처리 성공", "0", "05"},
		},
	}[n.Event]
	if len(rows) == 0 { // other, and what form A has no word for
		rows = []row{
			{"CASHRCPT", "7001", "현금영수증 처리 성공", "0", "04"},
			{"VBANK", "4123", "환불계좌 입금불가", "0", "03"},
			{"VBANK", "4122", "입금금액 불일치", "0", "03"},
			{"VBANK", "4124", "기처리된 거래", "0", "03"},
		}
		if n.Listed {
			rows = rows[1:]
		}
	}
	for _, r := range rows {
		if r.code == n.Kind {
			return r
		}
	}
	return rows[0]
}

// formFields are the fields of form A in the order of the manual's sample.
func formFields(n notice.Notice, c merchant.Credentials) []wire.Field {
	r := rowFor(n)
	tid, date := transaction(n, r.service)
	bank, account := n.Bank, n.Account.Reveal()
	code, name, depositor := n.BankCode, n.BankName, n.Depositor
	if r.method == "VBANK" {
		if bank == "" {
			bank = payment.BankByCode(cmp.Or(code, "004"))
		}
		code, name = cmp.Or(code, bank.Code()), cmp.Or(name, bank.Name())
		account, depositor = cmp.Or(account, "2220652830110"), cmp.Or(depositor, "홍길동")
	} else {
		code, name, account, depositor = "", "", "", ""
	}
	if r.method == "CARD" {
		code, name = "02", "KB국민" // a card company's
	}
	cancelled := ""
	if n.Event == payment.EventCancelled {
		cancelled = short(n.At)
	}
	receiptType, receipt := receiptOf(n)
	list := []wire.Field{
		{Name: "PG", Value: "NICE"}, {Name: "PayMethod", Value: r.method}, {Name: "MID", Value: mid(n)},
		{Name: "MallUserID"}, {Name: "Amt", Value: strconv.FormatInt(won(n), 10)},
		{Name: "GoodsName", Value: "나이스상품"}, {Name: "MOID", Value: cmp.Or(n.Order, "test7492739")},
		{Name: "TID", Value: tid}, {Name: "AuthDate", Value: date}, {Name: "AuthCode"},
		{Name: "FnCd", Value: code}, {Name: "FnName", Value: name}, {Name: "StateCd", Value: r.state},
		{Name: "name", Value: "홍길동"}, {Name: "BuyerEmail", Value: "it@nicepay.co.kr"}, {Name: "BuyerAuthNum"},
		{Name: "ReceitType", Value: receiptType}, {Name: "RcptType", Value: receiptType}, {Name: "RcptTID"},
		{Name: "RcptAuthCode", Value: receipt}, {Name: "VbankName"}, {Name: "VbankNum", Value: account},
		{Name: "VbankInputName", Value: depositor}, {Name: "CartCnt", Value: "1"},
		{Name: "ResultCode", Value: r.code}, {Name: "ResultMsg", Value: r.message}, {Name: "NICE", Value: "PG"},
		{Name: "CancelDate", Value: cancelled}, {Name: "CancelMOID"}, {Name: "MallReserved"},
		{Name: "MallReserved1", Value: "8158100527"},
	}
	for i := 2; i <= 10; i++ {
		list = append(list, wire.Field{Name: "MallReserved" + strconv.Itoa(i)})
	}
	if key := c[merchantKey]; key != "" {
		list = append(list, wire.Field{Name: "MerchantKey", Value: key.Reveal()})
	}
	for i, f := range list {
		switch {
		case f.Name == "VbankName" && r.method == "VBANK":
			list[i].Value = name
		case madeUp[f.Name]:
			list[i].Value = cmp.Or(n.Fields[f.Name], f.Value)
		}
	}
	return list
}

// madeUp are the fields that no part of a notice gives.
var madeUp = map[string]bool{
	"MallUserID": true, "GoodsName": true, "AuthCode": true, "name": true, "BuyerEmail": true,
	"RcptTID": true, "ResultMsg": true, "CancelMOID": true, "MallReserved": true, "MallReserved1": true,
}

// receiptOf writes the notice's cash receipt: its kind and its number.
func receiptOf(n notice.Notice) (kind, number string) {
	if n.CashReceipt == nil {
		return "0", ""
	}
	kind = "1"
	if n.CashReceipt.Type == "CORPORATE" {
		kind = "2"
	}
	return kind, cmp.Or(n.CashReceipt.Number, "000000000")
}

// transaction is the TID and the AuthDate: the notice's own, or parts of its
// Deposit, which has the form TID/AuthDate.
func transaction(n notice.Notice, service string) (tid, date string) {
	tid, date, _ = strings.Cut(n.Deposit, "/")
	if _, err := wire.EitherTime(date); err != nil || n.Event != payment.EventCancelled && !n.At.IsZero() {
		date = short(n.At)
	}
	if n.PGTx != "" {
		tid = n.PGTx
	}
	if tid == "" {
		tid = newTID(n, service)
	}
	return tid, date
}

// newTID makes up a TID: MID, service, "01", the time of issuing and four
// digits. They follow from the order alone, so that all notices of an order
// speak of one transaction.
func newTID(n notice.Notice, service string) string {
	order := cmp.Or(n.Order, "test7492739")
	return mid(n) + service + "01" + short(wire.Earlier(someTime, 24*time.Hour, order)) + wire.Serial(4, order)
}

// someTime stands for a time that the notice leaves out.
var someTime = time.Date(2026, 1, 2, 12, 0, 0, 0, wire.Seoul)

func timeOr(t time.Time) time.Time {
	if t.IsZero() {
		t = someTime
	}
	return t.In(wire.Seoul)
}

func short(t time.Time) string { return timeOr(t).Format("060102150405") }

func mid(n notice.Notice) string { return cmp.Or(n.Merchant, "nicepay00m") }

// won is the notice's amount, or some amount if it has none.
func won(n notice.Notice) int64 {
	if n.Amount.IsZero() {
		return 1000
	}
	return n.Amount.Amount
}
