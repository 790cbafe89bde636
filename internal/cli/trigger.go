package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/words"
)

// A triggerCmd has something happen to a test payment on a server.
type triggerCmd struct {
	remoteFlags
	langFlag
	Provider string `arg:"" help:"Module of a test channel, such as kcp or nice_v2: see tongbo providers."`
	Event    string `arg:"" help:"issue, deposit, wrong-amount, reverse, late, reorder, bad-signature or unknown-address."`

	Amount    int64         `help:"Of the payment that is made, in won; 10,000 unless said."`
	Depositor string        `help:"Who pays in." placeholder:"NAME"`
	Duplicate int           `help:"Send each notice so many times more."`
	Payment   string        `help:"A test payment whose account waits, instead of a new one." placeholder:"ID"`
	Channel   string        `help:"The channel's key, where there are several of the module." placeholder:"KEY"`
	Store     string        `help:"A sub-store's id." placeholder:"ID"`
	Live      bool          `help:"Refused: nothing is played where money is real."`
	Raw       bool          `help:"Print the notices' bytes as they went."`
	Wait      time.Duration `help:"How long to wait for webhooks." default:"5s"`
	JSON      bool          `name:"json" help:"Print one JSON object a line."`
}

// A triggered is what the server answered.
type triggered struct {
	Payment  string           `json:"paymentId"`
	Status   payment.State    `json:"status"`
	Channel  string           `json:"channelKey"`
	Issued   bool             `json:"issued"`
	Amount   int64            `json:"amount"`
	Currency payment.Currency `json:"currency"`
	Bank     payment.Bank     `json:"bank"`
	Account  secret.Account   `json:"accountNumber"`
	Notices  []triggeredOne   `json:"notices"`
}

// A triggeredOne is a notice that was sent.
type triggeredOne struct {
	Event       string  `json:"event"`
	Method      string  `json:"method"`
	URL         string  `json:"url,omitempty"`
	From        string  `json:"from,omitempty"`
	ContentType string  `json:"contentType,omitempty"`
	Charset     string  `json:"charset"`
	Query       string  `json:"query,omitempty"`
	Body        []byte  `json:"body"`
	Again       bool    `json:"again"`
	Status      int     `json:"status,omitempty"`
	Answer      string  `json:"answer,omitempty"`
	Acked       bool    `json:"acknowledged"`
	TookMS      float64 `json:"tookMs"`
	ID          string  `json:"id,omitempty"`
	Verdict     string  `json:"verdict,omitempty"`
	Reason      string  `json:"reason,omitempty"`
	Error       string  `json:"error,omitempty"`
}

// A triggeredHook is a webhook of the payment, as the API shows it.
type triggeredHook struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	URL      string `json:"url"`
	Tries    int    `json:"currentExecutionCount"`
	MaxTries int    `json:"maxExecutionCount"`
	Request  struct {
		Body string `json:"body"`
	} `json:"request"`
	Response struct {
		Code string `json:"code"`
	} `json:"response"`
}

// Run has it happen, and shows what came of it. It ends well if every notice had an
// answer.
func (c *triggerCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	lang := c.lang()
	if c.Live {
		return &coded{exitUsage, hint(errors.New(words.Text(lang, "cli.trigger.live")), "%s", words.Text(lang, "cli.trigger.liveHint"))}
	}
	if _, err := tellerByCode(c.Provider); err != nil {
		return err
	}
	if c.Amount < 0 || c.Duplicate < 0 || c.Wait < 0 {
		return fault.Errorf(fault.Invalid, "--amount, --duplicate and --wait cannot be negative")
	}
	server, err := c.remote()
	if err != nil {
		return err
	}
	in := map[string]any{"event": c.Event, "depositor": c.Depositor, "again": c.Duplicate, "paymentId": c.Payment, "storeId": c.Store, "provider": c.Provider}
	if c.Channel != "" {
		in["channelKey"], in["provider"] = c.Channel, ""
	}
	if c.Amount > 0 {
		in["amount"] = c.Amount
	}
	var done triggered
	if err := server.call(ctx, http.MethodPost, "/tongbo/v1/simulations", in, &done); err != nil {
		return err
	}
	v := &triggerView{env: env, cmd: c, server: server, lang: lang}
	v.show(done)
	if err := v.webhooks(ctx, done.Payment); err != nil {
		return err
	}
	for _, n := range done.Notices {
		if n.Error != "" {
			return hint(fault.Errorf(fault.Unavailable, "a notice had no answer: %s", printable(n.Error)), "Does --public-url of the server lead to it?")
		}
	}
	return nil
}

// A triggerView shows what happened.
type triggerView struct {
	env    Env
	cmd    *triggerCmd
	server *remote
	lang   words.Lang
}

func (v *triggerView) say(text string) { fmt.Fprintln(v.env.talk(), "  "+text) }

