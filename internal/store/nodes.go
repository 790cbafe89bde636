package store

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// beatEvery is how often a node tells that it lives, and recounts.
	beatEvery = 5 * time.Second
	// liveFor is how long a node counts that has not told so again.
	liveFor = 15 * time.Second
	// deadAfter is when the row of a node that is gone may go.
	deadAfter = time.Minute
	// mostSkew is how much a node's clock may differ from the database's. A
	// claim compares leases with the node's clock, and a lease outlives the
	// longest try by 15 s; two clocks that are off by 2 s each, in opposite
	// directions, take 4 s of that.
	mostSkew = 2 * time.Second
)

// A company is what a node knows of the others that serve on its database, and
// of the database's clock. On SQLite there is nobody else, and it is not used.
// Safe for concurrent use.
type company struct {
	log *slog.Logger

	mu       sync.Mutex
	nodes    int           // that live, this one included
	place    int           // of this one among them, from 0
	seen     time.Time     // when this node was last counted; zero: never, or not any more
	skew     time.Duration // of this machine's clock against the database's
	skewed   bool
	outdated bool   // the schema is one that this release must not use
	safe     string // what an acknowledgement is on, as last logged
}

// A count is what one beat learned.
type count struct {
	asked, answered time.Time // by this machine
	clock           time.Time // of the database, in between
	nodes, place    int
	dead            int   // rows to sweep away
	needs           int   // a release that knows this migration
	version         int64 // of the settings
	due             bool  // a delivery waits that should not
}

// skew is by how much this machine's clock is certainly off: how far the
// database's is from the middle of the round trip, less half of that, within
// which it may have been read at any moment.
func (c count) skew() time.Duration {
	half := c.answered.Sub(c.asked) / 2
	off := c.asked.Add(half).Sub(c.clock)
	switch {
	case off > half:
		return off - half
	case off < -half:
		return off + half
	}
	return 0
}

// learn takes over a count. It reports whether this node's part of the work may
// be another than before.
func (n *company) learn(ctx context.Context, c count, knows int) (changed bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	before, nodes, place := n.mayClaim(), n.nodes, n.place
	n.nodes, n.place, n.seen, n.skew = c.nodes, c.place, c.asked, c.skew()
	if skewed := n.skew.Abs() > mostSkew; skewed != n.skewed {
		n.skewed = skewed
		if skewed {
			n.log.WarnContext(ctx, "clock differs from the database's: not ready, no webhooks are sent, and no PG is asked or charges what is scheduled", "ahead", n.skew, "most", mostSkew)
		} else {
			n.log.InfoContext(ctx, "clock agrees with the database's again", "ahead", n.skew)
		}
	}
	if outdated := c.needs > knows; outdated && !n.outdated {
		n.outdated = true // for good: schemas do not go back
		n.log.ErrorContext(ctx, "schema is for newer releases: not ready, and no webhooks are sent", "needs", c.needs, "knows", knows)
	}
	if nodes != n.nodes {
		n.log.InfoContext(ctx, "nodes counted", "nodes", n.nodes)
	}
	return before != n.mayClaim() || nodes != n.nodes || place != n.place
}

// mayClaim reports whether this node counts for the others, and by clocks and
// schema may lease deliveries. The mutex must be held.
func (n *company) mayClaim() bool {
	return !n.seen.IsZero() && time.Since(n.seen) < liveFor && !n.skewed && !n.outdated
}

// Share is this node's part of what all nodes together may have at once of
// something: the parts of all live nodes come to limit, or to one for each node
// if there are more nodes than that. It is 0 while this node must not lease
// deliveries: before it is counted for the first time, when it has not been
// counted for 15 s, while its clock is wrong, and when the schema is too new
// for it. The OnDue hooks are called when that changes. It never blocks on the
// database and is safe for concurrent use; on SQLite it is limit.
func (s *Store) Share(limit int) int {
	n := &s.company
	if !s.d.postgres {
		return limit
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.mayClaim() || limit <= 0 {
		return 0
	}
	part := limit / n.nodes
	if n.place < limit%n.nodes {
		part++
	}
	return max(1, part)
}

// Nodes is how many nodes serve on this database as far as this one knows:
// those that the database has seen within 15 s. It is 0 before Watch has
// counted, and 1 on SQLite.
func (s *Store) Nodes() int {
	n := &s.company
	if !s.d.postgres {
		return 1
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.nodes
}

// Unfit says why this node should get no notices although its database works,
// in words for people; it is empty if it should. It is about this machine's
// clock, which must agree with the database's within 2 s, and about a schema
// that is too new for this release. Watch keeps it up to date.
func (s *Store) Unfit() string {
	n := &s.company
	if !s.d.postgres {
		return ""
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case n.nodes == 0:
		return "this node has not yet compared its clock with the database's"
	case n.outdated:
		return "the database's schema is for newer releases: replace this one"
	case n.skewed && n.skew > 0:
		return fmt.Sprintf("this machine's clock is %v ahead of the database's; at most %v is safe", n.skew.Round(time.Millisecond), mostSkew)
	case n.skewed:
		return fmt.Sprintf("this machine's clock is %v behind the database's; at most %v is safe", n.skew.Abs().Round(time.Millisecond), mostSkew)
	}
	return ""
}

// onSafe notes what an acknowledgement is on, and logs it where that is new.
func (n *company) onSafe(ctx context.Context, safe string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if safe == n.safe {
		return
	}
	n.safe = safe
	switch safe {
	case onDisk, onSynchronous:
		n.log.InfoContext(ctx, "acknowledged notices are safe", "acknowledged_is_on", safe)
	case onUnknown:
		n.log.InfoContext(ctx, "the database does not tell this user of its standbys", "acknowledged_is_on", safe)
	case onAsynchronous:
		n.log.WarnContext(ctx, "replication is not synchronous: a failover can lose acknowledged notices", "acknowledged_is_on", safe)
	default:
		n.log.WarnContext(ctx, "a crash of the database can lose acknowledged notices", "acknowledged_is_on", safe)
	}
}

// nodeName is what people know this machine by.
func nodeName() string {
	host, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%s (%d)", host, os.Getpid())
}

// release is the program's version.
func release() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return cmp.Or(info.Main.Version, "(devel)")
}
