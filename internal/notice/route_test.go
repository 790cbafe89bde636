package notice_test

import (
	"testing"

	"github.com/tongbo/tongbo/internal/notice"
)

func TestRouteHidesTheToken(t *testing.T) {
	for path, want := range map[string]string{
		"/kcp-v2":                             "/kcp-v2",
		"/kcp-v2/":                            "/kcp-v2/",
		"/kcp%2Dv2":                           "/kcp%2Dv2",
		"/kcp-v2/channel-key-1":               "/kcp-v2/channel-key-1",
		"/kcp-v2/channel-key-1/":              "/kcp-v2/channel-key-1/…",
		"/kcp-v2/channel-key-1/token":         "/kcp-v2/channel-key-1/…",
		"/kcp-v2/channel-key-1/token/more":    "/kcp-v2/channel-key-1/…",
		"/kcp-v2/channel-key-1//token":        "/kcp-v2/channel-key-1/…",
		"//kcp-v2//channel-key-1/token":       "//kcp-v2//channel-key-1/…",
		"/kcp-v2/%63hannel-key-1%2Ftoken":     "/kcp-v2/channel-key-1/…",
		"http://h/kcp-v2/channel-key-1/token": "http://h/kcp-v2/channel-key-1/…",
		"/kcp-v2/channel-key-1/%74oken":       "/kcp-v2/channel-key-1/…",
	} {
		if got := (notice.Request{Path: path}).Route(); got != want {
			t.Errorf("Route of %q = %q, want %q", path, got, want)
		}
	}
}
