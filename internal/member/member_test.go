package member_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/secret"
)

// TestEveryRoleAndRight holds the table of rights against one that is written
// out, so that a right is never given by the way.
func TestEveryRoleAndRight(t *testing.T) {
	t.Parallel()
	want := map[member.Role]string{
		member.Owner:    "see resend pay integrate administer own",
		member.Admin:    "see resend pay integrate administer",
		member.Manager:  "see resend pay",
		member.Dev:      "see resend integrate",
		member.ReadOnly: "see",
		"":              "",
		"unheard of":    "",
	}
	for role, rights := range want {
		for _, right := range member.Rights() {
			has := slices.Contains(strings.Fields(rights), string(right))
			m := member.Member{ID: "1", Role: role}
			if got := m.May(right); got != has {
				t.Errorf("a member of role %q may %s: %v, want %v", role, right, got, has)
			}
			if got := slices.Contains(right.Least(), role); got != has {
				t.Errorf("%s is given by %q: %v, want %v", right, role, got, has)
			}
			m.Operator = true
			if got, want := m.May(right), has || right == member.Operate; got != want {
				t.Errorf("an operator of role %q may %s: %v, want %v", role, right, got, want)
			}
			for name, nobody := range map[string]member.Member{
				"disabled": {ID: "1", Role: role, Operator: true, Disabled: true},
				"invited":  {ID: "1", Role: role, Operator: true, Invited: true},
				"nobody":   {Role: role, Operator: true},
			} {
				if nobody.May(right) {
					t.Errorf("one who is %s, of role %q, may %s", name, role, right)
				}
			}
		}
	}
	for _, r := range member.Roles() {
		if _, ok := want[r]; !ok {
			t.Errorf("role %s is not in this test", r)
		}
		if got, err := member.ParseRole(string(r)); got != r || err != nil {
			t.Errorf("ParseRole(%q) = %q, %v", r, got, err)
		}
	}
	if _, err := member.ParseRole("Owner"); !fault.Is(err, fault.Invalid) {
		t.Errorf("ParseRole of an unknown role: %v", err)
	}
}

func TestWhoGrantsWhat(t *testing.T) {
	t.Parallel()
	for _, r := range member.Roles() {
		for _, other := range member.Roles() {
			want := r == member.Owner || r == member.Admin && other != member.Owner
			if got := r.MayGrant(other); got != want {
				t.Errorf("%s may grant %s: %v", r, other, got)
			}
		}
		if got, want := r.NeedsSecondFactor(), r == member.Owner || r == member.Admin; got != want {
			t.Errorf("%s needs a second factor: %v", r, got)
		}
		if got, want := r.MayBeLimited(), !r.NeedsSecondFactor(); got != want {
			t.Errorf("%s may be limited: %v", r, got)
		}
	}
	for _, x := range []struct {
		a, b member.Role
		want bool
	}{
		{member.Owner, member.Admin, true}, {member.Admin, member.Owner, false}, {member.Manager, member.Dev, true},
		{member.Dev, member.Manager, true}, {member.ReadOnly, member.Dev, false}, {member.Dev, member.Dev, false},
	} {
		if got := x.a.Exceeds(x.b); got != x.want {
			t.Errorf("%s exceeds %s: %v", x.a, x.b, got)
		}
	}
}

