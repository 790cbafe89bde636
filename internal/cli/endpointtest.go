package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/delivery"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// An endpointTestCmd calls an address as a webhook would be sent there.
type endpointTestCmd struct {
	langFlag
	URL                  string        `arg:"" help:"The address."`
	Event                string        `help:"Type of the event that is sent." default:"Transaction.Paid"`
	Payload              string        `name:"version" help:"Payload version: 2024-04-25, 2024-01-01 or v1." default:"2024-04-25"`
	Form                 bool          `help:"Send a form instead of JSON, where the version has it."`
	Secret               []secret.Text `help:"Signing secret, twice for an old one beside it; one is made for this call if left out." placeholder:"WHSEC" env:"-"`
	Schedule             string        `help:"Schedule, which says what answers are good." default:"portone"`
	Header               []secret.Text `help:"A header that the receiver wants, such as 'Authorization: Bearer …'; as often as there are." placeholder:"NAME: VALUE" env:"-"`
	Timeout              time.Duration `help:"How long the answer may take." default:"30s"`
	AllowPrivateWebhooks bool          `help:"The address may be private or a loopback one."`
	JSON                 bool          `name:"json" help:"Print one JSON object."`
}

// Run makes the call and says what was found: exit code 0 if the receiver took it, 3
// if it answered otherwise, 4 if it could not be reached.
func (c *endpointTestCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	if c.Timeout <= 0 || c.Timeout > time.Minute {
		return fault.Errorf(fault.Invalid, "--timeout %v: want up to 1m", c.Timeout)
	}
	call := delivery.TestCall{
		URL: c.URL, Type: webhook.Type(c.Event), Version: webhook.Version(c.Payload), ContentType: webhook.JSON, Secrets: c.Secret,
		Schedule: webhook.Schedule(c.Schedule), Store: merchant.Store{ID: "store-sample"}, Mode: merchant.Test,
	}
	for _, h := range c.Header {
		name, value, _ := strings.Cut(h.Reveal(), ":")
		call.Headers = append(call.Headers, webhook.Header{Name: name, Value: secret.Text(strings.TrimSpace(value))})
	}
	if c.Form {
		call.ContentType = webhook.Form
	}
	if len(call.Secrets) == 0 {
		call.Secrets = []secret.Text{webhook.NewSecret()}
	}
	test := &delivery.CallTester{
		Client: safehttp.New(safehttp.Config{AllowPrivate: c.AllowPrivateWebhooks, Timeout: 2 * c.Timeout}), Timeout: c.Timeout,
	}
	got, err := test.Call(ctx, "cli", call)
	if err != nil {
		return hint(err, "See: tongbo endpoint test --help")
	}
	key, args := got.Finding.Words(words.Text(c.lang(), "calltest.egress_unknown"))
	sentence := words.Text(c.lang(), key, args...)
	if c.JSON {
		err = linesJSON(env, []testedEndpoint{testedJSON(got, sentence)})
	} else {
		err = c.show(env.talk(), got, sentence)
	}
	if err != nil || got.Finding.OK() {
		return err
	}
	return found(got.Finding, sentence, c.lang())
}

// found is the error of a finding that is not good.
func found(f delivery.Finding, sentence string, lang words.Lang) error {
	err := &coded{exitProblems, fault.Errorf(fault.Conflict, "%s", printable(sentence))}
	switch f.Code { //nolint:exhaustive // in the others something answered
	case delivery.FoundPrivate:
		return hint(err, "%s", words.Text(lang, "cli.endpoint_private"))
	case delivery.FoundTimeout, delivery.FoundRefused, delivery.FoundDNS, delivery.FoundBroken:
		err.code = exitAway
	}
	return err
}

