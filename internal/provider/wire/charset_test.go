package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
)

// hangul is "홍길동" in EUC-KR, and extended is "똠방각하", whose first
// syllable only Microsoft's extension has.
const (
	hangul   = "\xc8\xab\xb1\xe6\xb5\xbf"
	extended = "\x8c\x63\xb9\xe6\xb0\xa2\xc7\xcf"
)

func TestText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		in      string
		charset Charset
		want    string
		ok      bool
	}{
		{"nothing", "", UTF8, "", true},
		{"nothing in EUC-KR", "", EUCKR, "", true},
		{"ASCII in UTF-8", "abc 1", UTF8, "abc 1", true},
		{"ASCII in EUC-KR", "abc 1", EUCKR, "abc 1", true},
		{"Korean in UTF-8", "홍길동", UTF8, "홍길동", true},
		{"Korean in EUC-KR", hangul, EUCKR, "홍길동", true},
		{"a syllable of the extension", extended, EUCKR, "똠방각하", true},
		{"the last syllable of the extension", "\xc6\x52", EUCKR, "힣", true},
		{"hanja", "\xec\xd7", EUCKR, "因", true},
		{"UTF-8 is detected", "홍길동", Detect, "홍길동", true},
		{"EUC-KR is detected", hangul, Detect, "홍길동", true},
		{"the extension is detected", extended, Detect, "똠방각하", true},
		{"one syllable that is valid UTF-8, too", hangul[:2], Detect, "홍", true},
		{"the same where the charset is known", hangul[:2], EUCKR, "홍", true},
		{"neither", "\xff\xff", Detect, "", false},
		{"EUC-KR taken for UTF-8", hangul, UTF8, "", false},
		{"UTF-8 taken for EUC-KR", "힣\x80", EUCKR, "", false},
		{"half a syllable at the end", hangul[:5], EUCKR, "", false},
		{"half a syllable before ASCII", hangul[:1] + " a", EUCKR, "", false},
		{"a lone byte 0x80", "\x80", EUCKR, "", false},
		{"a lone byte 0xFF", "a\xff", EUCKR, "", false},
		{"a pair that means nothing", "\xc9\xa1", EUCKR, "", false},
		{"NUL in UTF-8", "a\x00b", UTF8, "", false},
		{"NUL in EUC-KR", "a\x00b", EUCKR, "", false},
		{"NUL while detecting", "\x00", Detect, "", false},
		{"a surrogate", "\xed\xa0\x80", UTF8, "", false},
		{"an overlong slash", "\xc0\xaf", UTF8, "", false},
		{"half a UTF-8 character", "\xed\x99", UTF8, "", false},
		{"U+FFFD itself is UTF-8", "\ufffd", UTF8, "\ufffd", true},
	}
	for _, tt := range tests {
		got, err := Text([]byte(tt.in), tt.charset)
		if got != tt.want || (err == nil) != tt.ok || !tt.ok && !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Text(%q, %v) = %q, %v, want %q, ok %v", tt.name, tt.in, tt.charset, got, err, tt.want, tt.ok)
		}
	}
	if _, err := Text(nil, Charset(9)); !fault.Is(err, fault.Unsupported) {
		t.Errorf("an unknown charset: %v, want fault.Unsupported", err)
	}
}

func TestToEUCKR(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "abc": "abc", "홍길동": hangul, "똠방각하": extended, "가 a": "\xb0\xa1 a"} {
		if got, err := ToEUCKR(in); err != nil || string(got) != want {
			t.Errorf("ToEUCKR(%q) = %x, %v, want %x", in, got, err, want)
		}
	}
	for _, in := range []string{"😀", "홍\xff", "ñ", "\ufffd"} {
		if got, err := ToEUCKR(in); !fault.Is(err, fault.Invalid) {
			t.Errorf("ToEUCKR(%q) = %x, %v, want fault.Invalid", in, got, err)
		}
	}
}

// Names may be made of any of the 11 172 modern syllables.
func TestEverySyllableSurvives(t *testing.T) {
	t.Parallel()
	for r := '가'; r <= '힣'; r++ {
		b, err := ToEUCKR(string(r))
		if err != nil {
			t.Fatalf("%c: %v", r, err)
		}
		if got, err := Text(b, EUCKR); err != nil || got != string(r) {
			t.Errorf("%c came back as %q, %v", r, got, err)
		}
		if got, err := Text(append(bytes.Clone(b), hangul...), Detect); err != nil || got != string(r)+"홍길동" {
			t.Errorf("%c홍길동 was detected as %q, %v", r, got, err)
		}
	}
}

func TestCutText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", hangul: "홍길동", hangul[:5]: "홍길", hangul[:1]: "", "ab" + hangul[:3]: "ab홍", extended[:2]: "똠",
		extended[:1]: "", extended[:3]: "똠", "kim": "kim",
	} {
		if got, err := CutText([]byte(in)); err != nil || got != want {
			t.Errorf("CutText(%x) = %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"\xff\xff\xff", "a\x00", "\x80a"} {
		if got, err := CutText([]byte(in)); !fault.Is(err, fault.Invalid) {
			t.Errorf("CutText(%x) = %q, %v, want fault.Invalid", in, got, err)
		}
	}
}

func TestErrorsDoNotQuote(t *testing.T) {
	t.Parallel()
	const name = "kimchulsoo"
	f, err := ParseForm([]byte("nm=" + name + "%ff%ff"))
	if err != nil {
		t.Fatal(err)
	}
	_, formErr := f.Decode(Detect)
	_, textErr := Text([]byte(name+"\xff"), UTF8)
	_, encodeErr := ToEUCKR(name + "😀")
	_, amountErr := Amount(name)
	_, timeErr := Time(name + "1234")
	_, isoErr := ISOTime(name)
	for _, err := range []error{formErr, textErr, encodeErr, amountErr, timeErr, isoErr} {
		if err == nil || strings.Contains(err.Error(), name) {
			t.Errorf("error %v, want one without the input", err)
		}
	}
}
