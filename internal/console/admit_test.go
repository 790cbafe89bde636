package console

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
)

// allows makes the console's list of a store hold these lines alone.
func (h *house) allows(s merchant.StoreID, lines ...merchant.Allow) {
	h.Helper()
	x, err := h.Store.Settings(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	x.Allows = nil
	for _, w := range lines {
		w.Store, w.Scope = s, merchant.AllowConsole
		x.Allows = append(x.Allows, w)
	}
	if err := h.Store.SaveSettings(h.Context(), x, time.Now()); err != nil {
		h.Fatal(err)
	}
}

// TestAddressList opens pages from 203.0.113.7 while lists hold it, or do not.
func TestAddressList(t *testing.T) {
	h := newHouse(t)
	open := func(as string) bool { // there is no such page, but that is told to who may come
		t.Helper()
		w := h.get(as, Prefix+"/stream?store=nowhere&mode=test")
		if w.Code != http.StatusForbidden && w.Code != http.StatusNotFound {
			t.Errorf("%s got %d", as, w.Code)
		}
		return w.Code == http.StatusNotFound
	}
	may := func(who map[string]bool) {
		t.Helper()
		for as, want := range who {
			if open(as) != want {
				t.Errorf("%s may come: %v, want %v", as, !want, want)
			}
		}
	}
	may(map[string]bool{"owner": true, "read_only": true, "branch": true, "rival": true})
	there, here := netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24")
	h.allows(main1, merchant.Allow{CIDR: there})
	may(map[string]bool{"owner": false, "read_only": false, "branch": false, "rival": true})
	body := h.shows(h.get("owner", Prefix+"/stream"), http.StatusForbidden, "이 주소에서는 열 수 없어요", "203.0.113.7")
	for _, name := range []string{"대표 상점", "하위 상점", "198.51.100"} {
		if strings.Contains(body, name) {
			t.Errorf("who is shut out reads %q", name)
		}
	}
	h.allows(main1, merchant.Allow{CIDR: there}, merchant.Allow{CIDR: here})
	may(map[string]bool{"owner": true, "branch": true})
	h.allows(branch1, merchant.Allow{CIDR: there})
	may(map[string]bool{"owner": true, "branch": false})

	until := time.Now().UTC().Add(time.Minute).Truncate(time.Microsecond)
	h.allows(main1, merchant.Allow{CIDR: there, Trial: merchant.Coming, Until: until})
	h.shows(h.get("owner", Prefix+"/stream"), http.StatusForbidden, "저절로 되돌아가요", page.Clock(until, page.KST))
	h.allows(main1, merchant.Allow{CIDR: there, Trial: merchant.Coming, Until: until.Add(-time.Hour)})
	may(map[string]bool{"owner": true})

	// A page that is open hears nothing more.
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1"+Prefix+"/stream", nil)
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "owner"})
	v := &visit{c: h.Console, r: r, Member: h.people["owner"]}
	page := h.Console.openPage(v)
	if !page.stays() {
		t.Error("a page was ended for no reason")
	}
	h.allows(main1, merchant.Allow{CIDR: there})
	if page.stays() {
		t.Error("a page stays open whose visitor is shut out")
	}
	h.Console.ClientAddr = func(*http.Request) netip.Addr { return netip.Addr{} }
	h.shows(h.get("owner", Prefix+"/stream"), http.StatusForbidden, "--trusted-proxies")
}
