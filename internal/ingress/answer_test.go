package ingress_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
)

// Every verdict has the PG's own answer, byte for byte.
func TestAnswers(t *testing.T) {
	type words struct {
		from, received, refused string
		contentType             string // of both
	}
	const kcpPage = `<html><body><form><input type="hidden" name="result" value="`
	pgs := map[string]words{
		"kcp":          {kcpTest, kcpPage + `0000"></form></body></html>`, kcpPage + `9999"></form></body></html>`, "text/html"},
		"kcp_v2":       {kcpTest, kcpPage + `0000"></form></body></html>`, kcpPage + `9999"></form></body></html>`, "text/html"},
		"html5_inicis": {iniLive, "OK", "FAIL", "text/plain"},
		"inicis_v2":    {iniLive, "OK", "FAIL", "text/plain"},
		"nice":         {niceLive, "OK", "FAIL", "text/plain;charset=utf-8"},
		"nice_v2":      {niceLive, "OK", "FAIL", "text/html;charset=utf-8"},
		"tosspayments": {tossLive, "", "refused\n", "text/plain; charset=utf-8"},
	}
	for code, want := range pgs {
		t.Run(code, func(t *testing.T) {
			ch := testChannel(of(code, "MID1"))
			inBubble(t, channels(ch), func(t *testing.T, s *site) {
				s.mustRegister(ch, "o-1", orderSecret("ps_1"))
				s.mustRegister(ch, "o-2", orderSecret("ps_2"))
				on := func(order, secret string, edit ...func(*notice.Notice)) notice.Notice {
					n := deposit(order, toMID("MID1"), proof(secret))
					n.PGTx, n.Deposit = "tx-"+order, ""
					if code == "tosspayments" {
						n.PGTx, n.Deposit = "", "dep-"+order
					}
					for _, f := range edit {
						f(&n)
					}
					return n
				}
				another := func(n *notice.Notice) { n.PGTx, n.Deposit = "tx-other", "dep-other"; n.At = n.At.AddDate(0, 0, 1) }
				other := on("o-2", "ps_2")
				other.Event = payment.EventOther
				for _, c := range []struct {
					name    string
					call    call
					verdict string
					status  int
				}{
					{"applied", encoded(s, code, want.from, "", on("o-1", "ps_1"), nil), "applied", 200},
					{"duplicate", encoded(s, code, want.from, "", on("o-1", "ps_1"), nil), "duplicate", 200},
					{"conflict", encoded(s, code, want.from, "", on("o-1", "ps_1", another), nil), "conflict", 200},
					{"recorded", encoded(s, code, want.from, "", other, nil), "recorded", 200},
					{"unmatched", encoded(s, code, want.from, "", on("o-9", "ps_1"), nil), "unmatched", 200},
					{"refused", encoded(s, code, stranger, "", on("o-2", "ps_2"), nil), "refused", 400},
					{"unreadable", call{path: module(t, code).Info().Paths[0], from: want.from, body: []byte("\x00")}, "unreadable", 400},
				} {
					w := s.serve(c.call)
					body, kind := want.received, want.contentType
					if c.status != http.StatusOK {
						body = want.refused
					}
					if body == "" {
						kind = ""
					}
					if w.Code != c.status || w.Body.String() != body {
						t.Errorf("%s: the PG hears %d %q, want %d %q", c.name, w.Code, w.Body, c.status, body)
					}
					if got := w.Header().Get("Content-Type"); got != kind {
						t.Errorf("%s: Content-Type = %q, want %q", c.name, got, kind)
					}
					if got := w.Header().Get("Content-Length"); got != strconv.Itoa(len(body)) {
						t.Errorf("%s: Content-Length = %q", c.name, got)
					}
					list, err := s.Notices(s.Context(), everything)
					if err != nil {
						t.Fatal(err)
					}
					if got := string(list[0].Verdict); got != c.verdict {
						t.Errorf("%s: the verdict is %s/%s", c.name, got, list[0].Reason)
					}
				}
			})
		})
	}
}

func TestAnswerOfPending(t *testing.T) {
	live := liveChannel(of("nice_v2", "MID1"), credential("merchant_key", "k"))
	inBubble(t, channels(live), func(t *testing.T, s *site) {
		s.mustRegister(live, "o-1")
		n := deposit("o-1", toMID("MID1"))
		n.PGTx, n.Deposit = "", ""
		w := s.serve(encoded(s, "nice_v2", niceLive, "", n, live.Credentials))
		wantAck(t, "nice_v2", w)
		s.wantVerdicts("pending/awaiting_inquiry@live")
	})
}

func TestConfirmIsTheChannelsWord(t *testing.T) {
	never := false
	live := liveChannel(of("nice_v2", "MID1"), credential("merchant_key", "k"), func(c *merchant.Channel) { c.Confirm = &never })
	inBubble(t, channels(live), func(t *testing.T, s *site) {
		s.mustRegister(live, "o-1")
		n := deposit("o-1", toMID("MID1"))
		n.PGTx, n.Deposit = "", ""
		wantAck(t, "nice_v2", s.serve(encoded(s, "nice_v2", niceLive, "", n, live.Credentials)))
		s.wantVerdicts("applied@live")
	})
}

// A channel that no longer asks lets go of what waits for an answer, when the
// account is registered again.
func TestPendingIsReleasedByRegistration(t *testing.T) {
	live := liveChannel(of("nice_v2", "MID1"), credential("merchant_key", "k"))
	inBubble(t, channels(live), func(t *testing.T, s *site) {
		s.mustRegister(live, "o-1")
		n := deposit("o-1", toMID("MID1"))
		n.PGTx, n.Deposit = "", ""
		wantAck(t, "nice_v2", s.serve(encoded(s, "nice_v2", niceLive, "", n, live.Credentials)))
		if p := s.mustRegister(live, "o-1"); p.State != payment.Issued {
			t.Fatalf("registered again while the channel asks: %s", p.State)
		}
		s.wantVerdicts("pending/awaiting_inquiry@live")
		never := false
		s.change(func(all *settings.All) { all.Channels[0].Confirm = &never })
		if p := s.mustRegister(live, "o-1"); p.State != payment.Paid {
			t.Errorf("registered again when it no longer asks: %s", p.State)
		}
		s.wantVerdicts("applied@live")
		if got := s.events(); got != "Transaction.Paid" {
			t.Errorf("events = %s", got)
		}
		if got := s.cases(); got != "" {
			t.Errorf("cases = %s", got)
		}
	})
}
