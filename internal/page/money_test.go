package page

import (
	"math"
	"testing"

	"github.com/tongbo/tongbo/internal/payment"
)

// TestMoney writes amounts, which are in the smallest unit, with the point where it belongs.
func TestMoney(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		m    payment.Money
		want string
	}{
		{payment.Won(59000), "₩59,000"},
		{payment.Money{}, "₩0"},
		{payment.Money{Amount: 1250, Currency: "USD"}, "12.50 USD"},
		{payment.Money{Amount: 5, Currency: "USD"}, "0.05 USD"},
		{payment.Money{Amount: -5, Currency: "USD"}, "-0.05 USD"},
		{payment.Money{Amount: -123456, Currency: "EUR"}, "-1,234.56 EUR"},
		{payment.Money{Amount: 123456789, Currency: "USD"}, "1,234,567.89 USD"},
		{payment.Money{Amount: 1250, Currency: "JPY"}, "1,250 JPY"},
		{payment.Money{Amount: 1250, Currency: "KWD"}, "1.250 KWD"},
		{payment.Money{Amount: math.MinInt64, Currency: "USD"}, "-92,233,720,368,547,758.08 USD"},
	} {
		if got := Money(tt.m); got != tt.want {
			t.Errorf("Money(%v) = %q, want %q", tt.m, got, tt.want)
		}
	}
}
