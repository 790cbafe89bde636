package action

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/secret"
)

// A RehearsalStore keeps test notices under way. Its methods are safe for
// concurrent use.
type RehearsalStore interface {
	// BeginRehearsal keeps a rehearsal under its token.
	BeginRehearsal(ctx context.Context, token secret.Text, r notice.Rehearsal, now time.Time) error
	// Rehearsed returns what became of it; fault.NotFound says that it did not arrive.
	Rehearsed(ctx context.Context, token secret.Text) (notice.Rehearsed, error)
}

// Limits of a test notice.
const (
	rehearsalTime = 10 * time.Second // for all of it: as long as the most patient PG waits
	mostAnswer    = 64 << 10         // of an answer that is read
	rehearsalWon  = 1000
)

// Rehearse sends a test notice (시험 통보) of a channel over the network to the public
// URL of this installation, in the PG's bytes, and returns how that went. It is of a
// deposit of 1,000 won to a payment that exists nowhere else; or, on a test channel,
// of the deposit that the named payment waits for, which is then paid.
//
// That the notice fails is no error. It reports fault.Invalid if nobody said how PGs
// reach this server, or the PG's encoder cannot tell of the payment, fault.NotFound
// and fault.Forbidden as RegisterAccount does, fault.Conflict for a payment that
// waits for no deposit, fault.Unsupported for a channel whose PG sends no notices, and *TooOftenError if the member or the store has sent as many in a
// minute as it may on this node.
func (a *Actions) Rehearse(ctx context.Context, c Caller, key merchant.ChannelKey, about payment.ID) (Ladder, error) {
	if a.PublicURL == "" {
		return Ladder{}, ErrNoPublicURL
	}
	a.views.Refresh() // a channel that was made a moment ago is there
	v, err := a.views.Get(ctx, a.load)
	if err != nil {
		return Ladder{}, err
	}
	ch, err := a.channel(v, c, key)
	if err != nil {
		return Ladder{}, err
	}
	p, _ := a.Providers(ch.Provider) // channel saw to it
	if i := p.Info(); !i.SendsNotices() {
		return Ladder{}, fault.Errorf(fault.Unsupported, "%s sends no notices, so there is none to test: pay in a window of the channel instead", i.Name.EN)
	}
	x := rehearsal{a: a, client: a.HTTP, base: a.PublicURL, provider: p, info: p.Info(), channel: ch, token: secret.Text(rand.Text() + rand.Text())}
	n, err := x.notice(ctx, c, about)
	if err != nil {
		return Ladder{}, err
	}
	if err := x.encode(n); err != nil {
		return Ladder{}, err
	}
	at := now()
	if err := a.mayRehearse(c, ch, at); err != nil {
		return Ladder{}, err
	}
	x.plan.Channel, x.plan.Until = ch.Key, at.Add(notice.RehearsalLife)
	if err := a.Store.BeginRehearsal(ctx, x.token, x.plan, at); err != nil {
		return Ladder{}, err
	}
	if !c.By.IsZero() {
		e := c.entry("channel.tested", "channel", string(ch.Key), "")
		if e.Mode = ch.Mode; about != "" {
			e.After = []member.Field{{Name: "payment", Text: string(about)}}
		}
		if err := a.Store.Audit(ctx, e); err != nil {
			return Ladder{}, err
		}
	}
	return x.run(ctx)
}

// mayRehearse takes a turn of who sends a test notice, and of the store whose channel it is.
func (a *Actions) mayRehearse(c Caller, ch merchant.Channel, at time.Time) error {
	of := []turn{{"store " + string(ch.Store), RehearsalsOfStore}}
	if !c.By.IsZero() {
		of = append(of, turn{"by " + string(c.By.Kind) + " " + c.By.ID, RehearsalsOfMember})
	}
	return a.rehearsals.take(at, "test notices", of...)
}

// ErrNoPublicURL says that nobody said how PGs reach this server.
var ErrNoPublicURL = fault.Errorf(fault.Invalid, "how PGs reach this server is not known: start it with --public-url")

// A rehearsal is one test notice on its way.
type rehearsal struct {
	a        *Actions
	client   *http.Client
	base     string // where the network finds this installation
	provider provider.Provider
	info     provider.Info
	channel  merchant.Channel
	token    secret.Text
	plan     notice.Rehearsal
	request  notice.Request
}

