package console

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

const storesOfAll = Prefix + "/all/test/settings/stores"

// storeOf is the store of an id as it is stored.
func (h *house) storeOf(id merchant.StoreID) settings.Store {
	h.Helper()
	for _, s := range h.settings().Stores {
		if s.ID == id {
			return s
		}
	}
	h.Fatalf("there is no store %s", id)
	return settings.Store{}
}

// assigned are the stores that a channel is assigned to.
func (h *house) assigned(key merchant.ChannelKey) []merchant.StoreID {
	h.Helper()
	for _, c := range h.settings().Channels {
		if c.Key == key {
			return c.Stores
		}
	}
	h.Fatalf("there is no channel %s", key)
	return nil
}

func TestStores(t *testing.T) {
	h := newHouse(t)
	page := h.shows(h.get("admin", storesOfAll), http.StatusOK, "우리 회사", "대표 상점", "하위 상점", string(branch1), "자체 1개, 배정 0개", "고객사 주소를 따라요")
	if strings.Contains(page, "라이벌") || strings.Contains(page, "이웃 회사") {
		t.Error("the page shows another merchant")
	}
	h.goesTo(h.post("admin", storesOfAll, url.Values{"merchant": {"새 회사"}}), storesOfAll)
	h.shows(h.get("admin", storesOfAll), http.StatusOK, "새 회사")
	h.shows(h.post("admin", storesOfAll, url.Values{"merchant": {"이웃 회사"}}), http.StatusUnprocessableEntity, "이미 쓰고 있는 이름")
	h.shows(h.post("admin", storesOfAll, url.Values{"merchant": {"  "}}), http.StatusUnprocessableEntity, "비어 있어요")
	h.shows(h.get("admin", storesOfAll+"/"+string(rival1)), http.StatusNotFound)
	h.shows(h.post("admin", storesOfAll+"/"+string(rival1), url.Values{"name": {"남의 것"}}), http.StatusNotFound)
	h.shows(h.get("rival", Prefix+"/all/test/settings/stores/"+string(branch1)), http.StatusNotFound)
}

func TestChangeStore(t *testing.T) {
	h := newHouse(t)
	one := storesOfAll + "/" + string(branch1)
	h.shows(h.get("admin", one), http.StatusOK, "하위 상점", "KCP 시험", string(oursTest), "대표 상점")
	form := url.Values{"name": {"새 <이름>"}, "tier_code": {"ABC"}, "webhook_first": {"on"}, "channel": {string(oursTest)},
		"webhook_first_limit": {"3s"}, "origins": {"https://Shop.example\r\nhttp://localhost:3000\r\n"}, "app_schemes": {"myshop"}}
	h.goesTo(h.post("admin", one, form), storesOfAll)
	s := h.storeOf(branch1)
	if s.WebhookLimit() != 3*time.Second || !slices.Equal(s.Origins, []string{"https://shop.example", "http://localhost:3000"}) || !slices.Equal(s.AppSchemes, []string{"myshop"}) {
		t.Errorf("its windows are %+v", s)
	}
	if s.Name != "새 <이름>" || s.TierCode != "ABC" || !s.WebhookFirst {
		t.Errorf("the store is %+v", s)
	}
	if got := h.assigned(oursTest); !slices.Equal(got, []merchant.StoreID{branch1}) {
		t.Errorf("the channel is assigned to %v", got)
	}
	page := h.shows(h.get("admin", storesOfAll), http.StatusOK, "자체 0개, 배정 1개", "새 &lt;이름&gt;")
	if strings.Contains(page, "<이름>") {
		t.Error("markup of outside is in the page")
	}
	h.shows(h.get("admin", one), http.StatusOK, `value="`+string(oursTest)+`" checked`, "https://shop.example\nhttp://localhost:3000", `value="3s"`)
	h.goesTo(h.post("admin", one, url.Values{"name": {"하위 상점"}}), storesOfAll)
	if s := h.storeOf(branch1); s.TierCode != "" || s.WebhookFirst || len(h.assigned(oursTest)) != 0 {
		t.Errorf("taken back, the store is %+v, assigned %v", s, h.assigned(oursTest))
	}
	other := storesOfAll + "/" + string(main1)
	h.goesTo(h.post("admin", other, url.Values{"name": {"대표 상점"}, "tier_code": {"MAIN"}}), storesOfAll)
	for say, form := range map[string]url.Values{
		"비어 있어요":                {"name": {""}},
		"이미 쓰고 있는 이름":           {"name": {"대표 상점"}},
		"대표 상점이 쓰고 있는 코드예요":     {"name": {"하위"}, "tier_code": {"MAIN"}},
		"경로 없이 적어 주세요":          {"name": {"하위"}, "origins": {"https://shop.example/pay"}},
		"앱 스킴이 아니에요":            {"name": {"하위"}, "app_schemes": {"javascript"}},
		"1초(1s)부터 30초(30s) 사이로": {"name": {"하위"}, "webhook_first_limit": {"5m"}},
	} {
		h.shows(h.post("admin", one, form), http.StatusUnprocessableEntity, say)
	}
	// A channel of another merchant is none that could be ticked.
	h.goesTo(h.post("admin", one, url.Values{"name": {"하위 상점"}, "channel": {string(rivalTest)}}), storesOfAll)
	if got := h.assigned(rivalTest); len(got) != 0 {
		t.Errorf("another merchant's channel is assigned to %v", got)
	}
}

