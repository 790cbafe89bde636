package action

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/trial"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
)

// A testyPG is a card PG that closes accounts, and says no while it is told to.
type testyPG struct {
	*cardPG
	no error
}

// CheckClose lets all pass.
func (*testyPG) CheckClose(merchant.Channel, provider.Closing) error { return nil }

// Close closes every account, or says no.
func (g *testyPG) Close(_ context.Context, a provider.Access, _ provider.Closing) (time.Time, error) {
	return a.Now, g.no
}

// Refund gives all back, or says no.
func (g *testyPG) Refund(ctx context.Context, a provider.Access, r provider.Refund) (provider.Refunded, error) {
	if g.no != nil {
		return provider.Refunded{}, g.no
	}
	return g.cardPG.Refund(ctx, a, r)
}

// DeleteKey deletes every key, or says no.
func (g *testyPG) DeleteKey(ctx context.Context, a provider.Access, k provider.BillingKey) (time.Time, error) {
	if g.no != nil {
		return time.Time{}, g.no
	}
	return g.cardPG.DeleteKey(ctx, a, k)
}

// somebody is who does something on the bench.
var somebody = member.By{Kind: member.Person, ID: "m1", Name: "you@example.kr", Address: "203.0.113.7"}

// as is the shop with somebody who acts for it.
func as(by member.By) Caller {
	c := shop
	c.By = by
	return c
}

// logged is the audit log of the bench since the last look, the oldest first, with
// what ids are left out of.
func (b *bench) logged(seen *int) string {
	b.Helper()
	list, err := b.store.AuditLog(b.Context(), store.AuditQuery{})
	if err != nil {
		b.Fatal(err)
	}
	var out []string
	for i := len(list) - 1 - *seen; i >= 0; i-- {
		e := list[i]
		if e.By != somebody || e.Merchant != "merchant-1" || e.Store != "store-1" || e.Mode != merchant.Test {
			b.Errorf("an entry of %+v in %s, %s, %s", e.By, e.Merchant, e.Store, e.Mode)
		}
		line := e.Action
		line += texts("-", e.Before) + texts("+", e.After)
		if e.Reason != "" {
			line += " because " + e.Reason
		}
		out = append(out, line)
	}
	*seen = len(list)
	return strings.Join(out, "; ")
}

// texts are fields without the ids in them.
func texts(sign string, fields []member.Field) (out string) {
	for _, f := range fields {
		words := strings.Fields(f.Text)
		if f.Name == "attempt" || f.Name == "cancellation" {
			words = words[1:]
		}
		if len(words) > 3 {
			words = words[:3]
		}
		out += fmt.Sprintf(" %s%s=%s", sign, f.Name, strings.Join(words, " "))
	}
	return out
}

// TestAuditOfMoney: what somebody does with a payment is in the log with what it was
// and became, what was refused too; what nobody is named for is not.
func TestAuditOfMoney(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := &testyPG{cardPG: b.cards()}
		b.Providers = func(string) (provider.Provider, bool) { return g, true }
		seen, c, ctx := 0, as(somebody), b.Context()
		want := func(what, log string) {
			t.Helper()
			if got := b.logged(&seen); got != log {
				t.Errorf("%s: the log has\n%s\nwant\n%s", what, got, log)
			}
		}
		cancel := func(c Caller, amount int64, id payment.ID) (payment.Cancellation, error) {
			_, x, err := b.Cancel(ctx, c, id, CancelRequest{CancelRequest: payment.CancelRequest{Reason: "변심", Amount: &amount}})
			return x, err
		}
		if _, err := b.Charge(ctx, c, charge("o1")); err != nil {
			t.Fatal(err)
		}
		if _, err := cancel(shop, 100, "o1"); err != nil {
			t.Fatal(err)
		}
		want("nobody", "")
		if _, err := cancel(c, 200, "o1"); err != nil {
			t.Fatal(err)
		}
		want("a part", "payment.cancel_asked +cancellation=200 KRW REQUESTED because 변심; "+
			"payment.cancelled -cancellation=200 KRW REQUESTED +cancellation=200 KRW SUCCEEDED because 변심")
		if _, err := cancel(c, 5000, "o1"); err == nil {
			t.Fatal("more than there is was given back")
		}
		want("too much", "")
		g.no = &provider.DeclinedError{Code: "X", Message: "not today"}
		if _, err := cancel(c, 300, "o1"); err == nil {
			t.Fatal("the PG's no was not heard")
		}
		want("the PG's no", "payment.cancel_asked +cancellation=300 KRW REQUESTED because 변심; "+
			"payment.cancel_refused -cancellation=300 KRW REQUESTED +cancellation=300 KRW FAILED +answer=not today because 변심")
		g.no = errLost
		x, err := cancel(c, 700, "o1")
		if err != nil || x.State != payment.CancelRequested {
			t.Fatalf("%+v, %v", x, err)
		}
		want("an answer that is lost", "payment.cancel_asked +cancellation=700 KRW REQUESTED because 변심")
		sleep(10 * time.Minute)
		if _, err := b.EndCancel(ctx, c, "o1", CancelEnd{ID: x.ID, Force: true, CancelWord: payment.CancelWord{Succeeded: true, Reason: "전화"}}); err != nil {
			t.Fatal(err)
		}
		want("a word", "payment.cancel_ended -state=PARTIAL_CANCELLED -attempt=PARTIAL_CANCELLED -cancellation=700 KRW REQUESTED "+
			"+state=CANCELLED +attempt=CANCELLED +cancellation=700 KRW SUCCEEDED because 전화")
	})
}

