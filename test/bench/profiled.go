//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/tongbo/tongbo/internal/cli"
)

// serveProfiled is `tongbo` with a CPU profile of its whole life, written to
// the file that its first argument names. It returns the exit code.
func serveProfiled(args []string) int {
	f, err := os.Create(args[0])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return exitFailed
	}
	defer f.Close()
	if err := pprof.StartCPUProfile(f); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return exitFailed
	}
	defer pprof.StopCPUProfile()
	return cli.Main(args[1:], cli.System())
}
