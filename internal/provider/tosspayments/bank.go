package tosspayments

import (
	"strings"

	"github.com/tongbo/tongbo/internal/payment"
)

// A bankCode is one of Toss's own codes: two characters, mostly the common
// code without its leading zero, but not for KB국민. Its name is the short one
// that API versions before 2022-11-16 answer with.
type bankCode struct {
	code, name string
	bank       payment.Bank
}

// Observed: gnuboard5, shop/toss/toss.inc.php (2026-07), whose names pair the
// codes with banks. The short names are inferred, but for 우리, which is
// documented: one that is not here leaves the bank unknown.
var banks = [...]bankCode{
	{"02", "산업", "KDB"}, {"03", "기업", "IBK"}, {"06", "국민", "KOOKMIN"}, {"07", "수협", "SUHYUP"},
	{"11", "농협", "NONGHYUP"}, {"12", "단위농협", "LOCAL_NONGHYUP"}, {"20", "우리", "WOORI"},
	{"23", "SC제일", "STANDARD_CHARTERED"}, {"27", "씨티", "CITI"}, {"31", "대구", "DAEGU"}, {"32", "부산", "BUSAN"},
	{"34", "광주", "KWANGJU"}, {"35", "제주", "JEJU"}, {"37", "전북", "JEONBUK"}, {"39", "경남", "KYONGNAM"},
	{"45", "새마을", "KFCC"}, {"48", "신협", "SHINHYUP"}, {"50", "저축", "SAVINGS_BANK"}, {"54", "HSBC", "HSBC"},
	{"64", "산림", "NFCF"}, {"71", "우체국", "POST"}, {"81", "하나", "HANA"}, {"88", "신한", "SHINHAN"},
	{"89", "케이", "K_BANK"}, {"90", "카카오", "KAKAO"}, {"92", "토스", "TOSS"},
	{"S0", "유안타증권", "YUANTA_SECURITIES"}, {"S2", "신한투자증권", "SHINHAN_SECURITIES"},
	{"S3", "삼성증권", "SAMSUNG_SECURITIES"}, {"S4", "KB증권", "KB_SECURITIES"},
	{"S5", "미래에셋증권", "MIRAE_ASSET_SECURITIES"}, {"S6", "한국투자증권", "KOREA_SECURITIES"},
	{"S8", "교보증권", "KYOBO_SECURITIES"}, {"S9", "아이엠증권", "HI_SECURITIES"},
	{"SA", "현대차증권", "HYUNDAI_MOTOR_SECURITIES"}, {"SB", "키움증권", "KIWOOM_SECURITIES"},
	{"SD", "SK증권", "SK_SECURITIES"}, {"SE", "대신증권", "DAISHIN_SECURITIES"}, {"SG", "한화투자증권", "HANHWA_SECURITIES"},
	{"SH", "하나증권", "HANA_SECURITIES"}, {"SI", "DB금융투자", "DB_SECURITIES"}, {"SJ", "유진투자증권", "EUGENE_SECURITIES"},
	{"SK", "메리츠증권", "MERITZ_SECURITIES"}, {"SM", "부국증권", "BOOKOOK_SECURITIES"}, {"SN", "신영증권", "SHINYOUNG_SECURITIES"},
	{"SO", "LIG투자증권", "CAPE_SECURITIES"}, {"SP", "다올투자증권", "DAOL_SECURITIES"},
	{"SQ", "카카오페이증권", "KAKAO_PAY_SECURITIES"}, {"SR", "한국포스증권", "KOREA_FOSS_SECURITIES"}, {"ST", "토스증권", "TOSS_SECURITIES"},
}

// bankOf returns the bank by Toss's code, else by the short name. Codes of
// three digits, which Toss uses for payouts, are the common ones.
func bankOf(code, name string) payment.Bank {
	for _, b := range banks {
		if code != "" && b.code == strings.ToUpper(code) {
			return b.bank
		}
	}
	if len(code) == 3 {
		return payment.BankByCode(code)
	}
	for _, b := range banks {
		if code == "" && name != "" && (b.name == name || b.name == shortName(name)) {
			return b.bank
		}
	}
	return ""
}

// shortName takes off what a bank's full name ends with.
func shortName(name string) string {
	for _, end := range []string{"은행", "뱅크", "금고", "조합"} {
		name = strings.TrimSuffix(name, end)
	}
	return name
}

// codeOf is bankOf the other way round, empty if Toss has no such bank.
func codeOf(bank payment.Bank) string {
	for _, b := range banks {
		if b.bank == bank {
			return b.code
		}
	}
	return ""
}
