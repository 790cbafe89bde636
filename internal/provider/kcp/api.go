package kcp

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var (
	_ provider.Issuer   = module{}
	_ provider.Refunder = module{}
)

const (
	liveHost = "https://spl.kcp.co.kr"
	testHost = "https://stg-spl.kcp.co.kr"

	issuePath  = "/gw/hub/v1/payment"
	cancelPath = "/gw/mod/v1/cancel"
)

// Lengths in bytes. The order id's is the notice's (manual); the others are what
// a public gateway cuts texts to (observed).
const (
	maxOrder  = 40
	maxGoods  = 100
	maxBuyer  = 40
	maxEmail  = 100
	maxPhone  = 20
	maxReason = 100
)

// The kinds of refund (mod_type) and their parts (mod_sub_type), as pp_cli has
// them.
const (
	refundWhole, wholeType = "STHD", "MDSC00"
	refundPart, partType   = "STPD", "MDSC03"
	// checkAccount has KCP check the account, and then register the refund.
	checkAccount = "MDCP01"
)

// An issueRequest is POST /gw/hub/v1/payment for a virtual account.
type issueRequest struct {
	SiteCode    string `json:"site_cd"`
	Certificate string `json:"kcp_cert_info"`
	Method      string `json:"pay_method"`
	IP          string `json:"cust_ip"`
	Amount      string `json:"amount"`
	Currency    string `json:"currency"`
	Order       string `json:"ordr_idxx"`
	Goods       string `json:"good_name"`
	Buyer       string `json:"buyr_name"`
	Email       string `json:"buyr_mail,omitempty"`
	Phone       string `json:"buyr_tel2,omitempty"`
	Type        string `json:"va_txtype"`
	Money       string `json:"va_mny"`
	Bank        string `json:"va_bankcode"`
	Name        string `json:"va_name"`
	Due         string `json:"va_date"`
	Receipt     string `json:"va_receipt_gubn"`
	ReceiptNo   string `json:"va_taxno,omitempty"`
}

// A cancelRequest is POST /gw/mod/v1/cancel.
type cancelRequest struct {
	SiteCode    string `json:"site_cd"`
	Certificate string `json:"kcp_cert_info"`
	Signature   string `json:"kcp_sign_data"`
	TNO         string `json:"tno"`
	Type        string `json:"mod_type"`
	Reason      string `json:"mod_desc"`
	SubType     string `json:"mod_sub_type"`
	Check       string `json:"mod_comp_type"`
	Bank        string `json:"mod_bankcode"`
	Account     string `json:"mod_account"`
	Holder      string `json:"mod_depositor"`
	Money       string `json:"mod_mny,omitempty"`
	Rest        string `json:"rem_mny,omitempty"`
}

// CheckIssue refuses what the call has no words for. The certificate alone says
// who calls.
func (m module) CheckIssue(c merchant.Channel, o provider.Order) error {
	if err := hasCertificate(c); err != nil {
		return err
	}
	switch {
	case o.Amount.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "NHN KCP issues accounts in KRW only")
	case !strings.HasPrefix(o.Bank.Code(), "0"):
		return fault.Errorf(fault.Invalid, "NHN KCP has no accounts at bank %q", o.Bank)
	case o.ExpiresAt.IsZero():
		return fault.Errorf(fault.Invalid, "NHN KCP wants a deadline for the deposit")
	case o.ID == "" || len(o.ID) > maxOrder || o.ID != text(o.ID, maxOrder):
		return fault.Errorf(fault.Invalid, "NHN KCP takes order ids of 1 to %d bytes, without any of %s", maxOrder, forbidden)
	case o.Type == payment.Fixed:
		return fault.Errorf(fault.Unsupported, "NHN KCP issues fixed accounts by its installed program only")
	case o.TaxFree != 0:
		return fault.Errorf(fault.Unsupported, "which field of NHN KCP's call tells a part that is free of tax is not published")
	case o.Escrow:
		return fault.Errorf(fault.Unsupported, "NHN KCP issues escrow accounts in its payment window only")
	case o.Receipt != nil && wire.Digits(o.Receipt.Identity.Reveal()) == "":
		return fault.Errorf(fault.Invalid, "a cash receipt needs a number of digits")
	}
	return nil
}