// A sub-merchant's own endpoints hear of its payments, and the merchant's where it has
// none: or these always, by a box that means what it says.
func TestOwnWebhooks(t *testing.T) {
	h := newHouse(t)
	h.listens()
	one, hears := storesOfAll+"/"+string(branch1), func(mode merchant.Mode, want ...string) {
		t.Helper()
		x := h.settings()
		var got []string
		for _, e := range x.EndpointDirectory().Of(branch1, main1, mode) {
			got = append(got, e.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v hear of %s payments, want %v", got, mode, want)
		}
	}
	const box = `name="own_webhooks" value="on"`
	name, ticked := url.Values{"name": {"하위 상점"}}, url.Values{"name": {"하위 상점"}, "own_webhooks": {"on"}}
	h.shows(h.get("admin", one), http.StatusOK, box+" checked", "고객사 주소를 따라요")
	if page := h.shows(h.get("admin", storesOfAll+"/"+string(main1)), http.StatusOK); strings.Contains(page, box) {
		t.Error("the representative store is asked whose webhooks it uses")
	}
	hears(merchant.Test, "운영 <서버>")

	form := endpointFields()
	form.Set("store", string(branch1))
	h.shows(h.post("branch", Prefix+"/"+string(branch1)+"/test/endpoints/new", form), http.StatusOK)
	hears(merchant.Test, "주문 웹훅")
	list := Prefix + "/" + string(branch1) + "/test/endpoints"
	at := list + "/" + string(h.endpointNamed("주문 웹훅").ID)
	const follows, last = "고객사 주소를 따라요", "이 상점의 마지막 주소예요"
	for path, silent := range map[string]string{at: "보내지 않아요", list: "보내지 않음", storesOfAll: follows, one: follows} {
		if page := h.shows(h.get("admin", path), http.StatusOK); strings.Contains(page, silent) {
			t.Errorf("%s: of an endpoint that hears the page says %q", path, silent)
		}
	}
	h.shows(h.get("admin", storesOfAll), http.StatusOK, "자체 주소 1개")
	form = endpointFields()
	form.Set("name", "운영 웹훅") // the merchant's, in live mode, in which the sub-merchant has none
	h.shows(h.post("dev", Prefix+"/all/live/endpoints/new", form), http.StatusOK)
	hears(merchant.Live, "운영 웹훅")
	h.shows(h.get("admin", Prefix+"/all/live/settings/stores"), http.StatusOK, follows)
	h.shows(h.get("branch", at+"/delete"), http.StatusOK, last)

	h.goesTo(h.post("admin", one, name), storesOfAll)
	hears(merchant.Test, "운영 <서버>")
	if page := h.shows(h.get("admin", one), http.StatusOK, follows, "자체 주소 1개에는 보내지 않아요"); strings.Contains(page, box+" checked") {
		t.Error("a box that was unticked is ticked")
	}
	h.shows(h.get("admin", at), http.StatusOK, "이 주소로는 보내지 않아요", `/settings/stores/`+string(branch1))
	h.shows(h.get("branch", list), http.StatusOK, "보내지 않음")
	if page := h.shows(h.get("branch", at+"/delete"), http.StatusOK); strings.Contains(page, last) {
		t.Error("nothing turns to the merchant's by deleting an endpoint that hears nothing")
	}
	h.goesTo(h.post("admin", one, ticked), storesOfAll)
	hears(merchant.Test, "주문 웹훅")
	h.goesTo(h.post("branch", at+"/delete", url.Values{"sure": {"on"}}), list)
	hears(merchant.Test, "운영 <서버>")

	h.goesTo(h.post("admin", storesOfAll+"/"+string(main1), url.Values{"name": {"대표 상점"}}), storesOfAll)
	if h.storeOf(main1).MerchantWebhooks {
		t.Error("the representative store was given the setting of sub-merchants")
	}
}

func TestMakeStore(t *testing.T) {
	h := newHouse(t)
	h.shows(h.get("admin", storesOfAll+"/new"), http.StatusOK, "새 하위상점", "KCP 시험", `name="own_webhooks" value="on" checked`)
	form := url.Values{"name": {"셋째 상점"}, "tier_code": {"T3"}, "own_webhooks": {"on"}, "channel": {string(oursTest)}}
	values := issuedIn(h.shows(h.post("admin", storesOfAll+"/new", form), http.StatusOK, "지금만 볼 수 있어요"))
	if len(values) != 2 || !strings.HasPrefix(values[0], "store-") || !strings.HasPrefix(values[1], "whsec_") {
		t.Fatalf("the page shows %q", values)
	}
	s := h.storeOf(merchant.StoreID(values[0]))
	if s.Name != "셋째 상점" || s.Merchant != ours || s.Representative || s.MerchantWebhooks || s.NoticeSecret.Reveal() != values[1] || !slices.Contains(h.assigned(oursTest), s.ID) {
		t.Errorf("made %+v, assigned %v", s.Store, h.assigned(oursTest))
	}
	page := h.shows(h.post("admin", storesOfAll+"/new", url.Values{"name": {""}}), http.StatusUnprocessableEntity, "비어 있어요")
	if strings.Contains(page, `name="own_webhooks" value="on" checked`) {
		t.Error("a box that was unticked is ticked in a form that is shown again")
	}
	before := len(h.settings().Stores)
	h.shows(h.post("admin", storesOfAll+"/new", form), http.StatusUnprocessableEntity, "이미 쓰고 있는 이름")
	if n := len(h.settings().Stores); n != before {
		t.Errorf("there are %d stores, want %d", n, before)
	}
}

func TestDeliverySettings(t *testing.T) {
	h := newHouse(t)
	h.shows(h.get("admin", Prefix+"/all/test/settings/delivery"), http.StatusOK, "1m · 4m · 16m · 1h4m · 4h16m · 17h4m · 68h16m", "아직 없어요", "알 수 없어요")
	x := h.settings()
	for i, schedule := range []webhook.Schedule{`["30s","1h"]`, webhook.PortOne} {
		x.Endpoints = append(x.Endpoints, webhook.Endpoint{ID: webhook.EndpointID(uuid.NewString()), Merchant: ours, Store: main1, Name: "주소 " + string(rune('1'+i)),
			URL: "https://shop.example/", Mode: merchant.Test, Events: []string{"*"}, Version: webhook.V1, ContentType: webhook.JSON, Schedule: schedule, InFlight: 7 * i, Paused: i == 1, CreatedAt: time.Now()})
	}
	if err := h.Store.SaveSettings(t.Context(), x, time.Now()); err != nil {
		t.Fatal(err)
	}
	h.Console.Flags = []settings.Flag{{Name: "grace", Env: "TONGBO_GRACE", Value: "20s", Source: settings.ByDefault}, {Name: "keep-bodies", Env: "TONGBO_KEEP_BODIES", Value: "30", Source: settings.ByEnv}}
	h.shows(h.get("admin", Prefix+"/all/test/settings/delivery"), http.StatusOK, "주소 1", "30s · 1h", "256", "일시중지", "--grace", "20s", "TONGBO_GRACE")
	h.shows(h.get("admin", Prefix+"/all/live/settings/delivery"), http.StatusOK, "아직 없어요")
	page := h.shows(h.get("admin", Prefix+"/all/test/settings/retention"), http.StatusOK, "--keep-bodies", "30일", "환경 변수", "TONGBO_KEEP_BODIES", "감사 기록은 지우지 않아요")
	if strings.Contains(page, "--grace") {
		t.Error("a flag that keeps nothing is among them")
	}
}

// TestSettingsInEnglish looks for texts that one language lacks, and keys that none has.
func TestSettingsInEnglish(t *testing.T) {
	h := newHouse(t)
	en := h.people["admin"]
	en.Lang = "en"
	h.people["admin"] = en
	h.Console.Flags = []settings.Flag{{Name: "keep-bodies", Value: "0", Source: settings.ByFlag}, {Name: "keep-history", Value: "1", Source: settings.ByEnv},
		{Name: "keep-payments", Value: "1", Source: settings.ByDefault}, {Name: "grace", Value: "1s", Source: settings.ByFlag},
		{Name: "webhook-bind", Source: settings.ByFlag}, {Name: "allow-private-webhooks", Value: "false", Source: settings.ByFlag}}
	for path, want := range map[string]string{
		"/settings/stores": "Merchant and sub-merchants", "/settings/stores/new": "New sub-merchant", "/settings/stores/" + string(branch1): "Assigned channels",
		"/settings/access": "Payment API", "/settings/delivery": "Retries and order", "/settings/retention": "For ever", "/developers/keys": "API secrets (V2)",
		"/developers/keys/new?kind=v1": "Make a V1 key",
	} {
		page := h.shows(h.get("admin", Prefix+"/all/test"+path), http.StatusOK, want, `lang="en"`)
		if i := strings.IndexFunc(strings.NewReplacer("통보", "", "우리 회사", "", "대표 상점", "", "하위 상점", "", "KCP 시험", "").Replace(page), func(r rune) bool { return r >= '가' && r <= '힣' }); i >= 0 {
			t.Errorf("%s has Korean text", path)
		}
		for _, key := range []string{">settings.", ">access.", ">key.", ">flag.", ">state."} {
			if strings.Contains(page, key) {
				t.Errorf("%s shows a key of the catalogue: %s", path, key)
			}
		}
		if len(page) > 60<<10 {
			t.Errorf("%s has %d bytes", path, len(page))
		}
	}
}
