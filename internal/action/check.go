package action

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/webhook"
)

// Limits of what a registration may hold, in bytes unless stated.
const (
	MaxPaymentID  = 200
	MaxPGOrderID  = 100
	MaxAccount    = 40
	MaxNoticeURLs = 10 // addresses
	maxName       = 1000
	maxAddress    = 16 << 10 // as JSON, with what its texts say twice
	maxCustomData = 64 << 10
	maxAmount     = 1<<53 - 1 // what JavaScript still counts exactly
)

// CheckPaymentID reports fault.Invalid unless id can be the name of a payment:
// text without control characters, neither empty nor too long.
func CheckPaymentID(id payment.ID) error { return checkText("paymentId", string(id), 1, MaxPaymentID) }

// checkText reports fault.Invalid unless text is UTF-8 without control
// characters and has from least to most bytes.
func checkText(name, text string, least, most int) error {
	switch {
	case len(text) < least:
		return invalid("%s must not be empty", name)
	case len(text) > most:
		return invalid("%s has %d bytes: at most %d", name, len(text), most)
	case !utf8.ValidString(text):
		return invalid("%s is not UTF-8", name)
	case strings.ContainsFunc(text, unicode.IsControl):
		return invalid("%s holds control characters", name)
	}
	return nil
}

func invalid(format string, args ...any) error { return fault.Errorf(fault.Invalid, format, args...) }

// first returns the first error that is not nil.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// prepare checks a registration for all that needs no settings, and brings its
// times to the precision at which they are stored.
func prepare(g *payment.Registration) error {
	err := first(
		checkText("channelKey", string(g.Channel), 1, maxName),
		checkText("pgOrderId", g.Order, 0, MaxPGOrderID),
		checkText("pgTxId", g.PGTx, 0, maxName),
		checkText("pgSecret", g.Secret.Reveal(), 0, maxName),
		checkAccount(g.Account),
		checkSale(*g),
	)
	if err != nil {
		return err
	}
	g.Account.ExpiresAt = stored(g.Account.ExpiresAt)
	g.Account.IssuedAt = stored(g.Account.IssuedAt)
	return nil
}

// checkSale checks what is paid for, and what the merchant says of it.
func checkSale(g payment.Registration) error {
	return first(
		CheckPaymentID(g.ID),
		checkText("orderName", g.OrderName, 1, maxName),
		checkMoney(g.Amount),
		checkCustomer(g.Customer),
		checkNoticeURLs(g.NoticeURLs),
		checkCustomData(g.CustomData),
	)
}

func checkCustomData(s string) error {
	if len(s) > maxCustomData || !utf8.ValidString(s) {
		return invalid("customData must be UTF-8 of at most %d bytes", maxCustomData)
	}
	return nil
}

func stored(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Microsecond)
}

func checkMoney(m payment.Money) error {
	switch {
	case m.Amount <= 0 || m.Amount > maxAmount:
		return invalid("amount.total is %d: it must be more than 0 and at most %d", m.Amount, int64(maxAmount))
	case !knownCurrency(m.Currency):
		return invalid("currency %q is not a code of ISO 4217, such as KRW", string(m.Currency))
	}
	return nil
}

func checkAccount(a payment.Account) error {
	number := a.Number.Reveal()
	switch {
	case !a.Bank.Known():
		return invalid("virtualAccount.bank %q is unknown: GET /banks lists them", string(a.Bank))
	case len(number) > MaxAccount || strings.Trim(number, "-") == "":
		return invalid("virtualAccount.accountNumber must have from 1 to %d characters", MaxAccount)
	case strings.ContainsFunc(number, notInAccount):
		return invalid("virtualAccount.accountNumber may hold only digits, letters and dashes")
	}
	switch a.Type {
	case "", payment.Normal, payment.Fixed, payment.FixedUnlimited:
	default:
		return invalid("virtualAccount.type %q: want NORMAL, FIXED or FIXED_UNLIMITED", string(a.Type))
	}
	if y := a.ExpiresAt.Year(); !a.ExpiresAt.IsZero() && (y < 2000 || y > 9998) {
		return invalid("virtualAccount.expiredAt is in the year %d", y)
	}
	return checkText("virtualAccount.accountHolder", a.Holder, 0, maxName)
}

func notInAccount(r rune) bool {
	return r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

func checkCustomer(c payment.Customer) error {
	return first(
		checkText("customer.id", c.ID, 0, maxName),
		checkText("customer.name", c.Name, 0, maxName),
		checkText("customer.email", c.Email, 0, maxName),
		checkText("customer.phoneNumber", c.PhoneNumber, 0, maxName),
		checkText("customer.zipcode", c.Zipcode, 0, maxName),
		checkText("customer.birthYear", c.BirthYear, 0, maxName),
		checkText("customer.birthMonth", c.BirthMonth, 0, maxName),
		checkText("customer.birthDay", c.BirthDay, 0, maxName),
		checkText("customer.gender", c.Gender, 0, maxName),
		checkAddress(c.Address),
	)
}

// checkAddress bounds the texts of an address, and so the whole of it.
func checkAddress(address json.RawMessage) error {
	if len(address) == 0 {
		return nil
	}
	var lines map[string]string
	if len(address) > maxAddress || json.Unmarshal(address, &lines) != nil {
		return invalid("customer.address must be texts of at most %d bytes together", maxAddress)
	}
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		// The line that holds the others may be as long as they are.
		if name != "oneLine" && len(lines[name]) > maxName {
			return invalid("customer.address.%s has %d bytes: at most %d", name, len(lines[name]), maxName)
		}
	}
	return nil
}

func checkNoticeURLs(list []string) error {
	if len(list) > MaxNoticeURLs {
		return invalid("noticeUrls has %d addresses: at most %d", len(list), MaxNoticeURLs)
	}
	for _, u := range list {
		if err := first(checkText("noticeUrls", u, 1, 4*maxName), webhook.CheckURL(u)); err != nil {
			return err
		}
	}
	return nil
}

// ParseDeadline reads until when an account takes money: a date-time with or
// without a zone, or a date alone, which ends at 23:59:59. What has no zone is
// Korean time. It reports fault.Invalid for anything else.
func ParseDeadline(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t.UTC(), nil
	}
	if t, err := time.ParseInLocation("2006-01-02T15:04:05", s, wire.Seoul); err == nil {
		return t.UTC(), nil
	}
	t, err := time.ParseInLocation(time.DateOnly, s, wire.Seoul)
	if err != nil {
		return t, invalid("expiredAt %.40q: want a time such as 2026-08-31T23:59:59+09:00, or a date", s)
	}
	return t.Add(24*time.Hour - time.Second).UTC(), nil
}
