package store_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// changeKey brings a billing key into a state.
func changeKey(t *testing.T, s *store.Store, id payment.BillingKeyID, state payment.BillingKeyState) {
	t.Helper()
	if _, err := s.ChangeBillingKey(t.Context(), id, func(k payment.BillingKey) (payment.BillingKey, []webhook.Emission, error) {
		k.State = state
		return k, nil, nil
	}); err != nil {
		t.Fatal(err)
	}
}

// TestDeletedKeyBegins: who read a billing key before it was deleted begins no charge
// by it.
func TestDeletedKeyBegins(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		k := aKey(t, s, "billing-key-1")
		begin := func(id payment.ID, key payment.BillingKeyID) error {
			env := payment.Env{Now: storetest.Noon, NewID: storetest.NewID}
			_, err := s.Act(t.Context(), notice.Act{
				Store: storetest.Store, ID: id, Env: env, Begins: true, BillingKey: key,
				Do: func(known *payment.Payment) (notice.Acted, error) {
					p, _, err := payment.BeginCharge(known, aSchedule(id, key, 0).Registration(), payment.Charge{BillingKey: key}, env)
					return notice.Acted{Payment: p, Changed: true}, err
				},
			})
			return err
		}
		if err := begin("o-1", k.ID); err != nil {
			t.Fatal(err)
		}
		for state, want := range map[payment.BillingKeyState]error{
			payment.KeyDeleting: payment.ErrKeyDeleted, payment.KeyDeleted: payment.ErrKeyDeleted, payment.KeyReady: payment.ErrNoKey,
		} {
			changeKey(t, s, k.ID, state)
			if err := begin("o-2", k.ID); !errors.Is(err, want) {
				t.Errorf("%s: %v, want %v", state, err, want)
			}
		}
		if err := begin("o-2", "billing-key-2"); !errors.Is(err, payment.ErrNoKey) {
			t.Errorf("by no key: %v", err)
		}
		if _, err := s.Payment(t.Context(), storetest.Store, "o-2", merchant.Any); !fault.Is(err, fault.NotFound) {
			t.Errorf("something was begun: %v", err)
		}
		changeKey(t, s, k.ID, payment.KeyIssued)
		if err := begin("o-2", k.ID); err != nil {
			t.Error(err)
		}
		if got, err := s.BillingKey(t.Context(), storetest.Store, k.ID, merchant.Test); err != nil || !cmp.Equal(got, k) {
			t.Errorf("the key is %+v, %v", got, err)
		}
	})
}
