package console

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

const headerValue = "Bearer opensesame-0123456789"

// withHeader is a form that is right, with the headers of its lines: a name and a value each.
func withHeader(lines ...string) url.Values {
	form := endpointFields()
	for i := 0; i+1 < len(lines); i += 2 {
		form["header_name"] = append(form["header_name"], lines[i])
		form["header_value"] = append(form["header_value"], lines[i+1])
	}
	return form
}

func TestEndpointHeadersAndTimeout(t *testing.T) {
	h := newHouse(t)
	form := withHeader("Authorization", headerValue, "X-Shop", "가게", "", "")
	form.Set("timeout", "12")
	page := h.shows(h.post("dev", endpointsAt+"/new", form), http.StatusUnprocessableEntity, "X-Shop 헤더의 값을", `value="Authorization"`, `name="timeout" type="number" value="12"`, "다시 보여 드리지")
	if strings.Contains(page, "sesame") {
		t.Error("a form with mistakes shows the value that was typed")
	}
	form = withHeader("Authorization", headerValue, "X-Shop", "short", "", "")
	form.Set("timeout", "12")
	h.shows(h.post("dev", endpointsAt+"/new", form), http.StatusOK)
	e := h.endpointNamed("주문 웹훅")
	if e.Timeout != 12*time.Second || len(e.Headers) != 2 || e.Headers[0].Value.Reveal() != headerValue {
		t.Fatalf("made %v, %v", e.Timeout, e.Headers)
	}
	at := endpointsAt + "/" + string(e.ID)
	h.shows(h.get("dev", at), http.StatusOK, "<code>Authorization</code>", "••••6789", "<code>X-Shop</code>", "새 값", `value="12"`)

	// Left empty they stay; one goes, another gets a new value and a third comes.
	keep := withHeader("Authorization", "", "X-Shop", "", "X-Third", "third")
	keep["header_drop"] = []string{"X-Shop"}
	h.goesTo(h.post("dev", at, keep), at)
	e = h.endpointNamed("주문 웹훅")
	if e.Timeout != 0 || len(e.Headers) != 2 || e.Headers[0].Value.Reveal() != headerValue || e.Headers[1].Name != "X-Third" {
		t.Errorf("changed to %v, %+v", e.Timeout, e.Headers)
	}
	h.goesTo(h.post("dev", at, withHeader("Authorization", "Basic b3BlbnNlc2FtZQ==", "X-Third", "")), at)
	if e = h.endpointNamed("주문 웹훅"); e.Headers[0].Value.Reveal() != "Basic b3BlbnNlc2FtZQ==" {
		t.Error("a new value was not stored")
	}
	// What is stored goes to no other server, whether it is saved or only called.
	moved := withHeader("Authorization", "", "X-Third", "")
	moved.Set("url", "https://elsewhere.example/hook")
	h.shows(h.post("dev", at, moved), http.StatusUnprocessableEntity, "Authorization 헤더의 값을 다시 적거나")
	moved.Set("id", string(e.ID))
	h.shows(h.post("dev", endpointsAt+"/test", moved), http.StatusUnprocessableEntity, "Authorization 헤더의 값을 다시 적거나")
	if now := h.endpointNamed("주문 웹훅"); now.URL != e.URL {
		t.Errorf("it moved to %s", now.URL)
	}
	all := h.shows(h.get("owner", Prefix+"/all/test/settings/audit"), http.StatusOK, "headers.Authorization", "••••6789", "제한 시간") +
		h.shows(h.get("dev", endpointsAt), http.StatusOK) + h.shows(h.get("admin", Prefix+"/all/test/settings/delivery"), http.StatusOK)
	if strings.Contains(all+h.Log.String(), "sesame") || strings.Contains(all, "b3BlbnN") {
		t.Error("a value is in a page or a log")
	}
}

