//go:build linux

// Command bench measures the whole program as `make bench` does: `tongbo
// serve` as a process of its own on a database of its own, with a generator
// that plays the PG and a shop that takes the webhooks, each in a process of
// its own too. In the same run it measures the floors: the least that a durable
// answer and a webhook cost on this machine. Ratios to the floors say more
// than the figures.
//
// A latency counts from when a notice was due, not from when it was sent, so
// that a server that stalls is not spared what would have come meanwhile.
//
// Its other processes are itself, with a role (child.go). It reads /proc, so it
// runs on Linux.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	if playRole(os.Args[1:]) {
		return
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, cancel) // a second interrupt ends the process, and all others with it
	code := 0
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		code = exitFailed
	}
	cancel()
	os.Exit(code)
}

// A measure is one line of what is measured.
type measure struct {
	name  string
	about string
	run   func(*bench, *engine) error
}

// measures are all, in the order in which they run and are told.
var measures = []measure{
	{"accept", "accepted notices a second at 32 connections, and the floors", accept},
	{"e2e", "the same with an endpoint, until the last webhook", endToEnd},
	{"ceiling", "highest open-loop rate held for 30 s with p99 under a second, one and 100 endpoints", ceiling},
	{"latency", "from a notice to the shop's 200, at 500/s and at 10/s", latency},
	{"isolation", "nine endpoints while a tenth hangs, at 600/s", isolation},
	{"saturation", "delivery while more notices come than can be taken", saturation},
	{"crash", "kill -9 under 600/s: from the restart to the first webhook", crash},
	{"history", "end to end with 10 million finished deliveries, against none", history},
	{"drain", "100,000 deliveries after an outage, and live events meanwhile", drain},
	{"waiting", "a server on which 1,000,000 deliveries wait", waiting},
	{"nodes", "two nodes against one, to 100 slow shops (PostgreSQL)", nodes},
	{"idle", "a server that has nothing to do", idle},
	{"statements", "statements an event under load (PostgreSQL)", perEvent},
}

// A bench is one run of this program.
type bench struct {
	ctx      context.Context // the program's own: what would be a parameter of everything here
	dir      string
	binary   string
	key      *seal.Key
	report   report
	progress io.Writer

	quick    bool
	runs     int
	orders   int // registered in the seed
	finished int // deliveries in the history
	logLevel string
	current  string // measure
	profiled string // folder for profiles; empty: none are made
	profiler string // this program, which serves with a profile
}

// span is how long something is measured.
func (b *bench) span(full, quick time.Duration) time.Duration {
	if b.quick {
		return quick
	}
	return full
}

// topic is where a measure notes its figures.
func (b *bench) topic(measure string, e *engine) topic {
	return topic{&b.report, measure, e.name, func(f figure) {
		fmt.Fprintf(b.progress, "%-10s %-10s  %-54s %s\n", f.Measure, f.Engine, f.What, f.text())
	}}
}

// options are the flags.
type options struct {
	only, engines          string
	quick, list            bool
	runs, orders, finished int
	keep, write            string
	profile, logLevel      string
}

func (o *options) parse(args []string, errors io.Writer) error {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(errors)
	f.StringVar(&o.only, "only", "", "measure only these, with commas between: "+strings.Join(names(), ", "))
	f.StringVar(&o.engines, "engines", "sqlite,postgres", "on which databases")
	f.BoolVar(&o.quick, "quick", false, "measure everything for a moment, to see that it works")
	f.IntVar(&o.runs, "runs", 0, "how often each is measured (3; with -quick 1)")
	f.IntVar(&o.orders, "orders", 0, "registered payments that a run begins with (250000; with -quick 20000)")
	f.IntVar(&o.finished, "history", 0, "finished deliveries of the measure of that name (10000000; with -quick 50000)")
	f.StringVar(&o.keep, "keep", "", "JSON `file` in which the figures are kept; those measured now replace older ones")
	f.StringVar(&o.write, "write", "", "document `file` into which the figures are written, between its marks")
	f.StringVar(&o.profile, "profile", "", "`folder` for CPU profiles of the server, one for each of its lives")
	f.StringVar(&o.logLevel, "log-level", "info", "of the server, whose log goes to a file")
	f.BoolVar(&o.list, "list", false, "list the measures and end")
	if err := f.Parse(args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return fmt.Errorf("%q is no flag; see -help", f.Arg(0))
	}
	return o.check()
}

