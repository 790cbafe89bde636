package console

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/trial"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

const developersOfMain = Prefix + "/" + string(main1) + "/test/developers"

// endpointAt adds an endpoint to a store and returns it.
func (h *house) endpointAt(s merchant.StoreID, m merchant.Mode, address string, edit func(*webhook.Endpoint)) webhook.Endpoint {
	h.Helper()
	x := h.settings()
	e := webhook.Endpoint{
		ID: webhook.EndpointID(uuid.Must(uuid.NewV7()).String()), Merchant: ours, Store: s, Name: "주문 서버 " + string(m), URL: address, Mode: m, Events: []string{"*"},
		Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.Default, CreatedAt: time.Now(),
	}
	if s == rival1 {
		e.Merchant = theirs
	}
	e.Secrets = append(e.Secrets, webhook.NewSecret())
	if edit != nil {
		edit(&e)
	}
	x.Endpoints = append(x.Endpoints, e)
	if err := h.Store.SaveSettings(h.Context(), x, time.Now()); err != nil {
		h.Fatal(err)
	}
	return e
}

func TestEventsPage(t *testing.T) {
	h := newHouse(t)
	for _, typ := range append(webhook.PortOneTypes(), webhook.OwnTypes()...) {
		page := h.shows(h.get("dev", developersOfMain+"/events?type="+string(typ)), http.StatusOK, "<svg", "결제의 상태", string(typ))
		for _, s := range samples(typ, merchant.Store{ID: main1, Merchant: ours}, merchant.Test) {
			if !strings.Contains(page, html.EscapeString(s.Body)) && !strings.Contains(page, strings.ReplaceAll(html.EscapeString(s.Body), "+", "&#43;")) {
				t.Errorf("%s: the sample of %s %s is not on the page, byte for byte: %s", typ, s.Version, s.ContentType, s.Body)
			}
		}
		if len(page) > 60<<10 {
			t.Errorf("%s: the page has %d bytes, want 60 KB at most", typ, len(page))
		}
	}
	h.shows(h.get("dev", developersOfMain+"/events?type=Transaction.Lost"), http.StatusNotFound)
	h.shows(h.get("dev", Prefix+"/all/live/developers/events"), http.StatusOK, "테스트 모드의 웹훅 주소로만", "disabled")
	h.shows(h.get("read_only", developersOfMain+"/events"), http.StatusForbidden)
}

// Every way of the picture is one that the rules know: the event's type says so.
func TestStateMachine(t *testing.T) {
	for _, s := range moves() {
		if _, ok := statePlaces[s.From]; !ok {
			t.Errorf("%s has no place", s.From)
		}
		if _, ok := statePlaces[s.To]; !ok {
			t.Errorf("%s has no place", s.To)
		}
	}
	for _, l := range words.Langs() {
		pic := string(newStateMachine(l).Picture)
		if strings.Contains(pic, "style=") || !strings.Contains(pic, "<title") || !strings.Contains(pic, "<desc") || strings.Count(pic, "<rect") != len(statePlaces) {
			t.Errorf("the picture in %s is %s", l, pic)
		}
	}
}

