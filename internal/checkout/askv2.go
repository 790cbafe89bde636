package checkout

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
)

// A requestV2 is what requestPayment is given (browser-sdk.yml of PortOne's developer
// pages, 2026-08). What it leaves out, such as bypass, is for windows of PGs.
type requestV2 struct {
	StoreID       string          `json:"storeId"`
	PaymentID     string          `json:"paymentId"`
	OrderName     string          `json:"orderName"`
	TotalAmount   int64           `json:"totalAmount"`
	TaxFreeAmount int64           `json:"taxFreeAmount"`
	VATAmount     *int64          `json:"vatAmount"`
	Currency      string          `json:"currency"`
	PayMethod     string          `json:"payMethod"`
	ChannelKey    string          `json:"channelKey"`
	ChannelGroup  string          `json:"channelGroupId"`
	Customer      customerV2      `json:"customer"`
	CustomData    json.RawMessage `json:"customData"`
	NoticeURLs    []string        `json:"noticeUrls"`
	ConfirmURL    string          `json:"confirmUrl"`
	RedirectURL   string          `json:"redirectUrl"`
	ForceRedirect bool            `json:"forceRedirect"`
	AppScheme     string          `json:"appScheme"`
	IsEscrow      bool            `json:"isEscrow"`
	Locale        string          `json:"locale"`
	Account       struct {
		Expiry struct {
			ValidHours int    `json:"validHours"`
			DueDate    string `json:"dueDate"`
		} `json:"accountExpiry"`
		BankCode       string   `json:"bankCode"`
		AvailableBanks []string `json:"availableBanks"`
	} `json:"virtualAccount"`
	EasyPay struct {
		Provider  string   `json:"easyPayProvider"`
		Available []string `json:"availableEasyPayProviders"`
	} `json:"easyPay"`
}

type customerV2 struct {
	CustomerID  string           `json:"customerId"`
	FullName    string           `json:"fullName"`
	FirstName   string           `json:"firstName"`
	LastName    string           `json:"lastName"`
	PhoneNumber string           `json:"phoneNumber"`
	Email       string           `json:"email"`
	Address     *payment.Address `json:"address"`
	Zipcode     string           `json:"zipcode"`
	Gender      string           `json:"gender"`
	BirthYear   string           `json:"birthYear"`
	BirthMonth  string           `json:"birthMonth"`
	BirthDay    string           `json:"birthDay"`
}

func (in customerV2) customer() (payment.Customer, error) {
	address, err := in.Address.Output()
	if in.Address != nil {
		c := *in.Address
		c.Country = strings.TrimPrefix(c.Country, "COUNTRY_")
		address, err = c.Output()
	}
	return payment.Customer{
		ID: in.CustomerID, Name: payment.FullName(in.FullName, in.FirstName, in.LastName), Email: in.Email, PhoneNumber: in.PhoneNumber,
		Zipcode: in.Zipcode, BirthYear: in.BirthYear, BirthMonth: in.BirthMonth, BirthDay: in.BirthDay,
		Gender: strings.TrimPrefix(in.Gender, "GENDER_"), Address: address,
	}, err
}

// asked is what the request asks for, of the store and channel that it names.
func (in requestV2) asked(now time.Time) (action.CheckoutRequest, error) {
	if in.ChannelKey == "" && in.ChannelGroup != "" {
		return action.CheckoutRequest{}, fault.Errorf(fault.Unsupported, "channelGroupId is not supported: name a channelKey")
	}
	customer, err := in.Customer.customer()
	if err != nil {
		return action.CheckoutRequest{}, err
	}
	due, err := dueOf(in.Account.Expiry.ValidHours, in.Account.Expiry.DueDate, now)
	if err != nil {
		return action.CheckoutRequest{}, err
	}
	names := in.Account.AvailableBanks
	if in.Account.BankCode != "" {
		names = []string{in.Account.BankCode}
	}
	banks, err := banksOf(names)
	if err != nil {
		return action.CheckoutRequest{}, err
	}
	wallet := in.EasyPay.Provider
	if wallet == "" && len(in.EasyPay.Available) == 1 {
		wallet = in.EasyPay.Available[0] // there is nothing to choose among
	}
	return action.CheckoutRequest{
		Store: merchant.StoreID(in.StoreID), Channel: merchant.ChannelKey(in.ChannelKey), Payment: payment.ID(in.PaymentID),
		Asked: payment.Asked{
			Amount:  payment.Money{Amount: in.TotalAmount, Currency: payment.Currency(strings.TrimPrefix(in.Currency, "CURRENCY_"))},
			TaxFree: in.TaxFreeAmount, VAT: in.VATAmount, OrderName: in.OrderName, Customer: customer, CustomData: dataOf(in.CustomData),
			NoticeURLs: in.NoticeURLs, Method: payment.Method(in.PayMethod), Wallet: payment.Wallet(strings.TrimPrefix(wallet, "EASY_PAY_PROVIDER_")), AccountDue: due, Banks: banks, Escrow: in.IsEscrow,
			RedirectURL: in.RedirectURL, ForceRedirect: in.ForceRedirect, ConfirmURL: in.ConfirmURL, AppScheme: in.AppScheme,
			Locale: in.Locale, SDK: payment.SDKV2,
		},
	}, nil
}

