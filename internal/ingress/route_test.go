package ingress_test

import (
	"net/http"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

func TestRoutes(t *testing.T) {
	const none merchant.ChannelKey = "channel-key-00000000-0000-4000-8000-0000000000ff"
	for _, c := range []struct {
		name     string
		channels []merchant.Channel
		suffix   string
		edit     func(*notice.Notice)
		status   int
		want     string
	}{
		{"a bare path finds the channel by MID", channels(testChannel()), "", nil, 200, "applied@test"},
		{"a slash at the end", channels(testChannel()), "/", nil, 200, "applied@test"},
		{"a path with the channel", channels(testChannel()), "/" + string(keyTest), nil, 200, "applied@test"},
		{"a path with the channel and a slash", channels(testChannel()), "/" + string(keyTest) + "/", nil, 200, "applied@test"},
		{"a path with channel and token", channels(testChannel(token("sesame"))), "/" + string(keyTest) + "/sesame", nil, 200, "applied@test"},
		{"a wrong token", channels(testChannel(token("sesame"))), "/" + string(keyTest) + "/sesam", nil, 400, "refused/wrong_token@test"},
		{"a token that is missing", channels(testChannel(token("sesame"))), "/" + string(keyTest), nil, 400, "refused/wrong_token@test"},
		{"a token where none is set", channels(testChannel()), "/" + string(keyTest) + "/sesame", nil, 400, "refused/wrong_token@test"},
		{"a token with more behind it", channels(testChannel(token("sesame"))), "/" + string(keyTest) + "/sesame/x", nil, 400, "refused/wrong_token@test"},
		{"a channel with a token does not listen on the bare path", channels(testChannel(token("sesame"))), "", nil, 400, "refused/wrong_token@test"},
		{"a disabled channel does not listen on the bare path", channels(testChannel(func(c *merchant.Channel) { c.Disabled = true })), "", nil, 400, "refused/channel_disabled"},
		{"a MID that is not the channel's", channels(testChannel()), "/" + string(keyTest), toMID("T0007"), 400, "refused/other_mid@test"},
		{"a channel that does not exist", channels(testChannel()), "/" + string(none), nil, 400, "refused/unknown_channel"},
		{"a channel of another PG", channels(testChannel(of("nice", "T0000"))), "/" + string(keyTest), nil, 400, "refused/unknown_channel"},
		{"a MID that no channel has", channels(testChannel()), "", toMID("T0007"), 200, "unmatched/unknown_channel"},
		{"a disabled channel", channels(testChannel(func(c *merchant.Channel) { c.Disabled = true })), "/" + string(keyTest), nil, 400, "refused/unknown_channel"},
		{"needless escapes", channels(testChannel()), "/%63hannel" + string(keyTest[7:]), nil, 200, "applied@test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, c.channels, func(t *testing.T, s *site) {
				if ch := c.channels[0]; ch.Provider == "kcp" && !ch.Disabled {
					s.mustRegister(ch, "o-1")
				}
				n := deposit("o-1")
				if c.edit != nil {
					c.edit(&n)
				}
				w := s.serve(encoded(s, "kcp", loopback, c.suffix, n, nil))
				if w.Code != c.status {
					t.Errorf("status = %d, want %d", w.Code, c.status)
				}
				s.wantVerdicts(c.want)
			})
		})
	}
}

func TestPathsThatAreNoNoticePaths(t *testing.T) {
	inBubble(t, channels(testChannel()), func(t *testing.T, s *site) {
		for path, notices := range map[string]bool{
			"/kcp_payments/notice_vbank":                          true,
			"//kcp_payments//notice_vbank":                        true,
			"/kcp_payments%2Fnotice_vbank":                        true,
			"/kcp_payments/notice_vbank/" + string(keyTest):       true,
			"/kcp_payments/notice_vbank/" + string(keyTest) + "/": true,
			"/":                            false,
			"":                             false,
			"/kcp_payments":                false,
			"/kcp_payments/notice_vbank/x": false,
			"/channel-key-1":               false,
			"/x/channel-key-1":             false,
			"/kcp_payments/%zz":            false,
			"/kcp_payments/../kcp_payments/notice_vbank": false,
		} {
			if got := s.ingress.Matches(path); got != notices {
				t.Errorf("Matches(%q) = %v, want %v", path, got, notices)
			}
		}
		w := s.serve(call{path: "/kcp_payments/other", from: loopback})
		if w.Code != http.StatusNotFound {
			t.Errorf("an unknown path gets %d, want 404", w.Code)
		}
		s.wantVerdicts("")
	})
}

