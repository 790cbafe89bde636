//go:build linux

package main

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLand(t *testing.T) {
	ms := int64(time.Millisecond)
	sent := []sending{
		{Order: 1, Due: 0, Status: http.StatusOK},
		{Order: 2, Due: 10 * ms, Status: http.StatusOK},
		{Order: 3, Due: 20 * ms, Status: http.StatusOK},                 // not told
		{Order: 4, Due: 30 * ms, Status: http.StatusServiceUnavailable}, // told all the same
	}
	arrived := []arrival{{1, 5 * ms, 0}, {-1, 6 * ms, 0}, {2, 17 * ms, 0}, {1, 20 * ms, 0}, {4, 33 * ms, 0}}
	l := land(sent, arrived, nil)
	if l.took.n != 2 || l.took.most != 7*time.Millisecond {
		t.Errorf("%d are counted, the longest %v; want 2 and 7ms", l.took.n, l.took.most)
	}
	if l.missing != 1 || l.denied != 1 || l.again != 1 {
		t.Errorf("%d missing, %d denied, %d again; want one each", l.missing, l.denied, l.again)
	}
	if !l.last.Equal(time.Unix(0, 33*ms)) {
		t.Errorf("the last arrival was at %v", l.last)
	}
	if l.whole() == nil {
		t.Error("a volley with losses is taken for whole")
	}
	only := land(sent, arrived, func(s sending) bool { return s.Order == 1 })
	if only.took.n != 1 {
		t.Errorf("%d of one order are counted", only.took.n)
	}
}

func TestMiddle(t *testing.T) {
	var arrived []arrival
	for i := range 100 {
		arrived = append(arrived, arrival{order(i), int64(i) * int64(time.Millisecond), 0})
	}
	if got := middle(arrived); got < 999 || got > 1001 {
		t.Errorf("middle = %v/s, want 1000", got)
	}
	if got := middle(nil); got != 0 {
		t.Errorf("middle of nothing = %v", got)
	}
}

func TestAnsweredCountsFromTheSchedule(t *testing.T) {
	start := time.Unix(100, 0)
	v := volley{Start: start}
	for i := range 100 {
		due := start.Add(time.Duration(i) * 10 * time.Millisecond).UnixNano()
		v.sendings = append(v.sendings, sending{Order: order(i), Due: due, Done: due + int64(10*time.Millisecond), Status: http.StatusOK})
	}
	rate, took, err := v.answered()
	if err != nil || rate < 99 || rate > 101 || took.most != 10*time.Millisecond {
		t.Errorf("answered = %v/s, the longest %v, %v; want 100/s and 10ms", rate, took.most, err)
	}
	v.sendings[50].Status = 503
	if _, _, err := v.answered(); err == nil {
		t.Error("an answer of 503 is passed over")
	}
	if _, _, err := (volley{}).answered(); err == nil {
		t.Error("an empty volley has a rate")
	}
}

func TestSendingIsReadAsWritten(t *testing.T) {
	want := sending{Order: 7, Due: 1795553200_000000001, Done: 1795553200_000000002, Status: 503, Tries: 3}
	b := want.append(nil)
	if len(b) != sendingSize {
		t.Fatalf("%d bytes, want %d", len(b), sendingSize)
	}
	if diff := cmp.Diff(want, readSending(b)); diff != "" {
		t.Errorf("a sending changed on the way (-want +got):\n%s", diff)
	}
}

func TestOrders(t *testing.T) {
	body, err := told(123)
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := orderIn(body); !ok || o != 123 {
		t.Errorf("orderIn(%s) = %d, %t; want 123", body, o, ok)
	}
	if _, ok := orderIn([]byte(`{"data":{"paymentId":"other"}}`)); ok {
		t.Error("an order is found where there is none")
	}
	s := series{First: 25, Stores: 10}
	seen := map[order]bool{}
	for k := range 100 {
		o := s.at(k)
		if o.store() >= 10 || seen[o] {
			t.Fatalf("order %d of the series is %d, of store %d, seen before: %t", k, o, o.store(), seen[o])
		}
		seen[o] = true
	}
	if got := s.at(0); got != 205 {
		t.Errorf("the series begins with %d, want 205", got)
	}
}