// A testedEndpoint is what came of a call, for programs.
type testedEndpoint struct {
	URL            string               `json:"url"`
	Finding        delivery.FindingCode `json:"finding"`
	OK             bool                 `json:"ok"`
	Sentence       string               `json:"sentence"`
	Status         int                  `json:"status,omitempty"`
	Location       string               `json:"location,omitempty"`
	Error          string               `json:"error,omitempty"`
	WebhookID      string               `json:"webhookId"`
	Peer           string               `json:"peer,omitempty"`
	TLS            string               `json:"tls,omitempty"`
	Certificate    *time.Time           `json:"certificateUntil,omitempty"`
	TookMS         float64              `json:"tookMs"`
	DNSMS          float64              `json:"dnsMs"`
	ConnectMS      float64              `json:"connectMs"`
	HandshakeMS    float64              `json:"tlsMs"`
	WaitMS         float64              `json:"waitMs"`
	ReadMS         float64              `json:"bodyMs"`
	RequestHeader  string               `json:"requestHeader"`
	RequestBody    string               `json:"requestBody"`
	ResponseHeader string               `json:"responseHeader,omitempty"`
	ResponseBody   string               `json:"responseBody,omitempty"`
	Truncated      bool                 `json:"truncated,omitempty"`
}

func testedJSON(r delivery.TestResult, sentence string) testedEndpoint {
	a, t := r.Attempt, r.Attempt.Trace
	out := testedEndpoint{
		URL: a.URL, Finding: r.Finding.Code, OK: r.Finding.OK(), Sentence: sentence, Status: a.Status, Location: r.Finding.Location,
		Error: a.Error, WebhookID: a.Webhook.WebhookID(), Peer: t.Peer, TLS: t.TLS, TookMS: ms(a.Took), DNSMS: ms(t.DNS),
		ConnectMS: ms(t.Connect), HandshakeMS: ms(t.Handshake), WaitMS: ms(t.Wait), ReadMS: ms(t.Read), RequestHeader: a.RequestHeader,
		RequestBody: string(a.RequestBody), ResponseHeader: a.ResponseHeader, ResponseBody: string(a.ResponseBody), Truncated: a.Truncated,
	}
	if !t.Certificate.IsZero() {
		out.Certificate = &t.Certificate
	}
	return out
}

// ms is a duration in milliseconds, to a hundredth.
func ms(d time.Duration) float64 { return float64(d.Microseconds()/10) / 100 }

// shownBody is how much of an answer's body a terminal is shown.
const shownBody = 2 << 10

// show prints a call as people read it: what was sent, what came, and the sentence.
func (c *endpointTestCmd) show(w io.Writer, r delivery.TestResult, sentence string) error {
	a, t := r.Attempt, r.Attempt.Trace
	var b strings.Builder
	fmt.Fprintf(&b, "--> POST %s  %s %s\n", printable(a.URL), c.Event, c.Payload)
	part := func(name string, d time.Duration) {
		if d > 0 {
			fmt.Fprintf(&b, "  %s %s ms", name, strconv.FormatFloat(ms(d), 'f', -1, 64))
		}
	}
	status := "–"
	if a.Status > 0 {
		status = strconv.Itoa(a.Status)
	}
	fmt.Fprintf(&b, "<-- %s  %s ms ", status, strconv.FormatFloat(ms(a.Took), 'f', -1, 64))
	part("DNS", t.DNS)
	part("connect", t.Connect)
	part("TLS", t.Handshake)
	part("wait", t.Wait)
	part("body", t.Read)
	if t.Peer != "" {
		fmt.Fprintf(&b, "  %s", t.Peer)
	}
	if t.TLS != "" {
		fmt.Fprintf(&b, "  %s", t.TLS)
	}
	b.WriteString("\n")
	for line := range strings.Lines(a.ResponseHeader) {
		fmt.Fprintf(&b, "    %s\n", printable(strings.TrimSuffix(line, "\n")))
	}
	if body := string(a.ResponseBody[:min(len(a.ResponseBody), shownBody)]); body != "" {
		b.WriteString("\n")
		for line := range strings.Lines(body) {
			fmt.Fprintf(&b, "    %s\n", printable(strings.TrimRight(line, "\r\n")))
		}
		if a.Truncated || len(a.ResponseBody) > shownBody {
			b.WriteString("    …\n")
		}
	}
	if r.Finding.OK() { // what is wrong is the error
		fmt.Fprintf(&b, "\n%s\n", printable(sentence))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
