package settle

import (
	"context"
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
	_ provider.Issuer   = Module
	_ provider.Inquirer = Module
	_ provider.Closer   = Module
	_ provider.Refunder = Module
)

// What the API's fields take, in bytes of UTF-8 (document, 1.3, 15.1.1, 18.1).
const (
	maxOrder   = 100
	maxProduct = 128
	maxSeller  = 128
	maxBuyer   = 30
	maxAccount = 16
	maxReceipt = 18
	maxEmail   = 60
	maxURL     = 250
	maxBuyerID = 50
	maxHolder  = 50
	maxReason  = 255
	maxTrdNo   = 40
	maxAmount  = 999_999_999_999
	maxCancels = 999
)

// unwanted are the characters that the document asks not to send (2.2).
const unwanted = `:&?'"<>`

// issuing are the banks that have accounts for Hecto (document, 15.8).
const issuing = "003 004 011 020 023 031 032 034 039 045 071 081 088 089"

// keys reports whether the channel has what every call needs, and the key for
// values if sealed says that the call has such.
func keys(c merchant.Channel, sealed bool) error {
	key := c.Credentials[aesKey].Reveal()
	switch {
	case c.MID == "":
		return fault.Errorf(fault.Invalid, "the channel has no mid: enter it, and try again")
	case c.Credentials[hashKey] == "":
		return fault.Errorf(fault.Invalid, "the channel has no %s: enter it, and try again", hashKey)
	case sealed && len(key) != 32:
		return fault.Errorf(fault.Invalid, "the channel's %s has %d characters: enter the one of 32 that Hecto gave you", aesKey, len(key))
	}
	return nil
}

// CheckIssue refuses what the API has no field for.
func (module) CheckIssue(c merchant.Channel, o provider.Order) error {
	if err := keys(c, true); err != nil {
		return err
	}
	switch {
	case o.Amount.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "Hecto issues accounts in KRW only")
	case o.Amount.Amount < 1 || o.Amount.Amount > maxAmount:
		return fault.Errorf(fault.Invalid, "the amount is not one of 1 to 12 digits")
	case !wire.Plain(o.ID, maxOrder, unwanted) || o.ID == noOrder:
		return fault.Errorf(fault.Invalid, "Hecto takes order ids of 1 to %d letters, digits and signs other than %s", maxOrder, unwanted)
	case o.Bank.Code() == "" || !strings.Contains(issuing, o.Bank.Code()):
		return fault.Errorf(fault.Invalid, "Hecto has no accounts at bank %q", o.Bank)
	case wire.Fit(o.Name, wire.UTF8, maxProduct, unwanted) == "":
		return fault.Errorf(fault.Invalid, "the order has no name, without which Hecto issues no account")
	case o.Escrow:
		return fault.Errorf(fault.Unsupported, "an escrow account of Hecto needs the buyer's escrow password, which is not known here")
	case o.AccountID != "":
		return fault.Errorf(fault.Unsupported, "Hecto keeps no numbers by ids: name the number of the fixed account")
	case len(o.NoticeURL) > maxURL:
		return fault.Errorf(fault.Invalid, "the address of notices is longer than the %d characters that Hecto takes", maxURL)
	}
	number := wire.PlainAccount(o.Number.Reveal())
	if o.Type == payment.Fixed && (number == "" || len(number) > maxAccount || wire.Digits(number) != number) {
		return fault.Errorf(fault.Invalid, "a fixed account of Hecto needs one of the numbers that it gave you, of up to %d digits", maxAccount)
	}
	if o.Receipt != nil && receiptKind(*o.Receipt) == "" {
		return fault.Errorf(fault.Invalid, "the cash receipt needs a phone, card or business registration number")
	}
	return nil
}

// receiptKind is csrcRegNoDivCd: whose number a cash receipt is for; empty if
// it can be nobody's.
func receiptKind(r provider.ReceiptOrder) string {
	number := wire.Digits(r.Identity.Reveal())
	switch n := len(number); {
	case r.Business && n == 10:
		return "3"
	case (n == 10 || n == 11) && strings.HasPrefix(number, "01"):
		return "4"
	case 15 <= n && n <= maxReceipt:
		return "1"
	}
	return ""
}

