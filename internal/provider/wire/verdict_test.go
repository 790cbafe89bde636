package wire_test

import (
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		body   string
		no     string // its code
		fails  bool
	}{
		{200, `{"code":"00","words":"ok","x":"1"}`, "", false},
		{200, ` {"code":"0000","x":"1"}` + "\n", "", false},
		{200, `{"code":0,"words":"x"}`, "0", false},
		{200, `{"code":"99","words":"x"}`, "99", false},
		{404, `{"code":"99"}`, "99", false},
		{404, `{"code":"00"}`, "", true},
		{500, `{"code":"99"}`, "", true},
		{302, `{"code":"99"}`, "", true},
		{201, `{"code":"00"}`, "", true},
		{200, `{}`, "", true},
		{200, `{"code":null}`, "", true},
		{200, `{"code":"00","code":"99"}`, "", true},
		{200, `{"code":"00"`, "", true},
		{200, `[]`, "", true},
		{200, ``, "", true},
		{200, `<html>`, "", true},
	} {
		o, no, err := wire.Answer{Status: c.status, Body: []byte(c.body)}.Verdict("code", "words", "00", "0000")
		if c.fails != fault.Is(err, fault.Unclear) || !c.fails && err != nil {
			t.Errorf("%d %s: %v", c.status, c.body, err)
			continue
		}
		if c.no != "" && (no == nil || no.Code != c.no) || c.no == "" && no != nil {
			t.Errorf("%d %s: no = %v, want %q", c.status, c.body, no, c.no)
		}
		if !c.fails && c.no == "" && string(o["x"]) != `"1"` {
			t.Errorf("%d %s: object %v", c.status, c.body, o)
		}
	}
}
