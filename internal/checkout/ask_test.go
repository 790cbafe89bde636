package checkout

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
)

var noon = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

func askV2(t *testing.T, body string) (action.CheckoutRequest, error) {
	t.Helper()
	var in requestV2
	if err := readJSON(strings.NewReader(body), &in); err != nil {
		return action.CheckoutRequest{}, err
	}
	return in.asked(noon)
}

func TestAskedV2(t *testing.T) {
	got, err := askV2(t, `{"storeId":"store-1","channelKey":"channel-key-1","paymentId":"order-1","orderName":"사과","totalAmount":59000,"vatAmount":0,
		"currency":"CURRENCY_KRW","payMethod":"VIRTUAL_ACCOUNT","customer":{"customerId":"c1","firstName":"손님","lastName":"김","gender":"GENDER_FEMALE",
		"address":{"country":"COUNTRY_KR","addressLine1":"세종대로 1","addressLine2":"2층"}},"customData":{"a":[1,2]},"noticeUrls":["https://shop.example/n"],
		"redirectUrl":"https://shop.example/done?x=1#top","locale":"KO_KR","bypass":{"x":1},
		"virtualAccount":{"accountExpiry":{"validHours":2},"availableBanks":["SHINHAN_BANK","BANK_NH_NONGHYUP_BANK","EPOST","KOOKMIN"]}}`)
	if err != nil {
		t.Fatal(err)
	}
	none := int64(0)
	want := action.CheckoutRequest{
		Store: "store-1", Channel: "channel-key-1", Payment: "order-1",
		Asked: payment.Asked{
			Amount: payment.Money{Amount: 59000, Currency: "KRW"}, VAT: &none, OrderName: "사과", CustomData: `{"a":[1,2]}`,
			Customer: payment.Customer{
				ID: "c1", Name: "김손님", Gender: "FEMALE",
				Address: json.RawMessage(`{"type":"SEPARATED","oneLine":"세종대로 1 2층","addressLine1":"세종대로 1","addressLine2":"2층","country":"KR"}`),
			},
			NoticeURLs: []string{"https://shop.example/n"}, Method: payment.VirtualAccount, AccountDue: noon.Add(2 * time.Hour),
			Banks: []payment.Bank{"SHINHAN", "NONGHYUP", "POST", "KOOKMIN"}, RedirectURL: "https://shop.example/done?x=1#top", Locale: "KO_KR", SDK: payment.SDKV2,
		},
	}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
		t.Error(d)
	}
}

