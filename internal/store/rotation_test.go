package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// An old secret is kept with its time, and is gone for good some time after.
func TestOldSecretsAreDropped(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		all, err := s.Settings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		old, fresh := all.Endpoints[0].Secrets[0], webhook.NewSecret()
		if all.Endpoints[0], err = all.Endpoints[0].Rotate(fresh, storetest.Noon, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveSettings(t.Context(), all, storetest.Noon); err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			at      time.Duration
			dropped int
			want    []secret.Text
			until   time.Time
		}{
			{time.Hour - time.Microsecond, 0, []secret.Text{fresh, old}, storetest.Noon.Add(time.Hour)},
			{time.Hour, 1, []secret.Text{fresh}, time.Time{}},
			{2 * time.Hour, 0, []secret.Text{fresh}, time.Time{}},
		} {
			if n, err := s.DropOldSecrets(t.Context(), storetest.Noon.Add(x.at)); n != x.dropped || err != nil {
				t.Errorf("after %v %d secrets were dropped, want %d; %v", x.at, n, x.dropped, err)
			}
			all, err := s.Settings(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if e := all.Endpoints[0]; !cmp.Equal(e.Secrets, x.want) || !e.OldUntil.Equal(x.until) {
				t.Errorf("after %v the endpoint has %d secrets, the old one until %v", x.at, len(e.Secrets), e.OldUntil)
			}
		}
	})
}

// What a try was like on the wire is read as it was written.
func TestTracesAreKept(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		register(t, s, storetest.Registration("o-1"))
		j := claim(t, s, 0, 10, all).Jobs[0]
		f := outcome(j, 0, 0, webhook.Good)
		f.Attempt.Endpoint = j.Endpoint
		f.Attempt.Trace = webhook.Trace{
			Peer: "203.0.113.7:443", Reused: true, TLS: "TLS 1.3", Certificate: storetest.Noon.AddDate(0, 2, 0),
			DNS: time.Millisecond, Connect: 2 * time.Millisecond, Handshake: 3 * time.Millisecond, Wait: 4 * time.Millisecond, Read: 5 * time.Microsecond,
		}
		finish(t, s, f)
		got, err := s.Attempts(t.Context(), j.ID)
		if err != nil || len(got) != 1 {
			t.Fatalf("Attempts = %d, %v", len(got), err)
		}
		if diff := cmp.Diff(f.Attempt.Trace, got[0].Trace); diff != "" || got[0].Endpoint != j.Endpoint || j.Endpoint == "" {
			t.Errorf("to %s (-want +got):\n%s", got[0].Endpoint, diff)
		}
		again, err := s.Resend(t.Context(), j.Payment, "", storetest.Noon)
		if err != nil {
			t.Fatal(err)
		}
		f = outcome(claim(t, s, 0, 10, all).Jobs[0], 0, 0, webhook.NoConnect)
		f.Attempt.Cause = webhook.CauseRefused
		finish(t, s, f)
		if got, err = s.Attempts(t.Context(), j.ID); err != nil || len(got) != 2 || got[1].Delivery != again.ID || got[1].Cause != webhook.CauseRefused {
			t.Errorf("Attempts = %+v, %v", got, err)
		}
	})
}
