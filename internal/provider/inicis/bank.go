package inicis

import (
	"strings"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// securities are the PG's codes of securities companies, by the names they
// have now. The codes are in gnuboard5; what became of 현대, 우리투자, 하나대투,
// 굿모닝신한 and 동부 is general knowledge.
var securities = map[string]payment.Bank{
	"D1": "YUANTA_SECURITIES",
	"D2": "KB_SECURITIES",
	"D3": "MIRAE_ASSET_SECURITIES",
	"D4": "KOREA_SECURITIES",
	"D5": "NH_SECURITIES",
	"D6": "HI_SECURITIES",
	"D7": "HYUNDAI_MOTOR_SECURITIES",
	"D8": "SK_SECURITIES",
	"D9": "DAISHIN_SECURITIES",
	"DA": "HANA_SECURITIES",
	"DB": "SHINHAN_SECURITIES",
	"DC": "DB_SECURITIES",
	"DD": "EUGENE_SECURITIES",
	"DE": "MERITZ_SECURITIES",
	"DF": "SHINYOUNG_SECURITIES",
}

// bankOf returns the bank with a short code, empty if unknown.
func bankOf(short string) payment.Bank {
	if b, ok := securities[strings.ToUpper(short)]; ok {
		return b
	}
	return payment.BankByCode(short)
}

// codeOf returns the PG's code of a bank: two characters, or all three digits
// where cutting them would name another bank. It is empty if unknown.
func codeOf(b payment.Bank) string {
	for code, s := range securities {
		if s == b {
			return code
		}
	}
	return wire.ShortCode(b.Code())
}
