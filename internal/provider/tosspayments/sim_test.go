package tosspayments_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/tosspayments"
)

func TestEncodeLooksLikeToss(t *testing.T) {
	n := providertest.Sample(payment.EventDeposited)
	n.Proof = mine
	r := tosspayments.Module.Encode(n, nil)
	want := `{"createdAt":"2026-08-01T12:30:15.000000","secret":"ps_mine","status":"DONE","transactionKey":"20260801123015000001","orderId":"order-1001"}`
	if string(r.Body) != want {
		t.Errorf("body = %s, want %s", r.Body, want)
	}
	if r.Method != http.MethodPost || r.Path != "/virtual-account/webhook-event/tosspayments" || r.ContentType() != "application/json" {
		t.Errorf("%s %s, %s", r.Method, r.Path, r.ContentType())
	}
	id := r.Header.Get("tosspayments-webhook-transmission-id")
	if r.Header.Get("tosspayments-webhook-transmission-time") != "2026-08-01T12:30:15+09:00" ||
		r.Header.Get("tosspayments-webhook-transmission-retried-count") != "0" || len(id) != len("whtrans_a01j70335nkqqeg0zwzz2r4py9z") {
		t.Errorf("headers = %v", r.Header)
	}
}

// TestEncodeOfLittle: a notice that tells next to nothing gets a secret, keys
// and times, of which those of later events are later.
func TestEncodeOfLittle(t *testing.T) {
	var last time.Time
	seen := map[string]bool{}
	for _, e := range []payment.Event{payment.EventIssued, payment.EventDeposited, payment.EventReversed, payment.EventCancelled} {
		for _, form := range []string{"", tosspayments.FormPayment} {
			_, n := roundTrip(t, notice.Notice{Report: payment.Report{Event: e}, Order: "o", Form: form}, nil)
			if n.At.Before(last) || !strings.HasPrefix(n.Proof.Reveal(), "ps_") || len(n.Proof) != 31 || len(n.Deposit) != 32 {
				t.Errorf("%s %s: at %v, proof of %d, transaction %q", e, form, n.At, len(n.Proof), n.Deposit)
			}
			last, seen[n.Key] = n.At, true
		}
	}
	if len(seen) != 4 {
		t.Errorf("four events have %d keys: %v", len(seen), seen)
	}
}

func TestOnly200IsAcknowledged(t *testing.T) {
	for status, want := range map[int]bool{200: true, 201: false, 202: false, 204: false, 302: false, 400: false, 500: false} {
		if got := tosspayments.Module.Acked(provider.Reply{Status: status}); got != want {
			t.Errorf("Acked(%d) = %v", status, got)
		}
	}
	var want []time.Duration
	for _, minutes := range []int{1, 4, 16, 64, 256, 1024, 4096} {
		want = append(want, time.Duration(minutes)*time.Minute)
	}
	if d := cmp.Diff(want, tosspayments.Module.Info().Resend); d != "" {
		t.Error(d)
	}
}
