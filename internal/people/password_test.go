package people

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

func merchantStore(id string) merchant.StoreID { return merchant.StoreID(id) }

// What people's passwords cost, and what they cost in tests that do not ask for that: it is
// memory above all, which the race detector makes several times dearer.
var (
	atWork = current
	cheap  = cost{memory: 64, time: 1, lanes: 1}
)

func TestMain(m *testing.M) {
	current = cheap
	storetest.Main(m)
}

// atRealCost has a test that is not parallel hash as people's passwords are. Those that are
// parallel wait until it is over.
func atRealCost(t *testing.T) {
	t.Helper()
	current = atWork
	t.Cleanup(func() { current = cheap })
}

func TestPasswords(t *testing.T) {
	atRealCost(t)
	hash := hashPassword(good)
	if other := hashPassword(good); other == hash || !strings.HasPrefix(hash.Reveal(), "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hashed to %q and %q", hash.Reveal(), other.Reveal())
	}
	weak := cost{memory: 8, time: 1, lanes: 1}
	salt := []byte("0123456789abcdef")
	old := phc(weak, salt, work(good, salt, weak, 32))
	for _, x := range []struct {
		name, stored string
		password     secret.Text
		right, again bool
	}{
		{"right", hash.Reveal(), good, true, false},
		{"wrong", hash.Reveal(), another, false, false},
		{"nobody", "", good, false, false},
		{"nobody with nothing", "", "", false, false},
		{"an old hash", old, good, true, true},
		{"an old hash and a wrong password", old, another, false, true},
		{"argon2i", strings.Replace(old, "argon2id", "argon2i", 1), good, false, false},
		{"another version", strings.Replace(old, "v=19", "v=16", 1), good, false, false},
		{"all the memory", strings.Replace(old, "m=8", "m=4294967295", 1), good, false, false},
		{"no time", strings.Replace(old, "t=1", "t=0", 1), good, false, false},
		{"a part", old[:len(old)/2], good, false, false},
		{"no base 64", old + "!", good, false, false},
		{"plain", good.Reveal(), good, false, false},
	} {
		if right, again := checkPassword(x.password, secret.Text(x.stored)); right != x.right || again != x.again {
			t.Errorf("%s: right %v, again %v", x.name, right, again)
		}
	}
	c, _, want, ok := parsePHC(nobody().Reveal())
	if !ok || c != current || len(want) != hashSize {
		t.Errorf("nobody's hash costs %+v", c)
	}
}

// TestHashedAnew: a password whose hash costs less than new ones is hashed anew when
// it is known, at sign-in.
func TestHashedAnew(t *testing.T) {
	onBoth(t, func(s *site) {
		ctx := s.Context()
		owner, _ := s.running()
		dev := s.as(s.joins(owner, "dev@shop.example", member.Dev, ""))
		weak, salt := cost{memory: 8, time: 1, lanes: 1}, []byte("0123456789abcdef")
		_, err := s.store.ChangeMember(ctx, dev.Member.ID, func(a member.Account, _ []member.Member) (member.Change, error) {
			a.Proof.Password = secret.Text(phc(weak, salt, work(good, salt, weak, 32)))
			return member.Change{Account: a}, nil
		})
		s.must(err)
		for range 2 {
			s.as(s.keep(s.SignIn(ctx, "dev@shop.example", good, home, "")))
		}
		a, err := s.store.Account(ctx, dev.Member.ID)
		s.must(err)
		if c, _, _, ok := parsePHC(a.Proof.Password.Reveal()); !ok || c != current {
			s.Errorf("it is %s", a.Proof.Password.Reveal()[:20])
		}
	})
}
