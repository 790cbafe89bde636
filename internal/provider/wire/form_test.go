package wire

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
)

// decode parses and decodes body, which must be fine.
func decode(t testing.TB, body string, c Charset) Values {
	t.Helper()
	f, err := ParseForm([]byte(body))
	if err != nil {
		t.Fatalf("ParseForm(%q): %v", body, err)
	}
	v, err := f.Decode(c)
	if err != nil {
		t.Fatalf("Decode(%q): %v", body, err)
	}
	return v
}

func TestForm(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body string
		charset    Charset
		want       map[string]string
	}{
		{"plain", "a=1&b=2", UTF8, map[string]string{"a": "1", "b": "2"}},
		{"only the first = divides", "a=b=c&k==", UTF8, map[string]string{"a": "b=c", "k": "="}},
		{"no =", "a&b=", UTF8, map[string]string{"a": "", "b": ""}},
		{"no name", "=1", UTF8, map[string]string{"": "1"}},
		{"empty fields are passed over", "&a=1&&b=2&", UTF8, map[string]string{"a": "1", "b": "2"}},
		{"line end after the body", "a=1&b=2\r\n", UTF8, map[string]string{"a": "1", "b": "2"}},
		{"raw space for an empty value", "no_transseq= &type_msg=0200", EUCKR, map[string]string{"no_transseq": "", "type_msg": "0200"}},
		{"spaces inside stay", "a=+b+c%20d e ", UTF8, map[string]string{"a": "b c d e"}},
		{"escapes in either case", "a=%2B%2b%26%3D%25", UTF8, map[string]string{"a": "++&=%"}},
		{"every byte escaped", "%61=%48%69", UTF8, map[string]string{"a": "Hi"}},
		{"stray %", "a=100%&b=%zz&c=%4&d=%%41&e=%u1234", UTF8, map[string]string{"a": "100%", "b": "%zz", "c": "%4", "d": "%A", "e": "%u1234"}},
		{"escaped EUC-KR", "nm=%C8%AB%B1%E6%B5%BF", EUCKR, map[string]string{"nm": "홍길동"}},
		{"raw EUC-KR", "nm=" + hangul, EUCKR, map[string]string{"nm": "홍길동"}},
		{"detected EUC-KR", "oid=a1&nm=%C8%AB%B1%E6%B5%BF", Detect, map[string]string{"oid": "a1", "nm": "홍길동"}},
		{"detected UTF-8", "oid=a1&nm=%ED%99%8D", Detect, map[string]string{"oid": "a1", "nm": "홍"}},
		// C2A1 is "징" in EUC-KR and "¡" in UTF-8; its neighbour decides.
		{"one charset for the whole form", "a=%C2%A1&nm=%C8%AB%B1%E6", Detect, map[string]string{"a": "징", "nm": "홍길"}},
		{"ASCII is both", "a=1", Detect, map[string]string{"a": "1"}},
	}
	for _, tt := range tests {
		v := decode(t, tt.body, tt.charset)
		if diff := cmp.Diff(tt.want, v.Map()); diff != "" {
			t.Errorf("%s: %q (-want +got):\n%s", tt.name, tt.body, diff)
		}
		for name, want := range tt.want {
			if v.Get(name) != want || !v.Has(name) || v.Duplicated(name) {
				t.Errorf("%s: Get(%q) = %q, Has %v, Duplicated %v", tt.name, name, v.Get(name), v.Has(name), v.Duplicated(name))
			}
		}
	}
}

func TestFormKeepsOrderAndRepeats(t *testing.T) {
	t.Parallel()
	v := decode(t, "z=1&a=2&z=3&m=4&%7a=5", UTF8)
	if diff := cmp.Diff([]string{"z", "a", "m"}, v.Keys()); diff != "" {
		t.Errorf("Keys (-want +got):\n%s", diff)
	}
	if v.Get("z") != "1" || !v.Duplicated("z") || v.Duplicated("a") || v.Duplicated("none") {
		t.Errorf("Get(z) = %q, Duplicated: z %v, a %v, none %v", v.Get("z"), v.Duplicated("z"), v.Duplicated("a"), v.Duplicated("none"))
	}
	if v.Has("none") || v.Get("none") != "" {
		t.Error("a name that is not there is found")
	}
	v.Keys()[0], v.Map()["z"] = "changed", "changed"
	if v.Keys()[0] != "z" || v.Get("z") != "1" {
		t.Error("changing a copy changes the form")
	}
	var zero Values
	if zero.Has("a") || zero.Get("a") != "" || zero.Duplicated("a") || len(zero.Keys()) != 0 || zero.Map() == nil {
		t.Error("the zero Values is not an empty form")
	}
}

