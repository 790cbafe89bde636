package delivery

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A CallTester calls addresses that somebody typed, as a webhook would be sent
// there (호출 테스트). Nothing is saved, and no delivery is made. Client must be
// set; the fields must not change once it is in use. Safe for concurrent use.
type CallTester struct {
	// Client makes the calls: one that refuses private addresses. Its redirect
	// rule is not used.
	Client *http.Client
	// Timeout limits a call; zero means 30 s, as for a webhook.
	Timeout time.Duration
	// NewID makes ids; nil makes UUIDv7s.
	NewID func() string

	mu    sync.Mutex
	calls map[string][]time.Time // of the last minute, by caller
}

// TestsPerMinute is how many test calls one caller may make in a minute.
const TestsPerMinute = 20

// A TooManyTestsError says that a caller made TestsPerMinute test calls within the
// last minute. It comes as fault.Unavailable.
type TooManyTestsError struct {
	After time.Duration // until the next one may be made; whole seconds, at least one
}

func (e TooManyTestsError) Error() string {
	return fmt.Sprintf("more than %d test calls in a minute: the next may be made in %v", TestsPerMinute, e.After)
}

// A TestCall is what is to be called.
type TestCall struct {
	URL         string
	Type        webhook.Type
	Version     webhook.Version
	ContentType webhook.ContentType
	// Secrets sign, newest first; none: nothing is signed.
	Secrets []secret.Text
	// Schedule says which answers are good.
	Schedule webhook.Schedule
	Timeout  time.Duration    // of the call; zero, or more than the tester's, means that
	Headers  []webhook.Header // the endpoint's own
	Store    merchant.Store   // that the sample is of
	Mode     merchant.Mode
}

// A TestResult is what came of a test call.
type TestResult struct {
	Attempt webhook.Attempt
	Finding Finding
	Limit   time.Duration // how long the call might have taken
}

// Check reports fault.Invalid if the call cannot be made as it is.
func (c TestCall) Check() error {
	return webhook.Endpoint{
		Name: "test", URL: c.URL, Version: c.Version, ContentType: c.ContentType, Schedule: c.Schedule, Secrets: c.Secrets,
		Timeout: c.Timeout, Headers: c.Headers,
	}.Check()
}

// Call makes one call for a caller, and waits for its answer. It reports
// fault.Invalid for what cannot be called, and a TooManyTestsError; whatever else
// goes wrong is what it found out.
func (t *CallTester) Call(ctx context.Context, caller string, c TestCall) (TestResult, error) {
	if err := c.Check(); err != nil {
		return TestResult{}, err
	}
	newID := t.NewID
	if newID == nil {
		newID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	now := time.Now()
	body, err := webhook.Render(webhook.Sample(c.Type, c.Store, c.Mode, newID(), now.UTC()), c.Version, c.ContentType)
	if err != nil {
		return TestResult{}, err
	}
	if after := t.admit(caller, now); after > 0 {
		return TestResult{}, fault.Errorf(fault.Unavailable, "%w", TooManyTestsError{after})
	}
	limit := or(t.Timeout, longestTry)
	limit = min(limit, or(c.Timeout, limit))
	job := webhook.Job{Delivery: webhook.Delivery{
		ID: webhook.DeliveryID(newID()), ContentType: c.ContentType, Body: body, Schedule: c.Schedule,
	}}
	// Test calls use no connection of the webhooks': they tell how a new one goes.
	client := safehttp.Once(t.Client)
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r := &run{settings: settings{Client: client, Timeout: limit, NewID: newID}}
	res, err := r.post(ctx, job, webhook.Destination{URL: c.URL, Secrets: c.Secrets, Schedule: c.Schedule, Headers: c.Headers}, result{
		attempt: webhook.Attempt{ID: webhook.AttemptID(newID()), Webhook: job.ID, Number: 1, At: now},
	})
	if ctx.Err() != nil && err != nil {
		return TestResult{}, fault.Errorf(fault.Unavailable, "the test call was given up: %w", ctx.Err())
	}
	return TestResult{Attempt: res.attempt, Finding: find(res.attempt, err, limit, now), Limit: limit}, nil
}

// admit counts a call and returns zero, unless the caller has made as many as it may:
// then it says how long to wait, in whole seconds.
func (t *CallTester) admit(caller string, now time.Time) (after time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.calls == nil {
		t.calls = make(map[string][]time.Time)
	}
	for name, list := range t.calls {
		list = slices.DeleteFunc(list, func(at time.Time) bool { return now.Sub(at) >= time.Minute })
		if t.calls[name] = list; len(list) == 0 {
			delete(t.calls, name)
		}
	}
	if made := t.calls[caller]; len(made) >= TestsPerMinute {
		// The list is in order, and its first leaves it a minute after it was made.
		wait := made[len(made)-TestsPerMinute].Add(time.Minute).Sub(now)
		return max(time.Second, (wait + time.Second - 1).Truncate(time.Second))
	}
	t.calls[caller] = append(t.calls[caller], now)
	return 0
}
