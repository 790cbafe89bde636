package console

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// tested has tests of paths run in a house, with the endpoint of the main store at a shop.
func (h *house) tested(answer http.HandlerFunc) *house {
	h.Helper()
	h.opened()
	shop := httptest.NewServer(answer)
	h.Cleanup(shop.Close)
	h.Console.PathTests = &action.PathTests{Actions: h.Actions}
	h.Actions.Diagnose = func(a webhook.Attempt) (string, []any, bool) {
		f, found := delivery.Diagnose(a)
		key, args := f.Words("")
		return key, args, found
	}
	d := &delivery.Dispatcher{Queue: h.Store, Client: safehttp.New(safehttp.Config{AllowPrivate: true}), Log: slog.New(slog.DiscardHandler)}
	h.Store.OnDue(d.Wake)
	h.Store.Give(d)
	all := h.settings()
	all.Endpoints = append(all.Endpoints, webhook.Endpoint{
		ID: webhook.EndpointID(storetest.NewID()), Merchant: ours, Store: main1, Name: "주문<script>\u202e서버", URL: shop.URL, Mode: merchant.Test,
		Events: []string{"*"}, Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.PortOne, Secrets: []secret.Text{"whsec_QUJD"}, CreatedAt: time.Now(),
	})
	for i := range all.Channels {
		if all.Channels[i].Key == oursTest {
			all.Channels[i].Name = "<img src=x>\u202e"
		}
	}
	if err := h.Store.SaveSettings(h.Context(), all, time.Now()); err != nil {
		h.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(h.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { _ = d.Run(ctx) })
	wg.Go(func() { _ = h.Console.PathTests.Run(ctx) })
	h.Cleanup(func() { stop(); wg.Wait() })
	return h
}

// ran is a test of the channel's path, begun by a press and waited for.
func (h *house) ran(as string) (path string, x notice.PathTest) {
	h.Helper()
	w := h.post(as, integrationPath+"/"+string(oursTest)+"/run", url.Values{})
	path = w.Header().Get("Location")
	_, id, ok := strings.Cut(path, "/integration/runs/")
	if w.Code != http.StatusSeeOther || !ok {
		h.Fatalf("the press led with %d to %q: %s", w.Code, path, firstLines(w.Body.String()))
	}
	late := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		x, err := h.Store.PathTest(h.Context(), id)
		if err != nil {
			h.Fatal(err)
		}
		if !x.EndedAt.IsZero() {
			return path, x
		}
		select {
		case <-tick.C:
		case <-late:
			h.Fatalf("it does not end: %+v", x.Rungs)
		}
	}
}

// TestRunPath runs the path of a channel from the page, against a shop that takes the webhook
// and one that does not.
func TestRunPath(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	status := http.StatusOK
	h := newHouse(t).tested(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if status == http.StatusFound {
			w.Header().Set("Location", "https://shop.example/private?who=hong")
		}
		w.WriteHeader(status)
	})
	path, x := h.ran("dev")
	if !x.Good || x.By == "" {
		t.Errorf("it went %+v", x)
	}
	page := h.shows(h.get("read_only", path), http.StatusOK, "끝까지 성공", "API로 다시 읽으면", "입금통보", "상점 응답", "다시 시험하기", "개발 담당(Dev)부터",
		`/deliveries/`, "&lt;img", "주문&lt;script&gt;")
	if strings.ContainsRune(page, '\u202e') || strings.Contains(page, "<script>") || strings.Contains(page, "<img src=x>") {
		t.Error("a name is markup on the page")
	}
	if w := h.get("dev", path); w.Header().Get("Refresh") != "" {
		t.Error("a test that has ended is loaded again")
	}
	h.shows(h.get("read_only", integrationPath), http.StatusOK, "마지막 시험", "끝까지 성공", x.ID)
	for _, next := range []int{http.StatusInternalServerError, http.StatusFound} {
		mu.Lock()
		status = next
		mu.Unlock()
		path, x = h.ran("dev")
		h.shows(h.get("dev", path), http.StatusOK, "중간에 멈춤", "1곳 가운데 0곳")
	}
	h.shows(h.get("dev", path), http.StatusOK, "shop.example/private")
	if page := h.shows(h.get("read_only", path), http.StatusOK, "상점이 받지 않았어요"); strings.Contains(page, "shop.example") {
		t.Error("who may only look is told where the shop redirects to")
	}
	if n := len(h.audited(oursTest, "channel.path_tested")); n != 3 {
		t.Errorf("%d entries in the audit log, want 3", n)
	}
	for _, as := range []string{"rival", "branch"} {
		if w := h.get(as, Prefix+"/all/test/integration/runs/"+x.ID); w.Code != http.StatusNotFound {
			t.Errorf("%s sees the test: %d", as, w.Code)
		}
		if w := h.post(as, Prefix+"/all/test/integration/"+string(oursTest)+"/run", url.Values{}); w.Code != http.StatusNotFound {
			t.Errorf("%s runs a test: %d", as, w.Code)
		}
	}
	if w := h.post("read_only", integrationPath+"/"+string(oursTest)+"/run", url.Values{}); w.Code != http.StatusForbidden {
		t.Errorf("who may only look runs a test: %d", w.Code)
	}
	if w := h.get("dev", strings.Replace(path, "/test/", "/live/", 1)); w.Code != http.StatusNotFound {
		t.Errorf("in live mode: %d", w.Code)
	}
}

// TestPathGoesOn: a page of a test that goes on is loaded again, and one whose server is gone
// says so.
func TestPathGoesOn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	x := notice.PathTest{ID: storetest.NewID(), Channel: oursTest, Store: main1, Payment: "tongbotest1", StartedAt: time.Now(), SeenAt: time.Now()}
	if err := h.Store.KeepPathTest(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	path := integrationPath + "/runs/" + x.ID
	w := h.get("dev", path)
	h.shows(w, http.StatusOK, "시험 중", "스스로 새로 고쳐져요")
	if w.Header().Get("Refresh") == "" {
		t.Error("it is not loaded again")
	}
	x.SeenAt = time.Now().Add(-time.Hour)
	if err := h.Store.KeepPathTest(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	w = h.get("dev", path)
	h.shows(w, http.StatusOK, "시험하던 서버가 멈췄어요")
	if w.Header().Get("Refresh") != "" {
		t.Error("it is loaded again for ever")
	}
}

// TestPathTooOften: as many are begun as test notices may be sent.
func TestPathTooOften(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Console.PathTests = &action.PathTests{Actions: h.Actions} // nobody runs what it begins
	run := integrationPath + "/" + string(oursTest) + "/run"
	for range action.RehearsalsOfMember {
		if w := h.post("dev", run, url.Values{}); w.Code != http.StatusSeeOther {
			t.Fatalf("%d %s", w.Code, firstLines(w.Body.String()))
		}
	}
	h.shows(h.post("dev", run, url.Values{}), http.StatusTooManyRequests, "id=\"pg-kcp\"")
}
