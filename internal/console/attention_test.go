package console

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/words"
)

const attentionPath = Prefix + "/all/test/attention"

// told settles a notice of a channel as ruled, and returns its id.
func (h *house) told(c merchant.ChannelKey, peer string, v payment.Verdict, edit ...func(*notice.Inbound, *notice.Ruling)) notice.ID {
	h.Helper()
	in := storetest.Told(c, "order-1", storetest.Deposit("order-1", storetest.NewID()))
	in.At, in.Peer = time.Now().UTC().Add(-time.Minute), netip.MustParseAddr(peer)
	r := notice.Ruling{Verdict: v, Reason: notice.ReasonUnknownOrder, Channel: c}
	for _, e := range edit {
		e(&in, &r)
	}
	in.Ruled = &r
	res, err := h.Store.Settle(h.Context(), []notice.Inbound{in}, storetest.Judge)
	if err != nil || res[0].Err != nil {
		h.Fatal(err, res)
	}
	h.Console.Desk.Recount()
	return in.ID
}

// form is the form of a row by which it is resolved: kind, subject and mark.
func (h *house) form(as, kind string) url.Values {
	h.Helper()
	body := h.get(as, attentionPath).Body.String()
	m := regexp.MustCompile(`name="kind" value="` + kind + `"><input type="hidden" name="subject" value="([^"]*)"><input type="hidden" name="mark" value="([^"]*)">`).FindStringSubmatch(body)
	if m == nil {
		h.Fatalf("no row of %s has a form", kind)
	}
	return url.Values{"kind": {kind}, "subject": {m[1]}, "mark": {m[2]}, "note": {"PG에 전화해서 확인했어요"}}
}

// TestAttention: a case and a refused address are shown, resolved with a note, and found
// again; the rail counts them.
func TestAttention(t *testing.T) {
	h := newHouse(t)
	h.shows(h.get("read_only", attentionPath), http.StatusOK, "지금 확인할 일이 없어요. 마지막 점검")
	n := h.told(oursTest, "203.0.113.7", payment.Unmatched)
	h.told(oursTest, "198.51.100.9", payment.Refused)
	h.told(oursTest, "198.51.100.9", payment.Refused)
	h.told(rivalTest, "192.0.2.1", payment.Conflict)
	body := h.shows(h.get("read_only", attentionPath), http.StatusOK, "미매칭", "모르는 주소 198.51.100.9에서 2건", `class="count">2<`,
		"/console/all/test/notices/"+string(n), words.Text(words.Ko, "right.pay"))
	for _, hidden := range []string{"192.0.2.1", "불일치", `name="note"`} {
		if strings.Contains(body, hidden) {
			t.Errorf("read only sees %q", hidden)
		}
	}
	h.shows(h.get("branch", Prefix+"/"+string(branch1)+"/test/attention"), http.StatusOK, "지금 확인할 일이 없어요")
	h.shows(h.get("owner", Prefix+"/all/live/attention"), http.StatusOK, "지금 확인할 일이 없어요")
	h.shows(h.get("rival", attentionPath), http.StatusOK, "불일치")

	form := h.form("manager", "unmatched")
	h.shows(h.post("read_only", attentionPath, form), http.StatusForbidden)
	h.shows(h.post("dev", attentionPath, form), http.StatusForbidden)
	form.Set("note", "")
	h.shows(h.post("manager", attentionPath, form), http.StatusUnprocessableEntity, words.Text(words.Ko, "attention.note_wrong"))
	form.Set("note", "<b>확인</b>")
	h.goesTo(h.post("rival", attentionPath, form), attentionPath) // it is none of theirs, and stays
	h.goesTo(h.post("manager", attentionPath, form), attentionPath)
	refused := h.form("manager", "refused")
	h.goesTo(h.post("manager", attentionPath, refused), attentionPath)
	h.shows(h.get("manager", attentionPath), http.StatusOK, "지금 확인할 일이 없어요")
	body = h.shows(h.get("read_only", attentionPath+"?tab=resolved"), http.StatusOK, "&lt;b&gt;확인&lt;/b&gt;", "PG에 전화해서 확인했어요", "manager@example.kr", "미매칭", "거부")
	if strings.Contains(body, "<b>확인") {
		t.Error("a note is markup")
	}
	h.shows(h.get("rival", attentionPath+"?tab=resolved"), http.StatusOK, "아직 처리한 일이 없어요.")
	h.goesTo(h.post("manager", attentionPath, form), attentionPath) // it is resolved already
	if _, err := h.Store.Case(h.Context(), n); err != nil {
		t.Error(err)
	}
}

