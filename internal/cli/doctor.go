package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/tongbo/tongbo/internal/doctor"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/server"
	"github.com/tongbo/tongbo/internal/words"
)

// A doctorCmd examines an installation. It takes the flags of serve, since most of
// what it looks at follows from them.
type doctorCmd struct {
	serveCmd
	JSON bool `name:"json" help:"Print one JSON object a line."`
}

// Run prints what is found. It ends with 3 if something has failed.
func (c *doctorCmd) Run(env Env, k *kong.Context) error {
	ctx, cancel := env.context()
	defer cancel()
	base, err := c.base()
	if err != nil {
		return err
	}
	links, err := consoleFlags{c.PublicURL, c.ConsoleListen}.links(env)
	if err != nil {
		return err
	}
	if err := c.fits(ctx); err != nil {
		return err
	}
	st, err := c.open(ctx, quiet())
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	list := server.Doctor(st, server.Config{
		Database: c.Database, AllowPrivate: c.AllowPrivateWebhooks, PublicURL: base, TrustedProxies: c.proxies(), Egress: c.egress(),
		Keep: c.keep(), Flags: serverFlags(k), Unknown: unknownNames(k),
	}).Examine(ctx)
	if c.JSON {
		err = findingsJSON(env, list, c.lang())
	} else {
		err = findingsText(env, links, list, c.lang())
	}
	if err == nil && doctor.Worst(list) == doctor.Fail {
		err = &coded{exitProblems, fault.Errorf(fault.Conflict, "problems: %d", countOf(list, doctor.Fail))}
	}
	return err
}

// fits refuses a database that opening would change: one of an older release.
func (c *doctorCmd) fits(ctx context.Context) error {
	_, end, err := c.openReadOnly(ctx)
	if err != nil {
		return err
	}
	return end()
}

func countOf(list []doctor.Finding, l doctor.Level) (n int) {
	for _, f := range list {
		if f.Level == l {
			n++
		}
	}
	return n
}

// findingsText prints a line for each finding, what to do below it, and how many
// there are of which kind.
func findingsText(env Env, links consoleLinks, list []doctor.Finding, lang words.Lang) error {
	rows := make([][]string, len(list))
	for i, f := range list {
		rows[i] = []string{
			words.Text(lang, "doctor.level."+string(f.Level)), links.to(f.ID, words.Text(lang, "doctor.subject."+string(f.Subject))), printable(words.Text(lang, f.Key, f.Args...)),
		}
	}
	for i, line := range tableLines(rows) {
		if f := list[i]; f.Hint != "" {
			line += "\n" + strings.Repeat(" ", cells(line)-cells(rows[i][2])) + "→ " + printable(words.Text(lang, f.Hint, f.Args...))
		}
		if _, err := fmt.Fprintln(env.talk(), line); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(env.talk(), summaryOf(list, lang))
	return err
}

// summaryOf counts what is wrong.
func summaryOf(list []doctor.Finding, lang words.Lang) string {
	failures, warnings := countOf(list, doctor.Fail), countOf(list, doctor.Warn)
	if failures+warnings == 0 {
		return words.Text(lang, "doctor.all_well")
	}
	return words.Text(lang, "doctor.summary", "failures", failures, "warnings", warnings)
}

// A shownFinding is a finding as JSON.
type shownFinding struct {
	Level   doctor.Level   `json:"level"`
	Subject doctor.Subject `json:"subject"`
	Name    string         `json:"name,omitempty"`
	ID      string         `json:"id,omitempty"`
	Finding string         `json:"finding"`
	Text    string         `json:"text"`
	Hint    string         `json:"hint,omitempty"`
}

func findingsJSON(env Env, list []doctor.Finding, lang words.Lang) error {
	var out []shownFinding
	for _, f := range list {
		s := shownFinding{f.Level, f.Subject, f.Name, f.ID, strings.TrimPrefix(f.Key, "doctor."), words.Text(lang, f.Key, f.Args...), ""}
		if f.Hint != "" {
			s.Hint = words.Text(lang, f.Hint, f.Args...)
		}
		out = append(out, s)
	}
	return linesJSON(env, slices.Clip(out))
}

// unknownError names what in the environment means nothing.
func unknownError(names []string) error {
	return hint(fault.Errorf(fault.Invalid, "the environment has names that mean nothing: %s", strings.Join(names, ", ")), "Every flag's name is in: tongbo serve --help")
}
