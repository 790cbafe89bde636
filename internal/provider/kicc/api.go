package kicc

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var (
	_ provider.Closer   = Module
	_ provider.Refunder = Module
)

// The REST API's hosts (docs.kicc.co.kr, API 도메인) and the one path of changes.
const (
	liveHost   = "https://pgapi.easypay.co.kr"
	testHost   = "https://testpgapi.easypay.co.kr"
	revisePath = "/api/trades/revise"
)

// secretKey is the name of the one credential.
const secretKey = "secret_key"

// What the fields take, in bytes (docs, 결제취소 and 결제환불).
const (
	maxMID         = 8
	maxRequest     = 60
	maxTransaction = 20
	maxMessage     = 100
	maxHolder      = 50
	maxAccount     = 14
)

// blocked are the characters that the API refuses (docs, 특수문자 제한).
const blocked = `'"<>\;|&`

// The changes (reviseTypeCode, reviseSubTypeCode).
const (
	changeAll    = "40" // 전체 취소, of an account that waits: 채번취소
	changeRefund = "60" // 지결 전체환불
	changePart   = "62" // 지결 부분환불
	changeEscrow = "61" // 에스크로 상태변경
	stateRequest = "RF01"
	escrowRefund = "ES05" // 환불요청
)

// A revision is a request for a change.
type revision struct {
	MID         string      `json:"mallId"`
	Request     string      `json:"shopTransactionId"`
	Transaction string      `json:"pgCno"`
	Type        string      `json:"reviseTypeCode"`
	SubType     string      `json:"reviseSubTypeCode,omitempty"`
	Amount      int64       `json:"amount,omitempty"`
	Remain      int64       `json:"remainAmount,omitempty"`
	Date        string      `json:"cancelReqDate"`
	Auth        string      `json:"msgAuthValue"`
	Message     string      `json:"reviseMessage,omitempty"`
	Refund      *refundInfo `json:"refundInfo,omitempty"`
	Tax         *taxInfo    `json:"taxInfo,omitempty"`
}

type refundInfo struct {
	Bank    string `json:"refundBankCode"`
	Account string `json:"refundAccountNo"`
	Holder  string `json:"refundDepositName"`
	Deposit string `json:"depositPgCno,omitempty"`
}

type taxInfo struct {
	Taxed int64 `json:"taxationAmount"`
	Free  int64 `json:"taxFreeAmount"`
	VAT   int64 `json:"vatAmount"`
}

// auth is a request's msgAuthValue.
func auth(transaction, request string, key secret.Text) string {
	h := hmac.New(sha256.New, []byte(key.Reveal()))
	_, _ = h.Write([]byte(transaction + "|" + request)) // a hash never fails
	return hex.EncodeToString(h.Sum(nil))
}

func changeable(c merchant.Channel, q provider.Query) error {
	switch {
	case c.MID == "" || len(c.MID) > maxMID:
		return fault.Errorf(fault.Invalid, "the channel's mid is not one of 1 to %d characters: enter it, and try again", maxMID)
	case c.Credentials[secretKey] == "":
		return fault.Errorf(fault.Invalid, "the channel has no %s: KICC gives it out with a contract for the REST API; enter it, and try again", secretKey)
	case q.PGTx == "":
		return fault.Errorf(fault.Unsupported, "the number of the issue (tlf_sno) is not known, without which KICC changes nothing")
	}
	return nil
}

// CheckClose needs the number, which notices of deposits tell.
func (module) CheckClose(c merchant.Channel, q provider.Closing) error {
	return changeable(c, q.Query)
}

// Close cancels an account that waits (채번취소).
func (module) Close(ctx context.Context, a provider.Access, q provider.Closing) (time.Time, error) {
	f, err := revise(ctx, a, revision{Request: q.Key, Transaction: q.PGTx, Type: changeAll, Message: printable(q.Reason, maxMessage)})
	if err != nil {
		return time.Time{}, err
	}
	return f.TakeTime(wire.Time, "transactionDate"), nil
}

