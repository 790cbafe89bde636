package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/simulator"
)

// A simulateCmd sends a notice as a PG would.
type simulateCmd struct {
	Provider string `arg:"" help:"Module whose PG is played, such as kcp or nice_v2: see tongbo providers."`
	Event    string `arg:"" help:"What the PG tells: issued, deposited, reversed, approved, cancelled, partially_cancelled, refunded, refund_failed, failed, expired or other; also verbs: issue, deposit, reverse, refund …"`

	To string `help:"Where to send it. Without a path the PG's usual one is added." placeholder:"URL"`

	Order     string `help:"The PG's order id; made up of letters and digits if left out." placeholder:"ID"`
	Amount    int64  `help:"In won." default:"10000"`
	MID       string `name:"mid" help:"Merchant id; the PG's published test id if left out." placeholder:"MID"`
	Account   string `help:"Number of the virtual account." placeholder:"NUMBER"`
	Bank      string `help:"Bank of the account: SHINHAN, 신한은행 or 088." placeholder:"BANK"`
	Depositor string `help:"Who paid in." placeholder:"NAME"`
	At        string `help:"When it happened, such as 2026-08-01T12:00:00, in Seoul unless it says otherwise; now if left out." placeholder:"TIME"`
	Deposit   string `help:"The PG's id of the deposit; a reversal names the deposit that it takes back." placeholder:"ID"`
	PGTx      string `name:"pg-tx" help:"The PG's id of the transaction." placeholder:"ID"`
	Secret    string `help:"What the PG proves itself with: Toss's secret of the order, NICE's merchant key." placeholder:"SECRET"`
	Form      string `help:"Wire format, where a PG has several, such as B for Inicis, json for nice_v2, euc-kr for KCP: tongbo providers --json lists them." placeholder:"FORM"`
	Kind      string `help:"The PG's own word for the event, where it has several." placeholder:"KIND"`

	Manner   string  `help:"Tell it badly: ${manners}; or all of them in turn." placeholder:"MANNER"`
	Times    int     `help:"Send the same notice so many times; of a burst, how many notices (2000). One unless said." placeholder:"N"`
	Parallel bool    `help:"Send them all at once."`
	NoResend bool    `help:"Try once, whatever the answer."`
	Speed    float64 `help:"Resend so many times faster than the PG." default:"1"`
	Raw      bool    `help:"Show the request's bytes as they are. Without --to, print them and send nothing."`
	JSON     bool    `name:"json" help:"Print one JSON object a line for each try."`
}

// Run sends the notice until it is acknowledged. It ends well only if every
// copy was.
func (c *simulateCmd) Run(env Env) error {
	p, err := tellerByCode(c.Provider)
	if err != nil {
		return err
	}
	n, creds, err := c.notice(p)
	if err != nil {
		return err
	}
	r := p.Encode(n, creds)
	told, err := c.check(p, n.Event, r)
	if err != nil {
		return err
	}
	if err := checkWords(p, n, creds, r, told); err != nil {
		return err
	}
	if c.Manner != "" {
		return c.misbehave(env, p, n, creds)
	}
	if c.Raw && c.To == "" {
		return c.print(env, r)
	}
	if err := c.target(p); err != nil {
		return err
	}
	if n.Event == payment.EventReversed && c.Deposit == "" && !c.JSON {
		fmt.Fprintln(env.Stderr, whatIsTakenBack(p.Info(), told))
	}
	view := &exchangeView{
		env: env, provider: p.Info(), told: told, event: n.Event, times: c.copies(),
		raw: c.Raw, json: c.JSON, hide: c.Secret, madeUpMID: c.MID == "",
	}
	view.begin(r)
	err = c.deliver(env, p, n, creds, view)
	if c.JSON {
		return err
	}
	if err == nil {
		c.takeBack(env, p.Info(), told)
	}
	if err == nil || errors.Is(err, simulator.ErrNotAcked) {
		words := "tongbo notices"
		if told.Order != "" { // some notices name none
			words += " --order " + shellWord(told.Order)
		}
		fmt.Fprintln(env.talk(), "  See what became of it: "+words)
	}
	return err
}

// whatIsTakenBack says which deposit a reversal without --deposit means.
func whatIsTakenBack(i provider.Info, told notice.Notice) string {
	if told.Deposit == "" || told.Reopens {
		return fmt.Sprintf("A reversal of %s names no deposit; the receiver has to find it.", i.Name.EN)
	}
	return "Without --deposit it takes back a deposit that nobody made. simulate prints the id of each deposit that it plays."
}

