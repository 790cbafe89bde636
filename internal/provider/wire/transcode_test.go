package wire_test

import (
	"testing"

	"github.com/tongbo/tongbo/internal/provider/wire"
)

func TestTranscode(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"ASCII", "a=1&b=%26+x&&c", "a=1&b=%26+x&&c"},
		{"a form to EUC-KR", "name=%ED%99%8D%EA%B8%B8%EB%8F%99&x=%26", "name=%C8%AB%B1%E6%B5%BF&x=%26"},
		{"a form to UTF-8", "name=%C8%AB%B1%E6%B5%BF&x=a+b", "name=%ED%99%8D%EA%B8%B8%EB%8F%99&x=a+b"},
		{"a syllable of CP949 alone", "name=%EB%98%A0", "name=%8Cc"},
		{"what is valid in both, beside what is not", "a=%C8%AB&b=%B1%E6", "a=%ED%99%8D&b=%EA%B8%B8"},
		{"bytes without escapes", "name=홍&x=1", "name=\xc8\xab&x=1"},
		{"JSON", `{"name":"홍"}`, "{\"name\":\"\xc8\xab\"}"},
		{"a character that EUC-KR lacks", "name=%F0%9F%98%80", "name=%F0%9F%98%80"},
	} {
		if got := string(wire.Transcode([]byte(tt.in))); got != tt.want {
			t.Errorf("%s: Transcode(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
	}
}

func FuzzTranscode(f *testing.F) {
	f.Add([]byte("name=%C8%AB%B1%E6%B5%BF&x=a+b"))
	f.Add([]byte(`{"name":"홍"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := wire.Transcode(b); len(got) > 12*len(b) {
			t.Errorf("%d bytes became %d", len(b), len(got))
		}
	})
}
