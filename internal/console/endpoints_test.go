package console

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

const (
	endpointsAt = Prefix + "/all/test/endpoints"
	ourPage     = endpointsAt + "/" + string(ourEndpoint)
)

// endpointFields are a form that is right.
func endpointFields() url.Values {
	return url.Values{
		"name": {"주문 웹훅"}, "url": {"https://orders.example/hook"}, "store": {string(main1)}, "events": {"Transaction.Paid", "tongbo.attention"},
		"version": {"2024-04-25"}, "content_type": {"json"}, "schedule": {"own"}, "delays": {"30s, 4m 2h"}, "in_flight": {"5"}, "test_event": {"Transaction.Paid"},
	}
}

func (h *house) endpointNamed(name string) webhook.Endpoint {
	h.Helper()
	all := h.settings()
	i := slices.IndexFunc(all.Endpoints, func(e webhook.Endpoint) bool { return e.Merchant == ours && e.Name == name })
	if i < 0 {
		h.Fatalf("there is no endpoint %q", name)
	}
	return all.Endpoints[i]
}

func TestMakeAndChangeEndpoint(t *testing.T) {
	h := newHouse(t)
	h.shows(h.get("dev", endpointsAt), http.StatusOK, "아직 웹훅 주소가 없어요", "서버 관리자가 알고")
	h.shows(h.get("dev", endpointsAt+"/new"), http.StatusOK, "Transaction.Paid", "BillingKey.* 전부", "tongbo.attention", `value="*" checked`, "호출 테스트")
	page := h.shows(h.post("dev", endpointsAt+"/new", endpointFields()), http.StatusOK, "지금만 볼 수 있어요", `name="copied" value="on" required`)
	values := issuedIn(page)
	e := h.endpointNamed("주문 웹훅")
	if len(values) != 1 || !strings.HasPrefix(values[0], "whsec_") || e.Secrets[0].Reveal() != values[0] {
		t.Fatalf("the page shows %q, stored is %q", values, e.Secrets[0].Reveal())
	}
	if e.Schedule != `["30s","4m","2h"]` || e.InFlight != 5 || !slices.Equal(e.Events, []string{"Transaction.Paid", "tongbo.attention"}) || e.Mode != merchant.Test || e.Store != main1 {
		t.Errorf("made %+v", e)
	}
	if !strings.Contains(page, "/endpoints/"+string(e.ID)) {
		t.Error("the page does not lead to the endpoint")
	}
	h.shows(h.post("dev", endpointsAt+"/new", endpointFields()), http.StatusUnprocessableEntity, "같은 이름의")
	at := endpointsAt + "/" + string(e.ID)
	page = h.shows(h.get("dev", at), http.StatusOK, "30s, 4m, 2h", "아직 보낸 적 없음", `value="Transaction.Paid" checked`, "한 개로 서명해요")
	if strings.Contains(page, values[0]) || strings.Contains(h.Log.String(), values[0]) {
		t.Error("the secret is shown again, or logged")
	}
	form := endpointFields()
	form.Set("name", "새 이름")
	form.Set("schedule", "toss")
	form.Set("reason", "이사")
	form["events"] = []string{"*"}
	h.goesTo(h.post("dev", at, form), at)
	e = h.endpointNamed("새 이름")
	if e.Schedule != webhook.Toss || !slices.Equal(e.Events, []string{"*"}) || e.Secrets[0].Reveal() != values[0] {
		t.Errorf("changed %+v", e)
	}
	log, err := h.Store.AuditLog(h.Context(), store.AuditQuery{Merchant: ours, Object: string(e.ID)})
	if err != nil || len(log) != 2 || log[0].Reason != "이사" || log[0].By.Name != "dev@example.kr" {
		t.Errorf("the log says %+v, %v", log, err)
	}
	h.shows(h.get("dev", endpointsAt), http.StatusOK, "새 이름", "전부 (PortOne 이벤트)")
}