// show prints the payment and its notices.
func (v *triggerView) show(d triggered) {
	if v.cmd.JSON {
		v.json("payment", d)
		return
	}
	key := "cli.trigger.given"
	if d.Issued {
		key = "cli.trigger.issued"
	}
	v.say(words.Text(v.lang, key, "payment", v.server.links(v.env).to(d.Payment, printable(d.Payment)), "bank", d.Bank.Name(), "account", d.Account.String(),
		"amount", "₩"+grouped(d.Amount)))
	for i, n := range d.Notices {
		v.notice(i+1, n)
		if v.cmd.Event == "bad-signature" && n.Acked {
			v.say(words.Text(v.lang, "cli.trigger.unchecked"))
		}
	}
}

func (v *triggerView) notice(i int, n triggeredOne) {
	bytes := len(n.Body) + len(n.Query)
	var text string
	switch {
	case n.Again:
		text = words.Text(v.lang, "cli.trigger.same", "n", i)
	case n.From != "":
		text = words.Text(v.lang, "cli.trigger.inside", "n", i, "from", n.From, "charset", n.Charset, "size", bytes)
	default:
		text = words.Text(v.lang, "cli.trigger.notice", "n", i, "method", n.Method, "url", printable(n.URL), "charset", n.Charset, "size", bytes)
	}
	view := &exchangeView{env: v.env}
	if n.Error != "" {
		v.say(text + "  " + view.paint(red, printable(n.Error)))
		return
	}
	took := (time.Duration(n.TookMS * float64(time.Millisecond))).Round(100 * time.Microsecond)
	v.say(fmt.Sprintf("%s  %d %s  %v  %s", text, n.Status, quoted([]byte(n.Answer)), took, v.verdict(view, n)))
	if v.cmd.Raw && !n.Again {
		fmt.Fprintf(v.env.talk(), "%s\n", append([]byte(n.Query), n.Body...)) // as they went: that is what raw asks for
	}
}

// verdict is what was decided on a notice.
func (v *triggerView) verdict(view *exchangeView, n triggeredOne) string {
	if n.Verdict == "" {
		return view.paint(red, words.Text(v.lang, "cli.trigger.undecided"))
	}
	text := words.Text(v.lang, "state.verdict."+n.Verdict)
	if n.Reason != "" {
		text += " (" + printable(n.Reason) + ")"
	}
	if n.Verdict == string(payment.Applied) || n.Verdict == string(payment.Duplicate) {
		return view.paint(green, text)
	}
	return view.paint(red, text)
}

// webhooks waits until the payment's webhooks were tried, and prints them.
func (v *triggerView) webhooks(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, v.cmd.Wait+time.Second)
	defer cancel()
	until := time.Now().Add(v.cmd.Wait)
	path := "/payments/" + url.PathEscape(id)
	if v.cmd.Store != "" {
		path += "?storeId=" + url.QueryEscape(v.cmd.Store)
	}
	var got struct {
		Status   payment.State   `json:"status"`
		Webhooks []triggeredHook `json:"webhooks"`
	}
	for {
		got.Webhooks = nil
		if err := v.server.call(ctx, http.MethodGet, path, nil, &got); err != nil {
			return err
		}
		if tried(got.Webhooks) || time.Now().After(until) {
			break
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return nil
		}
	}
	if v.cmd.JSON {
		v.json("webhooks", got)
		return nil
	}
	for _, w := range got.Webhooks {
		v.say(words.Text(v.lang, "cli.trigger.webhook", "type", printable(typeOf(w)), "url", v.server.links(v.env).to(w.ID, printable(w.URL)), "outcome", v.outcome(w)))
	}
	if len(got.Webhooks) == 0 {
		v.say(words.Text(v.lang, "cli.trigger.noWebhook"))
	}
	v.say(words.Text(v.lang, "state.payment."+string(got.Status)))
	return nil
}

// tried reports whether all webhooks were tried once.
func tried(list []triggeredHook) bool {
	for _, w := range list {
		if w.Tries == 0 {
			return false
		}
	}
	return len(list) > 0
}

func (v *triggerView) outcome(w triggeredHook) string {
	view := &exchangeView{env: v.env}
	switch {
	case w.Tries == 0:
		return words.Text(v.lang, "cli.trigger.waiting")
	case w.Status == "SUCCEEDED":
		return view.paint(green, w.Response.Code)
	}
	why := w.Response.Code
	if why == "" {
		why = w.Status
	}
	return view.paint(red, printable(why)) + fmt.Sprintf("  %d/%d", w.Tries, w.MaxTries)
}

// typeOf is the event's type, as far as a payload of the version names it.
func typeOf(w triggeredHook) string {
	_, rest, ok := strings.Cut(w.Request.Body, `"type":"`)
	if !ok {
		return w.ID
	}
	name, _, _ := strings.Cut(rest, `"`)
	return name
}

// json prints one object a line.
func (v *triggerView) json(kind string, value any) {
	b, err := plainJSON(struct {
		Kind string `json:"kind"`
		Is   any    `json:"is"`
	}{kind, value})
	if err != nil {
		panic(err) // every field can be written
	}
	fmt.Fprintf(v.env.Stdout, "%s\n", b)
}
