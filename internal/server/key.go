package server

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
)

// A KeySource says where the key that seals the database comes from.
type KeySource struct {
	Database string
	File     string      // empty: beside a SQLite database
	Text     secret.Text // the key itself; empty: from the file
}

// Load returns the key. For a SQLite database that does not exist yet it makes
// one and says so. PostgreSQL never gets a key made for it: nodes that made
// their own could not read each other.
func (k KeySource) Load(log *slog.Logger) (*seal.Key, error) {
	if k.Text != "" {
		return seal.Parse(k.Text.Reveal())
	}
	db, sqlite := strings.CutPrefix(k.Database, "sqlite:")
	if !sqlite && !strings.HasPrefix(k.Database, "postgres://") && !strings.HasPrefix(k.Database, "postgresql://") {
		return nil, fault.Errorf(fault.Invalid, "the database must be given as sqlite:FILE or postgres://…")
	}
	if sqlite && db == "" {
		return nil, fault.Errorf(fault.Invalid, "the database sqlite: has no file name; write sqlite:tongbo.db")
	}
	file := k.File
	if file == "" {
		if !sqlite {
			return nil, fault.Errorf(fault.Invalid, "PostgreSQL needs a key: give --key-file or TONGBO_KEY. A new one is made by: tongbo key > tongbo.key")
		}
		file = db + ".key"
	}
	key, err := seal.LoadFile(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if !sqlite {
		return nil, fault.Errorf(fault.Invalid, "there is no key file %s. A new one is made by: tongbo key > %s", file, file)
	}
	if _, err := os.Stat(db); err == nil {
		return nil, fault.Errorf(fault.Invalid, "the database %s exists, but its key file %s does not: restore it from your backup. Without it nothing sealed can be read", db, file)
	}
	if folder := filepath.Dir(file); !isFolder(folder) {
		return nil, fault.Errorf(fault.Invalid, "there is no folder %s for the key file %s: make it first", folder, filepath.Base(file))
	}
	if key, err = seal.CreateFile(file); err != nil {
		return nil, fmt.Errorf("make key file: %w", err)
	}
	log.Warn("a new key seals this database: back it up apart from the database", "key_file", file)
	return key, nil
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
