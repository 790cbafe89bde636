package console

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

const (
	ourEndpoint   = webhook.EndpointID("00000000-0000-7000-8000-0000000000e1")
	rivalEndpoint = webhook.EndpointID("00000000-0000-7000-8000-0000000000e3")
	deliveriesAt  = Prefix + "/all/test/deliveries"
	resendsAt     = deliveriesAt + "/resend"
)

// listens gives both merchants an endpoint.
func (h *house) listens() {
	h.Helper()
	x, now := h.settings(), time.Now() // of one moment, so that ours is the first by its id
	for id, s := range map[webhook.EndpointID]merchant.StoreID{ourEndpoint: main1, rivalEndpoint: rival1} {
		m := ours
		if s == rival1 {
			m = theirs
		}
		x.Endpoints = append(x.Endpoints, webhook.Endpoint{
			ID: id, Merchant: m, Store: s, Name: "운영 <서버>", URL: "https://shop.example/hook?key=1", Mode: merchant.Test,
			Events: []string{"*"}, Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.PortOne, CreatedAt: now,
		})
	}
	if err := h.Store.SaveSettings(h.Context(), x, time.Now()); err != nil {
		h.Fatal(err)
	}
}

// claims leases all deliveries that are due.
func (h *house) claims(at time.Time) []webhook.Job {
	h.Helper()
	c, err := h.Store.Claim(h.Context(), at, time.Minute, webhook.Room{Total: 100, Retries: 100, Of: func(string, []webhook.Job) int { return 100 }})
	if err != nil {
		h.Fatal(err)
	}
	return c.Jobs
}

// tries ends the try of a job; another follows after next, if that is not zero.
func (h *house) tries(j webhook.Job, next time.Duration, edit func(*webhook.Attempt)) {
	h.Helper()
	a := webhook.Attempt{
		ID: webhook.AttemptID(uuid.Must(uuid.NewV7()).String()), Delivery: j.ID, Webhook: j.ID, Endpoint: j.Endpoint, Number: j.Tries + 1,
		At: time.Now(), Took: 84 * time.Millisecond, URL: "https://shop.example/hook?key=1", Outcome: webhook.BadAnswer, Status: 500,
		RequestHeader: "content-type: application/json\nwebhook-id: " + j.WebhookID(), RequestBody: j.Body, ResponseHeader: "x: y",
	}
	if j.Original != "" {
		a.Webhook = j.Original
	}
	if edit != nil {
		edit(&a)
	}
	f := webhook.Finish{Job: j, Attempt: a, State: webhook.Undone}
	switch {
	case a.Outcome == webhook.Good:
		f.State = webhook.Completed
	case next > 0:
		f.State, f.Next = webhook.Waiting, time.Now().Add(next)
	}
	errs, err := h.Store.Finish(h.Context(), []webhook.Finish{f})
	if err != nil || errs[0] != nil {
		h.Fatal(err, errs)
	}
}

// sends has our shop told of n payments, and the rival's of one.
func (h *house) sends(n int) (jobs []webhook.Job, rivals webhook.Job) {
	h.Helper()
	h.listens()
	var list []sale
	for i := range n {
		list = append(list, sale{store: main1, id: fmt.Sprintf("p-%d", i), name: "텀블러", account: "110", amount: 1000})
	}
	h.sells(append(list, sale{store: rival1, id: "p-rival", name: "남의 것", account: "111", amount: 1000})...)
	for _, j := range h.claims(time.Now()) {
		if j.Merchant == theirs {
			rivals = j
		} else {
			jobs = append(jobs, j)
		}
	}
	if len(jobs) != n || rivals.ID == "" {
		h.Fatalf("%d jobs, and %q", len(jobs), rivals.ID)
	}
	return jobs, rivals
}

func good(a *webhook.Attempt) { a.Outcome, a.Status = webhook.Good, 200 }

