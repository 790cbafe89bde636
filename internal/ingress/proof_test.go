package ingress_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
)

// everything asks for all notices.
var everything = store.NoticeQuery{Limit: 1000}

func mock(n *notice.Notice) { n.Test = true }

func proof(v string) func(*notice.Notice) {
	return func(n *notice.Notice) { n.Proof = secret.Text(v) }
}

func tossChannel(edit ...func(*merchant.Channel)) merchant.Channel {
	return testChannel(append([]func(*merchant.Channel){of("tosspayments", "tvivarepublica")}, edit...)...)
}

func tossLiveChannel(edit ...func(*merchant.Channel)) merchant.Channel {
	return liveChannel(append([]func(*merchant.Channel){of("tosspayments", "shop1")}, edit...)...)
}

func (s *site) toss(from string, n notice.Notice) int {
	s.Helper()
	return s.serve(encoded(s, "tosspayments", from, "", n, nil)).Code
}

func TestModesNeverMix(t *testing.T) {
	both := channels(testChannel(), liveChannel())
	t.Run("a mock deposit for a live payment, then the real one", func(t *testing.T) {
		inBubble(t, both, func(t *testing.T, s *site) {
			s.mustRegister(liveChannel(), "o-1")
			wantAck(t, "kcp", s.send(kcpLive, deposit("o-1", toMID("A1234"), mock)))
			if got := s.state("s1", "o-1"); got != payment.Issued {
				t.Fatalf("after the mock deposit the payment is %s", got)
			}
			wantAck(t, "kcp", s.send(kcpLive, deposit("o-1", toMID("A1234"))))
			s.wantVerdicts("recorded/test_notice@live applied@live")
		})
	})
	t.Run("a mock deposit for an order that nobody knows", func(t *testing.T) {
		inBubble(t, both, func(t *testing.T, s *site) {
			s.send(kcpLive, deposit("o-1", toMID("A1234"), mock))
			if got := s.cases(); got != "" {
				t.Errorf("it waits for somebody: %s", got)
			}
			s.mustRegister(liveChannel(), "o-1")
			s.send(kcpLive, deposit("o-1", toMID("A1234")))
			s.wantVerdicts("recorded/test_notice@live applied@live")
		})
	})
	t.Run("a mock deposit for a test payment counts", func(t *testing.T) {
		inBubble(t, both, func(t *testing.T, s *site) {
			s.mustRegister(testChannel(), "o-1")
			s.send(kcpTest, deposit("o-1", mock))
			s.wantVerdicts("applied@test")
		})
	})
	t.Run("a test channel hears of a live payment", func(t *testing.T) {
		inBubble(t, channels(testChannel(adopts), liveChannel()), func(t *testing.T, s *site) {
			s.mustRegister(liveChannel(), "o-1")
			wantAck(t, "kcp", s.send(kcpTest, deposit("o-1")))
			s.wantVerdicts("recorded/test_notice@test")
			if got := s.state("s1", "o-1"); got != payment.Issued {
				t.Errorf("the live payment is %s", got)
			}
			if got := s.events(); got != "" {
				t.Errorf("events = %s", got)
			}
		})
	})
	t.Run("Inicis' test tool for a live payment", func(t *testing.T) {
		live := liveChannel(of("html5_inicis", "SIRreal001"))
		inBubble(t, channels(live), func(t *testing.T, s *site) {
			s.mustRegister(live, "o-1")
			n := deposit("o-1", toMID("SIRreal001"))
			n.PGTx = ""
			test := n
			test.Test = true
			wantAck(t, "html5_inicis", s.serve(encoded(s, "html5_inicis", iniLive, "", test, nil)))
			wantAck(t, "html5_inicis", s.serve(encoded(s, "html5_inicis", iniLive, "", n, nil)))
			s.wantVerdicts("recorded/test_notice@live applied@live")
		})
	})
}

