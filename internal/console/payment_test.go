package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/trial"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

const paymentsPath = Prefix + "/all/test/payments"

// endpointed has an endpoint of the main store hear of everything.
func (p *postOffice) endpointed() {
	p.Helper()
	p.change(func(x *settings.All) {
		x.Endpoints = append(x.Endpoints, webhook.Endpoint{
			ID: "00000000-0000-7000-8000-00000000000e", Merchant: ours, Store: main1, Name: "주문 <서버>", URL: "https://shop.example/", Mode: merchant.Test,
			Events: []string{"*"}, Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: webhook.PortOne, CreatedAt: time.Now(),
		})
	})
}

func (p *postOffice) change(edit func(*settings.All)) {
	p.Helper()
	all, err := p.Store.Settings(p.Context())
	if err != nil {
		p.Fatal(err)
	}
	edit(&all)
	if err := p.Store.SaveSettings(p.Context(), all, time.Now()); err != nil {
		p.Fatal(err)
	}
}

// TestPaymentPage: the timeline tells of the account, the notices with what came of them,
// what is missing and what is to come; the tabs and switches show parts of it.
func TestPaymentPage(t *testing.T) {
	p := newPost(t)
	p.endpointed()
	x := p.waits("1001")
	at := paymentsPath + "/" + string(x.Key)
	p.shows(p.get("dev", at), http.StatusOK, "₩59,000", "입금 대기", "책 세 권", "신한", "입금통보 없음, 기한까지 23시간", "가상계좌 발급", "110-123-4567-1001", "입금 기한", "지금")
	p.shows(p.get("dev", paymentsPath+"/1001"), http.StatusOK, "1001")
	p.sends("127.0.0.1", told("1001", func(n *notice.Notice) { n.Amount, n.Deposit, n.PGTx = payment.Won(1), "D-odd", "tx-odd" }))
	p.sends("127.0.0.1", told("1001"))
	p.sends("127.0.0.1", told("1001"))
	body := p.shows(p.get("dev", at), http.StatusOK, "결제 완료", "통보: 입금", "반영됨", "중복", "불일치", "상태: 결제 완료", "PG에 답함: 받음", "Transaction.Paid → 주문 &lt;서버&gt;", "예정", "127.0.0.1", "홍길동")
	if strings.Contains(body, "입금통보 없음") || strings.Contains(body, "주문 <서버>") {
		t.Error("a notice that came is missing, or markup came through")
	}
	body = p.shows(p.get("dev", at+"?only=failed"), http.StatusOK, "불일치", "금액이 달라요")
	if strings.Contains(body, "반영됨") {
		t.Error("only failures were asked for")
	}
	body = p.shows(p.get("dev", at+"?only=shop"), http.StatusOK, "Transaction.Paid")
	if strings.Contains(body, "통보: 입금") {
		t.Error("only the shop's answers were asked for")
	}
	p.shows(p.get("dev", at+"?tab=notices"), http.StatusOK, "불일치", "중복", "반영됨")
	p.shows(p.get("dev", at+"?tab=webhooks"), http.StatusOK, "Transaction.Paid", "주문 &lt;서버&gt;")
	body = p.shows(p.get("dev", at+"?tab=json"), http.StatusOK, "&#34;state&#34;: &#34;PAID&#34;")
	if strings.Contains(body, "110-123-4567-1001&#34;") {
		t.Error("the document has the account number in clear")
	}
	p.shows(p.get("dev", at+"?tab=audit"), http.StatusOK, "소유자(Owner)만")
	p.shows(p.get("owner", at+"?tab=audit"), http.StatusOK, "사람이 한 일이 없어요")
	for _, as := range []string{"rival"} {
		p.shows(p.get(as, at), http.StatusNotFound)
	}
	p.shows(p.get("branch", Prefix+"/"+string(branch1)+"/test/payments/"+string(x.Key)), http.StatusNotFound)
	p.shows(p.get("dev", strings.Replace(at, "test", "live", 1)), http.StatusNotFound)
	body = p.shows(p.get("read_only", at), http.StatusOK, "홍*동", "110-***-****-1001")
	for _, tab := range paymentTabs {
		body += p.shows(p.get("read_only", at+"?tab="+tab), http.StatusOK)
	}
	if strings.Contains(body, "홍길동") || strings.Contains(body, "110-123-4567-1001") {
		t.Error("who may only look sees a name or a number")
	}
}

