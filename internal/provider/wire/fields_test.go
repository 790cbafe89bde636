package wire

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFields(t *testing.T) {
	t.Parallel()
	f := decode(t, "id=1&id=2&empty=&order=o&other=p&day=20260801&bad=x&card=4111", UTF8).Fields()
	if got := f.Take("id") + f.Take("id") + f.Take("none"); got != "1" {
		t.Errorf("Take = %q, want the first value, once", got)
	}
	if got := f.TakeFirst("none", "empty", "order", "other"); got != "o" || f["other"] != "p" {
		t.Errorf("TakeFirst = %q, and leaves %q", got, f["other"])
	}
	want := time.Date(2026, 8, 1, 23, 59, 59, 0, Seoul)
	if got := f.TakeTime(Deadline, "none", "bad", "day"); !got.Equal(want) {
		t.Errorf("TakeTime = %v, want %v", got, want)
	}
	if got := f.TakeTime(Time, "bad", "day"); !got.IsZero() {
		t.Errorf("TakeTime of what was taken = %v", got)
	}
	if d := cmp.Diff(map[string]string{"bad": "x", "other": "p"}, f.Rest("card", "none")); d != "" {
		t.Errorf("Rest (-want +got):\n%s", d)
	}
}

func TestTakeAmount(t *testing.T) {
	t.Parallel()
	f := Fields{"a": "1,000", "b": "", "c": "0", "d": "1x"}
	for name, want := range map[string]struct {
		won  int64
		told bool
	}{"a": {1000, true}, "b": {}, "c": {0, true}, "none": {}} {
		if won, told, err := f.TakeAmount(name); won != want.won || told != want.told || err != nil {
			t.Errorf("TakeAmount(%s) = %d, %t, %v, want %+v", name, won, told, err, want)
		}
	}
	_, told, err := f.TakeAmount("d")
	if told || err == nil {
		t.Errorf("TakeAmount of no amount = %t, %v", told, err)
	}
	mustBeInvalid(t, err)
	if len(f) != 0 {
		t.Errorf("left: %v", f)
	}
}

func TestReadRefusesTwice(t *testing.T) {
	t.Parallel()
	f, err := ParseForm([]byte("a=1&b=1&b=1"))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := f.Read(UTF8, "a", "none"); err != nil || v.Get("b") != "1" {
		t.Errorf("Read = %v, %v", v, err)
	}
	_, err = f.Read(UTF8, "a", "b")
	mustBeInvalid(t, err)
}

func TestName(t *testing.T) {
	t.Parallel()
	parts := []string{"m/1", "", "100%"}
	if got := Name(parts...); got != "m%2F1//100%25" || parts[0] != "m/1" {
		t.Errorf("Name = %q, and leaves %q", got, parts[0])
	}
}

// TestDigests: names are kept, so digests must not change. The values are those
// of sha256sum for "2:ab0:1:c", and for the parts with 0x1F between them.
func TestDigests(t *testing.T) {
	t.Parallel()
	if got, want := Digest("ab", "", "c"), "3027d4287f40a001ba8016b4e118c73a"; got != want {
		t.Errorf("Digest = %s, want %s", got, want)
	}
	if got, want := JoinedDigest("ab", "", "c"), "4f765644dd170ada0c47c0afcd999268"; got != want {
		t.Errorf("JoinedDigest = %s, want %s", got, want)
	}
	if Digest("ab", "c") == Digest("a", "bc") || JoinedDigest("ab", "c") == JoinedDigest("a", "bc") {
		t.Error("where a part ends does not count")
	}
	if got, want := FieldsDigest(map[string]string{"b": "2", "a": "1"}), JoinedDigest("a=1", "b=2"); got != want {
		t.Errorf("FieldsDigest = %s, want %s", got, want)
	}
}

func TestScalarsOfGateways(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ what, got, want string }{
		{"account", PlainAccount("T110-22 33"), "T1102233"},
		{"bank code", ShortCode("00000004"), "04"},
		{"bank code of three digits", ShortCode("0209"), "209"},
		{"no bank code", ShortCode("000"), ""},
		{"padded", PadZeros("12", 4), "0012"},
		{"long enough", PadZeros("12345", 4), "12345"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s = %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	for s, want := range map[string]bool{"": false, "000": false, " 0 ": false, "10": true, "x": true} {
		if Given(s) != want {
			t.Errorf("Given(%q) = %t", s, !want)
		}
	}
}
