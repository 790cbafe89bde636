package ingress_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// TestTelegramInTheQuery: KSNET's telegram is full of blanks, and who puts it
// into a URL may leave them and its EUC-KR as they are.
func TestTelegramInTheQuery(t *testing.T) {
	t.Parallel()
	ch := testChannel(of("ksnet", "2999199999"), func(c *merchant.Channel) { c.Unknown = merchant.Adopt })
	s := newSite(t, ch).run()
	ask := s.listen(t)
	for i, write := range []func(string) string{
		func(body string) string { return body },
		func(body string) string { return string(wire.Unescape([]byte(body))) },
	} {
		n := deposit("o-" + string(rune('1'+i)))
		n.Merchant, n.Depositor, n.Deposit = "2999199999", "똠방각하", ""
		r := module(t, "ksnet").Encode(notice.Notice{Report: n.Report, Merchant: n.Merchant, Order: n.Order}, nil)
		resp, body := ask("GET " + r.Path + "?" + write(string(r.Body)) + " HTTP/1.0\r\n\r\n")
		if resp.StatusCode != http.StatusOK || body != "result=OK" {
			t.Errorf("answer = %d %q", resp.StatusCode, body)
		}
	}
	if got := s.verdicts(); strings.Count(got, "applied@test") != 2 {
		t.Errorf("verdicts = %s", got)
	}
}
