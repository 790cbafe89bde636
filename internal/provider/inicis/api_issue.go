package inicis

import (
	"context"
	"net/url"
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

// What the call takes, in bytes (manual.inicis.com/iniapi, 가상계좌 채번).
const (
	maxOrder = 40
	maxSite  = 50
	maxGoods = 80
	maxBuyer = 30
	maxEmail = 60
	maxPhone = 40
	maxPayer = 20
	maxWon   = 999_999_999_999
)

// CheckIssue refuses what INIAPI's issue (가상계좌 채번) has no words for.
func (m module) CheckIssue(c merchant.Channel, o provider.Order) error {
	switch {
	case o.Amount.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "KG Inicis issues accounts in KRW only")
	case o.Type != payment.Normal || o.Number != "" || o.AccountID != "":
		return fault.Errorf(fault.Unsupported, "KG Inicis issues accounts for one payment each by API: fixed ones are handed out on contract")
	case o.Escrow:
		return fault.Errorf(fault.Unsupported, "KG Inicis issues accounts with escrow in its payment window alone")
	case o.Amount.Amount < 1 || o.Amount.Amount > maxWon:
		return fault.Errorf(fault.Invalid, "the amount is not between 1 and %d won", int64(maxWon))
	case !wire.Plain(o.ID, maxOrder, ""):
		return fault.Errorf(fault.Invalid, "the order id is not 1 to %d printable characters of ASCII, as KG Inicis wants it", maxOrder)
	case o.Name == "":
		return fault.Errorf(fault.Invalid, "the order has no name, which KG Inicis wants")
	case o.Customer.Email == "" || len(o.Customer.Email) > maxEmail:
		return fault.Errorf(fault.Invalid, "customer.email is missing or longer than %d bytes: KG Inicis wants it for an account", maxEmail)
	case !issues(o.Bank):
		return fault.Errorf(fault.Invalid, "KG Inicis has no accounts at bank %q", o.Bank)
	case o.ExpiresAt.IsZero():
		return fault.Errorf(fault.Invalid, "the account has no deadline, which KG Inicis wants")
	case len(c.Credentials[fieldSite]) > maxSite:
		return fault.Errorf(fault.Invalid, "the channel's %s is longer than %d bytes: shorten it, and try again", fieldSite, maxSite)
	}
	if err := ready(c); err != nil || o.Receipt == nil {
		return err
	}
	if wire.Digits(o.Receipt.Identity.Reveal()) == "" {
		return fault.Errorf(fault.Invalid, "the cash receipt names nobody by a number")
	}
	return canEncrypt(c)
}

// issues reports whether accounts are to be had at a bank: PortOne's list of the
// module names no securities companies.
func issues(b payment.Bank) bool {
	code := codeOf(b)
	return len(code) == 2 && wire.Digits(code) == code
}

// siteOf is the shop's address, which the PG keeps with the order: what the
// channel says, else where notices go. The PG wants something; public clients
// send whatever.
func siteOf(c merchant.Channel, o provider.Order) string {
	if site := c.Credentials[fieldSite].Reveal(); site != "" {
		return site
	}
	if u, err := url.Parse(o.NoticeURL); err == nil && u.Host != "" {
		if site := u.Scheme + "://" + u.Host; len(site) <= maxSite {
			return site
		}
	}
	return "https://localhost"
}

// Issue has the PG issue an account. It takes no key for an attempt: an order
// that was sent twice may have two accounts, unless the merchant has the PG
// refuse order ids that it has seen.
func (m module) Issue(ctx context.Context, a provider.Access, o provider.Order) (provider.Issue, error) {
	f, err := issueForm(a.Channel, o)
	if err != nil {
		return provider.Issue{}, err
	}
	r, err := f.send(ctx, a)
	if err != nil {
		return provider.Issue{}, err
	}
	number := wire.PlainAccount(r["vacct"])
	switch {
	case r["tid"] == "" || wire.Digits(number) == "":
		return provider.Issue{}, fault.Errorf(fault.Unclear, "KG Inicis answered without an account")
	case !tells(r["price"], o.Amount):
		return provider.Issue{}, fault.Errorf(fault.Unclear, "KG Inicis answered with another amount than was asked for")
	}
	at := exactTime(r["authDate"], r["authTime"])
	account := payment.Account{
		Bank: bankOf(wire.ShortCode(r["vacctBankCode"])), Number: secret.Account(number), Type: payment.Normal,
		Holder: r["vacctName"], IssuedAt: at,
	}
	if account.Bank == "" {
		account.Bank = o.Bank
	}
	if until, err := wire.Deadline(r["validDate"] + r["validTime"]); err == nil {
		account.ExpiresAt = until
	}
	return provider.Issue{PGTx: r["tid"], Account: account, At: at}, nil
}

func issueForm(c merchant.Channel, o provider.Order) (form, error) {
	name := o.Customer.Name
	if strings.TrimSpace(name) == "" {
		name = "구매자"
	}
	payer := o.Holder // PortOne has merchants name one for this PG
	if strings.TrimSpace(payer) == "" {
		payer = name
	}
	until := deadline(o.ExpiresAt)
	f := form{path: "/api/v1/formpay", kind: typePay, method: methodAccount}
	f.sign("moid", o.ID)
	f.put("url", siteOf(c, o))
	f.put("goodName", wire.Fit(o.Name, wire.UTF8, maxGoods, ""))
	f.sign("price", won(o.Amount))
	f.put("currency", "WON")
	f.put("buyerName", wire.Fit(name, wire.UTF8, maxBuyer, ""))
	f.put("buyerEmail", o.Customer.Email)
	f.put("buyerTel", wire.Fit(wire.Digits(o.Customer.PhoneNumber), wire.UTF8, maxPhone, ""))
	f.put("bankCode", codeOf(o.Bank))
	f.put("dtInput", until.Format("20060102"))
	f.put("tmInput", until.Format("1504"))
	f.put("nmInput", wire.Fit(payer, wire.UTF8, maxPayer, ""))
	f.put("tax", strconv.FormatInt(o.VAT, 10))
	f.put("taxFree", strconv.FormatInt(o.TaxFree, 10))
	if o.Receipt == nil {
		f.put("flgCash", "0")
		return f, nil
	}
	who, err := encrypt(c, wire.Digits(o.Receipt.Identity.Reveal()))
	if err != nil {
		return form{}, err
	}
	use := "1"
	if o.Receipt.Business {
		use = "2"
	}
	f.put("flgCash", use)
	f.put("cashRegNo", who)
	return f, nil
}

// deadline is an account's last minute in Seoul. The PG takes 00:00 for the end
// of that day (observed of its mobile window), so midnight is the minute before.
func deadline(t time.Time) time.Time {
	t = t.In(wire.Seoul)
	if t.Hour() == 0 && t.Minute() == 0 {
		return t.Add(-time.Minute)
	}
	return t
}
