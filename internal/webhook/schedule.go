package webhook

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// A Schedule says when a delivery is tried again: a preset's name, or a JSON
// list of delays such as ["1m","4m"]. The empty Schedule is Default.
type Schedule string

// The presets. PortOne's own words are kept in the default; PortOne2024 is
// its page today; Toss is Toss Payments'.
const (
	PortOne     Schedule = "portone"
	PortOne2024 Schedule = "portone-2024"
	Toss        Schedule = "toss"
	// Once is for a resend by hand: one try and no more.
	Once Schedule = "once"

	Default = PortOne
)

// jitter says how a delay is varied.
type jitter int

const (
	noJitter   jitter = iota
	fullJitter        // uniform in [0, d]
	upJitter          // uniform in [d, 1.1 d]; a delay of 0 becomes up to 5 s
)

type plan struct {
	delays  []time.Duration
	jitter  jitter
	only200 bool
}

var presets = map[Schedule]plan{
	PortOne:     {minutes(0, 1, 4, 16, 256), upJitter, false},
	PortOne2024: {minutes(1, 4, 16, 64, 256), fullJitter, false},
	Toss:        {minutes(1, 4, 16, 64, 256, 1024, 4096), noJitter, true},
	Once:        {nil, noJitter, false},
}

// Custom lists may hold at most maxTries-1 delays of at most maxDelay.
const (
	maxTries  = 50
	maxDelay  = 30 * 24 * time.Hour
	soonAfter = 5 * time.Second // where "at once" becomes after a failed try
)

func minutes(m ...int) []time.Duration {
	out := make([]time.Duration, len(m))
	for i, n := range m {
		out[i] = time.Duration(n) * time.Minute
	}
	return out
}

// ParseSchedule reads a preset's name or a JSON list of delays. It reports
// fault.Invalid for anything else.
func ParseSchedule(s string) (Schedule, error) {
	sch := Schedule(strings.TrimSpace(s))
	if sch == "" {
		return Default, nil
	}
	if sch == Once {
		return "", fault.Errorf(fault.Invalid, "schedule %q is not one to choose", s)
	}
	if _, err := sch.plan(); err != nil {
		return "", err
	}
	return sch, nil
}

// CustomSchedule makes a schedule of the operator's own list of delays.
// None at all makes a single try.
func CustomSchedule(delays []string) (Schedule, error) {
	if delays == nil {
		delays = []string{}
	}
	b, err := json.Marshal(delays)
	if err != nil {
		return "", fault.Errorf(fault.Invalid, "schedule: %w", err)
	}
	return ParseSchedule(string(b))
}

func (s Schedule) plan() (plan, error) {
	if s == "" {
		s = Default
	}
	if p, ok := presets[s]; ok {
		return p, nil
	}
	var list []string
	if err := json.Unmarshal([]byte(s), &list); err != nil || list == nil {
		return plan{}, fault.Errorf(fault.Invalid, "schedule %q: want portone, portone-2024, toss or a list such as [\"1m\", \"4m\"]", string(s))
	}
	if len(list) >= maxTries {
		return plan{}, fault.Errorf(fault.Invalid, "schedule has %d delays: at most %d", len(list), maxTries-1)
	}
	p := plan{delays: make([]time.Duration, len(list)), jitter: noJitter}
	for i, text := range list {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > maxDelay {
			return plan{}, fault.Errorf(fault.Invalid, "schedule: delay %q: want a time such as 30s, 4m or 2h, at most 720h", text)
		}
		p.delays[i] = d
	}
	return p, nil
}

// Tries is how many tries the schedule makes in all, the first included.
func (s Schedule) Tries() int {
	p, err := s.plan()
	if err != nil {
		return 1
	}
	return len(p.delays) + 1
}

// Good reports whether an answer with this status ends a delivery well: any
// 2xx, or exactly 200 where the preset's documents ask for it.
func (s Schedule) Good(status int) bool {
	p, err := s.plan()
	if err == nil && p.only200 {
		return status == 200
	}
	return status >= 200 && status <= 299
}

// A Random is a source of numbers uniform in [0, 1).
type Random func() float64

// SystemRandom is the source that production uses.
func SystemRandom() float64 { return rand.Float64() } //nolint:gosec // spreads load; no secret depends on it

// After is the delay after the n-th failed try (from 1), varied by r as the preset
// says (a nil r: nominal), and false if the schedule ends there. retryAfter
// is what the endpoint asked for, 0 if nothing; it lengthens the delay, at
// most up to the next nominal one.
func (s Schedule) After(n int, retryAfter time.Duration, r Random) (time.Duration, bool) {
	p, err := s.plan()
	if err != nil || n < 1 || n > len(p.delays) {
		return 0, false
	}
	d := p.vary(p.delays[n-1], r)
	longest := p.delays[len(p.delays)-1]
	if n < len(p.delays) {
		longest = p.delays[n]
	}
	if retryAfter > longest {
		retryAfter = longest
	}
	return max(d, retryAfter), true
}

func (p plan) vary(d time.Duration, r Random) time.Duration {
	if r == nil {
		return d
	}
	switch p.jitter {
	case fullJitter:
		return time.Duration(r() * float64(d))
	case upJitter:
		if d == 0 {
			return time.Duration(r() * float64(soonAfter))
		}
		return d + time.Duration(r()*float64(d)/10)
	case noJitter:
	}
	return d
}
