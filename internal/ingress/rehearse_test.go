package ingress_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
)

// reserved is a rehearsal of a deposit of 1000 won for an order that only it has.
func reserved(c merchant.ChannelKey, edit ...func(*notice.Rehearsal)) notice.Rehearsal {
	r := notice.Rehearsal{Channel: c, Until: time.Now().Add(notice.RehearsalLife), Order: "reserved", Amount: payment.Won(1000), Account: "1101"}
	for _, f := range edit {
		f(&r)
	}
	return r
}

func givenPayment(r *notice.Rehearsal) { r.Given = true }

// rehearsing has the token of a rehearsal given out, and returns what adds it to a
// request.
func (s *site) rehearsing(token string, r notice.Rehearsal) func(call) call {
	s.Helper()
	s.ingress.Rehearsals = s.Store
	if err := s.BeginRehearsal(s.Context(), secret.Text(token), r, time.Now()); err != nil {
		s.Fatal(err)
	}
	return func(c call) call {
		if c.header = c.header.Clone(); c.header == nil {
			c.header = http.Header{}
		}
		c.header.Set(notice.RehearsalHeader, token)
		return c
	}
}

// told is KCP's deposit notice on a channel's own path.
func (s *site) told(c merchant.Channel, from string, n notice.Notice) call {
	s.Helper()
	return encoded(s, "kcp", from, "/"+string(c.Key), n, nil)
}

// counts is how many rows there are of all that money depends on.
func (s *site) counts() string {
	s.Helper()
	return s.texts(`select (select count(*) from notice_key) || ' keys, ' || (select count(*) from deposit) || ' deposits, ' ||
		(select count(*) from open_case) || ' cases, ' || (select count(*) from event) || ' events, ' ||
		((select count(*) from delivery) + (select count(*) from delivery_end)) || ' deliveries, ' ||
		(select count(*) from inquiry) || ' inquiries, ' || (select count(*) from refusal) || ' refusals, ' ||
		(select count(*) from payment) || ' payments'`)
}

const nothing = "0 keys, 0 deposits, 0 cases, 0 events, 0 deliveries, 0 inquiries, 0 refusals, 0 payments"

// TestRehearsal sends what a test notice sends to a live channel from a stranger's
// address: the PG's "received" is heard, and nothing but the notice is kept.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	c := liveChannel()
	s := newSite(t, c, testChannel()).run()
	with := s.rehearsing("once", reserved(c.Key))
	w := s.serve(with(s.told(c, stranger, deposit("reserved", toMID("A1234")))))
	wantAck(t, "kcp", w)
	s.wantVerdicts("recorded/rehearsal@live")
	if got := s.counts(); got != nothing {
		t.Errorf("it left %s", got)
	}
	seen, err := s.Rehearsed(t.Context(), "once")
	if err != nil || seen.Verdict != payment.Applied || seen.Reason != "" || seen.Peer.String() != stranger || seen.Notice == "" || seen.Digest == "" {
		t.Errorf("Rehearsed = %+v, %v", seen, err)
	}
	in, err := s.Notice(t.Context(), seen.Notice)
	if err != nil || !in.Request.IsRehearsal() || in.Request.Digest() != seen.Digest {
		t.Errorf("kept as %+v, %v", in.Request.Header, err)
	}
	kept := notice.Kept{Inbound: in, Verdict: payment.Recorded, Reason: notice.ReasonRehearsal, Channel: c.Key}
	open := liveChannel(senders(stranger)) // whoever sent it is trusted since
	if again := s.ingress.Again(allOf(open))(kept); again.Ruled == nil || again.Ruled.Reason != notice.ReasonRehearsal || len(again.Channels) > 0 {
		t.Errorf("admitted again: %+v", again.Ruled)
	}
	if r := s.ingress.Judge(allOf(c))(in, nil); r.Verdict != payment.Recorded || r.Reason != notice.ReasonRehearsal {
		t.Errorf("judged again: %+v", r)
	}
	if strings.Contains(s.log.String(), "once") {
		t.Error("the token is in the log")
	}
}

