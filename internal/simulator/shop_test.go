package simulator_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/simulator"
	"github.com/tongbo/tongbo/internal/webhook"
)

// call is a webhook as it is sent, signed with keys.
func call(t *testing.T, id, body string, at time.Time, keys ...secret.Text) *http.Request {
	t.Helper()
	sign, err := webhook.Sign(id, at, []byte(body), keys...)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/webhook", strings.NewReader(body))
	r.Header.Set(webhook.HeaderID, id)
	r.Header.Set(webhook.HeaderTimestamp, strconv.FormatInt(at.Unix(), 10))
	r.Header.Set(webhook.HeaderSignature, sign)
	return r
}

func serve(h http.Handler, r *http.Request) int {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

func TestShopChecksSignatures(t *testing.T) {
	key, old, other := webhook.NewSecret(), webhook.NewSecret(), webhook.NewSecret()
	now := time.Now()
	tests := []struct {
		name string
		edit func() *http.Request
		want int
	}{
		{"its secret", func() *http.Request { return call(t, "w", "{}", now, key) }, 200},
		{"the old secret and the new one", func() *http.Request { return call(t, "w", "{}", now, other, key) }, 200},
		{"one of its two secrets", func() *http.Request { return call(t, "w", "{}", now, old) }, 200},
		{"another secret", func() *http.Request { return call(t, "w", "{}", now, other) }, 401},
		{"no signature", func() *http.Request { return call(t, "w", "{}", now) }, 401},
		{"four minutes old", func() *http.Request { return call(t, "w", "{}", now.Add(-4*time.Minute), key) }, 200},
		{"six minutes old", func() *http.Request { return call(t, "w", "{}", now.Add(-6*time.Minute), key) }, 401},
		{"of the future", func() *http.Request { return call(t, "w", "{}", now.Add(6*time.Minute), key) }, 401},
		{"another id", func() *http.Request {
			r := call(t, "w", "{}", now, key)
			r.Header.Set(webhook.HeaderID, "v")
			return r
		}, 401},
		{"another body", func() *http.Request {
			r := call(t, "w", "[]", now, key)
			r.Header.Set(webhook.HeaderSignature, call(t, "w", "{}", now, key).Header.Get(webhook.HeaderSignature))
			return r
		}, 401},
		{"no timestamp", func() *http.Request {
			r := call(t, "w", "{}", now, key)
			r.Header.Del(webhook.HeaderTimestamp)
			return r
		}, 401},
		{"a GET", func() *http.Request {
			r := call(t, "w", "{}", now, key)
			r.Method = http.MethodGet
			return r
		}, 405},
	}
	for _, tt := range tests {
		s := &simulator.Shop{Secrets: []secret.Text{key, old}}
		if got := serve(s, tt.edit()); got != tt.want {
			t.Errorf("%s: answer %d, want %d", tt.name, got, tt.want)
		}
		for _, c := range s.Calls() {
			if c.Verified != (tt.want == 200) || c.Status != tt.want {
				t.Errorf("%s: remembered as %+v", tt.name, c)
			}
		}
	}
}

func TestShopFollowsItsScript(t *testing.T) {
	key := webhook.NewSecret()
	s := &simulator.Shop{Secrets: []secret.Text{key}, Answers: []int{500, 204, 503}}
	now := time.Now()
	var got []int
	for _, c := range []struct {
		id  string
		key secret.Text
	}{{"a", key}, {"forged", webhook.NewSecret()}, {"a", key}, {"b", key}, {"b", key}, {"b", key}} {
		got = append(got, serve(s, call(t, c.id, c.id, now, c.key)))
	}
	if d := cmp.Diff([]int{500, 401, 204, 503, 200, 200}, got); d != "" {
		t.Errorf("answers (-want +got):\n%s", d)
	}
	var ids []string
	for _, c := range s.Accepted() {
		ids = append(ids, c.ID+" "+strconv.Itoa(c.Status)+" "+string(c.Body))
	}
	if d := cmp.Diff([]string{"a 204 a", "b 200 b"}, ids); d != "" {
		t.Errorf("accepted (-want +got):\n%s", d)
	}
}

func TestShopThinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &simulator.Shop{Delay: 3 * time.Second}
		began := time.Now()
		if got := serve(s, call(t, "a", "{}", began)); got != 200 || time.Since(began) != 3*time.Second {
			t.Errorf("answer %d after %v, want 200 after 3s", got, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		serve(s, call(t, "b", "{}", began).WithContext(ctx))
		if took := time.Since(began); took != 4*time.Second || len(s.Calls()) != 2 {
			t.Errorf("done after %v with %d calls, want 4s and 2", took, len(s.Calls()))
		}
	})
}

func TestShopLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.log")
	open := func() *simulator.Shop {
		s := &simulator.Shop{Answers: []int{500}}
		if err := s.OpenLog(path); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := open()
	serve(s, call(t, "a", "{\"x\":\"홍\"}\n\xff", time.Now()))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := serve(s, call(t, "a", "{}", time.Now())); got != 500 {
		t.Errorf("a shop whose log is closed answers %d, want 500", got)
	}

	// A crash leaves half a line: it is no call, and is gone after a restart.
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(whole, whole[:20]...), 0o600); err != nil {
		t.Fatal(err)
	}
	if calls, err := simulator.ReadLog(path); err != nil || len(calls) != 1 {
		t.Errorf("ReadLog = %d calls, %v; want 1", len(calls), err)
	}
	s = open()
	serve(s, call(t, "b", "{}", time.Now()))
	serve(s, call(t, "b", "{}", time.Now()))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	calls, err := simulator.ReadLog(path)
	if err != nil || len(calls) != 3 {
		t.Fatalf("ReadLog = %d calls, %v; want 3", len(calls), err)
	}
	if got := string(calls[0].Body); got != "{\"x\":\"홍\"}\n\xff" || calls[0].Status != 500 {
		t.Errorf("first call = %q, %d", got, calls[0].Status)
	}
	if got := simulator.Accepted(calls); len(got) != 1 || got[0].ID != "b" {
		t.Errorf("Accepted = %+v, want b once", got)
	}
}

func TestShopWaits(t *testing.T) {
	s := &simulator.Shop{}
	var clients sync.WaitGroup
	defer clients.Wait()
	for range 20 {
		r := call(t, "a", "{}", time.Now())
		clients.Go(func() { serve(s, r) })
	}
	if calls, err := s.Wait(t.Context(), 20); err != nil || len(calls) != 20 {
		t.Errorf("Wait = %d calls, %v", len(calls), err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if calls, err := s.Wait(ctx, 21); !errors.Is(err, context.Canceled) || len(calls) != 20 {
		t.Errorf("Wait for one more = %d calls, %v; want 20 and canceled", len(calls), err)
	}
}

func TestShopManner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := webhook.NewSecret()
		asked := 0
		s := &simulator.Shop{Secrets: []secret.Text{key}, Answers: []int{500}, Delay: time.Second, Manner: func(c simulator.Call) simulator.Answer {
			asked++
			if !c.Verified || c.ID != "w" {
				t.Errorf("asked about %+v", c)
			}
			return simulator.Answer{Status: 503, After: time.Minute, Body: "<html>closed</html>"}
		}}
		for _, want := range []struct {
			call   *http.Request
			status int
			body   string
			took   time.Duration
		}{
			{call(t, "w", "{}", time.Now(), key), 500, "", time.Second},
			{call(t, "w", "{}", time.Now()), 401, "", time.Second},
			{call(t, "w", "{}", time.Now(), key), 503, "<html>closed</html>", time.Minute},
		} {
			began, w := time.Now(), httptest.NewRecorder()
			s.ServeHTTP(w, want.call)
			if took := time.Since(began); w.Code != want.status || w.Body.String() != want.body || took != want.took {
				t.Errorf("answered %d %q after %v, want %d %q after %v", w.Code, w.Body, took, want.status, want.body, want.took)
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times, want once: the script comes first, and who proves nothing gets 401", asked)
		}
	})
}

func TestShopForgetsWhatIsTaken(t *testing.T) {
	var s simulator.Shop
	serve(&s, call(t, "a", "{}", time.Now()))
	if got := s.Take(); len(got) != 1 || got[0].ID != "a" || got[0].Status != 200 {
		t.Errorf("Take() = %+v", got)
	}
	serve(&s, call(t, "b", "{}", time.Now()))
	if calls, err := s.Wait(t.Context(), 1); err != nil || len(calls) != 1 || calls[0].ID != "b" {
		t.Errorf("then %+v, %v", calls, err)
	}
	if s.Take(); len(s.Take()) != 0 {
		t.Error("calls were taken twice")
	}
}
