package ingress

import (
	"testing"
	"time"
)

// A database that needs 40 ms for each notice is given ever fewer at once,
// until a commit is quick enough; when it is fast again, more.
func TestPaceFitsTheDatabase(t *testing.T) {
	var p pace
	commit := func(each time.Duration) (n int, took time.Duration) {
		n = p.limit()
		took = time.Duration(n) * each
		p.note(n, took, took > Patience)
		return n, took
	}
	for range 10 {
		commit(40 * time.Millisecond)
	}
	if n, took := commit(40 * time.Millisecond); took > goodCommit {
		t.Errorf("a commit of %d notices takes %v, more than %v", n, took, goodCommit)
	}
	for range 10 {
		commit(100 * time.Microsecond)
	}
	if n := p.limit(); n != mostAtOnce {
		t.Errorf("a fast database is given %d notices at once, want %d", n, mostAtOnce)
	}
	for range 20 {
		commit(2 * time.Second)
	}
	if n := p.limit(); n != 1 {
		t.Errorf("a database that commits nothing is given %d at once, want 1", n)
	}
}
