package checkout

import (
	"errors"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/words"
)

// TestTold: a Korean buyer hears our words in Korean, and the PG's and the shop's as they were.
func TestTold(t *testing.T) {
	t.Parallel()
	p := payment.Payment{State: payment.Ready, Transactions: []payment.Transaction{{ID: "t", State: payment.Ready}}}
	unclear := payment.Checkout{Transaction: "t"}.Stands(p, p.RequestedAt.AddDate(1, 0, 0)).Outcome
	for name, x := range map[string]struct {
		outcome payment.Outcome
		want    string // empty: as it was
	}{
		"success":                  {payment.Outcome{}, ""},
		"left":                     {payment.Left(), "결제를 그만뒀어요"},
		"expired":                  {payment.Outcome{Code: payment.CodeExpired, Message: payment.ErrCheckoutExpired.Error()}, "시간이 지났"},
		"unclear":                  {unclear, "다시 결제하지 말고"},
		"paid elsewhere":           {payment.Outcome{Code: payment.CodeAlreadyPaid, Message: payment.ErrAlreadyPaid.Error()}, "이미 결제된"},
		"overtaken":                {payment.Outcome{Code: payment.CodeOvertaken, Message: payment.ErrOvertaken.Error()}, "다른 창"},
		"another amount":           {payment.Outcome{Code: payment.CodeOtherAmount, Message: payment.ErrOtherAmount.Error()}, "주문 금액"},
		"the shop answers nothing": {payment.Outcome{Code: payment.CodeConfirm, Message: (&action.ConfirmError{}).Error()}, "상점이 이 주문을"},
		"the shop answers 500":     {payment.Outcome{Code: payment.CodeConfirm, Message: (&action.ConfirmError{Status: 500}).Error()}, "상점이 이 주문을"},
		"the shop's reason":        {payment.Outcome{Code: payment.CodeConfirm, Message: (&action.ConfirmError{Status: 400, Reason: "out of stock"}).Error()}, ""},
		"the PG's words":           {payment.Outcome{Code: payment.CodePG, Message: "Insufficient funds", PGCode: "51", PGMessage: "Insufficient funds"}, ""},
		"the PG's Korean words":    {payment.Outcome{Code: payment.CodePG, Message: "한도 초과"}, ""},
		"the PG was not reached":   {payment.Outcome{Code: payment.CodePG, Message: errors.New("dial tcp: refused").Error()}, "결제하지 못했어요"},
	} {
		c := payment.Checkout{Outcome: x.outcome}
		ko, en := told(c, words.Ko).Outcome, told(c, words.En).Outcome
		if en != x.outcome {
			t.Errorf("%s: in English %+v", name, en)
		}
		if x.want == "" && ko != x.outcome || !strings.Contains(ko.Message, x.want) {
			t.Errorf("%s: in Korean %q, want %q", name, ko.Message, x.want)
		}
		if ko.Message = x.outcome.Message; ko != x.outcome {
			t.Errorf("%s: not only the message is another: %+v", name, ko)
		}
	}
}
