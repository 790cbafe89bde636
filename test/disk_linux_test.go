package test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// TestDiskFull fills the disk under load. PGs hear 503 and nothing is
// acknowledged that is not kept; when there is space again all goes on.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	binary(t)
	dir := t.TempDir()
	if err := syscall.Mount("tongbo-test", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("a small disk is needed, and mounting one is not allowed here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	s := besiege(t, "sqlite:"+filepath.Join(dir, "tongbo.db"), 1)
	s.load.start(workers)
	s.flowing(20)
	filler := filepath.Join(dir, "filler")
	b := blow{from: time.Now()}
	fill(t, filler)
	// What is left in the log is used up first.
	s.exhausted()
	full := time.Now()
	<-time.After(time.Second)
	s.turnedAway(full, time.Now())
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	b.to = time.Now()
	s.blows = append(s.blows, b)
	s.recovered()
	s.end()
}

// fill writes a file until the disk takes no more.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{64 << 10, 512} {
		block := make([]byte, size)
		for err = nil; err == nil; {
			_, err = f.Write(block)
		}
	}
	t.Logf("the disk is full: %v", err)
}

// exhausted waits until the program has nothing left to write to: its last
// dozen notices were all turned away.
func (s *siege) exhausted() {
	s.t.Helper()
	const dozen = 12
	err := s.nodes[0].until(time.Minute, func() bool {
		tries := s.ledger.between(time.Time{}, time.Now())
		if len(tries) < dozen {
			return false
		}
		for _, try := range tries[len(tries)-dozen:] {
			if try.Acked || try.Status == 0 {
				return false
			}
		}
		return true
	})
	if err != nil {
		s.t.Fatalf("the full disk stops nothing: %v; %s", err, s.progress())
	}
}
