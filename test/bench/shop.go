//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A manner is how the shop's endpoints answer.
type manner struct {
	Delay time.Duration `json:"delay"` // before every answer
	Down  bool          `json:"down"`  // answers 503
	// Hanging endpoints, by their numbers, take HangFor before they answer.
	Hanging []int         `json:"hanging"`
	HangFor time.Duration `json:"hang_for"`
}

// An arrival is a webhook that the shop has answered with 200. Its time is in
// UTC nanoseconds.
type arrival struct {
	Order    order // -1 if it tells of no order of ours
	At       int64
	Endpoint int
}

// arrivalSize is how many bytes an arrival takes on the wire.
const arrivalSize = 3 * 8

// A keeper is the shop's process: every endpoint of every store.
type keeper struct {
	manner atomic.Pointer[mood]
	count  atomic.Int64 // arrivals
	no     atomic.Int64 // webhooks that were refused

	mu       sync.Mutex
	arrivals []arrival
}

// A mood is a manner that lasts until the next one.
type mood struct {
	manner
	over chan struct{} // closed when it is
}

// keepShop is the role of the shop: it prints its address and serves until its
// input is closed.
func keepShop(_ context.Context, in io.Reader, out io.Writer) error {
	var task struct{}
	d := json.NewDecoder(in)
	if err := d.Decode(&task); err != nil {
		return err
	}
	k := &keeper{}
	k.manner.Store(&mood{over: make(chan struct{})})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /hook/{endpoint}", k.hook)
	mux.HandleFunc("PUT /manner", k.change)
	mux.HandleFunc("GET /count", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, k.count.Load()) })
	mux.HandleFunc("GET /refused", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, k.no.Load()) })
	mux.HandleFunc("GET /arrivals", k.tell)
	return serveUntilClosed(mux, in, out)
}

// serveUntilClosed prints the address that it serves on, and serves until in
// is closed.
func serveUntilClosed(h http.Handler, in io.Reader, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintln(out, l.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, in) // its end is what matters
		_ = s.Close()
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// longestBody is more than any webhook or notice here has.
const longestBody = 64 << 10

// hook takes a webhook.
func (k *keeper) hook(w http.ResponseWriter, r *http.Request) {
	endpoint, err := strconv.Atoi(r.PathValue("endpoint"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, longestBody))
	if err != nil {
		http.Error(w, "body not read", http.StatusBadRequest)
		return
	}
	m := k.manner.Load()
	delay := m.Delay
	if slices.Contains(m.Hanging, endpoint) {
		delay = m.HangFor
	}
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-m.over: // nobody hangs in a better world
		case <-r.Context().Done():
			return
		}
	}
	if m.Down {
		k.no.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	o, ok := orderIn(body)
	if !ok {
		o = -1
	}
	w.WriteHeader(http.StatusOK)
	k.mu.Lock()
	k.arrivals = append(k.arrivals, arrival{o, time.Now().UnixNano(), endpoint})
	k.mu.Unlock()
	k.count.Add(1)
}

// change changes how the endpoints answer.
func (k *keeper) change(w http.ResponseWriter, r *http.Request) {
	m := &mood{over: make(chan struct{})}
	if err := json.NewDecoder(r.Body).Decode(&m.manner); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	close(k.manner.Swap(m).over)
}

// tell hands out all arrivals.
func (k *keeper) tell(w http.ResponseWriter, _ *http.Request) {
	k.mu.Lock()
	list := slices.Clip(k.arrivals)
	k.mu.Unlock()
	var b bytes.Buffer
	b.Grow(len(list) * arrivalSize)
	for _, a := range list {
		for _, v := range []int64{int64(a.Order), a.At, int64(a.Endpoint)} {
			_, _ = b.Write(binary.LittleEndian.AppendUint64(nil, uint64(v))) // never fails
		}
	}
	_, _ = w.Write(b.Bytes())
}

// A shop is the shop's process as the measuring one sees it.
type shop struct {
	child *child
	addr  string
}

// openShop starts a shop that answers every webhook with 200 at once.
func openShop() (*shop, error) {
	c, addr, err := spawn("shop", struct{}{})
	return &shop{c, addr}, err
}

// endpoint is the address of an endpoint.
func (s *shop) endpoint(n int) string { return fmt.Sprintf("http://%s/hook/%d", s.addr, n) }

// behave changes how the endpoints answer.
func (s *shop) behave(m manner) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	_, err = call(http.MethodPut, "http://"+s.addr+"/manner", b)
	return err
}

// count is how many webhooks were answered with 200 so far.
func (s *shop) count() (int, error) { return s.counter("/count") }

// refused is how many were answered with 503.
func (s *shop) refused() (int, error) { return s.counter("/refused") }

func (s *shop) counter(path string) (int, error) {
	b, err := call(http.MethodGet, "http://"+s.addr+path, nil)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(b))
}

// arrivals are all webhooks that were answered with 200, in their order.
func (s *shop) arrivals() ([]arrival, error) {
	b, err := call(http.MethodGet, "http://"+s.addr+"/arrivals", nil)
	if err != nil {
		return nil, err
	}
	out := make([]arrival, 0, len(b)/arrivalSize)
	for ; len(b) >= arrivalSize; b = b[arrivalSize:] {
		at := func(i int) int64 { return int64(binary.LittleEndian.Uint64(b[8*i:])) }
		out = append(out, arrival{order(at(0)), at(1), int(at(2))})
	}
	return out, nil
}

// client makes this program's own calls.
var client = &http.Client{Timeout: time.Minute}

// call makes a call and returns the body of a good answer.
func call(method, url string, body []byte) ([]byte, error) {
	req, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s %s: %s: %s", method, url, resp.Status, b)
	}
	return b, nil
}
