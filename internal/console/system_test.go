package console

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/doctor"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/settings"
)

const systemPath = Prefix + "/all/test/settings/system"

// TestSystem shows the installation to who operates it, examined at most once a minute.
func TestSystem(t *testing.T) {
	t.Parallel()
	h := newHouse(t).opened()
	h.shows(h.get("owner", systemPath), http.StatusNotFound) // nobody examines
	h.Console.Doctor = &doctor.Doctor{
		Store: h.Store, Channels: (&attention.Desk{Store: h.Store, Providers: all.ByCode}).ChannelStates, Providers: all.ByCode,
		HTTP: safehttp.New(safehttp.Config{AllowPrivate: true}), PublicURL: h.Console.PublicURL,
		Egress: []netip.Addr{netip.MustParseAddr("203.0.113.20")},
		Config: doctor.Config{Unknown: []string{"TONGBO_LISSEN"}}, Folder: t.TempDir(), Keep: settings.DefaultRetention(),
	}
	h.Console.Flags = []settings.Flag{{Name: "listen", Env: "TONGBO_LISTEN", Value: ":8080", Source: settings.ByEnv}}
	h.shows(h.get("owner", systemPath), http.StatusOK, "TONGBO_LISSEN", "쓰고 fsync", "http라서 내용이", "KCP 시험: PG에서 온 통보가 아직 없어요.", "203.0.113.20",
		"2026-09-10", "<code>--listen</code>", ":8080", "환경 변수", "문제 0건, 주의")
	h.Console.Doctor.Config.Unknown = nil
	h.shows(h.get("owner", systemPath), http.StatusOK, "TONGBO_LISSEN") // the last examination still holds
	h.goesTo(h.post("owner", systemPath, nil), systemPath)
	h.shows(h.get("owner", systemPath), http.StatusOK, "모르는 이름은 없어요", "주의")
	for _, as := range []string{"admin", "dev", "rival", "read_only"} {
		h.shows(h.get(as, systemPath), http.StatusForbidden)
		h.shows(h.post(as, systemPath, nil), http.StatusForbidden)
	}
}

// TestListWithoutDate: that a PG's list has no date is told in the reader's language.
func TestListWithoutDate(t *testing.T) {
	h := newHouse(t)
	h.Console.Doctor = &doctor.Doctor{
		Store: h.Store, Channels: (&attention.Desk{Store: h.Store, Providers: all.ByCode}).ChannelStates, Providers: all.ByCode,
		HTTP: safehttp.New(safehttp.Config{AllowPrivate: true}), Folder: t.TempDir(), Keep: settings.DefaultRetention(),
	}
	for lang, want := range map[string]string{"ko": "날짜 없음 (manual.smartropay.co.kr)", "en": "undated (manual.smartropay.co.kr)"} {
		m := h.people["owner"]
		m.Lang = lang
		h.people["owner"] = m
		page := h.shows(h.get("owner", systemPath), http.StatusOK, want)
		if lang == "ko" && strings.Contains(page, "undated") {
			t.Error("who reads Korean is told that it is undated")
		}
	}
}
