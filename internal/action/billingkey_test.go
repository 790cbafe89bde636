package action

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
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
		b.Store = slow
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

// kept is a billing key as the store has it.
func (b *bench) kept(id payment.BillingKeyID) payment.BillingKey {
	b.Helper()
	k, err := b.store.BillingKey(b.Context(), "store-1", id, merchant.Any)
	if err != nil {
		b.Fatal(err)
	}
	return k
}

// keyEvents are the types of what the endpoint is told of the billing keys.
func (b *bench) keyEvents() string {
	b.Helper()
	claim, err := b.store.Claim(b.Context(), time.Now(), 24*time.Hour, webhook.Room{Total: 100, Of: func(string, []webhook.Job) int { return 100 }})
	if err != nil {
		b.Fatal(err)
	}
	var out []string
	for _, j := range claim.Jobs {
		var body struct {
			Type string `json:"type"`
		}
		if err := json.Unmarshal(j.Body, &body); err != nil {
			b.Fatal(err)
		}
		out = append(out, strings.TrimPrefix(body.Type, "BillingKey."))
	}
	return strings.Join(out, " ")
}

// TestKeyIssueIsLost: a key whose issue is not known to have failed has not failed. The
// same request run again has it issued; one that is declined is told once.
func TestKeyIssueIsLost(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		r := KeyRequest{Channel: "channel-1", Card: *charge("x").Card, IDs: idsOf(1)}
		id := payment.BillingKeyPrefix + payment.BillingKeyID(r.IDs(0))
		g.says = errLost
		for range 2 {
			if k, err := b.IssueKey(b.Context(), shop, r); !isUnclear(err) || k.State != payment.KeyReady {
				t.Errorf("the answer is lost: %s, %v", k.State, err)
			}
		}
		if k := b.kept(id); k.State != payment.KeyReady || !errors.Is(k.Usable(), payment.ErrNoKey) || b.keyEvents() != "" {
			t.Errorf("lost: %+v", k)
		}
		g.says = nil
		if k, err := b.IssueKey(b.Context(), shop, r); err != nil || k.ID != id || k.State != payment.KeyIssued {
			t.Errorf("once more: %+v, %v", k, err)
		}
		if got := b.keyEvents(); got != "Issued" {
			t.Errorf("told %q", got)
		}
		// One that the PG declines is made anew.
		r.IDs = idsOf(2)
		id = payment.BillingKeyPrefix + payment.BillingKeyID(r.IDs(0))
		g.says = &provider.DeclinedError{Code: "51", Message: "no"}
		if _, err := b.IssueKey(b.Context(), shop, r); err == nil || b.kept(id).State != payment.KeyFailed {
			t.Errorf("declined: %v", err)
		}
		g.says = nil
		if k, err := b.IssueKey(b.Context(), shop, r); err != nil || k.ID == id || k.State != payment.KeyIssued {
			t.Errorf("after it was declined: %+v, %v", k, err)
		}
		if got := b.keyEvents(); got != "Failed Issued" {
			t.Errorf("told %q", got)
		}
	})
}

// TestKeyMadeBefore: a key that was issued is found though its channel is gone, and
// though it was deleted; when its request is forgotten another one is issued.
func TestKeyMadeBefore(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		r := KeyRequest{Channel: "channel-1", Card: *charge("x").Card, IDs: idsOf(1)}
		issue := func() payment.BillingKey {
			t.Helper()
			k, err := b.IssueKey(b.Context(), shop, r)
			if err != nil {
				t.Fatal(err)
			}
			return k
		}
		k := issue()
		b.noChannel()
		if again := issue(); again.ID != k.ID || again.State != payment.KeyIssued {
			t.Errorf("without a channel: %+v", again)
		}
		b.save(func(*settings.All) {})
		if _, err := b.DeleteKey(b.Context(), shop, k.ID, false); err != nil {
			t.Fatal(err)
		}
		if again := issue(); again.ID != k.ID || again.State != payment.KeyDeleted || len(g.keys) != 0 {
			t.Errorf("deleted: %+v, the PG has %d keys", again, len(g.keys))
		}
		sleep(merchant.RepeatLife)
		other := issue()
		if other.ID == k.ID || other.State != payment.KeyIssued {
			t.Errorf("when it is forgotten: %+v", other)
		}
		if again := issue(); again.ID != other.ID || len(g.keys) != 1 {
			t.Errorf("and again: %+v", again)
		}
	})
}

// TestKeyDeletionIsNotReached: a deletion whose answer was lost, and that did not reach
// the PG when it was asked for again, may have been made.
func TestKeyDeletionIsNotReached(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := b.cards()
		k := b.key()
		unreached := fault.Errorf(fault.Unavailable, "refused")
		g.says = unreached
		if _, err := b.DeleteKey(b.Context(), shop, k.ID, false); err == nil || b.kept(k.ID).State != payment.KeyIssued {
			t.Errorf("not reached: %v", err)
		}
		g.says, g.does = errLost, true
		if _, err := b.DeleteKey(b.Context(), shop, k.ID, false); !isUnclear(err) {
			t.Errorf("lost: %v", err)
		}
		g.says, g.does = unreached, false
		if _, err := b.DeleteKey(b.Context(), shop, k.ID, false); err == nil || b.kept(k.ID).State != payment.KeyDeleting {
			t.Errorf("not reached when it was asked again: %v, %s", err, b.kept(k.ID).State)
		}
		g.says = nil
		if _, err := b.DeleteKey(b.Context(), shop, k.ID, false); err != nil || b.kept(k.ID).State != payment.KeyDeleted {
			t.Errorf("reached: %v", err)
		}
	})
}
