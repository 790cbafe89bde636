package console

import (
	"context"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/trial"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/store"
)

// opened has a house's ingress served on loopback, so that test notices reach it, and
// PGs played for channels on trial.
func (h *house) opened() *house {
	h.Helper()
	h.Ingress.Rehearsals = h.Store
	srv := httptest.NewServer(h.Ingress)
	h.Cleanup(srv.Close)
	h.Actions.PublicURL, h.Actions.HTTP = srv.URL, safehttp.New(safehttp.Config{AllowPrivate: true})
	h.Actions.Trial = func(p provider.Provider) provider.Provider { return trial.PG{Provider: p, Ledger: h.Store} }
	h.Console.PublicURL = srv.URL
	ctx, stop := context.WithCancel(context.WithoutCancel(h.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { _ = h.Ingress.Run(ctx) })
	h.Cleanup(func() { stop(); wg.Wait() })
	return h
}

// channel is a channel as it is stored.
func (h *house) channel(key merchant.ChannelKey) merchant.Channel {
	h.Helper()
	for _, c := range h.settings().Channels {
		if c.Key == key {
			return c
		}
	}
	h.Fatalf("there is no channel %s", key)
	return merchant.Channel{}
}

// at is a page below a channel's own, in a mode.
func at(m merchant.Mode, key merchant.ChannelKey, rest string) string {
	return Prefix + "/all/" + string(m) + "/channels/" + string(key) + rest
}

// begun makes a channel by the wizard's first page.
func (h *house) begun(as string, m merchant.Mode, code string) merchant.ChannelKey {
	h.Helper()
	form := url.Values{"provider": {code}, "name": {code + " 결제"}, "store": {string(main1)}, "payment_type": {"window_general"}, "method": {"VIRTUAL_ACCOUNT", "CARD"}}
	w := h.post(as, Prefix+"/all/"+string(m)+"/channels/new", form)
	_, rest, ok := strings.Cut(w.Header().Get("Location"), "/channels/")
	key, step, _ := strings.Cut(rest, "/")
	if w.Code != http.StatusSeeOther || !ok || step != "setup/credentials" {
		h.Fatalf("%s: the first page led with %d to %q", code, w.Code, w.Header().Get("Location"))
	}
	return merchant.ChannelKey(key)
}

// TestWizard goes through all five pages for each module, in both modes, and looks for
// the secrets that were entered on every page that comes after.
func TestWizard(t *testing.T) {
	t.Parallel()
	h := newHouse(t).opened()
	for _, p := range all.Providers() {
		for _, m := range []merchant.Mode{merchant.Test, merchant.Live} {
			t.Run(p.Info().Code+" "+string(m), func(t *testing.T) { h := *h; h.TB = t; h.wizard(p, m) })
		}
	}
	h.shows(h.get("dev", Prefix+"/all/live/channels"), http.StatusOK, "NHN KCP", "kcp_v2 결제", "통보 대기", "kicc 결제", `<svg class="spark"`, "지난 24시간 통보")
}

func (h *house) wizard(p provider.Provider, m merchant.Mode) {
	h.Helper()
	i := p.Info()
	h.shows(h.get("dev", Prefix+"/all/"+string(m)+"/channels/new"), http.StatusOK, `value="`+i.Code+`"`)
	key := h.begun("dev", m, i.Code)
	if c := h.channel(key); !c.Disabled || c.Provider != i.Code || c.Mode != m || c.Store != main1 || len(c.Methods) != 2 {
		h.Errorf("the draft is %+v", c)
	}
	path := func(rest string) string { return at(m, key, rest) }
	h.shows(h.get("dev", Prefix+"/all/"+string(m)+"/channels"), http.StatusOK, "입력 중", "이어서 입력하기")
	h.shows(h.get("dev", path("/setup/address")), http.StatusNotFound)
	page := h.shows(h.get("dev", path("/setup/credentials")), http.StatusOK, `name="mid"`)
	form := url.Values{"mid": {"MID1001001"}}
	for _, f := range i.Fields {
		if !strings.Contains(page, `name="credential_`+f.Name+`"`) {
			h.Errorf("the page does not ask for %s", f.Name)
		}
		form.Set("credential_"+f.Name, "opensesame-"+f.Name)
	}
	if m == merchant.Test && len(i.TestMIDs) > 0 {
		form = url.Values{"test_mid": {i.TestMIDs[0].MID}}
		if !strings.Contains(page, i.TestMIDs[0].MID+" 쓰기") {
			h.Errorf("the page does not offer %s", i.TestMIDs[0].MID)
		}
	} else if strings.Contains(page, "name=\"test_mid\"") {
		h.Error("a test MID is offered")
	}
	h.goesTo(h.post("dev", path("/setup/credentials"), form), path("/setup/address"))
	h.entered(h.channel(key), i, form)

	page = html.UnescapeString(h.shows(h.get("dev", path("/setup/address")), http.StatusOK, "가이드 확인일 2026-11-22"))
	for _, want := range i.Paths {
		if u := h.Console.PublicURL + provider.NoticePath(want, h.channel(key)); !strings.Contains(page, u+"</code>") {
			h.Errorf("the page has no %s", u)
		}
	}
	if strings.Contains(page, "{{") || (i.Letter != nil) != strings.Contains(page, "PG에 보낼 메일") {
		h.Errorf("marks are left, or a letter is missing or too many")
	}
	page = h.shows(h.post("dev", path("/setup/test"), nil), http.StatusOK, "한 바이트도 다르지 않아요", "PG 주소에서 온 요청은 아직 없어요")
	if strings.Contains(page, `chip bad`) {
		h.Errorf("a step failed: %s", page)
	}
	h.triedIssue(p, h.channel(key), path("/setup/issue"))
	for _, rest := range []string{"", "/setup/credentials", "/setup/address", "/setup/test", "/setup/issue"} {
		h.noSecrets(i, h.channel(key), h.shows(h.get("owner", path(rest)), http.StatusOK), rest)
	}
}

// noSecrets looks for a channel's secrets in a page.
func (h *house) noSecrets(i provider.Info, c merchant.Channel, page, where string) {
	h.Helper()
	page = html.UnescapeString(page)
	for _, f := range i.Fields {
		if v := c.Credentials[f.Name].Reveal(); f.Secret && len(v) > 8 && strings.Contains(strings.ReplaceAll(page, guideOf(page), ""), v) {
			h.Errorf("%s is on the page %q", f.Name, where)
		}
	}
}

// guideOf is the part of a page that is the PG's guide: it names keys that the PG itself
// publishes for trials.
func guideOf(page string) string {
	_, rest, found := strings.Cut(page, `<div class="guide">`)
	if !found {
		return "\x00"
	}
	guide, _, _ := strings.Cut(rest, "</details>")
	return guide
}

// entered checks what the second page has stored.
func (h *house) entered(c merchant.Channel, i provider.Info, form url.Values) {
	h.Helper()
	if c.Disabled {
		h.Error("the channel is not in use")
	}
	if given := form.Get("test_mid"); given != "" {
		if c.MID != given || len(c.Credentials) != len(i.TestMIDs[0].Credentials) {
			h.Errorf("the channel has MID %q and %d credentials", c.MID, len(c.Credentials))
		}
		return
	}
	if c.MID != "MID1001001" || len(c.Credentials) != len(i.Fields) {
		h.Errorf("the channel has MID %q and %d credentials of %d", c.MID, len(c.Credentials), len(i.Fields))
	}
	if c.Mode == merchant.Live && i.Deaf(c) {
		h.Error("the channel hears nobody")
	}
}

// triedIssue tries the wizard's last page.
func (h *house) triedIssue(p provider.Provider, c merchant.Channel, path string) {
	h.Helper()
	_, issues := p.(provider.Issuer)
	onTrial := provider.OnTrial(p, c)
	page := h.shows(h.get("owner", path), http.StatusOK)
	if can := issues || onTrial; can == strings.Contains(page, "API로 계좌를 발급할 수 없어요") {
		h.Errorf("it says otherwise than that issuing is possible: %t", can)
	}
	if !onTrial {
		return // a real PG would be called
	}
	page = h.shows(h.post("owner", path, url.Values{"bank": {"SHINHAN"}}), http.StatusOK, "발급됨", "신한")
	list, err := h.Store.PaymentRows(h.Context(), store.Scope{Merchant: ours, Mode: merchant.Test}, store.PaymentFilter{Channel: c.Key}, store.Page{})
	if err != nil || len(list.Rows) != 1 || list.Rows[0].State != payment.Issued {
		h.Errorf("the payment is %+v, %v: %s", list.Rows, err, page)
	}
}

// TestWizardMistakes: what cannot be is told on the page, and nothing is made.
func TestWizardMistakes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	before := len(h.settings().Channels)
	good := url.Values{"provider": {"nice"}, "store": {string(main1)}, "payment_type": {"window_general"}, "method": {"VIRTUAL_ACCOUNT"}}
	for name, want := range map[string]string{"provider": "PG와 모듈을 하나", "payment_type": "결제 유형을", "method": "결제 수단을"} {
		form := url.Values{}
		maps.Copy(form, good)
		form[name] = []string{"nothing"}
		h.shows(h.post("dev", Prefix+"/all/test/channels/new", form), http.StatusUnprocessableEntity, want)
		form.Del(name)
		h.shows(h.post("dev", Prefix+"/all/test/channels/new", form), http.StatusUnprocessableEntity, want)
	}
	for _, store := range []string{"", "store-x", string(rival1)} {
		good.Set("store", store)
		h.shows(h.post("dev", Prefix+"/all/test/channels/new", good), http.StatusNotFound)
	}
	good.Set("store", string(main1))
	h.shows(h.post("branch", Prefix+"/all/test/channels/new", good), http.StatusNotFound)
	if n := len(h.settings().Channels); n != before {
		t.Errorf("%d channels were made", n-before)
	}
	key := h.begun("dev", merchant.Test, "nice")
	for _, form := range []url.Values{{"test_mid": {"nobody"}}} {
		h.shows(h.post("dev", at(merchant.Test, key, "/setup/credentials"), form), http.StatusNotFound)
	}
	for _, rest := range []string{"/setup/nothing", "/setup/module", "/setup/test"} {
		h.shows(h.get("dev", at(merchant.Test, key, rest)), http.StatusNotFound)
	}
	// A live MID belongs to one merchant on an installation.
	live := h.begun("dev", merchant.Live, "nice")
	h.goesTo(h.post("dev", at(merchant.Live, live, "/setup/credentials"), url.Values{"mid": {"shop-m"}}), at(merchant.Live, live, "/setup/address"))
	form := url.Values{"provider": {"nice"}, "store": {string(rival1)}, "payment_type": {"window_general"}, "method": {"CARD"}}
	w := h.post("rival", Prefix+"/all/live/channels/new", form)
	theirs := strings.TrimSuffix(w.Header().Get("Location"), "/setup/credentials")
	page := h.shows(h.post("rival", theirs+"/setup/credentials", url.Values{"mid": {"shop-m"}, "credential_merchant_key": {"opensesame"}}), http.StatusUnprocessableEntity, "다른 고객사가 쓰고")
	if strings.Contains(page, "opensesame") || strings.Contains(page, "우리 회사") {
		t.Error("the page tells a secret, or whose the MID is")
	}
	h.shows(h.post("dev", at(merchant.Live, live, "/setup/test"), nil), http.StatusUnprocessableEntity)
}

