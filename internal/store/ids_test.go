package store_test

import (
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// TestIDsOfNobody: what is no id, or one in another spelling, is nobody's on either engine. It
// is no reason to say that the database is away.
func TestIDsOfNobody(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s, ctx := db.Open(t), t.Context()
		scope := store.Scope{Merchant: storetest.Merchant, Mode: merchant.Test}
		for _, id := range []string{
			"", "x", "\x00", "\xff", "urn:uuid:01900000-0000-7000-8000-000000000000", "{01900000-0000-7000-8000-000000000000}",
			"01900000000070008000000000000000", "01900000-0000-7000-8000-00000000000A", "01900000-0000-7000-8000-000000000000",
		} {
			for name, ask := range map[string]func() error{
				"member":      func() error { _, err := s.Account(ctx, member.ID(id)); return err },
				"sessions":    func() error { _, err := s.Sessions(ctx, member.ID(id)); return err },
				"session":     func() error { return s.EndSession(ctx, "01900000-0000-7000-8000-000000000001", member.SessionID(id)) },
				"notice":      func() error { _, err := s.NoticeOf(ctx, scope, notice.ID(id), true); return err },
				"notice body": func() error { _, err := s.Notice(ctx, notice.ID(id)); return err },
				"case":        func() error { _, err := s.Case(ctx, notice.ID(id)); return err },
				"closing":     func() error { _, err := s.CloseCase(ctx, notice.CaseClosing{ID: notice.ID(id)}); return err },
				"redecision":  func() error { _, err := s.Redecide(ctx, notice.Redecision{ID: notice.ID(id)}); return err },
				"events":      func() error { _, err := s.PaymentEvents(ctx, payment.Key(id)); return err },
				"payment":     func() error { _, err := s.PaymentByKey(ctx, payment.Key(id)); return err },
				"tries":       func() error { _, err := s.Attempts(ctx, webhook.DeliveryID(id)); return err },
				"delivery":    func() error { _, err := s.Delivery(ctx, scope, id); return err },
				"deliveries": func() error {
					_, err := s.DeliveryRows(ctx, scope, store.DeliveryFilter{Payment: payment.Key(id)}, store.Page{})
					return err
				},
				"of an endpoint": func() error {
					_, err := s.DeliveryRows(ctx, scope, store.DeliveryFilter{Endpoint: webhook.EndpointID(id)}, store.Page{})
					return err
				},
				"endpoint":   func() error { _, err := s.EndpointTries(ctx, webhook.EndpointID(id)); return err },
				"API secret": func() error { _, err := s.APISecretByID(ctx, id); return err },
				"generation": func() error { _, err := s.NextGeneration(ctx, id, 1); return err },
				"call":       func() error { _, err := s.Call(ctx, id); return err },
				"token": func() error {
					_, err := s.RenewToken(ctx, id, "x", time.Now(), func(merchant.KeyToken) string { return "x" })
					return err
				},
				"anything": func() error { _, err := s.Find(ctx, storetest.Merchant, "", id, true); return err },
			} {
				if err := ask(); err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
					t.Errorf("%s %q: %v", name, id, err)
				}
			}
		}
	})
}