// Published test MIDs are everybody's: on a bare path two merchants may be
// meant.
func TestOneTestMIDOfTwoMerchants(t *testing.T) {
	first, second := testChannel(), testChannel(keyed(keyMore), otherMerchant)
	for _, c := range []struct {
		name    string
		prepare func(s *site)
		want    string
	}{
		{"the order is known to one", func(s *site) { s.mustRegister(second, "o-1") }, "applied@more"},
		{"the order is nobody's", func(*site) {}, "unmatched/unknown_order"},
		{"the order is both's, the account one's", func(s *site) {
			s.mustRegister(first, "o-1", account("2202"))
			s.mustRegister(second, "o-1", account("11-01"))
		}, "applied@more"},
		{"order and account are both's", func(s *site) {
			s.mustRegister(first, "o-1")
			s.mustRegister(second, "o-1")
		}, "unmatched/several_match"},
		{"the order is both's, the account nobody's", func(s *site) {
			s.mustRegister(first, "o-1", account("2202"))
			s.mustRegister(second, "o-1", account("3303"))
		}, "unmatched/several_match"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, channels(first, second), func(t *testing.T, s *site) {
				c.prepare(s)
				wantAck(t, "kcp", s.send(loopback, deposit("o-1")))
				s.wantVerdicts(c.want)
			})
		})
	}
}

func TestProofTellsTwoMerchantsApart(t *testing.T) {
	first := testChannel(of("nice", "nicepay00m"), credential("merchant_key", "first"))
	second := testChannel(of("nice", "nicepay00m"), credential("merchant_key", "second"), keyed(keyMore), otherMerchant)
	third := testChannel(of("nice", "nicepay00m"), keyed(keyLive), otherMerchant) // has no key to check with
	to := func(n *notice.Notice) { n.Merchant = "nicepay00m"; n.PGTx, n.Deposit = "", "" }
	t.Run("known to all", func(t *testing.T) {
		inBubble(t, channels(first, second, third), func(t *testing.T, s *site) {
			s.mustRegister(first, "o-1")
			s.mustRegister(second, "o-1")
			wantAck(t, "nice", s.serve(encoded(s, "nice", loopback, "", deposit("o-1", to), second.Credentials)))
			s.wantVerdicts("applied@more")
		})
	})
	t.Run("a proof counts more than having none", func(t *testing.T) {
		inBubble(t, channels(first, third), func(t *testing.T, s *site) {
			s.mustRegister(first, "o-1")
			s.mustRegister(third, "o-1")
			wantAck(t, "nice", s.serve(encoded(s, "nice", loopback, "", deposit("o-1", to), first.Credentials)))
			s.wantVerdicts("applied@test")
		})
	})
	t.Run("known to nobody, the key is one's", func(t *testing.T) {
		inBubble(t, channels(first, second), func(t *testing.T, s *site) {
			wantAck(t, "nice", s.serve(encoded(s, "nice", loopback, "", deposit("o-1", to), second.Credentials)))
			s.wantVerdicts("unmatched/unknown_order@more")
		})
	})
}

// A notice that several may mean belongs to no tenant, and stays so when one
// of them registers again.
func TestAmbiguousNoticeBelongsToNobody(t *testing.T) {
	first, second := testChannel(), testChannel(keyed(keyMore), otherMerchant)
	inBubble(t, channels(first, second), func(t *testing.T, s *site) {
		s.mustRegister(first, "o-1")
		s.mustRegister(second, "o-1")
		s.send(loopback, deposit("o-1"))
		if owner := s.texts(`select merchant_id || store_id || mode from notice`); owner != "" {
			t.Errorf("the notice belongs to %q, want nobody", owner)
		}
		if owner := s.texts(`select merchant_id || store_id from open_case`); owner != "" {
			t.Errorf("its case belongs to %q, want nobody", owner)
		}
		if kinds := s.texts(`select type from event where type = 'tongbo.attention'`); kinds != "" {
			t.Errorf("somebody was told: %s", kinds)
		}
		s.mustRegister(first, "o-1")
		if got := s.state("s1", "o-1"); got != payment.Issued {
			t.Errorf("registered again, the payment is %s", got)
		}
		s.send(loopback, deposit("o-1"))
		s.wantVerdicts("unmatched/several_match unmatched/several_match")
		if got := s.cases(); got != "unmatched/several_match+1" {
			t.Errorf("cases = %s", got)
		}
	})
}
