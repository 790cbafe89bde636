//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tongbo/tongbo/internal/store/storetest"
)

// An engine is one of the two databases, with the seed that every run begins
// with a copy of.
type engine struct {
	name    string // as the tables say it
	dir     string
	cluster *storetest.Cluster // nil: SQLite
	copies  atomic.Int64
}

const (
	sqliteName   = "SQLite"
	postgresName = "PostgreSQL"
	seedName     = "seed"
)

func (e *engine) postgres() bool { return e.cluster != nil }

// url is the address of a database by its name.
func (e *engine) url(name string) string {
	if e.postgres() {
		return e.cluster.URL(name)
	}
	return "sqlite:" + e.file(name)
}

func (e *engine) file(name string) string { return filepath.Join(e.dir, name+".db") }

// empty makes an empty database and returns its name.
func (e *engine) empty(ctx context.Context) (string, error) {
	name := e.fresh()
	if !e.postgres() {
		return name, nil
	}
	return name, e.exec(ctx, "create database "+name+" template template0")
}

// copyOf makes a copy of a database that nobody has open, and returns its name.
// What the copy left to be written to the disk is written.
func (e *engine) copyOf(ctx context.Context, from string) (string, error) {
	name := e.fresh()
	if e.postgres() {
		return name, e.exec(ctx, "create database "+name+" template "+from+" strategy file_copy", "checkpoint")
	}
	return name, copyFile(e.file(from), e.file(name))
}

func (e *engine) fresh() string { return fmt.Sprintf("run%d", e.copies.Add(1)) }

// drop removes a database.
func (e *engine) drop(ctx context.Context, name string) error {
	if e.postgres() {
		return e.exec(ctx, "drop database if exists "+name+" with (force)")
	}
	files, err := filepath.Glob(e.file(name) + "*")
	for _, f := range files {
		_ = os.Remove(f) // as temporary as the folder it is in
	}
	return err
}

// exec runs statements outside of any database of ours.
func (e *engine) exec(ctx context.Context, statements ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, e.cluster.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

// cpu is the CPU time of the database's own processes.
func (e *engine) cpu() time.Duration {
	if !e.postgres() {
		return 0
	}
	return cpuOfFamily(e.cluster.PID())
}

// copyFile copies a file and syncs the copy.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, in); err != nil {
		return err
	}
	return out.Sync()
}
