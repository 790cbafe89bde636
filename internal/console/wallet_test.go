package console

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
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