func (o *options) check() error {
	for _, name := range list(o.only) {
		if !slices.Contains(names(), name) {
			return fmt.Errorf("there is no measure %q; there are: %s", name, strings.Join(names(), ", "))
		}
	}
	for _, name := range list(o.engines) {
		if name != "sqlite" && name != "postgres" {
			return fmt.Errorf("there is no engine %q; there are: sqlite, postgres", name)
		}
	}
	if min(o.runs, o.orders, o.finished) < 0 {
		return errors.New("-runs, -orders and -history are counts")
	}
	if o.quick && o.write != "" {
		return errors.New("-quick measures too briefly to be written down: leave out -quick or -write")
	}
	usual := []int{3, 250_000, 10_000_000}
	if o.quick {
		usual = []int{1, 20_000, 50_000}
	}
	o.runs, o.orders, o.finished = cmp.Or(o.runs, usual[0]), cmp.Or(o.orders, usual[1]), cmp.Or(o.finished, usual[2])
	return nil
}

// list is what a flag with commas lists.
func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' })
}

func names() []string {
	var out []string
	for _, m := range measures {
		out = append(out, m.name)
	}
	return out
}

// run is the whole program.
func run(ctx context.Context, args []string, out, progress io.Writer) (err error) {
	var o options
	if err := o.parse(args, progress); err != nil {
		return err
	}
	if o.list {
		for _, m := range measures {
			fmt.Fprintf(out, "%-12s %s\n", m.name, m.about)
		}
		return nil
	}
	dir, err := folder(os.TempDir())
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }() // as temporary as the folder it is in
	b := &bench{ctx: ctx, dir: dir, progress: progress, quick: o.quick, runs: o.runs, orders: o.orders, finished: o.finished, logLevel: o.logLevel, profiled: o.profile}
	if err := b.prepare(); err != nil {
		return err
	}
	for _, name := range list(o.engines) {
		err = errors.Join(err, b.onEngine(name, list(o.only)))
	}
	return errors.Join(err, b.tell(out, o))
}

// prepare builds the program and looks at the machine.
func (b *bench) prepare() (err error) {
	if b.key, err = seal.New(); err != nil {
		return err
	}
	if b.binary, err = buildProgram(b.dir); err != nil {
		return err
	}
	if b.profiled != "" {
		if b.profiler, err = os.Executable(); err != nil {
			return err
		}
		if b.profiled, err = filepath.Abs(b.profiled); err != nil {
			return err
		}
		if err := os.MkdirAll(b.profiled, 0o755); err != nil {
			return err
		}
	}
	b.report.Machine, err = machine(b.ctx, b.dir, b.span(2*time.Second, 200*time.Millisecond))
	return err
}

// onEngine runs the measures on one engine. One that fails is an error, and
// the others run all the same.
func (b *bench) onEngine(name string, only []string) error {
	e := &engine{name: sqliteName, dir: b.dir}
	if name == "postgres" {
		cluster, err := storetest.StartCluster(counting...)
		if err != nil {
			return fmt.Errorf("%w (pg_stat_statements is needed too: it comes with Debian's postgresql, elsewhere as postgresql-contrib)", err)
		}
		defer func() { _ = cluster.End() }() // it ends with the process too
		e.name, e.cluster = postgresName, cluster
	}
	began := time.Now()
	if err := e.seed(b.ctx, b.key, b.orders); err != nil {
		return fmt.Errorf("%s: seed: %w", e.name, err)
	}
	fmt.Fprintf(b.progress, "%s: %s payments registered in %v\n", e.name, grouped(int64(b.orders)), time.Since(began).Round(time.Second))
	var errs []error
	for _, m := range measures {
		if len(only) > 0 && !slices.Contains(only, m.name) || b.ctx.Err() != nil {
			continue
		}
		b.current = m.name
		if err := m.run(b, e); err != nil {
			b.report.forget(m.name, e.name)
			errs = append(errs, fmt.Errorf("%s on %s: %w", m.name, e.name, err))
			fmt.Fprintln(b.progress, errs[len(errs)-1])
		}
	}
	return errors.Join(append(errs, b.ctx.Err())...)
}

// tell prints the report, and keeps and publishes it where that is asked for.
func (b *bench) tell(out io.Writer, o options) error {
	all := b.report
	if o.keep != "" {
		kept, err := loadReport(o.keep)
		if err != nil {
			return err
		}
		kept.replace(b.report)
		all = kept
		if err := all.save(o.keep); err != nil {
			return err
		}
	}
	b.report.write(out)
	if o.write == "" {
		return nil
	}
	return all.publish(o.write)
}

// profile is the file for the profile of the next life of a server.
func (b *bench) profile(e *engine) string {
	for i := 1; ; i++ {
		file := filepath.Join(b.profiled, fmt.Sprintf("%s-%s-%d.pprof", b.current, strings.ToLower(e.name), i))
		if _, err := os.Stat(file); err != nil {
			return file
		}
	}
}
