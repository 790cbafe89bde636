package payment

import "strings"

// A Bank is a bank or securities company by its name in PortOne V2's Bank
// enum. The empty Bank is one we do not know; its raw code is kept with the
// notice.
type Bank string

// A BankInfo is one row of the table of banks.
type BankInfo struct {
	Bank Bank
	Name string // in Korean
	// Code is the three-digit code of 금융결제원 (KFTC); empty if it has none
	// we could find.
	Code string
}

// banks is PortOne V2's enum in its order, with the codes that PGs use. The
// names are PortOne's (v2.openapi.json, 2026-08); codes up to 099 are in the
// tables of NICE, KICC and Hecto, those from 101 in public client code.
var banks = [...]BankInfo{
	{"BANK_OF_KOREA", "한국은행", "001"},
	{"KDB", "산업은행", "002"},
	{"IBK", "기업은행", "003"},
	{"KOOKMIN", "국민은행", "004"},
	{"SUHYUP", "수협은행", "007"},
	{"KEXIM", "수출입은행", "008"},
	{"NONGHYUP", "NH농협은행", "011"},
	{"LOCAL_NONGHYUP", "지역농축협", "012"},
	{"WOORI", "우리은행", "020"},
	{"STANDARD_CHARTERED", "SC제일은행", "023"},
	{"CITI", "한국씨티은행", "027"},
	{"SUHYUP_FEDERATION", "수협중앙회", "030"},
	{"DAEGU", "아이엠뱅크", "031"},
	{"BUSAN", "부산은행", "032"},
	{"KWANGJU", "광주은행", "034"},
	{"JEJU", "제주은행", "035"},
	{"JEONBUK", "전북은행", "037"},
	{"KYONGNAM", "경남은행", "039"},
	{"KFCC", "새마을금고", "045"},
	{"SHINHYUP", "신협", "048"},
	{"SAVINGS_BANK", "저축은행", "050"},
	{"MORGAN_STANLEY", "모간스탠리은행", "052"},
	{"HSBC", "HSBC은행", "054"},
	{"DEUTSCHE", "도이치은행", "055"},
	{"JPMC", "제이피모간체이스은행", "057"},
	{"MIZUHO", "미즈호은행", "058"},
	{"MUFG", "엠유에프지은행", "059"},
	{"BANK_OF_AMERICA", "BOA은행", "060"},
	{"BNP_PARIBAS", "비엔피파리바은행", "061"},
	{"ICBC", "중국공상은행", "062"},
	{"BANK_OF_CHINA", "중국은행", "063"},
	{"NFCF", "산림조합중앙회", "064"},
	{"UOB", "대화은행", "065"},
	{"BOCOM", "교통은행", "066"},
	{"CCB", "중국건설은행", "067"},
	{"POST", "우체국", "071"},
	{"KODIT", "신용보증기금", "076"},
	{"KIBO", "기술보증기금", "077"},
	{"HANA", "하나은행", "081"},
	{"SHINHAN", "신한은행", "088"},
	{"K_BANK", "케이뱅크", "089"},
	{"KAKAO", "카카오뱅크", "090"},
	{"TOSS", "토스뱅크", "092"},
	{"MISC_FOREIGN", "기타 외국계은행(중국 농업은행 등)", ""},
	{"SGI", "서울보증보험", "094"},
	{"KCIS", "한국신용정보원", "101"},
	{"YUANTA_SECURITIES", "유안타증권", "209"},
	{"KB_SECURITIES", "KB증권", "218"},
	{"SANGSANGIN_SECURITIES", "상상인증권", "221"},
	{"HANYANG_SECURITIES", "한양증권", "222"},
	{"LEADING_SECURITIES", "리딩투자증권", "223"},
	{"BNK_SECURITIES", "BNK투자증권", "224"},
	{"IBK_SECURITIES", "IBK투자증권", "225"},
	{"DAOL_SECURITIES", "다올투자증권", "227"},
	{"MIRAE_ASSET_SECURITIES", "미래에셋증권", "238"},
	{"SAMSUNG_SECURITIES", "삼성증권", "240"},
	{"KOREA_SECURITIES", "한국투자증권", "243"},
	{"NH_SECURITIES", "NH투자증권", "247"},
	{"KYOBO_SECURITIES", "교보증권", "261"},
	{"HI_SECURITIES", "하이투자증권", "262"},
	{"HYUNDAI_MOTOR_SECURITIES", "현대차증권", "263"},
	{"KIWOOM_SECURITIES", "키움증권", "264"},
	{"EBEST_SECURITIES", "LS증권", "265"},
	{"SK_SECURITIES", "SK증권", "266"},
	{"DAISHIN_SECURITIES", "대신증권", "267"},
	{"HANHWA_SECURITIES", "한화투자증권", "269"},
	{"HANA_SECURITIES", "하나증권", "270"},
	{"TOSS_SECURITIES", "토스증권", "271"},
	{"SHINHAN_SECURITIES", "신한투자증권", "278"},
	{"DB_SECURITIES", "DB금융투자", "279"},
	{"EUGENE_SECURITIES", "유진투자증권", "280"},
	{"MERITZ_SECURITIES", "메리츠증권", "287"},
	{"KAKAO_PAY_SECURITIES", "카카오페이증권", "288"},
	{"BOOKOOK_SECURITIES", "부국증권", "290"},
	{"SHINYOUNG_SECURITIES", "신영증권", "291"},
	{"CAPE_SECURITIES", "케이프투자증권", "292"},
	{"KOREA_SECURITIES_FINANCE", "한국증권금융", "293"},
	{"KOREA_FOSS_SECURITIES", "한국포스증권", "294"},
	{"WOORI_INVESTMENT_BANK", "우리종합금융", "295"},
}

// Banks lists every bank in PortOne's order.
func Banks() []BankInfo { return append([]BankInfo(nil), banks[:]...) }

// legacyCodes are codes of banks that have merged since, and what became of
// them. Ambiguous ones (016, 026, 093, 095, 099) are left out: a guess is
// worse than an empty name.
var legacyCodes = map[string]string{
	"005": "081", "006": "004", "021": "088", "022": "020", "024": "020",
	"025": "081", "053": "027", "083": "020", "230": "238", "289": "247",
}

// BankByCode returns the bank with a KFTC code. It trims blanks, strips the
// "BK" of KCP's codes, pads one or two digits to three, and follows mergers.
// An unknown code gives the empty Bank.
func BankByCode(code string) Bank {
	code = strings.TrimPrefix(strings.TrimSpace(code), "BK")
	if code == "" || strings.Trim(code, "0123456789") != "" {
		return ""
	}
	for len(code) < 3 {
		code = "0" + code
	}
	if now, ok := legacyCodes[code]; ok {
		code = now
	}
	for _, b := range banks {
		if b.Code == code {
			return b.Bank
		}
	}
	return ""
}

// Code returns the bank's three-digit KFTC code, empty if unknown.
func (b Bank) Code() string {
	for _, i := range banks {
		if i.Bank == b {
			return i.Code
		}
	}
	return ""
}

// Name returns the bank's Korean name, empty if unknown.
func (b Bank) Name() string {
	for _, i := range banks {
		if i.Bank == b {
			return i.Name
		}
	}
	return ""
}

// Known reports whether b is in the table.
func (b Bank) Known() bool { return b.Name() != "" }
