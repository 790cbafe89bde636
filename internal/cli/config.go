package cli

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/tongbo/tongbo/internal/doctor"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/words"
)

// A configCmd has the commands about what a server is started with.
type configCmd struct {
	Show configShowCmd `cmd:""`
}

// A configShowCmd prints what serve would be started with here and now. It takes
// the flags of serve.
type configShowCmd struct {
	serveCmd
	JSON bool `name:"json" help:"Print one JSON object a line."`
}

// ofOutput are flags that say how a command prints, and nothing of a server.
var ofOutput = []string{"json", "lang"}

// Run prints a line for each setting. It ends with 3 if the environment has names
// that look like settings and are none.
func (c *configShowCmd) Run(env Env, k *kong.Context) error {
	list, unknown := serverFlags(k), unknownNames(k)
	if c.Key != "" {
		list = append(list, settings.Flag{Name: "key", Env: "TONGBO_KEY", Value: c.Key.String(), Source: settings.ByEnv})
	}
	if c.JSON {
		type line struct {
			Name   string              `json:"name"`
			Env    string              `json:"env"`
			Value  string              `json:"value"`
			Source settings.FlagSource `json:"source"`
		}
		var lines []line
		for _, f := range list {
			lines = append(lines, line(f))
		}
		if err := linesJSON(env, lines); err != nil {
			return err
		}
	} else {
		lang := c.lang()
		rows := [][]string{{words.Text(lang, "doctor.flag.name"), words.Text(lang, "doctor.flag.value"), words.Text(lang, "doctor.flag.source"), words.Text(lang, "doctor.flag.env")}}
		for _, f := range list {
			rows = append(rows, []string{"--" + f.Name, printable(cmp.Or(f.Value, "–")), words.Text(lang, "doctor.flag.by."+string(f.Source)), f.Env})
		}
		if err := writeTable(env.Stdout, rows); err != nil {
			return err
		}
	}
	c.compare(env, list)
	if len(unknown) > 0 {
		return &coded{exitProblems, unknownError(unknown)}
	}
	return nil
}

// compare says which settings the running server has otherwise, if the database can be
// read soon and one runs.
func (c *configShowCmd) compare(env Env, list []settings.Flag) {
	ctx, cancel := context.WithTimeout(context.Background(), serverPatience)
	defer cancel()
	st, end, err := c.openReadOnly(ctx)
	if err != nil {
		return // what serve would be started with is known all the same
	}
	defer func() { _ = end() }()
	there, at, err := st.Serving(ctx)
	if err != nil || time.Since(at) > doctor.Served {
		return
	}
	for _, x := range settings.Differ(list, there) {
		fmt.Fprintln(env.Stderr, words.Text(c.lang(), "doctor.config_server", "flag", "--"+x.Name, "here", printable(cmp.Or(x.Here, "–")), "there", printable(cmp.Or(x.There, "–"))))
	}
}

// serverPatience is how long a database is waited for that says what a server was started with.
const serverPatience = 2 * time.Second

// serverFlags are the flags of serve as they were given to another command that
// takes them.
func serverFlags(k *kong.Context) []settings.Flag {
	return slices.DeleteFunc(given(k), func(f settings.Flag) bool { return slices.Contains(ofOutput, f.Name) })
}

// unknownNames are the names in the environment that begin like ours and mean
// nothing to any command.
func unknownNames(k *kong.Context) (out []string) {
	known := make(map[string]bool)
	var learn func(*kong.Node)
	learn = func(n *kong.Node) {
		for _, f := range n.Flags {
			for _, name := range f.Envs {
				known[name] = true
			}
		}
		for _, child := range n.Children {
			learn(child)
		}
	}
	learn(k.Model.Node)
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "TONGBO_") && !known[name] {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}