func hasCertificate(c merchant.Channel) error {
	switch {
	case c.MID == "":
		return fault.Errorf(fault.Invalid, "the channel has no mid: enter the site code, and try again")
	case c.Credentials[siteCert] == "":
		return fault.Errorf(fault.Invalid, "the channel has no %s: enter the service certificate, and try again", siteCert)
	}
	_, err := certificate(c.Credentials[siteCert].Reveal())
	return err
}

// forbidden are signs that KCP refuses texts for (observed).
const forbidden = `,&;|\'"<>`

// text takes out of a text for people what KCP does not take, and cuts it.
func text(s string, most int) string { return wire.Fit(s, wire.UTF8, most, forbidden) }

// Issue has KCP issue an account. There is nothing by which the same request
// could be known again, and no way to ask what became of it.
func (m module) Issue(ctx context.Context, a provider.Access, o provider.Order) (provider.Issue, error) {
	cert, err := certificate(a.Channel.Credentials[siteCert].Reveal())
	if err != nil {
		return provider.Issue{}, err
	}
	amount := strconv.FormatInt(o.Amount.Amount, 10)
	q := issueRequest{
		SiteCode: a.Channel.MID, Certificate: cert, Method: "VCNT", Amount: amount, Money: amount, Currency: "410", Order: o.ID,
		Goods: text(o.Name, maxGoods), Buyer: buyer(o), Name: buyer(o), Email: o.Customer.Email,
		Phone: wire.Shorten(wire.Digits(o.Customer.PhoneNumber), maxPhone), Type: "41100000",
		Bank: bankCode(o.Bank), Due: o.ExpiresAt.In(wire.Seoul).Format(wire.Stamp), Receipt: "0",
	}
	if len(q.Email) > maxEmail {
		q.Email = "" // half an address is none
	}
	if o.Receipt != nil {
		q.ReceiptNo = wire.Digits(o.Receipt.Identity.Reveal())
		if o.Receipt.Business {
			q.Receipt = "1"
		}
	}
	f, err := call(ctx, a, issuePath, "V000", q)
	if err != nil {
		return provider.Issue{}, err
	}
	out := provider.Issue{PGTx: f["tno"], At: f.TakeTime(readTime, "app_time"), Account: payment.Account{
		Bank: bankOf(f["bankcode"]), Number: secret.Account(wire.PlainAccount(f["account"])), Type: payment.Normal, Holder: f["depositor"],
		ExpiresAt: f.TakeTime(wire.Deadline, "va_date"),
	}}
	if out.Account.Bank == "" {
		out.Account.Bank = o.Bank
	}
	if out.Account.ExpiresAt.IsZero() {
		out.Account.ExpiresAt = o.ExpiresAt
	}
	out.Account.IssuedAt = out.At
	won, told, err := f.TakeAmount("amount")
	if out.PGTx == "" || out.Account.Number == "" || err != nil || told && won != o.Amount.Amount {
		return provider.Issue{}, fault.Errorf(fault.Unclear, "NHN KCP answered without an account for the order's amount")
	}
	return out, nil
}

func buyer(o provider.Order) string {
	name := o.Customer.Name
	if name == "" {
		name = o.Holder
	}
	if name == "" {
		name = "구매자"
	}
	return text(name, maxBuyer)
}

