package payment_test

import (
	"regexp"
	"testing"

	"github.com/tongbo/tongbo/internal/payment"
)

func TestBanks(t *testing.T) {
	t.Parallel()
	names, codes := make(map[payment.Bank]bool), make(map[string]payment.Bank)
	enum, code := regexp.MustCompile(`^[A-Z][A-Z_]*[A-Z]$`), regexp.MustCompile(`^\d{3}$`)
	for _, b := range payment.Banks() {
		switch {
		case !enum.MatchString(string(b.Bank)), b.Name == "":
			t.Errorf("bank %+v is not well named", b)
		case names[b.Bank]:
			t.Errorf("%s stands twice in the table", b.Bank)
		case b.Code != "" && !code.MatchString(b.Code):
			t.Errorf("%s has the code %q", b.Bank, b.Code)
		case b.Code != "" && codes[b.Code] != "":
			t.Errorf("code %s is of both %s and %s", b.Code, codes[b.Code], b.Bank)
		}
		names[b.Bank], codes[b.Code] = true, b.Bank
		if b.Bank.Name() != b.Name || b.Bank.Code() != b.Code || !b.Bank.Known() {
			t.Errorf("%s is named %q with code %q, want %q, %q", b.Bank, b.Bank.Name(), b.Bank.Code(), b.Name, b.Code)
		}
		if b.Code != "" && payment.BankByCode(b.Code) != b.Bank {
			t.Errorf("BankByCode(%s) = %s, want %s", b.Code, payment.BankByCode(b.Code), b.Bank)
		}
	}
	payment.Banks()[0].Name = "changed"
	if payment.Banks()[0].Name == "changed" {
		t.Error("a caller changed the table")
	}
}

func TestBankByCode(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]payment.Bank{
		"88": "SHINHAN", "4": "KOOKMIN", "BK04": "KOOKMIN", " 088 ": "SHINHAN", "BK88": "SHINHAN",
		// Banks that have merged since.
		"005": "HANA", "025": "HANA", "006": "KOOKMIN", "021": "SHINHAN", "022": "WOORI", "024": "WOORI",
		"083": "WOORI", "053": "CITI", "230": "MIRAE_ASSET_SECURITIES", "289": "NH_SECURITIES",
		// Nobody's, ambiguous, or no code at all.
		"": "", "BK": "", "999": "", "016": "", "026": "", "093": "", "095": "", "099": "", "신한": "", "8 8": "", "0088": "", "-1": "",
	} {
		if got := payment.BankByCode(code); got != want {
			t.Errorf("BankByCode(%q) = %q, want %q", code, got, want)
		}
	}
	if b := payment.Bank("NOBODY"); b.Known() || b.Name() != "" || b.Code() != "" {
		t.Errorf("an unknown bank is %q with code %q", b.Name(), b.Code())
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	if got := payment.Won(1000).String(); got != "1000 KRW" {
		t.Errorf("Won(1000) prints %q", got)
	}
	for m, zero := range map[payment.Money]bool{{}: true, payment.Won(0): false, {Amount: 1}: false} {
		if m.IsZero() != zero {
			t.Errorf("%#v.IsZero() = %v", m, !zero)
		}
	}
	if payment.Won(1) == (payment.Money{Amount: 1, Currency: "USD"}) {
		t.Error("a won is a cent")
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for _, v := range payment.Verdicts() {
		want := v == payment.Pending || v == payment.Unmatched || v == payment.Conflict
		if v.Open() != want {
			t.Errorf("%s.Open() = %v, want %v", v, !want, want)
		}
	}
}
