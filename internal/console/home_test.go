package console

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

const homePath = Prefix + "/all/test/"

// endpoint gives the main store an endpoint.
func (h *house) endpoint() webhook.EndpointID {
	h.Helper()
	x, err := h.Store.Settings(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	id := webhook.EndpointID(storetest.NewID())
	x.Endpoints = append(x.Endpoints, webhook.Endpoint{
		ID: id, Merchant: ours, Store: main1, Name: "주문 서버", URL: "http://127.0.0.1:9/webhook", Mode: merchant.Test, Events: []string{"*"},
		Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.PortOne, Secrets: []secret.Text{webhook.NewSecret()}, CreatedAt: time.Now().UTC(),
	})
	if err := h.Store.SaveSettings(h.Context(), x, time.Now()); err != nil {
		h.Fatal(err)
	}
	return id
}

// sent registers an account, and ends the webhook of it with one try.
func (h *house) sent(order string, o webhook.Outcome) payment.Payment {
	h.Helper()
	p, _, err := h.Actions.RegisterAccount(h.Context(), action.Caller{Merchant: ours, Store: main1, Mode: merchant.Test}, payment.Registration{
		ID: payment.ID(order), Channel: oursTest, OrderName: "<i>텀블러</i>", Amount: payment.Won(59000),
		Account: payment.Account{Bank: "SHINHAN", Number: secret.Account("110123456789"), ExpiresAt: time.Now().Add(time.Hour)},
	})
	if err != nil {
		h.Fatal(err)
	}
	c, err := h.Store.Claim(h.Context(), time.Now(), time.Minute, webhook.Room{Total: 10, Retries: 10, Of: func(string, []webhook.Job) int { return 10 }})
	if err != nil {
		h.Fatal(err)
	}
	for _, j := range c.Jobs {
		f := webhook.Finish{Job: j, State: webhook.Undone, Attempt: webhook.Attempt{
			ID: webhook.AttemptID(storetest.NewID()), Delivery: j.ID, Webhook: j.ID, Endpoint: j.Endpoint, Number: 1, At: time.Now().UTC(),
			Took: 84 * time.Millisecond, URL: j.URL, Outcome: o, Status: 200,
		}}
		if o == webhook.Good {
			f.State = webhook.Completed
		}
		if errs, err := h.Store.Finish(h.Context(), []webhook.Finish{f}); err != nil || errs[0] != nil {
			h.Fatal(err, errs)
		}
	}
	return p
}

// fresh forgets what pages keep for some seconds.
func (h *house) fresh() {
	h.Console.front = homeFigures{}
	h.Console.Desk.Recount()
}

// TestHome follows the checklist of a new store: each step is ticked by what happened.
func TestHome(t *testing.T) {
	h := newHouse(t)
	body := h.shows(h.get("owner", homePath), http.StatusOK, "6개 중 2개 했어요", "시뮬레이터 열기", "시험 통보 보내기", "이 기간에 보낸 웹훅이 없어요. 데이터 없음", "KCP 시험")
	if strings.Contains(body, "<svg class=\"chart\"") {
		t.Error("a chart of nothing")
	}
	h.shows(h.get("read_only", homePath), http.StatusOK, "개발 담당(Dev)부터 할 수 있어요.")
	h.shows(h.get("owner", Prefix+"/all/live/"), http.StatusOK, "6개 중 1개 했어요", "이 모드에는 아직 결제 채널이 없어요.")

	h.told(oursTest, "203.0.113.7", payment.Refused)
	h.fresh()
	h.shows(h.get("owner", homePath), http.StatusOK, "6개 중 2개 했어요", "여기서 막혀요")
	h.told(oursTest, "127.0.0.1", payment.Recorded, func(_ *notice.Inbound, r *notice.Ruling) { r.Reason = notice.ReasonRehearsal })
	h.fresh()
	body = h.shows(h.get("owner", homePath), http.StatusOK, "6개 중 3개 했어요", "시뮬레이터 열기", "웹훅 주소 만들기")
	if strings.Contains(body, "호출 테스트 하기") {
		t.Error("a step is next before the one that it needs")
	}
	h.told(oursTest, "127.0.0.1", payment.Recorded)
	h.fresh()
	h.shows(h.get("owner", homePath), http.StatusOK, "6개 중 4개 했어요", "웹훅 주소 만들기")
	h.endpoint()
	h.sent("order-1", webhook.NoAnswer)
	h.fresh()
	h.shows(h.get("owner", homePath), http.StatusOK, "6개 중 5개 했어요", "호출 테스트 하기", "실패 1건", `class="count">3<`)
	h.sent("order-2", webhook.Good)
	h.fresh()
	body = h.shows(h.get("owner", homePath), http.StatusOK, "입금 대기", "50.0%", "기한 임박", "<svg class=\"chart\"", "표로 보기")
	if !strings.Contains(body, "처음 할 일을 모두 마쳤어요") || !strings.Contains(body, "6개 중 6개 했어요") {
		t.Error("nobody is told that all is done")
	}
	if body := h.shows(h.get("read_only", homePath), http.StatusOK); strings.Contains(body, "처음 할 일") {
		t.Error("who set nothing up is told that all is done")
	}
	away := h.post("owner", Prefix+"/all/test/steps", nil)
	h.goesTo(away, homePath)
	again := httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+homePath, nil)
	for _, c := range away.Result().Cookies() {
		again.AddCookie(c)
	}
	if body := h.shows(h.send("owner", again), http.StatusOK); strings.Contains(body, "처음 할 일") {
		t.Error("the checklist is there although it was put away")
	}
	if len(body) > 60<<10 {
		t.Errorf("the page weighs %d bytes", len(body))
	}
	for _, r := range []string{"hour", "week", "nonsense"} {
		h.shows(h.get("dev", homePath+"?range="+r), http.StatusOK, "<svg class=\"chart\"")
	}
	at := time.Date(2026, 11, 20, 12, 15, 0, 0, time.UTC)
	h.goesTo(h.get("dev", fmt.Sprintf("%s?range=day&bar=%d", homePath, at.Unix())),
		homePath+"deliveries?from=2026-11-20T12%3A15%3A00Z&until=2026-11-20T12%3A29%3A59Z")
	h.shows(h.get("dev", homePath+"?bar=x"), http.StatusNotFound)
	body = h.shows(h.get("rival", homePath), http.StatusOK, "6개 중 2개 했어요")
	if strings.Contains(body, "주문 서버") || strings.Contains(body, "50.0%") {
		t.Error("another merchant sees our figures")
	}
}

