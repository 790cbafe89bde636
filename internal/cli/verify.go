package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/words"
)

// A verifyCmd checks a database, live or stopped.
type verifyCmd struct {
	databaseFlags
	consoleFlags
	langFlag
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
		if c.lang() != words.En { // what is found is told in English, by the store
			fmt.Fprintln(env.talk(), "  → "+words.Text(c.lang(), "cli.verify.kind."+found.Kind))
		}
	}, func(rows int64) {
		shown.Lock()
		defer shown.Unlock()
		p.show("%s", words.Text(c.lang(), "cli.verify.rows", "n", rows))
	})
	p.end()
	if err != nil {
		return err
	}
	say := func(key string, args ...any) string { return words.Text(c.lang(), "cli.verify."+key, args...) }
	fmt.Fprintln(env.talk(), say("checked", "what", counts(c.lang(), checked)))
	if problems > 0 {
		return hint(&coded{exitProblems, errors.New(say("problems", "n", problems))}, "%s", say("keep"))
	}
	if !c.JSON {
		fmt.Fprintln(env.talk(), say("ok"))
	}
	return nil
}