// takeBack prints how the deposit that was taken is reversed.
func (c *simulateCmd) takeBack(env Env, i provider.Info, told notice.Notice) {
	if told.Event == payment.EventDeposited && told.Deposit != "" && slices.Contains(i.Events, payment.EventReversed) {
		words := []string{"tongbo simulate", i.Code, "reversed --to", shellWord(c.To)}
		for _, f := range [][2]string{{"--order", told.Order}, {"--amount", strconv.FormatInt(c.Amount, 10)}, {"--mid", c.MID}, {"--account", c.Account}, {"--pg-tx", c.PGTx}} {
			if f[1] != "" {
				words = append(words, f[0], shellWord(f[1]))
			}
		}
		fmt.Fprintf(env.talk(), "  Take it back: %s --deposit %s\n", strings.Join(words, " "), shellWord(told.Deposit))
	}
}

// shellWord quotes a word for a shell where it has to be.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:/@%+=", r)
	}
	if s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return s
	}
	return "'" + strings.ReplaceAll(printable(s), "'", `'\''`) + "'"
}

// mostTimes bounds what one command sends.
const mostTimes = 1_000_000

// copies is how often the notice is sent.
func (c *simulateCmd) copies() int { return max(c.Times, 1) }

// print writes what would be sent, and sends nothing.
func (c *simulateCmd) print(env Env, r notice.Request) error {
	end := ""
	if env.Terminal {
		end = "\n" // elsewhere the bytes are the notice and nothing else
	}
	_, err := fmt.Fprintf(env.Stdout, "%s%s", payload(r), end)
	return err
}

func (c *simulateCmd) target(p provider.Provider) error {
	err := fault.Errorf(fault.Invalid, "--to is missing")
	if c.To != "" {
		_, err = simulator.Target(c.To, p.Info().Paths[0])
	}
	if err != nil {
		return hint(err, "Say where to send it, for example --to http://127.0.0.1:8080")
	}
	return nil
}

// eventByWord is an event by its name or by a verb for it.
func eventByWord(word string) (payment.Event, error) {
	short := map[string]payment.Event{
		"issue": payment.EventIssued, "deposit": payment.EventDeposited, "reverse": payment.EventReversed,
		"approve": payment.EventApproved, "cancel": payment.EventCancelled, "refund": payment.EventRefunded,
		"fail": payment.EventFailed, "expire": payment.EventExpired,
	}
	word = strings.ToLower(strings.ReplaceAll(word, "-", "_"))
	if e, ok := short[word]; ok {
		return e, nil
	}
	if e := payment.Event(word); slices.Contains(payment.Events(), e) {
		return e, nil
	}
	meant := ""
	if word == "paid" || word == "pay" || word == "payment" {
		meant = "Did you mean deposited? "
	}
	return "", hint(fault.Errorf(fault.Invalid, "there is no event %q", word), meant+"The events are %s.", eventList(payment.Events()))
}

func eventList(list []payment.Event) string {
	var words []string
	for _, e := range list {
		words = append(words, string(e))
	}
	return strings.Join(words, ", ")
}

// notice is what the flags say, and the credentials that the PG would know.
func (c *simulateCmd) notice(p provider.Provider) (notice.Notice, merchant.Credentials, error) {
	var n notice.Notice
	var err error
	if n.Event, err = eventByWord(c.Event); err != nil {
		return n, nil, err
	}
	switch {
	case c.Times < 0 || c.Times > mostTimes:
		return n, nil, fault.Errorf(fault.Invalid, "--times %d: want 1 to %d", c.Times, mostTimes)
	case c.Speed <= 0:
		return n, nil, fault.Errorf(fault.Invalid, "--speed %v: want more than 0", c.Speed)
	case c.Amount <= 0:
		return n, nil, fault.Errorf(fault.Invalid, "--amount %d: want more than 0", c.Amount)
	}
	if n.Bank, err = bankByWord(c.Bank); err != nil {
		return n, nil, err
	}
	n.At = time.Now().In(wire.Seoul).Truncate(time.Second)
	if c.At != "" {
		if n.At, err = wire.ISOTime(c.At); err != nil {
			return n, nil, hint(fault.Errorf(fault.Invalid, "--at %s: %w", c.At, err), "Write it like 2026-08-01T12:00:00")
		}
	}
	// Letters and digits alone: some PGs' order ids have nothing else.
	n.Order = cmp.Or(c.Order, "order"+n.At.Format("20060102")+strings.ToLower(rand.Text()[:8]))
	n.Amount, n.HasAmount = payment.Won(c.Amount), true
	n.Account, n.Depositor, n.Deposit, n.PGTx = secret.Account(c.Account), c.Depositor, c.Deposit, c.PGTx
	n.Form, n.Kind, n.Proof = c.Form, c.Kind, secret.Text(c.Secret)
	var creds merchant.Credentials
	n.Merchant, creds = c.channel(p.Info())
	return n, creds, nil
}

