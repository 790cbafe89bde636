package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/store"
)

// A backupCmd copies a SQLite database.
type backupCmd struct {
	Database string `help:"What to copy: sqlite:FILE." default:"sqlite:tongbo.db"`
	File     string `arg:"" help:"Where to. The key is not in it."`
	Force    bool   `help:"Replace a backup that is there."`
	JSON     bool   `help:"Print one JSON object."`
}

// shownBackup is a backup as JSON.
type shownBackup struct {
	File   string  `json:"file"`
	Bytes  int64   `json:"bytes"`
	Schema int     `json:"schema"`
	Took   float64 `json:"took"` // seconds
}

// Run copies, and says how the copy is used.
func (c *backupCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	file, _ := cutSQLite(c.File) // nobody means a file of that name
	p := newProgress(env)
	done, err := store.Backup(ctx, c.Database, file, store.BackupOptions{Force: c.Force, Progress: func(pages, total int) {
		if pages == total {
			p.show("copied %s pages, checking them", grouped(int64(total)))
			return
		}
		p.show("copied %s of %s pages, %d %%", grouped(int64(pages)), grouped(int64(total)), percent(int64(pages), int64(total)))
	}})
	p.end()
	if err != nil {
		return c.explain(err)
	}
	if c.JSON {
		line, err := plainJSON(shownBackup{done.File, done.Bytes, done.Schema, p.took().Seconds()})
		if err == nil {
			_, err = fmt.Fprintln(env.Stdout, string(line))
		}
		return err
	}
	_, err = fmt.Fprintf(env.talk(), `copied and checked: %s, %s bytes, schema %d, in %v

The key is not in it, and without the key it is of no use: keep a copy of the
key file somewhere else, never beside the backups.
To restore, copy the file to its place, and the key to its own, and then:
  tongbo verify --database sqlite:%s --key-file %s
  tongbo serve --database sqlite:%[1]s --key-file %[6]s
`, done.File, grouped(done.Bytes), done.Schema, p.took(), done.File, c.keyFile())
	return err
}

// keyFile is where the key lies, as far as can be seen from here.
func (c *backupCmd) keyFile() string {
	db, _ := cutSQLite(c.Database)
	if _, err := os.Stat(db + ".key"); err == nil {
		return filepath.Clean(db + ".key")
	}
	return "THE.key"
}

// explain says what to do about a backup that was not made.
func (c *backupCmd) explain(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("stopped: no backup was made")
	case fault.Is(err, fault.Unsupported):
		return &coded{exitUsage, hint(err, "Use pg_dump, or pg_basebackup with WAL archiving: docs/operate.md says how.")}
	case strings.Contains(err.Error(), "is there already"):
		return hint(err, "Name another file, or replace it with: tongbo backup --force %s", c.File)
	case fault.Is(err, fault.NotFound):
		return hint(err, "Name it with --database sqlite:FILE")
	case fault.Is(err, fault.Invalid) && !strings.Contains(c.Database, ":"):
		return hint(err, "Did you mean --database sqlite:%s?", c.Database)
	case strings.Contains(err.Error(), "no backup was made"):
		return hint(err, "Keep your older backups, and look with: tongbo verify --database %s", c.Database)
	}
	return err
}
