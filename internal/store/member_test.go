package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// somebody is an account with something in every field.
func somebody() member.Account {
	return member.Account{
		Member: member.Member{
			ID: member.ID(storetest.NewID()), Merchant: storetest.Merchant, Store: storetest.Store, Email: "you@example.kr", Name: "홍길동",
			Role: member.Dev, Operator: true, Disabled: true, SecondFactor: true, Lang: "en", Zone: "UTC", Theme: "dark", Shortcuts: true,
			CreatedAt: storetest.Noon, SignedInAt: storetest.Noon,
		},
		Proof: member.Proof{Password: "$argon2id$…", OTP: "ABCD", Pending: "EFGH", Step: 7, Recovery: []string{"a", "b"}},
		Link:  "hash", LinkUntil: storetest.Noon,
	}
}

// richPeople puts rows into every table about people.
func richPeople(t *testing.T, s *store.Store, db *storetest.Database) {
	t.Helper()
	if err := s.Audit(t.Context(), audited("rich")); err != nil {
		t.Fatal(err)
	}
	a := somebody()
	if err := s.AddMember(t.Context(), a); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ChangeMember(t.Context(), a.ID, func(a member.Account, _ []member.Member) (member.Change, error) {
		return member.Change{Account: a, Begin: &member.NewSession{Token: "hash", Session: member.Session{
			ID: member.SessionID(storetest.NewID()), Member: a.ID, CreatedAt: storetest.Noon, SeenAt: storetest.Noon, Address: "203.0.113.7", Agent: "Mozilla/5.0",
		}}}, nil
	}); err != nil {
		t.Fatal(err)
	}
	db.Exec(t, `insert into setup (token, until) values ('hash', 1)`)
	if _, _, err := s.Try(t.Context(), []member.Guessed{{Name: "x"}}, storetest.Noon); err != nil {
		t.Fatal(err)
	}
}

// TestMembers writes an account and reads it again, as it was and as it was changed.
func TestMembers(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		a := somebody()
		if err := s.AddMember(t.Context(), a, audited("a")); err != nil {
			t.Fatal(err)
		}
		b := somebody()
		if err := s.AddMember(t.Context(), b, audited("b")); !fault.Is(err, fault.Conflict) {
			t.Errorf("the same address: %v", err)
		}
		same := func(what string, want member.Account) {
			t.Helper()
			got, err := s.AccountByEmail(t.Context(), want.Email)
			if diff := cmp.Diff(want, got, cmp.Comparer(func(x, y member.Proof) bool {
				return x.Password.Reveal() == y.Password.Reveal() && x.OTP.Reveal() == y.OTP.Reveal() && x.Pending.Reveal() == y.Pending.Reveal() &&
					x.Step == y.Step && cmp.Equal(x.Recovery, y.Recovery)
			})); diff != "" || err != nil {
				t.Errorf("%s: %v\n%s", what, err, diff)
			}
		}
		same("as it was written", a)
		b = member.Account{Member: member.Member{ID: a.ID, Merchant: a.Merchant, Email: "other@example.kr", Name: "나", Role: member.Owner, Invited: true, CreatedAt: a.CreatedAt}}
		if _, err := s.ChangeMember(t.Context(), a.ID, func(_ member.Account, all []member.Member) (member.Change, error) {
			if len(all) != 1 || all[0].ID != a.ID {
				t.Errorf("all are %+v", all)
			}
			return member.Change{Account: b, Entries: []member.Entry{audited("c")}}, nil
		}); err != nil {
			t.Fatal(err)
		}
		same("as it was changed", b)
		if got, want := told(auditLog(t, s, store.AuditQuery{})), "endpoint.paused c, endpoint.paused a"; got != want {
			t.Errorf("the log has %q, want %q", got, want)
		}
		for _, id := range []member.ID{"x", member.ID(storetest.NewID())} {
			if _, err := s.Account(t.Context(), id); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", id, err)
			}
		}
	})
}
