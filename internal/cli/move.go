package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/words"
)

// A moveCmd copies a SQLite installation into PostgreSQL.
type moveCmd struct {
	From    string      `help:"The installation: sqlite:FILE. No server may run on it." default:"sqlite:tongbo.db"`
	To      string      `help:"An empty database: postgres://…" required:""`
	KeyFile string      `help:"File of the key that seals the installation; beside its database if left out. TONGBO_KEY may hold the key itself."`
	Key     secret.Text `help:"The key itself, instead of a file." env:"TONGBO_KEY" hidden:""`
	JSON    bool        `help:"Print one JSON object a line."`
}

// shownTable is a moved table as JSON.
type shownTable struct {
	Table  string `json:"table"`
	Rows   int64  `json:"rows"`
	Digest string `json:"digest"`
}

// Run moves, and says what to do next.
func (c *moveCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	source := databaseFlags{Database: c.From, KeyFile: c.KeyFile, Key: c.Key}
	if _, ok := cutSQLite(c.From); !ok {
		return hint(fault.Errorf(fault.Invalid, "--from takes sqlite:FILE: this way is the only one"), "For example: tongbo move --from sqlite:tongbo.db --to postgres://…")
	}
	if err := source.existing(); err != nil {
		return c.explain(err)
	}
	key, err := source.loadKey(quiet())
	if err != nil {
		return err
	}
	p := newProgress(env)
	moved, err := store.Move(ctx, c.From, c.To, store.MoveOptions{
		Key: key, Progress: func(s store.MoveStep) { p.show("%s", stepText(s)) },
		Problem: func(found store.Problem) {
			p.end()
			if c.JSON {
				_ = json.NewEncoder(env.Stdout).Encode(found)
				return
			}
			fmt.Fprintln(env.talk(), found)
		},
	})
	p.end()
	if err != nil {
		return c.explain(err)
	}
	if c.JSON {
		return c.tables(env, moved)
	}
	return c.told(env, moved, p)
}

// stepText says how far a move is.
func stepText(s store.MoveStep) string {
	switch s.Phase {
	case store.MoveCopies:
		return fmt.Sprintf("copying %s: %s of %s rows, %d %%", s.Table, grouped(s.Rows), grouped(s.Total), percent(s.Rows, s.Total))
	case store.MoveCompares:
		return fmt.Sprintf("comparing %s: %s of %s rows, %d %%", s.Table, grouped(s.Rows), grouped(s.Total), percent(s.Rows, s.Total))
	}
	return "verifying what was copied"
}

func (c *moveCmd) tables(env Env, moved store.Moved) error {
	for _, t := range moved.Tables {
		line, err := plainJSON(shownTable(t))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(env.Stdout, string(line)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(env.Stderr, "checked:", counts(words.En, moved.Checked))
	return err
}

// told says what was moved, in a table, and what comes now.
func (c *moveCmd) told(env Env, moved store.Moved, p *progress) error {
	var b strings.Builder
	var rows int64
	for _, t := range moved.Tables {
		if t.Rows > 0 {
			fmt.Fprintf(&b, "  %-14s %12s  %.16s\n", t.Table, grouped(t.Rows), t.Digest)
		}
		rows += t.Rows
	}
	fmt.Fprintf(&b, "moved: %s rows of %d tables in %v, the same on both sides\nchecked: %s\nok: nothing lost, nothing counted twice\n\n",
		grouped(rows), len(moved.Tables), p.took(), counts(words.En, moved.Checked))
	key := "the same TONGBO_KEY"
	if c.Key == "" {
		db, _ := cutSQLite(c.From)
		if key = "--key-file " + c.KeyFile; c.KeyFile == "" {
			key = "--key-file " + db + ".key"
		}
	}
	fmt.Fprintf(&b, `Start the server on %s from now on, with
%s.
Never start one on %s again: it would send the same webhooks once
more. Keep that file until the new database has its own backups.
`, store.Redact(c.To), key, c.From)
	_, err := fmt.Fprint(env.talk(), b.String())
	return err
}

// explain says what to do about a move that was not made.
func (c *moveCmd) explain(err error) error {
	if _, ok := errors.AsType[*store.ProblemsError](err); ok {
		return hint(&coded{exitProblems, err}, "They are in %s already: tongbo verify names them there too. The target is empty as before.", c.From)
	}
	switch text := err.Error(); {
	case errors.Is(err, context.Canceled):
		return errors.New("stopped: nothing was moved")
	case fault.Is(err, fault.NotFound):
		return hint(err, "Name it with --from sqlite:FILE")
	case strings.Contains(text, "not empty"), strings.Contains(text, "not Tongbo's"), strings.Contains(text, "runs on the target"):
		return hint(err, "Make a new one, for example with createdb, and name it with --to.")
	case strings.Contains(text, "another tongbo serves"):
		return hint(err, "Stop the server on %s for the move. What PGs send meanwhile they send again.", c.From)
	case fault.Is(err, fault.Unavailable):
		return hint(err, "Is PostgreSQL running, and may this user reach it?")
	}
	return err
}
