package action

import (
	"context"
	"errors"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// A slowStore is a store of which somebody does something right after a billing key
// was read.
type slowStore struct {
	*store.Store
	then func()
}

// BillingKey reads a key, and lets somebody be quicker than its reader.
func (s *slowStore) BillingKey(ctx context.Context, st merchant.StoreID, id payment.BillingKeyID, sees merchant.Mode) (payment.BillingKey, error) {
	k, err := s.Store.BillingKey(ctx, st, id, sees)
	if then := s.then; then != nil {
		s.then = nil
		then()
	}
	return k, err
}

// TestKeyIsDeletedMeanwhile: a key that is deleted after a charge read it charges
// nothing.
func TestKeyIsDeletedMeanwhile(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		k := b.key()
		slow := &slowStore{Store: b.store}
		b.Actions.Store = slow
		slow.then = func() {
			if _, err := b.DeleteKey(b.Context(), shop, k.ID, false); err != nil {
				t.Error(err)
			}
		}
		if _, err := b.Charge(b.Context(), shop, byKey("o1", k)); !errors.Is(err, payment.ErrKeyDeleted) || g.asked != 0 {
			t.Errorf("charged: %v, the PG was asked %d times", err, g.asked)
		}
		if _, err := b.store.Payment(b.Context(), "store-1", "o1", merchant.Any); !fault.Is(err, fault.NotFound) {
			t.Errorf("something was begun: %v", err)
		}
	})
}
