package attention

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

var noon = time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)

// pg is the module that the tests are about, one with published addresses and a call.
func pg(t *testing.T, code string) provider.Provider {
	t.Helper()
	p, ok := all.ByCode(code)
	if !ok {
		t.Fatalf("no module %q", code)
	}
	return p
}

// heard are notices of addresses, the newest first; an address with a "!" in front was
// refused, one with a "?" was learnt by asking.
func heard(peers ...string) (list []Heard) {
	for i, peer := range peers {
		h := Heard{ID: "n", At: noon.Add(-time.Duration(i) * time.Minute), Verdict: payment.Applied}
		switch peer[0] {
		case '!':
			h.Verdict, peer = payment.Refused, peer[1:]
		case '~':
			h.Test, h.Verdict, peer = true, payment.Recorded, peer[1:]
		case '?':
			h.Learnt, peer = true, peer[1:]
		}
		h.Peer, _ = netip.ParseAddr(peer)
		list = append(list, h)
	}
	return list
}

func TestStateOf(t *testing.T) {
	t.Parallel()
	kcp := pg(t, "kcp_v2")
	live := merchant.Channel{Key: "k", Provider: "kcp_v2", Mode: merchant.Live}
	senders := kcp.Info().LiveSenders
	own := senders[0].Addr().String()
	full := merchant.Credentials{}
	for _, f := range kcp.Info().Fields {
		full[f.Name] = "x"
	}
	complete, test, off := live, live, live
	complete.Credentials, test.Mode = full, merchant.Test
	off.Credentials, off.Disabled = full, true
	named := complete
	named.Senders = &[]netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	for _, tc := range []struct {
		name    string
		channel merchant.Channel
		facts   ChannelFacts
		want    Setup
	}{
		{"with all credentials, and nothing heard", complete, ChannelFacts{}, Waiting},
		{"a test channel without credentials", test, ChannelFacts{}, Waiting},
		{"the PG was asked", complete, ChannelFacts{AskedAt: noon}, Asked},
		{"a notice from elsewhere", complete, ChannelFacts{AskedAt: noon, Newest: heard("203.0.113.7")}, Asked},
		{"a notice from the PG that was refused", complete, ChannelFacts{Newest: heard("!" + own)}, Waiting},
		{"a notice from the PG that was applied", complete, ChannelFacts{AskedAt: noon, Newest: heard("!203.0.113.7", own)}, Connected},
		{"one that was applied long ago", complete, ChannelFacts{Newest: heard("!203.0.113.7"), Decided: heard(own)}, Connected},
		{"what the PG said when it was asked", complete, ChannelFacts{Newest: heard("?" + own)}, Waiting},
		{"a test notice", complete, ChannelFacts{Newest: heard("~" + own)}, Waiting},
		{"a test of this machine", complete, ChannelFacts{Newest: heard("127.0.0.1")}, Waiting},
		{"this machine, which the channel's list names", named, ChannelFacts{Newest: heard("127.0.0.1")}, Connected},
		{"this machine, where the PG is played", test, ChannelFacts{Newest: heard("127.0.0.1")}, Connected},
		{"an address that could not be read", complete, ChannelFacts{Newest: heard("invalid IP")}, Waiting},
		{"two became due", complete, ChannelFacts{Overdue: Overdue{Count: 2}}, Waiting},
		{"three became due", complete, ChannelFacts{Overdue: Overdue{Count: 3}, Decided: heard(own)}, Silent},
		{"three became due on a channel that is off", off, ChannelFacts{Overdue: Overdue{Count: 3}}, Waiting},
	} {
		if got := StateOf(kcp, tc.channel, tc.facts); got.Setup != tc.want {
			t.Errorf("%s: %s, want %s", tc.name, got.Setup, tc.want)
		}
	}
	s := StateOf(kcp, complete, ChannelFacts{Newest: heard("?"+own, "!203.0.113.7", own)})
	if tested := StateOf(kcp, complete, ChannelFacts{Newest: heard("~127.0.0.1")}); tested.Tested.IsZero() || !tested.Last.IsZero() {
		t.Errorf("after a test notice: %+v", tested)
	}
	if s.Last.Peer.String() != "203.0.113.7" || s.FromPG.Peer.String() != own || !s.Quiet.Equal(s.Last.At) {
		t.Errorf("heard: %+v", s)
	}
}