// CheckRefund wants the account that the money goes to. An escrow payment is
// refunded whole.
func (module) CheckRefund(c merchant.Channel, q provider.Refund) error {
	if err := changeable(c, q.Query); err != nil {
		return err
	}
	switch {
	case q.Give.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "KICC refunds in KRW only")
	case q.Escrow && !q.Whole():
		return fault.Errorf(fault.Unsupported, "KICC documents no refund of a part for escrow payments")
	case q.Account == nil:
		return fault.Errorf(fault.Invalid, "refundAccount is missing: the refund of a virtual account needs bank, number and holderName")
	case q.Account.Bank.Code() == "":
		return fault.Errorf(fault.Invalid, "KICC does not transfer to bank %q", q.Account.Bank)
	case printable(q.Account.Holder, maxHolder) == "":
		return fault.Errorf(fault.Invalid, "refundAccount needs the holder's name")
	}
	if n := len(wire.Digits(q.Account.Number.Reveal())); n == 0 || n > maxAccount {
		return fault.Errorf(fault.Invalid, "refundAccount needs a number of 1 to %d digits", maxAccount)
	}
	return nil
}

// Refund asks for a refund on the next business day (지결환불), whose end a notice
// tells. 실시간 환불 is another contract and is not asked for.
func (module) Refund(ctx context.Context, a provider.Access, q provider.Refund) (provider.Refunded, error) {
	r := revision{
		Request: q.Key, Transaction: q.PGTx, Type: changeRefund, SubType: stateRequest, Message: printable(q.Reason, maxMessage),
		Refund: &refundInfo{
			Bank: q.Account.Bank.Code(), Account: wire.Digits(q.Account.Number.Reveal()), Holder: printable(q.Account.Holder, maxHolder),
		},
	}
	if wire.Plain(q.Deposit, maxTransaction, "") {
		r.Refund.Deposit = q.Deposit // an account that takes several deposits needs it
	}
	switch {
	case q.Escrow:
		r.Type, r.SubType = changeEscrow, escrowRefund
	case !q.Whole():
		r.Type, r.Amount, r.Remain = changePart, q.Give.Amount, q.Rest.Amount
	}
	if q.TaxFree > 0 {
		r.Tax = &taxInfo{q.Give.Amount - q.TaxFree - q.VAT, q.TaxFree, q.VAT}
	}
	f, err := revise(ctx, a, r)
	if err != nil {
		return provider.Refunded{}, err
	}
	won, told, err := wire.Fields{"cancelAmount": f["cancelAmount"]}.TakeAmount("cancelAmount")
	switch {
	case f["cancelPgCno"] == "":
		return provider.Refunded{}, fault.Errorf(fault.Unclear, "KICC answered without a number of the refund")
	case err != nil || told && won != q.Give.Amount:
		return provider.Refunded{}, fault.Errorf(fault.Unclear, "KICC answered with a refund of another amount")
	}
	done := provider.Refunded{PGID: f["cancelPgCno"], At: f.TakeTime(wire.Time, "transactionDate"), Transfer: payment.RefundPending}
	if f["statusCode"] == stateRefunded {
		done.Transfer = payment.RefundCompleted
	}
	return done, nil
}

// printable is a text without what the API blocks, emoji among it, which no EUC-KR
// text can have.
func printable(s string, bytes int) string {
	return wire.Fit(wire.Fit(s, wire.EUCKR, bytes, blocked), wire.UTF8, bytes, "")
}

// noAnswer are codes that say that somebody behind KICC did not answer (docs,
// refundQueryFlag).
var noAnswer = map[string]bool{"VTIM": true, "VT00": true}

// revise sends a change. The request's number is KICC's key for repeated
// requests: the same one again is refused until midnight.
func revise(ctx context.Context, a provider.Access, r revision) (wire.Fields, error) {
	if !wire.Plain(r.Request, maxRequest, "|") {
		return nil, fault.Errorf(fault.Invalid, "the request has no key that KICC takes")
	}
	r.MID, r.Date = a.Channel.MID, a.Now.In(wire.Seoul).Format("20060102")
	r.Auth = auth(r.Transaction, r.Request, a.Channel.Credentials[secretKey])
	answer, err := wire.PostJSON(ctx, a.HTTP, wire.Join(a.Base(liveHost, testHost), revisePath), nil, r)
	if err != nil {
		return nil, err
	}
	f, err := answer.Fields()
	if err != nil {
		return nil, err
	}
	switch code := f["resCd"]; {
	case answer.Status != http.StatusOK || code == "" || noAnswer[code]:
		return nil, fault.Errorf(fault.Unclear, "KICC answered with status %d and code %q", answer.Status, code)
	case code != success:
		return nil, &provider.DeclinedError{Code: code, Message: f["resMsg"]}
	case f["shopTransactionId"] != r.Request || f["oriPgCno"] != r.Transaction:
		return nil, fault.Errorf(fault.Unclear, "KICC answered about another request")
	}
	return f, nil
}
