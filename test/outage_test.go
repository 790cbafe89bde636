package test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/store/storetest"
)

const (
	outage = 3 * time.Second
	// prompt is how soon a PG hears that it has to come again: a second, and
	// what a busy machine adds.
	prompt = 2500 * time.Millisecond
	// recovery is how soon notices are taken again once the database is back.
	recovery = 10 * time.Second
)

// TestDatabaseGone takes PostgreSQL away under load, as a crash would. PGs
// hear 503 and nothing is acknowledged; when it is back all goes on.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	binary(t)
	cluster := storetest.NewCluster(t)
	s := besiege(t, cluster.URL(cluster.CreateDatabase(t)), 1)
	s.load.start(workers)
	s.flowing(1)
	for range max(2, kills(t, 2)/20) {
		<-time.After(moment())
		b := blow{from: time.Now()}
		cluster.Stop(t, "immediate")
		gone := time.Now()
		<-time.After(outage)
		if code := status(s.nodes[0].url("/readyz")); code != http.StatusServiceUnavailable {
			t.Errorf("/readyz answers %d without a database, want 503", code)
		}
		s.turnedAway(gone, time.Now())
		cluster.Start(t)
		b.to = time.Now()
		s.blows = append(s.blows, b)
		s.recovered()
	}
	s.end()
}

// turnedAway checks that every notice of a time heard 503, and soon.
func (s *siege) turnedAway(from, to time.Time) {
	s.t.Helper()
	tries := s.ledger.between(from, to)
	if len(tries) == 0 {
		s.t.Error("no notice was answered during the outage")
	}
	var slowest time.Duration
	for _, try := range tries {
		slowest = max(slowest, try.Took)
		if try.Acked || try.Status != http.StatusServiceUnavailable {
			s.t.Errorf("notice of %s during the outage: status %d, acknowledged %v", try.Order, try.Status, try.Acked)
		}
	}
	if slowest > prompt {
		s.t.Errorf("a notice waited %v for its 503, want at most %v", slowest, prompt)
	}
	s.t.Logf("%d notices heard 503, the slowest after %v", len(tries), slowest.Round(time.Millisecond))
}

// recovered waits until notices are acknowledged again as before.
func (s *siege) recovered() {
	s.t.Helper()
	took := s.flowing(20)
	s.t.Logf("20 notices were acknowledged within %v after the outage; %s", took.Round(time.Millisecond), s.progress())
}

// flowing waits until so many more notices have been acknowledged.
func (s *siege) flowing(more int) time.Duration {
	s.t.Helper()
	began := time.Now()
	_, before := s.ledger.counts()
	err := s.nodes[0].until(recovery, func() bool { _, n := s.ledger.counts(); return n >= before+more })
	if err != nil {
		s.t.Fatalf("%d notices are not acknowledged within %v: %v\n%s", more, recovery, err, tail(s.nodes[0].output.String()))
	}
	return time.Since(began)
}

// TestDatabaseHangs has another session hold a lock that every commit needs. A
// database that does not answer is as good as none: PGs hear 503 after a
// second.
func TestDatabaseHangs(t *testing.T) {
	t.Parallel()
	binary(t)
	locks := map[string]string{"sqlite": "begin immediate", "postgres": "begin; lock table notice in access exclusive mode"}
	for name, lock := range locks {
		t.Run(name, func(t *testing.T) {
			database := databases[name](t)
			s := besiege(t, database, 1)
			s.load.start(workers)
			s.flowing(1)
			b := blow{from: time.Now()}
			release := s.hold(database, lock)
			held := time.Now()
			<-time.After(outage)
			s.turnedAway(held, time.Now())
			release()
			b.to = time.Now()
			s.blows = append(s.blows, b)
			s.recovered()
			s.end()
		})
	}
}

// hold runs a statement in a session of its own, which keeps what it locked
// until release.
func (s *siege) hold(database, statement string) (release func()) {
	s.t.Helper()
	db, err := openDatabase(database)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { db.Close() })
	conn, err := db.Conn(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := conn.ExecContext(s.t.Context(), statement); err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
	return func() {
		if _, err := conn.ExecContext(s.t.Context(), "rollback"); err != nil {
			s.t.Error(err)
		}
	}
}