// TestAuditOfTheRest goes through the other verbs.
func TestAuditOfTheRest(t *testing.T) {
	inBubble(t, func(b *bench) {
		g := &testyPG{cardPG: b.cards()}
		b.Providers = func(string) (provider.Provider, bool) { return g, true }
		seen, c, ctx := 0, as(somebody), b.Context()
		want := func(what, log string, err error) {
			t.Helper()
			if got := b.logged(&seen); got != log || err != nil {
				t.Errorf("%s: %v, the log has\n%s\nwant\n%s", what, err, got, log)
			}
		}
		_, _, err := b.TakeOver(ctx, c, order("o2", time.Time{}), true)
		want("taken over for a try", "", err)
		_, _, err = b.TakeOver(ctx, c, order("o2", time.Time{}), false)
		want("taken over", "payment.taken_over +state=VIRTUAL_ACCOUNT_ISSUED +amount=1000 KRW +attempt=VIRTUAL_ACCOUNT_ISSUED", err)
		_, _, err = b.TakeOver(ctx, c, order("o2", time.Time{}), false)
		want("the same again", "", err)
		_, _, err = b.RegisterAccount(ctx, as(member.By{}), order("o3", time.Time{}))
		want("by nobody", "", err)
		d, err := b.Resend(ctx, c, "o3", "")
		want("resent", fmt.Sprintf("webhook.resent +webhook=%s +delivery=%s +type=Transaction.VirtualAccountIssued", d.WebhookID(), d.ID), err)

		g.no = &provider.DeclinedError{Code: "X", Message: "not today"}
		if _, _, err = b.Close(ctx, c, "o3"); err == nil {
			t.Error("the PG's no was not heard")
		}
		want("not closed", "payment.close_asked -attempt=VIRTUAL_ACCOUNT_ISSUED +attempt=VIRTUAL_ACCOUNT_ISSUED closing since; "+
			"payment.close_refused -attempt=VIRTUAL_ACCOUNT_ISSUED closing since +attempt=VIRTUAL_ACCOUNT_ISSUED +answer=not today", nil)
		g.no = nil
		_, _, err = b.Close(ctx, c, "o3")
		want("closed", "payment.close_asked -attempt=VIRTUAL_ACCOUNT_ISSUED +attempt=VIRTUAL_ACCOUNT_ISSUED closing since; "+
			"payment.closed -state=VIRTUAL_ACCOUNT_ISSUED -attempt=VIRTUAL_ACCOUNT_ISSUED closing since +state=FAILED +attempt=FAILED", err)

		k := b.key()
		plan := b.plan("o4", k, time.Hour)
		_, _, err = b.RevokeSchedules(ctx, c, k.ID, nil)
		want("revoked", "schedule.revoked -billing_key="+string(k.ID)+" +state=REVOKED", err)
		if _, _, err := b.RevokeSchedules(ctx, c, "", []payment.ScheduleID{plan.ID}); err == nil {
			t.Error("it was revoked twice")
		}
		g.no = &provider.DeclinedError{Code: "X", Message: "not today"}
		if _, err := b.DeleteKey(ctx, c, k.ID, false); err == nil {
			t.Error("the PG's no was not heard")
		}
		want("not deleted", "billing_key.delete_asked -state=ISSUED +state=DELETING; billing_key.delete_refused -state=DELETING +state=ISSUED", nil)
		g.no = nil
		_, err = b.DeleteKey(ctx, c, k.ID, false)
		want("deleted", "billing_key.delete_asked -state=ISSUED +state=DELETING; billing_key.deleted -state=DELETING +state=DELETED", err)
	})
}

// TestAuditOfTrials: money that is paid in at a PG that is played here.
func TestAuditOfTrials(t *testing.T) {
	inBubble(t, func(b *bench) {
		b.Providers = all.ByCode
		b.Trial = func(p provider.Provider) provider.Provider { return trial.PG{Provider: p, Ledger: b.store} }
		b.Notify = func(context.Context, notice.Request) (provider.Reply, notice.Result, error) {
			return provider.Reply{Status: http.StatusOK}, notice.Result{}, nil
		}
		b.save(func(a *settings.All) { a.Channels[0].Provider, a.Channels[0].MID = "kcp", "T0000" })
		seen, c, ctx := 0, as(somebody), b.Context()
		r := IssueRequest{Registration: order("o1", time.Time{})}
		r.Account = payment.Account{Bank: "SHINHAN", Type: payment.Normal, ExpiresAt: time.Now().Add(time.Hour), Holder: "가나"}
		if _, err := b.Issue(ctx, shop, r); err != nil {
			t.Fatal(err)
		}
		for _, c := range []Caller{shop, c} {
			if _, err := b.Deposit(ctx, c, "o1", DepositRequest{Depositor: "홍길동"}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := b.Tell(ctx, c, "o1", payment.EventReversed); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Deposit(ctx, c, "o9", DepositRequest{}); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		if got, want := b.logged(&seen), "payment.deposit +amount=1000 KRW +notice=true; payment.told +event=reversed"; got != want {
			t.Errorf("the log has %q, want %q", got, want)
		}
	})
}
