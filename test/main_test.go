// Package test runs the whole program: the binary as users have it, real
// processes, real databases, and nothing of it replaced.
//
// The scripts in scripts/ read like a terminal and run on both databases. The
// tests beside them kill the program under load, take its database away and
// fill its disk, and then compare what it kept with what was written down
// outside of it. TONGBO_TORTURE says how many kills there are.
package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	_ "github.com/tongbo/tongbo/internal/cli" // what the binary is built from: a change of it runs these tests again
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// program is the binary, built by the first test that runs it.
var program struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	storetest.Main(m, func() {
		if program.dir != "" {
			_ = os.RemoveAll(program.dir) // as temporary as the folder it is in
		}
	})
}

// binary returns the path of the program. It skips the test under the race
// detector.
func binary(t *testing.T) string {
	t.Helper()
	if raced {
		t.Skip("the program is tested in the pass without the race detector")
	}
	program.once.Do(func() { program.dir, program.err = build() })
	if program.err != nil {
		t.Fatal(program.err)
	}
	return filepath.Join(program.dir, "tongbo")
}

func build() (dir string, err error) {
	dir, err = os.MkdirTemp("", "tongbo-program-")
	if err != nil {
		return dir, err
	}
	c := exec.Command("go", "build", "-o", filepath.Join(dir, "tongbo"), "../cmd/tongbo")
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
}
