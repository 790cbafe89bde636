//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU times in /proc, which Linux fixes at 100 Hz for
// programs.
const clockTick = 10 * time.Millisecond

// stat returns the fields of a process's /proc/PID/stat from the state on:
// state is 0, ppid 1, utime 11, stime 12, cutime 13, cstime 14.
func stat(pid int) []string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	// The name stands in brackets and may hold anything.
	return strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
}

// cpuOf is the CPU time that a process has used, zero if it is gone.
func cpuOf(pid int) time.Duration { return ticks(stat(pid), 11, 12) }

// cpuOfFamily is the CPU time of a process, its children, and those children
// that have ended.
func cpuOfFamily(pid int) time.Duration {
	sum := ticks(stat(pid), 11, 12, 13, 14)
	all, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return sum
	}
	for _, dir := range all {
		child, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if f := stat(child); len(f) > 1 && f[1] == strconv.Itoa(pid) {
			sum += ticks(f, 11, 12)
		}
	}
	return sum
}

func ticks(fields []string, at ...int) time.Duration {
	var sum time.Duration
	for _, i := range at {
		if i < len(fields) {
			if n, err := strconv.ParseInt(fields[i], 10, 64); err == nil {
				sum += time.Duration(n) * clockTick
			}
		}
	}
	return sum
}

// residentOf is how many megabytes (10^6 bytes) of a process are in memory.
func residentOf(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmRSS:" {
			n, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				return 0
			}
			return n * 1024 / 1e6
		}
	}
	return 0
}
