package console

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// hidden are the hidden fields of the form of a page that is sent to a path.
func hidden(t testing.TB, page, action string) url.Values {
	t.Helper()
	_, form, ok := strings.Cut(page, `method="post" action="`+action+`"`)
	if !ok {
		t.Fatalf("the page has no form for %s", action)
	}
	form, _, _ = strings.Cut(form, "</form>")
	out := make(url.Values)
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(form, -1) {
		out.Set(m[1], html.UnescapeString(m[2]))
	}
	return out
}

// shown is the form of a page with some fields filled in.
func (h *house) shown(as, page, action string, fields ...string) url.Values {
	h.Helper()
	out := hidden(h.TB, h.shows(h.get(as, page), http.StatusOK), action)
	for i := 0; i+1 < len(fields); i += 2 {
		out.Set(fields[i], fields[i+1])
	}
	return out
}

const movedHead = "그사이 상태가 바뀌었어요"

// TestMovedPayment: a form about a payment whose state changed says what it was and is, and
// keeps what was entered.
func TestMovedPayment(t *testing.T) {
	p := newPost(t)
	x, y := p.waits("1001"), p.waits("1002")
	at := paymentsPath + "/" + string(x.Key)
	deposit := p.shown("manager", at+"/deposit", at+"/deposit", "number", "T-77", "reason", "PG 화면", "do", "on")
	closes := p.shown("manager", at+"/cancel", at+"/cancel", "reason", "변심")
	p.sends("127.0.0.1", told("1001"))
	page := p.shows(p.post("manager", at+"/deposit", deposit), http.StatusConflict, movedHead, "입금 대기 → 결제 완료", "중복", `value="T-77"`, `value="PG 화면"`)
	if strings.Contains(page, "고칠 곳이") || strings.Contains(page, "data-topics") {
		t.Error("a page of what changed is headed as one of mistakes, or brought up to date")
	}
	p.shows(p.post("manager", at+"/cancel", closes), http.StatusConflict, movedHead, "입금 대기 → 결제 완료", `value="변심"`, "취소·환불")

	// What is asked of a payment that cannot be, from a form without a page of its own.
	at = paymentsPath + "/" + string(y.Key)
	ask := p.shown("manager", at, at+"/ask")
	if ask.Get("was") == "" {
		t.Error("the button does not say how the payment stood")
	}
	english := p.people["manager"]
	english.Lang = "en"
	p.people["manager"] = english
	p.shows(p.post("manager", strings.Replace(at, string(y.Key), string(x.Key), 1)+"/deposit", deposit), http.StatusConflict, "It changed meanwhile", "Awaiting deposit → Paid")
}

// TestMovedNotice: the same of notices.
func TestMovedNotice(t *testing.T) {
	p := newPost(t)
	p.waits("1001")
	mistyped := func(n *notice.Notice) { n.Account = "110-123-4567-1001" }
	at := noticesPath + "/" + string(p.sends("127.0.0.1", told("typo", mistyped)))
	link := p.shown("manager", at+"/link?payment=1001&reason=x", at+"/link")
	ends := p.shown("manager", at, at+"/close", "note", "전화로 확인 <b>")
	other := p.shown("owner", at, at+"/close", "note", "먼저")
	p.goesTo(p.post("owner", at+"/close", other), at)
	p.shows(p.post("manager", at+"/close", ends), http.StatusConflict, "owner@example.kr 님이 확인을 마쳤어요", "전화로 확인 &lt;b&gt;")
	p.goesTo(p.post("manager", at+"/link", link), at)
	p.shows(p.post("manager", at+"/link", link), http.StatusConflict, movedHead, "미매칭 → 반영됨", "미매칭 통보만 연결할 수 있어요", `value="1001"`)
	p.shows(p.post("manager", at+"/link", url.Values{"payment": {"1001"}}), http.StatusUnprocessableEntity, "이유를 적어 주세요", `value="1001"`)
}

