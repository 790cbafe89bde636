package page

import (
	"fmt"
	"strings"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/words"
)

// Money writes money as tables show it: ₩59,000; another currency with its code: 12.50 USD.
func Money(m payment.Money) string {
	if m.Currency == "KRW" || m.Currency == "" {
		return "₩" + words.Count(m.Amount)
	}
	n := m.Currency.Decimals()
	if n == 0 {
		return words.Count(m.Amount) + " " + string(m.Currency)
	}
	unit, sign, amount := int64(1), "", m.Amount
	for range n {
		unit *= 10
	}
	if amount < 0 {
		sign = "-"
	}
	rest := amount % unit
	return fmt.Sprintf("%s%s.%0*d %s", sign, strings.TrimPrefix(words.Count(amount/unit), "-"), n, max(rest, -rest), m.Currency)
}

// Bank is a bank as people know it, with its code: 신한은행 (088).
func Bank(b payment.Bank) string {
	switch {
	case !b.Known():
		return Visible(string(b))
	case b.Code() == "":
		return b.Name()
	}
	return b.Name() + " (" + b.Code() + ")"
}

// Visible shows text from outside with what cannot be seen made visible: control
// characters as their pictures, those that turn the direction of text or take no room by
// their code. Lines stay lines.
func Visible(s string) string {
	if strings.IndexFunc(s, Unseen) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !Unseen(r):
			b.WriteRune(r)
		case r < 0x20:
			b.WriteRune('␀' + r)
		case r == 0x7f:
			b.WriteRune('␡')
		default:
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		}
	}
	return b.String()
}

// Unseen reports whether a character is not seen, or changes how others are.
func Unseen(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < 0x20, r >= 0x7f && r < 0xa0: // control
		return true
	case r >= 0x200b && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f: // no width, lines, direction
		return true
	case r == 0xad, r == 0x61c, r == 0x180e, r == 0xfeff, r >= 0xfff9 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe007f:
		return true
	}
	return false
}
