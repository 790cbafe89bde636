package cli

import (
	"cmp"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/words"
)

// usualWidth is how wide a terminal is of which nobody knows.
const usualWidth = 80

// labelCells is how much of a line the labels of a module take.
const labelCells = 14

// A pgWords says things of PG modules in a language.
type pgWords struct{ lang words.Lang }

func (w pgWords) t(key string, args ...any) string {
	return words.Text(w.lang, "cli.providers."+key, args...)
}

// own is a module's text in the language.
func (w pgWords) own(t provider.Text) string {
	if w.lang == words.En {
		return t.EN
	}
	return t.KO
}

// row is a label with the paragraphs that belong to it.
func (w pgWords) row(label string, texts ...string) []string {
	return append([]string{w.t(label)}, texts...)
}

// show prints everything about a module, in lines that fit the terminal.
func (w pgWords) show(env Env, p provider.Provider) error {
	width := cmp.Or(max(env.Width, 0), usualWidth)
	for _, row := range w.module(p) {
		label := row[0]
		for _, text := range row[1:] {
			for _, line := range wrapBy(strings.Fields(text), max(width-labelCells, 40), " ") {
				if _, err := fmt.Fprintf(env.Stdout, "%s%s%s\n", label, strings.Repeat(" ", max(labelCells-cells(label), 1)), line); err != nil {
					return err
				}
				label = ""
			}
		}
	}
	return nil
}

// wallet are the rows of an easy-pay service, of which there are no notices to tell.
func (w pgWords) wallet(i provider.Info) [][]string {
	var currencies []string
	for _, c := range i.Wallet.Currencies {
		currencies = append(currencies, string(c))
	}
	return append(w.head(i),
		w.row("notices", w.t("wallet_notices")),
		w.row("channels", w.t("wallet_channels")),
		w.row("windows", w.t("wallet_windows", "method", string(i.Wallet.Method), "currencies", strings.Join(currencies, ", "))),
		w.row("credentials", w.credentials(i.Fields)...),
		w.row("mids", w.t("own_mids")),
		w.row("set_up", "tongbo channel guide "+i.Code),
	)
}

// head are the rows that every module has.
func (w pgWords) head(i provider.Info) [][]string {
	return [][]string{
		w.row("code", i.Code),
		w.row("name", i.Name.KO, i.Name.EN),
		w.row("module", w.t("module_of", "modules", i.Modules)),
		w.row("admin", cmp.Or(i.Admin, w.t("not_known"))),
	}
}

// module are the rows of a module.
func (w pgWords) module(p provider.Provider) [][]string {
	i := p.Info()
	if i.Wallet != nil {
		return w.wallet(i)
	}
	confirm := "confirm_usual"
	switch {
	case i.ConfirmAlways:
		confirm = "confirm_always"
	case !slices.ContainsFunc(i.Fields, func(f provider.Field) bool { return f.Inquiry }):
		confirm = "confirm_never"
	}
	rows := append(w.head(i),
		w.row("paths", i.Paths...),
		w.row("method", strings.Join(i.Methods, ", ")),
		w.row("charset", i.Charset),
	)
	if len(i.Forms) > 0 {
		rows = append(rows, w.row("formats", w.t("formats_of", "forms", strings.Join(i.Forms, ", "))))
	}
	resends := w.schedule(i.Resend)
	if i.Resend == nil {
		resends = w.t("resends_unknown")
	}
	return append(rows,
		w.row("tells", eventList(i.Events)),
		w.row("proved", w.proved(i), w.own(i.Proves)),
		w.row("confirming", w.t(confirm)),
		w.row("calls", w.calls(provider.Calls(p))),
		w.row("credentials", w.credentials(i.Fields)...),
		w.row("live_senders", w.senders(i.LiveSenders)),
		w.row("test_senders", w.senders(i.TestSenders)),
		w.row("as_of", cmp.Or(w.own(i.SendersDate()), "–")),
		w.row("resends", resends, w.own(i.ResendNote)),
		w.row("mids", w.testMIDs(i.TestMIDs)...),
		w.row("set_up", "tongbo channel guide "+i.Code),
	)
}

// class says how strong a proof is.
func (w pgWords) class(c provider.Class) string { return w.t("class." + string(c)) }

// proved says what proves a notice, and when that can be checked.
func (w pgWords) proved(i provider.Info) string {
	names, class := strings.Join(proofs(i), ", "), w.class(i.Class)
	switch {
	case i.Class == provider.AddressOnly:
		return class
	case names == "":
		return w.t("proved_order", "class", class)
	case i.OrderSecret:
		return w.t("proved_either", "class", class, "names", names)
	}
	return w.t("proved_key", "class", class, "names", names)
}