func TestSendSample(t *testing.T) {
	h := newHouse(t)
	var got *http.Request
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Clone(r.Context())
		b := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(b)
		got.Header.Set("X-Body", string(b))
		_, _ = w.Write([]byte(`<script>alert("1")</script>` + "\u202e"))
	}))
	defer shop.Close()
	e := h.endpointAt(main1, merchant.Test, shop.URL, nil)
	old := h.endpointAt(main1, merchant.Test, shop.URL, func(e *webhook.Endpoint) { e.Name, e.Version = "옛 서버", webhook.V1 })
	live := h.endpointAt(main1, merchant.Live, shop.URL, nil)
	foreign := h.endpointAt(rival1, merchant.Test, shop.URL, nil)
	page := h.shows(h.post("dev", developersOfMain+"/events", url.Values{"type": {"Transaction.Paid"}, "endpoint": {string(e.ID)}}), http.StatusOK, "보냈어요", "<code>200</code>")
	if strings.Contains(page, `<script>alert`) || strings.Contains(page, "\u202e") || strings.Contains(page, e.Secrets[0].Reveal()) {
		t.Error("the answer is markup, or the page shows a secret")
	}
	if got == nil {
		t.Fatal("nothing was sent")
	}
	w, err := standardwebhooks.NewWebhook(e.Secrets[0].Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Verify([]byte(got.Header.Get("X-Body")), got.Header); err != nil {
		t.Errorf("the sample's signature: %v", err)
	}
	got = nil
	for name, c := range map[string]struct {
		path string
		form url.Values
		code int
	}{
		"no endpoint":        {developersOfMain, url.Values{"type": {"Transaction.Paid"}}, 422},
		"no type":            {developersOfMain, url.Values{"endpoint": {string(e.ID)}}, 404},
		"a live endpoint":    {developersOfMain, url.Values{"type": {"Transaction.Paid"}, "endpoint": {string(live.ID)}}, 422},
		"a rival's endpoint": {developersOfMain, url.Values{"type": {"Transaction.Paid"}, "endpoint": {string(foreign.ID)}}, 422},
		"in live mode":       {Prefix + "/all/live/developers", url.Values{"type": {"Transaction.Paid"}, "endpoint": {string(e.ID)}}, 422},
		"no payload of it":   {developersOfMain, url.Values{"type": {"BillingKey.Issued"}, "endpoint": {string(old.ID)}}, 422},
	} {
		h.shows(h.post("dev", c.path+"/events", c.form), c.code)
		if got != nil {
			t.Errorf("%s: it was sent", name)
		}
	}
}

func TestSignaturePage(t *testing.T) {
	h := newHouse(t)
	e := h.endpointAt(main1, merchant.Test, "https://shop.example.kr/", nil)
	foreign := h.endpointAt(rival1, merchant.Test, "https://shop.example.kr/", nil)
	body := `{"type":"Transaction.Paid","timestamp":"2026-11-22T05:59:00.000Z","data":{"storeId":"s","paymentId":"<b>주문\u202e","transactionId":"t"}}`
	at := time.Now()
	header := func(keys webhook.Endpoint) string {
		s, err := webhook.Sign("whk_1", at, []byte(body), keys.Secrets...)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("webhook-id: whk_1\nwebhook-timestamp: %d\nwebhook-signature: %s\nx: <i>", at.Unix(), s)
	}
	form := func(header, body string) url.Values {
		return url.Values{"endpoint": {string(e.ID)}, "header": {header}, "body": {body}}
	}
	h.shows(h.get("dev", developersOfMain+"/signature"), http.StatusOK, "주문 서버 test")
	for name, c := range map[string]struct {
		form url.Values
		want string
	}{
		"as it came":    {form(header(e), body), "서명이 맞아요"},
		"spaced":        {form(header(e), strings.ReplaceAll(body, ",", ", ")), "공백이나 줄바꿈"},
		"of nobody":     {form("hello", body), "webhook-id 헤더가 없어요"},
		"of a rival":    {form(header(foreign), body), "어떤 비밀키로도"},
		"nothing of it": {form("", ""), "webhook-signature 헤더가 없어요"},
	} {
		page := h.shows(h.post("dev", developersOfMain+"/signature", c.form), http.StatusOK, c.want)
		if strings.Contains(page, "<b>주문") || strings.Contains(page, "<i>") || strings.Contains(page, e.Secrets[0].Reveal()) || strings.Contains(page, foreign.Secrets[0].Reveal()) {
			t.Errorf("%s: the page has markup of outside, or a secret", name)
		}
		if (c.want == "서명이 맞아요") != strings.Contains(page, "서명이 맞아요") {
			t.Errorf("%s: the page says that it fits", name)
		}
	}
	other := form(header(e), body)
	other.Set("endpoint", string(foreign.ID))
	h.shows(h.post("dev", developersOfMain+"/signature", other), http.StatusUnprocessableEntity, "골라 주세요")
	h.shows(h.post("dev", Prefix+"/all/live/developers/signature", form(header(e), body)), http.StatusUnprocessableEntity)
}