func TestDeliveriesPage(t *testing.T) {
	h := newHouse(t)
	h.shows(h.get("read_only", deliveriesAt), http.StatusOK, "아직 보낸 웹훅이 없어요", "이상만 다시 보낼 수")
	jobs, rivals := h.sends(3)
	h.tries(jobs[0], 0, good)
	h.tries(jobs[1], time.Hour, nil)
	h.tries(jobs[2], 0, func(a *webhook.Attempt) {
		a.Outcome, a.Status, a.Cause = webhook.NoConnect, 0, webhook.CauseRefused
	})
	h.tries(rivals, 0, good)
	page := h.shows(h.get("dev", deliveriesAt), http.StatusOK, "완료", "1/6회 실패", "✕○○○○○", "연결 거부", "운영 &lt;서버&gt;", "p-1", "3건")
	if strings.Contains(page, string(rivals.ID)) || strings.Contains(page, "<서버>") {
		t.Error("the list shows another merchant's delivery, or markup from outside")
	}
	for query, want := range map[string]int{
		"?state=completed": 1, "?state=waiting": 1, "?state=failed": 1, "?state=held": 0, "?endpoint=" + string(ourEndpoint): 3,
		"?type=Transaction.VirtualAccountIssued": 3, "?type=Transaction.Paid": 0, "?from=2020-01-01": 3, "?until=2020-01-01": 0,
	} {
		page := h.shows(h.get("dev", deliveriesAt+query), http.StatusOK)
		if got := strings.Count(page, `<tr id="d-`); got != want {
			t.Errorf("%s: %d rows, want %d", query, got, want)
		}
	}
	for _, query := range []string{"?state=x", "?endpoint=" + string(rivalEndpoint), "?type=<b>", "?from=now"} {
		h.shows(h.get("dev", deliveriesAt+query), http.StatusUnprocessableEntity)
	}
	h.shows(h.get("", deliveriesAt), http.StatusSeeOther)
}

// What a shop answers is shown as text, whatever is in it.
func TestDeliveryPage(t *testing.T) {
	h := newHouse(t)
	jobs, rivals := h.sends(1)
	d := jobs[0]
	h.tries(d, time.Hour, func(a *webhook.Attempt) {
		a.ResponseBody = []byte("<script>alert(1)</script>\x00\u202e\xff")
		a.ResponseHeader, a.Error, a.Truncated = "x-shop: <img src=x onerror=alert(2)>", "the answer was <500>", true
		a.URL = "https://then.example/hook?a='b'"
		a.RequestBody = []byte(`{"a":"it's"}`)
		a.Trace = webhook.Trace{
			Peer: "203.0.113.9:443", TLS: "TLS 1.3", Certificate: time.Now().AddDate(0, 2, 0), DNS: 3 * time.Millisecond, Connect: 11 * time.Millisecond,
			Handshake: 22 * time.Millisecond, Wait: 44 * time.Millisecond, Read: time.Millisecond,
		}
	})
	at := deliveriesAt + "/" + string(d.ID)
	page := h.shows(h.get("manager", at), http.StatusOK, "&lt;script&gt;alert(1)", "⟨U&#43;202E⟩", "&lt;img src=x", "203.0.113.9:443", "TLS 1.3", "22 ms",
		"앞 16 KiB", "webhook-id: "+d.WebhookID(), "<svg", "<title", "표로 보기", "1/6회 실패", "당시 주소", "https://then.example/hook", "cURL로 복사", "진단:", "500으로 답했어요")
	for _, bad := range []string{"<script>alert", "<img src=x", "\u202e"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q of the shop's", bad)
		}
	}
	if !strings.Contains(page, `curl -i -X POST &#39;https://then.example/hook?a=&#39;\&#39;&#39;b&#39;\&#39;&#39;&#39;`) || !strings.Contains(page, `it&#39;\&#39;&#39;s`) {
		t.Error("the command for curl is not quoted")
	}
	h.shows(h.get("dev", deliveriesAt+"/"+d.WebhookID()), http.StatusOK, d.WebhookID())
	english := h.people["dev"]
	english.Lang = "en"
	h.people["dev"] = english
	h.shows(h.get("dev", at), http.StatusOK, "Resend now", "the address of then", "1 of 6 failed")
	for _, id := range []string{string(rivals.ID), uuid.NewString(), "x", "%2e%2e"} {
		h.shows(h.get("owner", deliveriesAt+"/"+id), http.StatusNotFound)
		h.shows(h.post("owner", deliveriesAt+"/"+id+"/resend", nil), http.StatusNotFound)
		h.shows(h.post("owner", deliveriesAt+"/"+id+"/stop", nil), http.StatusNotFound)
	}
	h.shows(h.get("branch", at), http.StatusNotFound)
	h.shows(h.get("owner", Prefix+"/all/live/deliveries/"+string(d.ID)), http.StatusNotFound)
}