// TestChannelTest: an unsent and a failing test notice.
func TestChannelTest(t *testing.T) {
	t.Parallel()
	h := newHouse(t).opened()
	h.shows(h.get("dev", at(merchant.Test, oursTest, "/setup/test")), http.StatusOK, "시험 통보 보내기", "아직 없어요")
	h.Actions.HTTP = safehttp.New(safehttp.Config{})
	page := h.shows(h.post("dev", at(merchant.Test, oursTest, "/setup/test"), nil), http.StatusOK, "내부 주소예요", "chip bad")
	if strings.Contains(page, "저장된 통보 보기") {
		t.Error("a notice that did not arrive can be opened")
	}
	list, err := h.Store.Notices(t.Context(), store.NoticeQuery{})
	if err != nil || len(list) != 0 {
		t.Errorf("%d notices came, %v", len(list), err)
	}
	h.Actions.HTTP = safehttp.New(safehttp.Config{AllowPrivate: true})
	h.shows(h.post("dev", at(merchant.Test, oursTest, "/setup/test"), nil), http.StatusOK, "저장된 통보 보기")
	if list, err = h.Store.Notices(t.Context(), store.NoticeQuery{}); err != nil || len(list) != 1 || list[0].Reason != notice.ReasonRehearsal {
		t.Errorf("notices are %+v, %v", list, err)
	}
	log, err := h.Store.AuditLog(t.Context(), store.AuditQuery{Merchant: ours, Object: string(oursTest), Limit: 10})
	if err != nil || len(log) != 2 || log[0].Action != "channel.tested" || log[0].By.Name != "dev@example.kr" {
		t.Errorf("the audit log has %+v, %v", log, err)
	}
}

