package cli

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// TestSampleOfAccounts reads the sample of the documents, as it is, with a mark of
// UTF-8, and as Korean spreadsheets save it.
func TestSampleOfAccounts(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/samples/accounts.csv")
	if err != nil {
		t.Fatal(err)
	}
	korean, err := wire.ToEUCKR(string(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []payment.Registration{
		{ID: "order-1001", Channel: "c", OrderName: "사과 1상자", Amount: payment.Won(10_000), Customer: payment.Customer{Name: "홍길동", PhoneNumber: "010-0000-0000"},
			Account: payment.Account{Bank: "SHINHAN", Number: "56211992494252", Holder: "가나상점", ExpiresAt: time.Date(2026, 8, 31, 14, 59, 59, 0, time.UTC)}},
		{ID: "order-1002", Channel: "c", Order: "imp_1002", OrderName: "배, 감 세트", Amount: payment.Won(25_000), Customer: payment.Customer{Name: "성춘향"},
			Account: payment.Account{Bank: "SHINHAN", Number: "56211992494253", Holder: "가나상점", ExpiresAt: time.Date(2026, 8, 31, 9, 0, 0, 0, time.UTC)}},
		{ID: "order-1003", Channel: "c", PGTx: "tx-1003", OrderName: "쌀 20kg", Amount: payment.Won(62_000), Customer: payment.Customer{Name: "이몽룡"},
			Account: payment.Account{Bank: "KOOKMIN", Number: "9876-5432-1098", Holder: "가나상점", ExpiresAt: time.Date(2026, 9, 2, 14, 59, 59, 0, time.UTC)}},
	}
	for name, b := range map[string][]byte{"UTF-8": text, "with a mark": append([]byte("\xef\xbb\xbf"), text...), "CP949": korean} {
		rows, err := readAccounts(b, "c")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []payment.Registration
		for i, r := range rows {
			if r.err != nil || r.line != i+2 {
				t.Errorf("%s, line %d: %v", name, r.line, r.err)
			}
			r.g.NoticeURLs = nil
			got = append(got, r.g)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestHeads: heads are known in any spelling of the API's names.
func TestHeads(t *testing.T) {
	t.Parallel()
	for head, want := range map[string]columnName{
		"paymentId": "paymentId", "payment_id": "paymentId", "PAYMENT ID": "paymentId", "amount.total": "amount", "virtualAccount.bank": "bank",
		"계좌 번호": "accountNumber", "pgTxId": "pgTxId", "customer.name.full": "customerName", "메모": "", "": "",
	} {
		if got, ok := columnOf(head); got != want || ok != (want != "") {
			t.Errorf("columnOf(%q) = %q, %v, want %q", head, got, ok, want)
		}
	}
}

// TestOddFiles: what cannot be read is said of the line, and the others are read.
func TestOddFiles(t *testing.T) {
	t.Parallel()
	const head = "paymentId,orderName,amount,bank,accountNumber\n"
	for name, c := range map[string]struct {
		body string
		errs []bool // of the rows
	}{
		"quotes within":      {head + "o-1,사\"과,1000,IBK,1\no-2,배,1000,IBK,2\n", []bool{true, false}},
		"a comma too many":   {head + "o-1,사,과,1000,IBK,1\n", []bool{true}},
		"too few cells":      {head + "o-1,사과\n", []bool{true}},
		"a text of lines":    {head + "o-1,\"사\n과\",1000,IBK,1\no-2,배,1000,IBK,2\n", []bool{false, false}},
		"dates of all kinds": {"expiredAt," + head + "20260831,o-1,배,1,IBK,1\n2026.08.31,o-2,배,1,IBK,2\n31-Aug-26,o-3,배,1,IBK,3\n", []bool{false, false, true}},
		"no rows":            {head, nil},
	} {
		rows, err := readAccounts([]byte(c.body), "c")
		if err != nil || len(rows) != len(c.errs) {
			t.Errorf("%s: %d rows, %v, want %d", name, len(rows), err, len(c.errs))
			continue
		}
		for i, r := range rows {
			if (r.err != nil) != c.errs[i] {
				t.Errorf("%s, row %d: %v", name, i+1, r.err)
			}
		}
	}
	for name, body := range map[string]string{"nothing": "", "UTF-16": "\xff\xfep\x00", "no charset": head + "o-1,\x80\xff,1,IBK,1\n", "a broken head": "a\"b\n"} {
		if _, err := readAccounts([]byte(body), "c"); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

// FuzzAccounts: no file makes it fall over.
func FuzzAccounts(f *testing.F) {
	f.Add([]byte("paymentId,orderName,amount,bank,accountNumber\no-1,배,1,IBK,1\n"))
	f.Add([]byte("\xef\xbb\xbf결제번호;주문명;금액;은행;계좌번호\n\"o-1;;\n"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		rows, err := readAccounts(b, "")
		if err == nil {
			repeated(rows)
		}
	})
}

// TestAnotherKindOfFile is refused before much of it is kept.
func TestAnotherKindOfFile(t *testing.T) {
	t.Parallel()
	text := "paymentId,orderName,amount,bank,accountNumber\n" + strings.Repeat("x\n\n", mostWrong)
	if rows, err := readAccounts([]byte(text), "channel-key-1"); err != nil || len(rows) != mostWrong {
		t.Errorf("%d rows, %v; want each with its own reason", len(rows), err)
	}
	if _, err := readAccounts([]byte(text+"x\n"), "channel-key-1"); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "line 2002") {
		t.Errorf("one more wrong row = %v", err)
	}
	if _, err := readAccounts([]byte(strings.Repeat(",", 1_000_000)+"\n"), ""); !fault.Is(err, fault.Invalid) {
		t.Errorf("a million heads = %v", err)
	}
}