// TestResendPayment sends the latest webhook once more.
func TestResendPayment(t *testing.T) {
	p := newPost(t)
	x := p.waits("1001")
	at := paymentsPath + "/" + string(x.Key)
	p.shows(p.get("dev", at), http.StatusOK, "보낸 웹훅이 없어요")
	p.goesTo(p.post("dev", at+"/resend", nil), at)
	p.endpointed()
	p.sends("127.0.0.1", told("1001"))
	p.shows(p.post("read_only", at+"/resend", nil), http.StatusForbidden)
	p.goesTo(p.post("manager", at+"/resend", nil), at)
	p.shows(p.get("dev", at+"?tab=webhooks"), http.StatusOK, "Transaction.Paid")
	p.shows(p.post("rival", at+"/resend", nil), http.StatusNotFound)
}

// TestDepositForm: a manager enters a deposit, sees what would come of it, and does it; the
// PG's late notice is a duplicate.
func TestDepositForm(t *testing.T) {
	p := newPost(t)
	p.endpointed()
	x := p.waits("1001")
	at := paymentsPath + "/" + string(x.Key)
	form := at + "/deposit"
	p.shows(p.get("dev", form), http.StatusForbidden, "Manager")
	p.shows(p.get("manager", form), http.StatusOK, "PG 거래번호")
	for _, as := range []string{"stale-manager"} {
		if w := p.post(as, form, url.Values{"number": {"T1"}, "reason": {"x"}, "do": {"on"}}); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), Prefix+"/confirm") {
			t.Errorf("an hour after sign-in: %d", w.Code)
		}
	}
	p.shows(p.post("manager", form, nil), http.StatusUnprocessableEntity, "PG 거래번호를 적어 주세요", "이유를 적어 주세요")
	p.shows(p.post("manager", form, url.Values{"number": {"T1"}, "reason": {"x"}, "amount": {"nine"}, "paid_at": {"soon"}}), http.StatusUnprocessableEntity, "nine", "soon")
	p.shows(p.post("manager", form, url.Values{"number": {"T1"}, "reason": {"x"}, "amount": {"1"}}), http.StatusUnprocessableEntity, "금액이 달라요")
	seen := url.Values{"number": {"T<1>"}, "reason": {"PG 화면"}}
	p.shows(p.post("manager", form, seen), http.StatusOK, "이렇게 바뀌어요", "Transaction.Paid", "입금 처리하기", "T&lt;1&gt;")
	state := func() payment.State {
		x, err := p.Store.PaymentByKey(t.Context(), x.Key)
		if err != nil {
			t.Fatal(err)
		}
		return x.State
	}
	if state() != payment.Issued {
		t.Fatalf("looking at it changed the payment: %s", state())
	}
	seen.Set("do", "on")
	p.goesTo(p.post("manager", form, seen), at)
	if state() != payment.Paid {
		t.Fatalf("the payment is %s", state())
	}
	p.shows(p.post("manager", form, seen), http.StatusUnprocessableEntity, "중복")
	p.page("owner", p.sends("127.0.0.1", told("1001")), "중복")
	p.shows(p.get("owner", at), http.StatusOK, "수동", "T&lt;1&gt;", "PG 화면", "사람", "수동 입금 처리")
	p.shows(p.get("owner", at+"?tab=audit"), http.StatusOK, "payment.deposit_by_hand", "manager@example.kr", "PG 화면")
}

