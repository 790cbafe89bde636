package cli

import (
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/simulator"
)

// An exchangeView shows what a simulated PG sent and heard. It is safe for
// concurrent use.
type exchangeView struct {
	env      Env
	provider provider.Info
	told     notice.Notice // what the notice says, as a receiver reads it
	event    payment.Event // what was asked for
	times    int
	raw      bool
	json     bool
	hide     string // a secret that is not shown
	manner   string // how it is told; empty if it is told well
	// madeUpMID says that the user named no merchant.
	madeUpMID bool

	mu    sync.Mutex
	begun bool // the request line was shown
}

// sayMerchant says whose notice it is, if the notice names anybody and the user
// named nobody.
func (v *exchangeView) sayMerchant() {
	if v.madeUpMID && v.told.Merchant != "" {
		fmt.Fprintf(v.env.talk(), "  as MID %s, the PG's test id; --mid for yours\n", printable(v.told.Merchant))
	}
}

// begin shows the notice itself, before anything is sent.
func (v *exchangeView) begin(r notice.Request) {
	if v.json {
		return
	}
	n := v.told
	line := []string{string(v.event), v.provider.Name.KO}
	for _, s := range []string{n.Order, v.amount(), n.Bank.Name(), n.Account.Reveal(), n.Depositor} {
		if s != "" {
			line = append(line, printable(s))
		}
	}
	fmt.Fprintf(v.env.talk(), "  %s\n", strings.Join(line, "  "))
	v.sayMerchant()
	if v.raw {
		fmt.Fprintf(v.env.talk(), "%s\n", payload(r)) // a secret too: that is what raw asks for
		return
	}
	words, cut := clipped(v.fields(r), lineCells)
	for _, l := range wrap(words, lineCells) {
		fmt.Fprintf(v.env.talk(), "    %s\n", v.paint(faint, l))
	}
	if cut {
		fmt.Fprintln(v.env.talk(), "    --raw shows in full what … cut short")
	}
}

func (v *exchangeView) amount() string {
	if !v.told.HasAmount {
		return ""
	}
	return "₩" + grouped(v.told.Amount.Amount)
}

// grouped writes a number with commas.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// show shows one try of one copy of the notice.
func (v *exchangeView) show(number int, x simulator.Exchange) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.json {
		v.line(number, x)
		return
	}
	name := fmt.Sprintf("try %d", x.Try)
	if v.times > 1 {
		name = fmt.Sprintf("notice %d, try %d", number, x.Try)
	}
	if !v.begun {
		v.begun = true
		fmt.Fprintf(v.env.talk(), "  %s %s  %s, %d bytes\n", x.Request.Method, printable(withoutQuery(x)), kindOf(x.Request), len(payload(x.Request)))
	}
	fmt.Fprintf(v.env.talk(), "  %s  %s\n", name, v.result(x))
}

// withoutQuery is where a request went; what it said there is shown above.
func withoutQuery(x simulator.Exchange) string {
	if x.Request.Method == http.MethodGet {
		address, _, _ := strings.Cut(x.URL, "?")
		return address
	}
	return x.URL
}

// kindOf is the request's media type in short.
func kindOf(r notice.Request) string {
	switch kind, _, _ := mime.ParseMediaType(r.ContentType()); kind {
	case "application/x-www-form-urlencoded":
		return "form"
	case "application/json":
		return "JSON"
	case "":
		if r.Method == http.MethodGet {
			return "query"
		}
		return "no content type"
	default:
		return kind
	}
}

// result says in one line what came back and what the PG makes of it.
func (v *exchangeView) result(x simulator.Exchange) string {
	took := x.Took.Round(time.Millisecond)
	if x.Took < 10*time.Millisecond {
		took = x.Took.Round(100 * time.Microsecond)
	}
	var s string
	if x.Err != nil {
		s = v.paint(red, x.Err.Error())
	} else {
		s = fmt.Sprintf("%d %s  %v  ", x.Reply.Status, quoted(x.Reply.Body), took)
		if x.Acked {
			return s + v.paint(green, "acknowledged")
		}
		s += v.paint(red, "not acknowledged")
	}
	if x.Again > 0 {
		s += fmt.Sprintf(", again in %v", x.Again)
		if v.provider.Resend == nil {
			s += " (assumed)"
		}
	}
	return s
}

// quoted is an answer as text, cut short.
func quoted(b []byte) string {
	const most = 120
	text, err := wire.Text(b, wire.Detect)
	if err != nil {
		return fmt.Sprintf("(%d bytes that are no text)", len(b))
	}
	if text == "" {
		return "(empty)"
	}
	more := ""
	if utf8.RuneCountInString(text) > most {
		text, more = string([]rune(text)[:most]), "…"
	}
	return strconv.Quote(text) + more
}

// shownExchange is a try as JSON.
type shownExchange struct {
	Manner      string        `json:"manner,omitempty"`
	Notice      int           `json:"notice"` // which copy, or which act of a manner
	Try         int           `json:"try"`
	At          time.Time     `json:"at"`
	Provider    string        `json:"provider"`
	Event       payment.Event `json:"event"`
	MID         string        `json:"mid,omitempty"` // as the notice names it
	Order       string        `json:"order,omitempty"`
	Key         string        `json:"key"`
	Deposit     string        `json:"deposit,omitempty"`
	Method      string        `json:"method"`
	URL         string        `json:"url"`
	ContentType string        `json:"content_type,omitempty"`
	Body        []byte        `json:"body"` // base64: it may be in any charset
	Status      int           `json:"status,omitempty"`
	Answer      string        `json:"answer,omitempty"`
	TookMS      float64       `json:"took_ms"`
	Acked       bool          `json:"acked"`
	AgainMS     float64       `json:"again_ms,omitempty"`
	Assumed     bool          `json:"again_assumed,omitempty"` // the PG's own delays are not known
	Error       string        `json:"error,omitempty"`
}

func (v *exchangeView) line(number int, x simulator.Exchange) {
	s := shownExchange{
		Manner: v.manner, Notice: number, Try: x.Try, At: x.At, Provider: v.provider.Code, Event: v.event, MID: v.told.Merchant, Order: v.told.Order,
		Key: v.told.Key, Deposit: v.told.Deposit, Method: x.Request.Method, URL: x.URL,
		ContentType: x.Request.ContentType(), Body: x.Request.Body, Status: x.Reply.Status, Answer: string(x.Reply.Body),
		TookMS: milliseconds(x.Took), Acked: x.Acked, AgainMS: milliseconds(x.Again),
		Assumed: x.Again > 0 && v.provider.Resend == nil,
	}
	if x.Err != nil {
		s.Error = x.Err.Error()
	}
	out, err := plainJSON(s)
	if err != nil {
		panic(err) // every field can be written
	}
	fmt.Fprintf(v.env.Stdout, "%s\n", out)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// A colour is the number in a terminal's escape sequence.
type colour int

const (
	faint colour = 2
	red   colour = 31
	green colour = 32
)

// paint colours text on a terminal, and leaves it alone elsewhere.
func (v *exchangeView) paint(c colour, s string) string {
	if !v.env.Colours {
		return s
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", c, s)
}
