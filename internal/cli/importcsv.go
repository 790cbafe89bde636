package cli

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// A columnName is what a column of the file holds.
type columnName string

// accountColumns are the columns, each with the names that its head may have. Case,
// blanks and the signs _ . - of a head do not matter.
var accountColumns = []struct {
	name  columnName
	heads []string
}{
	{"paymentId", []string{"결제번호", "결제ID", "merchantUid"}},
	{"channelKey", []string{"채널키", "채널"}},
	{"orderName", []string{"주문명", "상품명"}},
	{"amount", []string{"amount.total", "totalAmount", "금액", "결제금액", "입금금액"}},
	{"currency", []string{"통화"}},
	{"bank", []string{"virtualAccount.bank", "은행", "은행명", "은행코드"}},
	{"accountNumber", []string{"virtualAccount.accountNumber", "계좌번호", "가상계좌번호", "가상계좌"}},
	{"type", []string{"virtualAccount.type", "accountType", "계좌유형"}},
	{"accountHolder", []string{"virtualAccount.accountHolder", "예금주", "예금주명"}},
	{"expiredAt", []string{"virtualAccount.expiredAt", "입금기한", "입금마감", "만료일시"}},
	{"pgOrderId", []string{"PG주문번호"}},
	{"pgTxId", []string{"PG거래번호", "거래번호"}},
	{"pgSecret", []string{"PG비밀값"}},
	{"customerId", []string{"customer.id", "고객ID", "고객번호"}},
	{"customerName", []string{"customer.name", "customer.name.full", "고객명", "구매자명", "주문자명"}},
	{"customerEmail", []string{"customer.email", "이메일"}},
	{"customerPhoneNumber", []string{"customer.phoneNumber", "전화번호", "휴대폰번호"}},
	{"customData", []string{"커스텀데이터"}},
	{"noticeUrls", []string{"noticeUrl", "알림URL", "웹훅URL"}},
	{"storeId", []string{"상점ID"}},
}

// neededColumns must be there; channelKey may be given for all rows at once.
var neededColumns = []columnName{"paymentId", "orderName", "amount", "bank", "accountNumber"}

// columnByHead finds a column by each of its plain heads.
var columnByHead = func() map[string]columnName {
	out := make(map[string]columnName)
	for _, c := range accountColumns {
		out[plainHead(string(c.name))] = c.name
		for _, h := range c.heads {
			out[plainHead(h)] = c.name
		}
	}
	return out
}()

// plainHeads takes away what does not matter of a head.
var plainHeads = strings.NewReplacer(" ", "", "_", "", ".", "", "-", "", "\u00a0", "")

// plainHead is a head without what does not matter of it.
func plainHead(s string) string {
	return strings.ToLower(plainHeads.Replace(s))
}

// columnOf finds the column of a head.
func columnOf(head string) (columnName, bool) {
	name, ok := columnByHead[plainHead(head)]
	return name, ok
}

// An accountRow is one row of the file.
type accountRow struct {
	line  int
	store merchant.StoreID // empty: the channel's
	g     payment.Registration
	err   error // why it cannot be read
}

// mostWrong is how many rows may be wrong: with more it is another kind of file.
const mostWrong = 1000

// readAccounts reads a file of accounts, in UTF-8 or CP949. The error is one of the
// file as a whole; those of rows are theirs.
func readAccounts(text []byte, channel merchant.ChannelKey) ([]accountRow, error) {
	body, err := csvText(text)
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(strings.NewReader(body))
	r.FieldsPerRecord, r.Comma = -1, separator(body)
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, fault.Errorf(fault.Invalid, "the file is empty")
	}
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "the first line cannot be read: %w", err)
	}
	columns, err := columnsOf(head, channel != "")
	if err != nil {
		return nil, err
	}
	var rows []accountRow
	for wrong := 0; wrong <= mostWrong; {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		broken, isBroken := errors.AsType[*csv.ParseError](err)
		switch {
		case isBroken:
			rows = append(rows, accountRow{line: broken.StartLine, err: fault.Errorf(fault.Invalid, "the quotes do not fit: %w", broken.Err)})
		case err != nil:
			return nil, err
		case !slices.ContainsFunc(cells, func(c string) bool { return strings.TrimSpace(c) != "" }):
			continue
		default:
			line, _ := r.FieldPos(0)
			rows = append(rows, readRow(line, columns, cells, channel))
		}
		if rows[len(rows)-1].err != nil {
			wrong++
		}
	}
	last := rows[len(rows)-1]
	return nil, fault.Errorf(fault.Invalid, "more than %d rows are wrong, such as line %d: %w", mostWrong, last.line, last.err)
}

