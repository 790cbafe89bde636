package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestObject(t *testing.T) {
	t.Parallel()
	o, err := ParseObject([]byte(` {"a":" b ","A":1.50,"n":null,"t":true,"o":{"x":[1, 2]},"e":"\uD64D"} `))
	if err != nil {
		t.Fatal(err)
	}
	if none, err := o.Take("none"); none != "" || err != nil {
		t.Errorf("Take of what is not there = %q, %v", none, err)
	}
	f, err := o.TakeAll()
	if err != nil {
		t.Fatal(err)
	}
	want := Fields{"a": "b", "A": "1.50", "n": "", "t": "true", "o": `{"x":[1, 2]}`, "e": "홍"}
	if d := cmp.Diff(want, f); d != "" || len(o) != 0 {
		t.Errorf("TakeAll leaves %v (-want +got):\n%s", o, d)
	}
}

func TestObjectRefuses(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", " ", "null", "1", `"a"`, "[]", "{", "}", `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1}x`, `{"a":1}{}`, `{"a":1`,
		`{a:1}`, `{"a":1,"a":1}`, `{"a":1,"\u0061":2}`, `{"a\u0000":1}`,
	} {
		o, err := ParseObject([]byte(body))
		if err == nil {
			t.Errorf("ParseObject(%s) = %v", body, o)
			continue
		}
		mustBeInvalid(t, err)
	}
	o, err := ParseObject([]byte(`{"a":"x\u0000"}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = o.TakeAll()
	mustBeInvalid(t, err)
}
