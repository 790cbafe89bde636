package store

import (
	"regexp"
	"strconv"
	"strings"
)

// A statement is one of PostgreSQL's that may become part of a larger one, so
// that its parameters are counted on from others.
type statement struct {
	text []string // around the parameters
	args []int    // their numbers
}

var parameter = regexp.MustCompile(`\$[0-9]+`)

func stating(query string) statement {
	s := statement{text: parameter.Split(query, -1)}
	for _, p := range parameter.FindAllString(query, -1) {
		n, _ := strconv.Atoi(p[1:]) // the expression takes digits alone
		s.args = append(s.args, n)
	}
	return s
}

// after is the statement with its parameters after so many others.
func (s statement) after(others int) string {
	var b strings.Builder
	for i, arg := range s.args {
		b.WriteString(s.text[i])
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(arg + others))
	}
	b.WriteString(s.text[len(s.text)-1])
	return b.String()
}