func TestEndpointMistakes(t *testing.T) {
	h := newHouse(t)
	h.listens()
	before := len(h.settings().Endpoints)
	for name, x := range map[string]struct {
		edit func(url.Values)
		say  string
	}{
		"no name":           {func(f url.Values) { f.Set("name", " ") }, "비어 있어요"},
		"a long name":       {func(f url.Values) { f.Set("name", strings.Repeat("가", 100)) }, "너무 길어요"},
		"no URL":            {func(f url.Values) { f.Del("url") }, "비어 있어요"},
		"another scheme":    {func(f url.Values) { f.Set("url", "javascript:alert(1)//x") }, "https://와 도메인이"},
		"a user name":       {func(f url.Values) { f.Set("url", "https://me:pw@shop.example/") }, "https://와 도메인이"},
		"no events":         {func(f url.Values) { f.Del("events") }, "하나 이상"},
		"an unknown event":  {func(f url.Values) { f["events"] = []string{"<b>"} }, "&lt;b&gt;"},
		"untold events":     {func(f url.Values) { f.Set("version", "v1"); f["events"] = []string{"tongbo.attention"} }, "v1 형식으로"},
		"a form of JSON":    {func(f url.Values) { f.Set("content_type", "form") }, "JSON만"},
		"an unknown format": {func(f url.Values) { f.Set("version", "v9") }, "비어 있어요"},
		"delays of nothing": {func(f url.Values) { f.Set("delays", "bald") }, "30s, 4m, 2h처럼"},
		"too long a delay":  {func(f url.Values) { f.Set("delays", "721h") }, "30s, 4m, 2h처럼"},
		"too much at once":  {func(f url.Values) { f.Set("in_flight", "1025") }, "1024"},
		"nothing at once":   {func(f url.Values) { f.Set("in_flight", "0") }, "1024"},
	} {
		for _, at := range []string{endpointsAt + "/new", ourPage} {
			form := endpointFields()
			x.edit(form)
			page := h.shows(h.post("dev", at, form), http.StatusUnprocessableEntity, x.say)
			if strings.Contains(page, "<b>") && !strings.Contains(page, "<b>-") && strings.Contains(page, "value=\"<b>") {
				t.Errorf("%s: markup from outside", name)
			}
		}
	}
	form := endpointFields()
	form.Set("store", string(rival1))
	h.shows(h.post("dev", endpointsAt+"/new", form), http.StatusNotFound)
	if n := len(h.settings().Endpoints); n != before {
		t.Errorf("%d endpoints, want the %d of before", n, before)
	}
	if e := h.endpointNamed("운영 <서버>"); e.URL != "https://shop.example/hook?key=1" {
		t.Errorf("a form with mistakes changed %+v", e)
	}
}

// Every page and verb, by those who may not: the role is too little, or the endpoint is not
// theirs.
func TestEndpointsAreGuarded(t *testing.T) {
	h := newHouse(t)
	h.listens()
	gets := []string{"", "/rotate", "/delete"}
	posts := map[string]url.Values{"": endpointFields(), "/pause": nil, "/resume": nil, "/rotate": {"hours": {"1"}}, "/overlap": nil, "/delete": {"sure": {"on"}}}
	before := h.settings()
	for as, x := range map[string]struct {
		page   string
		status int
	}{
		"read_only": {ourPage, http.StatusForbidden}, "manager": {ourPage, http.StatusForbidden}, "rival": {ourPage, http.StatusNotFound},
		"branch": {ourPage, http.StatusNotFound}, "owner": {endpointsAt + "/" + string(rivalEndpoint), http.StatusNotFound},
	} {
		for _, path := range gets {
			h.shows(h.get(as, x.page+path), x.status)
		}
		for path, form := range posts {
			h.shows(h.post(as, x.page+path, form), x.status)
		}
		form := endpointFields()
		form.Set("id", strings.TrimPrefix(x.page, endpointsAt+"/"))
		h.shows(h.post(as, endpointsAt+"/test", form), x.status)
	}
	h.shows(h.post("dev", Prefix+"/all/live/endpoints/"+string(ourEndpoint)+"/pause", nil), http.StatusNotFound)
	for path, form := range map[string]url.Values{"/rotate": posts["/rotate"], "/overlap": nil, "/delete": posts["/delete"]} {
		w := h.post("stale-dev", ourPage+path, form)
		if !strings.HasPrefix(w.Header().Get("Location"), Prefix+"/confirm") {
			t.Errorf("%s without a password of late: status %d to %q", path, w.Code, w.Header().Get("Location"))
		}
	}
	if after := h.settings(); after.Version != before.Version {
		t.Error("somebody who may not changed the settings")
	}
}

