package console

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/ingress"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
)

// A post is a house to which PGs send notices.
type postOffice struct{ *house }

func newPost(t *testing.T) *postOffice {
	t.Helper()
	p := &postOffice{newHouse(t)}
	p.Store.OnSettings(p.Ingress.Refresh)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { _ = p.Ingress.Run(ctx) })
	t.Cleanup(func() { stop(); wg.Wait() })
	return p
}

const noticesPath = Prefix + "/all/test/notices"

// waits registers an account for 59,000 won at the main store.
func (p *postOffice) waits(id payment.ID) payment.Payment {
	p.Helper()
	x, _, err := p.Actions.RegisterAccount(p.Context(), action.Caller{Merchant: ours, Store: main1, Mode: merchant.Test}, payment.Registration{
		ID: id, Channel: oursTest, OrderName: "책 세 권", Amount: payment.Won(59000), Customer: payment.Customer{Name: "홍길동"},
		Account: payment.Account{Bank: "SHINHAN", Number: secret.Account("110-123-4567-" + string(id)), ExpiresAt: time.Now().Add(24 * time.Hour)},
	})
	if err != nil {
		p.Fatal(err)
	}
	return x
}

// told is a deposit of 59,000 won.
func told(order string, edit ...func(*notice.Notice)) notice.Notice {
	n := notice.Notice{Merchant: "T0000", Order: order}
	n.Event, n.Deposit, n.PGTx, n.Depositor = payment.EventDeposited, "D-"+order, "tx-"+order, "홍길동"
	n.Amount, n.HasAmount, n.Account, n.Bank, n.At = payment.Won(59000), true, secret.Account("110-123-4567-"+order), "SHINHAN", time.Now().Truncate(time.Second)
	for _, f := range edit {
		f(&n)
	}
	return n
}

// sends takes a notice of KCP's to our channel's own path, and returns its id.
func (p *postOffice) sends(from string, n notice.Notice, edit ...func(*notice.Request)) notice.ID {
	p.Helper()
	kcp, _ := all.ByCode("kcp")
	r := kcp.Encode(n, nil)
	r.Path += "/" + string(oursTest)
	for _, f := range edit {
		f(&r)
	}
	req := httptest.NewRequestWithContext(p.Context(), r.Method, r.Path, bytes.NewReader(r.Body))
	maps.Copy(req.Header, r.Header)
	req.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(from), 40000).String()
	p.Ingress.ServeHTTP(httptest.NewRecorder(), req)
	list, err := p.Store.Notices(p.Context(), store.NoticeQuery{Limit: 1})
	if err != nil || len(list) == 0 {
		p.Fatalf("no notice was kept: %v", err)
	}
	return list[0].ID
}

func (p *postOffice) page(as string, id notice.ID, texts ...string) string {
	p.Helper()
	return p.shows(p.get(as, noticesPath+"/"+string(id)), http.StatusOK, texts...)
}

const stranger = "198.51.100.7"

