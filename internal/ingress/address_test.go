package ingress_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/kcp"
)

func TestSenders(t *testing.T) {
	for _, c := range []struct {
		name    string
		channel merchant.Channel
		from    string
		want    string
	}{
		{"live, from the PG's live address", liveChannel(), kcpLive, "applied@live"},
		{"live, from a stranger", liveChannel(), stranger, "refused/sender_not_listed@live"},
		{"live, from the PG's test address", liveChannel(), kcpTest, "recorded/test_sender@live"},
		{"live, from this machine", liveChannel(), loopback, "refused/sender_not_listed@live"},
		{"live, from this machine that its list names", liveChannel(senders(loopback)), loopback, "refused/sender_not_listed@live"},
		{"live, from a private address that its list names", liveChannel(senders("10.0.0.0/8")), "10.1.2.3", "refused/sender_not_listed@live"},
		{"live, from a carrier's inner address that its list names", liveChannel(senders("100.64.0.0/10")), "100.64.0.1", "refused/sender_not_listed@live"},
		{"live, from a unique local address that its list names", liveChannel(senders("fc00::/7")), "fd00::1", "refused/sender_not_listed@live"},
		{"live, its own list replaces the PG's", liveChannel(senders(stranger)), kcpLive, "refused/sender_not_listed@live"},
		{"live, from its own list", liveChannel(senders(stranger)), stranger, "applied@live"},
		{"live, IPv6 from its own list", liveChannel(senders("2001:db8::/32")), "2001:db8::7", "applied@live"},
		{"live, IPv4 written as IPv6", liveChannel(), "::ffff:" + kcpLive, "applied@live"},
		{"live, an empty list refuses everybody", liveChannel(senders()), kcpLive, "refused/no_sender_list@live"},
		{"test, from the PG's test address", testChannel(), kcpTest, "applied@test"},
		{"test, from the PG's live address", testChannel(), kcpLive, "refused/sender_not_listed@test"},
		{"test, from this machine", testChannel(), loopback, "applied@test"},
		{"test, from this machine over IPv6", testChannel(), "::1", "applied@test"},
		{"test, from a private address", testChannel(), "10.1.2.3", "refused/sender_not_listed@test"},
		{"test, its own list leaves this machine out", testChannel(senders(stranger)), loopback, "refused/sender_not_listed@test"},
		{"test, an empty list refuses everybody", testChannel(senders()), loopback, "refused/no_sender_list@test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, channels(c.channel), func(t *testing.T, s *site) {
				s.mustRegister(c.channel, "o-1")
				s.send(c.from, deposit("o-1", toMID(c.channel.MID)))
				s.wantVerdicts(c.want)
			})
		})
	}
}

// What a test machine says about live money claims nothing: the real notice
// bears the same key.
func TestTestSenderClaimsNoKey(t *testing.T) {
	inBubble(t, channels(liveChannel()), func(t *testing.T, s *site) {
		s.mustRegister(liveChannel(), "o-1")
		wantAck(t, "kcp", s.send(kcpTest, deposit("o-1", toMID("A1234"))))
		wantAck(t, "kcp", s.send(kcpLive, deposit("o-1", toMID("A1234"))))
		s.wantVerdicts("recorded/test_sender@live applied@live")
	})
}

// An unlisted provider is KCP as it would be if it published no addresses.
type unlisted struct{ provider.Provider }

// Info leaves the addresses out.
func (u unlisted) Info() provider.Info {
	i := u.Provider.Info()
	i.LiveSenders, i.TestSenders = nil, nil
	return i
}

func TestPGWithoutPublishedAddresses(t *testing.T) {
	for _, c := range []struct {
		name, suffix, from string
		channel            merchant.Channel
		want               string
	}{
		{"live without token or list", "", stranger, liveChannel(), "refused/no_sender_list@live"},
		{"live with the channel in the path alone", "/" + string(keyLive), stranger, liveChannel(), "refused/no_sender_list@live"},
		{"live with a token", "/" + string(keyLive) + "/sesame", stranger, liveChannel(token("sesame")), "applied@live"},
		{"live with a token, from a private address", "/" + string(keyLive) + "/sesame", "10.0.0.1", liveChannel(token("sesame")), "refused/no_sender_list@live"},
		{"live with its own list", "", stranger, liveChannel(senders(stranger)), "applied@live"},
		{"live with token and list, not on it", "/" + string(keyLive) + "/sesame", kcpLive, liveChannel(token("sesame"), senders(stranger)), "refused/sender_not_listed@live"},
		{"test from this machine", "", loopback, testChannel(), "applied@test"},
		{"test from elsewhere", "", stranger, testChannel(), "refused/sender_not_listed@test"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			blank()
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t, c.channel)
				s.ingress.Providers = []provider.Provider{unlisted{kcp.V1}}
				s.run()
				s.mustRegister(c.channel, "o-1")
				s.serve(encoded(s, "kcp", c.from, c.suffix, deposit("o-1", toMID(c.channel.MID)), nil))
				s.wantVerdicts(c.want)
			})
		})
	}
}