func TestPauseRotateAndDelete(t *testing.T) {
	h := newHouse(t)
	jobs, _ := h.sends(2)
	h.tries(jobs[0], 0, good)
	h.tries(jobs[1], time.Hour, func(a *webhook.Attempt) { a.Trace.Certificate = time.Now().Add(10*24*time.Hour + time.Hour) })
	h.shows(h.get("dev", ourPage), http.StatusOK, "50 %", "최근 2번의 시도", "p50 84 ms", "10일 남음", "곧 만료", "불안정", "운영 &lt;서버&gt;")
	h.shows(h.get("dev", endpointsAt), http.StatusOK, `<svg class="spark"`, "최근 2번의 시도에 걸린 시간: 84 ms에서 84 ms까지")
	h.shows(h.get("rival", endpointsAt), http.StatusOK)
	h.goesTo(h.post("dev", ourPage+"/pause", url.Values{"reason": {"배포"}}), ourPage)
	h.shows(h.get("dev", ourPage), http.StatusOK, "일시중지", "웹훅 1건을 보류하고", "다시 시작")
	h.shows(h.get("dev", deliveriesAt+"?state=held"), http.StatusOK, "보류: 주소 일시중지")
	h.goesTo(h.post("dev", ourPage+"/resume", nil), ourPage)

	old := h.endpointNamed("운영 <서버>").Secrets
	h.shows(h.get("dev", ourPage+"/rotate"), http.StatusOK, `value="24"`)
	for _, hours := range []string{"", "-1", "x", "721"} {
		h.shows(h.post("dev", ourPage+"/rotate", url.Values{"hours": {hours}}), http.StatusUnprocessableEntity, "720")
	}
	page := h.shows(h.post("dev", ourPage+"/rotate", url.Values{"hours": {"24"}, "reason": {"유출"}}), http.StatusOK, "지금만 볼 수 있어요")
	fresh := issuedIn(page)
	e := h.endpointNamed("운영 <서버>")
	if len(fresh) != 1 || e.Secrets[0].Reveal() != fresh[0] || len(e.Signing(time.Now())) != len(old)+1 || len(e.Signing(time.Now().Add(25*time.Hour))) != 1 {
		t.Fatalf("%d secrets sign, the old one until %v", len(e.Secrets), e.OldUntil)
	}
	if len(old) == 0 { // the first one has no old one beside it
		h.shows(h.post("dev", ourPage+"/rotate", url.Values{"hours": {"24"}}), http.StatusOK)
	}
	h.shows(h.get("dev", ourPage), http.StatusOK, "이전 키의 서명도 함께")
	h.shows(h.get("dev", ourPage+"/rotate"), http.StatusOK, "더 오래된 키는 바로 끝나요")
	h.goesTo(h.post("dev", ourPage+"/overlap", nil), ourPage)
	if e := h.endpointNamed("운영 <서버>"); len(e.Secrets) != 1 {
		t.Errorf("%d secrets after the overlap's end", len(e.Secrets))
	}
	h.shows(h.post("dev", ourPage+"/overlap", nil), http.StatusConflict)

	h.shows(h.get("dev", ourPage+"/delete"), http.StatusOK, "실패로 끝나요")
	h.shows(h.post("dev", ourPage+"/delete", nil), http.StatusUnprocessableEntity, "확인란")
	h.goesTo(h.post("dev", ourPage+"/delete", url.Values{"sure": {"on"}}), endpointsAt)
	h.shows(h.get("dev", ourPage), http.StatusNotFound)
	h.shows(h.get("dev", deliveriesAt+"/"+string(jobs[0].ID)), http.StatusOK, "삭제된 주소", "보낼 곳이 없어요")
}