// TestNoticePages shows a notice of every verdict, with the checks that it came to.
func TestNoticePages(t *testing.T) {
	p := newPost(t)
	for _, id := range []payment.ID{"1001", "1002", "1003"} {
		p.waits(id)
	}
	amount := func(won int64) func(*notice.Notice) { return func(n *notice.Notice) { n.Amount = payment.Won(won) } }
	broken := func(r *notice.Request) { r.Body = []byte("order_no=%ff%fe&<script>alert(1)</script>") }
	for _, x := range []struct {
		name  string
		id    notice.ID
		texts []string
	}{
		{"applied", p.sends("127.0.0.1", told("1001")), []string{"반영됨", "결제를 찾았어요: 주문번호", "금액: 통보 ₩59,000 / 결제 ₩59,000", "PG는 다시 보내지 않아요", "0000", "ipgm_mnyx", "110-123-4567-1001"}},
		{"duplicate", p.sends("127.0.0.1", told("1001")), []string{"중복", "이미 받은 통보예요"}},
		{"conflict", p.sends("127.0.0.1", told("1002", amount(50000))), []string{"불일치", "통보 ₩50,000 / 결제 ₩59,000", "금액이 달라요", "확인 필요", "PG는 다시 보내지 않아요"}},
		{"unmatched", p.sends("127.0.0.1", told("9999")), []string{"미매칭", "맞는 결제가 없어요", "모르는 주문번호예요", "결제에 연결"}},
		{"refused", p.sends(stranger, told("1003")), []string{"거부", "허용하지 않은 주소예요", stranger, "이 주소 믿기", "다시 처리"}},
		{"unreadable", p.sends("127.0.0.1", told("1003"), broken), []string{"해석 불가", "형식을 읽지 못했어요", "읽지 못했어요"}},
		{"recorded", p.sends("127.0.0.1", told("1001", func(n *notice.Notice) { n.Event, n.Deposit = payment.EventOther, "" })), []string{"기록만"}},
	} {
		body := p.page("owner", x.id, x.texts...)
		if strings.Contains(body, "<script>alert") || strings.Contains(body, "[notice.") || strings.Contains(body, "reason.") {
			t.Errorf("%s: markup of outside, or a text that is missing", x.name)
		}
		for _, role := range []string{"read_only", "dev", "manager", "admin"} {
			p.page(role, x.id)
		}
		for _, as := range []string{"rival"} {
			p.shows(p.get(as, noticesPath+"/"+string(x.id)), http.StatusNotFound)
		}
	}
	p.shows(p.get("owner", noticesPath), http.StatusOK, "홍길동", "₩59,000", "거절", "받음", "불일치")
	p.shows(p.get("owner", noticesPath+"?verdict=refused"), http.StatusOK, stranger)
	p.shows(p.get("owner", noticesPath+"?verdict=pending"), http.StatusOK, "조건에 맞는 통보가 없어요")
	p.shows(p.get("owner", noticesPath+"?peer=nowhere"), http.StatusUnprocessableEntity, "nowhere")
	p.shows(p.get("rival", noticesPath), http.StatusOK, "아직 받은 통보가 없어요", "/kcp_payments/notice_vbank/"+string(rivalTest))
	p.shows(p.get("owner", strings.Replace(noticesPath, "test", "live", 1)), http.StatusOK, "아직 받은 통보가 없어요")
}

// TestNoticeMasked: who may only look sees no account number and no name, and no bytes.
func TestNoticeMasked(t *testing.T) {
	p := newPost(t)
	p.waits("1001")
	id := p.sends("127.0.0.1", told("1001"))
	for _, path := range []string{"", "/" + string(id), "/" + string(id) + "?raw=on"} {
		body := p.shows(p.get("read_only", noticesPath+path), http.StatusOK, "홍*동")
		if strings.Contains(body, "홍길동") || strings.Contains(body, "110-123-4567-1001") || strings.Contains(body, "11012345671001") {
			t.Errorf("%q shows what is to be masked", path)
		}
	}
	p.shows(p.get("read_only", noticesPath+"/"+string(id)+"/raw"), http.StatusForbidden)
	p.shows(p.get("manager", noticesPath+"/"+string(id)+"/raw"), http.StatusForbidden)
}

