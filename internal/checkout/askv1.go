package checkout

import (
	"encoding/json"
	"strings"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
)

// A requestV1 is what IMP.request_pay is given (PortOne's V1 JavaScript SDK, payrq, 2026-08).
type requestV1 struct {
	ChannelKey  string          `json:"channelKey"`
	PG          string          `json:"pg"`
	PayMethod   string          `json:"pay_method"`
	MerchantUID string          `json:"merchant_uid"`
	Name        string          `json:"name"`
	Amount      json.Number     `json:"amount"`
	TaxFree     json.Number     `json:"tax_free"`
	VAT         json.Number     `json:"vat_amount"`
	Currency    string          `json:"currency"`
	Language    string          `json:"language"`
	BuyerName   string          `json:"buyer_name"`
	BuyerTel    string          `json:"buyer_tel"`
	BuyerEmail  string          `json:"buyer_email"`
	BuyerAddr   string          `json:"buyer_addr"`
	BuyerPost   string          `json:"buyer_postcode"`
	NoticeURL   texts           `json:"notice_url"`
	ConfirmURL  string          `json:"confirm_url"`
	RedirectURL string          `json:"m_redirect_url"`
	AppScheme   string          `json:"app_scheme"`
	Escrow      bool            `json:"escrow"`
	CustomData  json.RawMessage `json:"custom_data"`
	VbankDue    string          `json:"vbank_due"`
}

// texts is a text or a list of them.
type texts []string

// UnmarshalJSON takes either.
func (t *texts) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*t = nil
		if one != "" {
			*t = texts{one}
		}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(t))
}

// methodOfV1 is V1's pay_method: a method, and the wallet that it names if it names one. It
// may be left out where the channel has one method, such as a wallet's (PortOne's V1 pages,
// pg/v1/naver).
func methodOfV1(name string) (payment.Method, payment.Wallet, error) {
	if m, ok := methodsV1[name]; ok || name == "" {
		return m, "", nil
	}
	if w, ok := payment.WalletOfV1(name); ok {
		return payment.ByWallet, w, nil
	}
	return "", "", fault.Errorf(fault.Invalid, "pay_method %.40q: want card, vbank or another that the channel has", name)
}

// methodsV1 are V1's words for what is paid by, beside those for wallets.
var methodsV1 = map[string]payment.Method{
	"vbank": payment.VirtualAccount, "card": payment.ByCard, "trans": "TRANSFER", "phone": "MOBILE",
	"paypal": payment.ByPayPal, "point": payment.ByWallet,
	"cultureland": "GIFT_CERTIFICATE", "smartculture": "GIFT_CERTIFICATE", "happymoney": "GIFT_CERTIFICATE", "booknlife": "GIFT_CERTIFICATE",
}

