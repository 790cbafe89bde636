package welcome

import (
	"strings"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// codes are the PG's codes of securities companies, by the names they have now,
// and of the one bank whose code other lists read in another way (manual,
// 은행(증권사) 코드, 2022-01). What became of the companies that the list still
// calls 현대, 우리투자, 하나대투, 굿모닝신한, 동부, 대우, 이트레이드 and LIG is
// general knowledge; what became of 솔로몬 (DL) is left open. Of two codes of
// one company the first is the one that is written.
var codes = [...]struct {
	code string
	bank payment.Bank
}{
	{"D1", "YUANTA_SECURITIES"},
	{"D2", "KB_SECURITIES"},
	{"D3", "MIRAE_ASSET_SECURITIES"},
	{"D4", "KOREA_SECURITIES"},
	{"D6", "HI_SECURITIES"},
	{"D7", "HYUNDAI_MOTOR_SECURITIES"},
	{"D8", "SK_SECURITIES"},
	{"D9", "DAISHIN_SECURITIES"},
	{"DA", "HANA_SECURITIES"},
	{"DB", "SHINHAN_SECURITIES"},
	{"DC", "DB_SECURITIES"},
	{"DD", "EUGENE_SECURITIES"},
	{"DE", "MERITZ_SECURITIES"},
	{"DF", "SHINYOUNG_SECURITIES"},
	{"DH", "SAMSUNG_SECURITIES"},
	{"DI", "KYOBO_SECURITIES"},
	{"DJ", "KIWOOM_SECURITIES"},
	{"DK", "EBEST_SECURITIES"},
	{"DM", "HANHWA_SECURITIES"},
	{"DN", "NH_SECURITIES"},
	{"DO", "BOOKOOK_SECURITIES"},
	{"DP", "CAPE_SECURITIES"},

	{"D5", "NH_SECURITIES"},          // 우리투자
	{"DG", "MIRAE_ASSET_SECURITIES"}, // 대우
}

// formerShinhan is 구 신한 in the PG's list, and 서울은행 in other lists.
const formerShinhan = "26"

// bankOf returns the bank with a short code, empty if unknown.
func bankOf(short string) payment.Bank {
	if short == formerShinhan {
		return "SHINHAN"
	}
	for _, c := range codes {
		if strings.EqualFold(c.code, short) {
			return c.bank
		}
	}
	return payment.BankByCode(short)
}

// codeOf returns the PG's code of a bank: two characters, or all three digits
// where the PG's list lacks it. It is empty if unknown.
func codeOf(b payment.Bank) string {
	for _, c := range codes {
		if c.bank == b {
			return c.code
		}
	}
	return wire.ShortCode(b.Code())
}