// TestAttentionRefusedForItsProof: an address that the channel admits is not called
// unknown.
func TestAttentionRefusedForItsProof(t *testing.T) {
	h := newHouse(t)
	h.told(oursTest, "127.0.0.1", payment.Refused)
	body := h.shows(h.get("read_only", attentionPath), http.StatusOK, "127.0.0.1에서 온 1건을 거부했어요")
	if strings.Contains(body, "모르는 주소") {
		t.Error("the address is called unknown")
	}
}

// TestAttentionComesAgain: what came after the page was made is not hidden with what was
// on it.
func TestAttentionComesAgain(t *testing.T) {
	h := newHouse(t)
	h.told(oursTest, "198.51.100.9", payment.Refused)
	form := h.form("manager", "refused")
	h.told(oursTest, "198.51.100.9", payment.Refused, func(in *notice.Inbound, _ *notice.Ruling) { in.At = in.At.Add(time.Second) })
	h.goesTo(h.post("manager", attentionPath, form), attentionPath)
	h.shows(h.get("manager", attentionPath), http.StatusOK, "모르는 주소 198.51.100.9에서 2건")
}

// TestAttentionOfTheInstallation: what belongs to no merchant is shown to its operator.
func TestAttentionOfTheInstallation(t *testing.T) {
	h := newHouse(t)
	n := h.told("", "203.0.113.7", payment.Unmatched)
	h.shows(h.get("owner", attentionPath), http.StatusOK, string(n))
	for _, as := range []string{"manager", "rival"} {
		if body := h.get(as, attentionPath).Body.String(); strings.Contains(body, string(n)) {
			t.Errorf("%s sees what belongs to no merchant", as)
		}
	}
	h.told("", "198.51.100.9", payment.Refused)
	h.goesTo(h.post("owner", attentionPath, h.form("owner", "unmatched")), attentionPath)
	h.goesTo(h.post("owner", attentionPath, h.form("owner", "refused")), attentionPath)
	h.shows(h.get("owner", attentionPath), http.StatusOK, "지금 확인할 일이 없어요")
	h.shows(h.get("owner", attentionPath+"?tab=resolved"), http.StatusOK, string(n), "거부", "미매칭")
	h.shows(h.get("manager", attentionPath+"?tab=resolved"), http.StatusOK, "아직 처리한 일이 없어요.")
}