// TestNoticeBytes: the bytes are shown as they are, and that somebody looked is written
// down.
func TestNoticeBytes(t *testing.T) {
	p := newPost(t)
	hostile := func(r *notice.Request) {
		r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Authorization": {"Bearer hush-hush"}, "X-Odd": {"a\u202eb"}}
		r.Body = []byte("op_cd=\xc8\xab\xb1\xe6\xb5\xbf&note=</pre><img src=x>\x00\x1b[31m&rtl=\xe2\x80\xae")
	}
	id := p.sends("127.0.0.1", told("1001"), hostile)
	looked := func() int {
		list, err := p.Store.AuditLog(t.Context(), store.AuditQuery{Merchant: ours, Action: "notice.raw_seen"})
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	if body := p.page("dev", id, "원본 보기"); strings.Contains(body, "op_cd=") && looked() != 0 {
		t.Error("the bytes are shown without being asked for")
	}
	body := p.shows(p.get("dev", noticesPath+"/"+string(id)+"?raw=on"), http.StatusOK, "op_cd=홍길동", "EUC-KR", "&lt;/pre&gt;&lt;img src=x&gt;", "␀␛[31m", "⟨U&#43;202E⟩", "(가림)", "63 64 3d")
	if strings.Contains(body, "hush-hush") || strings.Contains(body, "<img src=x>") || strings.Contains(body, "\u202e") {
		t.Error("the page holds a secret, or what turns text")
	}
	p.shows(p.get("dev", noticesPath+"/"+string(id)+"?raw=on&charset=UTF-8"), http.StatusOK, "읽지 못한 글자가 있어요", "직접 고른")
	w := p.get("dev", noticesPath+"/"+string(id)+"/raw")
	if w.Code != http.StatusOK || !bytes.Contains(w.Body.Bytes(), []byte("\xc8\xab\xb1\xe6\xb5\xbf")) || w.Header().Get("Content-Type") != "application/octet-stream" {
		t.Errorf("the download is %d %q %q", w.Code, w.Header().Get("Content-Type"), w.Body.Bytes())
	}
	if looked() != 3 {
		t.Errorf("%d looks are in the audit log, want 3", looked())
	}
}

// TestReplayCycle: an address is trusted, its refused notices are shown with what would
// become of them, and replayed.
func TestReplayCycle(t *testing.T) {
	p := newPost(t)
	p.waits("1001")
	id, again := p.sends(stranger, told("1001")), p.sends(stranger, told("1001"))
	one := noticesPath + "/" + string(id)
	p.shows(p.get("dev", one+"/replay"), http.StatusOK, "바뀌는 것이 없어요", "허용하지 않은 주소예요")
	p.shows(p.get("dev", one+"/trust"), http.StatusForbidden, "Admin")
	p.shows(p.get("admin", one+"/trust"), http.StatusOK, stranger+"/32")
	if w := p.get("stale-admin", one+"/trust"); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), Prefix+"/confirm") {
		t.Errorf("trusting an hour after sign-in: %d", w.Code)
	}
	p.shows(p.post("admin", one+"/trust", url.Values{"cidr": {"198.51.100.7/8"}}), http.StatusUnprocessableEntity, "198.51.100.7/8")
	p.shows(p.post("admin", one+"/trust", url.Values{"cidr": {"198.0.0.0/8"}}), http.StatusUnprocessableEntity, "/16")
	many := noticesPath + "/replay?from=198.51.100.7/32&channel=" + string(oursTest)
	p.goesTo(p.post("admin", one+"/trust", url.Values{"cidr": {stranger}, "reason": {"PG 공지"}}), many)
	p.shows(p.get("admin", many), http.StatusOK, "반영됨", "중복", "1001", "입금 대기", "결제 완료", "2건 처리하기")
	p.shows(p.get("dev", one+"/replay"), http.StatusOK, "이렇게 바뀌어요", "이대로 처리하기", "결제 완료")
	if x, _ := p.Store.Payment(t.Context(), main1, "1001", merchant.Any); x.State != payment.Issued {
		t.Fatalf("looking at it changed the payment: %s", x.State)
	}
	p.shows(p.post("manager", one+"/replay", nil), http.StatusForbidden)
	p.shows(p.post("rival", one+"/replay", nil), http.StatusNotFound)
	p.goesTo(p.post("dev", one+"/replay", nil), one)
	p.page("dev", id, "반영됨", "판정 이력", "이미 처리된 통보예요")
	p.goesTo(p.post("dev", one+"/replay", nil), one) // twice
	p.goesTo(p.post("dev", noticesPath+"/replay", url.Values{"from": {"198.51.100.7/32"}, "channel": {string(oursTest)}}), noticesPath+"?channel="+string(oursTest))
	p.page("dev", again, "중복")
	p.shows(p.get("dev", many), http.StatusOK, "거부된 통보가 없어요")
	p.shows(p.get("dev", noticesPath+"/replay?from=nothing"), http.StatusNotFound)
}

