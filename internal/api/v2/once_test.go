package v2

import (
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
)

// TestNamedOnce refuses bodies of which two readers may see two things.
func TestNamedOnce(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"amount":1,"amount":null}`:                  "amount is given twice",
		`{"amount":1,"AMOUNT":2}`:                     "AMOUNT is given twice",
		`{"storeId":"a","\u017ftoreId":"b"}`:          "ſtoreId is given twice",
		`{"a":{"b":1,"c":[{"d":1},{"d":2,"d":3}]}}`:   "d is given twice",
		`{"a":{"b":1},"c":{"b":1},"b":["b","b","a"]}`: "",
		`{"a":"a","b":"a"}`:                           "",
		`{"a":[],"b":{},"A2":1}`:                      "",
	} {
		var into struct{}
		err := decode([]byte(body), &into)
		if want == "" && err == nil {
			continue
		}
		if !fault.Is(err, fault.Invalid) || err.Error() != want {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
	}
}
