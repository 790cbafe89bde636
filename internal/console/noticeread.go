package console

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/korean"

	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func madeHere(r notice.Request) bool { return ingress.MadeHere(r) }

func outcomeOf(v payment.Verdict) provider.Outcome { return ingress.Outcome(v) }

// How much of a body a page shows, as text and in hex; the rest can be downloaded.
const (
	mostText = 8 << 10
	mostHex  = 1 << 10
)

// Of what a notice says, which anybody may send: how many fields a page shows, how much of
// each, in letters, and how deep it looks into JSON.
const (
	mostFields = 200
	mostField  = 500
	mostDepth  = 8
)

// rawBytes is a request as it came.
type rawBytes struct {
	Line    string // the request line, without the token that ends a channel's own path
	Headers []headerLine
	Text    string
	Hex     string
	Size    int
	Cut     bool   // more was sent than is shown here
	Charset string // as which the text is read
	Why     string // ascii, rule, bytes, header, guess or chosen
	Lost    bool   // some of it cannot be read so
	Choices []string
}

// A headerLine is a header of a request.
type headerLine struct {
	Name, Value string
	Hidden      bool // it may hold a secret
}

// The charsets that can be chosen, as they are called in addresses.
var charsets = []string{"UTF-8", "EUC-KR", "CP949"}

// rawOf shows a request, its body read in a charset; an empty one is found out.
func rawOf(in notice.Inbound, pg provider.Provider, chosen string) *rawBytes {
	r := in.Request
	out := &rawBytes{Line: r.Method + " " + r.Route(), Size: len(r.Body), Choices: charsets}
	if r.Query != "" {
		out.Line += "?" + r.Query
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		for _, value := range r.Header[name] {
			out.Headers = append(out.Headers, headerLine{name, value, hiddenHeader(name)})
		}
	}
	out.Charset, out.Why = charsetOf(in, pg)
	if slices.Contains(charsets, chosen) {
		out.Charset, out.Why = chosen, "chosen"
	}
	text := r.Body[:min(len(r.Body), mostText)]
	out.Text = readAs(text, out.Charset)
	out.Lost = strings.ContainsRune(readAs(wire.Unescape(text), out.Charset), utf8.RuneError)
	out.Hex = hex.Dump(r.Body[:min(len(r.Body), mostHex)])
	out.Cut = len(r.Body) > mostHex
	return out
}

// hiddenHeader reports whether a header may hold what lets somebody in.
func hiddenHeader(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"auth", "cookie", "secret", "token", "key", "signature"}, func(s string) bool { return strings.Contains(name, s) })
}

// charsetOf is the charset in which a body is read, and how that is known: as the decoder
// did, or, of what it did not understand, as far as anything tells.
func charsetOf(in notice.Inbound, pg provider.Provider) (charset, why string) {
	r := in.Request
	if pg != nil {
		if n, err := ingress.Read(pg, r, in.At); err == nil && n.Charset != "" {
			return n.Charset, charsetWhy(n)
		}
	}
	if _, params, err := mime.ParseMediaType(r.ContentType()); err == nil && params["charset"] != "" {
		if c := knownCharset(params["charset"]); c != "" {
			return c, "header"
		}
	}
	if pg != nil {
		if c := knownCharset(pg.Info().Charset); c != "" {
			return c, "rule"
		}
	}
	if utf8.Valid(wire.Unescape(r.Body)) {
		return "UTF-8", "guess"
	}
	return "EUC-KR", "guess"
}

// charsetWhy is how a decoder knew in which charset a notice was; empty if it is not known.
func charsetWhy(n notice.Notice) string {
	switch {
	case n.Charset == "":
		return ""
	case n.Charset == notice.ASCII:
		return "ascii"
	case n.CharsetByRule:
		return "rule"
	}
	return "bytes"
}

func knownCharset(name string) string {
	switch strings.ToUpper(strings.ReplaceAll(name, "_", "-")) {
	case "UTF-8", "UTF8":
		return "UTF-8"
	case "EUC-KR", "EUCKR", "KS-C-5601-1987", "KSC5601":
		return "EUC-KR"
	case "CP949", "MS949", "UHC":
		return "CP949"
	}
	return ""
}

