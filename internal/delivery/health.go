package delivery

import (
	"maps"
	"sync"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/webhook"
)

const (
	firstWindow = 32   // tries at once of a target that nothing is known of
	badAfter    = 10   // failed tries in a row make a target's health bad
	badWindow   = 8    // tries at once while it is
	maxTargets  = 4096 // targets remembered while they have nothing in hand
)

// Targets are what is in hand for each target, and how it has answered lately.
// That decides how many tries may go on at once and nothing else: it orders
// nothing, moves no due time and drops nothing. Safe for concurrent use.
type targets struct {
	most int // between claim and record, of all targets

	mu       sync.Mutex
	by       map[string]*target
	held     map[merchant.ID]int // between claim and record
	all      int                 // the same, of all merchants
	asked    []*target           // in the last claim
	starved  []*target           // of those, the ones that were left without room
	behind   []*target           // those of which it left first tries
	waiting  []*target           // for which something waits that the claim under way may not see
	total    bool                // the last claim was limited by the total, or there was none yet
	kept     int                 // beyond which targets are looked at that may be forgotten
	promise  int                 // what the claim under way may take at most
	reserved int                 // how often reserve was asked since

	// What the claim under way has taken and not begun yet.
	taken map[merchant.ID]int
	seen  int
}

type target struct {
	owner    merchant.ID
	trying   int  // tries going on
	held     int  // between claim and record, the tries included
	failures int  // in a row
	window   int  // tries at once that it has earned
	limit    int  // its own cap, at the last question
	asked    bool // free was called in the last claim
	room     int  // what it said, less what was begun since
	behind   bool // the last claim left some of its first tries
	reserved int  // how often reserve was asked since the last claim
	waits    bool // it is one of those that wait
}

func newTargets(most int) *targets {
	return &targets{most: most, total: true, by: map[string]*target{}, held: map[merchant.ID]int{}, taken: map[merchant.ID]int{}}
}

// ask begins a claim of at most limit jobs and says how many there is room for
// in all. If there is none, the next release asks for another look.
func (t *targets) ask(limit int) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, one := range t.asked {
		one.asked = false
	}
	t.asked = t.asked[:0]
	for _, one := range t.waiting {
		one.waits = false
	}
	t.waiting = t.waiting[:0]
	t.forget()
	t.total = t.all >= t.most
	t.promise = t.most - t.all
	t.promise = min(t.promise-min(t.promise/leftFree, t.reserved), limit)
	t.reserved = 0
	return t.promise
}

// forget ends the count of what the claim under way has taken.
func (t *targets) forget() {
	clear(t.taken)
	t.seen = 0
}

// free is how many more tries of a target may begin, given whose it is, its
// cap, and what the claim has taken so far. A claim that begins anew, because
// its transaction is repeated, comes with an empty taken.
func (t *targets) free(name string, owner merchant.ID, limit int, taken []webhook.Job) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(taken) < t.seen {
		t.forget()
	}
	for _, j := range taken[t.seen:] {
		t.taken[j.Merchant]++
	}
	t.seen = len(taken)
	one := t.at(name)
	if !one.asked {
		t.asked = append(t.asked, one)
	}
	one.owner, one.limit, one.asked = owner, limit, true
	one.room = t.room(one)
	one.room -= min(one.room/leftFree, one.reserved)
	return one.room
}

// leftFree is the part of the room that a claim leaves to deliveries that are
// made while it is under way, where some were made lately.
const leftFree = 4

// reserve begins a try of a delivery that is being made, if there is room that
// no claim was promised and no other delivery of its target waits for.
func (t *targets) reserve(name string, owner merchant.ID, limit int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.at(name)
	one.owner, one.limit = owner, limit
	t.reserved++
	one.reserved++
	room := t.room(one)
	if one.asked && t.promise > 0 {
		room -= min(max(one.room, 0), t.promise)
	}
	if t.total || t.all+t.promise >= t.most || one.behind || room <= 0 {
		return false
	}
	t.hold(one)
	return true
}

