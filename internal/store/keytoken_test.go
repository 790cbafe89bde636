package store_test

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

var v1Key = merchant.APIKey{ID: "00000000-0000-7000-8000-00000000000b", Key: "imp", Mode: merchant.Test}

// putKey makes v1Key, with a mode and a hash, the one V1 key of the first store.
func putKey(t *testing.T, s *store.Store, mode merchant.Mode, hash string) {
	t.Helper()
	all, err := s.Settings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k := v1Key
	k.Merchant, k.Store, k.Mode = all.Stores[0].Merchant, all.Stores[0].ID, mode
	all.APIKeys = []settings.APIKey{{APIKey: k, Hash: hash}}
	if err := s.SaveSettings(t.Context(), all, storetest.Noon); err != nil {
		t.Fatal(err)
	}
}

func tokenName(x merchant.KeyToken) string { return "token of " + x.From.Format(time.RFC3339) }

// renew asks for v1Key's token some time after noon.
func renew(t *testing.T, s *store.Store, after time.Duration) merchant.KeyToken {
	t.Helper()
	got, err := s.RenewToken(t.Context(), v1Key.ID, "h", storetest.Noon.Add(after), tokenName)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestRenewToken has two nodes give a key its tokens: they give the same.
func TestRenewToken(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		one, other := db.Open(t), db.Open(t)
		putKey(t, one, merchant.Test, "h")
		first := renew(t, one, 0)
		if again := renew(t, other, time.Minute); again != first || !first.Until.Equal(storetest.Noon.Add(30*time.Minute)) {
			t.Errorf("the tokens are %v and %v", first, again)
		}
		longer := renew(t, other, 29*time.Minute+time.Second)
		if longer.From != first.From || longer.Until != first.Until.Add(5*time.Minute) {
			t.Errorf("at its end the token is %v", longer)
		}
		for _, find := range []func() (merchant.APIKey, error){
			func() (merchant.APIKey, error) { return one.APIKey(t.Context(), "imp", "h") },
			func() (merchant.APIKey, error) { return one.APIKeyByToken(t.Context(), tokenName(first)) },
		} {
			if got, err := find(); err != nil || got.ID != v1Key.ID || got.Token != longer || got.Mode != merchant.Test {
				t.Errorf("the key is %+v, %v", got, err)
			}
		}
		if second := renew(t, one, time.Hour); second.From.Equal(first.From) {
			t.Error("a token begins anew as the one that ended")
		}
		for _, find := range []func() (merchant.APIKey, error){
			func() (merchant.APIKey, error) { return one.APIKeyByToken(t.Context(), tokenName(first)) },
			func() (merchant.APIKey, error) { return one.APIKey(t.Context(), "imp", "g") },
			func() (merchant.APIKey, error) { return one.APIKey(t.Context(), "im\x00p", "h") },
		} {
			if got, err := find(); !fault.Is(err, fault.NotFound) {
				t.Errorf("found %+v, %v", got, err)
			}
		}
		for _, id := range []string{"", "x", "00000000-0000-7000-8000-00000000000c"} {
			if _, err := one.RenewToken(t.Context(), id, "h", storetest.Noon, tokenName); !fault.Is(err, fault.NotFound) {
				t.Errorf("%q has a token: %v", id, err)
			}
		}
	})
}

// TestTokenEndsWithSecret changes a key: another secret ends its token, and what
// else changes does not.
func TestTokenEndsWithSecret(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		putKey(t, s, merchant.Test, "h")
		token := tokenName(renew(t, s, 0))
		putKey(t, s, merchant.Any, "h")
		if got, err := s.APIKeyByToken(t.Context(), token); err != nil || got.Mode != merchant.Any {
			t.Errorf("with another mode the token finds %+v, %v", got, err)
		}
		putKey(t, s, merchant.Any, "new")
		if got, err := s.RenewToken(t.Context(), v1Key.ID, "h", storetest.Noon.Add(time.Hour), tokenName); !fault.Is(err, fault.NotFound) {
			t.Errorf("who knew the secret before gets %+v, %v", got, err)
		}
		if got, err := s.APIKeyByToken(t.Context(), token); !fault.Is(err, fault.NotFound) {
			t.Errorf("with another secret the token finds %+v, %v", got, err)
		}
	})
}
