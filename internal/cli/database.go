package cli

import (
	"context"
	"log/slog"
	"os"
	"strings"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/store"
)

// A databaseFlags names the database and the key that opens it.
type databaseFlags struct {
	Database string      `help:"Where everything is kept: sqlite:FILE or postgres://…" default:"sqlite:tongbo.db"`
	KeyFile  string      `help:"File of the key that seals secrets; beside a SQLite database if left out. TONGBO_KEY may hold the key itself."`
	Key      secret.Text `help:"The key itself, instead of a file." env:"TONGBO_KEY" hidden:""`
}

// loadKey loads the key, and says what to type where a flag is wrong.
func (f databaseFlags) loadKey(log *slog.Logger) (*seal.Key, error) {
	key, err := f.key().Load(log)
	return key, f.keyHint(err)
}

// keyHint adds what to type to an error about the key or the database's name.
func (f databaseFlags) keyHint(err error) error {
	switch {
	case err == nil:
		return nil
	case f.Database != "" && !strings.ContainsAny(f.Database, ":=@ ") && fault.Is(err, fault.Invalid) && f.Key == "":
		return hint(err, "Did you mean --database sqlite:%s?", f.Database)
	case strings.Contains(err.Error(), "not a Tongbo key"):
		return hint(err, "A new one is made by: tongbo key")
	}
	return err
}

func (f databaseFlags) key() server.KeySource {
	return server.KeySource{Database: f.Database, File: f.KeyFile, Text: f.Key}
}

// open opens the database beside whatever server may be running on it.
func (f databaseFlags) open(ctx context.Context, log *slog.Logger) (*store.Store, error) {
	st, _, err := f.openWithKey(ctx, log)
	return st, err
}

// openThere is open of a database that is there: it makes none.
func (f databaseFlags) openThere(ctx context.Context, log *slog.Logger) (*store.Store, error) {
	if err := f.existing(); err != nil {
		return nil, err
	}
	return f.open(ctx, log)
}

// verbs opens a database that is there, with what may be done in it beside its server. The
// caller closes it.
func (f databaseFlags) verbs(ctx context.Context, log *slog.Logger) (*store.Store, *action.Actions, error) {
	if err := f.existing(); err != nil {
		return nil, nil, err
	}
	st, key, err := f.openWithKey(ctx, log)
	if err != nil {
		return nil, nil, err
	}
	verbs := server.Verbs(st, log)
	verbs.Hash = key.Hash
	return st, verbs, nil
}

func (f databaseFlags) openWithKey(ctx context.Context, log *slog.Logger) (*store.Store, *seal.Key, error) {
	key, err := f.loadKey(log)
	if err != nil {
		return nil, nil, err
	}
	st, err := store.Open(ctx, f.Database, store.Options{Key: key, Log: log})
	if fault.Is(err, fault.Unavailable) {
		err = hint(err, "Is the database running, and may this user reach it? Name another with --database.")
	}
	return st, key, err
}

// openReadOnly opens the database without changing anything in it, not even
// its schema.
func (f databaseFlags) openReadOnly(ctx context.Context) (r *store.Reader, end func() error, err error) {
	if err := f.existing(); err != nil {
		return nil, nil, err
	}
	key, err := f.loadKey(quiet())
	if err != nil {
		return nil, nil, err
	}
	r, end, err = store.OpenReadOnly(ctx, f.Database, store.Options{Key: key})
	if fault.Is(err, fault.Unavailable) {
		err = hint(err, "Is the database running, and may this user reach it? Name another with --database.")
	}
	return r, end, err
}

// existing refuses to make a database where a command only reads one.
func (f databaseFlags) existing() error {
	file, sqlite := cutSQLite(f.Database)
	if !sqlite {
		return nil
	}
	if _, err := os.Stat(file); err != nil {
		return hint(fault.Errorf(fault.NotFound, "there is no database %s", file), "Name it with --database sqlite:FILE, or start one with: tongbo serve")
	}
	return nil
}