// notice is what the PG would tell.
func (x *rehearsal) notice(ctx context.Context, c Caller, about payment.ID) (n notice.Notice, err error) {
	n.Event, n.HasAmount, n.Amount, n.At = payment.EventDeposited, true, payment.Won(rehearsalWon), time.Now().In(wire.Seoul).Truncate(time.Second)
	n.Merchant, n.Depositor, n.Bank = x.channel.MID, "시험입금", "SHINHAN"
	if about == "" {
		// Letters and digits alone: some PGs' order ids have nothing else.
		n.Order = "tongbotest" + strings.ToLower(rand.Text()[:12])
		n.Proof = secret.Text(rand.Text())
		return n, nil
	}
	if x.channel.Mode != merchant.Test {
		return n, fault.Errorf(fault.Forbidden, "a live channel is tried with the payment that is reserved for it alone")
	}
	p, err := x.a.Store.Payment(ctx, c.Store, about, merchant.Test)
	if err != nil {
		return n, err
	}
	t, ok := p.Transaction()
	if !ok || t.Account == nil || t.Channel != x.channel.Key || p.State != payment.Issued {
		return n, fault.Errorf(fault.Conflict, "payment %s does not wait for a deposit on this channel", p.ID)
	}
	n.Order, n.PGTx, n.Amount, n.Proof = t.Order, t.PGTx, p.Amount, t.Secret
	n.Account, n.Bank, n.Holder = t.Account.Number, t.Account.Bank, t.Account.Holder
	n.Depositor = cmp.Or(p.Customer.Name, n.Depositor)
	x.plan.Given = true
	return n, nil
}

// encode writes the notice in the PG's bytes, and notes by what they tell which
// payment they are to find: an encoder makes up what it is not given.
func (x *rehearsal) encode(n notice.Notice) error {
	x.request = x.provider.Encode(n, x.channel.Credentials)
	told, err := x.provider.Decode(x.request)
	if err != nil {
		return fault.Errorf(fault.Invalid, "the PG's notice cannot tell of it: %w", err)
	}
	x.plan.Order, x.plan.PGTx, x.plan.Secret = n.Order, told.PGTx, n.Proof
	x.plan.Amount, x.plan.Bank, x.plan.Account = n.Amount, told.Bank, told.Account
	x.request.Path = provider.NoticePath(x.request.Path, x.channel)
	return nil
}

// run sends the notice, and climbs the ladder by what is known of it.
func (x *rehearsal) run(ctx context.Context) (Ladder, error) {
	ctx, cancel := context.WithTimeout(ctx, rehearsalTime)
	defer cancel()
	l := Ladder{
		Channel: x.channel.Key, Provider: x.info.Code, Mode: x.channel.Mode, URL: x.base + x.request.Route(),
		Needed: x.provider.Ack(x.request, provider.Received),
	}
	tracing, trace := safehttp.Traced(ctx)
	got, location, err := x.send(tracing)
	cl := climb{rehearsal: x, trace: trace(), got: got, location: location, err: err}
	if err == nil {
		l.Got = got
	}
	seen, unseen := x.a.Store.Rehearsed(context.WithoutCancel(ctx), x.token)
	switch {
	case unseen == nil:
		cl.seen, l.Notice = &seen, seen.Notice
	case !fault.Is(unseen, fault.NotFound):
		return l, unseen
	}
	l.Rungs = cl.rungs(l.Needed)
	return l, nil
}

// send makes the one call.
func (x *rehearsal) send(ctx context.Context) (got provider.Reply, location string, err error) {
	url := x.base + x.request.Path
	if x.request.Query != "" {
		url += "?" + x.request.Query
	}
	req, err := http.NewRequestWithContext(ctx, x.request.Method, url, bytes.NewReader(x.request.Body))
	if err != nil {
		return got, "", err
	}
	if req.Header = x.request.Header.Clone(); req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header.Set("User-Agent", "tongbo-rehearsal")
	req.Header.Set(notice.RehearsalHeader, x.token.Reveal())
	resp, err := safehttp.Once(x.client).Do(req)
	if err != nil {
		return got, "", err
	}
	defer func() { _ = resp.Body.Close() }() // what matters was read
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	return provider.Reply{Status: resp.StatusCode, ContentType: resp.Header.Get("Content-Type"), Body: body}, resp.Header.Get("Location"), err
}
