package payment

import "fmt"

// A Currency is an ISO 4217 alphabetic code.
type Currency string

// KRW is the won. It has no minor unit: Money{1000, KRW} is one thousand won.
const KRW Currency = "KRW"

// Decimals is how many digits of an amount are behind the point: of USD, whose minor unit is
// the cent, 2; of KRW and JPY, 0 (ISO 4217, amendment 177).
func (c Currency) Decimals() int {
	switch c {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", KRW, "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	}
	return 2
}

// Money is an amount in the currency's minor unit. The zero Money is no money
// in no currency.
type Money struct {
	Amount   int64    `json:"amount"`
	Currency Currency `json:"currency"`
}

// Won returns an amount in won.
func Won(amount int64) Money { return Money{amount, KRW} }

// String returns the amount and its currency, such as "1000 KRW".
func (m Money) String() string { return fmt.Sprintf("%d %s", m.Amount, m.Currency) }

// IsZero reports whether m is the zero Money.
func (m Money) IsZero() bool { return m == Money{} }