// TestRehearsalTouchesNoMoney has who holds a token send notices of a live payment
// that waits, and of one that is registered later: neither moves, and the PG's own
// notice of each counts as if nothing had been sent before.
func TestRehearsalTouchesNoMoney(t *testing.T) {
	t.Parallel()
	c := liveChannel(adopts)
	s := newSite(t, c).run()
	waiting := s.mustRegister(c, "waiting")
	for i, order := range []string{"waiting", "later"} {
		with := s.rehearsing(order, reserved(c.Key))
		w := s.serve(with(s.told(c, stranger, deposit(order, toMID("A1234")))))
		wantAck(t, "kcp", w) // what a PG hears of an order that nobody knows
		seen, err := s.Rehearsed(t.Context(), secret.Text(order))
		if err != nil || seen.Verdict == payment.Applied || seen.Verdict == payment.Pending {
			t.Errorf("%d: Rehearsed = %+v, %v", i, seen, err)
		}
	}
	if got, want := s.counts(), strings.Replace(nothing, "0 payments", "1 payments", 1); got != want || s.state("s1", "waiting") != waiting.State {
		t.Errorf("left %s, the payment %s", got, s.state("s1", "waiting"))
	}
	s.mustRegister(c, "later")
	if got := s.state("s1", "later"); got != payment.Issued {
		t.Errorf("the registration found the rehearsal: %s", got)
	}
	for _, order := range []string{"waiting", "later"} {
		wantAck(t, "kcp", s.serve(s.told(c, kcpLive, deposit(order, toMID("A1234")))))
		if got := s.state("s1", order); got != payment.Paid {
			t.Errorf("%s is %s after the PG's own notice", order, got)
		}
	}
}

// TestRehearsalToken: what the token does not open.
func TestRehearsalToken(t *testing.T) {
	t.Parallel()
	c, test := liveChannel(token("the-token-of-the-channel")), testChannel(senders("203.0.113.7"))
	path := "/" + string(keyLive) + "/the-token-of-the-channel"
	order := deposit("reserved", toMID("A1234"))
	at := func(suffix string, n notice.Notice) func(s *site) call {
		return func(s *site) call { return encoded(s, "kcp", stranger, suffix, n, nil) }
	}
	for _, tt := range []struct {
		name string
		r    notice.Rehearsal
		call func(*site) call
		want string // verdicts
		seen payment.Reason
	}{
		{"a token that ended", reserved(keyLive, func(r *notice.Rehearsal) { r.Until = time.Now().Add(-time.Second) }), at(path, order), "refused/sender_not_listed@live", ""},
		{"of another channel", reserved(keyTest), at(path, order), "refused/sender_not_listed@live", ""},
		{"on a path without a channel", reserved(keyLive), at("", order), "refused/wrong_token@live", ""},
		{"a path token that is wrong", reserved(keyLive), at("/"+string(keyLive)+"/no", order), "recorded/rehearsal@live", notice.ReasonWrongToken},
		{"another MID", reserved(keyLive), at(path, deposit("reserved", toMID("B1234"))), "recorded/rehearsal@live", notice.ReasonOtherMID},
		{"bytes that are no notice", reserved(keyLive), func(s *site) call {
			return call{path: at(path, order)(s).path, from: stranger, body: []byte("%00%FFno%20notice")}
		}, "recorded/rehearsal@live", notice.ReasonUnreadable},
		{"a given payment of a live channel", reserved(keyLive, givenPayment), at(path, order), "refused/sender_not_listed@live", notice.ReasonAddress},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, c, test).run()
			with := s.rehearsing("once", tt.r)
			if w := s.serve(with(tt.call(s))); w.Code == http.StatusOK {
				t.Errorf("answered %d %s", w.Code, w.Body)
			}
			s.wantVerdicts(tt.want)
			if seen, err := s.Rehearsed(t.Context(), "once"); seen.Reason != tt.seen || (tt.seen == "") != fault.Is(err, fault.NotFound) {
				t.Errorf("Rehearsed = %+v, %v, want %q", seen, err, tt.seen)
			}
			if in := s.kept(0); strings.Contains(in.Request.Header.Get(notice.RehearsalHeader), "once") {
				t.Error("the token was kept with the notice")
			}
		})
	}
}

// kept is a kept notice, counted from the newest.
func (s *site) kept(n int) notice.Inbound {
	s.Helper()
	list, err := s.Notices(s.Context(), store.NoticeQuery{})
	if err != nil || len(list) <= n {
		s.Fatalf("%d notices, %v", len(list), err)
	}
	in, err := s.Notice(s.Context(), list[n].ID)
	if err != nil {
		s.Fatal(err)
	}
	return in
}

