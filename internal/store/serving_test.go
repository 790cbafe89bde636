package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// TestServing: what a node was started with can be read beside it, and neither that nor its
// beats take the other away.
func TestServing(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		s, ctx := db.Open(t), t.Context()
		if flags, at, err := s.Serving(ctx); flags != nil || !at.IsZero() || err != nil {
			t.Errorf("before any: %v, %v, %v", flags, at, err)
		}
		want := []settings.Flag{{Name: "public-url", Env: "TONGBO_PUBLIC_URL", Value: "https://가.example", Source: settings.ByEnv}, {Name: "egress", Source: settings.ByDefault}}
		first, second := storetest.Noon, storetest.Noon.Add(time.Minute)
		for _, step := range []struct {
			do func() error
			at time.Time
		}{
			{func() error { return s.NoteFlags(ctx, want[:1], first) }, first},
			{func() error { _, err := s.Beat(ctx, second, time.Hour); return err }, second},
			{func() error { return s.NoteFlags(ctx, want, second.Add(time.Hour)) }, second}, // only beats say that a node serves
		} {
			if err := step.do(); err != nil {
				t.Fatal(err)
			}
			if _, at, err := s.Serving(ctx); !at.Equal(step.at) || err != nil {
				t.Errorf("served at %v, want %v: %v", at, step.at, err)
			}
		}
		flags, _, err := s.Serving(ctx)
		if diff := cmp.Diff(want, flags); diff != "" || err != nil {
			t.Errorf("flags (-want +got):\n%s%v", diff, err)
		}
	})
}