// CheckRefund wants the account that the money goes to, and a key that opens.
func (m module) CheckRefund(c merchant.Channel, q provider.Refund) error {
	if err := hasCertificate(c); err != nil {
		return err
	}
	if c.Credentials[privateKeyText] == "" {
		return fault.Errorf(fault.Invalid, "the channel has no %s: enter it, and try again", privateKeyText)
	}
	if _, err := keyOf(c); err != nil {
		return err
	}
	switch {
	case q.PGTx == "":
		return fault.Errorf(fault.Unsupported, "the transaction number (tno) of the payment is not known, without which NHN KCP refunds nothing")
	case q.Escrow:
		return fault.Errorf(fault.Unsupported, "escrow payments are refunded in NHN KCP's admin")
	case q.Account == nil:
		return fault.Errorf(fault.Invalid, "refundAccount is missing: the refund of a virtual account needs bank, number and holderName")
	case q.Account.Bank.Code() == "":
		return fault.Errorf(fault.Invalid, "NHN KCP does not transfer to bank %q", q.Account.Bank)
	case wire.Digits(q.Account.Number.Reveal()) == "" || q.Account.Holder == "":
		return fault.Errorf(fault.Invalid, "refundAccount needs a number of digits and the holder's name")
	case q.TaxFree != 0 && !q.Whole():
		return fault.Errorf(fault.Unsupported, "which fields of NHN KCP's call tell a part that is free of tax is not published")
	}
	return nil
}

// Refund has KCP register a refund; TX01 tells when it was paid out.
func (m module) Refund(ctx context.Context, a provider.Access, q provider.Refund) (provider.Refunded, error) {
	cert, err := certificate(a.Channel.Credentials[siteCert].Reveal())
	if err != nil {
		return provider.Refunded{}, err
	}
	key, err := keyOf(a.Channel)
	if err != nil {
		return provider.Refunded{}, err
	}
	r := cancelRequest{
		SiteCode: a.Channel.MID, Certificate: cert, TNO: q.PGTx, Type: refundWhole, SubType: wholeType, Check: checkAccount,
		Reason: text(q.Reason, maxReason), Bank: bankCode(q.Account.Bank), Account: wire.Digits(q.Account.Number.Reveal()),
		Holder: text(q.Account.Holder, maxBuyer),
	}
	if r.Reason == "" {
		r.Reason = "취소"
	}
	if !q.Whole() {
		r.Type, r.SubType = refundPart, partType
		r.Money, r.Rest = strconv.FormatInt(q.Give.Amount, 10), strconv.FormatInt(q.Rest.Amount, 10)
	}
	if r.Signature, err = sign(key, r.SiteCode, r.TNO, r.Type); err != nil {
		return provider.Refunded{}, fault.Errorf(fault.Invalid, "%s cannot sign", privateKeyText)
	}
	f, err := call(ctx, a, cancelPath, "0000", r)
	if err != nil {
		return provider.Refunded{}, err
	}
	won, told, err := f.TakeAmount("mod_mny")
	if err != nil || told && won != q.Give.Amount || f["tno"] != q.PGTx {
		return provider.Refunded{}, fault.Errorf(fault.Unclear, "NHN KCP answered about another transaction or amount")
	}
	return provider.Refunded{PGID: f["mod_pcan_seq_no"], At: f.TakeTime(readTime, "canc_time"), Transfer: payment.RefundPending}, nil
}

// call makes a call whose success has one code.
func call(ctx context.Context, a provider.Access, path, good string, body any) (wire.Fields, error) {
	got, err := wire.PostJSON(ctx, a.HTTP, wire.Join(a.Base(liveHost, testHost), path), nil, body)
	if err != nil {
		return nil, err
	}
	var f wire.Fields
	o, err := wire.ParseObject(got.Body)
	if err == nil {
		f, err = o.TakeAll()
	}
	switch {
	case err != nil || f["res_cd"] == "" || got.Status >= http.StatusInternalServerError:
		return nil, fault.Errorf(fault.Unclear, "NHN KCP answered with status %d and what is no answer of its API", got.Status)
	case f["res_cd"] != good:
		return nil, &provider.DeclinedError{Code: f["res_cd"], Message: f["res_msg"]}
	}
	return f, nil
}
