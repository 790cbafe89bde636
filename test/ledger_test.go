package test

import (
	"sync"
	"time"
)

// A ledger is what the PG wrote down: every try and every answer, before the
// next step. It lives outside of the program, as the PG does, and no blow in
// these tests strikes it: memory is enough, and leaves the disk to the program.
type ledger struct {
	mu     sync.Mutex
	orders map[string]*order
	tries  []try
}

// A kind is a story that a deposit may have.
type kind string

const (
	plain    kind = "plain"    // registered, then paid
	early    kind = "early"    // paid, then registered
	repeated kind = "repeated" // told again after it was acknowledged
	twice    kind = "twice"    // told twice at the same moment
	short    kind = "short"    // another amount than registered
)

// An order is what the ledger knows of one.
type order struct {
	kind       kind
	sent       int // notices, whatever became of them
	acked      int // notices that the PG need not send again
	registered bool
}

// A try is one notice that was sent.
type try struct {
	At     time.Time
	Order  string
	Kind   kind
	What   string // notice or registration
	Took   time.Duration
	Status int // 0: no answer
	Acked  bool
}

// write notes a try.
func (l *ledger) write(t try) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.orders[t.Order]
	if o == nil {
		o = &order{kind: t.Kind}
		l.orders[t.Order] = o
	}
	l.tries = append(l.tries, t)
	switch {
	case t.What == "registration":
		o.registered = o.registered || t.Acked
	case t.Acked:
		o.sent, o.acked = o.sent+1, o.acked+1
	default:
		o.sent++
	}
}

// counts are how many notices were sent and acknowledged so far.
func (l *ledger) counts() (sent, acked int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.orders {
		sent, acked = sent+o.sent, acked+o.acked
	}
	return sent, acked
}

// between are the notices that were sent and answered within a span.
func (l *ledger) between(from, to time.Time) []try {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []try
	for _, t := range l.tries {
		if t.What == "notice" && !t.At.Before(from) && !t.At.Add(t.Took).After(to) {
			out = append(out, t)
		}
	}
	return out
}