func TestAskedV2Refuses(t *testing.T) {
	for body, want := range map[string]string{
		`{"totalAmount":"1000"}`:   "totalAmount must not be a string",
		`{"totalAmount":10.5}`:     "totalAmount must not be a number",
		`{"channelGroupId":"g"}`:   "channelGroupId",
		`{"channelKey":"c"} {}`:    "something follows",
		`[]`:                       "must not be a",
		`{"customer":{"email":1}}`: "must not be a number",
		`{"virtualAccount":{"accountExpiry":{"validHours":1,"dueDate":"2026-12-01"}}}`: "give one",
		`{"virtualAccount":{"accountExpiry":{"validHours":-1}}}`:                       "validHours",
		`{"virtualAccount":{"accountExpiry":{"validHours":99999}}}`:                    "validHours",
		`{"virtualAccount":{"accountExpiry":{"dueDate":"soon"}}}`:                      "soon",
		`{"virtualAccount":{"bankCode":"NO_SUCH_BANK"}}`:                               "NO_SUCH_BANK",
	} {
		_, err := askV2(t, body)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}

// TestDateOf takes the five forms of PortOne's pages, and the one of V1's old ones, which
// shops still have. What is none is named as the page wrote it.
func TestDateOf(t *testing.T) {
	for text, want := range map[string]string{
		"20261201": "2026-12-01T14:59:59Z", "2026-12-01": "2026-12-01T14:59:59Z", "20261201103000": "2026-12-01T01:30:00Z",
		"2026-12-01 10:30:00": "2026-12-01T01:30:00Z", "2026-12-01T10:30:00+09:00": "2026-12-01T01:30:00Z",
		"202612011030": "2026-12-01T01:30:00Z",
	} {
		if got, err := dateOf(text); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"soon", "20261301", "2026-12-01 25:00:00", "1", "202612012530", "20261201103"} {
		if got, err := dateOf(text); err == nil || !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "expiredAt") || !strings.Contains(err.Error(), "the account's deadline") {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
}

// TestBrowserBanks knows every bank of the browser SDK (schema of 2026-08).
func TestBrowserBanks(t *testing.T) {
	for name, want := range map[string]payment.Bank{
		"INDUSTRIAL_BANK_OF_KOREA": "IBK", "KOOKMIN_BANK": "KOOKMIN", "SUHYUP_BANK": "SUHYUP", "NH_NONGHYUP_BANK": "NONGHYUP", "WOORI_BANK": "WOORI",
		"SC_BANK_KOREA": "STANDARD_CHARTERED", "DAEGU_BANK": "DAEGU", "BUSAN_BANK": "BUSAN", "GWANGJU_BANK": "KWANGJU", "JEONBUK_BANK": "JEONBUK",
		"KYONGNAM_BANK": "KYONGNAM", "EPOST": "POST", "HANA_BANK": "HANA", "SHINHAN_BANK": "SHINHAN", "K_BANK": "K_BANK", "KAKAO_BANK": "KAKAO",
		"TOSS_BANK": "TOSS", "KFCC": "KFCC", "SHINHYUP": "SHINHYUP", "CITI_BANK_KOREA": "CITI", "JEJU_BANK": "JEJU", "BANK_OF_KOREA": "BANK_OF_KOREA",
		"KOREA_DEVELOPMENT_BANK": "KDB", "BANK_SHINHAN_BANK": "SHINHAN",
	} {
		got, err := banksOf([]string{name})
		if err != nil || got[0] != want {
			t.Errorf("%s: %v %v, want %s", name, got, err, want)
		}
	}
}

// town has a merchant with a store of its own and one with a tier, and another merchant.
func town() settings.All {
	channel := func(key, code, mid string, mode merchant.Mode) merchant.Channel {
		return merchant.Channel{Key: merchant.ChannelKey(key), Merchant: "m1", Store: "store-1", Provider: code, MID: mid, Mode: mode}
	}
	lent := channel("k-lent", "nice", "lent", merchant.Test)
	lent.Stores = []merchant.StoreID{"store-2"}
	return settings.All{
		Merchants: []merchant.Merchant{{ID: "m1"}, {ID: "m2"}},
		Stores: []settings.Store{
			{Store: merchant.Store{ID: "store-1", Merchant: "m1"}}, {Store: merchant.Store{ID: "store-2", Merchant: "m1", TierCode: "ABC"}},
			{Store: merchant.Store{ID: "store-3", Merchant: "m2", TierCode: "XYZ"}},
		},
		Channels: []merchant.Channel{
			channel("k-test", "html5_inicis", "INIpayTest", merchant.Test), channel("k-live", "html5_inicis", "shop01", merchant.Live),
			channel("k-1", "kcp", "T0000", merchant.Test), channel("k-2", "kcp", "T0007", merchant.Test), lent,
		},
		APIKeys: []settings.APIKey{{APIKey: merchant.APIKey{Key: "imp123", Merchant: "m1", Store: "store-1"}}},
	}
}

// TestStoreAndChannelV1 finds what a V1 page names: by user code and tier, provider and MID.
func TestStoreAndChannelV1(t *testing.T) {
	for _, x := range []struct{ code, tier, pg, store, channel, wrong string }{
		{"imp123", "", "html5_inicis.INIpayTest", "store-1", "k-test", ""},
		{"store-1", "", "html5_inicis.INIpayTest", "store-1", "k-test", ""},
		{"imp123", "", "html5_inicis", "store-1", "k-live", ""}, // a live one goes first
		{"imp123", "ABC", "nice", "store-2", "k-lent", ""},
		{"imp123", "", "kcp.T0007", "store-1", "k-2", ""},
		{"imp123", "", "kcp", "store-1", "", "2 channels"},
		{"imp123", "ABC", "kcp.T0007", "store-2", "", "channel"},
		{"imp123", "XYZ", "kcp.T0007", "", "", "store"}, // another merchant's
		{"", "", "kcp.T0007", "", "", "store"},
		{"nobody", "", "kcp.T0007", "", "", "store"},
		{"imp123", "", "kcp.T9", "store-1", "", `pg "kcp.T9"`},
		{"imp123", "", "", "store-1", "", "channel"},
	} {
		got, err := requestV1{PG: x.pg, PayMethod: "vbank", Amount: "1000", MerchantUID: "o"}.asked(town(), x.code, x.tier)
		if x.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), x.wrong) {
				t.Errorf("%+v: %v", x, err)
			}
			continue
		}
		if err != nil || string(got.Store) != x.store || string(got.Channel) != x.channel {
			t.Errorf("%+v: %s %s %v", x, got.Store, got.Channel, err)
		}
	}
}

