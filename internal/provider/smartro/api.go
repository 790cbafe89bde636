package smartro

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var (
	_ provider.Issuer = V2
	_ provider.Closer = V2
)

// The API's hosts and paths (manual, extraModule.do and cancelModule.do).
const (
	liveHost   = "https://approval.smartropay.co.kr"
	testHost   = "https://tapproval.smartropay.co.kr"
	issuePath  = "/payment/approval/vacct.do"
	cancelPath = "/payment/approval/cancel.do"
)

// cancelPassword is the credential that cancels need besides the key.
const cancelPassword = "cancel_password"

// What the fields take, in characters (manual, as above).
const (
	maxMID      = 10
	maxGoods    = 40
	maxAmount   = 999_999_999_999
	maxOrder    = 40
	maxBuyer    = 30
	maxPhone    = 40
	maxEmail    = 60
	maxNumber   = 20
	maxTID      = 30
	maxMessage  = 100
	maxReceipt  = 20 // not stated; no number for receipts has more
	keyedLength = 32 // of MerchantKey, as a key for AES
)

// unwanted are characters that no text for people needs; the manual names none.
const unwanted = `'"<>&\`

// An envelope is every request of the API.
type envelope struct {
	Sealed string `json:"EncData"`
	MID    string `json:"Mid"`
}

// keyed reports whether the channel has what seals a request.
func keyed(c merchant.Channel) error {
	switch {
	case c.MID == "" || len(c.MID) > maxMID:
		return fault.Errorf(fault.Invalid, "the channel's mid is not one of 1 to %d characters: enter it, and try again", maxMID)
	case len(c.Credentials[merchantKey]) < keyedLength:
		return fault.Errorf(fault.Invalid, "the channel's %s is missing or too short: enter it, and try again", merchantKey)
	}
	return nil
}

// seal encrypts a request: AES-256 in CBC with the key's first 32 characters and
// a vector of zeros, as Base64.
func seal(key secret.Text, plain []byte) (string, error) {
	if len(key) < keyedLength {
		return "", fault.Errorf(fault.Invalid, "the channel's %s is missing or too short", merchantKey)
	}
	b, err := wire.SealCBC([]byte(key.Reveal()[:keyedLength]), make([]byte, 16), plain)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(b), nil
}

// CheckIssue refuses what the API has no field for, or wants and is not told.
func (module) CheckIssue(c merchant.Channel, o provider.Order) error {
	if err := keyed(c); err != nil {
		return err
	}
	switch {
	case o.Amount.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "Smartro issues accounts in KRW only")
	case o.Amount.Amount < 1 || o.Amount.Amount > maxAmount:
		return fault.Errorf(fault.Invalid, "the amount is not one of 1 to 12 digits")
	case !wire.Plain(o.ID, maxOrder, "") || strings.Trim(o.ID, alphanumeric) != "":
		return fault.Errorf(fault.Invalid, "Smartro takes order ids of 1 to %d letters and digits, without signs", maxOrder)
	case o.Bank.Code() == "":
		return fault.Errorf(fault.Invalid, "Smartro has no accounts at bank %q", o.Bank)
	case o.Escrow:
		return fault.Errorf(fault.Unsupported, "Smartro documents no escrow for accounts that are issued by API")
	case o.AccountID != "":
		return fault.Errorf(fault.Unsupported, "Smartro keeps no numbers by ids: name the number of the fixed account")
	case o.ExpiresAt.IsZero():
		return fault.Errorf(fault.Invalid, "accountExpiry is missing: Smartro issues no account without the day it ends")
	case o.Receipt != nil && o.TaxFree != 0:
		return fault.Errorf(fault.Unsupported, "how Smartro takes the tax-free part of a cash receipt is not published")
	}
	return checkPeople(o)
}

// alphanumeric is what an order id is made of: "특수문자 포함 불가".
const alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// checkPeople wants what the manual calls required of buyer and goods.
func checkPeople(o provider.Order) error {
	phone := wire.Digits(o.Customer.PhoneNumber)
	number := wire.PlainAccount(o.Number.Reveal())
	switch {
	case clean(o.Name, maxGoods) == "":
		return fault.Errorf(fault.Invalid, "the order has no name, without which Smartro issues no account")
	case clean(o.Customer.Name, maxBuyer) == "":
		return fault.Errorf(fault.Invalid, "the customer's name is missing: Smartro needs name, phone number and e-mail address")
	case phone == "" || len(phone) > maxPhone:
		return fault.Errorf(fault.Invalid, "the customer's phone number is missing: Smartro needs name, phone number and e-mail address")
	case !wire.Plain(o.Customer.Email, maxEmail, ""):
		return fault.Errorf(fault.Invalid, "the customer's e-mail address is missing or longer than %d: Smartro needs name, phone number and e-mail address", maxEmail)
	case o.Type == payment.Fixed && (number == "" || len(number) > maxNumber || wire.Digits(number) != number):
		return fault.Errorf(fault.Invalid, "a fixed account of Smartro needs one of the numbers that it gave you, of up to %d digits", maxNumber)
	case o.Receipt != nil && (wire.Digits(o.Receipt.Identity.Reveal()) == "" || len(wire.Digits(o.Receipt.Identity.Reveal())) > maxReceipt):
		return fault.Errorf(fault.Invalid, "the cash receipt needs a phone, card or business registration number")
	}
	return nil
}

// clean is a text for people within so many characters.
func clean(s string, characters int) string {
	return strings.TrimSpace(wire.Shorten(wire.Fit(s, wire.UTF8, 4*characters, unwanted), characters))
}

// Issue has an account issued (가상계좌, extraModule.do). It takes money until the
// end of a day: not all of the banks behind Smartro take an hour. Notices go to
// the address in the admin site alone.
func (module) Issue(ctx context.Context, a provider.Access, o provider.Order) (provider.Issue, error) {
	amount := strconv.FormatInt(o.Amount.Amount, 10)
	day := o.ExpiresAt.In(wire.Seoul).Format("20060102")
	q := map[string]string{
		"PayMethod": "VBANK", "GoodsCnt": "1", "GoodsName": clean(o.Name, maxGoods), "Amt": amount, "Moid": o.ID,
		"EdiDate": a.Now.In(wire.Seoul).Format(wire.Stamp), "Mid": a.Channel.MID, "TransType": "00", "SubId": "",
		"BuyerName": clean(o.Customer.Name, maxBuyer), "BuyerTel": wire.Digits(o.Customer.PhoneNumber), "BuyerEmail": o.Customer.Email,
		"VbankBankCode": o.Bank.Code(), "VbankExpDate": day, "VBankAccountName": clean(o.Holder, maxBuyer),
		// Observed: without a receipt its amount is the whole, and its parts nothing.
		"CashReceiptType": "0", "ReceiptAmt": amount, "ReceiptTaxAmt": "0", "ReceiptTaxFreeAmt": "0", "ReceiptSupplyAmt": "0",
		"ReceiptVatAmt": "0", "ReceiptIdentity": "",
	}
	if o.Type == payment.Fixed {
		q["TransType"], q["SubId"] = "04", wire.PlainAccount(o.Number.Reveal()) // 일괄채번
	}
	if o.Receipt != nil {
		q["CashReceiptType"], q["ReceiptIdentity"] = "1", wire.Digits(o.Receipt.Identity.Reveal())
		if o.Receipt.Business {
			q["CashReceiptType"] = "2"
		}
	}
	got, err := send(ctx, a, issuePath, q, codeIssued)
	if err != nil {
		return provider.Issue{}, err
	}
	tid, number := got["Tid"], wire.PlainAccount(got["VbankNum"])
	if tid == "" || number == "" || got["Moid"] != "" && got["Moid"] != o.ID {
		return provider.Issue{}, fault.Errorf(fault.Unclear, "Smartro answered without the order's account")
	}
	until, err := wire.Deadline(day)
	return provider.Issue{PGTx: tid, Account: payment.Account{
		Bank: o.Bank, Number: secret.Account(number), Type: o.Type, Holder: o.Holder, ExpiresAt: until,
	}}, err
}

// CheckClose needs the issue's transaction and the password for cancels.
func (module) CheckClose(c merchant.Channel, q provider.Closing) error {
	if err := keyed(c); err != nil {
		return err
	}
	switch {
	case c.Credentials[cancelPassword] == "":
		return fault.Errorf(fault.Invalid, "the channel has no %s: enter the one that is set in Smartro's admin site, and try again", cancelPassword)
	case q.PGTx == "" || len(q.PGTx) > maxTID:
		return fault.Errorf(fault.Unsupported, "the Tid of the issue is not known, without which Smartro cancels nothing")
	case q.Amount.Currency != payment.KRW || q.Amount.Amount <= 0:
		return fault.Errorf(fault.Unsupported, "the amount that the account waits for is not known, which Smartro wants to hear")
	}
	return nil
}

// Close cancels an account that nobody paid (cancelModule.do: "입금되지 않은
// 가상계좌 거래 취소 요청 시 채번 내역이 취소됩니다"). The time of it is not told.
func (module) Close(ctx context.Context, a provider.Access, q provider.Closing) (time.Time, error) {
	amount, reason := strconv.FormatInt(q.Amount.Amount, 10), clean(q.Reason, maxMessage)
	if reason == "" {
		reason = "취소"
	}
	_, err := send(ctx, a, cancelPath, map[string]string{
		"SERVICE_MODE": "CL1", "Tid": q.PGTx, "Mid": a.Channel.MID, "CancelAmt": amount,
		"CancelPwd": a.Channel.Credentials[cancelPassword].Reveal(), "CancelMsg": reason, "CancelSeq": "1", "PartialCancelCode": "0",
		"CancelTaxAmt": "", "CancelTaxFreeAmt": "", "CancelVatAmt": "", "DivideInfo": "",
		"HashData": cancelHash(q.PGTx, amount, "0", a.Channel.Credentials[merchantKey]),
	}, codeCancelled)
	return time.Time{}, err
}

// cancelHash is a cancel's HashData.
func cancelHash(tid, amount, partial string, key secret.Text) string {
	sum := sha256.Sum256([]byte(tid + key.Reveal() + amount + partial))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// codeBroken is "시스템에러 잠시후 재 거래" (observed): it does not say that nothing
// was done.
const codeBroken = "9999"

// send makes a call and returns an answer that has the code of success.
func send(ctx context.Context, a provider.Access, path string, q map[string]string, success string) (wire.Fields, error) {
	plain, err := wire.MarshalJSON(q)
	if err != nil {
		return nil, err
	}
	sealed, err := seal(a.Channel.Credentials[merchantKey], plain)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Accept": {"application/json"}}
	answer, err := wire.PostJSON(ctx, a.HTTP, wire.Join(a.Base(liveHost, testHost), path), header, envelope{sealed, a.Channel.MID})
	if err != nil {
		return nil, err
	}
	f, err := answer.Fields()
	if err != nil {
		return nil, err
	}
	switch code := f["ResultCode"]; {
	case code == "" || code == codeBroken || answer.Status != http.StatusOK:
		return nil, fault.Errorf(fault.Unclear, "Smartro answered with status %d and code %q", answer.Status, code)
	case code != success:
		return nil, &provider.DeclinedError{Code: code, Message: f["ResultMsg"]}
	}
	return f, checkSign(f, a.Channel.Credentials[merchantKey])
}

// checkSign compares the SignValue of an answer, if it has one: payments' answers
// do (observed), and these may.
func checkSign(f wire.Fields, key secret.Text) error {
	if f["SignValue"] == "" {
		return nil
	}
	now, _ := signed(f["Tid"], f["ResultCode"], key)
	if !secret.Text(f["SignValue"]).Equal(now) {
		return fault.Errorf(fault.Unclear, "Smartro's answer has a SignValue that the channel's key did not make")
	}
	return nil
}
