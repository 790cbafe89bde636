package console

import (
	"strings"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/export"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/secret"
)

// reveals reports whether the visitor sees names and account numbers as they are: who may
// only read sees them masked.
func (v *visit) reveals() bool { return v.May(member.Resend) }

// person is the name of a buyer or a depositor as the visitor may see it.
func (v *visit) person(name string) string {
	if v.reveals() {
		return name
	}
	return export.MaskName(strings.TrimSpace(name))
}

// account is an account number as the visitor may see it.
func (v *visit) account(a secret.Account) string {
	if v.reveals() {
		return a.Reveal()
	}
	return maskedAccount(a.Reveal())
}

// How many characters of an account number stay, and of how short a one the first do not.
const (
	keptFirst   = 3
	keptLast    = 4
	shortNumber = 10
)

// maskedAccount leaves the first three and the last four digits, of a short number the last
// four, and what divides them: 110-***-**0123.
func maskedAccount(number string) string {
	n := utf8.RuneCountInString(strings.ReplaceAll(strings.ReplaceAll(number, "-", ""), " ", ""))
	first, last := keptFirst, keptLast
	if n < shortNumber {
		first = 0
	}
	if n <= keptLast {
		last = 0
	}
	at := 0
	return strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return r
		}
		at++
		if at <= first || at > n-last {
			return r
		}
		return '*'
	}, number)
}
