//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A scene is what a run begins with.
type scene struct {
	hooks hooks
	nodes int // 0 means 1
	// from is the database that is copied; empty: the seed.
	from string
	// in is a database that is used as it is and kept, instead of a copy.
	in string
	// before, if set, changes the database before the server starts.
	before func(database string) error
	// manner is how the shop answers from the start.
	manner manner
	// synthetic says that the database holds rows that no server made, which
	// verify would complain about.
	synthetic bool
}

// A world is one run: a database of its own, a shop, and servers.
type world struct {
	bench    *bench
	engine   *engine
	scene    scene
	database string
	shop     *shop
	nodes    []*node
	began    time.Time     // when the first node was started
	ready    time.Duration // how long it took to be ready
}

// open makes the world of a run and starts its nodes.
func (b *bench) open(e *engine, s scene) (w *world, err error) {
	if err := b.ctx.Err(); err != nil {
		return nil, err
	}
	w = &world{bench: b, engine: e, scene: s}
	defer func() {
		if err != nil {
			w.abandon()
		}
	}()
	if w.shop, err = openShop(); err != nil {
		return nil, err
	}
	if err := w.shop.behave(s.manner); err != nil {
		return nil, err
	}
	if err := w.furnish(); err != nil {
		return nil, err
	}
	w.began = time.Now()
	for i := range max(s.nodes, 1) {
		n := w.node(i)
		w.nodes = append(w.nodes, n)
		took, err := n.start()
		if err != nil {
			return nil, err
		}
		if i == 0 {
			w.ready = took
		}
	}
	return w, nil
}

// furnish makes the database of the run.
func (w *world) furnish() (err error) {
	s := &w.scene
	if w.database = s.in; s.in == "" {
		if w.database, err = w.engine.copyOf(w.bench.ctx, cmp.Or(s.from, seedName)); err != nil {
			return err
		}
	}
	if err := w.declare(s.hooks); err != nil || s.before == nil {
		return err
	}
	return s.before(w.database)
}

// declare writes who is to be told into the run's database, which servers may
// have open.
func (w *world) declare(h hooks) error {
	if h.URL == nil {
		h.URL = w.shop.endpoint
	}
	return declare(w.bench.ctx, w.engine.url(w.database), w.bench.key, declared(h))
}

// node is the i-th node, not yet started.
func (w *world) node(i int) *node {
	n := &node{
		binary: w.bench.binary, logTo: filepath.Join(w.engine.dir, fmt.Sprintf("%s-%d.log", w.database, i)),
		env: w.env(),
	}
	if w.bench.profiled != "" {
		n.binary, n.first = w.bench.profiler, []string{roleMark, "profiled", w.bench.profile(w.engine)}
	}
	return n
}

// env is the environment of the program.
func (w *world) env() []string {
	return []string{
		"TONGBO_DATABASE=" + w.engine.url(w.database), "TONGBO_KEY=" + w.bench.key.Text().Reveal(),
		"TONGBO_LOG_LEVEL=" + w.bench.logLevel, "TONGBO_V1_LISTEN=", "PATH=" + os.Getenv("PATH"),
	}
}

// notices is where the first node takes notices.
func (w *world) notices() string { return w.nodes[0].url("/kcp-v2") }

// close stops everything, checks what the database holds, and removes it.
func (w *world) close() error {
	var errs []error
	for _, n := range w.nodes {
		errs = append(errs, n.stop())
	}
	if !w.scene.synthetic {
		errs = append(errs, w.verify())
	}
	errs = append(errs, w.shop.child.end())
	if w.scene.in == "" {
		errs = append(errs, w.engine.drop(w.bench.ctx, w.database))
	}
	return errors.Join(errs...)
}

// abandon ends whatever runs.
func (w *world) abandon() {
	for _, n := range w.nodes {
		n.kill()
	}
	if w.shop != nil && w.shop.child != nil {
		w.shop.child.kill()
	}
	if w.database != "" && w.scene.in == "" {
		_ = w.engine.drop(context.WithoutCancel(w.bench.ctx), w.database) // there is an error already
	}
}

// verify runs `tongbo verify`.
func (w *world) verify() error {
	c := exec.CommandContext(w.bench.ctx, w.bench.binary, "verify")
	c.Env = w.env()
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("verify: %w\n%s", err, out)
	}
	return nil
}

// with makes a world, runs a measure in it, and closes it.
func (b *bench) with(e *engine, s scene, run func(*world) error) error {
	w, err := b.open(e, s)
	if err != nil {
		return err
	}
	if err := run(w); err != nil {
		log := w.nodes[0].log() // of the life that it has
		w.abandon()
		return fmt.Errorf("%w\nthe end of the server's log:\n%s", err, log)
	}
	return w.close()
}

// A usage is what a part of a run cost.
type usage struct {
	at               time.Time
	server, database time.Duration
}

// usage is the CPU time that the nodes and the database have used so far.
func (w *world) usage() usage {
	u := usage{at: time.Now(), database: w.engine.cpu()}
	for _, n := range w.nodes {
		u.server += cpuOf(n.pid())
	}
	return u
}

// fire has a generator send, and notes what that cost until the shop has
// answered for it all: cores that were busy on average, and the memory of the
// first node.
func (w *world) fire(t topic, j job) (v volley, arrived []arrival, err error) {
	s, err := shoot(j)
	if err != nil {
		return v, nil, err
	}
	before := w.usage()
	if v, err = s.wait(); err != nil {
		return v, nil, err
	}
	end := v.last()
	if w.scene.hooks.Endpoints > 0 {
		if arrived, err = w.settled(v.sendings, stragglers); err != nil {
			return v, nil, err
		}
		end = land(nil, arrived, nil).last
	}
	now, span := w.usage(), end.Sub(v.Start).Seconds()
	t.note("CPU of the server", cores, "", (now.server-before.server).Seconds()/span)
	if w.engine.postgres() {
		t.note("CPU of PostgreSQL", cores, "", (now.database-before.database).Seconds()/span)
	}
	t.note("CPU of the generator", cores, "", v.CPU.Seconds()/span)
	t.note("RSS of the server", megabytes, "", residentOf(w.nodes[0].pid()))
	return v, arrived, nil
}

// busy is how many cores the nodes have kept busy on average since.
func (w *world) busy(before usage) float64 {
	now := w.usage()
	return (now.server - before.server).Seconds() / now.at.Sub(before.at).Seconds()
}
