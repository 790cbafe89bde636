//go:build unix

package storetest

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// words is what a test's PG sends: JSON that says everything.
type words struct {
	Event     payment.Event
	Key       string
	Deposit   string
	Order     string
	Amount    int64
	Account   string
	Depositor string
	PGTx      string
	At        time.Time
}

// Told is a notice as it comes in from a test's PG on a channel. A zero amount
// is left out.
func Told(c merchant.ChannelKey, order string, r payment.Report) notice.Inbound {
	body, err := json.Marshal(words{r.Event, r.Key, r.Deposit, order, r.Amount.Amount, r.Account.Reveal(), r.Depositor, r.PGTx, r.At})
	if err != nil {
		panic(err) // words always marshal
	}
	in := notice.Inbound{
		ID: notice.ID(NewID()), At: r.At.Add(time.Second), Provider: "kcp", Peer: netip.MustParseAddr("203.0.113.7"),
		Request: notice.Request{
			Method: http.MethodPost, Path: "/kcp_payments/notice_vbank", Body: body,
			Header: http.Header{"Content-Type": {"application/json"}},
		},
		Channels: []merchant.ChannelKey{c},
	}
	in.Notice, _ = Decode(in.Request)
	return in
}

// Decode reads what Told wrote.
func Decode(r notice.Request) (notice.Notice, error) {
	var w words
	if err := json.Unmarshal(r.Body, &w); err != nil {
		return notice.Notice{}, err
	}
	return notice.Notice{Order: w.Order, Report: payment.Report{
		Event: w.Event, Key: w.Key, Deposit: w.Deposit, Amount: payment.Won(w.Amount), HasAmount: w.Amount != 0,
		Account: secret.Account(w.Account), Depositor: w.Depositor, PGTx: w.PGTx, At: w.At,
	}}, nil
}

// Judge is the smallest that keeps the money rules: the one payment that is
// found decides. It believes every sender.
func Judge(in notice.Inbound, found []notice.Found) notice.Ruling {
	if in.Notice.Event == "" {
		n, err := Decode(in.Request)
		if err != nil {
			return notice.Ruling{Verdict: payment.Unmatched, Reason: notice.ReasonUnreadable}
		}
		in.Notice = n
	}
	if strings.HasPrefix(in.Notice.Order, "panic") {
		panic("a judge that panics")
	}
	var meant []notice.Found
	for _, f := range found {
		if f.Claimed {
			again := notice.Ruling{Verdict: payment.Duplicate, Channel: f.Channel}
			if len(f.Payments) == 1 {
				again.Payment = &f.Payments[0]
			}
			return again
		}
		for _, p := range f.Payments {
			one := f
			one.Payments = []payment.Payment{p}
			meant = append(meant, one)
		}
	}
	if len(meant) != 1 {
		r := notice.Ruling{Verdict: payment.Unmatched, Reason: notice.ReasonUnknownOrder}
		if len(meant) > 1 {
			r.Reason = notice.ReasonAmbiguous
		}
		if len(found) == 1 {
			r.Channel = found[0].Channel
		}
		return r
	}
	return rule(in, meant[0])
}

func rule(in notice.Inbound, f notice.Found) notice.Ruling {
	p := f.Payments[0]
	if f.DepositOf != "" && f.DepositOf != p.Key {
		return notice.Ruling{Verdict: payment.Conflict, Reason: notice.ReasonDepositElsewher, Channel: f.Channel, Payment: &p}
	}
	r := in.Notice.Report
	r.PGOrder, r.Channel = in.Notice.Order, f.Channel
	d := p.Decide(r, payment.Env{Now: in.At, NewID: NewID})
	out := notice.Ruling{
		Verdict: d.Verdict, Reason: d.Reason, Channel: f.Channel, Payment: &d.Payment, Changed: d.Changed, Listed: d.Listed,
		Claims: d.Verdict == payment.Applied || d.Verdict == payment.Recorded,
	}
	for _, t := range d.Transitions {
		out.Emissions = append(out.Emissions, Emission(d.Payment, t, in.At))
	}
	return out
}

// Emission is the event of a transition with the scene's deliveries.
func Emission(p payment.Payment, t payment.Transition, at time.Time) webhook.Emission {
	out, err := Planner().Plan(webhook.EventOf(p, t, at, NewID()), p.NoticeURLs)
	if err != nil {
		panic(err) // the scene's endpoint carries every type
	}
	return out
}

// Registering is how a test's registration at a time is decided.
func Registering(now time.Time) notice.Registering {
	return notice.Registering{
		Env: payment.Env{Now: now, NewID: NewID}, Judge: Judge,
		Announce: func(p payment.Payment) ([]webhook.Emission, error) {
			t, _ := p.Transaction()
			return []webhook.Emission{Emission(p, payment.Transition{Change: payment.ChangeIssued, Transaction: t.ID}, now)}, nil
		},
	}
}

// Registration is one of 1000 won for an order, on an account of its own.
func Registration(order string) payment.Registration {
	return payment.Registration{
		Merchant: Merchant, Store: Store, Channel: Channel, Mode: merchant.Test, ID: payment.ID(order), OrderName: "텀블러",
		Amount: payment.Won(1000), Account: payment.Account{Bank: "SHINHAN", Number: AccountOf(order), ExpiresAt: Noon.Add(24 * time.Hour)},
		Secret: "ps_" + secret.Text(order),
	}
}

// AccountOf is the account that Registration gives an order.
func AccountOf(order string) secret.Account { return secret.Account("110" + digitsOf(order)) }

func digitsOf(s string) string {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, 2*len(s))
	for i := range len(s) {
		out = append(out, hex[s[i]>>4], hex[s[i]&15])
	}
	return string(out)
}

// Deposit is a report of 1000 won on the account of an order.
func Deposit(order, id string) payment.Report {
	return payment.Report{
		Event: payment.EventDeposited, Key: "message/" + id, Deposit: id, Amount: payment.Won(1000), HasAmount: true,
		Account: AccountOf(order), Depositor: "홍길동", At: Noon.Add(time.Minute),
	}
}

// Room is room for n deliveries of whatever target.
func Room(n int) webhook.Room {
	return webhook.Room{Total: n, Retries: n, Of: func(string, []webhook.Job) int { return n }}
}
