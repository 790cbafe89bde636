package action

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A PathStore keeps tests of channels' whole paths. Its methods are safe for concurrent use.
type PathStore interface {
	// KeepPathTest writes how far a test has come.
	KeepPathTest(ctx context.Context, x notice.PathTest) error
	// FirstTriesOf returns the webhooks of a type that were made for a payment, each with
	// its first try, nil if that has not ended.
	FirstTriesOf(ctx context.Context, k payment.Key, t webhook.Type) ([]webhook.FirstTry, error)
}

// The parts of a path, in their order. Those of an account are issue, deposit, notice,
// webhook, receipt and read; without one, approve, webhook, receipt, read, cancel, and the
// last three of the cancellation once more.
const (
	PartIssue   = "issue"
	PartApprove = "approve"
	PartDeposit = "deposit"
	PartNotice  = "notice"
	PartWebhook = "webhook"
	PartReceipt = "receipt"
	PartRead    = "read"
	PartCancel  = "cancel"
)

// PathParts lists the parts.
func PathParts() []string {
	return []string{PartIssue, PartApprove, PartDeposit, PartNotice, PartWebhook, PartReceipt, PartRead, PartCancel}
}

// Limits of a test of a path.
const (
	PathWait    = 40 * time.Second // for the first try of each webhook; one lasts 30 s at most
	pathWon     = 1000
	pathPrefix  = "tongbotest" // of its payment's id: letters and digits alone, as some PGs want it
	pathOrder   = "연동 테스트 (test integration)"
	pathDeposit = "시험입금"
)

// IsPathTest reports whether a payment is that of a test of a path.
func IsPathTest(id payment.ID) bool { return strings.HasPrefix(string(id), pathPrefix) }

// TryPath sends a payment of its own through all that one on a test channel goes through,
// and returns how each step went: an account is issued at the PG, or played; the PG's notice
// of its deposit is sent over the network to the public URL; the webhooks of it go to the
// store's endpoints; and the payment is read back. On a channel without accounts it is
// approved and cancelled instead. tell hears of it each time that it has come further, and
// must not keep what it gets. It takes as long as the PG and the shop do, and waits for the
// first try of each webhook for no longer than PathWait. Many may run at once.
//
// That a step fails is no error. It reports fault.Forbidden for a live channel, what
// RegisterAccount reports of channels, and *TooOftenError as Rehearse does.
func (a *Actions) TryPath(ctx context.Context, c Caller, key merchant.ChannelKey, tell func(notice.PathTest)) (notice.PathTest, error) {
	x, err := a.beginPath(ctx, c, key)
	if err != nil {
		return notice.PathTest{}, err
	}
	x.tell = tell
	tell(x.test)
	return x.run(ctx)
}

// A pathing is a test of a path under way.
type pathing struct {
	a       *Actions
	caller  Caller
	view    *view
	channel merchant.Channel
	pg      provider.Provider // the module, or what plays its PG
	test    notice.PathTest
	tell    func(notice.PathTest)
	failed  bool
}

// beginPath checks that a path may be tested, and writes that it is.
func (a *Actions) beginPath(ctx context.Context, c Caller, key merchant.ChannelKey) (*pathing, error) {
	a.views.Refresh() // a channel that was made a moment ago is there
	v, err := a.views.Get(ctx, a.load)
	if err != nil {
		return nil, err
	}
	ch, pg, err := a.use(v, c, key)
	if err != nil {
		return nil, err
	}
	if ch.Mode != merchant.Test {
		return nil, fault.Errorf(fault.Forbidden, "channel %q is a live one: its path is tried with a test notice alone, which moves no money and wakes no shop", string(key))
	}
	at := now()
	if err := a.mayRehearse(c, ch, at); err != nil {
		return nil, err
	}
	x := &pathing{a: a, caller: c, view: v, channel: ch, pg: pg, tell: func(notice.PathTest) {}}
	x.caller.Mode = merchant.Test
	x.test = notice.PathTest{
		ID: a.newID(), Channel: key, Store: c.Store, By: c.By.Name, Payment: payment.ID(pathPrefix + strings.ToLower(rand.Text()[:12])), StartedAt: at, SeenAt: at,
	}
	if err := a.Store.KeepPathTest(ctx, x.test); err != nil {
		return nil, err
	}
	if !c.By.IsZero() {
		e := x.caller.entry("channel.path_tested", "channel", string(key), "")
		if err := a.Store.Audit(ctx, e); err != nil {
			return nil, err
		}
	}
	return x, nil
}

// run goes the path. If ctx ends, the test does, and says so.
func (x *pathing) run(ctx context.Context) (notice.PathTest, error) {
	err := x.walk(ctx)
	if err != nil {
		x.add(ctx, notice.PathRung{Part: x.part(), Step: "stopped", Outcome: string(StepFailed), Key: "path.stopped"})
	}
	x.test.EndedAt, x.test.Good = now(), !x.failed
	if ctx.Err() != nil {
		err = nil // which is told
	}
	return x.test, errors.Join(err, x.keep(ctx))
}

// part is where the test stands.
func (x *pathing) part() string {
	if n := len(x.test.Rungs); n > 0 {
		return x.test.Rungs[n-1].Part
	}
	return PartIssue
}

func (x *pathing) keep(ctx context.Context) error {
	x.test.SeenAt = now()
	told := x.test
	told.Rungs = slices.Clone(x.test.Rungs)
	x.tell(told)
	return x.a.Store.KeepPathTest(context.WithoutCancel(ctx), x.test)
}