// TestChannelPage changes everything that can be changed of a channel.
func TestChannelPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	key := h.begun("dev", merchant.Live, "kpn")
	h.goesTo(h.post("dev", at(merchant.Live, key, "/setup/credentials"), url.Values{"mid": {"MX1"}, "credential_mx_otp": {"opensesame-mx-otp"}}), at(merchant.Live, key, "/setup/address"))
	path := at(merchant.Live, key, "")
	page := h.shows(h.get("dev", path), http.StatusOK, "kpn 결제", "••••-otp", "dev@example.kr", "PG에 보낼 메일", "PG가 공개한 주소도 받기", "disabled")
	if strings.Contains(page, "opensesame") {
		t.Error("the secret is on the page")
	}
	send := func(as, rest string, form url.Values) {
		t.Helper()
		h.goesTo(h.post(as, path+rest, form), path)
	}
	send("dev", "", url.Values{"name": {"새 이름"}, "mid": {"MX2"}, "payment_type": {"api_keyin"}, "method": {"CARD"}, "confirm": {"true"}, "unknown": {"adopt"}})
	send("dev", "/credentials", url.Values{"credential_mx_otp": {"another-opensesame"}})
	send("dev", "/stores", url.Values{"store": {string(branch1)}})
	send("admin", "/senders", url.Values{"senders": {"203.0.113.7\n203.0.113.0/24, 2001:db8::/32"}})
	send("dev", "/asked", url.Values{"asked": {"2026-08-01"}})
	send("dev", "/notes", url.Values{"notes": {"담당자 <b>김</b>\r\n둘째 줄"}})
	token := h.channel(key).Token
	send("dev", "/token", url.Values{"want": {"new"}, "sure": {"on"}})
	c := h.channel(key)
	if c.Name != "새 이름" || c.MID != "MX2" || c.PaymentType != merchant.APIKeyin || c.Confirm == nil || !*c.Confirm || c.Unknown != merchant.Adopt ||
		c.Credentials["mx_otp"] != "another-opensesame" || len(c.Stores) != 1 || c.Senders == nil || len(*c.Senders) != 3 ||
		c.AskedAt.IsZero() || c.Notes != "담당자 <b>김</b>\n둘째 줄" || c.Token == token || c.Token == "" {
		t.Errorf("the channel is %+v", c)
	}
	h.shows(h.get("dev", path), http.StatusOK, "담당자 &lt;b&gt;김&lt;/b&gt;", "2026-08-01", "하위 상점", "203.0.113.0/24")
	h.shows(h.get("dev", Prefix+"/all/live/channels"), http.StatusOK, "PG 등록 요청함")
	send("admin", "/senders", url.Values{"published": {"on"}, "senders": {"203.0.113.9"}})
	if c := h.channel(key); c.Senders != nil || len(c.SendersToo) != 1 {
		t.Errorf("beside the published ones, the senders are %v, %v", c.Senders, c.SendersToo)
	}
	send("admin", "/senders", url.Values{"published": {"on"}})
	send("dev", "/token", url.Values{"want": {"none"}, "sure": {"on"}})
	send("dev", "/state", url.Values{"to": {"off"}})
	send("dev", "/credentials", url.Values{"clear_mx_otp": {"on"}})
	if c := h.channel(key); c.Senders != nil || c.Token != "" || !c.Disabled || len(c.Credentials) != 0 {
		t.Errorf("taken back, the channel is %+v", c)
	}
	h.shows(h.get("dev", path), http.StatusOK, "허용한 발신 주소가 하나도 없어서")
	send("dev", "/state", url.Values{"to": {"on"}})
	h.shows(h.post("dev", path+"/delete", nil), http.StatusNotFound)
	for rest, form := range map[string]url.Values{
		"":         {"name": {""}, "payment_type": {"x"}, "confirm": {"x"}, "unknown": {"x"}},
		"/token":   {"want": {"new"}},
		"/asked":   {"asked": {"tomorrow"}},
		"/notes":   {"notes": {strings.Repeat("x", 9000)}},
		"/senders": {"senders": {"203.0.113.7/24"}},
	} {
		h.shows(h.post("admin", path+rest, form), http.StatusUnprocessableEntity, `class="mistakes"`)
	}
	draft := h.begun("dev", merchant.Live, "kcp")
	h.goesTo(h.post("dev", at(merchant.Live, draft, "/delete"), nil), Prefix+"/all/live/channels")
	for _, c := range h.settings().Channels {
		if c.Key == draft {
			t.Error("the draft is still there")
		}
	}
	if strings.Contains(h.Log.String(), "opensesame") {
		t.Error("a secret is in the log")
	}
}

