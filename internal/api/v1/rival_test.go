package v1

import (
	"strings"
	"testing"

	"github.com/google/uuid"
)

// TestStrangers calls every operation with another merchant's, another store's and
// another mode's names: the answer is that of names that do not exist, and nothing
// changes.
func TestStrangers(t *testing.T) {
	onEach(t, func(s *site) {
		uid := s.issue("main", "order-1").ImpUID
		s.deposit(tossKey, "order-1")
		waits := s.issue("main", "order-2").ImpUID
		s.call("POST", "/payments/prepare", "main", "merchant_uid=order-3&amount=1000")
		look := func() string {
			return s.call("GET", "/payments?imp_uid[]="+uid+"&imp_uid[]="+waits, "main", "").text + s.call("GET", "/payments/prepare/order-3", "main", "").text
		}
		before, made := look(), s.webhooks("order-1")
		for _, test := range []struct{ method, path, body string }{
			{"GET", "/payments/UID", ""}, {"GET", "/payments/UID?include_sandbox=true", ""}, {"GET", "/payments?imp_uid[]=UID&merchant_uid[]=MID", ""},
			{"GET", "/payments/find/MID", ""}, {"GET", "/payments/find/MID/paid", ""}, {"GET", "/payments/findAll/MID", ""},
			{"GET", "/payments/UID/balance", ""}, {"GET", "/receipts/UID", ""}, {"GET", "/payments/prepare/PIN", ""}, {"GET", "/tiers/ABD", ""},
			{"PUT", "/payments/prepare", "merchant_uid=PIN&amount=1"}, {"PUT", "/vbanks/WAITS", "amount=1"}, {"DELETE", "/vbanks/WAITS", ""},
			{"POST", "/payments/cancel", "imp_uid=UID" + form(refund)},
			{"POST", "/payments/cancel", "merchant_uid=MID" + form(refund)},
		} {
			theirs := strings.NewReplacer("UID", uid, "MID", "order-1", "WAITS", waits, "PIN", "order-3")
			nobodys := strings.NewReplacer("UID", uuid.NewString(), "MID", "order-0", "WAITS", uuid.NewString(), "PIN", "order-4")
			for _, key := range []string{"rival", "sub", "live"} {
				got := s.call(test.method, theirs.Replace(test.path), key, theirs.Replace(test.body))
				want := s.call(test.method, nobodys.Replace(test.path), key, nobodys.Replace(test.body))
				if got.status != want.status || got.text != want.text || got.code == 0 {
					s.Errorf("%s %s by %s: %d %s; of what is not there: %d %s", test.method, test.path, key, got.status, got.text, want.status, want.text)
				}
			}
			s.want(s.call(test.method, theirs.Replace(test.path), "rival", theirs.Replace(test.body), "Tier", "ABC"), 403, -1, "Tier")
		}
		for _, key := range []string{"rival", "sub", "live"} {
			var page struct{ Total int }
			s.ok(s.call("GET", "/payments/status/all", key, ""), &page)
			if page.Total != 0 {
				s.Errorf("%s lists %d payments", key, page.Total)
			}
		}
		if after := look(); after != before || s.webhooks("order-1") != made {
			s.Errorf("what strangers did:\n%s\nwas:\n%s", after, before)
		}
		// The same name is another payment to another merchant, and another pin.
		own := s.issue("rival", "order-1")
		var got shownPayment
		s.ok(s.call("GET", "/payments/find/order-1", "rival", ""), &got)
		if got.ImpUID != own.ImpUID || got.Status != "ready" {
			s.Errorf("the rival finds %+v", got)
		}
		s.ok(s.call("POST", "/payments/prepare", "rival", "merchant_uid=order-3&amount=5"), &struct{}{})
		if after := look(); after != before {
			s.Errorf("the rival's own changed:\n%s\nwas:\n%s", after, before)
		}
	})
}

// form is the end of a JSON object of texts as a form.
func form(end string) string {
	return strings.NewReplacer(`,"`, "&", `":"`, "=", `"`, "", "}", "").Replace(end)
}
