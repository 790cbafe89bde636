//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// A job is what a generator is to send.
type job struct {
	URL         string        `json:"url"`
	Orders      series        `json:"orders"`
	Count       int           `json:"count"`       // how many orders there are to send
	Connections int           `json:"connections"` // how many are sent at once, at most
	Rate        float64       `json:"rate"`        // a second; 0: the next as soon as one is answered
	For         time.Duration `json:"for"`         // no new one after this long
	Webhooks    bool          `json:"webhooks"`    // what a shop is sent, instead of notices
	Resend      bool          `json:"resend"`      // until it is acknowledged
}

// resendAfter is how soon the generator sends again what was not acknowledged.
const resendAfter = 20 * time.Millisecond

// giveUp is how long after the end of its time the generator sends again.
const giveUp = time.Minute

// A sending is what became of one order. Times are UTC nanoseconds.
type sending struct {
	Order  order
	Due    int64 // when it was to be sent
	Done   int64 // when the answer had been read
	Status int   // 0: no answer
	Tries  int
}

// sendingSize is how many bytes a sending takes on the wire.
const sendingSize = 5 * 8

func (s sending) append(b []byte) []byte {
	for _, v := range []int64{int64(s.Order), s.Due, s.Done, int64(s.Status), int64(s.Tries)} {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return b
}

func readSending(b []byte) sending {
	at := func(i int) int64 { return int64(binary.LittleEndian.Uint64(b[8*i:])) }
	return sending{order(at(0)), at(1), at(2), int(at(3)), int(at(4))}
}

// A volley is all that a generator sent.
type volley struct {
	Start    time.Time     `json:"-"` // of the first order's schedule
	CPU      time.Duration `json:"cpu"`
	sendings []sending
}

// A shooting is a generator at work.
type shooting struct {
	child *child
	start time.Time
}

// shoot starts a generator and returns when it begins to send.
func shoot(j job) (*shooting, error) {
	c, hello, err := spawn("generator", j)
	if err != nil {
		return nil, err
	}
	start, err := time.Parse(time.RFC3339Nano, hello)
	return &shooting{c, start}, err
}

// wait returns what was sent, when all of it was answered or given up.
func (s *shooting) wait() (volley, error) {
	line, err := s.child.out.ReadBytes('\n')
	if err != nil {
		return volley{}, fmt.Errorf("the generator told nothing: %w", err)
	}
	var v volley
	if err := json.Unmarshal(line, &v); err != nil {
		return volley{}, err
	}
	v.Start = s.start
	b, err := io.ReadAll(s.child.out)
	if err != nil {
		return volley{}, err
	}
	for ; len(b) >= sendingSize; b = b[sendingSize:] {
		v.sendings = append(v.sendings, readSending(b))
	}
	return v, s.child.end()
}

// fire is shoot and wait.
func fire(j job) (volley, error) {
	s, err := shoot(j)
	if err != nil {
		return volley{}, err
	}
	return s.wait()
}

// A sender sends the orders of a job.
type sender struct {
	job
	bodies [][]byte
	client *http.Client
	pace   pace
	end    time.Time // for new orders
	next   atomic.Int64
	out    []sending
}

// generate is the role of the generator: it prints when it begins, and at the
// end its CPU time and all sendings.
func generate(_ context.Context, in io.Reader, out io.Writer) error {
	s := &sender{}
	if err := json.NewDecoder(in).Decode(&s.job); err != nil {
		return err
	}
	if err := s.write(); err != nil {
		return err
	}
	s.out = make([]sending, s.Count)
	s.client = &http.Client{
		Timeout:   30 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: s.Connections, MaxIdleConns: s.Connections},
	}
	before := cpuOfSelf()
	s.pace = pace{time.Now().Add(20 * time.Millisecond), s.Rate}
	s.end = s.pace.start.Add(s.For)
	fmt.Fprintln(out, s.pace.start.Format(time.RFC3339Nano))
	if s.Rate > 0 {
		s.open()
	} else {
		s.closed()
	}
	b, err := json.Marshal(volley{CPU: cpuOfSelf() - before})
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 1<<20)
	_, _ = w.Write(append(b, '\n')) // Flush tells of an error
	for _, x := range s.out {
		if x.Due != 0 {
			_, _ = w.Write(x.append(nil))
		}
	}
	return w.Flush()
}

// write makes the bytes of all orders, before the clock runs.
func (s *sender) write() error {
	s.bodies = make([][]byte, s.Count)
	errs := make([]error, 4)
	var work sync.WaitGroup
	for w := range errs {
		work.Go(func() {
			for k := w; k < s.Count && errs[w] == nil; k += len(errs) {
				if s.Webhooks {
					s.bodies[k], errs[w] = told(s.Orders.at(k))
				} else {
					s.bodies[k] = deposit(s.Orders.at(k)).Body
				}
			}
		})
	}
	work.Wait()
	return errors.Join(errs...)
}

// closed sends the next order on each connection as soon as the last one was
// answered.
func (s *sender) closed() {
	var work sync.WaitGroup
	for range s.Connections {
		work.Go(func() {
			for {
				now := time.Now()
				k := int(s.next.Add(1) - 1)
				if k >= s.Count || now.After(s.end) {
					return
				}
				s.send(k, now)
			}
		})
	}
	work.Wait()
}

// open sends each order when it is due, or as soon after as a connection is
// free; what counts is when it was due.
func (s *sender) open() {
	due := make(chan int, s.Count)
	var work sync.WaitGroup
	for range s.Connections {
		work.Go(func() {
			for k := range due {
				s.send(k, s.pace.at(k))
			}
		})
	}
	s.pace.emit(min(s.Count, int(s.Rate*s.For.Seconds())), due)
	work.Wait()
}

// send sends one order and notes what became of it.
func (s *sender) send(k int, due time.Time) {
	x := sending{Order: s.Orders.at(k), Due: due.UnixNano()}
	for {
		x.Tries++
		x.Status = s.post(s.bodies[k])
		x.Done = time.Now().UnixNano()
		if x.Status == http.StatusOK || !s.Resend || time.Now().After(s.end.Add(giveUp)) {
			s.out[k] = x
			return
		}
		<-time.After(resendAfter)
	}
}

// post sends a body and returns the status of the answer, 0 if none came.
func (s *sender) post(body []byte) int {
	req, err := http.NewRequest(http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if s.Webhooks {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0
	}
	return resp.StatusCode // KCP is never told no with a 200
}

// cpuOfSelf is the CPU time that this process has used.
func cpuOfSelf() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
