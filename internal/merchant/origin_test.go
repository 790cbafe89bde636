package merchant_test

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
)

func TestParseOrigin(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://shop.example":          "https://shop.example",
		"HTTPS://Shop.Example:443":      "https://shop.example",
		"http://shop.example:80":        "http://shop.example",
		"http://shop.example:8080":      "http://shop.example:8080",
		"http://localhost:3000":         "http://localhost:3000",
		"http://[::1]:3000":             "http://[::1]:3000",
		"https://[2001:db8::1]":         "https://[2001:db8::1]",
		"https://xn--9d0bm53a.xn--3e0b": "https://xn--9d0bm53a.xn--3e0b",
	} {
		if got, err := merchant.ParseOrigin(in); err != nil || got != want {
			t.Errorf("ParseOrigin(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "null", "*", "shop.example", "https://", "https://shop.example/", "https://shop.example/path", "https://shop.example?", "https://shop.example#", "https://shop.example?a",
		"https://user@shop.example", "ftp://shop.example", "javascript:alert(1)", "https://*.shop.example", "https://가게.한국", "https://shop.example:0", "https://shop.example:70000",
		"https://shop example", "https://shop.example;x", "https://.example", "//shop.example", "https://[fe80::1%25eth0]",
	} {
		if got, err := merchant.ParseOrigin(in); err == nil {
			t.Errorf("ParseOrigin(%q) = %q", in, got)
		}
	}
}

func TestLoopbackOrigin(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"http://localhost": true, "http://localhost:3000": true, "http://shop.localhost": true, "http://127.0.0.1:1": true, "http://127.9.9.9": true, "http://[::1]:8": true,
		"http://localhost.example": false, "http://128.0.0.1": false, "http://127.0.0.1.example": false, "https://notlocalhost": false, "": false,
	} {
		if got := merchant.LoopbackOrigin(in); got != want {
			t.Errorf("LoopbackOrigin(%q) = %v", in, got)
		}
	}
}

func TestParseAppScheme(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"myshop": "myshop", "MyShop://": "myshop", "kr.shop-app+1:": "kr.shop-app+1"} {
		if got, err := merchant.ParseAppScheme(in); err != nil || got != want {
			t.Errorf("ParseAppScheme(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "x", "1shop", "my shop", "javascript", "JavaScript://", "data:", "https", "http://", "file", "가게", "my:shop"} {
		if got, err := merchant.ParseAppScheme(in); err == nil {
			t.Errorf("ParseAppScheme(%q) = %q", in, got)
		}
	}
}

func TestWebhookLimit(t *testing.T) {
	t.Parallel()
	for in, want := range map[time.Duration]time.Duration{0: 10 * time.Second, 3 * time.Second: 3 * time.Second, time.Hour: 30 * time.Second, -1: 10 * time.Second} {
		if got := (merchant.Store{WebhookFirstLimit: in}).WebhookLimit(); got != want {
			t.Errorf("WebhookLimit of %v = %v", in, got)
		}
	}
}