func TestSees(t *testing.T) {
	t.Parallel()
	all := member.Member{ID: "1", Merchant: "m"}
	one := member.Member{ID: "1", Merchant: "m", Store: "s"}
	for _, x := range []struct {
		name string
		got  bool
		want bool
	}{
		{"all of a merchant", all.Sees("m", "other"), true},
		{"another merchant", all.Sees("n", "s"), false},
		{"the store", one.Sees("m", "s"), true},
		{"another store", one.Sees("m", "other"), false},
		{"the store's id at another merchant", one.Sees("n", "s"), false},
		{"nobody", member.Member{Merchant: "m"}.Sees("m", "s"), false},
	} {
		if x.got != x.want {
			t.Errorf("%s: %v", x.name, x.got)
		}
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	s := member.Session{CreatedAt: noon, SeenAt: noon}
	if s.SignedIn() || s.Confirmed(noon) {
		t.Error("a session that waits for the second factor is signed in")
	}
	s.ConfirmedAt = noon
	if !s.Confirmed(noon.Add(10*time.Minute-1)) || s.Confirmed(noon.Add(10*time.Minute)) {
		t.Error("what was confirmed counts for ten minutes")
	}
	if !s.Alive(noon.Add(12*time.Hour-1)) || s.Alive(noon.Add(12*time.Hour)) {
		t.Error("a session lives for 12 hours without being seen")
	}
	s.SeenAt = noon.Add(7*24*time.Hour - time.Minute)
	if !s.Alive(s.SeenAt) || s.Alive(noon.Add(7*24*time.Hour)) {
		t.Error("a session lives for 7 days")
	}
}

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	m := member.Member{Email: "hong.gildong@saebyeok.example", Name: "홍길동"}
	for _, x := range []struct {
		password string
		want     error
	}{
		{"brown tiger eats rice", nil},
		{"갈색 호랑이 떡 하나만", nil},
		{"xK7-vb2_Qm9", nil},
		{"", member.ErrPasswordShort},
		{"짧은비밀번호", member.ErrPasswordShort},
		{"xK7-vb2_Q", member.ErrPasswordShort},
		{strings.Repeat("xK7-vb2_Qm", 26), member.ErrPasswordLong},
		{"Password1234", member.ErrPasswordCommon},
		{"admin-admin-1", member.ErrPasswordCommon},
		{"qwer1234!!!!", member.ErrPasswordCommon},
		{"aaaaaaaaaaaab", member.ErrPasswordCommon},
		{"0123456789", member.ErrPasswordCommon},
		{"9876543210", member.ErrPasswordCommon},
		{"abcdefghijkl", member.ErrPasswordCommon},
		{"20261121-2026", member.ErrPasswordCommon},
		{"hong.gildong1", member.ErrPasswordNamed},
		{"Saebyeok2026!", member.ErrPasswordNamed},
		{"나는홍길동입니다요!", member.ErrPasswordNamed},
		{"hong.gildong and his merry band", nil},
	} {
		if err := member.CheckPassword(secret.Text(x.password), m); !errors.Is(err, x.want) {
			t.Errorf("CheckPassword(%q) = %v, want %v", x.password, err, x.want)
		}
	}
}

func TestCleanEmail(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" You@Example.KR ": "you@example.kr", "a+b@localhost": "a+b@localhost", "홍@예시.한국": "홍@예시.한국",
		"": "", "you": "", "@example.kr": "", "you@": "", "a b@example.kr": "", "a@b@c": "", "<you@example.kr>": "",
		"you@example..kr": "", "you@.kr": "", "you@example.kr\r\nBcc: all@example.kr": "", "you\u202e@example.kr": "",
		strings.Repeat("a", 250) + "@b.kr": "",
	} {
		got, err := member.CleanEmail(in)
		if got != want || (err == nil) != (want != "") || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("CleanEmail(%q) = %q, %v", in, got, err)
		}
	}
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" 홍 길동 ": "홍 길동", "": "", "  ": "", "a\nb": "", "a\u202eb": "", strings.Repeat("가", 81): "", "\xff": "",
	} {
		if got, err := member.CleanName(in); got != want || (err == nil) != (want != "") {
			t.Errorf("CleanName(%q) = %q, %v", in, got, err)
		}
	}
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	type list = []member.Field
	b, a := member.Differences(list{{"state", "PAID"}, {"amount", "1"}}, list{{"state", "CANCELLED"}, {"amount", "1"}, {"by", "x"}})
	if diff := cmp.Diff([]list{{{"state", "PAID"}}, {{"state", "CANCELLED"}, {"by", "x"}}}, []list{b, a}); diff != "" {
		t.Error(diff)
	}
}

func TestByNames(t *testing.T) {
	t.Parallel()
	by := member.Member{ID: "1", Email: "you@example.kr"}.By("203.0.113.7")
	if got, want := fmt.Sprint(by), "{person 1 you@example.kr 203.0.113.7}"; got != want || by.IsZero() || !(member.By{}).IsZero() {
		t.Errorf("By = %s, want %s", got, want)
	}
}
