package member

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/secret"
)

// How long a password is: in characters, and in bytes.
const (
	ShortestPassword = 10
	LongestPassword  = 256
)

// Why a password is not taken.
var (
	ErrPasswordShort  = fault.Errorf(fault.Invalid, "a password has at least %d characters", ShortestPassword)
	ErrPasswordLong   = fault.Errorf(fault.Invalid, "a password has at most %d bytes", LongestPassword)
	ErrPasswordCommon = fault.Errorf(fault.Invalid, "many people have this password: whoever tries begins with it")
	ErrPasswordNamed  = fault.Errorf(fault.Invalid, "the password has the e-mail address or the name in it")
)

// CheckPassword reports why a member cannot have a password: ErrPasswordShort,
// ErrPasswordLong, ErrPasswordCommon or ErrPasswordNamed. It asks for length, not
// for kinds of characters: those make passwords that are hard to remember and easy
// to guess.
func CheckPassword(password secret.Text, m Member) error {
	p := password.Reveal()
	low := strings.ToLower(p)
	switch {
	case utf8.RuneCountInString(p) < ShortestPassword:
		return ErrPasswordShort
	case len(p) > LongestPassword:
		return ErrPasswordLong
	case isCommon(low):
		return ErrPasswordCommon
	}
	account, host, _ := strings.Cut(strings.ToLower(m.Email), "@")
	company, _, _ := strings.Cut(host, ".")
	for _, name := range []string{account, company, strings.ToLower(m.Name)} {
		// The name alone with few characters around it is what is tried first.
		if utf8.RuneCountInString(name) >= 3 && strings.Contains(low, name) && utf8.RuneCountInString(low)-utf8.RuneCountInString(name) < ShortestPassword {
			return ErrPasswordNamed
		}
	}
	return nil
}

// common are the words of which most passwords that people choose are made.
var common = []string{
	"password", "passw0rd", "p@ssword", "p@ssw0rd", "qwertyuiop", "qwerty", "asdfghjkl", "asdf", "zxcvbnm", "letmein", "welcome", "iloveyou",
	"sunshine", "princess", "football", "baseball", "dragon", "monkey", "master", "administrator", "admin", "root", "login", "secret", "changeme",
	"default", "guest", "test", "tongbo", "payment", "korea", "seoul", "samsung", "naver", "kakao", "daum", "dkssud", "tkfkdgo", "qlalfqjsgh",
	"비밀번호", "사랑해", "대한민국", "관리자", "abcd", "abc", "1q2w3e4r5t", "1q2w3e4r", "1q2w3e", "q1w2e3r4", "qwer1234", "qwer", "zaq1", "xsw2",
}

// isCommon reports whether a password in lower case is one such word, or several,
// with digits and signs around them, or hardly more than one character.
func isCommon(low string) bool {
	rest := low
	for _, word := range common {
		rest = strings.ReplaceAll(rest, word, "")
	}
	rest = strings.TrimFunc(rest, func(r rune) bool { return !unicode.IsLetter(r) })
	kinds := make(map[rune]bool)
	for _, r := range low {
		kinds[r] = true
	}
	return rest == "" || len(kinds) < 5 || runs(low)
}

// runs reports whether all of a text goes up or down by one, as 0123456789 does.
func runs(s string) bool {
	list := []rune(s)
	for _, step := range []rune{1, -1} {
		odd := 0
		for i := 1; i < len(list); i++ {
			if list[i]-list[i-1] != step {
				odd++
			}
		}
		if odd <= 1 {
			return true
		}
	}
	return false
}

// Why a member cannot be called so.
var (
	ErrEmail = fault.Errorf(fault.Invalid, "that is no e-mail address, such as you@example.kr")
	ErrName  = fault.Errorf(fault.Invalid, "a name has 1 to %d characters that can be seen", mostName)
)

// mostEmail is how long an address may be.
const mostEmail = 254

// CleanEmail is an e-mail address as members are told apart by it: without blanks
// around it, in lower case. It reports ErrEmail for what is none.
func CleanEmail(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	account, host, ok := strings.Cut(s, "@")
	odd := func(r rune) bool {
		return unicode.IsSpace(r) || !unicode.IsPrint(r) || strings.ContainsRune(`@<>,;:"()[]\`, r)
	}
	switch {
	case !ok || account == "" || len(s) > mostEmail || !utf8.ValidString(s),
		strings.ContainsFunc(account, odd), strings.ContainsFunc(host, odd),
		strings.Trim(host, ".") != host || host == "" || strings.Contains(host, ".."):
		return "", ErrEmail
	}
	return s, nil
}

// mostName is how long the name of a person may be, in characters.
const mostName = 80

// CleanName is the name of a person without blanks around it. It reports ErrName for
// one that is empty or too long, or has characters that cannot be seen.
func CleanName(s string) (string, error) {
	s = strings.TrimSpace(s)
	if n := utf8.RuneCountInString(s); n == 0 || n > mostName || !utf8.ValidString(s) ||
		strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return "", ErrName
	}
	return s, nil
}
