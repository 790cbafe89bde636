package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tongbo/tongbo/internal/store"
)

// A verifyCmd checks a database, live or stopped.
type verifyCmd struct {
	databaseFlags
	JSON bool `help:"Print one JSON object a line."`
}

// Run checks, and ends with exit code 3 if something is wrong.
func (c *verifyCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	st, end, err := c.openReadOnly(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = end() }()
	problems := 0
	enc := json.NewEncoder(env.Stdout)
	checked, err := st.Verify(ctx, func(p store.Problem) {
		problems++
		if c.JSON {
			_ = enc.Encode(p)
			return
		}
		fmt.Fprintln(env.Stdout, p)
	})
	if err != nil {
		return err
	}
	summary := env.Stdout
	if c.JSON {
		summary = env.Stderr
	}
	fmt.Fprintln(summary, "checked:", counts(checked))
	if problems > 0 {
		return hint(&coded{exitProblems, errors.New(plural(int64(problems), "problem", "problems"))}, "Keep a copy of the database before you change anything in it.")
	}
	if !c.JSON {
		fmt.Fprintln(env.Stdout, "ok: nothing lost, nothing counted twice")
	}
	return nil
}
