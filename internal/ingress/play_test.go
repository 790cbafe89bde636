package ingress_test

import (
	"net/http"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
)

// TestPlay gives notices to the ingress from within: they meet every check that a
// connection from this machine does.
func TestPlay(t *testing.T) {
	t.Parallel()
	c := testChannel(token("the-token-of-the-channel"))
	elsewhere := testChannel(keyed(keyMore), senders("203.0.113.7"), of("kcp_v2", "T0000"))
	s := newSite(t, c, elsewhere, liveChannel()).run()
	s.mustRegister(c, "o1")
	play := func(code, suffix string, n notice.Notice) (provider.Reply, notice.Result) {
		t.Helper()
		r := module(t, code).Encode(n, nil)
		r.Path += suffix
		reply, res, err := s.ingress.Play(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return reply, res
	}
	for _, tt := range []struct {
		name, code, suffix string
		n                  notice.Notice
		want               payment.Verdict
		why                payment.Reason
	}{
		{"a wrong token", "kcp", "/" + string(keyTest) + "/another-token-of-a-channel", deposit("o1"), payment.Refused, notice.ReasonWrongToken},
		{"another MID", "kcp", "/" + string(keyTest) + "/the-token-of-the-channel", deposit("o1", toMID("T9999")), payment.Refused, notice.ReasonOtherMID},
		{"a channel that hears others", "kcp_v2", "/" + string(keyMore), deposit("o1"), payment.Refused, notice.ReasonAddress},
		{"a live channel", "kcp", "/" + string(keyLive), deposit("o1", toMID("A1234")), payment.Refused, notice.ReasonAddress},
		{"its own channel", "kcp", "/" + string(keyTest) + "/the-token-of-the-channel", deposit("o1"), payment.Applied, ""},
		{"the same again", "kcp", "/" + string(keyTest) + "/the-token-of-the-channel", deposit("o1"), payment.Duplicate, ""},
	} {
		reply, res := play(tt.code, tt.suffix, tt.n)
		if res.Verdict != tt.want || res.Reason != tt.why || res.ID == "" {
			t.Errorf("%s: %+v, want %s %s", tt.name, res, tt.want, tt.why)
		}
		if good := tt.want != payment.Refused; module(t, tt.code).Acked(reply) != good || (reply.Status == http.StatusOK) != good {
			t.Errorf("%s is answered %d %s", tt.name, reply.Status, reply.Body)
		}
	}
	if _, _, err := s.ingress.Play(t.Context(), notice.Request{Method: http.MethodPost, Path: "/payments"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a path that takes no notices: %v", err)
	}
}

// TestPlayNotNow has nobody settle what comes: the answer is that of a store that is
// away.
func TestPlayNotNow(t *testing.T) {
	t.Parallel()
	s := newSite(t, testChannel())
	if err := s.shut(); err != nil {
		t.Fatal(err)
	}
	reply, _, err := s.ingress.Play(t.Context(), module(t, "kcp").Encode(deposit("o1"), nil))
	if reply.Status != http.StatusServiceUnavailable || err == nil {
		t.Errorf("Play = %d, %v, want 503", reply.Status, err)
	}
}