// add puts a rung on the ladder.
func (x *pathing) add(ctx context.Context, list ...notice.PathRung) {
	for _, r := range list {
		r.Step = cmp.Or(r.Step, r.Part)
		x.failed = x.failed || r.Outcome == string(StepFailed)
		x.test.Rungs = append(x.test.Rungs, r)
	}
	if err := x.keep(ctx); err != nil && x.a.Log != nil {
		x.a.Log.WarnContext(ctx, "how far a test of a path has come was not written", "channel", x.channel.Key, "err", err)
	}
}

// say is a rung of one part.
func say(part string, o Outcome, key string, args ...any) notice.PathRung {
	return notice.PathRung{Part: part, Step: part, Outcome: string(o), Key: key, Args: argTexts(args)}
}

func argTexts(args []any) (out []string) {
	for _, v := range args {
		out = append(out, fmt.Sprint(v))
	}
	return out
}

// walk is the path itself.
func (x *pathing) walk(ctx context.Context) error {
	if !x.account() {
		return x.charged(ctx)
	}
	p, ok, err := x.issue(ctx)
	if err != nil || !ok {
		return err
	}
	arrived, err := x.deposit(ctx, p)
	if err != nil {
		return err
	}
	return x.heard(ctx, webhook.Paid, arrived, payment.Paid)
}

// account reports whether the channel takes deposits.
func (x *pathing) account() bool {
	return len(x.pg.Info().Paths) > 0 && (len(x.channel.Methods) == 0 || slices.Contains(x.channel.Methods, string(payment.VirtualAccount)))
}

// registration is the payment of the test.
func (x *pathing) registration() payment.Registration {
	return payment.Registration{
		ID: x.test.Payment, Channel: x.channel.Key, OrderName: pathOrder, Amount: payment.Won(pathWon),
		Customer: payment.Customer{Name: pathDeposit, Email: "test@example.com", PhoneNumber: "01000000000"},
		Account:  payment.Account{Bank: "SHINHAN", Type: payment.Normal, ExpiresAt: now().Add(24 * time.Hour)},
	}
}

// issue has an account for the payment; false if there is none.
func (x *pathing) issue(ctx context.Context) (p payment.Payment, ok bool, err error) {
	began := time.Now()
	g := x.registration()
	key := "path.issued_pg"
	switch _, issues := x.pg.(provider.Issuer); {
	case x.a.played(x.pg, x.channel):
		key = "path.issued_here"
	case !issues:
		key, g.Account.Number = "path.registered", "11099988877700"
		g.Order = string(g.ID)
		p, _, err = x.a.RegisterAccount(ctx, x.caller, g)
	}
	if key != "path.registered" {
		p, err = x.a.Issue(ctx, x.caller, IssueRequest{Registration: g})
	}
	if err != nil {
		return p, false, x.declined(ctx, PartIssue, err, time.Since(began))
	}
	x.test.Key = p.Key
	r := say(PartIssue, StepOK, key)
	if t, _ := p.Transaction(); t.Account != nil {
		r.Args = argTexts([]any{"bank", t.Account.Bank.Code()})
	}
	r.Took = time.Since(began)
	x.add(ctx, r)
	return p, true, nil
}

// declined is the rung of a PG that did not do what it was asked; an error that is of
// nobody's making here is returned.
func (x *pathing) declined(ctx context.Context, part string, err error, took time.Duration) error {
	if ctx.Err() != nil {
		return err
	}
	no, ofPG := asPG(err)
	var r notice.PathRung
	switch {
	case ofPG && no.Code == Unreachable:
		r = say(part, StepFailed, "path.unreachable")
	case ofPG && no.Unclear:
		r = say(part, StepFailed, "path.unclear")
	case ofPG:
		r = say(part, StepFailed, "path.declined", "code", no.Code, "message", no.Message)
	case fault.KindOf(err) == fault.Internal:
		return err
	default:
		r = x.refused(part, err)
		if x.a.Log != nil {
			x.a.Log.WarnContext(ctx, "a test of a path was refused a step", "channel", x.channel.Key, "part", part, "err", err)
		}
	}
	r.Took = took
	x.add(ctx, r)
	for _, p := range []string{PartWebhook, PartReceipt} {
		x.add(ctx, say(p, StepSkipped, "path.not_reached"))
	}
	return nil
}

// refused is the rung of what was never asked of the PG. Who reads it may have any language,
// so that it tells the kind of the error, and not its text.
func (x *pathing) refused(part string, err error) notice.PathRung {
	switch fault.KindOf(err) {
	case fault.Invalid:
		if empty := x.empty(); len(empty) > 0 {
			return say(part, StepFailed, "path.refused_empty", "fields", strings.Join(empty, ", "))
		}
		return say(part, StepFailed, "path.refused_invalid")
	case fault.Unsupported:
		return say(part, StepFailed, "path.refused_unsupported")
	default:
		return say(part, StepFailed, "path.refused")
	}
}

// empty names what the channel could have and has not, as its settings spell it.
func (x *pathing) empty() (names []string) {
	if x.channel.MID == "" {
		names = append(names, "mid")
	}
	for _, f := range x.pg.Info().Fields {
		if x.channel.Credentials[f.Name] == "" {
			names = append(names, f.Name)
		}
	}
	return names
}

// network is where notices are sent: the public URL, or else this server's own address.
func (x *pathing) network() (client *http.Client, base string, own bool) {
	if x.a.PublicURL == "" && x.a.Own != nil {
		client, base = x.a.Own()
		return client, base, true
	}
	return x.a.HTTP, x.a.PublicURL, false
}
