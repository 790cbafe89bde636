//go:build linux

package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// page is what one commit writes at least.
const page = 8192

// machine tells of what all figures depend on. It looks at the disk of dir for
// the time of span.
func machine(ctx context.Context, dir string, span time.Duration) ([]fact, error) {
	rate, err := syncs(dir, span)
	if err != nil {
		return nil, err
	}
	version, err := sqliteVersion(ctx)
	if err != nil {
		return nil, err
	}
	return []fact{
		{"taken", time.Now().UTC().Format(time.DateOnly)},
		{"cores", fmt.Sprintf("%d (%s)", runtime.NumCPU(), field("/proc/cpuinfo", "model name"))},
		{"memory", strings.TrimSpace(field("/proc/meminfo", "MemTotal"))},
		{"kernel", text("/proc/sys/kernel/osrelease")},
		{"fdatasync of a page", fmt.Sprintf("%s/s, %.0f µs each", grouped(int64(rate)), 1e6/rate)},
		{"Go", runtime.Version()},
		{"SQLite", version},
		{"PostgreSQL", postgresVersion(ctx)},
	}, nil
}

// syncs is how often a second a page that was written anew is on the disk.
func syncs(dir string, span time.Duration) (float64, error) {
	f, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return 0, err
	}
	defer func() { f.Close(); _ = os.Remove(f.Name()) }()
	block := make([]byte, page)
	began, n := time.Now(), 0
	for ; time.Since(began) < span; n++ {
		block[0]++
		if _, err := f.WriteAt(block, 0); err != nil {
			return 0, err
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// field is what a file of lines "name: value" says of a name.
func field(file, name string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	for line := range strings.Lines(string(b)) {
		key, value, _ := strings.Cut(line, ":")
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// text is a file's content.
func text(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return "unknown"
	}
	return string(bytes.TrimSpace(b))
}

func sqliteVersion(ctx context.Context) (version string, err error) {
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return "", err
	}
	defer db.Close()
	err = db.QueryRowContext(ctx, "select sqlite_version()").Scan(&version)
	return version, err
}

// postgresVersion is that of the newest server on this machine.
func postgresVersion(ctx context.Context) string {
	names, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "unknown"
	}
	if path, err := exec.LookPath("postgres"); err == nil {
		names = append(names, path)
	}
	if len(names) == 0 {
		return "none"
	}
	out, err := exec.CommandContext(ctx, names[len(names)-1], "--version").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimPrefix(string(bytes.TrimSpace(out)), "postgres (PostgreSQL) ")
}
