package console

import (
	"fmt"
	"html/template"
	"net/url"
	"regexp"
	"strings"

	"github.com/tongbo/tongbo/internal/page"
)

// renderGuide writes a guide's Markdown as HTML: headings, paragraphs, lists, tables,
// quotations, code, bold text and links to https pages. Everything else is text, and all
// text is escaped, so that nothing in a guide or in what was filled into it is markup. The
// guide's title is left out: it is the page's.
func renderGuide(text string) template.HTML {
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	if len(lines) > 0 && strings.HasPrefix(lines[0], "# ") {
		lines = lines[1:]
	}
	var w guideWriter
	w.blocks(lines)
	return template.HTML(w.String()) //nolint:gosec // all text in it is escaped
}

// A guideWriter writes blocks of Markdown.
type guideWriter struct{ strings.Builder }

var (
	headingLine = regexp.MustCompile(`^(#{1,4}) +(.*)$`)
	itemLine    = regexp.MustCompile(`^(?:(\d{1,3})\.|[-*]) +`)
	ruleLine    = regexp.MustCompile(`^\|[-| :]+\|$`)
)

// blocks writes what stands in some lines.
func (w *guideWriter) blocks(lines []string) {
	for len(lines) > 0 {
		line := lines[0]
		switch {
		case strings.TrimSpace(line) == "":
			lines = lines[1:]
		case strings.HasPrefix(line, "```"):
			lines = w.fence(lines[1:])
		case headingLine.MatchString(line):
			m := headingLine.FindStringSubmatch(line)
			level := min(len(m[1])+1, 4) // the page has its own h1
			_, _ = fmt.Fprintf(w, "<h%d>%s</h%d>\n", level, inline(m[2]), level)
			lines = lines[1:]
		case strings.HasPrefix(line, "|") && len(lines) > 1 && ruleLine.MatchString(strings.TrimSpace(lines[1])):
			lines = w.table(lines)
		case strings.HasPrefix(line, ">"):
			lines = w.quote(lines)
		case itemLine.MatchString(line):
			lines = w.list(lines)
		case strings.HasPrefix(line, "    "):
			lines = w.indented(lines)
		default:
			lines = w.paragraph(lines)
		}
	}
}

func (w *guideWriter) code(lines []string) {
	_, _ = fmt.Fprintf(w, "<pre class=\"wrap\"><code>%s</code></pre>\n", escaped(strings.Join(lines, "\n")))
}

// escaped is a text as HTML, with what cannot be seen made visible.
func escaped(s string) string { return template.HTMLEscapeString(page.Visible(s)) }

// fence writes code up to the closing fence.
func (w *guideWriter) fence(lines []string) (rest []string) {
	n := 0
	for n < len(lines) && !strings.HasPrefix(lines[n], "```") {
		n++
	}
	w.code(lines[:n])
	return lines[min(n+1, len(lines)):]
}

// indented writes code that stands four blanks in.
func (w *guideWriter) indented(lines []string) (rest []string) {
	n := 0
	var code []string
	for n < len(lines) && (strings.HasPrefix(lines[n], "    ") || strings.TrimSpace(lines[n]) == "") {
		code = append(code, strings.TrimPrefix(lines[n], "    "))
		n++
	}
	w.code(trimmed(code))
	return lines[n:]
}

// trimmed are lines without empty ones at the end.
func trimmed(lines []string) []string {
	for len(lines) > 0 && strings.TrimSpace(lines[len(lines)-1]) == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

func (w *guideWriter) quote(lines []string) (rest []string) {
	var inside []string
	n := 0
	for n < len(lines) && strings.HasPrefix(lines[n], ">") {
		inside = append(inside, strings.TrimPrefix(strings.TrimPrefix(lines[n], ">"), " "))
		n++
	}
	w.WriteString("<blockquote>\n")
	w.blocks(inside)
	w.WriteString("</blockquote>\n")
	return lines[n:]
}

// list writes items of one kind. What stands as far in as an item's text belongs to it.
func (w *guideWriter) list(lines []string) (rest []string) {
	numbered := lines[0][0] >= '0' && lines[0][0] <= '9'
	open, shut := "<ul>\n", "</ul>\n"
	if numbered {
		open, shut = "<ol start=\""+itemLine.FindStringSubmatch(lines[0])[1]+"\">\n", "</ol>\n"
	}
	w.WriteString(open)
	for len(lines) > 0 {
		m := itemLine.FindStringSubmatch(lines[0])
		if m == nil || (m[1] != "") != numbered {
			break
		}
		width := len(m[0])
		inside := []string{lines[0][width:]}
		n := 1
		for n < len(lines) && (strings.TrimSpace(lines[n]) == "" || strings.HasPrefix(lines[n], strings.Repeat(" ", width))) {
			inside = append(inside, strings.TrimPrefix(lines[n], strings.Repeat(" ", width)))
			n++
		}
		w.WriteString("<li>")
		w.blocks(trimmed(inside))
		w.WriteString("</li>\n")
		lines = lines[n:]
	}
	w.WriteString(shut)
	return lines
}

func (w *guideWriter) table(lines []string) (rest []string) {
	w.WriteString("<table class=\"wide\"><thead><tr>")
	for _, cell := range tableCells(lines[0]) {
		w.WriteString("<th scope=\"col\">" + inline(cell) + "</th>")
	}
	w.WriteString("</tr></thead><tbody>\n")
	n := 2
	for ; n < len(lines) && strings.HasPrefix(lines[n], "|"); n++ {
		w.WriteString("<tr>")
		for _, cell := range tableCells(lines[n]) {
			w.WriteString("<td>" + inline(cell) + "</td>")
		}
		w.WriteString("</tr>\n")
	}
	w.WriteString("</tbody></table>\n")
	return lines[n:]
}

func tableCells(line string) []string {
	cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

// paragraph writes lines up to one that is empty or begins another block.
func (w *guideWriter) paragraph(lines []string) (rest []string) {
	n := 1
	for n < len(lines) && strings.TrimSpace(lines[n]) != "" && !itemLine.MatchString(lines[n]) && !strings.HasPrefix(lines[n], ">") &&
		!strings.HasPrefix(lines[n], "|") && !strings.HasPrefix(lines[n], "```") && !headingLine.MatchString(lines[n]) {
		n++
	}
	_, _ = fmt.Fprintf(w, "<p>%s</p>\n", inline(strings.TrimSpace(strings.Join(lines[:n], "\n"))))
	return lines[n:]
}

var inlineMark = regexp.MustCompile("`([^`]+)`" + `|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)`)

// inline writes text with code, bold words and links.
func inline(text string) string {
	var b strings.Builder
	for {
		m := inlineMark.FindStringSubmatchIndex(text)
		if m == nil {
			b.WriteString(escaped(text))
			return b.String()
		}
		b.WriteString(escaped(text[:m[0]]))
		switch {
		case m[2] >= 0:
			b.WriteString("<code>" + escaped(text[m[2]:m[3]]) + "</code>")
		case m[4] >= 0:
			b.WriteString("<strong>" + inline(text[m[4]:m[5]]) + "</strong>")
		default:
			b.WriteString(linked(text[m[6]:m[7]], text[m[8]:m[9]]))
		}
		text = text[m[1]:]
	}
}

// linked is a link to a page on the web; what is none stays text.
func linked(text, to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return inline(text)
	}
	return `<a href="` + template.HTMLEscapeString(u.String()) + `" rel="noreferrer noopener">` + inline(text) + "</a>"
}
