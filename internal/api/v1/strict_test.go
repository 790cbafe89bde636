package v1

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tongbo/tongbo/internal/api"
)

// read reads a body as a call of some manner does.
func read(t *testing.T, how manner, body string) (*input, error) {
	t.Helper()
	w := httptest.NewRecorder()
	return (&call{r: httptest.NewRequestWithContext(t.Context(), "POST", "/", strings.NewReader(body)), w: api.Watch(w), how: how}).body()
}

// TestReadWhole reads numbers exactly.
func TestReadWhole(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "0.00": 0, "0e9": 0, "007": 7, "+5": 5, "-12": -12, "1000.0": 1000, "1.5e1": 15, "10e-1": 1, "120E+2": 12000,
		"9007199254740991": maxWhole, "-9007199254740991": -maxWhole, "900719925474099100000e-5": maxWhole,
	} {
		if got, say := readWhole(text); got != want || say != "" {
			t.Errorf("%s is read as %d, %q", text, got, say)
		}
	}
	for _, text := range []string{
		"", "-", ".", "e5", "1e", "1-2", "--1", "0x10", "1_000", "inf", "NaN", "0.5", "1e-400", "-1e-400", "0.00000000000000000000001",
		"1000.00000000000000000000001", "0.99999999999999999999999", "9007199254740992", "1e16", "1e300", "1e9223372036854775807",
		"10e9223372036854775807", "1.5e-9223372036854775808", "0e99999999999999999999", "１０", "1 0",
	} {
		if got, say := readWhole(text); got != 0 || say == "" {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}

// TestAmounts reads amounts, which are there or are not, and nothing between.
func TestAmounts(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int64{
		`{"amount":3000}`: 3000, `{"amount":"3000"}`: 3000, `{"amount":3e3}`: 3000, `{"amount":0}`: 0, `{"amount":"0"}`: 0, "amount=3000": 3000,
		" amount= 3000 ": 3000, "amount=0": 0, "amount=0.0": 0, "x&amount=7&y[]=1": 7, "amount=7& amount=7": 7,
	} {
		in, err := read(t, soft, body)
		if err != nil {
			t.Fatal(err)
		}
		if got := in.amount("amount"); got == nil || *got != want || in.err != nil {
			t.Errorf("%s is read as %v, %v", body, got, in.err)
		}
	}
	for _, body := range []string{`{}`, `{"amount":null}`, "", "x=1", "amounts=1"} {
		in, err := read(t, soft, body)
		if err != nil {
			t.Fatal(err)
		}
		if got := in.amount("amount"); got != nil || in.err != nil {
			t.Errorf("%s is read as %v, %v", body, got, in.err)
		}
	}
	for _, body := range []string{
		`{"amount":[]}`, `{"amount":{}}`, `{"amount":""}`, `{"amount":" "}`, `{"amount":[3000]}`, `{"amount":true}`, `{"amount":false}`,
		`{"amount":1e-400}`, `{"amount":"null"}`, `{"amount":[null]}`, `{"amount":3000,"amount":null}`,
		"amount", "amount=", "amount=+", "amount[x]=3000", "amount[]=3000", "amount%5B%5D=", "amount[0]", "amount[", "amount%20=3000", "%20amount=3000",
		"amount=3000&amount[x]=1", "x=1&amount", "amount=undefined", "reason=변심& amount& x=1", "amount=1e-400", "amount=&amount=",
	} {
		in, err := read(t, soft, body)
		if err != nil {
			t.Fatal(err)
		}
		if got := in.amount("amount"); got != nil || in.err == nil || !strings.HasPrefix(in.err.Error(), "amount: ") {
			t.Errorf("%s is read as %v, %v", body, got, in.err)
		}
	}
}

// TestLostAmounts cancels by amounts that were lost on the way: no money goes back.
func TestLostAmounts(t *testing.T) {
	t.Parallel()
	s := onSQLite(t)
	p := s.issue("main", "order-1")
	s.deposit(tossKey, "order-1")
	pg := s.pg
	s.pg = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the PG is asked: %s", r.URL) })
	for _, name := range []string{"amount", "checksum", "tax_free", "vat_amount"} {
		for _, value := range []string{"[]", `""`, "{}", "1e-400", "false", "[11000]"} {
			s.want(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+p.ImpUID+`","`+name+`":`+value+refund), 200, 1, name)
		}
		for _, field := range []string{"", "=", "[x]=11000", "%5B%5D=", "[]=11000"} {
			body := "imp_uid=" + p.ImpUID + "&refund_bank=004&refund_account=123456&refund_holder=x&" + name + field
			s.want(s.call("POST", "/payments/cancel", "main", body), 200, 1, name)
		}
	}
	// Nor is anything prepared or issued by them.
	s.want(s.call("POST", "/payments/prepare", "main", `{"merchant_uid":"order-2","amount":[]}`), 200, 1, "amount")
	s.want(s.call("POST", "/vbanks", "main", "merchant_uid=order-2&amount=1000&tax_free=&vbank_code=88&vbank_due="+due()), 200, 1, "tax_free")
	s.pg = pg
	if got := s.told(p.ImpUID); got.Status != "paid" || got.CancelAmount != 0 {
		t.Errorf("the payment is %+v", got)
	}
	s.ok(s.call("POST", "/payments/cancel", "main", `{"imp_uid":"`+p.ImpUID+`","amount":0,"checksum":null`+refund), &p)
	if p.CancelAmount != 11000 {
		t.Errorf("0 gave back %+v", p)
	}
}

