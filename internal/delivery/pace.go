package delivery

import (
	"math"
	"runtime"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/webhook"
)

const (
	// perProcessor is how many deliveries a second are claimed for each
	// processor, if nothing else is said: about two thirds of what one carries
	// when it does nothing else.
	perProcessor = 1500
	// beat is how far apart claims of a backlog are at least. One of them, and
	// the outcomes of one, are what a notice may have to wait for.
	beat = 10 * time.Millisecond
	// spared is how many beats' worth may be made up for in one claim. It is
	// little, so that the pace is slower where claims are late because the
	// processors or the database are busy with other things.
	spared = 2
)

// A pace bounds how fast deliveries are claimed, so that a backlog leaves the
// processors and the database to what is made meanwhile. What this node made and
// had no room for comes with a permission of its own: only what waited already,
// or comes from elsewhere, is held back, and intake that is faster than the pace
// is followed. Safe for concurrent use.
type pace struct {
	rate float64 // a second

	mu   sync.Mutex
	at   time.Time // when saved was counted
	some float64   // that may be claimed
	owed int       // first tries that this node made and did not take
	most int       // of them
}

func newPace(rate, most int) *pace {
	p := &pace{rate: float64(rate), most: most}
	p.some = p.full()
	return p
}

// defaultPace is that of a whole machine.
func defaultPace() int { return perProcessor * runtime.GOMAXPROCS(0) }

// one is a beat's worth, and full what may be saved up.
func (p *pace) one() float64  { return max(1, p.rate*beat.Seconds()) }
func (p *pace) full() float64 { return p.one() * spared }

// owe lets one first try more be claimed.
func (p *pace) owe() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owed = min(p.owed+1, p.most)
}

// allow says how much may be claimed now, in all and of what was tried before;
// if that is nothing, there is more after wait.
func (p *pace) allow(now time.Time) (total, retries int, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count(now)
	if p.some >= p.one() {
		retries = int(p.some)
	}
	return retries + p.owed, retries, p.wait()
}

// spend counts what was claimed, and says how long until there is more.
func (p *pace) spend(jobs []webhook.Job, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count(now)
	for _, j := range jobs {
		if j.Tries == 0 && p.owed > 0 {
			p.owed--
		} else {
			p.some--
		}
	}
	return p.wait()
}

func (p *pace) count(now time.Time) {
	if !p.at.IsZero() {
		p.some = min(p.full(), p.some+p.rate*now.Sub(p.at).Seconds())
	}
	p.at = now
}

// wait is until a beat's worth is there.
func (p *pace) wait() time.Duration {
	missing := max(0, p.one()-p.some) / p.rate
	return time.Duration(math.Ceil(missing * float64(time.Second)))
}
