package ksnet

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// The formats of KSNET's dates and times of day.
const (
	dateFormat = "20060102"
	timeFormat = "150405"
)

// Encode writes the POST that KSNET would send to a URL with https: in the new
// form, which has the order number, or in the old one if the notice's Form is
// "old". Fields override what would be made up. Text is cut at the width of its
// column, as KSNET does. A deposit and its reversal are telegrams with numbers
// of their own. An event that KSNET does not tell gives a telegram that says
// nothing. No credential is needed.
func (m module) Encode(n notice.Notice, _ merchant.Credentials) notice.Request {
	n = completed(n)
	var telegram []byte
	if strings.EqualFold(n.Form, formOld) {
		telegram = oldRecord.write(values(n, formOld), fillerWidth)
	} else {
		telegram = newRecord.write(values(n, formNew), len("2999199999")+fillerWidth)
		copy(telegram, fmt.Sprintf("%04d", len(telegram)-4))
	}
	return notice.Request{
		Method: http.MethodPost,
		Path:   path,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   []byte("data=" + url.QueryEscape(string(telegram))),
	}
}

// write pads each value to the width of its column and cuts what is longer.
func (l layout) write(v map[string]string, fillerWidth int) []byte {
	var out []byte
	for _, c := range append(slices.Clip(l), column{filler, fillerWidth}) {
		b := encode(v[c.name])
		b = append(b[:min(len(b), c.width)], bytes.Repeat([]byte{' '}, max(0, c.width-len(b)))...)
		out = append(out, b...)
	}
	return out
}

// encode writes EUC-KR, with question marks for what it lacks.
func encode(s string) []byte {
	var out []byte
	for _, r := range s {
		b, err := wire.ToEUCKR(string(r))
		if err != nil || r == 0 {
			b = []byte{'?'}
		}
		out = append(out, b...)
	}
	return out
}

// values are the columns of the telegram that says what n does. What no part of
// a notice gives comes from its Fields, else it looks like the public samples.
func values(n notice.Notice, form string) map[string]string {
	v := map[string]string{
		"busi_sele": "VR", "deal_code": "KSNETVR", "mess_code": "0200", "job_diff": "300", "tran_numb": "1",
		"tran_date": n.At.Format(dateFormat), "tran_time": n.At.Format(timeFormat),
		"stan_resp_code": "0000", "bank_resp_code": "0000", "acco_numb": wire.Serial(11, n.Merchant), "comp_cnt": "01",
		"in_bank_cd": "004", "bala_mone": won(0), "giro": "000000",
		"cash": won(n.Amount.Amount), "out_bank_chec": won(0), "etc_chec": won(0),

		"EncType": "0", "Version": "0311", "VersionType": "00", "Resend": "0",
		"RequestDate": n.At.Format(wire.Stamp), "UserName": "홍길동", "Email": "test@test.kr", "GoodType": "0",
		"GoodName": "상품", "KeyInType": "K", "LineType": "1", "ApprovalCount": "1",
	}
	maps.Copy(v, n.Fields)
	if !isAccount(v["rApprovalType"]) {
		v["rApprovalType"] = "5000"
		if n.Event == payment.EventReversed {
			v["rApprovalType"] = "6100"
		}
	}
	v["rVTransactionNo"], v["OrderNumber"], v["StoreId"] = n.PGTx, n.Order, n.Merchant
	v["deal_sele"], v["total_amt"], v["acco_code"] = kindOf(n.Event), won(n.Amount.Amount), bankCode(n.BankCode, form)
	v["in_bank_cd"] = bankCode(v["in_bank_cd"], form)
	v["rece_nm"], v["cms_no"] = n.Depositor, n.Account.Reveal()
	v["deal_star_date"], v["deal_star_time"] = n.At.Format(dateFormat), n.At.Format(timeFormat)
	v["seq_no"] = seqNo(n, form)
	return v
}

// kindOf is the deal_sele of an event, or one that means nothing.
func kindOf(e payment.Event) string {
	for kind, event := range events {
		if event == e {
			return kind
		}
	}
	return "00"
}

// won is an amount as wide as its column.
func won(amount int64) string { return fmt.Sprintf("%013d", amount) }

// seqNo is the telegram number: that of the notice's Deposit or Fields if it
// came from a telegram, else one that follows from what the notice tells.
func seqNo(n notice.Notice, form string) string {
	own := n.Fields["seq_no"]
	if _, named, ok := parseDeposit(n.Deposit); ok && n.Event == payment.EventDeposited && named != sequence(own) {
		own = named
	}
	if own == "" {
		own = wire.Serial(6, string(n.Event), n.Deposit, n.Merchant, n.PGTx, n.At.Format(wire.Stamp), n.Amount.String())
	}
	if form == formOld {
		return sequence(own)
	}
	return wire.PadZeros(own, 10)
}

// parseDeposit takes a Deposit apart that Decode made.
func parseDeposit(deposit string) (at time.Time, seq string, ok bool) {
	parts := strings.Split(deposit, "/")
	if len(parts) != 3 || len(parts[0]) != len(wire.Stamp) {
		return time.Time{}, "", false
	}
	at, err := wire.Time(parts[0])
	if err != nil {
		return time.Time{}, "", false
	}
	seq, err = url.PathUnescape(parts[1])
	return at, seq, err == nil
}

// completed fills what the notice leaves empty. It depends on nothing but the
// notice, so that the same notice is the same message again, and tells of one
// transaction for all notices of an order.
func completed(n notice.Notice) notice.Notice {
	if n.Merchant == "" {
		n.Merchant = "2999199999"
	}
	if n.Order == "" {
		n.Order = "TEST" + wire.Serial(10, n.Merchant, n.PGTx, n.Account.Reveal())
	}
	if n.PGTx == "" {
		n.PGTx = "6" + wire.Serial(11, n.Merchant, n.Order)
	}
	if n.At.IsZero() {
		n.At = time.Date(2026, 1, 2, 12, 0, 0, 0, wire.Seoul)
		if at, _, ok := parseDeposit(n.Deposit); ok && n.Event == payment.EventDeposited {
			n.At = at
		}
	}
	n.At = n.At.In(wire.Seoul)
	if !n.HasAmount {
		n.Amount = payment.Won(1000)
	}
	if n.Account == "" {
		n.Account = secret.Account("1" + wire.Serial(13, n.Merchant, n.PGTx))
	}
	if n.Depositor == "" {
		n.Depositor = "홍길동"
	}
	switch {
	case n.BankCode != "":
	case n.Bank != "":
		n.BankCode = n.Bank.Code()
	default:
		n.BankCode = "004"
	}
	return n
}

// bankCode fits a bank's code into its column: the old form has two digits, for
// which securities companies have no code.
func bankCode(code, form string) string {
	if form == formNew || len(code) <= 2 {
		return code
	}
	if short := strings.TrimPrefix(code, "0"); len(short) == 2 {
		return short
	}
	return ""
}

// Acked reports whether KSNET would stop: status 200, and "result=OK" without a
// byte more.
func (m module) Acked(r provider.Reply) bool {
	return r.Status == http.StatusOK && string(r.Body) == accepted
}