func TestEndpointHeaderMistakes(t *testing.T) {
	h := newHouse(t)
	h.listens()
	for say, edit := range map[string]func() url.Values{
		"직접 쓰는 헤더라서":    func() url.Values { return withHeader("Webhook-Signature", "v1,hush") },
		"쓸 수 없어요. 영문":   func() url.Values { return withHeader("X <b>", "hush") },
		"헤더가 두 번 있어요":   func() url.Values { return withHeader("X-A", "hush", "x-a", "hush") },
		"X-A 헤더의 값을 확인": func() url.Values { return withHeader("X-A", "hush\r\nHost: evil.example") },
		"X-B 헤더의 값을 확인": func() url.Values { return withHeader("X-B", "") },
		"10개까지 넣을": func() url.Values {
			var lines []string
			for _, c := range "abcdefghijk" {
				lines = append(lines, "X-"+string(c), "hush")
			}
			return withHeader(lines...)
		},
		"6 KiB를 넘어요": func() url.Values {
			v := strings.Repeat("v", 2000)
			return withHeader("X-A", v, "X-B", v, "X-C", v, "X-D", v)
		},
		"1에서 30 사이의 초를": func() url.Values { f := withHeader(); f.Set("timeout", "31"); return f },
		"30 사이의 초를 적어":  func() url.Values { f := withHeader(); f.Set("timeout", "1.5"); return f },
		"에서 30 사이의 초를":  func() url.Values { f := withHeader(); f.Set("timeout", "0"); return f },
		" 30 사이의 초를":    func() url.Values { f := withHeader(); f.Set("timeout", "99999999999999999999"); return f },
	} {
		for _, at := range []string{endpointsAt + "/new", ourPage, endpointsAt + "/test"} {
			page := h.shows(h.post("dev", at, edit()), http.StatusUnprocessableEntity, say)
			if strings.Contains(page, "hush") || strings.Contains(page, "<b>") {
				t.Errorf("%s: the page has a value, or markup from outside", say)
			}
		}
	}
}

// A call test sends what is typed and, where nothing is, what is stored; the page shows
// neither, though the receiver prints both.
func TestCallTestWithHeaders(t *testing.T) {
	h := newHouse(t)
	var got []string
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization")+" "+r.Header.Get("X-Key"))
		_, _ = io.WriteString(w, "you sent "+r.Header.Get("Authorization")+r.Header.Get("X-Key"))
	}))
	t.Cleanup(shop.Close)
	form := withHeader("Authorization", headerValue)
	form.Set("url", shop.URL)
	form.Set("timeout", "3")
	typed := h.shows(h.post("dev", endpointsAt+"/test", form), http.StatusOK, "authorization: ••••6789", "you sent ••••", "다시 보여 드리지")
	h.shows(h.post("dev", endpointsAt+"/new", form), http.StatusOK)
	e := h.endpointNamed("주문 웹훅")
	again := withHeader("Authorization", "", "X-Key", "another-key")
	again.Set("url", shop.URL+"/another/path")
	again.Set("id", string(e.ID))
	stored := h.shows(h.post("dev", endpointsAt+"/test", again), http.StatusOK, "authorization: ••••6789", "x-key: ••••")
	sample := h.shows(h.post("dev", Prefix+"/all/test/developers/events", url.Values{"type": {"Transaction.Paid"}, "endpoint": {string(e.ID)}}), http.StatusOK, "you sent ••••")
	if want := []string{headerValue + " ", headerValue + " another-key", headerValue + " "}; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("the receiver got %q, want %q", got, want)
	}
	if all := typed + stored + sample + h.Log.String(); strings.Contains(all, "sesame") || strings.Contains(all, "another-key") {
		t.Error("a value is in a page or a log")
	}
}

// TestHeadersInNoPage looks for a header's value in every page, and in a copy of the
// database.
func TestHeadersInNoPage(t *testing.T) {
	db := storetest.SQLite(t)
	h := newHouseOn(t, db.Open(t))
	jobs, _ := h.sends(1)
	x := h.settings()
	for i := range x.Endpoints {
		x.Endpoints[i].Headers = []webhook.Header{{Name: "Authorization", Value: headerValue}}
	}
	if err := h.Store.SaveSettings(t.Context(), x, time.Now()); err != nil {
		t.Fatal(err)
	}
	h.tries(jobs[0], time.Hour, func(a *webhook.Attempt) { a.RequestHeader += "\nauthorization: ••••6789" })
	h.shows(h.get("dev", deliveriesAt+"/"+string(jobs[0].ID)), http.StatusOK, "authorization: ••••6789", "가린 헤더 값은 직접")
	for _, r := range h.Console.routes() {
		if r.method != http.MethodGet || r.right == "" || r.path == Prefix+"/stream" {
			continue
		}
		path := strings.NewReplacer("{id}", string(ourEndpoint), "{key}", string(oursTest), "{step}", "address", "{$}", "").Replace(r.path)
		if !strings.HasPrefix(path, Prefix) {
			path = Prefix + "/all/test" + path
		}
		if page, _ := io.ReadAll(h.get("owner", path).Result().Body); strings.Contains(string(page), "sesame") {
			t.Errorf("%s shows the value of a header", path)
		}
	}
	file := filepath.Join(t.TempDir(), "copy.db")
	if _, err := store.Backup(t.Context(), db.URL(), file, store.BackupOptions{}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || len(text) == 0 || strings.Contains(string(text), "sesame") || strings.Contains(h.Log.String(), "sesame") {
		t.Errorf("the value is in a copy of the database of %d bytes, or in a log; %v", len(text), err)
	}
}