// TestRehearsalOnce: a token opens one request, and a header that nobody was given
// none.
func TestRehearsalOnce(t *testing.T) {
	t.Parallel()
	c := liveChannel()
	s := newSite(t, c).run()
	with := s.rehearsing("once", reserved(c.Key))
	order := deposit("reserved", toMID("A1234"))
	for _, value := range []string{"once", "once", notice.RehearsalTaken, "guess", strings.Repeat("x", 1000)} {
		r := with(s.told(c, stranger, order))
		for { // a busy machine may commit too late: then a PG sends again
			r.header.Set(notice.RehearsalHeader, value)
			if w := s.serve(r); w.Code != http.StatusServiceUnavailable {
				break
			}
		}
	}
	const no = " refused/sender_not_listed@live"
	s.wantVerdicts("recorded/rehearsal@live" + strings.Repeat(no, 4))
	for n := range 4 {
		if s.kept(n).Request.IsRehearsal() {
			t.Errorf("notice %d passes for a rehearsal", n)
		}
	}
	s.wantAddressed(c)
}

// wantAddressed checks that a PG's notice that bears the header counts as any.
func (s *site) wantAddressed(c merchant.Channel) {
	s.Helper()
	s.mustRegister(c, "real")
	r := s.told(c, kcpLive, deposit("real", toMID("A1234")))
	r.header = http.Header{notice.RehearsalHeader: {notice.RehearsalTaken}, "Content-Type": r.header["Content-Type"]}
	wantAck(s, "kcp", s.serve(r))
	if got := s.state("s1", "real"); got != payment.Paid {
		s.Errorf("a notice with the header leaves its payment %s", got)
	}
}

// TestRehearsalOfGiven: on a test channel a rehearsal may be about a test payment
// that is there, and then it is a notice as any.
func TestRehearsalOfGiven(t *testing.T) {
	t.Parallel()
	c := testChannel(senders("203.0.113.7"))
	s := newSite(t, c).run()
	s.mustRegister(c, "given")
	with := s.rehearsing("once", reserved(c.Key, givenPayment))
	wantAck(t, "kcp", s.serve(with(s.told(c, stranger, deposit("given")))))
	seen, err := s.Rehearsed(t.Context(), "once")
	if err != nil || seen.Verdict != payment.Applied || s.state("s1", "given") != payment.Paid {
		t.Errorf("Rehearsed = %+v, %v; the payment is %s", seen, err, s.state("s1", "given"))
	}
	s.wantVerdicts("applied@test")
}

// trusts has a channel's notices count without asking the PG.
func trusts(c *merchant.Channel) { c.Confirm = new(bool) }

// TestRehearsalIsProved: a proof that is wrong is refused, and the answer is what
// the PG would hear.
func TestRehearsalIsProved(t *testing.T) {
	t.Parallel()
	c := liveChannel(of("settle", "nxva_sb_il"), credential("hash_key", "the key of the channel"), trusts)
	s := newSite(t, c).run()
	n := deposit("reserved", toMID("nxva_sb_il"))
	for key, want := range map[string]payment.Reason{"the key of the channel": "", "another key": notice.ReasonProof} {
		with := s.rehearsing(key, reserved(c.Key))
		w := s.serve(with(encoded(t, "settle", stranger, "/"+string(c.Key), n, merchant.Credentials{"hash_key": secret.Text(key)})))
		seen, err := s.Rehearsed(t.Context(), secret.Text(key))
		if err != nil || seen.Reason != want || (w.Code == http.StatusOK) != (want == "") {
			t.Errorf("with %s: %+v, %v; answered %d", key, seen, err, w.Code)
		}
	}
	if got := s.counts(); got != nothing {
		t.Errorf("it left %s", got)
	}
}

// TestRehearsalAwaitsInquiry: where the PG is asked before a deposit counts, a
// rehearsal says so and asks nobody.
func TestRehearsalAwaitsInquiry(t *testing.T) {
	t.Parallel()
	c := liveChannel(of("tosspayments", ""), token("the-token-of-the-channel"))
	s := newSite(t, c).run()
	n := deposit("reserved", func(n *notice.Notice) { n.Proof = "the secret" })
	with := s.rehearsing("once", reserved(c.Key, func(r *notice.Rehearsal) { r.Secret = "the secret" }))
	w := s.serve(with(encoded(t, "tosspayments", stranger, "/"+string(c.Key)+"/the-token-of-the-channel", n, nil)))
	wantAck(t, "tosspayments", w)
	if seen, err := s.Rehearsed(t.Context(), "once"); err != nil || seen.Verdict != payment.Pending {
		t.Errorf("Rehearsed = %+v, %v", seen, err)
	}
	if got := s.counts(); got != nothing {
		t.Errorf("it left %s", got)
	}
}
