package checkout

import (
	"strings"
	"unicode"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/words"
)

// told is a window as its shop's page hears of it, which mostly shows the outcome's message
// to the buyer: what this server says of it is in the window's language. What the PG or the
// shop itself said stays as it was said. English is the language in which outcomes are kept.
func told(x payment.Checkout, l words.Lang) payment.Checkout {
	o := &x.Outcome
	if key := saying(*o); key != "" && l == words.Ko && !strings.ContainsFunc(o.Message, isHangul) {
		o.Message = words.Text(l, key)
	}
	return x
}

// saying is the text that says what an outcome does. It is empty for a success, and for what
// somebody else said.
func saying(o payment.Outcome) string {
	switch o.Code {
	case payment.CodeCancelled:
		return "checkout.left_says"
	case payment.CodeExpired:
		return "checkout.over_says"
	case payment.CodeUnclear:
		return "checkout.unclear_says"
	case payment.CodeAlreadyPaid:
		return "checkout.already"
	case payment.CodeOvertaken:
		return "checkout.elsewhere"
	case payment.CodeOtherAmount:
		return "checkout.other_amount"
	case payment.CodeConfirm:
		if strings.HasPrefix(o.Message, payment.Unconfirmed) {
			return "checkout.confirm_no"
		}
	case payment.CodePG:
		if o.PGCode == "" && o.PGMessage == "" {
			return "checkout.failed"
		}
	}
	return ""
}

func isHangul(r rune) bool { return unicode.Is(unicode.Hangul, r) }
