package export

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// A cell is a value of a column: a text, a number or nothing.
type cell struct {
	text   string
	number *int64
	id     bool // a text that may look like a number
}

func word[T ~string](s T) cell { return cell{text: string(s)} }
func id[T ~string](s T) cell   { return cell{text: string(s), id: true} }
func number(n int64) cell      { return cell{number: &n} }

func numberOr(n *int64) cell { return cell{number: n} }

// moment is a time in UTC with milliseconds; nothing for the zero time.
func moment(t time.Time) cell {
	if t.IsZero() {
		return cell{}
	}
	return cell{text: t.UTC().Format("2006-01-02T15:04:05.000Z")}
}

// MaskName leaves the first and the last letter of a name: 홍*동. Of a name of two
// letters the first is left.
func MaskName(s string) string {
	n := utf8.RuneCountInString(s)
	runes := []rune(s)
	switch {
	case n < 2:
		return strings.Repeat("*", n)
	case n == 2:
		return string(runes[0]) + "*"
	}
	return string(runes[0]) + strings.Repeat("*", n-2) + string(runes[n-1])
}

// name is a person's name, masked unless it is to be revealed.
func (o Order) name(s string) cell {
	if o.Reveal {
		return word(s)
	}
	return word(MaskName(s))
}

// A table is written row by row.
type table struct {
	order   Order
	columns []string
	out     *bufio.Writer
	csv     *csv.Writer
}

func newTable(o Order, w io.Writer) *table {
	t := &table{order: o, columns: Columns(o.What), out: bufio.NewWriter(w)}
	t.csv = csv.NewWriter(t.out)
	t.csv.UseCRLF = o.BOM
	return t
}

// begin writes what stands before the rows.
func (t *table) begin() error {
	if t.order.Format != CSV {
		return nil
	}
	if t.order.BOM {
		if _, err := t.out.WriteString("\ufeff"); err != nil {
			return err
		}
	}
	return t.csv.Write(t.columns)
}

func (t *table) row(cells []cell) error {
	if t.order.Format == CSV {
		texts := make([]string, len(cells))
		for i, c := range cells {
			texts[i] = c.inCSV(t.order.BOM)
		}
		return t.csv.Write(texts)
	}
	return t.object(cells)
}

// object writes a row as JSON, its columns in their order; what has no value is
// left out.
func (t *table) object(cells []cell) error {
	lead := byte('{')
	for i, c := range cells {
		var value any = c.text
		if c.number != nil {
			value = *c.number
		} else if c.text == "" {
			continue
		}
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(value); err != nil {
			return err
		}
		_ = t.out.WriteByte(lead) // an error comes back from every later write
		_, _ = t.out.WriteString(strconv.Quote(t.columns[i]) + ":" + strings.TrimSuffix(b.String(), "\n"))
		lead = ','
	}
	if lead == '{' {
		_ = t.out.WriteByte('{')
	}
	_, err := t.out.WriteString("}\n")
	return err
}

func (t *table) flush() error {
	t.csv.Flush()
	if err := t.csv.Error(); err != nil {
		return err
	}
	return t.out.Flush()
}

// inCSV is a cell as text that no spreadsheet runs. For a spreadsheet an id that
// looks like a number is a formula of ours that makes a text of it: it has digits,
// blanks, dashes and asterisks alone.
func (c cell) inCSV(spreadsheet bool) string {
	switch {
	case c.number != nil:
		return strconv.FormatInt(*c.number, 10)
	case c.id && spreadsheet && strings.ContainsAny(c.text, "0123456789") && strings.Trim(c.text, "0123456789 -*") == "":
		return `="` + c.text + `"`
	case c.text != "" && strings.ContainsRune("=+-@\t\r\n", rune(c.text[0])),
		// The full-width forms count for some spreadsheets, too.
		strings.HasPrefix(c.text, "＝"), strings.HasPrefix(c.text, "＋"), strings.HasPrefix(c.text, "－"), strings.HasPrefix(c.text, "＠"):
		return "'" + c.text
	}
	return c.text
}
