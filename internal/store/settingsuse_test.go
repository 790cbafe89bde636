package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/webhook"
)

// putDelivery writes a delivery of an endpoint as it would stand in a state.
func (db settingsDB) putDelivery(t *testing.T, e webhook.EndpointID, state string, lease any) string {
	t.Helper()
	id, due := uuid.NewString(), settingsNow.Add(time.Hour).UnixMicro()
	_, err := db.raw.ExecContext(t.Context(), `insert into delivery (id, event_id, merchant_id, store_id, mode, type, endpoint_id, url,
		target, content_type, body, schedule, state, tries, lane, due_at, ready_at, lease, manual, created_at)
		values ($1, $2, 'merchant-1', 'store-1', 'test', 'Transaction.Paid', $3, '', $4, 'json', $5, 'toss', $6, 3, 1, $7, $7, $8, $9, 0)`,
		id, uuid.NewString(), string(e), string(e), []byte("{}"), state, due, lease, false)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

type standing struct {
	State      string
	Tries      int
	Due, Ready int64
	Leased     bool
}

func (db settingsDB) standing(t *testing.T, id string) (s standing) {
	t.Helper()
	err := db.raw.QueryRowContext(context.WithoutCancel(t.Context()),
		`select state, tries, due_at, ready_at, lease is not null from delivery where id = $1`, id).
		Scan(&s.State, &s.Tries, &s.Due, &s.Ready, &s.Leased)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDeliveriesFollowTheirEndpoint(t *testing.T) {
	t.Parallel()
	eachSettingsDB(t, func(t *testing.T, db settingsDB) {
		all := db.save(t, someSettings())
		later, now := settingsNow.Add(time.Hour).UnixMicro(), settingsNow.UnixMicro()
		one, two := 0, 1
		if all.Endpoints[one].Paused {
			one, two = two, one
		}
		waiting := db.putDelivery(t, all.Endpoints[one].ID, "waiting", nil)
		trying := db.putDelivery(t, all.Endpoints[one].ID, "waiting", "a-lease")
		held := db.putDelivery(t, all.Endpoints[two].ID, "waiting", nil)
		check := func(when, id string, want standing) {
			t.Helper()
			if diff := cmp.Diff(want, db.standing(t, id)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", when, diff)
			}
		}
		due := 0
		db.OnDue(func() { due++ })

		all.Endpoints[one].Paused = true
		all = db.save(t, all)
		asBefore := standing{"waiting", 3, later, later, false}
		check("paused", waiting, asBefore)
		check("paused during a try", trying, standing{"waiting", 3, later, later, true})

		all.Endpoints[one].Paused = false
		all.Endpoints[one].URL = "https://b.example"
		all = db.save(t, all)
		check("resumed", waiting, standing{"waiting", 3, now, now, false})
		check("resumed during a try", trying, standing{"waiting", 3, later, later, true})
		check("of another endpoint that is paused", held, asBefore)

		all.Endpoints = []webhook.Endpoint{all.Endpoints[one]}
		db.save(t, all)
		check("its endpoint is gone", held, standing{"waiting", 3, now, now, false})
		if due < 2 {
			t.Errorf("told %d times of due deliveries, want each time", due)
		}
	})
}

// A resume goes in steps. One that is cut off leaves no delivery behind: the
// rest is due when it was.
func TestResumeInSteps(t *testing.T) {
	t.Parallel()
	const many = 2500
	eachSettingsDB(t, func(t *testing.T, db settingsDB) {
		all := db.save(t, someSettings())
		pause := func(ctx context.Context, paused bool) {
			t.Helper()
			next, err := db.Settings(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			next.Endpoints[0].Paused = paused
			if err := db.SaveSettings(ctx, next, settingsNow); err != nil {
				t.Fatal(err)
			}
			all = next
		}
		pause(t.Context(), true)
		db.putMany(t, all.Endpoints[0].ID, many)
		early := func() (n int) {
			t.Helper()
			if err := db.raw.QueryRowContext(t.Context(), `select count(*) from delivery where due_at = $1 and ready_at = $1`,
				settingsNow.UnixMicro()).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		claimed := func(at time.Duration) int {
			t.Helper()
			c, err := db.Claim(t.Context(), settingsNow.Add(at), time.Second, webhook.Room{Total: 3 * many, Retries: 3 * many, Of: func(string, []webhook.Job) int { return 3 * many }})
			if err != nil {
				t.Fatal(err)
			}
			return len(c.Jobs)
		}
		if n := claimed(2 * time.Hour); n != 0 {
			t.Errorf("%d jobs of a paused endpoint", n)
		}

		ctx, cancel := context.WithCancel(t.Context())
		told := 0
		db.OnDue(func() {
			if told++; told == 2 { // the settings, and the first step
				cancel()
			}
		})
		pause(ctx, false)
		if n := early(); n != 1000 {
			t.Errorf("%d are due early after one step, want 1000", n)
		}
		pause(t.Context(), true)
		pause(t.Context(), false)
		if n := early(); n != many {
			t.Errorf("%d are due early, want all %d", n, many)
		}
		if n := claimed(0); n != many {
			t.Errorf("%d jobs after the pause, want %d", n, many)
		}
	})
}

// putMany writes n deliveries of an endpoint that are due in an hour.
func (db settingsDB) putMany(t *testing.T, e webhook.EndpointID, n int) {
	t.Helper()
	tx, err := db.raw.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	due := settingsNow.Add(time.Hour).UnixMicro()
	for range n {
		if _, err := tx.ExecContext(t.Context(), `insert into delivery (id, event_id, merchant_id, store_id, mode, type, endpoint_id, url,
			target, content_type, body, schedule, state, tries, lane, due_at, ready_at, manual, created_at)
			values ($1, $2, 'merchant-1', 'store-1', 'test', 'Transaction.Paid', $3, '', $4, 'json', $5, 'toss', 'waiting', 1, 1, $6, $6, $7, 0)`,
			uuid.NewString(), uuid.NewString(), string(e), string(e), []byte("{}"), due, false); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestAPICredentials(t *testing.T) {
	t.Parallel()
	eachSettingsDB(t, func(t *testing.T, db settingsDB) {
		ctx := t.Context()
		all := db.save(t, someSettings())
		want := all.APISecrets[0].APISecret
		byHash, err := db.APISecret(ctx, "hash-of-secret")
		if diff := cmp.Diff(want, byHash); err != nil || diff != "" {
			t.Errorf("APISecret: %v (-want +got):\n%s", err, diff)
		}
		if got, err := db.APISecretByID(ctx, want.ID); err != nil || got != want {
			t.Errorf("APISecretByID = %+v, %v, want %+v", got, err, want)
		}
		_, unknown := db.APISecret(ctx, "hash")
		_, other := db.APISecretByID(ctx, uuid.NewString())
		_, noID := db.APISecretByID(ctx, "not an id")
		_, noGeneration := db.NextGeneration(ctx, uuid.NewString(), -1)
		for _, err := range []error{unknown, other, noID, noGeneration} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("an unknown secret: %v, want fault.NotFound", err)
			}
		}
		for i, from := range []int64{-1, 1, 2} {
			if n, err := db.NextGeneration(ctx, want.ID, from); err != nil || n != int64(i+1) {
				t.Errorf("NextGeneration(%d) = %d, %v, want %d", from, n, err, i+1)
			}
		}
		if _, err := db.NextGeneration(ctx, want.ID, 2); !fault.Is(err, fault.Conflict) {
			t.Errorf("NextGeneration of an old one = %v, want fault.Conflict", err)
		}
		// Settings read before the logins must not bring old tokens back.
		all.APISecrets[0].Name = "renamed"
		all = db.save(t, all)
		if g := all.APISecrets[0].Generation; g != 3 {
			t.Errorf("generation after another change = %d, want 3", g)
		}
		all.APISecrets[0].Hash = "another"
		if g := db.save(t, all).APISecrets[0].Generation; g != 4 {
			t.Errorf("generation after a new value = %d, want 4", g)
		}
		list, err := db.Allowed(ctx, "store-1", merchant.AllowAPI, settingsNow)
		if err != nil || len(list) != 1 || list[0].String() != "203.0.113.0/24" {
			t.Errorf("Allowed = %v, %v", list, err)
		}
		for at, want := range map[time.Time]int{settingsNow: 0, settingsNow.Add(time.Minute): 1} {
			if list, err := db.Allowed(ctx, "store-1", merchant.AllowConsole, at); err != nil || len(list) != want {
				t.Errorf("a line that is out of force for a minute: %v, %v at %v", list, err, at)
			}
		}
		if list, err := db.Allowed(ctx, "store-2", merchant.AllowAPI, settingsNow); err != nil || len(list) != 0 {
			t.Errorf("Allowed of a store without list = %v, %v", list, err)
		}
	})
}