// csvText is the file as UTF-8. Korean spreadsheets write CP949.
func csvText(b []byte) (string, error) {
	if bytes.HasPrefix(b, []byte("\xff\xfe")) || bytes.HasPrefix(b, []byte("\xfe\xff")) {
		return "", fault.Errorf(fault.Invalid, "the file is UTF-16: save it as CSV in UTF-8")
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if utf8.Valid(b) {
		return string(b), nil
	}
	s, err := wire.Text(b, wire.EUCKR)
	if err != nil {
		return "", fault.Errorf(fault.Invalid, "the file is neither UTF-8 nor CP949: %w", err)
	}
	return s, nil
}

// separator is what stands between the heads: a comma, else a tab or semicolon.
func separator(body string) rune {
	head, _, _ := strings.Cut(body, "\n")
	for _, c := range ",\t;" {
		if strings.ContainsRune(head, c) {
			return c
		}
	}
	return ','
}

// columnsOf names the columns by their heads.
func columnsOf(head []string, hasChannel bool) ([]columnName, error) {
	out := make([]columnName, len(head))
	for i, h := range head {
		name, ok := columnOf(h)
		switch {
		case strings.TrimSpace(h) == "":
			continue // a column that nobody named is not read
		case !ok:
			return nil, fault.Errorf(fault.Invalid, "column %q is not known: take it out, or name it as docs/operate.md lists", printable(h))
		case slices.Contains(out, name):
			return nil, fault.Errorf(fault.Invalid, "two columns are %s; the second is %q", name, printable(h))
		}
		out[i] = name
	}
	var missing []string
	for _, name := range neededColumns {
		if !slices.Contains(out, name) {
			missing = append(missing, string(name))
		}
	}
	if !hasChannel && !slices.Contains(out, "channelKey") {
		missing = append(missing, "channelKey (or --channel)")
	}
	if missing != nil {
		return nil, fault.Errorf(fault.Invalid, "the first line names no column for %s", strings.Join(missing, ", "))
	}
	return out, nil
}

// readRow reads a row. What it means is checked by the action.
func readRow(line int, columns []columnName, cells []string, channel merchant.ChannelKey) accountRow {
	row := accountRow{line: line}
	cell := make(map[columnName]string, len(columns))
	for i, c := range cells {
		switch c = strings.TrimSpace(c); {
		case i >= len(columns):
			if c != "" {
				row.err = fault.Errorf(fault.Invalid, "it has %d cells for %d columns: is there a comma in a text without quotes?", len(cells), len(columns))
			}
		case columns[i] != "":
			cell[columns[i]] = c
		}
	}
	row.store = merchant.StoreID(cell["storeId"])
	g := payment.Registration{
		ID: payment.ID(cell["paymentId"]), Channel: cmp.Or(merchant.ChannelKey(cell["channelKey"]), channel), OrderName: cell["orderName"],
		Account: payment.Account{
			Bank: bankNamed(cell["bank"]), Number: secret.Account(cell["accountNumber"]),
			Type: accountType(cell["type"]), Holder: cell["accountHolder"],
		},
		Order: cell["pgOrderId"], PGTx: cell["pgTxId"], Secret: secret.Text(cell["pgSecret"]),
		Customer: payment.Customer{
			ID: cell["customerId"], Name: cell["customerName"], Email: cell["customerEmail"], PhoneNumber: cell["customerPhoneNumber"],
		},
		CustomData: cell["customData"], NoticeURLs: strings.Fields(cell["noticeUrls"]),
	}
	var amountErr, deadlineErr error
	g.Amount, amountErr = amountIn(cell["amount"], cell["currency"])
	g.Account.ExpiresAt, deadlineErr = deadlineIn(cell["expiredAt"])
	row.g = g
	for _, err := range []error{row.err, mangled("accountNumber", cell["accountNumber"]), mangled("pgOrderId", cell["pgOrderId"]),
		mangled("paymentId", cell["paymentId"]), mangled("pgTxId", cell["pgTxId"]), bankErr(cell["bank"], g.Account.Bank), amountErr, deadlineErr} {
		if err != nil {
			row.err = err
			break
		}
	}
	return row
}

// mangled reports a number that a spreadsheet rounded.
func mangled(name, text string) error {
	mantissa, exponent, ok := strings.Cut(strings.ToUpper(text), "E+")
	if ok && mantissa != "" && strings.Trim(mantissa, "0123456789.") == "" && strings.Trim(exponent, "0123456789") == "" {
		return fault.Errorf(fault.Invalid, "%s %s was rounded by a spreadsheet: format the column as text and export it again", name, text)
	}
	return nil
}

// bankNamed reads a bank: PortOne's name of it, its code, or its Korean name, with
// or without what banks have in common.
func bankNamed(s string) payment.Bank {
	if b := payment.Bank(strings.ToUpper(s)); b.Known() {
		return b
	}
	if b := payment.BankByCode(s); b != "" {
		return b
	}
	plain := func(name string) string { return strings.TrimSuffix(strings.ReplaceAll(name, " ", ""), "은행") }
	for _, b := range payment.Banks() {
		if s != "" && plain(b.Name) == plain(s) {
			return b.Bank
		}
	}
	return payment.Bank(otherNames[plain(s)])
}

// otherNames are names that banks are known by besides those of the table.
var otherNames = map[string]string{
	"농협": "NONGHYUP", "NH": "NONGHYUP", "수협": "SUHYUP", "기업": "IBK", "IBK기업": "IBK", "KB국민": "KOOKMIN", "하나은행": "HANA", "KEB하나": "HANA",
	"대구": "DAEGU", "IM뱅크": "DAEGU", "iM뱅크": "DAEGU", "씨티": "CITI", "SC": "STANDARD_CHARTERED", "제일": "STANDARD_CHARTERED", "우체국예금": "POST",
}

func bankErr(text string, b payment.Bank) error {
	switch {
	case text == "":
		return fault.Errorf(fault.Invalid, "bank is empty")
	case b == "":
		return fault.Errorf(fault.Invalid, "bank %q is not known: want a name such as SHINHAN or 신한은행, or a code such as 088", printable(text))
	}
	return nil
}

// accountType reads a type of account; what is not known stays as it is.
func accountType(s string) payment.AccountType {
	switch strings.ReplaceAll(s, " ", "") {
	case "회전식", "건별", "일반":
		return payment.Normal
	case "고정식", "고정":
		return payment.Fixed
	case "고정식무제한", "무제한":
		return payment.FixedUnlimited
	}
	return payment.AccountType(strings.ToUpper(s))
}

// amountIn reads an amount as spreadsheets write them, in whole units of a currency
// without smaller ones.
func amountIn(text, currency string) (payment.Money, error) {
	plain := strings.TrimSuffix(strings.TrimPrefix(strings.NewReplacer(",", "", " ", "").Replace(text), "₩"), "원")
	n, err := strconv.ParseInt(plain, 10, 64)
	if err != nil {
		return payment.Money{}, fault.Errorf(fault.Invalid, "amount %q is not a whole number", printable(text))
	}
	return payment.Money{Amount: n, Currency: cmp.Or(payment.Currency(strings.ToUpper(currency)), payment.KRW)}, nil
}

// deadlineIn reads a deadline: as the API takes it, or as spreadsheets write it. A
// time without a zone is Korean; empty is none.
func deadlineIn(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006/01/02 15:04:05", "2006/01/02 15:04",
		"2006.01.02 15:04:05", "2006.01.02 15:04", "20060102150405"} {
		if t, err := time.ParseInLocation(layout, text, wire.Seoul); err == nil {
			return t.UTC(), nil
		}
	}
	for _, layout := range []string{"2006/01/02", "2006.01.02", "20060102"} {
		if t, err := time.ParseInLocation(layout, text, wire.Seoul); err == nil {
			text = t.Format(time.DateOnly)
			break
		}
	}
	t, err := action.ParseDeadline(text)
	if err != nil {
		return t, fault.Errorf(fault.Invalid, "expiredAt %q: want a date such as 2026-08-31, with or without a time", printable(text))
	}
	return t, nil
}

// repeated finds rows of one file that cannot all be meant: they name another
// payment for the same order at the PG.
func repeated(rows []accountRow) {
	type order struct {
		channel merchant.ChannelKey
		order   string
	}
	first := make(map[order]accountRow)
	for i, r := range rows {
		if r.err != nil {
			continue
		}
		at := order{r.g.Channel, cmp.Or(r.g.Order, string(r.g.ID))}
		before, ok := first[at]
		switch {
		case !ok:
			first[at] = r
		case before.g.ID != r.g.ID:
			rows[i].err = fault.Errorf(fault.Conflict, "line %d has the same order at the PG for payment %q", before.line, printable(string(before.g.ID)))
		case before.g.Amount != r.g.Amount:
			rows[i].err = fault.Errorf(fault.Conflict, "line %d has the same payment with another amount: %s", before.line, fmt.Sprint(before.g.Amount))
		}
	}
}
