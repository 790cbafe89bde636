package store_test

import (
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// someone is who does what is written in the audit log.
var someone = member.By{Kind: member.Person, ID: "m1", Name: "you@example.kr"}

// sentAgain begins a job of the scene's merchant.
func sentAgain(t *testing.T, s *store.Store, f webhook.ResendFilter) webhook.ResendJob {
	t.Helper()
	f.Merchant, f.Mode = storetest.Merchant, merchant.Test
	j, err := s.StartResends(t.Context(), webhook.ResendJob{Filter: f, Rate: webhook.DefaultResendRate, By: "you@example.kr", Expected: 3}, time.Now(),
		func(j webhook.ResendJob) []member.Entry {
			return []member.Entry{{Merchant: storetest.Merchant, By: someone, Action: "webhooks.resent", Kind: "resend", Object: string(j.ID)}}
		})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// ended makes n payments whose webhooks end with outcomes, in turn.
func ended(t *testing.T, s *store.Store, n int, outcomes ...webhook.Outcome) []webhook.Job {
	t.Helper()
	for range n {
		register(t, s, storetest.Registration(storetest.NewID()))
	}
	jobs := claim(t, s, 0, n, all).Jobs
	if len(jobs) != n {
		t.Fatalf("claimed %d jobs, want %d", len(jobs), n)
	}
	slices.SortFunc(jobs, func(a, b webhook.Job) int { return cmp.Compare(a.ID, b.ID) })
	for i, j := range jobs {
		finish(t, s, outcome(j, 0, 0, outcomes[i%len(outcomes)]))
	}
	return jobs
}

var testScope = store.Scope{Merchant: storetest.Merchant, Mode: merchant.Test}

// goOn makes steps of whatever job there is until none is left, and returns how
// many resends were made.
func goOn(t *testing.T, s *store.Store, n int, until time.Duration) (made int) {
	t.Helper()
	for {
		j, _, err := s.TakeResends(t.Context(), time.Now(), time.Now().Add(until))
		if err != nil || j == nil {
			return made
		}
		for {
			step, _, err := s.StepResends(t.Context(), *j, n, webhook.Pace{Rate: 20, Next: map[string]time.Time{}}, time.Now(), time.Now().Add(until))
			if err != nil {
				t.Fatal(err)
			}
			if made += step.Made; step.Again.IsZero() {
				break
			}
		}
	}
}

// Each webhook that the filter means is sent again once, and no other.
func TestResendJobKinds(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		jobs := ended(t, s, 9, webhook.Good, webhook.BadAnswer, webhook.NoAnswer)
		// One that failed was sent again by hand, and got through.
		again, err := s.Resend(t.Context(), jobs[1].Payment, "", storetest.Noon)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range claim(t, s, 0, 10, all).Jobs {
			if j.ID == again.ID {
				finish(t, s, outcome(j, 0, 0, webhook.Good))
			}
		}
		// One waits for its second try, and one for its first.
		register(t, s, storetest.Registration("late"))
		late := claim(t, s, 0, 1, all).Jobs[0]
		finish(t, s, outcome(late, 0, time.Hour, webhook.NoConnect))
		register(t, s, storetest.Registration("fresh"))
		for kind, want := range map[webhook.ResendKind]int{webhook.ResendFailed: 6, webhook.ResendMissed: 6, webhook.ResendAll: 10} {
			f := webhook.ResendFilter{Merchant: storetest.Merchant, Mode: merchant.Test, Kind: kind}
			p, err := s.ResendPreview(t.Context(), f)
			if err != nil || p.N != want || p.More || len(p.Targets) != 1 || p.Targets[0].N != want || p.Oldest.After(p.Newest) {
				t.Errorf("%s: the preview is %+v, %v; want %d", kind, p, err, want)
			}
			f.Types = []webhook.Type{webhook.Paid}
			if p, err := s.ResendPreview(t.Context(), f); err != nil || p.N != 0 {
				t.Errorf("%s of another type: %+v, %v", kind, p, err)
			}
			f.Types, f.Merchant = nil, "merchant-other"
			if p, err := s.ResendPreview(t.Context(), f); err != nil || p.N != 0 {
				t.Errorf("%s of another merchant: %+v, %v", kind, p, err)
			}
		}
		j := sentAgain(t, s, webhook.ResendFilter{Kind: webhook.ResendMissed})
		if made := goOn(t, s, 2, time.Minute); made != 6 {
			t.Errorf("%d resends were made, want 6", made)
		}
		got, progress, err := s.ResendJob(t.Context(), testScope, j.ID)
		if err != nil || got.State != webhook.ResendDone || got.Made != 6 || got.EndedAt.IsZero() || progress.Waiting != 6 {
			t.Errorf("ResendJob = %+v, %+v, %v", got, progress, err)
		}
		list, err := s.Resent(t.Context(), testScope, j.ID, "", false, 100)
		if err != nil || len(list) != 6 || list[0].Original != jobs[2].ID && list[0].Original != jobs[1].ID || list[0].Delivery == "" {
			t.Errorf("Resent = %+v, %v", list, err)
		}
		for _, one := range list {
			if one.Original == jobs[1].ID || one.State != webhook.Waiting {
				t.Errorf("sent again: %+v", one)
			}
		}
		for name, scope := range map[string]store.Scope{
			"another merchant": {Merchant: "merchant-other", Mode: merchant.Test}, "live": {Merchant: storetest.Merchant, Mode: merchant.Live},
			"another store": {Merchant: storetest.Merchant, Store: "store-other", Mode: merchant.Test},
		} {
			if _, _, err := s.ResendJob(t.Context(), scope, j.ID); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s is told of the job: %v", name, err)
			}
			if jobs, err := s.ResendJobs(t.Context(), scope); err != nil || len(jobs) != 0 {
				t.Errorf("%s: %d jobs, %v", name, len(jobs), err)
			}
		}
		verified(t, s)
	})
}

