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
	langFlag
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
		return pgWords{c.lang()}.show(env, list[0])
	}
	return pgWords{c.lang()}.table(env.Stdout, list)
}

// table prints two lines for each module: what it is, and below it
// where its notices come and how they are written.
func (w pgWords) table(out io.Writer, list []provider.Provider) error {
	rows := [][]string{heads(w.lang, "cli.providers.col.", "code", "name", "module", "proved", "resends")}
	for _, p := range list {
		i := p.Info()
		if !i.SendsNotices() {
			rows = append(rows, []string{i.Code, i.Name.KO, i.Modules, "–", "–"})
			continue
		}
		rows = append(rows, []string{i.Code, i.Name.KO, i.Modules, w.class(i.Class), w.schedule(i.Resend)})
	}
	lines := tableLines(rows)
	for n, line := range lines {
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		i := list[n-1].Info()
		below := strings.Join(append(slices.Clone(i.Paths), i.Charset), "  ")
		if !i.SendsNotices() {
			below = w.t("silent")
		}
		if _, err := fmt.Fprintln(out, "    "+below); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(out, "\n"+w.t("legend"))
	return err
}

// schedule says a schedule in few words, such as "10 × 10m".
func (w pgWords) schedule(list []time.Duration) string {
	if len(list) == 0 {
		return w.t("unknown")
	}
	var parts []string
	same := true
	for _, d := range list {
		parts = append(parts, shortDuration(d))
		same = same && d == list[0]
	}
	if same {
		return fmt.Sprintf("%d × %s", len(list), parts[0])
	}
	return strings.Join(parts, " ")
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