// Who may not resend sees how a try went, and nothing of what the shop printed.
func TestAnswersAreWithheld(t *testing.T) {
	h := newHouse(t)
	jobs, _ := h.sends(3)
	h.tries(jobs[0], time.Hour, func(a *webhook.Attempt) {
		a.ResponseHeader, a.ResponseBody = "set-cookie: buyer=kim", []byte("010-1234-5678 님 주문")
	})
	h.tries(jobs[1], time.Hour, func(a *webhook.Attempt) {
		a.Status, a.ResponseHeader = 302, "location: https://shop.example/login?phone=01012345678"
	})
	h.tries(jobs[2], time.Hour, func(a *webhook.Attempt) {
		a.Outcome, a.Status, a.Cause, a.ResponseHeader = webhook.NoAnswer, 0, webhook.CauseBroken, ""
		a.Error = `malformed HTTP response "buyer=kim"`
	})
	at := deliveriesAt + "/" + string(jobs[0].ID)
	why := "상점의 답에는 개인정보가 있을 수 있어서"
	page := h.shows(h.get("read_only", at), http.StatusOK, "500", "84 ms", "1/6회 실패", "본문 24바이트", why, "disabled", "webhook-id: "+jobs[0].WebhookID())
	moved := h.shows(h.get("read_only", deliveriesAt+"/"+string(jobs[1].ID)), http.StatusOK, "302", why)
	broken := h.shows(h.get("read_only", deliveriesAt+"/"+string(jobs[2].ID)), http.StatusOK)
	payment := h.shows(h.get("read_only", Prefix+"/all/test/payments/"+string(jobs[0].Payment)), http.StatusOK)
	for _, hidden := range []string{"buyer=kim", "010-1234-5678", "01012345678"} {
		if strings.Contains(page+moved+broken+payment, hidden) {
			t.Errorf("a member without the right is shown %q", hidden)
		}
	}
	for _, as := range []string{"dev", "manager"} {
		page := h.shows(h.get(as, at), http.StatusOK, "buyer=kim", "010-1234-5678")
		if strings.Contains(page, why) {
			t.Errorf("%s is told that an answer is withheld", as)
		}
		h.shows(h.get(as, deliveriesAt+"/"+string(jobs[1].ID)), http.StatusOK, "login?phone=01012345678")
	}
}

func TestResendAndStopOne(t *testing.T) {
	h := newHouse(t)
	jobs, _ := h.sends(2)
	at := deliveriesAt + "/" + string(jobs[0].ID)
	h.shows(h.post("dev", at+"/stop", nil), http.StatusConflict, "지금 보내는 중이에요")
	h.tries(jobs[0], time.Hour, func(a *webhook.Attempt) { a.URL = "https://then.example/hook" })
	h.shows(h.post("read_only", at+"/resend", nil), http.StatusForbidden)
	h.shows(h.post("read_only", at+"/stop", nil), http.StatusForbidden)
	for address, want := range map[string]string{"now": "", "then": "https://then.example/hook"} {
		w := h.post("manager", at+"/resend", url.Values{"address": {address}})
		j := h.claims(time.Now())
		if len(j) != 1 || j[0].URL != want || j[0].WebhookID() != jobs[0].WebhookID() || !j[0].Manual {
			t.Fatalf("resent to %s: %+v", address, j)
		}
		h.goesTo(w, deliveriesAt+"/"+string(j[0].ID))
		h.shows(h.get("dev", deliveriesAt+"/"+string(j[0].ID)), http.StatusOK, "직접 다시 보냄", "같은 웹훅의 다른 전송")
		h.tries(j[0], 0, good)
	}
	h.goesTo(h.post("manager", at+"/stop", nil), at)
	h.shows(h.get("dev", at), http.StatusOK, "사람이 멈췄어요", "실패")
	h.shows(h.post("dev", at+"/stop", nil), http.StatusConflict, "이미 끝난")
	for _, j := range h.claims(time.Now().Add(2 * time.Hour)) { // those of the others, whose leases are over
		if j.ID == jobs[0].ID {
			t.Error("it is tried after the stop")
		}
	}
}

