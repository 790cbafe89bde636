package test

import (
	"encoding/json"
	"os"
	"sync"
	"time"
)

// A ledger is what the PG wrote down: every try and every answer, on disk
// before the next step. It lives outside of the program, as the PG does.
type ledger struct {
	mu      sync.Mutex
	file    *os.File
	orders  map[string]*order
	tries   []try
	damaged error // the ledger itself could not be written
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
	At     time.Time     `json:"at"`
	Order  string        `json:"order"`
	Kind   kind          `json:"kind"`
	What   string        `json:"what"` // notice or registration
	Took   time.Duration `json:"took"`
	Status int           `json:"status"` // 0: no answer
	Acked  bool          `json:"acked"`
}

func openLedger(path string) (*ledger, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	return &ledger{file: f, orders: map[string]*order{}}, err
}

// write notes a try and syncs the file.
func (l *ledger) write(t try) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line, err := json.Marshal(t)
	if err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	if err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		l.damaged = err
	}
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