// play has the house's test channels be on trial, with an ingress on loopback.
func (h *house) play() {
	h.Helper()
	h.Ingress.Rehearsals = h.Store
	ctx, stop := context.WithCancel(context.WithoutCancel(h.Context()))
	done := make(chan error, 1)
	go func() { done <- h.Ingress.Run(ctx) }()
	srv := httptest.NewServer(h.Ingress)
	h.Cleanup(func() {
		srv.Close()
		stop()
		if err := <-done; err != nil {
			h.Error(err)
		}
	})
	h.Actions.Trial = func(p provider.Provider) provider.Provider { return trial.PG{Provider: p, Ledger: h.Store} }
	h.Actions.HTTP = safehttp.New(safehttp.Config{AllowPrivate: true})
	h.Actions.NotifyFrom = h.Ingress.PlayFrom
	h.Actions.Own = func() (*http.Client, string) { return h.Actions.HTTP, srv.URL }
}

func TestSimulatorPage(t *testing.T) {
	h := newHouse(t)
	h.play()
	at := developersOfMain + "/simulator"
	h.shows(h.get("dev", at), http.StatusOK, "KCP 시험 · kcp", "EUC-KR 이름의 입금")
	form := url.Values{"channel": {string(oursTest)}, "act": {"deposit"}, "count": {"2"}, "spacing": {"1"}, "depositor": {"<b>홍길동"}, "amount": {"59000"}}
	page := h.shows(h.post("dev", at, form), http.StatusOK, "2건 중 2건", "₩59,000", "결제 완료", "반영", "PG는 다시 보내지 않아요", "/notices/", "/kcp_payments/notice_vbank/")
	if strings.Contains(page, "<b>홍") {
		t.Error("the depositor is markup")
	}
	for act, want := range map[string]string{
		"issue": "통보가 없어요", "duplicate": "같은 바이트를 다시", "euckr": "똠방각하", "wrong-amount": "불일치", "unknown-address": "203.0.113.77", "reverse": "입금취소 통보",
	} {
		form := url.Values{"channel": {string(oursTest)}, "act": {act}, "count": {"1"}, "spacing": {"0"}}
		h.shows(h.post("dev", at, form), http.StatusOK, want)
	}
	for name, c := range map[string]struct{ field, value, want string }{
		"no channel":        {"channel", "", "채널을 골라"},
		"a rival's channel": {"channel", string(rivalTest), "채널을 골라"},
		"no event":          {"act", "steal", "there is no event"},
		"no signature":      {"act", "bad-signature", "proves nothing"},
		"too many":          {"count", "51", "1부터 50까지"},
		"none":              {"count", "0", "1부터 50까지"},
		"no number":         {"count", "x", "1부터 50까지"},
		"far apart":         {"spacing", "5001", "5,000밀리초"},
		"no amount":         {"amount", "-1", "정수"},
		"half a won":        {"amount", "0.5", "정수"},
	} {
		bad := url.Values{}
		for k, v := range form {
			bad[k] = slices.Clone(v)
		}
		bad.Set(c.field, c.value)
		page := h.shows(h.post("dev", at, bad), http.StatusUnprocessableEntity, c.want)
		if strings.Contains(page, `id="result"`) {
			t.Errorf("%s: something happened", name)
		}
	}
	long := url.Values{"channel": {string(oursTest)}, "act": {"deposit"}, "count": {"50"}, "spacing": {"5000"}}
	h.shows(h.post("dev", at, long), http.StatusUnprocessableEntity, "40초")
	h.shows(h.get("dev", Prefix+"/all/live/developers/simulator"), http.StatusOK, "테스트 모드에서만")
	h.shows(h.post("dev", Prefix+"/all/live/developers/simulator", form), http.StatusUnprocessableEntity, "테스트 모드에서만")
	h.shows(h.post("manager", at, form), http.StatusForbidden)
}