// TestBehindJSON sends something behind the JSON object.
func TestBehindJSON(t *testing.T) {
	t.Parallel()
	for _, tail := range []string{"}", "]", `} {"amount":1}`, `{"amount":1}`, ",", "&amount=1", "null", "\x00", `}]`} {
		if in, err := read(t, soft, `{"imp_uid":"x"}`+tail); err == nil || !strings.Contains(err.Error(), "JSON") {
			t.Errorf("%s behind it is read: %v, %v", tail, in, err)
		}
	}
	if _, err := read(t, soft, "\ufeff{\"imp_uid\":\"x\"}"); err != nil {
		t.Errorf("a form that looks odd is not read: %v", err)
	}
	if in, err := read(t, soft, "\r\n {\"imp_uid\":\"x\"} \n"); err != nil || in.text("imp_uid") != "x" {
		t.Errorf("blanks around it: %v, %v", in, err)
	}
}

// TestLargeBodies sends bodies that are small on the line and large once they are
// decoded: what is not read is not decoded, and what is has its bound.
func TestLargeBodies(t *testing.T) {
	// Not parallel: it counts what the process allocates.
	filler := "[" + strings.Repeat("{},", 340_000) + "{}]"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	in, err := read(t, soft, `{"imp_uid":"x","a":`+filler+`}`)
	if err != nil || in.text("imp_uid") != "x" {
		t.Fatal(in, err)
	}
	in.amount("a")
	runtime.ReadMemStats(&after)
	if in.err == nil || !strings.Contains(in.err.Error(), "너무 깁니다") {
		t.Errorf("the long field is read: %v", in.err)
	}
	if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 16 {
		t.Errorf("a body of 1 MiB takes %d MiB", got)
	}
	for _, body := range []string{
		"{" + strings.Repeat(`"a":1,`, maxFields) + `"a":1}`, strings.Repeat("a[]=1&", maxFields), strings.Repeat("&", maxFields),
	} {
		if _, err := read(t, soft, body); err == nil || !strings.Contains(err.Error(), "너무 많") {
			t.Errorf("%.20s… is read: %v", body, err)
		}
	}
	if in, err := read(t, soft, "{"+strings.Repeat(`"a":1,`, maxFields-1)+`"a":1}`); err != nil || *in.whole("a") != 1 {
		t.Errorf("as many fields as there may be: %v", err)
	}
	long := strings.Repeat("이", 1000)
	if in, err := read(t, soft, `{"`+long+`":1,"`+long+`":2}`); err != nil || in.err == nil || len(in.err.Error()) > 200 {
		t.Errorf("a long name that is there twice: %v, %v", err, in.err)
	}
	if in, err := read(t, soft, `{"custom_data":{"b":[1,{"c":1.0}],"a":"<&>"}}`); err != nil || in.kept("custom_data") != `{"a":"<&>","b":[1,{"c":1.0}]}` {
		t.Errorf("custom data are not kept: %v", err)
	}
}

// TestOpenBodies sends to the login what is no login: little of it is read, and each
// is charged to its address as a guess is.
func TestOpenBodies(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := build(t, "sqlite:"+filepath.Join(t.TempDir(), "t.db"))
		s.api.Limit(5)
		from := "203.0.113.98"
		s.api.ClientAddr = func(*http.Request) netip.Addr { return netip.MustParseAddr(from) }
		s.token("main")
		pad := func(n int) string {
			return `{"imp_key":"main","imp_secret":"main","a":"` + strings.Repeat("x", n) + `"}`
		}
		for i, test := range []struct {
			body   string
			status int
		}{
			{pad(maxOpenBody), 413}, {`{"a":[` + strings.Repeat("{},", 300_000) + `{}]}`, 413}, {`{"a":[{},{}]}`, 400}, {"", 400}, {`{"imp_key":`, 400},
		} {
			from = netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}).String()
			s.ok(s.post("/users/getToken", pad(maxOpenBody-len(pad(0)))), &tokenAnswer{})
			for range 2 {
				s.want(s.post("/users/getToken", test.body), test.status, 1, "")
			}
			s.want(s.post("/users/getToken", "imp_key=main&imp_secret=main"), 429, -1, "")
		}
		// Who has a token may err.
		from = "203.0.113.99"
		for range 5 {
			s.want(s.call("POST", "/payments/cancel", "main", pad(maxOpenBody)), 200, 1, "imp_uid")
		}
	})
}
