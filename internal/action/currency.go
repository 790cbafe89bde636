package action

import (
	"strings"

	"github.com/tongbo/tongbo/internal/payment"
)

// currencies are the alphabetic codes of ISO 4217 in use (amendment 177).
const currencies = " AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD " +
	"CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD " +
	"HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD " +
	"MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR " +
	"RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS " +
	"UAH UGX USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG "

// knownCurrency reports whether c is a currency that money can be in.
func knownCurrency(c payment.Currency) bool {
	return len(c) == 3 && strings.Contains(currencies, " "+string(c)+" ")
}

// CheckCurrency reports fault.Invalid unless c is a currency that money can be
// in.
func CheckCurrency(c payment.Currency) error {
	if !knownCurrency(c) {
		return invalid("currency %.60q is not a code of ISO 4217, such as KRW", string(c))
	}
	return nil
}