func TestListenPages(t *testing.T) {
	h := newHouse(t)
	open := func(s merchant.StoreID, m merchant.ID, mode merchant.Mode) webhook.Listener {
		t.Helper()
		l, _, err := h.Console.Listen.Open(t.Context(), webhook.Listener{
			Merchant: m, Store: s, Mode: mode, Credential: uuid.NewString(), Name: "<b>노트북\u202e " + string(s)[len(s)-1:] + string(mode), Forward: "http://localhost:3000/<i>",
		})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	mine, live, branch, foreign := open(main1, ours, merchant.Test), open(main1, ours, merchant.Live), open(branch1, ours, merchant.Test), open(rival1, theirs, merchant.Test)
	at := developersOfMain + "/listen"
	id := func(l webhook.Listener) string { return webhook.ListenerPrefix + string(l.ID) }
	page := h.shows(h.get("dev", at), http.StatusOK, "tongbo listen --server https://pay.example.kr --forward localhost:3000/webhook", id(mine), "연결됨")
	for _, bad := range []string{id(live), id(branch), id(foreign), mine.Secret.Reveal(), "<b>노트북", "<i>", "\u202e"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page shows %q", bad)
		}
	}
	h.shows(h.get("dev", Prefix+"/all/test/developers/listen"), http.StatusOK, id(mine), id(branch))
	h.shows(h.get("dev", Prefix+"/all/live/developers/listen"), http.StatusOK, id(live), "--live")
	one := h.shows(h.get("dev", at+"/"+id(mine)), http.StatusOK, "아직 보낸 것이 없어요")
	if strings.Contains(one, mine.Secret.Reveal()) || strings.Contains(one, "<b>노트북") {
		t.Error("the session's page shows a secret, or markup of outside")
	}
	for _, c := range [][2]string{
		{"dev", at + "/" + id(live)}, {"dev", at + "/" + id(branch)}, {"dev", at + "/" + id(foreign)}, {"dev", at + "/" + string(mine.ID)}, {"dev", at + "/lsn_x"},
		{"rival", Prefix + "/all/test/developers/listen/" + id(mine)}, {"branch", Prefix + "/" + string(branch1) + "/test/developers/listen/" + id(mine)},
	} {
		h.shows(h.get(c[0], c[1]), http.StatusNotFound)
		h.shows(h.post(c[0], c[1]+"/end", nil), http.StatusNotFound)
	}
	h.shows(h.post("manager", at+"/"+id(mine)+"/end", nil), http.StatusForbidden)
	h.goesTo(h.post("dev", at+"/"+id(mine)+"/end", nil), at)
	h.shows(h.get("dev", at), http.StatusOK, "열린 세션이 없어요")
	log, err := h.Store.AuditLog(t.Context(), store.AuditQuery{Merchant: ours, Object: id(mine), Limit: 10})
	if err != nil || len(log) != 1 || log[0].Action != "listener.ended" || log[0].By.Name != "dev@example.kr" {
		t.Errorf("the audit log says %+v, %v", log, err)
	}
}

// TestHeardOnTheTimeline: what a laptop answered stands in a payment's story, and is no
// failure of anybody's.
func TestHeardOnTheTimeline(t *testing.T) {
	p := newPost(t)
	l, _, err := p.Console.Listen.Open(t.Context(), webhook.Listener{
		Merchant: ours, Store: main1, Mode: merchant.Test, Credential: uuid.NewString(), Name: "노트북",
	})
	if err != nil {
		t.Fatal(err)
	}
	x := p.waits("1001")
	events, _, err := p.Store.NextEvents(t.Context(), []merchant.StoreID{main1}, merchant.Test, "00000000-0000-0000-0000-000000000000", 10)
	if err != nil || len(events) == 0 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	for i, a := range []webhook.Listened{{Status: 500}, {Error: "connection refused <b>"}} {
		a.Item, a.Number, a.At, a.URL = string(events[0].ID), i+1, time.Now(), "http://localhost:3000/<i>"
		if err := p.Console.Listen.Report(t.Context(), l, a); err != nil {
			t.Fatal(err)
		}
	}
	at := paymentsPath + "/" + string(x.Key)
	page := p.shows(p.get("dev", at), http.StatusOK, "개발자의 컴퓨터 (http://localhost:3000/&lt;i&gt;)", "500", "connection refused &lt;b&gt;", "/developers/listen/"+webhook.ListenerPrefix)
	if strings.Contains(page, "<i>") {
		t.Error("an address from outside is markup")
	}
	if page := p.shows(p.get("read_only", at), http.StatusOK, "개발자의 컴퓨터"); strings.Contains(page, "/developers/listen/") {
		t.Error("a page that is not theirs is linked")
	}
	if page := p.shows(p.get("dev", at+"?only=failed"), http.StatusOK); strings.Contains(page, "개발자의 컴퓨터") {
		t.Error("a laptop's answer counts as a failure")
	}
}
