package server_test

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// An enacted is what a simulation answered.
type enacted struct {
	PaymentID string `json:"paymentId"`
	Status    string `json:"status"`
	Notices   []struct {
		Event        string `json:"event"`
		URL          string `json:"url"`
		From         string `json:"from"`
		Charset      string `json:"charset"`
		Body         string `json:"body"`
		Again        bool   `json:"again"`
		Acknowledged bool   `json:"acknowledged"`
		Verdict      string `json:"verdict"`
		Reason       string `json:"reason"`
		Error        string `json:"error"`
	} `json:"notices"`
}

// enact has something happen on a channel. What a PG cannot tell is nil.
func (s *trialShop) enact(p provider.Provider, act, more string) *enacted {
	s.Helper()
	_, text := s.call("POST", "/tongbo/v1/simulations", `{"provider":"`+p.Info().Code+`","event":"`+act+`"`+more+`}`, nil)
	if strings.Contains(text, `"type":"INVALID_REQUEST"`) {
		return nil
	}
	var out enacted
	if err := json.Unmarshal([]byte(text), &out); err != nil || out.PaymentID == "" {
		s.Errorf("%s %s is answered %s", p.Info().Code, act, text)
		return nil
	}
	for _, n := range out.Notices {
		if n.Error != "" || n.Verdict == "" || (n.URL == "") == (n.From == "") || n.From == "" && !strings.HasPrefix(n.URL, s.base) {
			s.Errorf("%s %s: a notice is %+v", p.Info().Code, act, n)
		}
	}
	return &out
}

// verdicts are those of the notices, in order.
func (e *enacted) verdicts() (out []payment.Verdict) {
	for _, n := range e.Notices {
		out = append(out, payment.Verdict(n.Verdict))
	}
	return out
}

// TestEnact has everything happen on a test channel of every module.
func TestEnact(t *testing.T) {
	t.Parallel()
	s := openTrial(t, "sqlite:"+t.TempDir()+"/t.db", func(*merchant.Channel) {})
	s.hidden = true
	s.restart()
	for _, p := range all.Providers() {
		code := p.Info().Code
		if got := s.enact(p, "issue", ""); got == nil || got.Status != "VIRTUAL_ACCOUNT_ISSUED" || len(got.Notices) != 0 {
			t.Errorf("%s issue = %+v", code, got)
		}
		got := s.enact(p, "deposit", `,"depositor":"똠방","again":1`)
		if got == nil || len(got.Notices) != 2 || !got.Notices[0].Acknowledged && got.Notices[0].Verdict != "pending" || !got.Notices[1].Again || got.Notices[0].Body != got.Notices[1].Body {
			t.Fatalf("%s deposit = %+v", code, got)
		}
		if v := got.verdicts(); v[0] != payment.Applied && v[0] != payment.Pending || v[0] == payment.Applied && v[1] != payment.Duplicate {
			t.Errorf("%s deposit: verdicts %q", code, v)
		}
		s.tells("Transaction.Paid", got.PaymentID)
		if _, err := base64.StdEncoding.DecodeString(got.Notices[0].Body); err != nil {
			t.Error(err)
		}
		s.enactsBadly(p)
	}
}

// enactsBadly has happen what moves nothing, or moves it back.
func (s *trialShop) enactsBadly(p provider.Provider) {
	s.Helper()
	info := p.Info()
	if got := s.enact(p, "wrong-amount", ""); got != nil && (got.Status != "VIRTUAL_ACCOUNT_ISSUED" || slices.Contains(got.verdicts(), payment.Applied)) {
		s.Errorf("%s wrong-amount = %+v", info.Code, got)
	}
	if got := s.enact(p, "unknown-address", ""); got == nil || got.Status != "VIRTUAL_ACCOUNT_ISSUED" || got.verdicts()[0] != payment.Refused {
		s.Errorf("%s unknown-address = %+v", info.Code, got)
	}
	if got := s.enact(p, "bad-signature", ""); (got == nil) != (info.Class == provider.AddressOnly) {
		s.Errorf("%s bad-signature = %+v", info.Code, got)
	}
	if got := s.enact(p, "late", ""); got == nil || len(got.Notices) != 1 {
		s.Errorf("%s late = %+v", info.Code, got)
	}
	tellsReversals := slices.Contains(info.Events, payment.EventReversed)
	for _, act := range []string{"reverse", "reorder"} {
		got := s.enact(p, act, "")
		if (got == nil) == tellsReversals {
			s.Errorf("%s %s = %+v", info.Code, act, got)
		}
		if got != nil && len(got.Notices) != 2 {
			s.Errorf("%s %s: %d notices", info.Code, act, len(got.Notices))
		}
	}
}
