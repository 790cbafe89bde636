//go:build linux

package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFolderSweepsThoseOfTheDead(t *testing.T) {
	temp := t.TempDir()
	mine, err := folder(temp)
	if err != nil {
		t.Fatal(err)
	}
	dead, err := folder(temp)
	if err != nil {
		t.Fatal(err)
	}
	// No process has this id: it is more than the kernel gives out.
	if err := os.WriteFile(filepath.Join(dead, pidName), []byte("2000000000"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := folder(temp); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(mine); err != nil {
		t.Errorf("the folder of a living process is gone: %v", err)
	}
	if _, err := os.Stat(dead); err == nil {
		t.Error("the folder of a dead process is still there")
	}
}