// TestMovedSettings: two people save the same thing. The second is told what the first
// changed, and keeps what was entered; saved again, it counts.
func TestMovedSettings(t *testing.T) {
	h := newHouse(t)
	const base = Prefix + "/all/test"
	url1, events := "https://shop.example/hook", []string{"Transaction.*"}
	changes, err := h.Actions.Declare(t.Context(), action.Caller{Merchant: ours, Mode: merchant.Test}, settings.File{Merchants: []settings.MerchantFile{{ID: string(ours), Stores: []settings.StoreFile{{
		ID: string(main1), Endpoints: []settings.EndpointFile{{Name: "주문", Mode: "test", URL: &url1, Events: &events}},
		APISecrets: []settings.APISecretFile{{Name: "서버", New: true, Mode: "test"}},
	}}}}}, "")
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]string)
	for _, c := range changes {
		ids[c.What] = c.ID
	}
	whole := func(name, address string) []string {
		return []string{"name", name, "url", address, "events", "*", "version", string(webhook.V20240425), "content_type", string(webhook.JSON), "schedule", string(webhook.PortOne)}
	}
	channel := func(name string) []string {
		return []string{"name", name, "payment_type", string(merchant.WindowGeneral), "confirm", "default", "unknown", "hold", "method", "CARD"}
	}
	for _, c := range []struct {
		what, path, saved string
		first, second     []string
		says, keeps       string
	}{
		{"endpoint", base + "/endpoints/" + ids["endpoint"], "", whole("첫째", url1), whole("둘째", "https://other.example/"), "주문 → 첫째", `value="https://other.example/"`},
		{"channel", base + "/channels/" + string(oursTest), "", channel("첫째"), channel("둘째"), "KCP 시험 → 첫째", `value="CARD" checked`},
		{"store", base + "/settings/stores/" + string(branch1), base + "/settings/stores", []string{"name", "첫째"}, []string{"name", "둘째", "webhook_first", "on"}, "하위 상점 → 첫째", `value="on" checked`},
		{"key", base + "/developers/keys/" + ids["api_secret"], "", []string{"name", "첫째"}, []string{"name", "둘째"}, "서버 → 첫째", `value="둘째"`},
	} {
		first, second := h.shown("admin", c.path, c.path, c.first...), h.shown("owner", c.path, c.path, c.second...)
		saved := c.saved
		if saved == "" {
			saved = c.path
		}
		h.goesTo(h.post("admin", c.path, first), saved)
		page := h.shows(h.post("owner", c.path, second), http.StatusConflict, movedHead, c.says, "admin@example.kr", "아직 저장하지 않았어요", `value="둘째"`, c.keeps)
		again := hidden(t, page, c.path)
		for name, values := range second {
			if name != "was" {
				again[name] = values
			}
		}
		h.goesTo(h.post("owner", c.path, again), saved)
	}
}

// TestConflictWords: whatever state forbids a thing, it is said in the visitor's language.
func TestConflictWords(t *testing.T) {
	v := &visit{Lang: "ko"}
	for _, c := range conflicts {
		if text := v.conflictWords(c.err); text == c.err.Error() || strings.HasPrefix(text, "[") || !fault.Is(c.err, fault.Conflict) {
			t.Errorf("%v: %q, %v", c.err, text, fault.KindOf(c.err))
		}
	}
	if text := v.conflictWords(fault.Errorf(fault.Conflict, "a\u202eb")); text != "a⟨U+202E⟩b" {
		t.Errorf("an error without words is %q", text)
	}
}

// TestStandingSent: what a form sends of how a thing stood may be anything.
func TestStandingSent(t *testing.T) {
	p := newPost(t)
	x := p.waits("1001")
	at := paymentsPath + "/" + string(x.Key)
	for _, was := range []string{"", "payment", "payment PAID x", "payment PAID x y", "payment <script> x 1", "verdict applied  1", "payment NONE  99999999999999999999", "a b c d e"} {
		body := p.shows(p.post("manager", at+"/deposit", url.Values{"was": {was}, "number": {"T1"}, "reason": {"x"}, "amount": {"1"}}), http.StatusUnprocessableEntity, "금액이 달라요")
		if strings.Contains(body, "<script>") {
			t.Errorf("%q is on the page", was)
		}
	}
	// A state that was not the one is told as any other: the words are the catalogue's.
	p.shows(p.post("manager", at+"/deposit", url.Values{"was": {"payment PAID  1"}, "number": {"T1"}, "reason": {"x"}, "amount": {"1"}}), http.StatusConflict, "결제 완료 → 입금 대기")
}

// TestFormPages: the page that is shown again for a form is one that the visitor may see.
func TestFormPages(t *testing.T) {
	h := newHouse(t)
	v := &visit{c: h.Console, Member: member.Member{ID: "m", Role: member.Owner}}
	without := 0
	for _, r := range h.Console.routes() {
		if r.method != http.MethodPost || r.right == "" {
			continue
		}
		v.r, _ = http.NewRequest(http.MethodPost, "http://127.0.0.1"+r.path, nil)
		page, path, ok := v.formPage(r)
		if !ok {
			if r.confirm || r.path == "" {
				continue // the session of this visit was never confirmed
			}
			without++
			t.Logf("%s has no page", r.path)
			continue
		}
		if page.path != path || !strings.HasPrefix(r.path, page.path) {
			t.Errorf("the page of %s is %s at %s", r.path, page.path, path)
		}
	}
	if without > 2 {
		t.Errorf("%d forms have no page", without)
	}
}