// TestChannelsOfOthers: who may see a channel, and who may change it.
func TestChannelsOfOthers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.shows(h.get("dev", at(merchant.Test, oursTest, "")), http.StatusOK, "KCP 시험")
	for as, key := range map[string]merchant.ChannelKey{"dev": rivalTest, "rival": oursTest, "branch": oursTest} {
		for _, rest := range []string{"", "/setup/credentials", "/setup/test"} {
			h.shows(h.get(as, at(merchant.Test, key, rest)), http.StatusNotFound)
		}
		for _, rest := range []string{"", "/credentials", "/stores", "/notes", "/asked", "/state", "/delete", "/token", "/setup/credentials", "/setup/test", "/setup/issue"} {
			h.shows(h.post(as, at(merchant.Test, key, rest), url.Values{"sure": {"on"}}), http.StatusNotFound)
		}
	}
	h.shows(h.get("dev", at(merchant.Live, oursTest, "")), http.StatusNotFound) // of the other mode
	h.goesTo(h.post("dev", at(merchant.Test, oursTest, "/credentials"), url.Values{"credential_site_key": {"opensesame-site"}}), at(merchant.Test, oursTest, ""))
	h.goesTo(h.post("dev", at(merchant.Test, oursTest, "/stores"), url.Values{"store": {string(branch1)}}), at(merchant.Test, oursTest, ""))
	page := h.shows(h.get("branch", at(merchant.Test, oursTest, "")), http.StatusOK, "다른 상점의 채널을 함께 쓰고")
	if strings.Contains(page, "<textarea") || strings.Contains(page, "••••") {
		t.Error("a store that uses a channel sees what it proves itself with")
	}
	for _, rest := range []string{"", "/credentials", "/notes", "/state", "/setup/test"} {
		h.shows(h.post("branch", at(merchant.Test, oursTest, rest), url.Values{"name": {"x"}}), http.StatusNotFound)
	}
	for _, store := range []string{string(rival1), "store-x"} {
		h.shows(h.post("dev", at(merchant.Test, oursTest, "/stores"), url.Values{"store": {store}}), http.StatusNotFound)
	}
	h.shows(h.post("dev", at(merchant.Test, oursTest, "/senders"), url.Values{"senders": {"203.0.113.7"}}), http.StatusForbidden)
	if c := h.channel(oursTest); c.Name != "KCP 시험" || c.Disabled || c.Senders != nil {
		t.Errorf("the channel is %+v", c)
	}
	for _, role := range []string{"read_only", "manager"} {
		h.shows(h.get(role, at(merchant.Test, oursTest, "")), http.StatusForbidden)
	}
}