// Issue has an account issued (15.1). Hecto knows no key for repeated requests:
// it refuses an order number that it has seen (ST50).
func (module) Issue(ctx context.Context, a provider.Access, o provider.Order) (provider.Issue, error) {
	s := &sealer{key: a.Channel.Credentials[aesKey]}
	amount := strconv.FormatInt(o.Amount.Amount, 10)
	seller := wire.Fit(o.Holder, wire.UTF8, maxSeller, unwanted)
	if seller == "" {
		seller = wire.Fit(a.Channel.Name, wire.UTF8, maxSeller, unwanted)
	}
	if seller == "" {
		seller = a.Channel.MID // 판매자명 must be there
	}
	data := map[string]string{
		"bankCd": o.Bank.Code(), "acntType": "1", "prdtNm": wire.Fit(o.Name, wire.UTF8, maxProduct, unwanted), "sellerNm": seller,
		"ordNm": wire.Fit(o.Customer.Name, wire.UTF8, maxBuyer, unwanted), "trdAmt": s.seal(amount), "escrAgrYn": "N", "csrcIssReqYn": "N",
		"notiUrl": o.NoticeURL, "mchtCustId": wire.Fit(o.Customer.ID, wire.UTF8, maxBuyerID, unwanted),
	}
	if len(o.Customer.Email) <= maxEmail {
		data["email"] = o.Customer.Email
	}
	if !o.ExpiresAt.IsZero() {
		data["expireDate"] = o.ExpiresAt.In(wire.Seoul).Format(wire.Stamp)
	}
	if o.Type == payment.Fixed {
		data["acntType"], data["vAcntNo"] = "2", s.seal(wire.PlainAccount(o.Number.Reveal()))
	}
	if o.Receipt != nil {
		data["csrcIssReqYn"], data["cashRcptPrposDivCd"] = "Y", "0"
		if o.Receipt.Business {
			data["cashRcptPrposDivCd"] = "1"
		}
		data["csrcRegNoDivCd"], data["csrcRegNo"] = receiptKind(*o.Receipt), s.seal(wire.Digits(o.Receipt.Identity.Reveal()))
	}
	tax(data, s, o.Amount.Amount, o.TaxFree, o.VAT)
	if s.err != nil {
		return provider.Issue{}, s.err
	}
	got, err := call{accountPath, bizIssued, o.ID, amount, data}.done(ctx, a)
	if err != nil {
		return provider.Issue{}, err
	}
	return issued(got, o, a.Channel.Credentials[aesKey])
}

// tax tells the parts of an amount (taxTypeCd). Without a tax-free part the
// shop's own setting counts, which may be that all of it is.
func tax(data map[string]string, s *sealer, amount, free, vat int64) {
	switch free {
	case 0:
		data["taxTypeCd"] = ""
	case amount:
		data["taxTypeCd"] = "Y"
	default:
		data["taxTypeCd"] = "G"
		data["taxAmt"] = s.seal(strconv.FormatInt(amount-free-vat, 10))
		data["vatAmt"] = s.seal(strconv.FormatInt(vat, 10))
		data["taxFreeAmt"] = s.seal(strconv.FormatInt(free, 10))
	}
}

func issued(got message, o provider.Order, key secret.Text) (provider.Issue, error) {
	number, err := open(key, got.Data["vAcntNo"])
	if err != nil || number == "" || got.Params["trdNo"] == "" {
		return provider.Issue{}, fault.Errorf(fault.Unclear, "Hecto answered without an account that can be read")
	}
	bank := payment.BankByCode(wire.PadZeros(got.Data["bankCd"], 3))
	if bank == "" {
		bank = o.Bank
	}
	until, err := wire.Deadline(got.Data["expireDate"])
	if err != nil {
		until = o.ExpiresAt
	}
	return provider.Issue{PGTx: got.Params["trdNo"], Account: payment.Account{
		Bank: bank, Number: secret.Account(number), Type: o.Type, ExpiresAt: until,
	}}, nil
}

// known reports whether a request can name the transaction that issued the
// account.
func known(q provider.Query) error {
	if q.PGTx == "" || len(q.PGTx) > maxTrdNo {
		return fault.Errorf(fault.Unsupported, "the number that Hecto gave the issue (trdNo) is not known, without which it closes and refunds nothing")
	}
	return nil
}

// CheckClose needs the numbers of the issue and of the account.
func (module) CheckClose(c merchant.Channel, q provider.Closing) error {
	if err := keys(c, true); err != nil {
		return err
	}
	if n := len(wire.PlainAccount(q.Account.Reveal())); n == 0 || n > maxAccount {
		return fault.Errorf(fault.Unsupported, "the account's number is not known, without which Hecto does not close it")
	}
	return known(q.Query)
}

