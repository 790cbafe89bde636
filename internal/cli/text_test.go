package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
)

// spoilers are what outside text may try on a terminal.
const spoilers = "a\x1b[2Jb\u009b31mc\u0085d\u007fe\u202ef\u2066g\u200bh\u2028i\U000e0041j"

func TestOutsideTextIsText(t *testing.T) {
	for _, r := range printable(spoilers) {
		if !unicode.IsPrint(r) && r != '\uFFFD' {
			t.Errorf("printable lets %U through", r)
		}
	}
	if got := printable("주문 #1 똠방각하 😀"); got != "주문 #1 똠방각하 😀" {
		t.Errorf("printable spoils text: %q", got)
	}
	b, err := plainJSON(map[string]string{"order": spoilers})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range string(b) {
		if !unicode.IsPrint(r) {
			t.Errorf("the JSON holds %U", r)
		}
	}
	var back map[string]string
	if err := json.Unmarshal(b, &back); err != nil || back["order"] != spoilers {
		t.Errorf("read back: %q, %v", back["order"], err)
	}
}

func TestShort(t *testing.T) {
	if got := short(strings.Repeat("z", 30000)); cells(got) > longestCell {
		t.Errorf("a long text takes %d cells", cells(got))
	}
	if got := short(strings.Repeat("가", 100)); cells(got) > longestCell {
		t.Errorf("a long Korean text takes %d cells", cells(got))
	}
	if got := short("order-1"); got != "order-1" {
		t.Errorf("short = %q", got)
	}
}