// TestCancelForm: what cannot be cancelled is said, and the rules' and the PG's no is shown.
func TestCancelForm(t *testing.T) {
	p := newPost(t)
	x := p.waits("1001")
	at := paymentsPath + "/" + string(x.Key)
	p.shows(p.get("dev", at+"/cancel"), http.StatusForbidden)
	p.shows(p.get("manager", at+"/cancel"), http.StatusOK, "계좌 닫기")
	p.sends("127.0.0.1", told("1001"))
	p.shows(p.get("manager", at+"/cancel"), http.StatusOK, "환불받을 계좌", "₩59,000")
	p.shows(p.post("manager", at+"/cancel", nil), http.StatusUnprocessableEntity, "이유를 적어 주세요")
	p.shows(p.post("manager", at+"/cancel", url.Values{"reason": {"변심"}, "amount": {"x"}}), http.StatusUnprocessableEntity)
	p.shows(p.post("manager", at+"/cancel", url.Values{"reason": {"변심"}, "amount": {"99999999"}}), http.StatusUnprocessableEntity, "하지 못했어요")
	p.shows(p.post("dev", at+"/ask", nil), http.StatusForbidden)
	p.goesTo(p.post("manager", at+"/ask", nil), at) // the PG of a test channel is played here
	if n, err := p.Store.AuditLog(t.Context(), store.AuditQuery{Merchant: ours, Action: "payment.asked"}); err != nil || len(n) != 1 {
		t.Errorf("%d entries of asking, %v", len(n), err)
	}
}

// TestPaymentOverdue: a deadline that passed without a notice is a row of its own.
// TestPaymentWindows: the timeline tells when windows were opened, how they ended, and in
// what order with the webhook the shop's page was told.
func TestPaymentWindows(t *testing.T) {
	p := newPost(t)
	p.endpointed()
	p.Actions.Trial = func(pg provider.Provider) provider.Provider { return trial.PG{Provider: pg, Ledger: p.Store} }
	open := func() payment.Checkout {
		c, err := p.Actions.OpenCheckout(p.Context(), action.CheckoutRequest{Store: main1, Channel: oursTest, Payment: "window-1", Asked: payment.Asked{
			Amount: payment.Won(1000), OrderName: "책", Method: payment.VirtualAccount, SDK: payment.SDKV2, Origin: "https://shop.example",
		}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	left, c := open(), open()
	at := paymentsPath + "/" + string(c.Payment)
	body := p.shows(p.get("dev", at), http.StatusOK, "결제창 열림 (가상계좌)", "https://shop.example", "입금을 기다리는 결제가 아니에요")
	if strings.Contains(body, "결제 시작") || strings.Contains(body, "결제창 끝남") {
		t.Error("what was merely opened has begun, or ended")
	}
	if _, err := p.Actions.LeaveCheckout(p.Context(), left.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.Actions.PayCheckout(p.Context(), c.ID, action.CheckoutChoice{Account: &action.AccountChoice{Bank: "IBK"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Actions.AnswerCheckout(p.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	p.shows(p.get("dev", at), http.StatusOK, "결제창이 결제 없이 끝남", "PAYMENT_CANCELLED", "결제창 끝남", "웹훅을 기다리지 않음", "가상계좌 발급")
}

func TestPaymentOverdue(t *testing.T) {
	now := time.Now()
	v := &visit{Lang: "ko", r: nil}
	p := payment.Payment{State: payment.Issued, Transactions: []payment.Transaction{{Account: &payment.Account{ExpiresAt: now.Add(-2 * time.Hour)}}}}
	if m, missing := v.missing(p, nil, now); !missing || !m.Failed || !strings.Contains(m.Text, "2시간 0분") {
		t.Errorf("the row is %+v, %v", m, missing)
	}
	if _, missing := v.missing(p, []store.NoticeRow{{ListedNotice: store.ListedNotice{Event: payment.EventDeposited}}}, now); missing {
		t.Error("a notice that came is missing")
	}
}
