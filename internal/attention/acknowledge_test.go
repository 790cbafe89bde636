package attention_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

func TestAcknowledge(t *testing.T) {
	onEach(t, func(r *room) {
		r.settle(notice.Ruling{Verdict: payment.Refused, Reason: notice.ReasonAddress, Channel: storetest.Channel}, told("203.0.113.7"))
		item := r.list(everything)[0]
		for _, note := range []string{"", strings.Repeat("x", 2001)} {
			if err := r.acts.Acknowledge(r.Context(), someone, item, note); !fault.Is(err, fault.Invalid) {
				t.Errorf("a note of %d bytes: %v", len(note), err)
			}
		}
		if err := r.acts.Acknowledge(r.Context(), someone, attention.Item{Kind: attention.Conflict, Case: "c"}, "n"); !fault.Is(err, fault.Unsupported) {
			t.Errorf("a case: %v", err)
		}
		if n, err := r.desk.Count(r.Context(), everything, r.now); err != nil || n != 1 {
			t.Errorf("counted %d, %v", n, err)
		}
		r.ack(attention.Refused)
		if n, err := r.desk.Count(r.Context(), everything, r.now.Add(9*time.Second)); err != nil || n != 1 {
			t.Errorf("counted %d soon after, %v", n, err)
		}
		if n, err := r.desk.Count(r.Context(), everything, r.now.Add(10*time.Second)); err != nil || n != 0 {
			t.Errorf("counted %d later, %v", n, err)
		}
		acks, err := r.store.Acks(r.Context(), storetest.Merchant, merchant.Test, 10)
		if err != nil || len(acks) != 1 || acks[0].Note != "PG에 물어봤어요" || acks[0].ByName != "김담당" || acks[0].Count != 1 {
			t.Errorf("said: %+v, %v", acks, err)
		}
		for _, other := range []merchant.ID{"merchant-2", ""} {
			if acks, err := r.store.Acks(r.Context(), other, merchant.Test, 10); err != nil || len(acks) != 0 {
				t.Errorf("said to %q: %+v, %v", other, acks, err)
			}
		}
		if n := r.db.Count(t, `select count(*) from audit where action = 'attention.acknowledged' and merchant_id = $1`, string(storetest.Merchant)); n != 1 {
			t.Errorf("%d lines in the audit log", n)
		}
	})
}