func TestClientAddr(t *testing.T) {
	proxies := provider.Prefixes("10.0.0.0/8", "127.0.0.1", "192.0.2.1", "fd00::/8")
	for _, c := range []struct {
		name    string
		peer    string
		trusted []netip.Prefix
		header  http.Header
		want    string
		unknown bool
	}{
		{"no proxy", "203.0.113.9:1", nil, nil, "203.0.113.9", false},
		{"a public peer's headers are not looked at", "203.0.113.9:1", nil, http.Header{"X-Forwarded-For": {kcpLive}}, "203.0.113.9", false},
		{"not even with proxies", "203.0.113.9:1", proxies, http.Header{"X-Forwarded-For": {kcpLive}}, "203.0.113.9", false},
		{"a private peer without headers", "10.0.0.1:1", nil, nil, "10.0.0.1", false},
		{"a private peer with headers, no proxy trusted", "10.0.0.1:1", nil, http.Header{"X-Forwarded-For": {kcpLive}}, "", true},
		{"this machine with headers, no proxy trusted", "127.0.0.1:1", nil, http.Header{"X-Real-Ip": {kcpLive}}, "", true},
		{"this machine with RFC 7239's header", "[::1]:1", nil, http.Header{"Forwarded": {"for=" + kcpLive}}, "", true},
		{"this machine, only the scheme forwarded", "[::1]:1", nil, http.Header{"X-Forwarded-Proto": {"https"}}, "", true},
		{"an empty header is a header", "127.0.0.1:1", nil, http.Header{"X-Forwarded-For": {""}}, "", true},
		{"a private peer that is another than the trusted", "172.16.0.1:1", proxies, http.Header{"X-Forwarded-For": {kcpLive}}, "", true},
		{"one hop", "10.0.0.1:1", proxies, http.Header{"X-Forwarded-For": {kcpLive}}, kcpLive, false},
		{"several hops", "10.0.0.1:1", proxies, http.Header{"X-Forwarded-For": {kcpLive + ", 192.0.2.1,10.9.9.9"}}, kcpLive, false},
		{"several headers", "10.0.0.1:1", proxies, http.Header{"X-Forwarded-For": {"1.1.1.1", kcpLive, "10.9.9.9"}}, kcpLive, false},
		{"entries that the sender made up", "10.0.0.1:1", proxies, http.Header{"X-Forwarded-For": {kcpLive + ", 10.0.0.2, 203.0.113.9"}}, "203.0.113.9", false},
		{"garbage that the sender made up", "10.0.0.1:1", proxies, http.Header{"X-Forwarded-For": {"<script>, 203.0.113.9"}}, "203.0.113.9", false},
		{"IPv6", "[fd00::1]:1", proxies, http.Header{"X-Forwarded-For": {"2001:db8::7"}}, "2001:db8::7", false},
		{"IPv6 in brackets", "10.0.0.1:1", proxies, http.Header{"X-Forwarded-For": {"[2001:db8::7]"}}, "2001:db8::7", false},
		{"IPv6 and port", "10.0.0.1:1", proxies, http.Header{"X-Forwarded-For": {"[2001:db8::7]:443"}}, "2001:db8::7", false},
		{"IPv6 with a zone", "10.0.0.1:1", proxies, http.Header{"X-Forwarded-For": {"fe80::1%eth0"}}, "fe80::1", false},
		{"IPv4 and port", "10.0.0.1:1", proxies, http.Header{"X-Forwarded-For": {kcpLive + ":4711"}}, kcpLive, false},
		{"IPv4 written as IPv6", "[::ffff:10.0.0.1]:1", proxies, http.Header{"X-Forwarded-For": {"::ffff:" + kcpLive}}, kcpLive, false},
		{"malformed", "10.0.0.1:1", proxies, http.Header{"X-Forwarded-For": {kcpLive + ", unknown"}}, "invalid IP", false},
		{"cut off", "10.0.0.1:1", proxies, http.Header{"X-Forwarded-For": {kcpLive + ","}}, "invalid IP", false},
		{"a proxy that names nobody", "10.0.0.1:1", proxies, http.Header{"X-Real-Ip": {kcpLive}}, "invalid IP", false},
		{"the proxy's machine itself", "127.0.0.1:1", proxies, nil, "127.0.0.1", false},
		{"only proxies", "10.0.0.1:1", proxies, http.Header{"X-Forwarded-For": {"10.0.0.5"}}, "10.0.0.1", false},
		{"a peer that is no address", "@", nil, nil, "invalid IP", false},
		{"a peer that is no address, with headers", "@", nil, http.Header{"X-Forwarded-For": {kcpLive}}, "", true},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.RemoteAddr = c.peer
		maps.Copy(r.Header, c.header)
		addr, ok := ingress.ClientAddr(r, c.trusted)
		if ok == c.unknown || ok && addr.String() != c.want {
			t.Errorf("%s: ClientAddr = %v, %v, want %s, %v", c.name, addr, ok, c.want, !c.unknown)
		}
	}
}

