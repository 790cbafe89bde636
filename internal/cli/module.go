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
)

// usualWidth is how wide a terminal is of which nobody knows.
const usualWidth = 80

// labelCells is how much of a line the labels of a module take.
const labelCells = 14

// showModule prints everything about a module, in lines that fit the terminal.
func showModule(env Env, p provider.Provider) error {
	width := cmp.Or(max(env.Width, 0), usualWidth)
	for _, row := range moduleRows(p) {
		label := row[0]
		for _, text := range row[1:] {
			for _, line := range wrapBy(strings.Fields(text), max(width-labelCells, 40), " ") {
				if _, err := fmt.Fprintf(env.Stdout, "%-*s%s\n", labelCells, label, line); err != nil {
					return err
				}
				label = ""
			}
		}
	}
	return nil
}

// walletRows are those of an easy-pay service, of which there are no notices to tell.
func walletRows(i provider.Info) [][]string {
	var currencies []string
	for _, c := range i.Wallet.Currencies {
		currencies = append(currencies, string(c))
	}
	return [][]string{
		{"Code", i.Code},
		{"Name", i.Name.KO, i.Name.EN},
		{"Module", i.Modules + " of PortOne"},
		{"Admin site", cmp.Or(i.Admin, "not known")},
		{"Notices", "none: the wallet sends none"},
		{"Channels", "test channels only: approvals are played, and no API of the wallet is called"},
		{"Windows", "payMethod " + string(i.Wallet.Method) + " in " + strings.Join(currencies, ", ")},
		append([]string{"Credentials"}, credentialTexts(i.Fields)...),
		{"Test MIDs", "none published: enter your own"},
		{"Set it up", "tongbo channel guide " + i.Code},
	}
}

// moduleRows are labels, each with the paragraphs that belong to it.
func moduleRows(p provider.Provider) [][]string {
	i := p.Info()
	if i.Wallet != nil {
		return walletRows(i)
	}
	confirm := "a live channel with the credentials for it asks the PG before a deposit counts, unless confirm = false"
	switch {
	case i.ConfirmAlways:
		confirm = "live deposits count only after the PG was asked"
	case !slices.ContainsFunc(i.Fields, func(f provider.Field) bool { return f.Inquiry }):
		confirm = "the PG is never asked"
	}
	proved := classWords(i.Class)
	if i.Class != provider.AddressOnly {
		proved += ", which can be checked if " + whereProved(i)
	}
	rows := [][]string{
		{"Code", i.Code},
		{"Name", i.Name.KO, i.Name.EN},
		{"Module", i.Modules + " of PortOne"},
		{"Admin site", cmp.Or(i.Admin, "not known")},
		append([]string{"Notice paths"}, i.Paths...),
		{"Method", strings.Join(i.Methods, ", ")},
		{"Charset", i.Charset},
	}
	if len(i.Forms) > 0 {
		rows = append(rows, []string{"Formats", strings.Join(i.Forms, ", ") + " (--form of tongbo simulate)"})
	}
	resends := resendWords(i.Resend)
	if i.Resend == nil {
		resends += "; tongbo simulate assumes ten times, a minute apart"
	}
	return append(rows,
		[]string{"Tells", eventList(i.Events)},
		[]string{"Proved by", proved, i.Proves.EN},
		[]string{"Confirming", confirm},
		[]string{"API calls", callTexts(provider.Calls(p))},
		append([]string{"Credentials"}, credentialTexts(i.Fields)...),
		[]string{"Live senders", senderText(i.LiveSenders)},
		[]string{"Test senders", senderText(i.TestSenders)},
		[]string{"as of", cmp.Or(i.SendersDate().EN, "–")},
		[]string{"Resends", resends, i.ResendNote.EN},
		append([]string{"Test MIDs"}, testMIDTexts(i.TestMIDs)...),
		[]string{"Set it up", "tongbo channel guide " + i.Code},
	)
}

// callTexts says what a PG can be asked for.
func callTexts(list []provider.Call) string {
	words := map[provider.Call]string{
		provider.CallIssue: "issues accounts", provider.CallAsk: "tells where a payment stands",
		provider.CallClose: "closes accounts", provider.CallRefund: "refunds, whole and in part",
	}
	var out []string
	for _, c := range list {
		out = append(out, words[c])
	}
	if out == nil {
		return "none that this build knows: issue, close and refund in the PG's own pages"
	}
	return strings.Join(out, "; ") + " (docs/api.md has the limits)"
}

func credentialTexts(fields []provider.Field) []string {
	var out []string
	for _, f := range fields {
		text := f.Name + ": " + f.Label.KO
		if f.Label.EN != f.Label.KO {
			text += ", " + f.Label.EN
		}
		if f.Proof {
			text += "; notices are proved with it"
		}
		if f.Inquiry {
			text += "; the PG is asked with it"
		}
		out = append(out, text)
	}
	if out == nil {
		return []string{"none"}
	}
	return out
}

func senderText(list []netip.Prefix) string {
	if len(list) == 0 {
		return "the PG publishes none"
	}
	return strings.Join(senderWords(list), " ")
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

func testMIDTexts(list []provider.TestMID) []string {
	var out []string
	for _, m := range list {
		text := m.MID
		if len(m.Credentials) == 0 {
			text += ", without keys"
		}
		out = append(out, text+": "+m.Source.EN)
	}
	if out == nil {
		return []string{"none is published"}
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