func TestFormBytes(t *testing.T) {
	t.Parallel()
	body := []byte("data=%C8%AB+%00%25C8 &data=x&empty=")
	f, err := ParseForm(body)
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	if got, want := f.Bytes("data"), []byte("\xc8\xab \x00%C8 "); !bytes.Equal(got, want) {
		t.Errorf("Bytes(data) = %q, want %q", got, want)
	}
	if got := f.Bytes("empty"); got == nil || len(got) != 0 {
		t.Errorf("Bytes(empty) = %#v, want no bytes but not nil", got)
	}
	if got := f.Bytes("none"); got != nil {
		t.Errorf("Bytes(none) = %q, want nil", got)
	}
	if got := Unescape([]byte("%25C8")); string(got) != "%C8" {
		t.Errorf("Unescape undid %q, want one level only", got)
	}
}

func TestFormRefuses(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("a=1&", 513)
	for name, body := range map[string]string{
		"nothing": "", "line end": "\r\n", "only &": "&&&", "spaces": "  & ", "513 fields": many,
		"a million &": strings.Repeat("&", 1_000_000),
	} {
		if _, err := ParseForm([]byte(body)); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, want fault.Invalid", name, err)
		}
	}
	if _, err := ParseForm([]byte(many[4:])); err != nil {
		t.Errorf("512 fields: %v", err)
	}
	for name, body := range map[string]string{
		"NUL in a value": "a=%00", "NUL in a name": "a%00=1", "neither charset": "a=%ff%ff",
		"EUC-KR beside UTF-8": "a=%ED%99%8D&b=%B1%E6", "bad name": "%ff=1",
	} {
		f, err := ParseForm([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if v, err := f.Decode(Detect); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v, %v, want fault.Invalid", name, v.Map(), err)
		}
	}
}

func TestEncodeForm(t *testing.T) {
	t.Parallel()
	fields := []Field{
		{Name: "nm", Value: "홍길동"}, {Name: "empty", Value: " ", Raw: true}, {Name: "none"},
		{Name: "a b", Value: "1&2=3%+~/.-*_"}, {Name: "nm", Value: "똠"},
	}
	tests := []struct {
		charset Charset
		want    string
	}{
		{EUCKR, "nm=%C8%AB%B1%E6%B5%BF&empty= &none=&a+b=1%262%3D3%25%2B%7E%2F.-*_&nm=%8Cc"},
		{UTF8, "nm=%ED%99%8D%EA%B8%B8%EB%8F%99&empty= &none=&a+b=1%262%3D3%25%2B%7E%2F.-*_&nm=%EB%98%A0"},
	}
	for _, tt := range tests {
		if got := string(EncodeForm(fields, tt.charset)); got != tt.want {
			t.Errorf("%v: %s\nwant %s", tt.charset, got, tt.want)
		}
	}
	if got := string(EncodeForm([]Field{{Name: "a", Value: "홍😀x"}}, EUCKR)); got != "a=%C8%AB%3Fx" {
		t.Errorf("a character EUC-KR lacks: %s, want a question mark", got)
	}
	if got := string(EncodeForm(nil, UTF8)); got != "" {
		t.Errorf("no fields: %q", got)
	}
}

func FuzzForm(f *testing.F) {
	for _, s := range []string{
		"a=1&b=2", "no_transseq= &nm=%C8%AB%B1%E6%B5%BF", "nm=" + extended, "%", "a=%4", "=&=", "a&&b=\x00", "한=글",
	} {
		for c := range 3 {
			f.Add([]byte(s), c)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, charset int) {
		c := Charset(uint(charset) % 3)
		form, err := ParseForm(body)
		if err != nil {
			mustBeInvalid(t, err)
			return
		}
		v, err := form.Decode(c)
		if err != nil {
			mustBeInvalid(t, err)
			return
		}
		var fields []Field
		for _, k := range v.Keys() {
			fields = append(fields, Field{Name: k, Value: v.Get(k)})
		}
		to := c
		if to == Detect {
			to, _ = form.Charset()
		}
		again := decode(t, string(EncodeForm(fields, to)), to)
		if diff := cmp.Diff(v.Map(), again.Map()); diff != "" {
			t.Errorf("%q in %v does not survive (-first +again):\n%s", body, to, diff)
		}
		if diff := cmp.Diff(v.Keys(), again.Keys()); diff != "" {
			t.Errorf("%q: order changed (-first +again):\n%s", body, diff)
		}
	})
}

func mustBeInvalid(t *testing.T, err error) {
	t.Helper()
	if !fault.Is(err, fault.Invalid) {
		t.Errorf("%v is %v, want fault.Invalid", err, fault.KindOf(err))
	}
}

func BenchmarkForm(b *testing.B) {
	var body bytes.Buffer
	for i := range 30 {
		fmt.Fprintf(&body, "field_%d=%%C8%%AB%%B1%%E6%%B5%%BF+value&", i)
	}
	b.ReportAllocs()
	for b.Loop() {
		f, err := ParseForm(body.Bytes())
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Decode(Detect); err != nil {
			b.Fatal(err)
		}
	}
}
