package delivery

import (
	"maps"
	"sync"

	"github.com/tongbo/tongbo/internal/webhook"
)

const (
	badAfter   = 10   // failed tries in a row make a target's health bad
	badLimit   = 8    // tries at once while it is
	maxTargets = 4096 // targets remembered while they have nothing in hand
)

// Targets are what is in hand for each target, and how it has answered lately.
// Bad health shrinks a cap and does nothing else: it orders nothing, moves no
// due time and drops nothing. Safe for concurrent use.
type targets struct {
	mu    sync.Mutex
	by    map[string]*target
	asked []*target // in the last claim
	all   int       // between claim and record, of all targets
	total bool      // the last claim was limited by the total
}

type target struct {
	trying   int  // tries going on
	held     int  // between claim and record, the tries included
	failures int  // in a row
	limit    int  // of tries at once, at the last question
	asked    bool // free was called in the last claim
	room     int  // what it said, less what was begun since
}

func newTargets() *targets { return &targets{by: map[string]*target{}} }

// ask begins a claim and says how many jobs there is room for in all. If there
// is none, the next release asks for another look.
func (t *targets) ask(most int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, one := range t.asked {
		one.asked = false
	}
	t.asked = t.asked[:0]
	t.total = t.all >= most
	return most - t.all
}

// free is how many more tries of the target may begin, given its cap.
func (t *targets) free(name string, limit int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.at(name)
	if one.failures >= badAfter {
		limit = min(limit, badLimit)
	}
	if !one.asked {
		t.asked = append(t.asked, one)
	}
	one.asked, one.limit, one.room = true, limit, max(0, limit-one.trying)
	return one.room
}

// short notes that the claim got as many jobs as there was room for in all, so
// that more may be due.
func (t *targets) short() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total = true
}

// settle ends a claim. It reports whether the claim may have left something for
// want of room, and whether that room has appeared meanwhile.
func (t *targets) settle(most int) (limited, look bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	limited, look = t.total, t.total && t.all < most
	for _, one := range t.asked {
		if one.room <= 0 {
			limited = true
			look = look || one.trying < one.limit
		}
	}
	if len(t.by) > maxTargets {
		// Forgotten health costs no more than a wider cap for ten tries.
		maps.DeleteFunc(t.by, func(_ string, one *target) bool { return one.held == 0 })
	}
	return limited, look
}

// begin notes that a try of the target begins.
func (t *targets) begin(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.at(name)
	one.trying++
	one.held++
	one.room--
	t.all++
}

// end notes how a try ended; the empty outcome says nothing of the target.
func (t *targets) end(name string, o webhook.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.at(name)
	one.trying--
	switch o {
	case webhook.Good:
		one.failures = 0
	case webhook.BadAnswer, webhook.NoAnswer, webhook.NoConnect, webhook.NotAllowed:
		one.failures++
	case webhook.Gone, "":
	}
}

// release notes that the job of a try is no longer in hand. It reports whether
// the last claim may have left something for want of this room.
func (t *targets) release(name string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.at(name)
	one.held--
	t.all--
	return t.total || (one.asked && one.room <= 0)
}

func (t *targets) at(name string) *target {
	one := t.by[name]
	if one == nil {
		one = &target{}
		t.by[name] = one
	}
	return one
}