// A job whose node died is taken up by another when its lease is over, and sends
// nothing twice; who lost the lease does nothing more.
func TestResendJobIsTakenOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		ended(t, s, 7, webhook.BadAnswer)
		j := sentAgain(t, s, webhook.ResendFilter{Kind: webhook.ResendFailed})
		now := time.Now()
		dead, _, err := s.TakeResends(t.Context(), now, now.Add(time.Minute))
		if err != nil || dead == nil || dead.ID != j.ID {
			t.Fatalf("TakeResends = %+v, %v", dead, err)
		}
		pace := webhook.Pace{Rate: 10, Next: map[string]time.Time{}}
		step, after, err := s.StepResends(t.Context(), *dead, 3, pace, now, now.Add(time.Minute))
		if err != nil || step.Made != 3 || len(pace.Next) != 0 || after.Ahead(now) != 300*time.Millisecond {
			t.Fatalf("StepResends = %+v, %+v, %v", step, after, err)
		}
		if other, next, err := s.TakeResends(t.Context(), now, now.Add(time.Minute)); other != nil || err != nil || next.Before(now.Add(59*time.Second)) {
			t.Errorf("a second node gets %+v, to look again at %v; %v", other, next, err)
		}
		later := now.Add(time.Minute)
		other, _, err := s.TakeResends(t.Context(), later, later.Add(time.Minute))
		if err != nil || other == nil {
			t.Fatalf("when the lease is over, TakeResends = %+v, %v", other, err)
		}
		if _, _, err := s.StepResends(t.Context(), *dead, 3, pace, later, later.Add(time.Minute)); !fault.Is(err, fault.Conflict) {
			t.Errorf("a step without the lease: %v", err)
		}
		if step, _, err = s.StepResends(t.Context(), *other, 100, pace, later, later.Add(time.Minute)); err != nil || step.Made != 4 || !step.Again.IsZero() {
			t.Errorf("the rest: %+v, %v", step, err)
		}
		if n := db.Count(t, `select count(*) from delivery where original is not null`); n != 7 {
			t.Errorf("%d resends, want one for each of 7", n)
		}
		if n := db.Count(t, `select count(distinct original) from delivery where original is not null`); n != 7 {
			t.Errorf("%d webhooks were sent again, want 7", n)
		}
		verified(t, s)
	})
}