// TestRegistered: only what came from the PG's own address shows that it knows the notice
// URL, and a PG that is played here shows nothing of a real one.
func TestRegistered(t *testing.T) {
	t.Parallel()
	v := &visit{c: &Console{Actions: &action.Actions{Providers: all.ByCode}}}
	called, played := attention.ChannelState{Channel: merchant.Channel{Provider: "kcp_v2", Mode: merchant.Live}}, attention.ChannelState{Channel: merchant.Channel{Provider: "kcp_v2", Mode: merchant.Test}}
	with := func(s attention.ChannelState, edit func(*attention.ChannelState)) attention.ChannelState {
		edit(&s)
		return s
	}
	tested := func(s *attention.ChannelState) { s.Tested.ID = "n" }
	heard := func(s *attention.ChannelState) { s.FromPG.ID = "n" }
	for name, c := range map[string]struct {
		states []attention.ChannelState
		key    string
		done   bool
	}{
		"no channel":                {nil, "registered", false},
		"nothing came":              {[]attention.ChannelState{called}, "registered", false},
		"a test notice":             {[]attention.ChannelState{with(called, tested)}, "registered", false},
		"a notice of the PG":        {[]attention.ChannelState{called, with(called, heard)}, "registered", true},
		"a played PG beside it":     {[]attention.ChannelState{called, with(played, heard)}, "registered", false},
		"a played PG, nothing came": {[]attention.ChannelState{played, with(played, tested)}, "registered_played", false},
		"a played PG that told":     {[]attention.ChannelState{played, with(played, heard)}, "registered_played", true},
	} {
		if s := v.registered(c.states); s.Key != c.key || s.Done != c.done {
			t.Errorf("%s: %s, done %v; want %s, %v", name, s.Key, s.Done, c.key, c.done)
		}
	}
}

func TestBrokenStage(t *testing.T) {
	stage := func(n int, last time.Duration) store.Stage {
		return store.Stage{N: n, Last: time.Unix(1e9, 0).Add(last)}
	}
	for _, tc := range []struct {
		name string
		s    attention.ChannelState
		f    store.Flow
		down bool
		want int
	}{
		{"nothing", attention.ChannelState{}, store.Flow{}, false, -1},
		{"silent", attention.ChannelState{Setup: attention.Silent}, store.Flow{}, true, 0},
		{"all refused", attention.ChannelState{Last: attention.Heard{ID: "n", Verdict: payment.Refused}}, store.Flow{Notices: stage(3, 0)}, false, 1},
		{"all recorded", attention.ChannelState{Last: attention.Heard{ID: "n", Verdict: payment.Recorded}}, store.Flow{Notices: stage(3, 0)}, false, -1},
		{"no webhook", attention.ChannelState{}, store.Flow{Notices: stage(3, 0), Applied: stage(2, 0)}, false, 2},
		{"no answer", attention.ChannelState{}, store.Flow{Applied: stage(2, 0), Webhooks: stage(2, 0)}, false, 3},
		{"none since it is down", attention.ChannelState{}, store.Flow{Applied: stage(2, 0), Webhooks: stage(2, time.Hour), Answered: stage(1, 0)}, true, 3},
		{"another endpoint is down", attention.ChannelState{}, store.Flow{Applied: stage(2, 0), Webhooks: stage(2, 0), Answered: stage(2, time.Hour)}, true, -1},
		{"all well", attention.ChannelState{}, store.Flow{Notices: stage(3, 0), Applied: stage(2, 0), Webhooks: stage(2, 0), Answered: stage(2, 0)}, false, -1},
	} {
		if got := brokenStage(tc.s, tc.f, tc.down); got != tc.want {
			t.Errorf("%s: %d, want %d", tc.name, got, tc.want)
		}
	}
}