func TestAskedV1(t *testing.T) {
	var in requestV1
	err := readJSON(strings.NewReader(`{"pg":"kcp.T0000","pay_method":"vbank","merchant_uid":"o-1","name":"사과","amount":"1000","vat_amount":91,
		"buyer_name":"김손님","buyer_tel":"010","buyer_addr":"서울","notice_url":"https://shop.example/n","vbank_due":"2026-12-01 10:00:00","custom_data":"x","language":"en"}`), &in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := in.asked(town(), "imp123", "")
	if err != nil {
		t.Fatal(err)
	}
	if got.Amount.Amount != 1000 || *got.VAT != 91 || got.NoticeURLs[0] != "https://shop.example/n" || got.CustomData != "x" || got.SDK != payment.SDKV1 ||
		got.Channel != "k-1" || !got.AccountDue.Equal(time.Date(2026, 12, 1, 1, 0, 0, 0, time.UTC)) || !strings.Contains(string(got.Customer.Address), "서울") {
		t.Errorf("%+v", got)
	}
	for _, bad := range []string{`{"amount":1.5}`, `{"amount":"many"}`, `{"notice_url":5}`, `{"pay_method":"gold","amount":1}`} {
		var in requestV1
		err := readJSON(strings.NewReader(bad), &in)
		if err == nil {
			_, err = in.asked(town(), "imp123", "")
		}
		if err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

// TestOnward keeps the shop's own query and fragment.
func TestOnward(t *testing.T) {
	for _, x := range []struct{ to, code, want string }{
		{"https://shop.example/done", "", "https://shop.example/done?paymentId=o+1&txId=t&transactionType=PAYMENT"},
		{"https://shop.example/done?", "", "https://shop.example/done?paymentId=o+1&txId=t&transactionType=PAYMENT"},
		{"https://shop.example/?a=b%20c&a=d#/cart?x", "", "https://shop.example/?a=b%20c&a=d&paymentId=o+1&txId=t&transactionType=PAYMENT#/cart?x"},
		{"shopapp://paid", "PAYMENT_CANCELLED", "shopapp://paid?paymentId=o+1&txId=t&transactionType=PAYMENT&code=PAYMENT_CANCELLED&message=%EC%99%9C%26"},
		{"https://shop.example/결제 끝?가=나#<\"다", "", "https://shop.example/%EA%B2%B0%EC%A0%9C%20%EB%81%9D?%EA%B0%80=%EB%82%98&paymentId=o+1&txId=t&transactionType=PAYMENT#%3C%22%EB%8B%A4"},
		{"", "", ""},
	} {
		w := payment.Checkout{PaymentID: "o 1", Transaction: "t", Asked: payment.Asked{RedirectURL: x.to, SDK: payment.SDKV2}}
		if x.code != "" {
			w.Outcome = payment.Outcome{Code: payment.Code(x.code), Message: "왜&"}
		}
		if got := onward(w); got != x.want {
			t.Errorf("%s: %s, want %s", x.to, got, x.want)
		}
	}
	v1 := payment.Checkout{PaymentID: "o", Transaction: "t", Asked: payment.Asked{RedirectURL: "https://s.example/", SDK: payment.SDKV1}}
	if got, want := onward(v1), "https://s.example/?imp_uid=t&merchant_uid=o&imp_success=true&success=true"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestToken opens what it was made for, in its time, and nothing else.
func TestToken(t *testing.T) {
	keyed := func(key string) *Checkout {
		return &Checkout{Hash: func(purpose, value string) string { return hashHex(key + purpose + value) }}
	}
	c := keyed("one")
	const id payment.CheckoutID = "01a2044f-dfeb-7346-8873-c9a89d2a872f"
	token := c.token(id, forPage, noon.Add(time.Hour))
	if got, ok := c.window(token, forPage, noon); !ok || got != id {
		t.Errorf("the token opens %q %v", got, ok)
	}
	for name, open := range map[string]func() (payment.CheckoutID, bool){
		"too late":        func() (payment.CheckoutID, bool) { return c.window(token, forPage, noon.Add(time.Hour)) },
		"another purpose": func() (payment.CheckoutID, bool) { return c.window(token, forResult, noon) },
		"another key":     func() (payment.CheckoutID, bool) { return keyed("two").window(token, forPage, noon) },
		"longer":          func() (payment.CheckoutID, bool) { return c.window(token+"A", forPage, noon) },
		"empty":           func() (payment.CheckoutID, bool) { return c.window("", forPage, noon) },
	} {
		if got, ok := open(); ok {
			t.Errorf("%s: the token opens %q", name, got)
		}
	}
	for i := range token {
		other := "A"
		if token[i] == 'A' {
			other = "B"
		}
		if got, ok := c.window(token[:i]+other+token[i+1:], forPage, noon); ok {
			t.Errorf("with another character at %d the token opens %q", i, got)
		}
	}
}

func FuzzAsked(f *testing.F) {
	f.Add(`{"storeId":"s","totalAmount":1,"customData":[1],"virtualAccount":{"accountExpiry":{"dueDate":"20261201"},"bankCode":"K_BANK"}}`)
	f.Add(`{"pg":"kcp.T0000","amount":"1","notice_url":["a"],"vbank_due":"20261201"}`)
	f.Fuzz(func(t *testing.T, body string) {
		_, _ = askV2(t, body) // must not panic
		var in requestV1
		if readJSON(strings.NewReader(body), &in) == nil {
			_, _ = in.asked(town(), "imp123", "")
		}
	})
}

func hashHex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