// readAs reads bytes as text; what cannot be read becomes U+FFFD.
func readAs(b []byte, charset string) string {
	if charset == "UTF-8" {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	out, err := korean.EUCKR.NewDecoder().Bytes(b) // which is CP949, too
	if err != nil {
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(out)
}

func hexLine(b []byte) string {
	return strings.TrimSpace(strings.Join(strings.FieldsFunc(fmt.Sprintf("% x", b), func(r rune) bool { return r == ' ' }), " "))
}

// A reading is what a notice says.
type reading struct {
	Error string // why it cannot be read; then nothing else is there
	Ours  []saidField
	PG    []pgField
	More  int      // how many fields of the PG's are left out
	Lost  []string // names that came unreadable and were left out
	Test  bool
	// CharsetWhy is how the decoder knew the charset.
	CharsetWhy string
}

// A saidField is a field in our words.
type saidField struct {
	Name, Text string
	Differs    string // what the payment says instead; empty if it says the same or nothing
}

// A pgField is a field as the PG named it, with what it is to us.
type pgField struct {
	Name, Value string
	Ours        []string // our names for it
	Hidden      bool     // its value is not shown: a secret, or not for this visitor
}

// reading reads a notice for the visitor.
func (c *Console) reading(v *visit, pg provider.Provider, in notice.Inbound, p *payment.Payment) *reading {
	n, err := ingress.Read(pg, in.Request, in.At)
	if err != nil {
		return &reading{Error: err.Error()}
	}
	out := &reading{Lost: n.Damaged, Test: n.Test, Ours: v.saidFields(n, p), CharsetWhy: charsetWhy(n)}
	if !madeHere(in.Request) {
		out.PG, out.More = v.pgFields(in, pg, n)
	}
	return out
}

// saidFields are our fields of a notice, with what differs from its payment.
func (v *visit) saidFields(n notice.Notice, p *payment.Payment) (out []saidField) {
	add := func(name, text, differs string) {
		if text != "" {
			out = append(out, saidField{name, clipped(text), differs})
		}
	}
	var amount, wants, account, expects string
	if n.HasAmount {
		amount = page.Money(n.Amount)
		if p != nil && n.Amount != p.Amount && n.Event == payment.EventDeposited {
			wants = page.Money(p.Amount)
		}
	}
	account = v.account(n.Account)
	if p != nil {
		if t, ok := p.Transaction(); ok && t.Account != nil && account != "" && !sameDigits(n.Account.Reveal(), t.Account.Number.Reveal()) {
			expects = v.account(t.Account.Number)
		}
	}
	add("event", v.t("told."+string(n.Event)), "")
	add("kind", n.Kind, "")
	add("mid", n.Merchant, "")
	add("order", n.Order, "")
	add("key", n.Key, "")
	add("deposit", n.Deposit, "")
	add("amount", amount, wants)
	add("account", account, expects)
	add("bank", page.Bank(n.Bank), "")
	add("depositor", v.person(n.Depositor), "")
	add("holder", v.person(n.Holder), "")
	if !n.At.IsZero() {
		add("at", n.At.In(page.Location(v.zone())).Format("2006-01-02 15:04:05"), "")
	}
	if !n.ExpiresAt.IsZero() {
		add("expires", n.ExpiresAt.In(page.Location(v.zone())).Format("2006-01-02 15:04:05"), "")
	}
	add("pgtx", n.PGTx, "")
	add("pgcancel", n.PGCancel, "")
	return out
}

func sameDigits(a, b string) bool { return wire.Digits(a) == wire.Digits(b) }

// pgFields are the PG's own fields, with our names for them. Those that neither we nor the
// module's list of others name are secrets, and hidden. more is how many there are beyond what
// is shown.
func (v *visit) pgFields(in notice.Inbound, pg provider.Provider, n notice.Notice) (out []pgField, more int) {
	charset, _ := charsetOf(in, pg)
	names, values := bodyFields(in.Request, charset)
	more = max(0, len(names)-mostFields)
	names = names[:len(names)-more]
	ours := ownValues(n)
	for _, name := range names {
		f := pgField{Name: name, Value: values[name]}
		for _, o := range ours {
			if o.is(f.Value) {
				f.Ours = append(f.Ours, o.name)
			}
		}
		_, other := n.Fields[name]
		f.Hidden = f.Value != "" && len(f.Ours) == 0 && !other
		if !v.reveals() && f.Value != "" {
			f.Hidden = f.Hidden || len(f.Ours) == 0 || slices.ContainsFunc(f.Ours, personal)
		}
		out = append(out, f.shown())
	}
	for _, name := range slices.Sorted(maps.Keys(n.Fields)) {
		switch _, there := values[name]; {
		case there || n.Fields[name] == "":
		case len(out) >= mostFields:
			more++
		default:
			out = append(out, pgField{Name: name, Value: n.Fields[name], Hidden: !v.reveals()}.shown())
		}
	}
	return out, more
}

// shown is the field as a page shows it.
func (f pgField) shown() pgField {
	if f.Hidden {
		f.Value = ""
	}
	f.Name, f.Value = clipped(f.Name), clipped(f.Value)
	return f
}

// clipped is as much of a text as a page shows of a field.
func clipped(s string) string {
	n := 0
	for i := range s {
		if n++; n > mostField {
			return s[:i] + "…"
		}
	}
	return s
}

// personal reports whether a field of ours tells of a person.
func personal(name string) bool { return name == "account" || name == "depositor" || name == "holder" }

// An ownValue is a value of ours, to be found among the PG's.
type ownValue struct {
	name string
	is   func(string) bool
}

func ownValues(n notice.Notice) (out []ownValue) {
	text := func(name, value string) {
		if value != "" {
			out = append(out, ownValue{name, func(s string) bool { return s == value }})
		}
	}
	text("order", n.Order)
	text("mid", n.Merchant)
	text("kind", n.Kind)
	text("deposit", n.Deposit)
	text("pgtx", n.PGTx)
	text("pgcancel", n.PGCancel)
	text("depositor", n.Depositor)
	text("holder", n.Holder)
	text("bank", n.BankCode)
	text("bank", n.BankName)
	if a := wire.Digits(n.Account.Reveal()); a != "" {
		out = append(out, ownValue{"account", func(s string) bool { return wire.Digits(s) == a && len(s) >= len(a) }})
	}
	if n.HasAmount {
		out = append(out, ownValue{"amount", func(s string) bool {
			won, err := wire.Amount(s)
			return err == nil && s != "" && won == n.Amount.Amount
		}})
	}
	if !n.At.IsZero() {
		at := n.At.In(wire.Seoul)
		out = append(out, ownValue{"at", func(s string) bool {
			d := wire.Digits(s)
			return len(d) >= 6 && (strings.HasPrefix(d, at.Format("20060102150405")) || d == at.Format("20060102") || d == at.Format("150405") || d == at.Format("060102150405"))
		}})
	}
	return out
}

// bodyFields are the names in a body, in its order, and their values: of a form, the query
// before it, or of JSON.
func bodyFields(r notice.Request, charset string) (names []string, values map[string]string) {
	values = make(map[string]string)
	add := func(name, value string) {
		if _, twice := values[name]; !twice {
			names = append(names, name)
		}
		values[name] = value
	}
	if body := bytes.TrimSpace(r.Body); len(body) > 0 && body[0] == '{' {
		flatten("", body, mostDepth, add)
		return names, values
	}
	for _, part := range []string{r.Query, string(r.Body)} {
		if !strings.Contains(part, "=") {
			continue // a record of fixed width
		}
		for field := range strings.SplitSeq(part, "&") {
			name, value, _ := strings.Cut(field, "=")
			add(readAs(wire.Unescape([]byte(name)), charset), strings.TrimSpace(readAs(wire.Unescape([]byte(value)), charset)))
		}
	}
	return names, values
}

// flatten gives the texts, numbers and truths of JSON with their paths, in their order; what is
// deeper is given as it came.
func flatten(path string, b []byte, depth int, add func(name, value string)) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return
		}
		at := path + fmt.Sprint(name)
		switch {
		case len(value) > 0 && value[0] == '{' && depth > 1:
			flatten(at+".", value, depth-1, add)
		case len(value) > 0 && value[0] == '"':
			var s string
			if json.Unmarshal(value, &s) == nil {
				add(at, s)
			}
		default:
			add(at, string(value))
		}
	}
}
