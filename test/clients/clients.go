// Package clients holds what merchants install from npm, pinned by package-lock.json, and the
// scripts by which the tests run it unmodified against the program.
package clients

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

//go:embed package.json package-lock.json
var locked embed.FS

// Folder returns the folder that holds node_modules of package-lock.json: .cache/npm in
// the module's root, below a name that says what is in it. The first call installs it, which
// needs npm and, unless npm still has it, a network; its error holds what npm said.
var Folder = sync.OnceValues(func() (string, error) {
	lock, err := locked.ReadFile("package-lock.json")
	if err != nil {
		return "", err
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	// Another lock has another name, and is installed anew.
	sum := sha256.Sum256(lock)
	dir := filepath.Join(root, ".cache/npm", hex.EncodeToString(sum[:8]))
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err == nil {
		return dir, nil
	}
	return dir, install(dir)
})

// install has npm fill a folder: beside it first, so that an interrupted install leaves
// nothing behind.
func install(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
		return err
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "new-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(fresh) }() // gone, if all went well
	if err := os.CopyFS(fresh, locked); err != nil {
		return err
	}
	npm := exec.CommandContext(context.Background(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = fresh
	if out, err := npm.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	if err := os.Rename(fresh, dir); err != nil && !os.IsExist(err) {
		return err
	}
	return nil
}

// moduleRoot is the folder of go.mod, of which the working directory of a test is a part.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("there is no go.mod above the working directory")
		}
		dir = up
	}
}