// hold counts a try that begins.
func (t *targets) hold(one *target) {
	one.trying++
	one.held++
	t.held[one.owner]++
	t.all++
}

// room is how many more tries of a target may begin now. A merchant may have
// in hand as much as then remains for all others.
func (t *targets) room(one *target) int {
	left := t.most - t.all - t.seen
	share := (left - t.held[one.owner] - t.taken[one.owner] + 1) / 2
	return max(0, min(one.limit-one.trying, one.window-one.trying, share))
}

// short notes that the claim got as many jobs as there was room for in all, so
// that more may be due.
func (t *targets) short() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.total = true
}

// settle ends a claim, which left first tries of some targets. It reports whether the claim may have left something for
// want of room, and whether that room has appeared meanwhile.
func (t *targets) settle(left []string) (limited, look bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget()
	t.promise = 0
	for _, one := range t.behind {
		one.behind = false
	}
	t.behind = t.behind[:0]
	for _, name := range left {
		one := t.at(name)
		one.behind = true
		t.behind = append(t.behind, one)
	}
	t.starved = t.starved[:0]
	limited, look = t.total, t.total && t.all < t.most
	for _, one := range t.asked {
		one.reserved = 0
		if one.room <= 0 {
			t.starved = append(t.starved, one)
			limited = true
			look = look || t.room(one) > 0
		}
	}
	for _, one := range t.waiting {
		t.starved = append(t.starved, one)
		look = look || t.room(one) > 0
	}
	t.forgetSome()
	return limited || len(t.waiting) > 0, look
}

// left notes that something waits for each of the named targets. It reports
// whether there is room for one of them now; else, its release asks for a look.
func (t *targets) left(names []string) (look bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range names {
		one := t.at(name)
		if one.limit == 0 || t.room(one) > 0 { // no limit is known of one that was not asked for
			look = true
		}
		if !one.waits {
			one.waits = true
			t.waiting = append(t.waiting, one)
			t.starved = append(t.starved, one)
		}
	}
	return look
}

// forgetSome forgets targets that have nothing in hand, if there are many.
// Forgotten health costs no more than a wider cap for ten tries.
func (t *targets) forgetSome() {
	if len(t.by) > max(maxTargets, t.kept) {
		maps.DeleteFunc(t.by, func(_ string, one *target) bool { return one.held == 0 && !one.asked && !one.behind && !one.waits })
		t.kept = 2 * len(t.by) // looked at again when there are twice as many
	}
}

// begin notes that a try of the job begins.
func (t *targets) begin(job webhook.Job) {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.at(job.Target)
	one.owner = job.Merchant
	one.room--
	t.promise--
	t.hold(one)
}

// end notes how a try ended; the empty outcome says nothing of the target.
// Each success earns a try more at once, so that the window doubles with each
// windowful of them.
func (t *targets) end(name string, o webhook.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.at(name)
	one.trying--
	switch o {
	case webhook.Good:
		one.failures = 0
		if one.window < one.limit {
			one.window++
		}
	case webhook.BadAnswer, webhook.NoAnswer, webhook.NoConnect, webhook.NotAllowed:
		if one.failures++; one.failures >= badAfter {
			one.window = min(one.window, badWindow)
		}
	case webhook.Gone, webhook.Stopped, "":
	}
}

// release notes that a job that was begun is no longer in hand. It reports
// whether the last claim may have left something for want of this room.
func (t *targets) release(job webhook.Job) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.at(job.Target).held--
	if t.held[job.Merchant]--; t.held[job.Merchant] == 0 {
		delete(t.held, job.Merchant)
	}
	t.all--
	t.forgetSome()
	look := t.total
	for _, one := range t.starved {
		look = look || t.room(one) > 0
	}
	return look
}

func (t *targets) at(name string) *target {
	one := t.by[name]
	if one == nil {
		one = &target{window: firstWindow}
		t.by[name] = one
	}
	return one
}
