package console

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
)

// A sale is what a test registers of a payment.
type sale struct {
	store         merchant.StoreID
	id, name, who string
	account       secret.Account
	amount        int64
}

// sells registers payments as shops do.
func (h *house) sells(list ...sale) (out []payment.Payment) {
	h.Helper()
	for _, x := range list {
		m, key := ours, oursTest
		if x.store == rival1 {
			m, key = theirs, rivalTest
		}
		p, _, err := h.Actions.RegisterAccount(h.Context(), action.Caller{Merchant: m, Store: x.store, Mode: merchant.Test}, payment.Registration{
			Merchant: m, Store: x.store, Channel: key, Mode: merchant.Test, ID: payment.ID(x.id), OrderName: x.name,
			Customer: payment.Customer{Name: x.who}, Amount: payment.Won(x.amount),
			Account: payment.Account{Bank: "SHINHAN", Number: x.account, ExpiresAt: time.Now().Add(time.Hour)},
		})
		if err != nil {
			h.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}

// shares assigns the test channel to the branch too.
func (h *house) shares() {
	h.Helper()
	x, err := h.Store.Settings(h.Context())
	if err != nil {
		h.Fatal(err)
	}
	for i, c := range x.Channels {
		if c.Key == oursTest {
			x.Channels[i].Stores = []merchant.StoreID{branch1}
		}
	}
	if err := h.Store.SaveSettings(h.Context(), x, time.Now()); err != nil {
		h.Fatal(err)
	}
}

const paymentsAt = Prefix + "/all/test/payments"

// rowsOf are the ids of payments on a page, in order.
func rowsOf(page string) (ids []string) {
	for _, m := range regexp.MustCompile(`<td><code>([^<]*)</code>`).FindAllStringSubmatch(page, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

func TestPaymentsPage(t *testing.T) {
	h := newHouse(t)
	h.shares()
	empty := h.shows(h.get("owner", paymentsAt), http.StatusOK, "아직 결제가 없어요.", "tongbo trigger nice deposit", "/developers/simulator")
	if strings.Contains(empty, "<table") {
		t.Error("a list without payments has a table")
	}
	h.sells(
		sale{store: main1, id: "p-main", name: "텀블러", who: "홍길동", account: "110-2233-445566", amount: 59000},
		sale{store: branch1, id: "p-branch", name: "머그컵", who: "성춘향", account: "110-2233-445577", amount: 1000},
		sale{store: rival1, id: "p-rival", name: "남의 것", who: "변학도", account: "110-2233-445588", amount: 1000},
	)
	for _, c := range []struct {
		name, as, query string
		want            []string
	}{
		{"all", "owner", "", []string{"p-branch", "p-main"}},
		{"one store's member", "branch", "", []string{"p-branch"}},
		{"another merchant", "rival", "", []string{"p-rival"}},
		{"waiting", "dev", "?state=VIRTUAL_ACCOUNT_ISSUED", []string{"p-branch", "p-main"}},
		{"an amount", "dev", "?amount=%E2%82%A959%2C000", []string{"p-main"}},
		{"a channel", "dev", "?channel=" + string(oursTest), []string{"p-branch", "p-main"}},
		{"today", "dev", "?from=" + time.Now().In(page.Seoul).Format(time.DateOnly), []string{"p-branch", "p-main"}},
		{"no notice", "dev", "?untold=on", []string{"p-branch", "p-main"}},
		{"by change", "dev", "?basis=changed", []string{"p-branch", "p-main"}},
	} {
		page := h.shows(h.get(c.as, paymentsAt+c.query), http.StatusOK)
		if got := rowsOf(page); fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	h.shows(h.get("dev", paymentsAt+"?state=PAID&amount=59000"), http.StatusOK, "‘상태’ 필터를 지우면 1건 있어요", "필터 지우기")
	h.shows(h.get("dev", paymentsAt+"?state=PAID&failed=on"), http.StatusOK, "필터를 모두 지워 보세요")
	h.shows(h.get("dev", Prefix+"/all/live/payments"), http.StatusOK, "아직 결제가 없어요.")
	h.shows(h.get("rival", Prefix+"/"+string(main1)+"/test/payments"), http.StatusNotFound)
	english := h.people["dev"]
	english.Lang = "en"
	h.people["dev"] = english
	h.shows(h.get("dev", paymentsAt), http.StatusOK, "Awaiting deposit", "Due soon", "2 rows", `<html lang="en"`)
}

// TestPaymentsPageRefuses checks that what is wrong with a filter is said, field by field.
func TestPaymentsPageRefuses(t *testing.T) {
	h := newHouse(t)
	h.sells(sale{store: main1, id: "p", name: "n", account: "1", amount: 1})
	for query, want := range map[string]string{
		"?state=<b>":                        "&lt;b&gt;는 고를 수 없는 값이에요",
		"?channel=" + string(rivalTest):     "고를 수 없는 값이에요",
		"?amount=much":                      "much는 금액이 아니에요",
		"?from=yesterday":                   "날짜가 아니에요",
		"?from=2026-11-02&until=2026-11-01": "끝나는 날이 시작하는 날보다 빨라요",
		"?basis=odd":                        "고를 수 없는 값이에요",
		"?older=1-2":                        "",
		"?older=" + uuid.NewString():        "",
	} {
		h.shows(h.get("owner", paymentsAt+query), http.StatusUnprocessableEntity, want)
	}
}

// TestPaymentsPageLeafs goes through a list of three pages and back.
func TestPaymentsPageLeafs(t *testing.T) {
	h := newHouse(t)
	for i := range 120 {
		h.sells(sale{store: main1, id: fmt.Sprintf("p-%03d", i), name: "n", account: "110", amount: int64(i + 1)})
	}
	link := func(page, rel string) string {
		m := regexp.MustCompile(`href="([^"]*)" rel="` + rel + `"`).FindStringSubmatch(page)
		if m == nil {
			return ""
		}
		return strings.ReplaceAll(m[1], "&amp;", "&")
	}
	var seen []string
	page, pages := h.shows(h.get("owner", paymentsAt+"?untold=on"), http.StatusOK, "120건"), 1
	if len(page) > 60<<10 {
		t.Errorf("a page of the list has %d bytes", len(page))
	}
	for {
		seen = append(seen, rowsOf(page)...)
		next := link(page, "next")
		if next == "" {
			break
		}
		if !strings.Contains(next, "untold=on") {
			t.Fatalf("the filter is lost: %s", next)
		}
		page = h.shows(h.get("owner", next), http.StatusOK)
		pages++
	}
	if len(seen) != 120 || seen[0] != "p-119" || seen[119] != "p-000" || pages != 3 {
		t.Errorf("%d payments on %d pages", len(seen), pages)
	}
	back := h.shows(h.get("owner", link(page, "prev")), http.StatusOK)
	if got := rowsOf(back); len(got) != 50 || got[0] != "p-069" {
		t.Errorf("back: %v", got)
	}
}

// TestPaymentsPageMasks checks what those see who may only read, and that what shops wrote
// stays text.
func TestPaymentsPageMasks(t *testing.T) {
	h := newHouse(t)
	h.sells(sale{store: main1, id: "<script>alert(1)</script>", name: "\u202e\"><img src=x>", who: "홍길동", account: "110-2233-445566", amount: 59000})
	for as, seen := range map[string]bool{"owner": true, "admin": true, "manager": true, "dev": true, "read_only": false} {
		page := h.shows(h.get(as, paymentsAt), http.StatusOK, "&lt;script&gt;", "⟨U&#43;202E⟩")
		for _, secret := range []string{"홍길동", "2233"} {
			if strings.Contains(page, secret) != seen {
				t.Errorf("%s sees %q: %v", as, secret, !seen)
			}
		}
		if !seen && !strings.Contains(page, "홍*동") {
			t.Error("the masked name is not shown")
		}
		if strings.Contains(page, "<script>alert") || strings.Contains(page, "<img") {
			t.Error("a shop's text is markup")
		}
	}
}

func TestMaskedAccount(t *testing.T) {
	for in, want := range map[string]string{
		"110-123-450123": "110-***-**0123", "11012345670123": "110*******0123", "12345678": "****5678", "123": "***", "": "",
	} {
		if got := maskedAccount(in); got != want {
			t.Errorf("maskedAccount(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestPaymentsFile takes the list away as a table, with its filters, and looks for the
// line in the audit log.
func TestPaymentsFile(t *testing.T) {
	h := newHouse(t)
	h.shares()
	h.sells(
		sale{store: main1, id: "p-main", name: "=텀블러", who: "홍길동", account: "110-2233-445566", amount: 59000},
		sale{store: branch1, id: "p-branch", name: "머그컵", who: "성춘향", account: "110-2233-445577", amount: 1000},
	)
	file := func(as, query string) string {
		t.Helper()
		w := h.get(as, paymentsAt+".csv"+query)
		if got := w.Header().Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="payments-`) {
			t.Errorf("%s: Content-Disposition %q", as, got)
		}
		return h.shows(w, http.StatusOK, "requested_at,")
	}
	if all := file("dev", ""); !strings.Contains(all, "p-main") || !strings.Contains(all, "홍길동") || !strings.Contains(all, "'=텀블러") {
		t.Errorf("the table: %s", all)
	}
	if some := file("dev", "?amount=1000"); strings.Contains(some, "p-main") || !strings.Contains(some, "p-branch") {
		t.Errorf("the filtered table: %s", some)
	}
	if masked := file("read_only", ""); strings.Contains(masked, "홍길동") || strings.Contains(masked, "2233") || !strings.Contains(masked, "홍*동") {
		t.Errorf("the masked table: %s", masked)
	}
	if theirs := file("rival", ""); strings.Contains(theirs, "p-main") {
		t.Errorf("another merchant's table: %s", theirs)
	}
	h.shows(h.get("dev", paymentsAt+".csv?amount=much"), http.StatusUnprocessableEntity, "much")
	entries, err := h.Store.AuditLog(h.Context(), store.AuditQuery{Merchant: ours})
	if err != nil || len(entries) != 3 || entries[0].Action != "payments.exported" || entries[0].By.Name == "" {
		t.Errorf("the log says %+v, %v", entries, err)
	}
}

const searchAt = Prefix + "/all/test/search"

func TestSearchPage(t *testing.T) {
	h := newHouse(t)
	h.shares()
	list := h.sells(
		sale{store: main1, id: "order-1", name: "텀블러", who: "홍길동", account: "110-2233-445566", amount: 59000},
		sale{store: branch1, id: "order-2", name: "머그컵", who: "성춘향", account: "110-2233-445577", amount: 1000},
		sale{store: rival1, id: "order-3", name: "텀블러", who: "홍길동", account: "110-2233-445588", amount: 59000},
	)
	for _, c := range []struct {
		as, query  string
		want, lack string
	}{
		{"dev", "2233-44", "order-1", "order-3"},
		{"dev", "445577", "order-2", "order-1"},
		{"branch", "2233", "order-2", "order-1"},
		{"rival", "2233", "order-3", "order-1"},
		{"read_only", "2233", "계좌번호 전체를 입력했을 때만", "order-1"},
		{"read_only", "110-2233-445566", "order-1", "홍길동"},
		{"dev", "₩59,000", "order-1", "order-3"},
		{"dev", "59000원", "금액", "order-2"},
		{"dev", "텀블", "order-1", "order-3"},
		{"dev", "길동", "order-1", "order-2"},
		{"dev", "order-", "order-2", "order-3"},
		{"dev", "없는 것", "찾지 못했어요", "order-1"},
		{"dev", "12", "숫자 4자리부터", "order-1"},
		{"dev", " ", "찾을 것을 입력해 주세요", "order-1"},
		{"dev", strings.Repeat("가", 101), "100자까지만", "order-1"},
		{"dev", `"><script>alert(1)</script>`, "찾지 못했어요", "<script>alert"},
	} {
		page := h.shows(h.get(c.as, searchAt+"?q="+url.QueryEscape(c.query)), http.StatusOK, c.want)
		if _, main, _ := strings.Cut(page, `id="content"`); strings.Contains(main, c.lack) {
			t.Errorf("%s searches %q and sees %q", c.as, c.query, c.lack)
		}
	}
	there := Prefix + "/" + string(main1) + "/test/payments/" + string(list[0].Key)
	h.goesTo(h.get("dev", searchAt+"?q=order-1"), there)
	h.goesTo(h.get("dev", searchAt+"?q="+url.QueryEscape("https://pay.example.kr/console/go/order-1")), Prefix+"/go/order-1")
	h.shows(h.get("dev", searchAt+"?q=x&older=x"), http.StatusUnprocessableEntity)
}

// TestGo checks where ids lead, and that those of others lead nowhere.
func TestGo(t *testing.T) {
	h := newHouse(t)
	list := h.sells(
		sale{store: main1, id: "a/b c", name: "n", account: "1", amount: 1},
		sale{store: rival1, id: "theirs", name: "n", account: "2", amount: 1},
	)
	there := Prefix + "/" + string(main1) + "/test/payments/" + string(list[0].Key)
	for _, id := range []string{"a/b c", string(list[0].Key), string(list[0].Transactions[0].ID)} {
		h.goesTo(h.get("read_only", Prefix+"/go/"+url.PathEscape(id)), there)
		h.shows(h.get("rival", Prefix+"/go/"+url.PathEscape(id)), http.StatusNotFound)
		h.shows(h.get("branch", Prefix+"/go/"+url.PathEscape(id)), http.StatusNotFound)
	}
	h.shows(h.get("owner", Prefix+"/go/theirs"), http.StatusNotFound)
	h.shows(h.get("owner", Prefix+"/go/"+url.PathEscape("'; --")), http.StatusNotFound)
	h.goesTo(h.get("owner", Prefix+"/go/"+string(oursTest)), Prefix+"/"+string(main1)+"/test/channels/"+string(oursTest))
	h.goesTo(h.get("owner", Prefix+"/go/"+string(branch1)), Prefix+"/"+string(branch1)+"/live/")
}
