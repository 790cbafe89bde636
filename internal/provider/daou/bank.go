package daou

import (
	"strings"

	"github.com/tongbo/tongbo/internal/payment"
)

// bankNames are names of banks other than those in package payment's table.
// Inferred: how the PG spells them is not published, but each of these means
// one bank only.
var bankNames = map[string]payment.Bank{
	"산업": "KDB", "KDB산업": "KDB", "한국산업": "KDB",
	"기업": "IBK", "IBK기업": "IBK", "중소기업": "IBK",
	"국민": "KOOKMIN", "KB국민": "KOOKMIN", "KB": "KOOKMIN",
	"외환": "HANA", "KEB외환": "HANA", // merged
	"수협": "SUHYUP", "SH수협": "SUHYUP",
	"농협": "NONGHYUP", "NH농협": "NONGHYUP", "NH": "NONGHYUP", "농협중앙회": "NONGHYUP",
	"단위농협": "LOCAL_NONGHYUP", "지역농협": "LOCAL_NONGHYUP", "지역농·축협": "LOCAL_NONGHYUP",
	"우리": "WOORI",
	"SC": "STANDARD_CHARTERED", "SC제일": "STANDARD_CHARTERED", "제일": "STANDARD_CHARTERED",
	"한국스탠다드차타드": "STANDARD_CHARTERED", "스탠다드차타드": "STANDARD_CHARTERED",
	"씨티": "CITI", "한국씨티": "CITI", "시티": "CITI",
	"대구": "DAEGU", "DGB대구": "DAEGU", "IM뱅크": "DAEGU", "IM": "DAEGU",
	"부산": "BUSAN", "BNK부산": "BUSAN", "광주": "KWANGJU", "제주": "JEJU", "전북": "JEONBUK",
	"경남": "KYONGNAM", "BNK경남": "KYONGNAM",
	"새마을": "KFCC", "MG새마을금고": "KFCC", "신협중앙회": "SHINHYUP", "신용협동조합": "SHINHYUP",
	"상호저축": "SAVINGS_BANK", "우체국예금": "POST", "정보통신부우체국": "POST",
	"하나": "HANA", "KEB하나": "HANA", "신한": "SHINHAN",
	"K뱅크": "K_BANK", "카카오": "KAKAO", "토스": "TOSS",
}

// bankOf returns the bank of that name, empty if unknown. BANKCODE is not asked:
// the package comment says why.
func bankOf(name string) payment.Bank {
	name = strings.ToUpper(strings.Join(strings.Fields(name), ""))
	if name == "" {
		return ""
	}
	for _, b := range payment.Banks() {
		if strings.ToUpper(strings.Join(strings.Fields(b.Name), "")) == name {
			return b.Bank
		}
	}
	if b, ok := bankNames[name]; ok {
		return b
	}
	return bankNames[strings.TrimSuffix(name, "은행")]
}

// codeOf is a code to send for a bank: the common one without its first zero,
// as a reseller's guide shows it in notices.
func codeOf(b payment.Bank) string { return strings.TrimPrefix(b.Code(), "0") }
