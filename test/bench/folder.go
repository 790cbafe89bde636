//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strconv"
)

// folderPrefix is how the names of our folders begin, and pidName the file in
// each that says whose it is.
const (
	folderPrefix = "tongbo-bench-"
	pidName      = "pid"
)

// folder makes a folder below temp for the databases of this process, and
// removes those of processes that are gone: they may hold gigabytes.
func folder(temp string) (string, error) {
	owners, err := filepath.Glob(filepath.Join(temp, folderPrefix+"*", pidName))
	if err != nil {
		return "", err
	}
	for _, name := range owners {
		b, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if pid, err := strconv.Atoi(string(b)); err == nil && stat(pid) == nil {
			_ = os.RemoveAll(filepath.Dir(name)) // best effort
		}
	}
	dir, err := os.MkdirTemp(temp, folderPrefix)
	if err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, pidName), []byte(strconv.Itoa(os.Getpid())), 0o600)
}
