package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/width"

	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// A providersCmd lists the PG modules of this build.
type providersCmd struct {
	Code string `arg:"" optional:"" help:"Print everything about this module, such as kcp or nice_v2."`
	JSON bool   `name:"json" help:"One JSON object a line."`
}

// Run prints a table, or everything about one module, or one JSON object a
// line.
func (c *providersCmd) Run(env Env) error {
	list := slices.Concat(all.Providers(), all.Wallets())
	if c.Code != "" {
		p, err := providerByCode(c.Code)
		if err != nil {
			return err
		}
		list = []provider.Provider{p}
	}
	switch {
	case c.JSON:
		return providersJSON(env.Stdout, list)
	case c.Code != "":
		return showModule(env, list[0])
	}
	return providersTable(env.Stdout, list)
}

// providersTable prints two lines for each module: what it is, and below it
// where its notices come and how they are written.
func providersTable(w io.Writer, list []provider.Provider) error {
	rows := [][]string{{"CODE", "NAME", "MODULE", "PROVED BY", "RESENDS"}}
	for _, p := range list {
		i := p.Info()
		if !i.SendsNotices() {
			rows = append(rows, []string{i.Code, i.Name.KO, i.Modules, "–", "–"})
			continue
		}
		rows = append(rows, []string{i.Code, i.Name.KO, i.Modules, classWords(i.Class), resendWords(i.Resend)})
	}
	lines := tableLines(rows)
	for n, line := range lines {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		i := list[n-1].Info()
		below := strings.Join(append(slices.Clone(i.Paths), i.Charset), "  ")
		if !i.SendsNotices() {
			below = "no notices; test channels only, whose approvals are played"
		}
		if _, err := fmt.Fprintln(w, "    "+below); err != nil {
			return err
		}
	}
	_, err := fmt.Fprint(w, providersLegend)
	return err
}

// providersLegend explains the table: resendWords above all.
const providersLegend = `
Second lines have the notice paths and the charset. Resends of a notice that was not acknowledged:
10 × 10m is ten times, ten minutes apart; 1m 4m is after 1 and then after 4 minutes; unknown is not
published. All about one module: tongbo providers CODE
`

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

// writeTable writes rows in columns, two spaces apart. Rows may be short. It
// counts a Korean syllable as the two cells that terminals give it.
func writeTable(w io.Writer, rows [][]string) error {
	for _, line := range tableLines(rows) {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

func tableLines(rows [][]string) []string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cells(cell))
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			line.WriteString(strings.Repeat(" ", widths[i]-cells(cell)+2))
		}
		lines[n] = strings.TrimRight(line.String(), " ")
	}
	return lines
}

// cells is how wide a terminal shows a text, links of the console among it.
func cells(s string) int {
	n := 0
	if strings.Contains(s, "\x1b") {
		s = linkCode.ReplaceAllString(s, "")
	}
	for _, r := range s {
		n++
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}
