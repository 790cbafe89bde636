package simulator

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// tolerance is how far a webhook's timestamp may be from now, as the SDKs of
// Standard Webhooks have it.
const tolerance = 5 * time.Minute

// maxWebhook is the longest webhook that a shop reads.
const maxWebhook = 1 << 20

// A Shop is a merchant's server that listens for webhooks (상점 서버). It
// checks signatures, remembers every call, and answers as its script says.
// Fields are set before it serves; its methods are safe for concurrent use.
// The zero Shop takes everything and answers 200.
type Shop struct {
	// Secrets are what webhooks are signed with; one of them has to fit. A
	// webhook that fits none is answered with 401 and takes no answer from the
	// script. Without secrets nothing is checked.
	Secrets []secret.Text
	// Answers are the statuses of the first answers; all later ones are 200.
	Answers []int
	// Delay is how long the shop thinks before it answers. A call is
	// remembered when it comes.
	Delay time.Duration
	// Manner, if set, says how the shop answers once Answers are given, and
	// how long it thinks. It is asked about one call at a time, and must not block.
	Manner func(Call) Answer

	mu      sync.Mutex
	calls   []Call
	script  int           // how many of Answers were given
	log     *os.File      // nil if there is none
	changed chan struct{} // closed at the next call; nil if nobody waits
}

// A Call is one webhook that came, and what the shop answered.
type Call struct {
	At       time.Time   `json:"at"`
	ID       string      `json:"id"`                 // webhook-id; the same on every try
	Sent     time.Time   `json:"sent,omitzero"`      // webhook-timestamp
	Verified bool        `json:"verified,omitempty"` // a signature fitted
	Status   int         `json:"status"`             // of the answer
	Header   http.Header `json:"header,omitempty"`
	Body     []byte      `json:"body"` // base64 in the log: exact whatever came
}

// An Answer is how a shop answers a webhook.
type Answer struct {
	Status int
	After  time.Duration // how long it thinks
	// Body is text, or HTML if it begins like it.
	Body string
}

// OpenLog has the shop write every call to the end of a file, one JSON object
// a line, and sync it before it answers: what a shop said yes to is on disk.
// A call that can't be written is answered with 500. ReadLog reads the file. A
// line that a crash left unfinished is removed.
func (s *Shop) OpenLog(path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the shop's log: %w", err)
	}
	b, err := io.ReadAll(f)
	if err == nil {
		err = f.Truncate(int64(bytes.LastIndexByte(b, '\n') + 1))
	}
	if err != nil {
		return fmt.Errorf("open the shop's log: %w", errors.Join(err, f.Close()))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = f
	return nil
}

// Close closes the log, if there is one. Calls that come later are answered
// with 500.
func (s *Shop) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.log == nil {
		return nil
	}
	return s.log.Close()
}

// ReadLog returns the calls in a shop's log, oldest first. A last line that a
// crash left unfinished is passed over, since no answer followed it.
func ReadLog(path string) ([]Call, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the shop's log: %w", err)
	}
	var calls []Call
	for line := range strings.Lines(string(b)) {
		if !strings.HasSuffix(line, "\n") {
			break
		}
		var c Call
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			return calls, fmt.Errorf("shop's log, line %d: %w", len(calls)+1, err)
		}
		calls = append(calls, c)
	}
	return calls, nil
}

// ServeHTTP takes one webhook.
func (s *Shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "webhooks are posted", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
	if err != nil {
		http.Error(w, "body not read", http.StatusBadRequest)
		return
	}
	c := Call{At: time.Now(), ID: r.Header.Get(webhook.HeaderID), Header: r.Header.Clone(), Body: body}
	if seconds, err := strconv.ParseInt(r.Header.Get(webhook.HeaderTimestamp), 10, 64); err == nil {
		c.Sent = time.Unix(seconds, 0)
	}
	c.Verified = s.fits(c)
	a := s.record(c)
	if !pause(r.Context(), a.After) {
		return // the caller has hung up
	}
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body) // a caller that left doesn't hear it
}

// pause reports whether d went by before ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	return d <= 0 || wait(ctx, d) == nil
}

// fits reports whether a signature of the call was made with one of the shop's
// secrets, not long ago.
func (s *Shop) fits(c Call) bool {
	if c.ID == "" || c.Sent.IsZero() || c.At.Sub(c.Sent).Abs() > tolerance {
		return false
	}
	given := strings.Fields(c.Header.Get(webhook.HeaderSignature))
	fits := false
	for _, key := range s.Secrets {
		want, err := webhook.Sign(c.ID, c.Sent, c.Body, key)
		if err != nil {
			continue
		}
		for _, g := range given {
			fits = subtle.ConstantTimeCompare([]byte(g), []byte(want)) == 1 || fits
		}
	}
	return fits
}

// record decides on the answer, remembers the call with it, and wakes who
// waits.
func (s *Shop) record(c Call) Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := Answer{Status: http.StatusOK, After: s.Delay}
	switch {
	case len(s.Secrets) > 0 && !c.Verified:
		a.Status = http.StatusUnauthorized
	case s.script < len(s.Answers):
		a.Status = s.Answers[s.script]
		s.script++
	case s.Manner != nil:
		a = s.Manner(c)
	}
	c.Status = a.Status
	if err := s.write(c); err != nil {
		a = Answer{Status: http.StatusInternalServerError, After: a.After}
		c.Status = a.Status
	}
	s.calls = append(s.calls, c)
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
	return a
}

func (s *Shop) write(c Call) error {
	if s.log == nil {
		return nil
	}
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if _, err := s.log.Write(append(line, '\n')); err != nil {
		return err
	}
	return s.log.Sync()
}

// Calls returns every call so far, in the order in which they were recorded.
func (s *Shop) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Take returns every call so far, as Calls does, and forgets them: a shop that
// goes on for long does not fill the memory.
func (s *Shop) Take() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// Accepted returns, for each webhook id, the first call that was answered with
// a 2xx status: what the merchant has learnt, each thing once.
func (s *Shop) Accepted() []Call { return Accepted(s.Calls()) }

// Accepted picks, out of calls, the first good one of each webhook id.
func Accepted(calls []Call) []Call {
	seen := map[string]bool{}
	var out []Call
	for _, c := range calls {
		if c.Status/100 == 2 && !seen[c.ID] {
			seen[c.ID] = true
			out = append(out, c)
		}
	}
	return out
}

// Wait returns the calls as soon as there are n or more that were not taken. It reports the
// context's error, with the calls so far, if that ends first.
func (s *Shop) Wait(ctx context.Context, n int) ([]Call, error) {
	for {
		calls, changed := s.watch()
		if len(calls) >= n {
			return calls, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return calls, fmt.Errorf("%d of %d webhooks came: %w", len(calls), n, context.Cause(ctx))
		}
	}
}

func (s *Shop) watch() ([]Call, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return slices.Clone(s.calls), s.changed
}
