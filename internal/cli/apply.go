package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/words"
)

// An applyCmd declares merchants, stores, channels, endpoints and keys.
type applyCmd struct {
	databaseFlags
	logFlags
	consoleFlags
	langFlag
	JSON bool   `help:"Print one JSON object a line."`
	File string `arg:"" help:"The TOML file; - reads standard input."`
}

// maxDeclaration bounds the file that apply reads.
const maxDeclaration = 4 << 20

// Run applies the file. A server that is running notices by itself.
func (c *applyCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	if env.Signals != nil {
		// A reader that went away must not end the process unheard: what it
		// missed can be read nowhere else.
		signal.Ignore(syscall.SIGPIPE)
	}
	links, err := c.links(env)
	if err != nil {
		return err
	}
	text, err := readInput(env, c.File, maxDeclaration)
	if err != nil {
		return err
	}
	f, err := settings.Parse(text)
	if err != nil {
		return hint(fmt.Errorf("%s: %w", c.File, err), "%s", words.Text(c.lang(), "cli.apply.fields"))
	}
	log := c.logger(env.Stderr)
	key, err := c.loadKey(log)
	if err != nil {
		return err
	}
	st, err := c.open(ctx, log)
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	changes, err := declare(ctx, st, key, byUser(), f)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if err := c.show(env, links, changes); err != nil {
		return hint(&coded{exitFailed, fmt.Errorf("the changes are saved, but could not be printed: %w", err)},
			"%s", words.Text(c.lang(), "cli.apply.unprinted"))
	}
	return nil
}

// declare merges a declaration into the settings and saves them, with who did it in
// the audit log.
func declare(ctx context.Context, st *store.Store, key *seal.Key, by member.By, f settings.File) ([]settings.Change, error) {
	actions := &action.Actions{Store: st, Providers: all.ByCode, Hash: key.Hash}
	return actions.Apply(ctx, by, f, "")
}

// show prints the changes in one write, and the warnings beside them.
func (c *applyCmd) show(env Env, links consoleLinks, changes []settings.Change) error {
	var out bytes.Buffer
	if c.JSON {
		enc := json.NewEncoder(&out)
		for _, ch := range changes {
			if err := enc.Encode(ch); err != nil {
				return err
			}
		}
		_, err := env.Stdout.Write(out.Bytes())
		return err
	}
	for _, ch := range changes {
		if ch.Kind == settings.Warning {
			fmt.Fprintln(env.Stderr, ch.Line(c.lang()))
			continue
		}
		line := ch.Line(c.lang())
		if ch.Kind != settings.Deleted && slices.Contains([]string{"store", "channel", "endpoint"}, ch.What) {
			line = links.within(line, ch.ID) // what else there is has no page by its id
		}
		fmt.Fprintln(&out, line)
		if ch.Shown {
			fmt.Fprintln(&out, words.Text(c.lang(), "cli.apply.secret", "what", words.Text(c.lang(), "cli.apply.secret_of."+ch.What), "secret", ch.Secret.Reveal()))
		}
	}
	if out.Len() == 0 {
		fmt.Fprintln(&out, words.Text(c.lang(), "cli.apply.nothing"))
	}
	_, err := env.Stdout.Write(out.Bytes())
	return err
}

// readInput reads a file, or standard input for "" and "-", up to a limit.
func readInput(env Env, name string, limit int64) ([]byte, error) {
	in := env.Stdin
	if name != "" && name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = fault.Errorf(fault.TooLarge, "the input is longer than %d bytes", limit)
	}
	return b, err
}

// quiet is the log of commands that have something better to say.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
