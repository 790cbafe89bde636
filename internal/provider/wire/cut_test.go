package wire_test

import (
	"testing"

	"github.com/tongbo/tongbo/internal/provider/wire"
)

func TestCutBytes(t *testing.T) {
	for _, c := range []struct {
		name, in string
		n        int
		charset  wire.Charset
		want     string
	}{
		{"short enough", "홍길동", 6, wire.EUCKR, "홍길동"},
		{"half a character is none", "홍길동", 5, wire.EUCKR, "홍길"},
		{"three bytes each in UTF-8", "홍길동", 8, wire.UTF8, "홍길"},
		{"letters count for one", "a홍b길", 4, wire.EUCKR, "a홍b"},
		{"what the charset lacks counts for a question mark", "🙂🙂a", 2, wire.EUCKR, "🙂🙂"},
		{"nothing", "", 0, wire.UTF8, ""},
	} {
		if got := wire.CutBytes(c.in, c.n, c.charset); got != c.want {
			t.Errorf("%s: CutBytes(%q, %d) = %q, want %q", c.name, c.in, c.n, got, c.want)
		}
	}
}

func TestSHA256Hex(t *testing.T) {
	// printf abc | sha256sum
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := wire.SHA256Hex("a", "", "bc"); got != want {
		t.Errorf("SHA256Hex = %s, want %s", got, want)
	}
}