// dataOf is custom data as the payment keeps it: a text as it is, anything else as JSON.
func dataOf(raw json.RawMessage) string {
	var text string
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0 || bytes.Equal(raw, []byte("null")):
		return ""
	case json.Unmarshal(raw, &text) == nil:
		return text
	}
	return string(raw)
}

// longestExpiry is how many hours an account may stay open at most: Toss's, the longest of
// any PG's.
const longestExpiry = 2160

// dueOf is until when an account is to take money; zero if the page did not say.
func dueOf(hours int, date string, now time.Time) (time.Time, error) {
	switch {
	case hours != 0 && date != "":
		return time.Time{}, fault.Errorf(fault.Invalid, "virtualAccount.accountExpiry holds both validHours and dueDate: give one")
	case date != "":
		return dateOf(date)
	case hours < 0 || hours > longestExpiry:
		return time.Time{}, fault.Errorf(fault.Invalid, "virtualAccount.accountExpiry.validHours must be from 1 to %d", longestExpiry)
	case hours == 0:
		return time.Time{}, nil
	}
	return now.Add(time.Duration(hours) * time.Hour), nil
}

// dateOf is a deadline in any of the forms that pages use; a day is to its end, in Korea.
// The one to the minute is that of V1's vbank_due before there were others, and pages of
// shops still have it.
func dateOf(text string) (time.Time, error) {
	for _, layout := range []string{"20060102150405", "200601021504", time.DateTime} {
		if at, err := time.ParseInLocation(layout, text, page.Seoul); err == nil {
			return at.UTC(), nil
		}
	}
	day := text
	if d, err := time.Parse("20060102", text); err == nil {
		day = d.Format(time.DateOnly)
	}
	at, err := action.ParseDeadline(day)
	if err != nil {
		return at, fault.Errorf(fault.Invalid, "the account's deadline %.40q is no time that is known: write it as 20261201, 20261201235959 or 2026-12-01T23:59:59+09:00", text)
	}
	return at, nil
}

// browserBanks are the banks whose names in the browser SDK are not those of the REST API,
// without "_BANK" at the end.
var browserBanks = map[string]payment.Bank{
	"INDUSTRIAL_BANK_OF_KOREA": "IBK", "NH_NONGHYUP": "NONGHYUP", "SC_BANK_KOREA": "STANDARD_CHARTERED", "GWANGJU": "KWANGJU",
	"EPOST": "POST", "CITI_BANK_KOREA": "CITI", "KOREA_DEVELOPMENT_BANK": "KDB",
}

// banksOf are banks by their names in the browser SDK.
func banksOf(names []string) ([]payment.Bank, error) {
	var out []payment.Bank
	for _, name := range names {
		short := strings.TrimPrefix(name, "BANK_")
		b := payment.Bank(name)
		for _, try := range []string{name, short, strings.TrimSuffix(short, "_BANK")} {
			if known := cmp.Or(browserBanks[try], payment.Bank(try)); known.Known() {
				b = known
			}
		}
		if !b.Known() {
			return nil, fault.Errorf(fault.Invalid, "there is no bank %.40q", name)
		}
		out = append(out, b)
	}
	return out, nil
}
