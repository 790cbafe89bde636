package delivery

import (
	"strconv"
	"testing"

	"github.com/tongbo/tongbo/internal/webhook"
)

// run begins and ends n tries of a target.
func (t *targets) run(name string, n int, o webhook.Outcome) {
	for range n {
		t.begin(name)
		t.end(name, o)
		t.release(name)
	}
}

func TestBadHealthShrinksTheCap(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(*targets)
		want int
	}{
		{"nothing known", func(*targets) {}, 100},
		{"nine failures", func(t *targets) { t.run("a", 9, webhook.NoAnswer) }, 100},
		{"ten failures", func(t *targets) { t.run("a", 10, webhook.BadAnswer) }, badLimit},
		{"failures of several kinds", func(t *targets) {
			t.run("a", 4, webhook.NoConnect)
			t.run("a", 3, webhook.NotAllowed)
			t.run("a", 3, webhook.NoAnswer)
		}, badLimit},
		{"one success restores", func(t *targets) { t.run("a", 50, webhook.NoAnswer); t.run("a", 1, webhook.Good) }, 100},
		{"a success between", func(t *targets) {
			t.run("a", 9, webhook.NoAnswer)
			t.run("a", 1, webhook.Good)
			t.run("a", 9, webhook.NoAnswer)
		}, 100},
		{"a deleted endpoint says nothing", func(t *targets) { t.run("a", 20, webhook.Gone) }, 100},
		{"a try that the stop cut says nothing", func(t *targets) { t.run("a", 20, "") }, 100},
		{"another target's failures", func(t *targets) { t.run("b", 20, webhook.NoAnswer) }, 100},
	} {
		targets := newTargets()
		c.do(targets)
		if got := targets.free("a", 100); got != c.want {
			t.Errorf("%s: free = %d, want %d", c.name, got, c.want)
		}
	}
}

func TestFreeCountsTries(t *testing.T) {
	targets := newTargets()
	targets.begin("a")
	targets.begin("a")
	if got := targets.free("a", 3); got != 1 {
		t.Errorf("with two tries going on, free(3) = %d, want 1", got)
	}
	targets.end("a", webhook.Good) // not recorded yet, but no longer a try
	if got := targets.free("a", 3); got != 2 {
		t.Errorf("with one try going on, free(3) = %d, want 2", got)
	}
	if got := targets.free("a", 0); got != 0 {
		t.Errorf("free(0) = %d, want 0", got)
	}
	if got := targets.ask(10); got != 8 {
		t.Errorf("with two jobs in hand of 10, room is %d, want 8", got)
	}
}

// A release asks for another look only if something may wait for its room.
func TestReleaseLooksAgain(t *testing.T) {
	for _, c := range []struct {
		name    string
		limit   int
		total   bool
		limited bool
		look    bool
	}{
		{"there was room to spare", 5, false, false, false},
		{"the target was full", 1, false, true, true},
		{"the whole was full", 5, true, true, true},
	} {
		targets := newTargets()
		targets.ask(10)
		targets.free("a", c.limit)
		if c.total {
			targets.short()
		}
		targets.begin("a")
		limited, look := targets.settle(1)
		if limited != c.limited || look {
			t.Errorf("%s: settle = %v, %v, want %v, false", c.name, limited, look, c.limited)
		}
		targets.end("a", webhook.Good)
		if got := targets.release("a"); got != c.look {
			t.Errorf("%s: release = %v, want %v", c.name, got, c.look)
		}
	}
}

// Room that appears while the claim runs is not overlooked.
func TestSettleSeesRoomOfMeanwhile(t *testing.T) {
	targets := newTargets()
	targets.ask(10)
	targets.begin("a")
	if n := targets.free("a", 1); n != 0 {
		t.Fatalf("free = %d, want 0", n)
	}
	targets.end("a", webhook.Good)
	if limited, look := targets.settle(10); !limited || !look {
		t.Errorf("settle = %v, %v, want true, true", limited, look)
	}
}

func TestTargetsAreForgotten(t *testing.T) {
	targets := newTargets()
	targets.begin("kept")
	for i := range maxTargets + 10 {
		targets.run("https://"+strconv.Itoa(i), 1, webhook.NoAnswer)
	}
	targets.ask(10)
	targets.settle(10)
	if n := len(targets.by); n != 1 || targets.by["kept"].held != 1 {
		t.Errorf("%d targets are remembered, want only the one in hand", n)
	}
}
