// Package cli is the command line: it parses flags and environment, calls one
// thing, and says what came of it. Exit codes: 0 done, 1 failed, 2 used
// wrongly, 3 a check found problems, 4 something could not be reached.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/words"
)

// The exit codes.
const (
	exitOK       = 0
	exitFailed   = 1
	exitUsage    = 2
	exitProblems = 3
	exitAway     = 4
)

// An Env is what a command may touch of the world around it.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Terminal says that Stdout is one. Colours says that it may show colours.
	Terminal, Colours bool
	// Dumb says that the terminal takes no codes, so that links would be seen as such.
	Dumb bool
	// Width is how many cells a line of the terminal has; zero means 80.
	Width int
	// Signals ends the context at the first interrupt and the process at the
	// second. Tests leave it nil and cancel the context themselves.
	Signals func() (context.Context, context.CancelFunc)
}

// System returns the Env of a process.
func System() Env {
	info, err := os.Stdout.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	width, _ := strconv.Atoi(os.Getenv("COLUMNS")) // zero if the shell does not tell
	return Env{
		Width: width, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Terminal: terminal, Colours: terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb",
		Dumb:    os.Getenv("TERM") == "dumb",
		Signals: untilSignal,
	}
}

// untilSignal returns a context that ends at the first SIGINT or SIGTERM. The
// second one ends the process at once.
func untilSignal() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	c := make(chan os.Signal, 2)
	signal.Notify(c, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-c:
			cancel()
		case <-ctx.Done():
			return
		}
		<-c
		os.Exit(exitFailed)
	}()
	return ctx, cancel
}

// commands is the whole command line. Every flag has a TONGBO_* twin. What a command does
// is said in the catalogue: help.command and its name.
type commands struct {
	Serve        serveCmd        `cmd:""`
	Demo         demoCmd         `cmd:""`
	Apply        applyCmd        `cmd:""`
	Decode       decodeCmd       `cmd:""`
	Simulate     simulateCmd     `cmd:""`
	Listen       listenCmd       `cmd:""`
	Trigger      triggerCmd      `cmd:""`
	Notices      noticesCmd      `cmd:""`
	Tail         tailCmd         `cmd:""`
	Export       exportCmd       `cmd:""`
	Replay       replayCmd       `cmd:""`
	Sweep        sweepCmd        `cmd:""`
	Cancellation cancellationCmd `cmd:""`
	Admin        adminCmd        `cmd:""`
	Verify       verifyCmd       `cmd:""`
	Backup       backupCmd       `cmd:""`
	Import       importCmd       `cmd:""`
	Move         moveCmd         `cmd:""`
	Providers    providersCmd    `cmd:""`
	Channel      channelCmd      `cmd:""`
	Doctor       doctorCmd       `cmd:""`
	Config       configCmd       `cmd:""`
	Endpoint     endpointCmd     `cmd:""`
	Key          keyCmd          `cmd:""`
	Version      versionCmd      `cmd:""`
}

// grammar is what the declarations above need to be read.
func grammar() []kong.Option {
	keep := settings.DefaultRetention()
	return []kong.Option{kong.Name("tongbo"), kong.DefaultEnvars("TONGBO"), kong.Vars{
		"manners": mannerList(), "looked": grouped(mostLooked),
		"bodies": strconv.Itoa(keep.Bodies), "history": strconv.Itoa(keep.History), "payments": strconv.Itoa(keep.Payments),
	}}
}

// Main runs a command line and returns the exit code. It never panics on bad
// input; every failure prints one line of cause and one of remedy.
func Main(args []string, env Env) int {
	var c commands
	code, lang := -1, helpLang(args)
	parser, err := kong.New(&c, append(grammar(),
		kong.Description(words.Text(lang, "help.description")),
		kong.Help(helper(lang)),
		kong.Writers(env.Stdout, env.Stderr),
		kong.Exit(func(n int) { code = n }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)...)
	if err != nil {
		panic(err) // the declarations above are wrong
	}
	describe(parser.Model.Node, "help.command", lang)
	ctx, err := parser.Parse(args)
	if code >= 0 { // --help was asked for and given
		return code
	}
	if err != nil {
		fmt.Fprintf(env.Stderr, "tongbo: %v\nSee: %s --help\n", err, usedCommand(err))
		return exitUsage
	}
	if wantsObjects(ctx) {
		env = env.forPrograms()
	}
	if err := ctx.Run(env); err != nil {
		return report(env.Stderr, err)
	}
	return exitOK
}

// usedCommand is as much of the command line as was understood.
func usedCommand(err error) string {
	wrong, ok := errors.AsType[*kong.ParseError](err)
	if !ok || wrong.Context == nil {
		return "tongbo"
	}
	words := []string{"tongbo"}
	for _, p := range wrong.Context.Path {
		if p.Command != nil {
			words = append(words, p.Command.Name)
		}
	}
	return strings.Join(words, " ")
}

// A coded error ends the process with a code of its own.
type coded struct {
	code int
	err  error
}

func (c *coded) Error() string { return c.err.Error() }
func (c *coded) Unwrap() error { return c.err }

// A hinted error comes with a line that says what to do, and mostly what to
// type next.
type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

// hint returns err with a line that says what to do.
func hint(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// report prints an error and returns its exit code.
func report(w io.Writer, err error) int {
	fmt.Fprintf(w, "tongbo: %v\n", err)
	if h, ok := errors.AsType[*hinted](err); ok {
		fmt.Fprintln(w, h.hint)
	}
	var c *coded
	switch {
	case errors.As(err, &c):
		return c.code
	case fault.Is(err, fault.Invalid):
		return exitUsage
	case fault.Is(err, fault.Unavailable):
		return exitAway
	}
	return exitFailed
}

// context returns the context that a command works in.
func (e Env) context() (context.Context, context.CancelFunc) {
	if e.Signals == nil {
		return context.WithCancel(context.Background())
	}
	return e.Signals()
}

// A logFlags says how to log.
type logFlags struct {
	LogFormat string     `help:"Log format." enum:"text,json" default:"text"`
	LogLevel  slog.Level `help:"Lowest level that is logged: debug, info, warn, error." default:"info"`
}

func (l logFlags) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: l.LogLevel}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
