package console

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/settings"
)

var value = regexp.MustCompile(`<code id="value-\d" data-copy>([^<]+)</code>`)

// issuedIn are the values that a page shows this once.
func issuedIn(page string) (out []string) {
	for _, m := range value.FindAllStringSubmatch(page, -1) {
		out = append(out, html.UnescapeString(m[1]))
	}
	return out
}

// now returns the settings as they are stored.
func (h *house) settings() settings.All {
	h.Helper()
	all, err := h.Store.Settings(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	return all
}

const keysOfMain = Prefix + "/" + string(main1) + "/test/developers/keys"

func TestMakeAPISecret(t *testing.T) {
	h := newHouse(t)
	h.shows(h.get("dev", keysOfMain), http.StatusOK, string(main1), "아직 없어요")
	h.shows(h.get("dev", keysOfMain+"/new"), http.StatusOK, "API 시크릿 발급", `type="date"`)
	form := url.Values{"kind": {"secret"}, "store": {string(main1)}, "name": {"주문 서버"}, "mode": {"test"}, "expires": {"2999-12-31"}}
	body := h.shows(h.post("dev", keysOfMain+"/new", form), http.StatusOK, "지금만 볼 수 있어요", `name="copied" value="on" required`)
	values := issuedIn(body)
	if len(values) != 1 || len(values[0]) != 64 {
		t.Fatalf("the page shows %q", values)
	}
	if strings.Contains(body, `class="rail"`) || strings.Count(body, "<a ") > 1 {
		t.Error("links lead away from a page that is shown once")
	}
	s := h.settings().APISecrets[0]
	if s.Name != "주문 서버" || s.Store != main1 || s.Mode != merchant.Test || s.Hash != fakeHash(settings.PurposeAPISecret, values[0]) ||
		!s.ExpiresAt.Equal(time.Date(3000, 1, 1, 0, 0, 0, 0, page.Seoul)) {
		t.Errorf("the API secret is %+v", s)
	}
	h.shows(h.post("dev", keysOfMain+"/new", form), http.StatusUnprocessableEntity, "이미 쓰고 있어요")
	if got := h.settings().APISecrets; len(got) != 1 || got[0].Hash != s.Hash {
		t.Errorf("made again: %+v", got)
	}
	one := keysOfMain + "/" + s.ID
	for _, body := range []string{h.shows(h.get("dev", keysOfMain), http.StatusOK, "주문 서버", "사용 중"), h.shows(h.get("dev", one), http.StatusOK, "dev@example.kr", "2999-12-31")} {
		if strings.Contains(body, values[0]) {
			t.Error("the secret is shown again")
		}
	}
	if strings.Contains(h.Log.String(), values[0]) {
		t.Error("the secret is in the log")
	}
}

func TestMakeV1Key(t *testing.T) {
	h := newHouse(t)
	h.shows(h.get("dev", keysOfMain+"/new?kind=v1"), http.StatusOK, "imp_key")
	form := url.Values{"kind": {"v1"}, "store": {string(main1)}, "mode": {"any"}}
	values := issuedIn(h.shows(h.post("dev", keysOfMain+"/new", form), http.StatusOK, "imp_secret"))
	k := h.settings().APIKeys
	if len(values) != 2 || len(values[0]) != 16 || len(k) != 1 || k[0].Key != values[0] || k[0].Mode != merchant.Any ||
		!k[0].ExpiresAt.IsZero() || k[0].Hash != fakeHash(settings.PurposeAPIKey, values[1]) {
		t.Fatalf("made %q, stored %+v", values, k)
	}
	form.Set("name", values[0])
	h.shows(h.post("dev", keysOfMain+"/new", form), http.StatusUnprocessableEntity, "이미 쓰고 있어요")
	rivals := Prefix + "/" + string(rival1) + "/test/developers/keys"
	form.Set("store", string(rival1))
	h.shows(h.post("rival", rivals+"/new", form), http.StatusUnprocessableEntity, "이미 쓰고 있어요")
	one := keysOfMain + "/" + k[0].ID
	h.shows(h.get("dev", one), http.StatusOK, values[0], "운영과 테스트 모두")
	h.goesTo(h.post("dev", one+"/revoke", url.Values{"sure": {"on"}, "reason": {"안 써요"}}), keysOfMain)
	if k := h.settings().APIKeys; len(k) != 0 {
		t.Errorf("revoked, there is %+v", k)
	}
}

func TestMakeKeyMistakes(t *testing.T) {
	h := newHouse(t)
	for name, tt := range map[string]struct {
		edit   func(url.Values)
		status int
		say    string
	}{
		"no name":             {func(f url.Values) { f.Set("name", " ") }, http.StatusUnprocessableEntity, "비어 있어요"},
		"no mode":             {func(f url.Values) { f.Del("mode") }, http.StatusUnprocessableEntity, "모드를 골라"},
		"another page's mode": {func(f url.Values) { f.Set("mode", "live") }, http.StatusUnprocessableEntity, "모드를 골라"},
		"no date":             {func(f url.Values) { f.Set("expires", "내일") }, http.StatusUnprocessableEntity, "2027-12-31"},
		"a day that is over":  {func(f url.Values) { f.Set("expires", "2020-01-01") }, http.StatusUnprocessableEntity, "지난 날짜"},
		"no store":            {func(f url.Values) { f.Del("store") }, http.StatusNotFound, ""},
		"a rival's store":     {func(f url.Values) { f.Set("store", string(rival1)) }, http.StatusNotFound, ""},
		"no kind":             {func(f url.Values) { f.Del("kind") }, http.StatusNotFound, ""},
	} {
		form := url.Values{"kind": {"secret"}, "store": {string(main1)}, "name": {"<b>서버"}, "mode": {"test"}, "expires": {""}}
		tt.edit(form)
		page := h.shows(h.post("dev", keysOfMain+"/new", form), tt.status, tt.say)
		if strings.Contains(page, "<b>서버") || len(issuedIn(page)) > 0 {
			t.Errorf("%s: the page has markup of outside, or a secret", name)
		}
	}
	h.shows(h.get("dev", keysOfMain+"/new?kind=x"), http.StatusNotFound)
	if s := h.settings().APISecrets; len(s) != 0 {
		t.Errorf("made: %+v", s)
	}
}

func TestChangeAndRevokeKey(t *testing.T) {
	h := newHouse(t)
	issue := func(as, path string, s merchant.StoreID, name string) settings.APISecret {
		t.Helper()
		h.shows(h.post(as, path+"/new", url.Values{"kind": {"secret"}, "store": {string(s)}, "name": {name}, "mode": {"test"}}), http.StatusOK)
		all := h.settings().APISecrets
		for _, x := range all {
			if x.Name == name {
				return x
			}
		}
		t.Fatalf("%s was not made: %+v", name, all)
		return settings.APISecret{}
	}
	mine := issue("dev", keysOfMain, main1, "a")
	issue("dev", keysOfMain, main1, "b")
	theirs := issue("rival", Prefix+"/all/test/developers/keys", rival1, "r")
	ofBranch := issue("branch", Prefix+"/"+string(branch1)+"/test/developers/keys", branch1, "c")
	one := keysOfMain + "/" + mine.ID
	h.goesTo(h.post("dev", one, url.Values{"name": {"새 이름"}, "expires": {"2999-01-31"}}), one)
	h.shows(h.get("dev", one), http.StatusOK, "새 이름", `value="2999-01-31"`)
	h.shows(h.post("dev", one, url.Values{"name": {"b"}, "expires": {"2999-01-31"}}), http.StatusUnprocessableEntity, "이미 쓰고 있어요")
	h.shows(h.post("dev", one, url.Values{"name": {""}, "expires": {"2999-01-31"}}), http.StatusUnprocessableEntity, "비어 있어요")
	h.shows(h.post("dev", one, url.Values{"name": {"새 이름"}, "expires": {"2020-01-31"}}), http.StatusUnprocessableEntity, "지난 날짜")
	h.goesTo(h.post("dev", one, url.Values{"name": {"새 이름"}, "expires": {""}}), one)
	for _, x := range h.settings().APISecrets {
		if x.ID == mine.ID && (!x.ExpiresAt.IsZero() || x.Name != "새 이름" || x.Hash != mine.Hash) {
			t.Errorf("changed, it is %+v", x)
		}
	}
	h.shows(h.post("dev", one+"/revoke", nil), http.StatusUnprocessableEntity, "표시해 주세요")
	for _, foreign := range []struct{ as, path string }{
		{"dev", keysOfMain + "/" + theirs.ID}, {"dev", keysOfMain + "/" + ofBranch.ID}, {"rival", Prefix + "/all/test/developers/keys/" + mine.ID},
		{"branch", Prefix + "/" + string(branch1) + "/test/developers/keys/" + mine.ID}, {"dev", Prefix + "/all/live/developers/keys/" + mine.ID},
	} {
		h.shows(h.get(foreign.as, foreign.path), http.StatusNotFound)
		h.shows(h.post(foreign.as, foreign.path, url.Values{"name": {"x"}}), http.StatusNotFound)
		h.shows(h.post(foreign.as, foreign.path+"/revoke", url.Values{"sure": {"on"}}), http.StatusNotFound)
	}
	h.shows(h.get("dev", Prefix+"/all/test/developers/keys/"+ofBranch.ID), http.StatusOK)
	h.goesTo(h.post("dev", one+"/revoke", url.Values{"sure": {"on"}}), keysOfMain)
	if got := h.settings().APISecrets; len(got) != 3 {
		t.Errorf("revoked one of four: %+v", got)
	}
	h.shows(h.post("branch", Prefix+"/"+string(branch1)+"/test/developers/keys/new",
		url.Values{"kind": {"secret"}, "store": {string(main1)}, "name": {"d"}, "mode": {"test"}}), http.StatusNotFound)
}

func TestKeyStates(t *testing.T) {
	now := time.Now()
	for expires, want := range map[time.Time]string{
		{}: "on", now.Add(20 * 24 * time.Hour): "on", now.Add(13 * 24 * time.Hour): "soon", now: "expired", now.Add(-time.Hour): "expired",
	} {
		if got := keyState(expires, now); got != want {
			t.Errorf("keyState(%v) = %s, want %s", expires.Sub(now), got, want)
		}
	}
}