// calls says what a PG can be asked for.
func (w pgWords) calls(list []provider.Call) string {
	var out []string
	for _, c := range list {
		out = append(out, w.t("call."+string(c)))
	}
	if out == nil {
		return w.t("calls_none")
	}
	return w.t("calls_of", "calls", strings.Join(out, "; "))
}

func (w pgWords) credentials(fields []provider.Field) []string {
	var out []string
	for _, f := range fields {
		key := "credential"
		switch {
		case f.Proof && f.Inquiry:
			key = "credential_both"
		case f.Proof:
			key = "credential_proof"
		case f.Inquiry:
			key = "credential_inquiry"
		}
		out = append(out, w.t(key, "name", f.Name, "label", w.own(f.Label)))
	}
	if out == nil {
		return []string{w.t("none")}
	}
	return out
}

func (w pgWords) senders(list []netip.Prefix) string {
	if len(list) == 0 {
		return w.t("no_senders")
	}
	return strings.Join(senderWords(list), " ")
}

func (w pgWords) testMIDs(list []provider.TestMID) []string {
	var out []string
	for _, m := range list {
		key := "mid"
		if len(m.Credentials) == 0 {
			key = "mid_keyless"
		}
		out = append(out, w.t(key, "mid", m.MID, "source", w.own(m.Source)))
	}
	if out == nil {
		return []string{w.t("no_mids")}
	}
	return out
}

// senderWords writes single addresses without a mask.
func senderWords(list []netip.Prefix) []string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = p.String()
		if p.IsSingleIP() {
			out[i] = p.Addr().String()
		}
	}
	return out
}

// proofs are the credentials that notices are proved with.
func proofs(i provider.Info) []string {
	out := []string{}
	for _, f := range i.Fields {
		if f.Proof {
			out = append(out, f.Name)
		}
	}
	return out
}

// shownProvider is a module as JSON.
type shownProvider struct {
	Code        string          `json:"code"`
	NameKO      string          `json:"name_ko"`
	NameEN      string          `json:"name_en"`
	Modules     string          `json:"modules"`
	Admin       string          `json:"admin"`
	Paths       []string        `json:"paths"`
	Methods     []string        `json:"methods"`
	Charset     string          `json:"charset"`
	Class       provider.Class  `json:"class"`
	Proves      string          `json:"proves"`
	ProvedWith  []string        `json:"proved_with"` // of the credentials
	OrderSecret bool            `json:"order_secret"`
	Resend      []string        `json:"resend"` // absent from the PG's documents: null
	ResendSecs  []float64       `json:"resend_seconds"`
	ResendNote  string          `json:"resend_note"`
	Senders     shownSenders    `json:"senders"`
	SendersAsOf string          `json:"senders_as_of"`
	Events      []payment.Event `json:"events"`
	Forms       []string        `json:"forms"` // wire formats, where there are several
	Credential  []string        `json:"credentials"`
	TestMIDs    []string        `json:"test_mids"`
	Calls       []provider.Call `json:"calls"`            // that its API takes
	Wallet      string          `json:"wallet,omitempty"` // whose module it is: it has test channels alone, and no notices
}

// shownSenders are the published addresses, empty if there are none.
type shownSenders struct {
	Live []string `json:"live"`
	Test []string `json:"test"`
}

func providersJSON(w io.Writer, list []provider.Provider) error {
	for _, p := range list {
		line, err := plainJSON(shownModule(p))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n", line); err != nil {
			return err
		}
	}
	return nil
}

func shownModule(p provider.Provider) shownProvider {
	i := p.Info()
	s := shownProvider{
		Calls: append([]provider.Call{}, provider.Calls(p)...),
		Code:  i.Code, NameKO: i.Name.KO, NameEN: i.Name.EN, Modules: i.Modules, Admin: i.Admin,
		Paths: append([]string{}, i.Paths...), Methods: append([]string{}, i.Methods...), Charset: i.Charset, Class: i.Class, Events: append([]payment.Event{}, i.Events...),
		Proves: i.Proves.EN, ProvedWith: proofs(i), OrderSecret: i.OrderSecret,
		Senders:     shownSenders{Live: senderWords(i.LiveSenders), Test: senderWords(i.TestSenders)},
		SendersAsOf: i.SendersDate().EN,
		ResendNote:  i.ResendNote.EN, Forms: append([]string{}, i.Forms...), Credential: []string{}, TestMIDs: []string{},
	}
	if i.Wallet != nil {
		s.Wallet = string(i.Wallet.Name)
	}
	for _, d := range i.Resend {
		s.Resend, s.ResendSecs = append(s.Resend, d.String()), append(s.ResendSecs, d.Seconds())
	}
	for _, f := range i.Fields {
		s.Credential = append(s.Credential, f.Name)
	}
	for _, m := range i.TestMIDs {
		s.TestMIDs = append(s.TestMIDs, m.MID)
	}
	return s
}