func TestResendJobStops(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		ended(t, s, 3, webhook.BadAnswer)
		j := sentAgain(t, s, webhook.ResendFilter{Kind: webhook.ResendFailed})
		now := time.Now()
		taken, _, err := s.TakeResends(t.Context(), now, now.Add(time.Minute))
		if err != nil || taken == nil {
			t.Fatal(taken, err)
		}
		if _, err := s.StopResends(t.Context(), j.ID, "merchant-other", "", merchant.Test, now); !fault.Is(err, fault.NotFound) {
			t.Errorf("another merchant stops it: %v", err)
		}
		if got, err := s.StopResends(t.Context(), j.ID, storetest.Merchant, "", merchant.Test, now); err != nil || got.State != webhook.ResendStopped {
			t.Errorf("StopResends = %+v, %v", got, err)
		}
		if _, err := s.StopResends(t.Context(), j.ID, storetest.Merchant, "", merchant.Test, now); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second stop: %v", err)
		}
		if _, _, err := s.StepResends(t.Context(), *taken, 3, webhook.Pace{Next: map[string]time.Time{}}, now, now.Add(time.Minute)); !fault.Is(err, fault.Conflict) {
			t.Errorf("a step after the stop: %v", err)
		}
		if n := db.Count(t, `select count(*) from delivery where original is not null`); n != 0 {
			t.Errorf("%d resends after a stop", n)
		}
		if err := s.GiveBackResends(t.Context(), *taken, now); err != nil {
			t.Error(err)
		}
		if again, _, err := s.TakeResends(t.Context(), now.Add(time.Hour), now.Add(2*time.Hour)); again != nil || err != nil {
			t.Errorf("a stopped job is taken up: %+v, %v", again, err)
		}
	})
}

// A person stops what waits for its next try, and nobody else's.
func TestStopRetries(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		register(t, s, storetest.Registration("o-1"))
		j := claim(t, s, 0, 1, all).Jobs[0]
		which := webhook.Which{ID: j.ID, Merchant: storetest.Merchant, Mode: merchant.Test}
		stop := func(w webhook.Which, at time.Duration) error {
			_, err := s.StopRetries(t.Context(), w, storetest.Noon.Add(at), func(d webhook.Delivery) []member.Entry {
				return []member.Entry{{Merchant: d.Merchant, By: someone, Action: "webhook.stopped", Kind: "delivery", Object: string(d.ID)}}
			})
			return err
		}
		if err := stop(which, time.Second); !fault.Is(err, fault.Conflict) {
			t.Errorf("while it is tried: %v", err)
		}
		finish(t, s, outcome(j, 0, time.Hour, webhook.BadAnswer))
		for name, w := range map[string]webhook.Which{
			"another merchant": {ID: j.ID, Merchant: "merchant-other", Mode: merchant.Test}, "live": {ID: j.ID, Merchant: storetest.Merchant, Mode: merchant.Live},
			"another store": {ID: j.ID, Merchant: storetest.Merchant, Store: "store-other", Mode: merchant.Test},
			"no id":         {ID: "x", Merchant: storetest.Merchant, Mode: merchant.Test},
		} {
			if err := stop(w, time.Second); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := s.ResendDelivery(t.Context(), w, false, storetest.Noon); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s resends: %v", name, err)
			}
		}
		if err := stop(which, time.Second); err != nil {
			t.Fatal(err)
		}
		if err := stop(which, time.Second); !fault.Is(err, fault.Conflict) {
			t.Errorf("a second stop: %v", err)
		}
		if c := claim(t, s, 2*time.Hour, 10, all); len(c.Jobs) != 0 {
			t.Errorf("%d tries after the stop", len(c.Jobs))
		}
		if n := db.Count(t, `select count(*) from delivery_end where state = 'failed' and outcome = 'stopped' and tries = 1`); n != 1 {
			t.Errorf("%d deliveries ended as stopped, want 1", n)
		}
		if n := db.Count(t, `select count(*) from audit where action = 'webhook.stopped'`); n != 1 {
			t.Errorf("%d entries tell of it, want 1", n)
		}
		verified(t, s)
	})
}

