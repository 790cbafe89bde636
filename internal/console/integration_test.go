package console

import (
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/store"
)

const integrationPath = Prefix + "/" + string(main1) + "/test/integration"

// offerOf is the form on the page that makes a channel of a module and MID.
func (h *house) offerOf(page, code, mid string, keys bool) url.Values {
	h.Helper()
	forms := regexp.MustCompile(`(?s)<form method="post" action="[^"]*/integration" class="inline">.*?</form>`).FindAllString(page, -1)
	for _, f := range forms {
		form := url.Values{}
		for _, m := range regexp.MustCompile(`name="([a-z]+)" value="([^"]*)"`).FindAllStringSubmatch(f, -1) {
			form.Set(m[1], html.UnescapeString(m[2]))
		}
		if form.Get("provider") == code && form.Get("mid") == mid && form.Has("keys") == keys {
			return form
		}
	}
	h.Fatalf("the page offers no channel of %s %q with keys %t", code, mid, keys)
	return nil
}

// made are the store's test channels of a module and MID.
func (h *house) made(s merchant.StoreID, code, mid string) (out []merchant.Channel) {
	h.Helper()
	for _, c := range h.settings().Channels {
		if c.Store == s && c.Provider == code && c.MID == mid {
			out = append(out, c)
		}
	}
	return out
}

// TestReadyMade makes what each card offers, pressed twice.
func TestReadyMade(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, p := range all.Providers() {
		i := p.Info()
		page := h.shows(h.get("dev", integrationPath), http.StatusOK, `id="pg-`+i.Code+`"`)
		if len(page) > 60<<10 {
			t.Errorf("the page has %d bytes", len(page))
		}
		if i.TestKeys != nil {
			if !strings.Contains(page, "MID는 공개하지 않았어요") || !strings.Contains(page, `channels/new?provider=`+i.Code+`"`) {
				t.Errorf("%s: the card does not say that the MID is not published", i.Code)
			}
			h.makes(page, i, "", true)
			continue
		}
		if len(i.TestMIDs) == 0 {
			if !strings.Contains(page, `channels/new?provider=`+i.Code+`"`) || !strings.Contains(page, "테스트 상점아이디(MID)를 공개하지 않아요") {
				t.Errorf("%s: the card does not ask for the merchant's own", i.Code)
			}
			h.makes(page, i, "", false)
			continue
		}
		for _, m := range i.TestMIDs {
			if len(h.made(main1, i.Code, m.MID)) > 0 {
				continue // the house has it
			}
			h.makes(page, i, m.MID, len(m.Credentials) > 0)
		}
	}
	page := h.shows(h.get("dev", integrationPath), http.StatusOK, "html5_inicis.INIpayTest", "PG의 API를 불러요", "이 서버가 흉내 내요")
	if strings.Contains(page, `name="mid" value="INIpayTest"`) {
		t.Error("what was made is offered again")
	}
	for _, p := range all.Providers() {
		for _, m := range p.Info().TestMIDs {
			for _, key := range m.Credentials {
				if strings.Contains(html.UnescapeString(page), key.Reveal()) {
					t.Errorf("a key of %s is on the page", m.MID)
				}
			}
		}
	}
}

func (h *house) makes(page string, i provider.Info, mid string, keys bool) {
	h.Helper()
	form := h.offerOf(page, i.Code, mid, keys)
	var together sync.WaitGroup
	for range 2 {
		together.Go(func() {
			if w := h.post("dev", integrationPath, form); w.Code != http.StatusSeeOther {
				h.Errorf("%s %s: %d", i.Code, mid, w.Code)
			}
		})
	}
	together.Wait()
	list := h.made(main1, i.Code, mid)
	if len(list) != 1 || string(list[0].Key) != form.Get("key") || list[0].Mode != merchant.Test || list[0].Disabled {
		h.Errorf("%s %s: made %+v", i.Code, mid, list)
		return
	}
	if given := len(list[0].Credentials) > 0; given != keys {
		h.Errorf("%s %s: it has %d credentials", i.Code, mid, len(list[0].Credentials))
	}
	log, err := h.Store.AuditLog(h.Context(), store.AuditQuery{Merchant: ours, Object: string(list[0].Key), Limit: 10})
	if err != nil || len(log) != 1 || log[0].By.Name == "" {
		h.Errorf("%s %s: the audit log has %+v, %v", i.Code, mid, log, err)
	}
}

// TestReadyMadeRefused: who may only look makes nothing, and nobody makes what is not
// offered, or anything of another's.
func TestReadyMadeRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	before := len(h.settings().Channels)
	page := h.shows(h.get("read_only", integrationPath), http.StatusOK, "개발 담당(Dev)부터 할 수 있어요", "kcp.T0000")
	if strings.Contains(page, `action="`+integrationPath) {
		t.Error("who may only look is given a form")
	}
	good := h.offerOf(h.shows(h.get("dev", integrationPath), http.StatusOK), "nice", "nicepay00m", true)
	if strings.Contains(h.shows(h.get("rival", Prefix+"/all/test/integration"), http.StatusOK), string(oursTest)) {
		t.Error("another merchant sees our channel")
	}
	if w := h.post("read_only", integrationPath, good); w.Code != http.StatusForbidden {
		t.Errorf("who may only look got %d", w.Code)
	}
	for _, as := range []string{"rival", "branch"} {
		if w := h.post(as, Prefix+"/all/test/integration", good); w.Code != http.StatusNotFound {
			t.Errorf("%s got %d, want 404", as, w.Code)
		}
	}
	for name, c := range map[string]struct {
		field, value string
		want         int
	}{
		"a MID that nobody publishes": {"mid", `<script>alert(1)</script>`, http.StatusNotFound},
		"no MID":                      {"mid", "", http.StatusNotFound},
		"an unknown module":           {"provider", "nobody", http.StatusNotFound},
		"another's store":             {"store", string(rival1), http.StatusNotFound},
		"a store that is not meant":   {"store", string(branch1), http.StatusNotFound},
		"a key that is taken":         {"key", string(oursTest), http.StatusNotFound},
		"a key of another merchant":   {"key", string(rivalTest), http.StatusNotFound},
		"a key that is none":          {"key", "channel-key-x", http.StatusUnprocessableEntity},
	} {
		form := maps.Clone(good)
		form.Set(c.field, c.value)
		if w := h.post("dev", integrationPath, form); w.Code != c.want {
			t.Errorf("%s: %d, want %d", name, w.Code, c.want)
		}
	}
	live := Prefix + "/" + string(main1) + "/live/integration"
	h.shows(h.get("dev", live), http.StatusOK, "연동 테스트는 테스트 모드에서 해요")
	if w := h.post("dev", live, good); w.Code != http.StatusNotFound {
		t.Errorf("in live mode: %d", w.Code)
	}
	if n := len(h.settings().Channels); n != before {
		t.Errorf("%d channels were made", n-before)
	}
}
