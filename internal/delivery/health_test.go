package delivery

import (
	"strconv"
	"testing"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/webhook"
)

func job(target string) webhook.Job {
	return webhook.Job{Delivery: webhook.Delivery{Target: target, Merchant: "m"}}
}

// run begins and ends n tries of a target.
func (t *targets) run(name string, n int, o webhook.Outcome) {
	for range n {
		t.begin(job(name))
		t.end(name, o)
		t.release(job(name))
	}
}

func TestWindow(t *testing.T) {
	good := func(n int) func(*targets) { return func(t *targets) { t.run("a", n, webhook.Good) } }
	for _, c := range []struct {
		name string
		do   func(*targets)
		want int
	}{
		{"nothing known", func(*targets) {}, 32},
		{"a windowful of successes doubles it", good(32), 64},
		{"up to the cap", good(1000), 100},
		{"nine failures", func(t *targets) { t.run("a", 9, webhook.NoAnswer) }, 32},
		{"ten failures", func(t *targets) { t.run("a", 10, webhook.BadAnswer) }, badWindow},
		{"ten failures of one that had earned more", func(t *targets) { good(1000)(t); t.run("a", 10, webhook.BadAnswer) }, badWindow},
		{"failures of several kinds", func(t *targets) {
			t.run("a", 4, webhook.NoConnect)
			t.run("a", 3, webhook.NotAllowed)
			t.run("a", 3, webhook.NoAnswer)
		}, badWindow},
		{"a windowful of successes after failures", func(t *targets) { t.run("a", 50, webhook.NoAnswer); good(8)(t) }, 2 * badWindow},
		{"a success between", func(t *targets) {
			t.run("a", 9, webhook.NoAnswer)
			t.run("a", 1, webhook.Good)
			t.run("a", 9, webhook.NoAnswer)
		}, 33},
		{"a deleted endpoint says nothing", func(t *targets) { t.run("a", 20, webhook.Gone) }, 32},
		{"a try that the stop cut says nothing", func(t *targets) { t.run("a", 20, "") }, 32},
		{"another target's failures", func(t *targets) { t.run("b", 20, webhook.NoAnswer) }, 32},
	} {
		targets := newTargets(1000)
		targets.free("a", "m", 100, nil)
		c.do(targets)
		if got := targets.free("a", "m", 100, nil); got != c.want {
			t.Errorf("%s: free = %d, want %d", c.name, got, c.want)
		}
	}
}

const noLimit = 1 << 20 // of the pace

func TestFreeCountsTries(t *testing.T) {
	targets := newTargets(10)
	targets.begin(job("a"))
	targets.begin(job("a"))
	if got := targets.free("a", "m", 3, nil); got != 1 {
		t.Errorf("with two tries going on, free(3) = %d, want 1", got)
	}
	targets.end("a", webhook.Good) // not recorded yet, but no longer a try
	if got := targets.free("a", "m", 3, nil); got != 2 {
		t.Errorf("with one try going on, free(3) = %d, want 2", got)
	}
	if got := targets.free("a", "m", 0, nil); got != 0 {
		t.Errorf("free(0) = %d, want 0", got)
	}
	if got := targets.ask(noLimit); got != 8 {
		t.Errorf("with two jobs in hand of 10, room is %d, want 8", got)
	}
}

// A merchant has half of what is left, whatever it has many of.
func TestShares(t *testing.T) {
	of := func(m merchant.ID, n int) (list []webhook.Job) {
		for range n {
			list = append(list, webhook.Job{Delivery: webhook.Delivery{Merchant: m, Target: "of " + string(m)}})
		}
		return list
	}
	targets := newTargets(60)
	var taken []webhook.Job
	for _, step := range []struct {
		target string
		owner  merchant.ID
		want   int
	}{{"a", "m", 30}, {"b", "m", 0}, {"c", "n", 15}, {"d", "n", 0}, {"e", "o", 8}} {
		got := targets.free(step.target, step.owner, 50, taken)
		if got != step.want {
			t.Errorf("%s of %s may take %d, want %d", step.target, step.owner, got, step.want)
		}
		taken = append(taken, of(step.owner, got)...)
	}
	// The transaction is repeated: what it took before is forgotten.
	if got := targets.free("b", "m", 50, nil); got != 30 {
		t.Errorf("in a claim that begins anew free = %d, want 30", got)
	}
	targets.settle(nil)
	for _, j := range of("m", 30) {
		targets.begin(j)
	}
	targets.ask(noLimit)
	if got := targets.free("b", "m", 50, nil); got != 0 {
		t.Errorf("while the merchant's share is in hand, free = %d, want 0", got)
	}
	if limited, look := targets.settle(nil); !limited || look {
		t.Errorf("settle = %v, %v, want true, false", limited, look)
	}
	if !targets.release(of("m", 1)[0]) {
		t.Error("release of the merchant's own does not look again")
	}
	if got := newTargets(1).free("a", "m", 1, nil); got != 1 {
		t.Errorf("of a total of one, free = %d, want 1", got)
	}
}