// A resend goes to the endpoint as it is, or where the delivery went then.
func TestResendDeliveryThenAndNow(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		register(t, s, storetest.Registration("o-1"))
		j := claim(t, s, 0, 1, all).Jobs[0]
		which := webhook.Which{ID: j.ID, Merchant: storetest.Merchant, Mode: merchant.Test}
		if _, err := s.ResendDelivery(t.Context(), which, true, storetest.Noon); !fault.Is(err, fault.Conflict) {
			t.Errorf("to the address of then, before any try: %v", err)
		}
		f := outcome(j, 0, 0, webhook.BadAnswer)
		f.Attempt.URL = "https://then.example/hook"
		finish(t, s, f)
		planner, _, err := s.Planner(t.Context(), storetest.NewID)
		if err != nil {
			t.Fatal(err)
		}
		var last webhook.DeliveryID
		for then, want := range map[bool]string{true: "https://then.example/hook", false: storetest.Scene().Endpoints[0].URL} {
			again, err := s.ResendDelivery(t.Context(), which, then, storetest.Noon)
			if err != nil {
				t.Fatal(err)
			}
			dest, ok := planner.Destination(again, storetest.Noon)
			if !ok || dest.URL != want || again.WebhookID() != j.WebhookID() || !again.Manual {
				t.Errorf("then %v: it goes to %s as %s, want %s", then, dest.URL, again.WebhookID(), want)
			}
			last = again.ID
		}
		which.ID = last // a resend of a resend is one of the first
		for i := range webhook.MaxResends {
			if _, err = s.ResendDelivery(t.Context(), which, false, storetest.Noon); err != nil {
				if i != webhook.MaxResends-2 || !errors.Is(err, webhook.ErrTooManyResends) {
					t.Errorf("resend %d: %v", i+3, err)
				}
				break
			}
		}
		if err == nil {
			t.Error("resends have no end")
		}
		verified(t, s)
	})
}

func TestEndpointFigures(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s := db.Open(t)
		for i, o := range []webhook.Outcome{webhook.Good, webhook.BadAnswer, webhook.Good, webhook.Good} {
			register(t, s, storetest.Registration(storetest.NewID()))
			f := outcome(claim(t, s, 0, 1, all).Jobs[0], time.Duration(i)*time.Minute, 0, o)
			f.Attempt.Endpoint, f.Attempt.Took = f.Job.Endpoint, time.Duration(i+1)*time.Millisecond
			finish(t, s, f)
		}
		e := storetest.Scene().Endpoints[0].ID
		got, err := s.EndpointFigures(t.Context(), e)
		want := webhook.Figures{Tries: 4, Good: 3, Since: storetest.Noon, P50: 3 * time.Millisecond, P95: 4 * time.Millisecond}
		want.Steps[0], want.Steps[2], want.Steps[3] = time.Millisecond, 3*time.Millisecond, 4*time.Millisecond
		if err != nil || got != want {
			t.Errorf("EndpointFigures = %+v, %v; want %+v", got, err, want)
		}
		if got, err := s.EndpointFigures(t.Context(), webhook.EndpointID(storetest.NewID())); err != nil || got != (webhook.Figures{}) {
			t.Errorf("of another one: %+v, %v", got, err)
		}
	})
}

// liveResends has a store do all that a person has done to deliveries; one waits for
// its next try.
func liveResends(t *testing.T, s *store.Store, waiting webhook.Job) {
	t.Helper()
	which := webhook.Which{ID: waiting.ID, Merchant: waiting.Merchant, Mode: waiting.Mode}
	if _, err := s.ResendDelivery(t.Context(), which, true, storetest.Noon); err != nil {
		t.Fatal(err)
	}
	if _, err := s.StopRetries(t.Context(), which, storetest.Noon.Add(2000*time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, kind := range webhook.ResendKinds() {
		j := sentAgain(t, s, webhook.ResendFilter{Kind: kind, Endpoint: waiting.Endpoint})
		now := time.Now()
		taken, _, err := s.TakeResends(t.Context(), now.Add(time.Hour), now.Add(2*time.Hour))
		if err != nil || taken == nil {
			t.Fatal(taken, err)
		}
		pace := webhook.Pace{Rate: 1, Next: map[string]time.Time{}}
		if _, _, err := s.StepResends(t.Context(), *taken, 1, pace, now, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := s.GiveBackResends(t.Context(), *taken, now); err != nil {
			t.Fatal(err)
		}
		if _, err := s.StopResends(t.Context(), j.ID, storetest.Merchant, "", merchant.Test, now); err != nil && !fault.Is(err, fault.Conflict) {
			t.Fatal(err)
		}
	}
}