func TestTossSecret(t *testing.T) {
	inBubble(t, channels(tossChannel()), func(t *testing.T, s *site) {
		s.mustRegister(tossChannel(), "o-1", orderSecret("ps_real"))
		w := s.serve(encoded(s, "tosspayments", tossLive, "", deposit("o-1", proof("ps_forged")), nil))
		if w.Code != http.StatusBadRequest || w.Body.String() != "refused\n" {
			t.Errorf("a forged notice hears %d %q", w.Code, w.Body)
		}
		// The forged one had the real one's key and deposit.
		if code := s.toss(tossLive, deposit("o-1", proof("ps_real"))); code != http.StatusOK {
			t.Errorf("the real one hears %d", code)
		}
		s.wantVerdicts("refused/wrong_secret@test applied@test")
		if got := s.events(); got != "Transaction.Paid" {
			t.Errorf("events = %s", got)
		}
	})
}

func TestTossLiveWaitsForTheInquiry(t *testing.T) {
	inBubble(t, channels(tossLiveChannel()), func(t *testing.T, s *site) {
		s.mustRegister(tossLiveChannel(), "o-1", orderSecret("ps_real"))
		for range 2 {
			if code := s.toss(tossLive, deposit("o-1", proof("ps_real"))); code != http.StatusOK {
				t.Errorf("it hears %d, want 200", code)
			}
		}
		s.wantVerdicts("pending/awaiting_inquiry@live pending/awaiting_inquiry@live")
		if got := s.cases(); got != "pending/awaiting_inquiry+1" {
			t.Errorf("cases = %s, want one with one resend", got)
		}
		if got := s.state("s1", "o-1"); got != payment.Issued {
			t.Errorf("the payment is %s", got)
		}
		if got := s.events(); got != "" {
			t.Errorf("events = %s", got)
		}
	})
}

// A secret that comes with the registration is checked against what was held.
func TestProofIsCheckedLater(t *testing.T) {
	inBubble(t, channels(tossChannel()), func(t *testing.T, s *site) {
		s.toss(tossLive, deposit("o-1", proof("ps_forged"), depositID("forged")))
		s.toss(tossLive, deposit("o-1", proof("ps_real"), depositID("real")))
		s.mustRegister(tossChannel(), "o-1", orderSecret("ps_real"))
		s.wantVerdicts("refused/wrong_secret@test applied@test")
		if got := s.state("s1", "o-1"); got != payment.Paid {
			t.Errorf("the payment is %s", got)
		}
		if got := s.cases(); got != "" {
			t.Errorf("cases = %s", got)
		}
	})
}

func TestNiceMerchantKey(t *testing.T) {
	live := liveChannel(of("nice", "shop00001m"), credential("merchant_key", "right"), func(c *merchant.Channel) { c.Confirm = new(bool) })
	inBubble(t, channels(live), func(t *testing.T, s *site) {
		n := deposit("o-1", toMID("shop00001m"))
		n.PGTx, n.Deposit = "", ""
		wrong := merchant.Credentials{"merchant_key": "wrong"}
		forged := func() {
			w := s.serve(encoded(s, "nice", niceLive, "", n, wrong))
			if w.Code != http.StatusBadRequest || w.Body.String() != "FAIL" {
				t.Errorf("a wrong key hears %d %q", w.Code, w.Body)
			}
		}
		forged() // nobody knows the order yet: the key is wrong all the same
		s.mustRegister(live, "o-1")
		forged()
		wantAck(t, "nice", s.serve(encoded(s, "nice", niceLive, "", n, live.Credentials)))
		s.wantVerdicts("refused/wrong_secret@live refused/wrong_secret@live applied@live")
		if got := s.cases(); got != "" {
			t.Errorf("cases = %s", got)
		}
	})
}