// asked is what the request asks for, of the store that user code and tier name.
func (in requestV1) asked(all settings.All, userCode, tier string) (action.CheckoutRequest, error) {
	store, err := storeV1(all, userCode, tier)
	if err != nil {
		return action.CheckoutRequest{}, err
	}
	amount, err := whole("amount", in.Amount)
	if err != nil {
		return action.CheckoutRequest{}, err
	}
	free, err := whole("tax_free", in.TaxFree)
	if err != nil {
		return action.CheckoutRequest{}, err
	}
	vat, err := whole("vat_amount", in.VAT)
	if err != nil {
		return action.CheckoutRequest{}, err
	}
	method, wallet, err := methodOfV1(in.PayMethod)
	if err != nil {
		return action.CheckoutRequest{}, err
	}
	out := action.CheckoutRequest{
		Store: store, Channel: merchant.ChannelKey(in.ChannelKey), Payment: payment.ID(in.MerchantUID),
		Asked: payment.Asked{
			Amount: payment.Money{Amount: amount, Currency: payment.KRW}, TaxFree: free, OrderName: in.Name,
			Customer: payment.Customer{
				Name: in.BuyerName, Email: in.BuyerEmail, PhoneNumber: in.BuyerTel, Zipcode: in.BuyerPost,
			},
			CustomData: dataOf(in.CustomData), NoticeURLs: in.NoticeURL, Method: method, Wallet: wallet, Escrow: in.Escrow,
			RedirectURL: in.RedirectURL, ConfirmURL: in.ConfirmURL, AppScheme: in.AppScheme, Locale: in.Language, SDK: payment.SDKV1,
		},
	}
	if in.Currency != "" {
		out.Amount.Currency = payment.Currency(in.Currency)
	}
	if c := out.Amount.Currency; c != payment.KRW && c != "JPY" {
		// V1 writes 12.5 dollars, and V2 1250 cents: who mixes them up charges a hundredth.
		return out, fault.Errorf(fault.Unsupported, "currency %.10q: V1 takes KRW and JPY here; use PortOne.requestPayment, whose amounts are in the smallest unit", string(c))
	}
	if in.VAT != "" {
		out.VAT = &vat
	}
	if in.BuyerAddr != "" {
		out.Customer.Address, err = (&payment.Address{AddressLine1: in.BuyerAddr}).Output()
		if err != nil {
			return out, err
		}
	}
	if in.VbankDue != "" {
		if out.AccountDue, err = dateOf(in.VbankDue); err != nil {
			return out, err
		}
	}
	if out.Channel == "" {
		out.Channel, err = channelV1(all, store, in.PG)
	}
	return out, err
}

// whole is a number that old pages may send as a text.
func whole(name string, n json.Number) (int64, error) {
	if n == "" {
		return 0, nil
	}
	v, err := n.Int64()
	if err != nil {
		return 0, fault.Errorf(fault.Invalid, "%s %.40q must be a whole number", name, string(n))
	}
	return v, nil
}

// storeV1 is the store of a user code: a store's id, or the name of a V1 key. A tier code
// names another store of the same merchant.
func storeV1(all settings.All, userCode, tier string) (merchant.StoreID, error) {
	var at merchant.Store
	for _, s := range all.Stores {
		if string(s.ID) == userCode {
			at = s.Store
		}
	}
	for _, k := range all.APIKeys {
		if at.ID == "" && k.Key == userCode && userCode != "" {
			at = merchant.Store{ID: k.Store, Merchant: k.Merchant}
		}
	}
	if at.ID == "" {
		return "", action.ErrNoStore
	}
	if tier == "" {
		return at.ID, nil
	}
	for _, s := range all.Stores {
		if s.Merchant == at.Merchant && s.TierCode == tier {
			return s.ID, nil
		}
	}
	return "", action.ErrNoStore
}

// channelV1 is the one channel that "provider" or "provider.MID" can mean for a store. Of
// several, one in live mode goes first, as it does at PortOne.
func channelV1(all settings.All, store merchant.StoreID, pg string) (merchant.ChannelKey, error) {
	code, mid, named := strings.Cut(pg, ".")
	dir := all.Directory()
	var found []merchant.Channel
	for _, c := range all.Channels {
		if c.Provider != code || named && c.MID != mid || !c.UsedBy(store) || disabled(dir, c) {
			continue
		}
		found = append(found, c)
	}
	for _, m := range []merchant.Mode{merchant.Live, merchant.Test} {
		var of []merchant.Channel
		for _, c := range found {
			if c.Mode == m {
				of = append(of, c)
			}
		}
		switch {
		case len(of) == 1:
			return of[0].Key, nil
		case len(of) > 1:
			return "", fault.Errorf(fault.Conflict, "pg %.60q may mean %d channels of the store: name a channelKey, or provider.MID", pg, len(of))
		}
	}
	return "", fault.Errorf(fault.NotFound, "pg %.60q: %w: want provider or provider.MID of one, as the console shows them, or its channelKey", pg, action.ErrNoChannel)
}

// disabled reports whether a channel takes no new payments.
func disabled(dir merchant.Directory, c merchant.Channel) bool {
	_, in := dir.Channel(c.Key)
	return !in
}