// TestAttentionInEnglish shows one row of every kind in both languages, with names that
// mean to be markup or to turn the text around.
func TestAttentionWords(t *testing.T) {
	h := newHouse(t)
	for _, l := range words.Langs() {
		v := &visit{c: h.Console, r: h.request(attentionPath), Lang: l, Member: h.people["owner"], Scope: scope{Merchant: ours, Mode: merchant.Test}}
		var err error
		if v.All, err = h.Console.settings(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, kind := range attention.Kinds() {
			for _, folded := range []int{0, 21} {
				for _, ends := range []time.Duration{-time.Hour, 48 * time.Hour} {
					i := attention.Item{
						Kind: kind, Subject: "x y", Count: 3, Folded: folded, Peer: "\u202e<i>", PaymentID: "\x00p", Name: "<b>n", Target: "t", Ends: time.Now().Add(ends),
						Payment: "p", Channel: oursTest, Notice: "n", Endpoint: "e",
					}
					if kind != attention.SecretEnding && kind != attention.CertificateEnding {
						i.Ends = time.Time{}
					}
					said := v.what(i)
					path, text := v.action(i)
					if strings.ContainsAny(said, "{}\u202e\x00") || strings.Contains(said, "attention.") || strings.Contains(text, "attention.") || path == "" {
						t.Errorf("%s, %s, folded %d: %q, %q to %q", kind, l, folded, said, text, path)
					}
					if !words.Has("attention.kind." + string(kind)) {
						t.Errorf("%s has no chip", kind)
					}
				}
			}
		}
	}
}

// request is a request of a page, for what asks only for its address.
func (h *house) request(path string) *http.Request {
	r, err := http.NewRequestWithContext(h.Context(), http.MethodGet, "http://127.0.0.1"+path, http.NoBody)
	if err != nil {
		h.Fatal(err)
	}
	return r
}

// TestRequests lists calls of the APIs, finds one by the id that its answer bore, and
// shows nobody another's.
func TestRequests(t *testing.T) {
	const path = Prefix + "/all/test/developers/requests"
	h := newHouse(t)
	h.shows(h.get("dev", path), http.StatusOK, "아직 API를 부른 적이 없어요.")
	call := func(n int, m merchant.ID, s merchant.StoreID, status int) merchant.Call {
		at := time.Now().UTC().Add(time.Duration(n) * time.Second)
		return merchant.Call{
			ID: storetest.NewID(), At: at, Merchant: m, Store: s, Mode: merchant.Test, Credential: "gone", By: merchant.ByAPISecret, Method: "GET",
			Route: "/payments/{paymentId}", Path: fmt.Sprintf("/payments/%%3Cb%%3E%d", n), Status: status, Took: 84 * time.Millisecond, Error: "<PAYMENT_NOT_FOUND>",
		}
	}
	list := []merchant.Call{call(1, ours, main1, 200), call(2, ours, branch1, 404), call(3, theirs, rival1, 500)}
	if err := h.Store.PutCalls(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	body := h.shows(h.get("dev", path), http.StatusOK, list[0].ID, list[1].ID, "84 ms", "&lt;PAYMENT_NOT_FOUND&gt;", "지워진 키")
	if strings.Contains(body, list[2].ID) || strings.Contains(body, "<PAYMENT") {
		t.Error("the page shows another's call, or markup")
	}
	body = h.shows(h.get("branch", Prefix+"/"+string(branch1)+"/test/developers/requests"), http.StatusOK, list[1].ID)
	if strings.Contains(body, list[0].ID) {
		t.Error("the branch sees a call of another store")
	}
	body = h.shows(h.get("dev", path+"?class=4"), http.StatusOK, list[1].ID)
	if strings.Contains(body, list[0].ID) {
		t.Error("a filter by class leaves nothing out")
	}
	h.shows(h.get("dev", path+"?route=/nowhere"), http.StatusOK, "이 조건에 맞는 호출이 없어요.")
	h.shows(h.get("dev", path+"?class=9"), http.StatusUnprocessableEntity)
	h.shows(h.get("dev", path+"?key=other"), http.StatusUnprocessableEntity)
	h.shows(h.get("dev", path+"?from=yesterday"), http.StatusUnprocessableEntity)
	h.shows(h.get("dev", path+"?older=x"), http.StatusUnprocessableEntity)
	h.shows(h.get("dev", path+"?id="+list[0].ID), http.StatusOK, "/payments/%3Cb%3E1")
	for _, id := range []string{list[2].ID, "x", storetest.NewID()} {
		h.shows(h.get("dev", path+"?id="+id), http.StatusOK, "기록에 없어요")
	}
	h.shows(h.get("dev", Prefix+"/all/live/developers/requests"), http.StatusOK, "아직 API를 부른 적이 없어요.")
	h.shows(h.get("read_only", path), http.StatusForbidden)
	h.dropped = 17
	h.shows(h.get("dev", path), http.StatusOK, "호출 17건은 기록하지 못했어요")
}
