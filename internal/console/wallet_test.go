package console

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// TestWalletWizard: the wizard asks for a wallet's credentials alone, insists on them, and no
// page of the channel speaks of notices that will never come.
func TestWalletWizard(t *testing.T) {
	t.Parallel()
	h := newHouse(t).opened()
	live := h.shows(h.get("dev", Prefix+"/all/live/channels/new"), http.StatusOK)
	for _, p := range all.Wallets() {
		i := p.Info()
		if strings.Contains(live, `value="`+i.Code+`"`) {
			t.Errorf("%s is offered for live channels", i.Code)
		}
		h.shows(h.get("dev", Prefix+"/all/test/channels/new"), http.StatusOK, `value="`+i.Code+`"`, "가맹점의 테스트용 정보")
		key := h.begun("dev", merchant.Test, i.Code)
		if c := h.channel(key); len(c.Methods) != 1 || c.Methods[0] != string(i.Wallet.Method) || c.PaymentType != merchant.WindowSimple {
			t.Errorf("%s: the draft is %+v", i.Code, c)
		}
		path := func(rest string) string { return at(merchant.Test, key, rest) }
		page := h.shows(h.get("dev", path("/setup/credentials")), http.StatusOK, `name="mid"`, "등록할 주소가 없어요")
		if strings.Contains(page, "통보 URL 등록") {
			t.Errorf("%s: the wizard has a page for an address", i.Code)
		}
		form := url.Values{"mid": {"MID1001001"}}
		for _, f := range i.Fields {
			lacking := h.shows(h.post("dev", path("/setup/credentials"), form), http.StatusUnprocessableEntity, "공개된 테스트 상점이 없어서")
			if !strings.Contains(lacking, `href="#f-credential_`+f.Name+`"`) {
				t.Errorf("%s: the mistake does not lead to %s", i.Code, f.Name)
			}
			form.Set("credential_"+f.Name, "opensesame-"+f.Name)
		}
		h.shows(h.post("dev", path("/setup/credentials"), url.Values{"mid": {""}}), http.StatusUnprocessableEntity, `href="#f-mid"`)
		h.goesTo(h.post("dev", path("/setup/credentials"), form), path(""))
		h.entered(h.channel(key), i, form)
		for _, rest := range []string{"/setup/address", "/setup/test", "/setup/issue"} {
			h.shows(h.get("dev", path(rest)), http.StatusNotFound)
			if rest != "/setup/address" {
				h.shows(h.post("dev", path(rest), nil), http.StatusNotFound)
			}
		}
		page = h.shows(h.get("owner", path("")), http.StatusOK, "테스트 승인", "라이브 채널은 만들 수 없어요")
		h.noSecrets(i, h.channel(key), page, "channel")
		if page = html.UnescapeString(page); strings.Contains(page, "{{") || strings.Contains(page, "발신 주소") {
			t.Errorf("%s: the page speaks of senders, or has a mark left", i.Code)
		}
		// Another without its credentials is refused with a page, not a fault.
		for _, f := range i.Fields {
			if f.Secret {
				h.shows(h.post("dev", path("/credentials"), url.Values{"clear_" + f.Name: {"on"}}), http.StatusUnprocessableEntity, "공개된 테스트 상점이 없어서")
			}
		}
		h.shows(h.get("owner", Prefix+"/all/test/notices"), http.StatusOK)
	}
	h.shows(h.get("dev", Prefix+"/all/test/channels"), http.StatusOK, "네이버페이", "테스트 승인")
	if page := h.shows(h.get("dev", Prefix+"/all/test/developers/simulator"), http.StatusOK); strings.Contains(page, "naverpay") {
		t.Error("the simulator offers a wallet's channel")
	}
}

// TestSums reads amounts as they are shown.
func TestSums(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		c    payment.Currency
		want int64 // -1: it is none
	}{
		{"₩11,000", payment.KRW, 11000}, {"11.5", payment.KRW, -1}, {"12.50 USD", "USD", 1250}, {"12.5", "USD", 1250}, {"12", "USD", 1200}, {"0.05", "USD", 5},
		{"1,234.56", "USD", 123456}, {"12.505", "USD", -1}, {".5", "USD", -1}, {"1.2.3", "USD", -1}, {"-1", "USD", -1}, {"12e3", "USD", -1}, {"1,250 JPY", "JPY", 1250},
		{"1.250", "KWD", 1250}, {"", "USD", -1}, {"99999999999999999999", "USD", -1}, {"١٢", "USD", -1},
	} {
		got, ok := sumOf(tt.text, tt.c)
		if !ok {
			got = -1
		}
		if got != tt.want {
			t.Errorf("sumOf(%q, %s) = %d, want %d", tt.text, tt.c, got, tt.want)
		}
	}
}

// TestWalletPayment shows a payment by PayPal in the console, and cancels a part of it there.
func TestWalletPayment(t *testing.T) {
	t.Parallel()
	h := newHouse(t).opened()
	key := h.begun("dev", merchant.Test, "paypal_v2")
	h.goesTo(h.post("dev", at(merchant.Test, key, "/setup/credentials"), url.Values{"mid": {"P1"}}), at(merchant.Test, key, ""))
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	by := action.Caller{Merchant: ours, Store: main1, Mode: merchant.Any}
	var p payment.Payment
	var err error
	for ctx.Err() == nil { // settings made by another part are seen within about a second
		p, err = h.Actions.Charge(ctx, by, action.ChargeRequest{
			Registration: payment.Registration{ID: "purse-1", Channel: key, OrderName: "엽서", Amount: payment.Money{Amount: 1250, Currency: "USD"}},
			Wallet:       &provider.WalletPay{Name: payment.PayPal, Ending: provider.Approves},
		})
		if !fault.Is(err, fault.NotFound) {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	page := Prefix + "/" + string(main1) + "/test/payments/" + string(p.Key)
	h.shows(h.get("manager", page), http.StatusOK, "결제 수단", "페이팔 승인 요청", "12.50 USD")
	if strings.Contains(h.shows(h.get("manager", page+"/cancel"), http.StatusOK, "12.50 USD"), `name="number"`) {
		t.Error("it asks for a bank account")
	}
	form := h.shown("manager", page+"/cancel", page+"/cancel", "amount", "2.555", "reason", "변심")
	h.shows(h.post("manager", page+"/cancel", form), http.StatusUnprocessableEntity, "2.555")
	form.Set("amount", "2.50")
	h.says("manager", h.post("manager", page+"/cancel", form), page, "취소")
	now, err := h.Store.PaymentByKey(t.Context(), p.Key)
	if err != nil || now.State != payment.PartiallyCancelled || now.CancelledAmount() != 250 {
		t.Errorf("after a part it is %s, %d given back, %v", now.State, now.CancelledAmount(), err)
	}
	h.shows(h.get("manager", page), http.StatusOK, "2.50 USD")
}