func TestBulkResendPages(t *testing.T) {
	h := newHouse(t)
	jobs, rivals := h.sends(3)
	for _, j := range jobs {
		h.tries(j, 0, nil)
	}
	h.tries(rivals, 0, nil)
	h.shows(h.get("read_only", resendsAt), http.StatusForbidden)
	h.shows(h.get("dev", resendsAt), http.StatusOK, "못 받은 것만", "몇 건인지 보기")
	filter := "?kind=failed&endpoint=" + string(ourEndpoint) + "&rate=50"
	h.shows(h.get("dev", resendsAt+filter), http.StatusOK, "3건 다시 보내기", "운영 &lt;서버&gt;", "약 0 s")
	h.shows(h.get("dev", resendsAt+"?kind=failed&type=Transaction.Paid"), http.StatusOK, "다시 보낼 웹훅이 없어요")
	h.shows(h.post("dev", resendsAt+"?kind=failed&type=Transaction.Paid", nil), http.StatusOK, "다시 보낼 웹훅이 없어요")
	for _, query := range []string{"?kind=x", "?kind=all&endpoint=" + string(rivalEndpoint), "?kind=all&rate=0", "?kind=all&rate=9999", "?kind=all&from=2026-02-02&until=2026-01-01"} {
		h.shows(h.get("dev", resendsAt+query), http.StatusUnprocessableEntity)
		h.shows(h.post("dev", resendsAt+query, nil), http.StatusUnprocessableEntity)
	}
	w := h.post("dev", resendsAt+filter, nil)
	job := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(job, resendsAt+"/") {
		t.Fatalf("status %d to %q", w.Code, job)
	}
	h.shows(h.get("read_only", job), http.StatusOK, "보내는 중", "dev@example.kr", "0 / 3")
	for _, as := range []string{"rival", "branch"} {
		h.shows(h.get(as, job), http.StatusNotFound)
		h.shows(h.post(as, job+"/stop", nil), http.StatusNotFound)
	}
	taken, _, err := h.Store.TakeResends(h.Context(), time.Now(), time.Now().Add(time.Minute))
	if err != nil || taken == nil {
		t.Fatal(taken, err)
	}
	if _, _, err := h.Store.StepResends(h.Context(), *taken, 2, webhook.Pace{Rate: 200, Next: map[string]time.Time{}}, time.Now(), time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	again := h.claims(time.Now().Add(time.Second))
	if len(again) != 2 {
		t.Fatalf("%d were sent again, want 2", len(again))
	}
	h.tries(again[0], 0, good)
	h.tries(again[1], 0, nil)
	h.shows(h.get("dev", job), http.StatusOK, "2 / 3", "66 %", "/deliveries/"+string(again[0].ID), "/deliveries/"+string(again[1].ID))
	if page := h.shows(h.get("dev", job+"?show=failed"), http.StatusOK); strings.Contains(page, string(again[0].ID)) || !strings.Contains(page, string(again[1].ID)) {
		t.Error("the failed ones are not those that failed")
	}
	h.shows(h.post("read_only", job+"/stop", nil), http.StatusForbidden)
	h.goesTo(h.post("dev", job+"/stop", nil), job)
	h.shows(h.get("dev", job), http.StatusOK, "멈춤", "100 %")
	h.shows(h.post("dev", job+"/stop", nil), http.StatusConflict)
	h.shows(h.get("dev", resendsAt), http.StatusOK, "지난 일괄 재전송", "멈춤")
}

// Over a thousand are sent again only by who proved lately who it is.
func TestBulkResendAsksForThePassword(t *testing.T) {
	db := storetest.SQLite(t)
	h := newHouseOn(t, db.Open(t))
	jobs, _ := h.sends(1)
	h.tries(jobs[0], 0, nil)
	const columns = `event_id, payment_key, merchant_id, store_id, mode, type, endpoint_id, payment_id, channel_key, url, target, content_type,
		body, schedule, state, tries, manual, original, created_at, ended_at, outcome`
	db.Exec(t, `with recursive n (i) as (select 1 union all select i + 1 from n where i < $1)
		insert into delivery_end (id, `+columns+`) select substr(id, 1, 24) || printf('%012d', i), `+columns+` from delivery_end, n where state = 'failed'`,
		webhook.ConfirmedResends)
	filter := resendsAt + "?kind=failed"
	h.shows(h.get("stale-dev", filter), http.StatusOK, "1,001", "비밀번호를 한 번 더")
	w := h.post("stale-dev", filter, nil)
	if !strings.HasPrefix(w.Header().Get("Location"), Prefix+"/confirm") {
		t.Errorf("status %d to %q, want the page that asks for the password", w.Code, w.Header().Get("Location"))
	}
	if list, err := h.Store.ResendJobs(h.Context(), store.Scope{Merchant: ours, Mode: merchant.Test}); err != nil || len(list) != 0 {
		t.Errorf("%d jobs, %v", len(list), err)
	}
	w = h.post("dev", filter, nil)
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), resendsAt+"/") {
		t.Errorf("who confirmed: status %d to %q", w.Code, w.Header().Get("Location"))
	}
}