func bankByWord(word string) (payment.Bank, error) {
	if word == "" {
		return "", nil
	}
	for _, b := range payment.Banks() {
		if strings.EqualFold(word, string(b.Bank)) || word == b.Name {
			return b.Bank, nil
		}
	}
	if b := payment.BankByCode(word); b != "" {
		return b, nil
	}
	return "", hint(fault.Errorf(fault.Invalid, "there is no bank %q", word), "Write it like SHINHAN, 신한은행 or 088.")
}

// channel is the merchant id with what the PG would know of it: the published
// keys of a test id, and the secret that was given in place of every other.
func (c *simulateCmd) channel(i provider.Info) (string, merchant.Credentials) {
	mid, creds := c.MID, merchant.Credentials{}
	for _, t := range i.TestMIDs {
		if mid == "" || mid == t.MID {
			mid = t.MID
			maps.Copy(creds, t.Credentials)
			break
		}
	}
	for _, f := range i.Fields {
		if c.Secret != "" && f.Secret {
			creds[f.Name] = secret.Text(c.Secret)
		}
	}
	return mid, creds
}

// check reads the request back, and refuses one in which the PG would not be
// telling what was asked for.
func (c *simulateCmd) check(p provider.Provider, e payment.Event, r notice.Request) (notice.Notice, error) {
	i := p.Info()
	told, err := p.Decode(r)
	// What Toss sends when a bank takes a deposit back reads as a second
	// issue, until it meets its payment.
	same := told.Event == e || e == payment.EventReversed && told.Reopens
	if err != nil || !same {
		err = fault.Errorf(fault.Invalid, "%s sends no notice that says %s", i.Code, e)
		return told, hint(err, "It tells %s.", eventList(i.Events))
	}
	return told, nil
}

// checkWords refuses a form or kind that the module does not know and so left
// out of the request.
func checkWords(p provider.Provider, n notice.Notice, creds merchant.Credentials, r notice.Request, told notice.Notice) error {
	without := func(bare notice.Notice) (same bool) {
		other := p.Encode(bare, creds)
		return bytes.Equal(other.Body, r.Body) && other.Query == r.Query
	}
	bare := n
	bare.Form = ""
	if n.Form != "" && !strings.EqualFold(n.Form, told.Form) && without(bare) {
		return hint(fault.Errorf(fault.Invalid, "--form %s: %s has no such wire format for %s", n.Form, p.Info().Code, n.Event),
			"Its formats: %s; this one would be %s.", cmp.Or(strings.Join(p.Info().Forms, ", "), "one, without a name"), cmp.Or(told.Form, "without a name"))
	}
	bare = n
	bare.Kind = ""
	if n.Kind != "" && n.Kind != told.Kind && without(bare) {
		return hint(fault.Errorf(fault.Invalid, "--kind %s: %s has no such word for %s", n.Kind, p.Info().Code, n.Event),
			"Its word is %s.", cmp.Or(told.Kind, "none"))
	}
	return nil
}

// deliver sends every copy of the notice and reports the worst that happened.
func (c *simulateCmd) deliver(env Env, p provider.Provider, n notice.Notice, creds merchant.Credentials, view *exchangeView) error {
	ctx, cancel := env.context()
	defer cancel()
	client := simulator.NewClient()
	defer client.CloseIdleConnections()
	errs := make([]error, c.copies())
	send := func(number int) {
		g := simulator.PG{Provider: p, Client: client, Speed: c.Speed, Log: func(x simulator.Exchange) { view.show(number+1, x) }}
		if c.NoResend {
			g.Resend = []time.Duration{}
		}
		_, errs[number] = g.Deliver(ctx, c.To, n, creds)
	}
	var all sync.WaitGroup
	for i := range errs {
		if c.Parallel {
			all.Go(func() { send(i) })
		} else if ctx.Err() == nil {
			send(i)
		}
	}
	all.Wait()
	return c.outcome(ctx, p.Info(), errs)
}

// outcome is what the command ends with: nothing reached counts before a
// refusal, since it explains it.
func (c *simulateCmd) outcome(ctx context.Context, i provider.Info, errs []error) error {
	failed := slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	if ctx.Err() != nil {
		return &coded{exitFailed, errors.New("stopped before the notice was acknowledged")}
	}
	if len(failed) == 0 {
		return nil
	}
	for _, err := range failed {
		if fault.Is(err, fault.Unavailable) {
			return hint(err, "Is a server listening there? Start one with: tongbo serve")
		}
	}
	err := simulator.ErrNotAcked
	if len(errs) > 1 {
		err = fmt.Errorf("%d of %d notices %w", len(failed), len(errs), err)
	}
	switch {
	case c.NoResend:
		return hint(err, "%s would send it again: %s", i.Name.EN, i.ResendNote.EN)
	case i.Resend == nil:
		return hint(err, "The simulator gives up here; how often %s tries is not published. The answer says why, or the server's log.", i.Name.EN)
	}
	return hint(err, "%s gives up here. The answer says why, or the server's log.", i.Name.EN)
}