func TestBehindATrustedProxy(t *testing.T) {
	t.Parallel()
	blank()
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, liveChannel())
		s.ingress.TrustedProxies = provider.Prefixes(loopback)
		s.run()
		s.mustRegister(liveChannel(), "o-1")
		for _, c := range []struct{ forwarded, want string }{
			{kcpLive + ", " + stranger, "refused/sender_not_listed@live"},
			{kcpLive + ", nonsense", "refused/sender_not_listed@live"},
			{stranger + ", " + kcpLive, "applied@live"},
		} {
			r := encoded(s, "kcp", loopback, "", deposit("o-1", toMID("A1234")), nil)
			r.header.Set("X-Forwarded-For", c.forwarded)
			s.serve(r)
			if got := s.verdicts(); !strings.HasSuffix(got, c.want) {
				t.Errorf("forwarded for %s: %s, want %s", c.forwarded, got, c.want)
			}
		}
		if got, want := s.texts(`select peer from notice order by id`), stranger+" invalid IP "+kcpLive; got != want {
			t.Errorf("peers = %s, want %s", got, want)
		}
		if !strings.Contains(s.log.String(), "peer="+kcpLive) {
			t.Errorf("the log does not name the sender:\n%s", s.log)
		}
	})
}

func TestUntrustedProxyAdmitsNobody(t *testing.T) {
	inBubble(t, channels(testChannel(), liveChannel()), func(t *testing.T, s *site) {
		s.mustRegister(testChannel(), "o-1")
		s.mustRegister(liveChannel(), "o-2")
		again := func(n notice.Notice) {
			r := encoded(s, "kcp", loopback, "", n, nil)
			r.header.Set("X-Forwarded-For", kcpLive)
			if w := s.serve(r); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
				t.Errorf("answer = %d %v, want 503 with Retry-After", w.Code, w.Header())
			}
		}
		again(deposit("o-1"))
		again(deposit("o-2", toMID("A1234")))
		time.Sleep(59 * time.Second)
		again(deposit("o-1"))
		warned := func() int { return strings.Count(s.log.String(), "--trusted-proxies") }
		if warned() != 1 {
			t.Errorf("warned %d times within a minute, want once", warned())
		}
		time.Sleep(time.Second)
		again(deposit("o-1"))
		if warned() != 2 {
			t.Errorf("warned %d times after a minute, want twice", warned())
		}
		const one = "refused/untrusted_proxy"
		s.wantVerdicts(strings.Join([]string{one, one, one, one}, " "))
		if got := s.state("s1", "o-1"); got != payment.Issued {
			t.Errorf("the payment is %s", got)
		}
		list, err := s.Notices(s.Context(), everything)
		if err != nil {
			t.Fatal(err)
		}
		in, err := s.Notice(s.Context(), list[0].ID)
		if err != nil || len(in.Request.Body) == 0 || in.Request.Header.Get("X-Forwarded-For") != kcpLive {
			t.Errorf("kept = %+v, %v; want its bytes", in.Request, err)
		}
	})
}
