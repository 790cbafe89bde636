package words

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// fill puts arguments into a text.
func fill(text string, args []any) string {
	if !strings.ContainsAny(text, "{}") {
		return text
	}
	var b strings.Builder
	for text != "" {
		i := strings.IndexAny(text, "{}")
		if i < 0 {
			b.WriteString(text)
			break
		}
		b.WriteString(text[:i])
		brace := text[i]
		text = text[i+1:]
		if text != "" && text[0] == brace { // two stand for one
			b.WriteByte(brace)
			text = text[1:]
			continue
		}
		inside, rest, closed := strings.Cut(text, "}")
		if brace == '}' || !closed {
			b.WriteByte(brace)
			continue
		}
		b.WriteString(slot(inside, args))
		text = rest
	}
	return b.String()
}

// slot is what stands for the inside of a pair of braces.
func slot(inside string, args []any) string {
	name, particle, _ := strings.Cut(inside, ":")
	name, forms, counted := strings.Cut(name, "|")
	value, ok := argument(name, args)
	switch {
	case !ok:
		return "{" + inside + "}"
	case counted:
		one, many, _ := strings.Cut(forms, "|")
		if value == "1" {
			return one
		}
		return many
	}
	return value + pick(value, particle)
}

// argument is a named argument as it is written.
func argument(name string, args []any) (string, bool) {
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == name {
			return Value(args[i+1]), true
		}
	}
	return "", false
}

// Value is an argument as Text writes it: whole numbers with commas, the rest as package
// fmt prints it.
func Value(arg any) string {
	switch v := arg.(type) {
	case string:
		return v
	case int:
		return Count(int64(v))
	case int64:
		return Count(v)
	}
	return fmt.Sprint(arg)
}

// Count writes a whole number with commas: 1,234,567.
func Count(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	b.WriteString(sign)
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// pick chooses one of two particles, such as 을/를, by the last sound of a word: the first
// after a consonant, the second after a vowel. After ㄹ it is 로 and not 으로.
func pick(word, particles string) string {
	closed, open, two := strings.Cut(particles, "/")
	if !two {
		return particles
	}
	final, rieul := lastSound(word)
	if !final || rieul && strings.HasPrefix(closed, "으로") {
		return open
	}
	return closed
}

// lastSound reports whether a word ends in a consonant as Koreans say it, and whether
// that is ㄹ. Marks and brackets at its end are not said. Of Latin letters those whose
// name ends in one count (엘, 엠, 엔, 알); digits are said in Sino-Korean.
func lastSound(word string) (final, rieul bool) {
	word = strings.TrimRightFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	runes := []rune(word)
	if len(runes) == 0 {
		return false, false
	}
	switch r := unicode.ToLower(runes[len(runes)-1]); {
	case r >= '가' && r <= '힣':
		jong := (r - '가') % 28
		return jong != 0, jong == 8
	case strings.ContainsRune("178lr", r):
		return true, true
	case strings.ContainsRune("036mn", r):
		return true, false
	}
	return false, false
}
