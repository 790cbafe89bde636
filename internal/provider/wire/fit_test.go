package wire_test

import (
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func TestFit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in      string
		charset wire.Charset
		bytes   int
		bad     string
		want    string
	}{
		{"홍길동", wire.UTF8, 9, "", "홍길동"},
		{"홍길동", wire.UTF8, 8, "", "홍길"},
		{"홍길동", wire.EUCKR, 6, "", "홍길동"},
		{"홍길동", wire.EUCKR, 5, "", "홍길"},
		{"ab cd", wire.UTF8, 3, "", "ab"},
		{"  변심 & <환불>\r\n", wire.UTF8, 99, "&<>", "변심 환불"},
		{"선물 🎁", wire.EUCKR, 99, "", "선물 ?"},
		{"선물 🎁", wire.UTF8, 99, "", "선물 🎁"},
		{"a\xffb", wire.UTF8, 99, "", "a?b"},
		{"", wire.UTF8, 9, "", ""},
		{"a", wire.UTF8, 0, "", ""},
	} {
		if got := wire.Fit(c.in, c.charset, c.bytes, c.bad); got != c.want {
			t.Errorf("Fit(%q, %v, %d, %q) = %q, want %q", c.in, c.charset, c.bytes, c.bad, got, c.want)
		}
	}
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{"order-1": true, "12345678": true, "": false, "123456789": false, "a b": false, "주문": false, "a&b": false, "a\x7f": false} {
		if got := wire.Plain(s, 8, "&"); got != want {
			t.Errorf("Plain(%q) = %t, want %t", s, got, want)
		}
	}
}

func TestAnswerFields(t *testing.T) {
	t.Parallel()
	f, err := wire.Answer{Status: 200, Body: []byte(`{"a":"1","b":2,"c":null,"d":{"e":1}}`)}.Fields()
	if err != nil || f["a"] != "1" || f["b"] != "2" || f["c"] != "" || f["d"] != `{"e":1}` {
		t.Errorf("Fields = %v, %v", f, err)
	}
	for _, body := range []string{"", "[]", "<html>", `{"a":1,"a":2}`, `{"a":"\u0000"}`, `{"a":`} {
		if _, err := (wire.Answer{Status: 200, Body: []byte(body)}).Fields(); !fault.Is(err, fault.Unclear) {
			t.Errorf("Fields of %q: %v, want fault.Unclear", body, err)
		}
	}
}
