package nice

import (
	"context"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// Test MIDs are on the live host. Cancels are documented for
// pg-api.nicepay.co.kr and observed on this host too.
const webapiHost = "https://webapi.nicepay.co.kr"

const (
	issuePath   = "/webapi/get_vacount.jsp"
	fixedPath   = "/webapi/bulk_vacct_regist.jsp"
	inquiryPath = "/webapi/inquery/trans_status.jsp"
	cancelPath  = "/webapi/cancel_process.jsp"
)

// Lengths in bytes of EUC-KR (manual, 가상계좌 발급, 2025-11).
const (
	maxMID         = 10
	maxGoods       = 40
	maxBuyer       = 30
	maxAccountName = 30
	maxEmail       = 60
	maxPhone       = 20
)

// A webapi is the API of npg.nicepay.co.kr, for one channel.
type webapi struct{ provider.Access }

func (w webapi) key() string { return w.Channel.Credentials[merchantKey].Reveal() }

// ediDate is when a request is made.
func (w webapi) ediDate() string { return w.Now.In(wire.Seoul).Format(wire.Stamp) }

// ask sends a form, which is EUC-KR whatever the answer is to be in.
func (w webapi) ask(ctx context.Context, path string, fields ...wire.Field) (wire.Fields, error) {
	fields = append(fields, wire.Field{Name: "CharSet", Value: "utf-8"}, wire.Field{Name: "EdiType", Value: "JSON"})
	form := wire.EncodeForm(fields, wire.EUCKR)
	got, err := wire.PostForm(ctx, w.HTTP, wire.Join(w.Base(webapiHost, webapiHost), path), "application/x-www-form-urlencoded; charset=euc-kr", string(form))
	if err != nil {
		return nil, err
	}
	text, err := wire.Text(got.Body, wire.Detect)
	if err != nil {
		return nil, odd("in no charset of its")
	}
	o, err := wire.ParseObject([]byte(text))
	if err != nil || got.Status >= 500 {
		return nil, odd("with status " + strconv.Itoa(got.Status) + " and what is no answer of its API")
	}
	f, err := o.TakeAll()
	if err != nil || f["ResultCode"] == "" {
		return nil, odd("without a ResultCode")
	}
	return f, nil
}

// tid makes a transaction's id: MID, 03 for virtual accounts, 01, the time and
// four digits. (Observed, and the manual's example.)
func (w webapi) tid(o provider.Order) string {
	return w.Channel.MID + "0301" + w.Now.In(wire.Seoul).Format("060102150405") + wire.Serial(4, o.Key, o.ID)
}

func (w webapi) issue(ctx context.Context, o provider.Order) (provider.Issue, error) {
	path, good, fields := issuePath, "4100", w.issueFields(o)
	tid := fields[0].Value
	if o.Type == payment.Fixed {
		path, good, fields = fixedPath, "4120", w.fixedFields(o)
	}
	f, err := w.ask(ctx, path, fields...)
	if err == nil {
		err = refusal(f["ResultCode"], f["ResultMsg"], good)
	}
	var out provider.Issue
	if err == nil {
		out, err = issueOf(f, o, tid)
	}
	if fault.Is(err, fault.Unclear) {
		return provider.Issue{PGTx: tid}, err
	}
	return out, err
}

// orderFields are those of an order in both calls, signed.
func (w webapi) orderFields(o provider.Order) []wire.Field {
	edi, amount := w.ediDate(), strconv.FormatInt(o.Amount.Amount, 10)
	return []wire.Field{
		{Name: "TID", Value: w.tid(o)}, {Name: "MID", Value: w.Channel.MID}, {Name: "EdiDate", Value: edi},
		{Name: "Moid", Value: o.ID}, {Name: "Amt", Value: amount},
		{Name: "SignData", Value: wire.SHA256Hex(w.Channel.MID, amount, edi, o.ID, w.key())},
	}
}

func (w webapi) issueFields(o provider.Order) []wire.Field {
	receipt, number := "0", ""
	if o.Receipt != nil {
		receipt, number = "1", wire.Digits(o.Receipt.Identity.Reveal())
		if o.Receipt.Business {
			receipt = "2"
		}
	}
	fields := append(w.orderFields(o),
		wire.Field{Name: "GoodsName", Value: wire.Fit(o.Name, wire.EUCKR, maxGoods, "")},
		wire.Field{Name: "BankCode", Value: o.Bank.Code()},
		wire.Field{Name: "VbankExpDate", Value: o.ExpiresAt.In(wire.Seoul).Format("200601021504")},
		wire.Field{Name: "CashReceiptType", Value: receipt},
	)
	email := o.Customer.Email
	if len(email) > maxEmail {
		email = "" // half an address is none
	}
	for _, f := range []wire.Field{
		{Name: "ReceiptTypeNo", Value: number},
		{Name: "VbankAccountName", Value: wire.Fit(o.Holder, wire.EUCKR, maxAccountName, "")},
		{Name: "BuyerName", Value: wire.Fit(o.Customer.Name, wire.EUCKR, maxBuyer, "")},
		{Name: "BuyerEmail", Value: email},
		{Name: "BuyerTel", Value: wire.Shorten(wire.Digits(o.Customer.PhoneNumber), maxPhone)},
	} {
		if f.Value != "" {
			fields = append(fields, f)
		}
	}
	return fields
}

// fixedFields register the money that is to come on an account that NICE handed
// over in bulk (과오납 체크).
func (w webapi) fixedFields(o provider.Order) []wire.Field {
	due := o.ExpiresAt.In(wire.Seoul)
	return append(w.orderFields(o),
		wire.Field{Name: "VbankBankCode", Value: o.Bank.Code()},
		wire.Field{Name: "VbankNum", Value: wire.Digits(o.Number.Reveal())},
		wire.Field{Name: "VbankAccountName", Value: wire.Fit(o.Holder, wire.EUCKR, maxAccountName, "")},
		wire.Field{Name: "VbankExpDate", Value: due.Format("20060102")},
		wire.Field{Name: "VbankExpTime", Value: due.Format("150405")},
		wire.Field{Name: "ReceiptType", Value: "0"},
	)
}

// issueOf reads a success. What it says of another transaction or amount is no
// answer to ours.
func issueOf(f wire.Fields, o provider.Order, tid string) (provider.Issue, error) {
	won, told, err := f.TakeAmount("Amt")
	if err != nil || told && won != o.Amount.Amount || f["TID"] != "" && f["TID"] != tid {
		return provider.Issue{}, odd("for another transaction or amount")
	}
	a := payment.Account{
		Bank: payment.BankByCode(f["VbankBankCode"]), Number: secret.Account(wire.PlainAccount(f["VbankNum"])), Type: payment.Normal,
		Holder: o.Holder, IssuedAt: f.TakeTime(wire.EitherTime, "AuthDate"),
	}
	a.ExpiresAt, _ = wire.Deadline(f["VbankExpDate"] + f["VbankExpTime"])
	if o.Type == payment.Fixed { // the account is known already, and may not be told
		a.Type, a.Number = payment.Fixed, secret.Account(wire.Digits(o.Number.Reveal()))
	}
	if a.Bank == "" {
		a.Bank = o.Bank
	}
	if a.ExpiresAt.IsZero() {
		a.ExpiresAt = o.ExpiresAt
	}
	if a.Number == "" {
		return provider.Issue{}, odd("without an account")
	}
	return provider.Issue{PGTx: tid, Account: a, At: a.IssuedAt}, nil
}

func (w webapi) inquire(ctx context.Context, q provider.Query) (provider.Standing, error) {
	edi := w.ediDate()
	f, err := w.ask(ctx, inquiryPath,
		wire.Field{Name: "TID", Value: q.PGTx}, wire.Field{Name: "MID", Value: w.Channel.MID}, wire.Field{Name: "EdiDate", Value: edi},
		wire.Field{Name: "SignData", Value: wire.SHA256Hex(q.PGTx, w.Channel.MID, edi, w.key())})
	if err == nil {
		err = refusal(f["ResultCode"], f["ResultMsg"], "0000")
	}
	switch {
	case absent(err):
		return unapproved(q), nil
	case err != nil:
		return provider.Standing{}, err
	case f["TID"] != "" && f["TID"] != q.PGTx:
		return provider.Standing{}, odd("about another transaction")
	}
	return statusOf(f, q)
}

// statusOf reads the answer, which tells neither amount nor account nor parts
// that were cancelled.
func statusOf(f wire.Fields, q provider.Query) (provider.Standing, error) {
	at, err := wire.EitherTime(f["AuthDate"])
	s := provider.Standing{PGTx: q.PGTx}
	approved := err == nil
	switch f["Status"] {
	case "0":
		s.State = payment.Paid
	case "1":
		s.State = payment.Failed
		if approved || q.Deposit != "" {
			s.State = payment.Cancelled
		}
	case "9":
		return unapproved(q), nil
	default:
		return provider.Standing{}, odd("with a Status that is not known")
	}
	if approved {
		// As the deposit's notice names it.
		s.PaidAt, s.Deposit = at, q.PGTx+"/"+short(at)
	}
	return s, nil
}

// unapproved is where a payment stands that NICE has no approval of: an account
// that is known waits for money; else there is none that anybody could pay to.
func unapproved(q provider.Query) provider.Standing {
	if q.Account == "" {
		return provider.Standing{}
	}
	return provider.Standing{State: payment.Issued, PGTx: q.PGTx}
}

// cancel cancels or refunds. Its own name for a part has NICE refuse the same
// part twice (manual: Moid, 중복취소 방지).
func (w webapi) cancel(ctx context.Context, x cancellation) (provider.Refunded, error) {
	edi, amount, moid, part := w.ediDate(), strconv.FormatInt(x.give.Amount, 10), x.Order, "0"
	if x.part {
		part = "1"
	}
	if x.part || !plain(moid) {
		moid = x.key
	}
	fields := []wire.Field{
		{Name: "TID", Value: x.PGTx}, {Name: "MID", Value: w.Channel.MID}, {Name: "Moid", Value: moid},
		{Name: "CancelAmt", Value: amount}, {Name: "CancelMsg", Value: x.reason}, {Name: "PartialCancelCode", Value: part},
		{Name: "EdiDate", Value: edi}, {Name: "SignData", Value: wire.SHA256Hex(w.Channel.MID, amount, edi, w.key())},
	}
	if to := x.account; to != nil {
		fields = append(fields, wire.Field{Name: "RefundAcctNo", Value: wire.Digits(to.Number.Reveal())},
			wire.Field{Name: "RefundBankCd", Value: to.Bank.Code()},
			wire.Field{Name: "RefundAcctNm", Value: wire.Fit(to.Holder, wire.EUCKR, maxHolder, "")})
	}
	f, err := w.ask(ctx, cancelPath, fields...)
	if err == nil {
		err = refusal(f["ResultCode"], f["ResultMsg"], "2001", "2211")
	}
	if err != nil {
		return provider.Refunded{}, err
	}
	if err := w.checkCancel(f, x.give); err != nil {
		return provider.Refunded{}, err
	}
	done := provider.Refunded{At: cancelTime(f), Transfer: payment.RefundPending}
	if wire.Given(f["CancelNum"]) {
		done.PGID = f["CancelNum"]
	}
	return done, nil
}

// checkCancel checks amount and signature of a success. The manual (2025-11)
// does not say whether the amount is signed with the zeros that fill it up, so
// both are tried; it lets the signature be absent.
func (w webapi) checkCancel(f wire.Fields, give payment.Money) error {
	amount := f["CancelAmt"]
	if won, err := wire.Amount(amount); amount != "" && (err != nil || won != give.Amount) {
		return odd("for another amount")
	}
	signature := secret.Text(f["Signature"])
	if signature == "" {
		return nil
	}
	for _, text := range []string{amount, strconv.FormatInt(give.Amount, 10)} {
		if signature.Equal(wire.SHA256Hex(f["TID"], w.Channel.MID, text, w.key())) {
			return nil
		}
	}
	return odd("with a Signature that is not made with the channel's key")
}

func cancelTime(f wire.Fields) time.Time {
	at, err := wire.Time(f["CancelDate"] + f["CancelTime"])
	if err != nil {
		return time.Time{}
	}
	return at
}