// TestPlayed: a channel whose PG sends no notices is never silent or waiting.
func TestPlayed(t *testing.T) {
	t.Parallel()
	for _, p := range all.Wallets() {
		c := merchant.Channel{Key: "k", Provider: p.Info().Code, Mode: merchant.Test}
		for _, f := range []ChannelFacts{{}, {Overdue: Overdue{Count: 9}}, {AskedAt: noon}, {Newest: heard("127.0.0.1")}} {
			if got := StateOf(p, c, f); got.Setup != Played || len(got.Missing) > 0 {
				t.Errorf("%s: %s, lacks %v", c.Provider, got.Setup, got.Missing)
			}
		}
	}
}

// TestDraft: a channel that lacks what its notices are proved with is a draft, and
// says what is missing. Of two keys of which a contract has one, one is enough.
func TestDraft(t *testing.T) {
	t.Parallel()
	for _, p := range all.Providers() {
		i := p.Info()
		wants := map[string][]string{"": nil}
		for _, f := range i.Fields {
			if f.Proof && f.Or == "" {
				wants[""] = append(wants[""], f.Name)
			}
		}
		if i.Code == "nice_v2" {
			wants = map[string][]string{"": {"merchant_key / secret_key"}, "merchant_key": nil, "secret_key": nil, "client_key": {"merchant_key / secret_key"}}
		}
		for has, want := range wants {
			c := merchant.Channel{Provider: i.Code, Mode: merchant.Live}
			if has != "" {
				c.Credentials = merchant.Credentials{has: "x"}
			}
			s := StateOf(p, c, ChannelFacts{AskedAt: noon})
			if (s.Setup == Draft) != (len(want) > 0) || !cmp.Equal(s.Missing, want) {
				t.Errorf("%s with credential %q: %s, missing %v, want %v", i.Code, has, s.Setup, s.Missing, want)
			}
		}
	}
}

// TestFromPGByToken: of a PG that publishes no addresses, a path with a token tells.
func TestFromPGByToken(t *testing.T) {
	t.Parallel()
	i := 0
	for _, p := range all.Providers() {
		c := merchant.Channel{Provider: p.Info().Code, Mode: merchant.Live, Token: "secret"}
		if len(p.Info().Senders(c)) > 0 {
			continue
		}
		i++
		for addr, want := range map[string]bool{"203.0.113.7": true, "10.0.0.1": false, "127.0.0.1": false} {
			if got := FromPG(p, c, netip.MustParseAddr(addr)); got != want {
				t.Errorf("%s from %s: %v", p.Info().Code, addr, got)
			}
		}
		c.Token = ""
		if FromPG(p, c, netip.MustParseAddr("203.0.113.7")) {
			t.Errorf("%s: anybody is the PG", p.Info().Code)
		}
	}
	if i == 0 {
		t.Error("every PG publishes its addresses: nothing was tested")
	}
}

func TestScope(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		scope Scope
		m     merchant.ID
		s     merchant.StoreID
		want  bool
	}{
		{"all of a merchant", Scope{Merchant: "m"}, "m", "s", true},
		{"another merchant", Scope{Merchant: "m"}, "n", "s", false},
		{"one store", Scope{Merchant: "m", Store: "s"}, "m", "s", true},
		{"another store", Scope{Merchant: "m", Store: "s"}, "m", "r", false},
		{"nobody's", Scope{Merchant: "m"}, "", "", false},
		{"nobody's, to the operator", Scope{Merchant: "m", Installation: true}, "", "", true},
		{"nothing", Scope{}, "", "", false},
	} {
		if got := tc.scope.Sees(tc.m, tc.s); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}
