package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// who is somebody who does something.
var who = member.By{Kind: member.Person, ID: "0192-who", Name: "you@example.kr", Address: "203.0.113.7"}

// audited is an entry of something done to an object.
func audited(object string) member.Entry {
	return member.Entry{
		At: storetest.Noon, Merchant: storetest.Merchant, Store: storetest.Store, Mode: merchant.Test, By: who,
		Action: "endpoint.paused", Kind: "endpoint", Object: object,
		Before: []member.Field{{Name: "paused", Text: "false"}}, After: []member.Field{{Name: "paused", Text: "true"}}, Reason: "점검",
	}
}

func auditLog(t *testing.T, s *store.Store, q store.AuditQuery) []member.Entry {
	t.Helper()
	list, err := s.AuditLog(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// told is a list of entries in short, the newest first.
func told(list []member.Entry) string {
	var out []string
	for _, e := range list {
		out = append(out, e.Action+" "+e.Object)
	}
	return strings.Join(out, ", ")
}

func TestAuditLog(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		odd := audited("a\x00\xff")
		odd.Reason, odd.By.Name = "\x00<b>\u202e", "ＮＡＭＥ"
		elsewhere := audited("c")
		elsewhere.Merchant, elsewhere.Store, elsewhere.By.ID = "merchant-2", "", "another"
		other := audited("b")
		other.Action, other.Store, other.Mode = "payment.cancelled", "store-2", merchant.Live
		nobody := audited("nobody")
		nobody.By = member.By{}
		before := time.Now().Truncate(time.Millisecond)
		for _, e := range []member.Entry{odd, other, elsewhere, nobody} {
			e.At = time.Time{}
			if err := s.Audit(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		all := auditLog(t, s, store.AuditQuery{})
		if got, want := told(all), "endpoint.paused c, payment.cancelled b, endpoint.paused a\x00\uFFFD"; got != want {
			t.Fatalf("all is %q, want %q", got, want)
		}
		odd.ID, odd.At = all[2].ID, all[2].At
		// JSON has no bytes that are no text.
		odd.Object = strings.ToValidUTF8(odd.Object, "\uFFFD")
		if diff := cmp.Diff(odd, all[2]); diff != "" || odd.At.Before(before) || odd.At.After(time.Now()) {
			t.Errorf("what was written (-want +got):\n%s", diff)
		}
		for _, x := range []struct {
			name string
			q    store.AuditQuery
			want string
		}{
			{"a merchant", store.AuditQuery{Merchant: "merchant-2"}, "endpoint.paused c"},
			{"a store", store.AuditQuery{Merchant: storetest.Merchant, Store: "store-2"}, "payment.cancelled b"},
			{"somebody", store.AuditQuery{By: "another"}, "endpoint.paused c"},
			{"an object", store.AuditQuery{Object: "b"}, "payment.cancelled b"},
			{"an odd object", store.AuditQuery{Object: "a\x00\xff"}, "endpoint.paused a\x00\xff"},
			{"what the action begins with", store.AuditQuery{Action: "endpoint."}, "endpoint.paused c, endpoint.paused a\x00\xff"},
			{"an action that is a pattern", store.AuditQuery{Action: "%"}, ""},
			{"older ones", store.AuditQuery{Before: all[0].ID, Limit: 1}, "payment.cancelled b"},
			{"none before", store.AuditQuery{Until: before}, ""},
			{"none after", store.AuditQuery{From: time.Now().Add(time.Hour)}, ""},
			{"in time", store.AuditQuery{From: before, Until: time.Now().Add(time.Hour), Merchant: storetest.Merchant}, "payment.cancelled b, endpoint.paused a\x00\xff"},
		} {
			if got, want := told(auditLog(t, s, x.q)), strings.ToValidUTF8(x.want, "\uFFFD"); got != want {
				t.Errorf("%s: %q, want %q", x.name, got, want)
			}
		}
		if _, err := s.AuditLog(t.Context(), store.AuditQuery{Before: "x"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("before what is no id: %v", err)
		}
		if n := db.Count(t, `select count(*) from audit where doc like '%점검%' or doc like '%example%'`); !db.Postgres && n != 0 {
			t.Error("what is sealed can be read")
		}
	})
}

// TestAuditGoesWithTheChange: what changes something is in the log if, and only if,
// it was done.
func TestAuditGoesWithTheChange(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		next, err := s.Settings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SaveSettings(t.Context(), next, storetest.Noon, audited("unchanged")); err != nil {
			t.Fatal(err)
		}
		next.Stores[0].Name = "다른 이름"
		if err := s.SaveSettings(t.Context(), next, storetest.Noon, audited("changed")); err != nil {
			t.Fatal(err)
		}
		next.Stores[0].Name = "또 다른 이름"
		if err := s.SaveSettings(t.Context(), next, storetest.Noon, audited("stale")); !fault.Is(err, fault.Stale) {
			t.Errorf("stale settings: %v", err)
		}
		next.Version++
		next.Stores = append(next.Stores, settings.Store{Store: merchant.Store{ID: "store-x", Merchant: "nobody"}, NoticeSecret: "x"})
		if err := s.SaveSettings(t.Context(), next, storetest.Noon, audited("refused")); err == nil {
			t.Error("a store of no merchant is saved")
		}
		p := register(t, s, storetest.Registration("o-1"))
		no := errors.New("no")
		for _, failing := range []error{no, nil} {
			_, err := s.Act(t.Context(), notice.Act{
				Payment: p.Key, Env: payment.Env{Now: storetest.Noon, NewID: storetest.NewID},
				Do: func(known *payment.Payment) (notice.Acted, error) {
					next := *known
					next.State = payment.Failed
					return notice.Acted{Payment: next, Changed: true}, failing
				},
				Audit: func(before, after payment.Payment) []member.Entry {
					e := audited(string(after.ID))
					e.Action = string(before.State + " " + after.State)
					return []member.Entry{e}
				},
			})
			if (err == nil) != (failing == nil) {
				t.Fatal(err)
			}
		}
		if got, want := told(auditLog(t, s, store.AuditQuery{})), "VIRTUAL_ACCOUNT_ISSUED FAILED o-1, endpoint.paused changed"; got != want {
			t.Errorf("the log is %q, want %q", got, want)
		}
	})
}

// TestAuditIsKept: retention takes nothing from it, whatever its age.
func TestAuditIsKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		if _, err := s.MakeAhead(t.Context(), time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := s.Audit(t.Context(), audited("old")); err != nil {
			t.Fatal(err)
		}
		if db.Postgres && db.Count(t, `select count(*) from audit_rest`) != 0 {
			t.Error("it went to the default partition")
		}
		if err := s.Prune(t.Context(), time.Now().AddDate(50, 0, 0), settings.Retention{Bodies: 1, History: 1, Payments: 1}, func(p settings.Pruned) {
			if p.What == "audit" {
				t.Errorf("%+v", p)
			}
		}); err != nil {
			t.Fatal(err)
		}
		if got := told(auditLog(t, s, store.AuditQuery{})); got != "endpoint.paused old" {
			t.Errorf("after 50 years the log is %q", got)
		}
	})
}

// TestAuditIsAppendOnly looks for statements that would change it.
func TestAuditIsAppendOnly(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	changes := regexp.MustCompile(`(?i)(update|delete from|truncate( table)?|into)\s+audit\b`)
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if found := changes.Find(text); found != nil {
			t.Errorf("%s: %q", f, found)
		}
	}
}
