//go:build unix

package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// hostile is what a spreadsheet may run, and what breaks lines and quotes.
var hostile = []string{
	`=cmd|'/c calc'!A1`, "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "a,b\"c\nd", "<script>alert(1)</script>", "홍길동\u202e", "",
}

func TestNoCellIsAFormula(t *testing.T) {
	for _, bom := range []bool{false, true} {
		var out bytes.Buffer
		tb := newTable(Order{What: Payments, Format: CSV, BOM: bom}, &out)
		for _, text := range hostile {
			if err := tb.row([]cell{word(text), id(text), number(1)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := tb.flush(); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != len(hostile) {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for i, row := range rows {
			for _, got := range row[:2] {
				if got != "" && strings.ContainsAny(got[:1], "=+-@\t\r\n") {
					t.Errorf("%q is written as %q", hostile[i], got)
				}
			}
		}
	}
}

func TestIDsKeepTheirZeros(t *testing.T) {
	for in, want := range map[string][2]string{
		"0012": {"0012", `="0012"`}, "110-0": {"110-0", `="110-0"`}, "**4252": {"**4252", `="**4252"`},
		"order-1": {"order-1", "order-1"}, "": {"", ""}, "--": {"'--", "'--"}, `1"&A1&"`: {`1"&A1&"`, `1"&A1&"`}, "=1": {"'=1", "'=1"},
	} {
		if got := [2]string{id(in).inCSV(false), id(in).inCSV(true)}; got != want {
			t.Errorf("an id %q is written as %q, want %q", in, got, want)
		}
	}
}

func TestObjects(t *testing.T) {
	var out bytes.Buffer
	tb := newTable(Order{What: Notices, Format: NDJSON}, &out)
	for _, cells := range [][]cell{{word("a\"<\n"), {}, number(5)}, {{}, {}}} {
		if err := tb.row(cells); err != nil {
			t.Fatal(err)
		}
	}
	if err := tb.flush(); err != nil {
		t.Fatal(err)
	}
	if want := `{"received_at":"a\"<\n","provider":5}` + "\n{}\n"; out.String() != want {
		t.Errorf("objects are %s, want %s", out.String(), want)
	}
}

func TestMaskName(t *testing.T) {
	for in, want := range map[string]string{"": "", "홍": "*", "홍길": "홍*", "홍길동": "홍*동", "제갈공명": "제**명", "Kim": "K*m"} {
		if got := MaskName(in); got != want {
			t.Errorf("MaskName(%q) = %q, want %q", in, got, want)
		}
	}
}

// A full row of each thing has a cell for each column, and masks what is masked.
func TestRows(t *testing.T) {
	amount := int64(1000)
	p := store.PaymentRow{
		Payment: payment.Payment{
			ID: "o-1", State: payment.Paid, Amount: payment.Won(1000), Customer: payment.Customer{Name: "김손님"}, RequestedAt: storetest.Noon,
			Transactions: []payment.Transaction{{Depositor: "홍길동", Account: &payment.Account{Number: "11012345678901", Holder: "가나상점"}}},
		},
		Webhook: &store.WebhookState{ID: "x", State: webhook.Completed, Tries: 2},
	}
	n := store.NoticeRow{ListedNotice: store.ListedNotice{ID: "n", Amount: &amount}}
	d := store.DeliveryRow{ID: "d", Last: &webhook.Attempt{Status: 500}}
	for what, rows := range map[Thing][][]cell{
		Payments:   {paymentCells(p, Order{}), paymentCells(store.PaymentRow{}, Order{Reveal: true})},
		Notices:    {noticeCells(n, Order{}), noticeCells(store.NoticeRow{}, Order{})},
		Deliveries: {deliveryCells(d, Order{}), deliveryCells(store.DeliveryRow{}, Order{})},
	} {
		for _, row := range rows {
			if len(row) != len(Columns(what)) {
				t.Errorf("%s: %d cells for %d columns", what, len(row), len(Columns(what)))
			}
		}
	}
	all := func(o Order) (text string) {
		for _, c := range paymentCells(p, o) {
			text += c.inCSV(false) + "|"
		}
		return text
	}
	masked, open := all(Order{}), all(Order{Reveal: true})
	for _, private := range []string{"11012345678901", "홍길동", "김손님", "가나상점"} {
		if strings.Contains(masked, private) {
			t.Errorf("%s is not masked: %s", private, masked)
		}
		if !strings.Contains(open, private) {
			t.Errorf("%s is not revealed: %s", private, open)
		}
	}
}

// TestDocumentedColumns holds docs/export.md against the columns.
func TestDocumentedColumns(t *testing.T) {
	text, err := os.ReadFile("../../docs/export.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range Things() {
		_, part, ok := strings.Cut(string(text), "## `tongbo export "+string(what)+"`\n")
		if !ok {
			t.Errorf("docs/export.md has no part for %s", what)
			continue
		}
		part, _, _ = strings.Cut(part, "\n## ")
		var names []string
		for line := range strings.Lines(part) {
			if name, ok := strings.CutPrefix(line, "| `"); ok {
				name, _, _ = strings.Cut(name, "`")
				names = append(names, name)
			}
		}
		if diff := cmp.Diff(Columns(what), names); diff != "" {
			t.Errorf("columns of %s (-code +docs):\n%s", what, diff)
		}
	}
}

func TestBadOrders(t *testing.T) {
	good := Order{What: Payments, Format: CSV}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, o := range map[string]Order{
		"nothing":   {Format: CSV},
		"no format": {What: Payments},
		"a mark":    {What: Payments, Format: NDJSON, BOM: true},
		"backwards": {What: Payments, Format: CSV, From: storetest.Noon, Until: storetest.Noon.Add(-time.Second)},
	} {
		if err := o.Check(); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Check = %v, want fault.Invalid", name, err)
		}
		if _, err := Write(t.Context(), nil, o, nil); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: Write = %v, want fault.Invalid", name, err)
		}
	}
}

// A failing writer fails after some bytes.
type failing struct{ left int }

func (f *failing) Write(b []byte) (int, error) {
	if f.left -= len(b); f.left < 0 {
		return 0, errors.New("the disk is full")
	}
	return len(b), nil
}

// TestPages writes more than a page of each, on both engines.
func TestPages(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *storetest.Database) {
		st := db.Open(t)
		const n = pageSize + 20
		for i := range n {
			g := storetest.Registration(fmt.Sprintf("o-%03d", i))
			if _, _, err := st.Register(t.Context(), g, storetest.Registering(storetest.Noon.Add(time.Duration(i)*time.Second))); err != nil {
				t.Fatal(err)
			}
		}
		scope := store.Scope{Merchant: storetest.Merchant, Mode: merchant.Test}
		for _, what := range []Thing{Payments, Deliveries} {
			var out bytes.Buffer
			rows, err := Write(t.Context(), st.Reader, Order{What: what, Scope: scope, Format: NDJSON}, &out)
			if err != nil || rows != n {
				t.Fatalf("%s: %d rows, %v, want %d", what, rows, err, n)
			}
			seen := map[string]bool{}
			for line := range strings.Lines(out.String()) {
				var row map[string]any
				if err := json.Unmarshal([]byte(line), &row); err != nil {
					t.Fatalf("%s: %v", line, err)
				}
				name, _ := row["payment"].(string)
				seen[name] = true
			}
			if len(seen) != n {
				t.Errorf("%s: %d payments are named, want %d", what, len(seen), n)
			}
			if _, err := Write(t.Context(), st.Reader, Order{What: what, Scope: scope, Format: NDJSON}, &failing{out.Len() / 2}); err == nil {
				t.Errorf("%s: a full disk is no error", what)
			}
		}
		some := Order{What: Payments, Scope: scope, Format: CSV, BOM: true, From: storetest.Noon.Add(5 * time.Second), Until: storetest.Noon.Add(6 * time.Second)}
		var out bytes.Buffer
		if rows, err := Write(t.Context(), st.Reader, some, &out); err != nil || rows != 2 {
			t.Errorf("of two seconds %d rows, %v, want 2", rows, err)
		}
		if text := out.String(); !strings.HasPrefix(text, "\ufeffrequested_at,") || !strings.Contains(text, "\r\n") || strings.Contains(text, storetest.AccountOf("o-005").Reveal()) {
			t.Errorf("the table is %q", text)
		}
		scope.Merchant = "merchant-of-somebody-else"
		if rows, err := Write(t.Context(), st.Reader, Order{What: Payments, Scope: scope, Format: CSV}, &out); err != nil || rows != 0 {
			t.Errorf("another merchant's table has %d rows, %v", rows, err)
		}
	})
}

func TestEntry(t *testing.T) {
	by := member.By{Kind: member.CLI, Name: "you"}
	o := Order{What: Payments, Format: CSV, Reveal: true, From: storetest.Noon, Scope: store.Scope{Merchant: "m", Mode: merchant.Live}}
	e := o.Entry(by)
	if e.By != by || e.Action != "payments.exported" || e.Merchant != "m" || len(e.After) != 3 || e.After[1].Text != "revealed" {
		t.Errorf("the audit log says %+v", e)
	}
	if o.Reveal = false; o.Entry(by).After[1].Text != "masked" {
		t.Errorf("the audit log says %+v", o.Entry(by))
	}
}