// A call test shows what the receiver said, as text, and saves nothing.
func TestCallTestPage(t *testing.T) {
	h := newHouse(t)
	h.listens()
	var signed []string
	answer := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		signed = append(signed, r.Header.Get(webhook.HeaderSignature))
		switch r.URL.Path {
		case "/slash":
			w.Header().Set("Location", "/slash/")
			w.WriteHeader(http.StatusPermanentRedirect)
		case "/login":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, `<h1 onclick="steal()">로그인`)
		case "/denied":
			w.WriteHeader(http.StatusForbidden)
		default:
			w.Header().Set("X-Odd", "<b>")
			_, _ = io.WriteString(w, "ok")
		}
	}
	shop := httptest.NewServer(http.HandlerFunc(answer))
	t.Cleanup(shop.Close)
	version := h.settings().Version
	for path, texts := range map[string][]string{
		"/hook":   {"잘 받았어요", "x-odd: &lt;b&gt;", "이번에만 쓰는 키", "127.0.0.1"},
		"/slash":  {"끝의 /만 달라요", shop.URL + "/slash/"},
		"/login":  {"로그인 화면일 수 있어요", `&lt;h1 onclick=&#34;steal()&#34;&gt;`},
		"/denied": {"403", "이 서버의 IP 주소를 허용해"},
	} {
		form := endpointFields()
		form.Set("url", shop.URL+path)
		form.Set("name", "아직 저장 안 한 이름")
		page := h.shows(h.post("dev", endpointsAt+"/test", form), http.StatusOK, append(texts, "아직 저장 안 한 이름", "호출 테스트 결과")...)
		if strings.Contains(page, "<h1 onclick") {
			t.Error("the page has markup of the receiver's")
		}
	}
	form := endpointFields()
	form.Set("url", shop.URL+"/hook")
	form.Set("id", string(ourEndpoint))
	h.shows(h.post("stale-dev", endpointsAt+"/test", form), http.StatusOK, "잘 받았어요")
	if slices.Contains(signed, "") || h.settings().Version != version {
		t.Error("a call was not signed, or the settings changed")
	}
	log, err := h.Store.AuditLog(h.Context(), store.AuditQuery{Merchant: ours})
	if err != nil || len(log) == 0 || log[0].Action != "endpoint.tested" || log[0].Object != shop.URL+"/hook" || log[0].After[0].Text != "good" {
		t.Errorf("the log says %+v, %v", log[:min(1, len(log))], err)
	}
	for name, edit := range map[string]func(url.Values){
		"no URL": func(f url.Values) { f.Set("url", "shop") }, "no such event": func(f url.Values) { f.Set("test_event", "x") },
		"an event that V1 lacks": func(f url.Values) { f.Set("version", "v1"); f.Set("test_event", "Transaction.Failed") },
		"a form of JSON":         func(f url.Values) { f.Set("content_type", "form") }, "no store": func(f url.Values) { f.Del("store") },
		"no version": func(f url.Values) { f.Set("version", "") },
	} {
		form := maps.Clone(endpointFields())
		edit(form)
		if w := h.post("dev", endpointsAt+"/test", form); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: status %d, want 422", name, w.Code)
		}
	}
}

// A call test that is one too many says when to try again.
func TestTooManyCallTests(t *testing.T) {
	h := newHouse(t)
	h.listens()
	shop := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(shop.Close)
	form := endpointFields()
	form.Set("url", shop.URL)
	for range 20 {
		if w := h.post("owner", endpointsAt+"/test", form); w.Code != http.StatusOK {
			t.Fatalf("status %d", w.Code)
		}
	}
	w := h.post("owner", endpointsAt+"/test", form)
	again, err := strconv.Atoi(w.Header().Get("Retry-After"))
	if err != nil || again < 1 || again > 60 {
		t.Errorf("Retry-After: %q", w.Header().Get("Retry-After"))
	}
	h.shows(w, http.StatusTooManyRequests, "1분에 20번", strconv.Itoa(again)+"초 뒤에 다시")
	w = h.post("owner", Prefix+"/all/test/developers/events", url.Values{"type": {"Transaction.Paid"}, "endpoint": {string(ourEndpoint)}})
	h.shows(w, http.StatusTooManyRequests, "초 뒤에 다시")
	if w.Header().Get("Retry-After") == "" {
		t.Error("a sample that was one too many does not say when to try again")
	}
}