// TestLinkAndClose: a manager links a notice to a payment, or ends its case with a note.
func TestLinkAndClose(t *testing.T) {
	p := newPost(t)
	p.waits("1001")
	mistyped := func(n *notice.Notice) { n.Account = "110-123-4567-1001" }
	id := p.sends("127.0.0.1", told("typo", mistyped))
	one := noticesPath + "/" + string(id)
	p.shows(p.get("dev", one+"/link"), http.StatusForbidden)
	p.shows(p.get("manager", one+"/link"), http.StatusOK, "결제 id")
	p.shows(p.get("manager", one+"/link?payment=none&reason=x"), http.StatusUnprocessableEntity, "none")
	p.shows(p.get("manager", one+"/link?payment=1001"), http.StatusUnprocessableEntity, "이유를 적어 주세요")
	p.shows(p.get("manager", one+"/link?payment=1001&reason=%EC%98%A4%ED%83%80"), http.StatusOK, "이렇게 바뀌어요", "결제 완료", "오타")
	little := p.sends("127.0.0.1", told("typo", mistyped, func(n *notice.Notice) { n.Amount, n.Deposit = payment.Won(1), "D2" }))
	p.shows(p.post("manager", noticesPath+"/"+string(little)+"/link", url.Values{"payment": {"1001"}, "reason": {"x"}}), http.StatusUnprocessableEntity, "금액이 달라요")
	p.goesTo(p.post("manager", one+"/link", url.Values{"payment": {"1001"}, "reason": {"오타"}}), one)
	p.page("manager", id, "반영됨", "사람의 연결")

	lost := noticesPath + "/" + string(little)
	p.shows(p.post("manager", lost+"/close", nil), http.StatusUnprocessableEntity, "메모를 적어 주세요")
	p.shows(p.post("dev", lost+"/close", url.Values{"note": {"x"}}), http.StatusForbidden)
	p.goesTo(p.post("manager", lost+"/close", url.Values{"note": {"구매자에게 <b>돌려줌</b>"}}), lost)
	body := p.page("manager", little, "구매자에게 &lt;b&gt;돌려줌", "manager@example.kr")
	if regexp.MustCompile(`action="[^"]*/close"`).MatchString(body) {
		t.Error("a case that is closed can be closed")
	}
	p.shows(p.post("manager", lost+"/close", url.Values{"note": {"x"}}), http.StatusConflict, "manager@example.kr 님이 확인을 마쳤어요")
}

// TestUnownedNotice: what no channel has is seen by those who run the installation alone.
func TestUnownedNotice(t *testing.T) {
	p := newPost(t)
	id := p.sends(stranger, told("1001"), func(r *notice.Request) { r.Path, r.Body = "/kcp_payments/notice_vbank", []byte("x=1") })
	p.page("owner", id, "채널 모름")
	for _, as := range []string{"admin", "dev", "rival"} {
		p.shows(p.get(as, noticesPath+"/"+string(id)), http.StatusNotFound)
	}
	p.goesTo(p.post("owner", noticesPath+"/"+string(id)+"/replay", nil), noticesPath+"/"+string(id))
	if !p.people["owner"].May(member.Operate) {
		t.Error("the owner of the house is to run it")
	}
}

// TestAnswersOfAll: of every module the page shows the exact answer to a notice that was
// taken and to one that was refused, and says what the PG does then.
func TestAnswersOfAll(t *testing.T) {
	p := newPost(t)
	v := &visit{c: p.Console, Lang: "ko"}
	for _, pg := range all.Providers() {
		r := pg.Encode(told("1001"), nil)
		for _, verdict := range []payment.Verdict{payment.Applied, payment.Refused} {
			one := noticePage{}
			one.N.Verdict = verdict
			got := v.ackOf(pg, one, notice.Inbound{Request: r})
			want := pg.Ack(r, ingress.Outcome(verdict))
			if got.Status != want.Status || got.Next == "" || pg.Acked(want) != (got.Next == v.t("notice.next_none")) {
				t.Errorf("%s, %s: %+v, want %d %q", pg.Info().Code, verdict, got, want.Status, want.Body)
			}
		}
	}
}