// Close has an issue cancelled (채번취소, 17.1). The answer's time is the
// request's.
func (module) Close(ctx context.Context, a provider.Access, q provider.Closing) (time.Time, error) {
	s := &sealer{key: a.Channel.Credentials[aesKey]}
	data := map[string]string{"orgTrdNo": q.PGTx, "vAcntNo": s.seal(wire.PlainAccount(q.Account.Reveal()))}
	if s.err != nil {
		return time.Time{}, s.err
	}
	_, err := call{accountPath, bizClosed, cancelNumber(q.Order, q.Key), "0", data}.done(ctx, a)
	return time.Time{}, err
}

// CheckRefund wants the account that the money goes to.
func (module) CheckRefund(c merchant.Channel, q provider.Refund) error {
	if err := keys(c, true); err != nil {
		return err
	}
	switch {
	case q.Escrow:
		return fault.Errorf(fault.Unsupported, "Hecto documents no refund of escrow accounts by API")
	case q.Give.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "Hecto refunds in KRW only")
	case q.Account == nil:
		return fault.Errorf(fault.Invalid, "refundAccount is missing: the refund of a virtual account needs bank, number and holderName")
	case q.Account.Bank.Code() == "":
		return fault.Errorf(fault.Invalid, "Hecto does not transfer to bank %q", q.Account.Bank)
	case q.Account.Holder == "":
		return fault.Errorf(fault.Invalid, "refundAccount needs the holder's name")
	case q.Number < 1 || q.Number > maxCancels:
		return fault.Errorf(fault.Unsupported, "Hecto takes up to %d refunds of a payment", maxCancels)
	}
	if n := len(wire.Digits(q.Account.Number.Reveal())); n == 0 || n > maxAccount {
		return fault.Errorf(fault.Invalid, "refundAccount needs a number of 1 to %d digits", maxAccount)
	}
	return known(q.Query)
}

// Refund asks for a refund (환불, 18.1); the transfer takes days.
func (module) Refund(ctx context.Context, a provider.Access, q provider.Refund) (provider.Refunded, error) {
	s := &sealer{key: a.Channel.Credentials[aesKey]}
	amount := strconv.FormatInt(q.Give.Amount, 10)
	data := map[string]string{
		"orgTrdNo": q.PGTx, "crcCd": "KRW", "cnclOrd": wire.PadZeros(strconv.Itoa(q.Number), 3), "cnclAmt": s.seal(amount),
		"refundBankCd": q.Account.Bank.Code(), "refundAcntNo": s.seal(wire.Digits(q.Account.Number.Reveal())),
		"refundDpstrNm": wire.Fit(q.Account.Holder, wire.UTF8, maxHolder, unwanted), "cnclRsn": wire.Fit(q.Reason, wire.UTF8, maxReason, unwanted),
	}
	tax(data, s, q.Give.Amount, q.TaxFree, q.VAT)
	if s.err != nil {
		return provider.Refunded{}, s.err
	}
	got, err := call{refundPath, bizRefund, cancelNumber(q.Order, q.Key), amount, data}.done(ctx, a)
	switch {
	case err != nil:
		return provider.Refunded{}, err
	case got.Params["trdNo"] == "":
		return provider.Refunded{}, fault.Errorf(fault.Unclear, "Hecto answered without a number of the refund")
	}
	return provider.Refunded{PGID: got.Params["trdNo"], Transfer: payment.RefundPending}, nil
}

// cancelMark parts the order from what makes a cancel's number its own.
const cancelMark = "_cx"

// cancelNumber is the mchtTrdNo of a close or a refund: not the order's, but one
// of its own (document, 17.1 and 18.1), and the same for the same attempt.
func cancelNumber(order, key string) string {
	own := cancelMark + wire.Digest(key)[:16]
	if !wire.Plain(order, maxOrder-len(own), unwanted) {
		return strings.TrimPrefix(own, "_")
	}
	return order + own
}

// orderOf is the order of a number, which in a notice of a cancel may be
// cancelNumber's; it is empty where that has no room for it.
func orderOf(number string) string {
	at := len(number) - len(cancelMark) - 16
	if at == -1 && strings.HasPrefix(number, cancelMark[1:]) && isHex(number[2:]) {
		return ""
	}
	if at > 0 && number[at:at+len(cancelMark)] == cancelMark && isHex(number[at+len(cancelMark):]) {
		return number[:at]
	}
	return number
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }
