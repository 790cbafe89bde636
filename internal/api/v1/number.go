package v1

import (
	"encoding/json"
	"strconv"
	"strings"
)

// maxWhole is up to where JavaScript counts exactly, and wholeDigits how many digits
// it has.
const (
	maxWhole    = 1<<53 - 1
	wholeDigits = 16
)

const (
	sayWhole  = "정수여야 합니다."
	sayTooBig = "너무 큰 수입니다."
	sayAmount = "숫자여야 합니다. 값이 없으면 필드를 보내지 마세요."
)

// whole is a field's whole number, nil if it is not there or empty. JSON's 1000.0
// is one.
func (in *input) whole(name string) *int64 {
	text := in.text(name)
	if text == "" {
		return nil
	}
	n, say := readWhole(text)
	if say != "" {
		in.wrong(name, say)
		return nil
	}
	return &n
}

// amount is a field's whole number as whole reads it, for fields whose absence means
// something of its own, such as all that is left or that nothing is checked: nil is
// said by null or by leaving the field out, and by nothing else. An empty text, a
// list, or a form's name without a value or with something in brackets is an amount
// that was lost on the way.
func (in *input) amount(name string) *int64 {
	v := in.value(name)
	if in.form {
		v = in.one(name) // said twice alike is said once
	}
	switch v := v.(type) {
	case nil:
		if !in.odd[name] {
			return nil
		}
	case json.Number:
		return in.whole(name)
	case string:
		if !in.odd[name] && strings.TrimSpace(v) != "" {
			return in.whole(name)
		}
	}
	in.wrong(name, sayAmount)
	return nil
}

// readWhole reads a decimal number that is whole, exactly; else it says what is
// wrong with it. However small a fraction, it is not nothing.
func readWhole(text string) (n int64, say string) {
	mantissa, exponent := text, 0
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		var err error
		if exponent, err = strconv.Atoi(text[i+1:]); err != nil {
			return 0, sayWhole
		}
		mantissa = text[:i]
	}
	sign := ""
	if mantissa != "" && (mantissa[0] == '-' || mantissa[0] == '+') {
		sign, mantissa = mantissa[:1], mantissa[1:]
	}
	before, after, _ := strings.Cut(mantissa, ".")
	digits := before + after
	if digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, sayWhole
	}
	digits = strings.TrimLeft(digits, "0")
	shown := strings.TrimRight(digits, "0")
	if shown == "" {
		return 0, ""
	}
	switch zeros := exponent - len(after) + len(digits) - len(shown); {
	case zeros < 0:
		return 0, sayWhole
	case zeros > wholeDigits, len(shown)+zeros > wholeDigits:
		return 0, sayTooBig
	default:
		shown += strings.Repeat("0", zeros)
	}
	n, err := strconv.ParseInt(sign+shown, 10, 64)
	if err != nil || n > maxWhole || n < -maxWhole {
		return 0, sayTooBig
	}
	return n, ""
}