// A release asks for another look only if something may wait for its room.
func TestReleaseLooksAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		most    int
		limit   int
		limited bool
	}{
		{"there was room to spare", 10, 5, false},
		{"the target was full", 10, 1, true},
		{"the whole was full", 1, 5, true},
	} {
		targets := newTargets(c.most)
		room := targets.ask(noLimit)
		targets.free("a", "m", c.limit, nil)
		targets.begin(job("a"))
		if room == 1 {
			targets.short()
		}
		limited, look := targets.settle(nil)
		if limited != c.limited || look {
			t.Errorf("%s: settle = %v, %v, want %v, false", c.name, limited, look, c.limited)
		}
		targets.end("a", webhook.Good)
		if got := targets.release(job("a")); got != c.limited {
			t.Errorf("%s: release = %v, want %v", c.name, got, c.limited)
		}
	}
}

// Room that appears while the claim runs is not overlooked.
func TestSettleSeesRoomOfMeanwhile(t *testing.T) {
	targets := newTargets(10)
	targets.ask(noLimit)
	targets.begin(job("a"))
	if n := targets.free("a", "m", 1, nil); n != 0 {
		t.Fatalf("free = %d, want 0", n)
	}
	targets.end("a", webhook.Good)
	if limited, look := targets.settle(nil); !limited || !look {
		t.Errorf("settle = %v, %v, want true, true", limited, look)
	}
}

func TestTargetsAreForgotten(t *testing.T) {
	targets := newTargets(10)
	targets.begin(job("kept"))
	for i := range maxTargets + 10 {
		targets.run("https://"+strconv.Itoa(i), 1, webhook.NoAnswer)
	}
	targets.ask(noLimit)
	targets.settle(nil)
	if n := len(targets.by); n > 100 || targets.by["kept"].held != 1 {
		t.Errorf("%d targets are remembered, want few, and the one in hand", n)
	}
	targets.end("kept", webhook.Good)
	targets.release(job("kept"))
	if n := len(targets.held); n != 0 {
		t.Errorf("%d merchants are remembered with nothing in hand", n)
	}
}

// What is reserved counts like what was claimed, and takes nothing that a claim
// was promised.
func TestReserve(t *testing.T) {
	claimed := func(t *targets, names ...string) {
		t.ask(noLimit)
		for _, name := range names {
			t.free(name, "m", 100, nil)
		}
	}
	ready := func(t *targets) { claimed(t); t.settle(nil) }
	for _, c := range []struct {
		name string
		do   func(*targets)
		want int
	}{
		{"before the first claim", func(*targets) {}, 0},
		{"nothing known", ready, 32},
		{"some tries are under way", func(t *targets) { ready(t); t.begin(job("a")) }, 31},
		{"up to the total", func(t *targets) {
			ready(t)
			for range 90 {
				t.begin(webhook.Job{Delivery: webhook.Delivery{Target: "b", Merchant: "n"}})
			}
		}, 5}, // half of what is left is for others
		{"a claim was promised all of the target's room", func(t *targets) { ready(t); claimed(t, "a") }, 0},
		{"a claim is under way for another target", func(t *targets) { ready(t); t.reserved = 100; claimed(t, "b") }, 25},
		{"a claim left some for want of room", func(t *targets) {
			claimed(t, "a")
			t.settle([]string{"a"})
		}, 0},
		{"the next claim left none", func(t *targets) {
			claimed(t, "a")
			t.settle([]string{"a"})
			claimed(t, "a")
			t.settle(nil)
		}, 32},
		{"retries took all, and some of it is free again", func(t *targets) {
			t.ask(noLimit)
			t.free("a", "m", 2, nil)
			t.begin(job("a"))
			t.begin(job("a"))
			t.settle(nil)
			t.end("a", webhook.Good)
			t.release(job("a"))
		}, 31},
		{"a claim of four is under way", func(t *targets) {
			ready(t)
			t.ask(4)
			t.free("a", "m", 100, nil)
		}, 28},
	} {
		targets := newTargets(100)
		c.do(targets)
		got := 0
		for targets.reserve("a", "m", 100) {
			got++
		}
		if got != c.want {
			t.Errorf("%s: %d can be reserved, want %d", c.name, got, c.want)
		}
	}
}

// What waits for a target is looked at when its room appears, whatever a claim
// meanwhile saw of it.
func TestLeft(t *testing.T) {
	full := func(targets *targets, during func()) {
		targets.ask(noLimit)
		targets.free("a", "m", 1, nil)
		targets.begin(job("a"))
		during()
		targets.settle(nil)
	}
	for _, c := range []struct {
		name      string
		do        func(*targets)
		now, then bool
	}{
		{"a target that is full", func(targets *targets) { full(targets, func() {}) }, false, true},
		{"one that nothing is known of", func(targets *targets) {
			targets.ask(noLimit)
			targets.settle(nil)
		}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			targets := newTargets(10)
			c.do(targets)
			if got := targets.left([]string{"a"}); got != c.now {
				t.Errorf("a look is wanted at once: %v, want %v", got, c.now)
			}
			if targets.at("a").held == 0 {
				return
			}
			targets.end("a", webhook.Good)
			if got := targets.release(job("a")); got != c.then {
				t.Errorf("a look is wanted at the release: %v, want %v", got, c.then)
			}
		})
	}
	targets := newTargets(10)
	full(targets, func() {})
	targets.ask(noLimit)
	targets.left([]string{"a"})
	targets.settle(nil)
	targets.end("a", webhook.Good)
	if !targets.release(job("a")) {
		t.Error("what came while a claim was under way is not looked at when there is room")
	}
}
