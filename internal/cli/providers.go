package cli

import (
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/text/width"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// A providersCmd lists the PG modules of this build.
type providersCmd struct {
	JSON bool `name:"json" help:"One JSON object a line."`
}

// Run prints a table, or one JSON object a line.
func (c *providersCmd) Run(env Env) error {
	if c.JSON {
		return providersJSON(env.Stdout)
	}
	rows := [][]string{{"CODE", "NAME", "MODULE", "NOTICE PATH", "CHARSET", "NOTICES PROVED BY", "RESENDS"}}
	for _, p := range all.Providers() {
		rows = append(rows, providerRows(p.Info())...)
	}
	return writeTable(env.Stdout, rows)
}

// providerRows is one row, and one more for each further path.
func providerRows(i provider.Info) [][]string {
	rows := [][]string{{i.Code, i.Name.KO, i.Modules, i.Paths[0], i.Charset, classWords(i.Class), resendWords(i.Resend)}}
	for _, p := range i.Paths[1:] {
		rows = append(rows, []string{"", "", "", p})
	}
	return rows
}

func classWords(c provider.Class) string {
	switch c {
	case provider.AddressOnly:
		return "sender's address only"
	case provider.SharedSecret:
		return "shared secret"
	case provider.PartialMAC:
		return "keyed hash, in part"
	case provider.FullMAC:
		return "keyed hash"
	}
	return string(c)
}

// resendWords says a schedule in few words, such as "10 × 10m".
func resendWords(list []time.Duration) string {
	if len(list) == 0 {
		return "unknown"
	}
	var words []string
	same := true
	for _, d := range list {
		words = append(words, shortDuration(d))
		same = same && d == list[0]
	}
	if same {
		return fmt.Sprintf("%d × %s", len(list), words[0])
	}
	return strings.Join(words, " ")
}

// shortDuration drops the zeros at the end of a duration's text, and counts in
// minutes up to a hundred hours, as schedules do.
func shortDuration(d time.Duration) string {
	if d%time.Minute == 0 && d > 0 {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

// shownProvider is a module as JSON.
type shownProvider struct {
	Code       string          `json:"code"`
	NameKO     string          `json:"name_ko"`
	NameEN     string          `json:"name_en"`
	Modules    string          `json:"modules"`
	Admin      string          `json:"admin"`
	Paths      []string        `json:"paths"`
	Methods    []string        `json:"methods"`
	Charset    string          `json:"charset"`
	Class      provider.Class  `json:"class"`
	Resend     []string        `json:"resend"` // absent from the PG's documents: null
	ResendNote string          `json:"resend_note"`
	Events     []payment.Event `json:"events"`
	Forms      []string        `json:"forms"` // wire formats, where there are several
	Credential []string        `json:"credentials"`
	TestMIDs   []string        `json:"test_mids"`
}

func providersJSON(w io.Writer) error {
	for _, p := range all.Providers() {
		i := p.Info()
		s := shownProvider{
			Code: i.Code, NameKO: i.Name.KO, NameEN: i.Name.EN, Modules: i.Modules, Admin: i.Admin,
			Paths: i.Paths, Methods: i.Methods, Charset: i.Charset, Class: i.Class, Events: i.Events,
			ResendNote: i.ResendNote.EN, Forms: append([]string{}, i.Forms...), Credential: []string{}, TestMIDs: []string{},
		}
		for _, d := range i.Resend {
			s.Resend = append(s.Resend, d.String())
		}
		for _, f := range i.Fields {
			s.Credential = append(s.Credential, f.Name)
		}
		for _, m := range i.TestMIDs {
			s.TestMIDs = append(s.TestMIDs, m.MID)
		}
		line, err := plainJSON(s)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n", line); err != nil {
			return err
		}
	}
	return nil
}

// writeTable writes rows in columns, two spaces apart. Rows may be short. It
// counts a Korean syllable as the two cells that terminals give it.
func writeTable(w io.Writer, rows [][]string) error {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cells(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[i]-cells(cell)+2))
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// cells is how wide a terminal shows a text.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}
