package tosspayments

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// An object is a JSON object whose numbers are json.Number. Of a name that is
// told twice the last value counts, as with most readers of JSON.
type object map[string]any

// parse reads a body that is one JSON object and nothing else. Errors of
// package json are not passed on, since they quote the body.
func parse(body []byte) (object, error) {
	text, err := wire.Text(body, wire.UTF8)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fault.Errorf(fault.Invalid, "body is not JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fault.Errorf(fault.Invalid, "body goes on after its JSON")
	}
	o, ok := v.(map[string]any)
	if !ok {
		return nil, fault.Errorf(fault.Invalid, "body is not a JSON object")
	}
	if holdsNUL(o) {
		return nil, fault.Errorf(fault.Invalid, "text holds a NUL character")
	}
	return o, nil
}

// holdsNUL looks for NUL characters that came as escapes: databases cannot
// keep them.
func holdsNUL(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.ContainsRune(v, 0)
	case []any:
		if slices.ContainsFunc(v, holdsNUL) {
			return true
		}
	case map[string]any:
		for k, e := range v {
			if holdsNUL(k) || holdsNUL(e) {
				return true
			}
		}
	}
	return false
}

// text returns a member as text: Toss echoes an order id that was sent as a
// number, and old API versions spell amounts as text. Anything that is neither
// text nor a number is empty.
func (o object) text(name string) string { return scalar(o[name]) }

func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

// isText reports whether a member is there and is text.
func (o object) isText(name string) bool {
	_, ok := o[name].(string)
	return ok
}

// object returns a member that is an object, nil if it is absent or null.
func (o object) object(name string) object {
	m, _ := o[name].(map[string]any)
	return m
}

// objects returns the objects in a member that is a list.
func (o object) objects(name string) []object {
	list, _ := o[name].([]any)
	var out []object
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// minorDigits are the currencies that Toss settles in, with the digits that
// their minor unit has.
var minorDigits = map[string]int{"KRW": 0, "JPY": 0, "USD": 2}

// money reads an amount. It is false if there is none, or if the currency is
// one whose minor unit we do not know: then a guess would be off by a factor.
func (o object) money(name, currency string) (payment.Money, bool, error) {
	v, there := o[name]
	digits, known := minorDigits[currency]
	if !there || v == nil || v == "" || !known {
		return payment.Money{}, false, nil
	}
	amount, err := minorUnits(scalar(v), digits)
	if err != nil {
		return payment.Money{}, false, fault.Errorf(fault.Invalid, "%s: %w", name, err)
	}
	return payment.Money{Amount: amount, Currency: payment.Currency(currency)}, true, nil
}

// maxExponent bounds what a JSON number such as 1E+4 may ask for.
const maxExponent = 15

// minorUnits reads a decimal number as a whole number of minor units, of which
// the major unit has 10 to the power of digits.
func minorUnits(s string, digits int) (int64, error) {
	exponent := 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var err error
		exponent, err = strconv.Atoi(s[i+1:])
		if err != nil || exponent > maxExponent || exponent < -maxExponent {
			return 0, fault.Errorf(fault.Invalid, "amount is not a number that money has")
		}
		s = s[:i]
	}
	whole, fraction, _ := strings.Cut(s, ".")
	s = whole + fraction
	shift := digits + exponent - len(fraction)
	if shift >= 0 {
		return wire.Amount(s + strings.Repeat("0", shift))
	}
	cut := max(len(s)+shift, 0)
	if strings.Trim(s[cut:], "0") != "" {
		return 0, fault.Errorf(fault.Invalid, "amount has a part of the smallest unit")
	}
	if s != "" && cut == 0 {
		return 0, nil
	}
	return wire.Amount(s[:cut])
}

// withheld are members that never go to Fields, with all inside them. Secrets
// are sealed elsewhere or not kept; numbers of accounts and persons, and what
// the merchant wrote for itself, are in the stored body alone.
var withheld = map[string]bool{
	"secret": true, "billingKey": true, "methodKey": true,
	"accountNumber": true, "number": true, "holderName": true, "customerName": true, "depositorName": true,
	"customerEmail": true, "customerMobilePhone": true, "customerIdentityNumber": true, "registrationNumber": true,
	"company": true, "individual": true, "metadata": true,
}

// fieldDepth is how deep objects are looked into: a Payment has three levels.
const fieldDepth = 4

// collect puts what o holds into fields, by names such as
// "virtualAccount.expired" and "cancels.0.cancelReason". Names in skip have
// been told elsewhere in the notice.
func (o object) collect(fields map[string]string, skip ...string) {
	told := make(map[string]bool, len(skip))
	for _, s := range skip {
		told[s] = true
	}
	for name, v := range o {
		if !told[name] {
			collect(fields, name, name, v, fieldDepth)
		}
	}
}

func collect(fields map[string]string, path, name string, v any, depth int) {
	if depth == 0 || withheld[name] {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			collect(fields, path+"."+k, k, e, depth-1)
		}
	case []any:
		for i, e := range v {
			collect(fields, path+"."+strconv.Itoa(i), "", e, depth-1)
		}
	case bool:
		fields[path] = strconv.FormatBool(v)
	default:
		if s := scalar(v); s != "" {
			fields[path] = s
		}
	}
}
