package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/tongbo/tongbo/internal/store"
)

// A verifyCmd checks a database, live or stopped.
type verifyCmd struct {
	databaseFlags
	consoleFlags
	JSON bool `help:"Print one JSON object a line."`
}

// Run checks, and ends with exit code 3 if something is wrong.
func (c *verifyCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	links, err := c.links(env)
	if err != nil {
		return err
	}
	st, end, err := c.openReadOnly(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = end() }()
	// Nearly all that is read is looked at once: collecting it less often is a
	// tenth faster, for some 60 MB.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	problems := 0
	enc := json.NewEncoder(env.Stdout)
	var shown sync.Mutex
	p := newProgress(env)
	checked, err := st.VerifyShown(ctx, func(found store.Problem) {
		shown.Lock()
		defer shown.Unlock()
		p.end()
		problems++
		if c.JSON {
			_ = enc.Encode(found)
			return
		}
		fmt.Fprintln(env.talk(), links.within(found.String(), found.Subject))
	}, func(rows int64) {
		shown.Lock()
		defer shown.Unlock()
		p.show("%s looked at", plural(rows, "row", "rows"))
	})
	p.end()
	if err != nil {
		return err
	}
	fmt.Fprintln(env.talk(), "checked:", counts(checked))
	if problems > 0 {
		return hint(&coded{exitProblems, errors.New(plural(int64(problems), "problem", "problems"))}, "Keep a copy of the database before you change anything in it.")
	}
	if !c.JSON {
		fmt.Fprintln(env.talk(), "ok: nothing lost, nothing counted twice")
	}
	return nil
}