// A forged event that moves nothing occupies no key either.
func TestForgedEventClaimsNothing(t *testing.T) {
	ch := tossChannel(credential("security_key", strings.Repeat("ab", 32)))
	inBubble(t, channels(ch), func(t *testing.T, s *site) {
		n := notice.Notice{Kind: "payout.changed", Form: "entity"}
		n.Event = payment.EventOther
		forged := encoded(s, "tosspayments", tossLive, "/"+string(keyTest), n, merchant.Credentials{"security_key": secret.Text(strings.Repeat("cd", 32))})
		if w := s.serve(forged); w.Code != http.StatusBadRequest {
			t.Errorf("a forged event hears %d", w.Code)
		}
		if w := s.serve(encoded(s, "tosspayments", tossLive, "/"+string(keyTest), n, ch.Credentials)); w.Code != http.StatusOK {
			t.Errorf("the real event hears %d", w.Code)
		}
		s.wantVerdicts("refused/wrong_secret@test recorded/not_started_here@test")
	})
}

// Nothing secret stands in clear in the database or in the log, whatever
// becomes of the notice.
func TestSecretsDoNotLeak(t *testing.T) {
	const (
		orderSecretText = "ps_leakleakleakleakleakleak"
		merchantKeyText = "LeakingMerchantKey/0123456789=="
		tokenText       = "leakingtokenleakingtoken"
		depositor       = "LEAKINGDEPOSITOR"
		accountText     = "98765432101234"
	)
	toss := tossChannel(token(tokenText))
	nice := testChannel(of("nice", "nicepay00m"), keyed(keyMore), credential("merchant_key", merchantKeyText))
	inBubble(t, channels(toss, nice), func(t *testing.T, s *site) {
		edit := func(n *notice.Notice) {
			n.Merchant, n.Depositor, n.Account, n.PGTx, n.Deposit = "nicepay00m", depositor, accountText, "", ""
		}
		s.mustRegister(toss, "o-1", orderSecret(orderSecretText), account(accountText))
		s.mustRegister(nice, "o-2", account(accountText))
		path := "/" + string(keyTest) + "/"
		for _, v := range []string{orderSecretText, orderSecretText + "x"} {
			s.serve(encoded(s, "tosspayments", tossLive, path+tokenText, deposit("o-1", proof(v)), nil))
			s.serve(encoded(s, "tosspayments", tossLive, path+tokenText, deposit("o-9", proof(v)), nil))
			s.serve(encoded(s, "tosspayments", tossLive, path+tokenText+"/x", deposit("o-1", proof(v)), nil))
			s.serve(encoded(s, "nice", loopback, "", deposit("o-2", edit), merchant.Credentials{"merchant_key": secret.Text(v + merchantKeyText)}))
			s.serve(call{path: "/virtual-account/webhook-event/tosspayments" + path + "%6ceakingtoken" + tokenText[12:], from: tossLive, body: []byte(`{"secret":"` + v + `",`)})
			s.serve(call{path: "/nice_payments/notice_vbank", from: loopback, body: []byte("MerchantKey=" + merchantKeyText + "&Amt=" + accountText + "x&TID=1&PayMethod=VBANK")})
		}
		s.serve(encoded(s, "nice", loopback, "", deposit("o-2", edit), nice.Credentials))
		if _, err := s.raw.ExecContext(s.Context(), `pragma wal_checkpoint(truncate)`); err != nil {
			t.Fatal(err)
		}
		db, err := os.ReadFile(s.file)
		if err != nil {
			t.Fatal(err)
		}
		wal, _ := os.ReadFile(s.file + "-wal")
		shown, err := s.Notices(s.Context(), everything)
		if err != nil {
			t.Fatal(err)
		}
		list, err := json.Marshal(shown)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(db, []byte("nicepay00m")) || !strings.Contains(s.log.String(), "notice settled") {
			t.Fatal("the search would find nothing: where is what may be in clear?")
		}
		for where, text := range map[string][]byte{"database": db, "its log": wal, "log": []byte(s.log.String()), "list of notices": list} {
			for _, word := range []string{orderSecretText, merchantKeyText, tokenText, depositor, accountText} {
				if bytes.Contains(text, []byte(word)) {
					t.Errorf("the %s holds %q in clear", where, word)
				}
			}
		}
	})
}
