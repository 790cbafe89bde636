package v1

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
)

// strangers are the calls that bear a name of somebody's: of an attempt (UID, WAITS),
// of a payment (MID), of what is fixed of one (PIN), of a store.
var strangers = []struct{ method, path, body string }{
	{"GET", "/payments/UID", ""}, {"GET", "/payments/UID?include_sandbox=true", ""}, {"GET", "/payments?imp_uid[]=UID&merchant_uid[]=MID", ""},
	{"GET", "/payments/find/MID", ""}, {"GET", "/payments/find/MID/paid", ""}, {"GET", "/payments/findAll/MID", ""},
	{"GET", "/payments/UID/balance", ""}, {"GET", "/receipts/UID", ""}, {"GET", "/payments/prepare/PIN", ""}, {"GET", "/tiers/ABD", ""},
	{"PUT", "/payments/prepare", "merchant_uid=PIN&amount=1"}, {"PUT", "/vbanks/WAITS", "amount=1"}, {"DELETE", "/vbanks/WAITS", ""},
	{"POST", "/payments/cancel", "imp_uid=UID" + form(refund)},
	{"POST", "/payments/cancel", "merchant_uid=MID" + form(refund)},
}

// nobodys are the routes that bear no such name: what they answer is the caller's
// own, or everybody's. TestStrangersChannels tries channels.
var nobodys = []string{
	"POST /users/getToken", "GET /users/pg", "POST /payments/prepare", "GET /payments/status/{status}", "POST /vbanks", "GET /vbanks/holder",
	"GET /banks", "GET /banks/{code}", "GET /cards", "GET /cards/{code}", "POST /receipts/{imp_uid}", "DELETE /receipts/{imp_uid}",
}

// TestEveryRouteIsTried fails for a route that no stranger calls.
func TestEveryRouteIsTried(t *testing.T) {
	t.Parallel()
	rt, _ := (&API{}).Routes().(router)
	for _, op := range rt.operations {
		tried := slices.ContainsFunc(strangers, func(x struct{ method, path, body string }) bool {
			path, _, _ := strings.Cut(x.path, "?")
			to, _ := rt.match(&call{r: &http.Request{Method: x.method, Header: http.Header{}}}, path)
			return to != nil && to.method == op.method && to.path == op.path
		})
		if !tried && !slices.Contains(nobodys, op.method+" "+op.path) {
			t.Errorf("no stranger tries %s %s", op.method, op.path)
		}
	}
}

// TestStrangersChannels asks for accounts through channels of others.
func TestStrangersChannels(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	ask := func(key, channel string) answer {
		return s.call("POST", "/vbanks", key, "merchant_uid=order-9&amount=1000&vbank_code=088&vbank_due=1900000000&channel_key="+channel)
	}
	for _, c := range [][2]string{{"rival", string(tossKey)}, {"main", string(rivalKey)}, {"sub", string(kcpKey)}, {"live", string(tossKey)}} {
		got, want := ask(c[0], c[1]), ask(c[0], "channel-key-none")
		if got.code == 0 || got.status != want.status || got.text != want.text {
			s.Errorf("%s through %s: %d %s; through none: %d %s", c[0], c[1], got.status, got.text, want.status, want.text)
		}
	}
}

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
		for _, test := range strangers {
			theirs := strings.NewReplacer("UID", uid, "MID", "order-1", "WAITS", waits, "PIN", "order-3")
			missing := strings.NewReplacer("UID", uuid.NewString(), "MID", "order-0", "WAITS", uuid.NewString(), "PIN", "order-4")
			for _, key := range []string{"rival", "sub", "live"} {
				got := s.call(test.method, theirs.Replace(test.path), key, theirs.Replace(test.body))
				want := s.call(test.method, missing.Replace(test.path), key, missing.Replace(test.body))
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
