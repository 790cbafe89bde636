package wire

import (
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
)

// maxAmountDigits keeps every sum of amounts far inside an int64: a thousand
// trillion won is more than the country's money.
const maxAmountDigits = 15

// Amount reads an amount of won as gateways write it: spaces around it and
// zeros in front do not matter, commas may group thousands, and ".00" and "원"
// may follow. Anything else, a sign included, is fault.Invalid, and so is an
// amount of more than 15 digits.
func Amount(s string) (int64, error) {
	s = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(s), "원"))
	s = strings.TrimSuffix(s, ".00")
	digits, ok := ungroup(s)
	if !ok || digits == "" || Digits(digits) != digits {
		return 0, fault.Errorf(fault.Invalid, "amount is not a whole number of won")
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return 0, nil
	}
	if len(digits) > maxAmountDigits {
		return 0, fault.Errorf(fault.Invalid, "amount has more than %d digits", maxAmountDigits)
	}
	return strconv.ParseInt(digits, 10, 64)
}

// ungroup takes the commas out of s, and reports whether they all stood where
// thousands end. "1,00" is refused rather than read as a hundred.
func ungroup(s string) (string, bool) {
	groups := strings.Split(s, ",")
	for i, g := range groups {
		if i > 0 && len(g) != 3 || i == 0 && len(groups) > 1 && g == "" {
			return "", false
		}
	}
	return strings.Join(groups, ""), true
}

// Digits returns the ASCII digits of s and nothing else, to compare account
// numbers that are written with and without dashes.
func Digits(s string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, s)
}

// PlainAccount strips what people put into account numbers to read them:
// dashes and spaces. Letters stay, since numbers of test accounts have some.
func PlainAccount(s string) string {
	return strings.NewReplacer("-", "", " ", "").Replace(s)
}

// Given reports whether a number or date is there: many gateways write none as
// zeros.
func Given(s string) bool { return strings.Trim(s, "0 ") != "" }

// ShortCode strips the zeros in front of a bank code, but for those that two
// characters need: 00000004 is 04. Nothing but zeros is no code.
func ShortCode(code string) string {
	if code = strings.TrimLeft(code, "0"); code == "" {
		return ""
	}
	return PadZeros(code, 2)
}

// PadZeros puts zeros in front of s until it has n characters.
func PadZeros(s string, n int) string {
	return strings.Repeat("0", max(0, n-len(s))) + s
}
