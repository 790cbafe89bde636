package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A standby has what its primary committed, and takes writes once promoted.
func TestStandbyIsPromoted(t *testing.T) {
	t.Parallel()
	primary := NewCluster(t)
	name := primary.CreateDatabase(t)
	standby := primary.Standby(t)
	execute(t, primary.URL(name), "create table kept (n bigint)")
	execute(t, primary.URL(name), "insert into kept values (1)")
	if _, err := connect(t, standby.URL(name)).Exec(t.Context(), "insert into kept values (2)"); err == nil {
		t.Error("the standby takes a write")
	}
	primary.Stop(t, "immediate")
	standby.Promote(t)
	execute(t, standby.URL(name), "insert into kept values (2)")
	if got := ask(t, standby.URL(name), "select count(*)::text from kept"); got != "2" {
		t.Errorf("the promoted standby has %s rows, want 2", got)
	}
}

// A standby that goes with its test leaves a primary that commits alone.
func TestStandbyIsRemoved(t *testing.T) {
	t.Parallel()
	primary := NewCluster(t)
	t.Run("user", func(user *testing.T) { primary.Standby(user) })
	execute(t, primary.URL("postgres"), "create table kept (n bigint)")
}

// A proxy that is cut keeps what was sent, and brings it when it is mended.
func TestProxyCutAndMended(t *testing.T) {
	t.Parallel()
	p := NewProxy(t, Postgres(t))
	execute(t, p.URL, "create table kept (n bigint)")
	conn := connect(t, p.URL)
	p.Cut()
	done := make(chan error, 1)
	go func() {
		_, err := conn.Exec(t.Context(), "insert into kept values (1)")
		done <- err
	}()
	brief, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := pgx.Connect(brief, p.URL); err == nil {
		t.Error("a connection was made through a proxy that is cut")
	}
	select {
	case err := <-done:
		t.Errorf("the statement ended with %v before the proxy was mended", err)
	default:
	}
	p.Mend()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if got := ask(t, p.URL, "select count(*)::text from kept"); got != "1" {
		t.Errorf("%s rows, want 1", got)
	}
}
