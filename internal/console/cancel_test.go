package console

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/trial"
)

// played has the PGs of test channels played here.
func (p *postOffice) played() *postOffice {
	p.Actions.Trial = func(pg provider.Provider) provider.Provider { return trial.PG{Provider: pg, Ledger: p.Store} }
	return p
}

// says fails the test unless an answer leads to a path on whose page a text stands once.
func (h *house) says(as string, w *httptest.ResponseRecorder, path, text string) {
	h.Helper()
	h.goesTo(w, path)
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil)
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	if page := h.shows(h.send(as, r), http.StatusOK); !strings.Contains(html.UnescapeString(page), `class="flash" role="status">`+text) {
		h.Errorf("the page does not say %q", text)
	}
}

// cancelForm is the form that cancels a payment, filled in as a manager does.
func (p *postOffice) cancelForm(at, amount string) url.Values {
	p.Helper()
	return p.shown("manager", at+"/cancel", at+"/cancel", "amount", amount, "reason", "변심", "bank", "SHINHAN", "number", "110-222-333333", "holder", "홍길동")
}

func (p *postOffice) payment(k payment.Key) payment.Payment {
	p.Helper()
	x, err := p.Store.PaymentByKey(p.Context(), k)
	if err != nil {
		p.Fatal(err)
	}
	return x
}

// TestCancelDone: a part is given back, then the rest. A form that is sent twice does
// nothing more and says so, and one that was open meanwhile is shown again with what is left.
func TestCancelDone(t *testing.T) {
	p := newPost(t).played()
	p.endpointed()
	x := p.waits("1001")
	at := paymentsPath + "/" + string(x.Key)
	p.sends("127.0.0.1", told("1001"))
	part, open := p.cancelForm(at, "20,000"), p.cancelForm(at, "59,000")
	if part.Get("once") == open.Get("once") {
		t.Fatal("two pages make one request")
	}
	p.says("manager", p.post("manager", at+"/cancel", part), at, "취소")
	if x = p.payment(x.Key); x.State != payment.PartiallyCancelled || x.CancelledAmount() != 20000 || len(x.Cancellations) != 1 {
		t.Fatalf("after a part it is %s, %d given back by %d", x.State, x.CancelledAmount(), len(x.Cancellations))
	}
	for range 2 {
		p.says("manager", p.post("manager", at+"/cancel", part), at, "이미 처리한 취소 요청이에요. 다시 취소하지 않았어요.")
	}
	p.shows(p.post("manager", at+"/cancel", open), http.StatusConflict, movedHead, "결제 완료 → 부분 취소", "취소할 수 있는 금액이 그사이 달라졌어요",
		"₩39,000", `value="59,000"`, `value="변심"`, `value="110-222-333333"`, `value="홍길동"`)
	if x = p.payment(x.Key); x.CancelledAmount() != 20000 || len(x.Cancellations) != 1 {
		t.Fatalf("sent twice it gave back %d by %d", x.CancelledAmount(), len(x.Cancellations))
	}

	rest, late := p.cancelForm(at, ""), p.cancelForm(at, "")
	p.says("manager", p.post("manager", at+"/cancel", rest), at, "취소")
	p.says("manager", p.post("manager", at+"/cancel", rest), at, "이미 처리한 취소 요청이에요")
	if x = p.payment(x.Key); x.State != payment.Cancelled || x.CancelledAmount() != 59000 || len(x.Cancellations) != 2 {
		t.Errorf("after the rest it is %s, %d given back by %d", x.State, x.CancelledAmount(), len(x.Cancellations))
	}
	p.shows(p.post("manager", at+"/cancel", late), http.StatusConflict, "부분 취소 → 취소", "이미 모두 취소됐어요")
	p.shows(p.get("manager", at), http.StatusOK, "₩20,000", "₩39,000", "변심", "지금은 취소할 수 없어요")
	p.shows(p.get("manager", at+"?tab=webhooks"), http.StatusOK, "Transaction.PartialCancelled", "Transaction.Cancelled")
	p.shows(p.get("owner", at+"?tab=audit"), http.StatusOK, "payment.cancel_asked", "manager@example.kr", "변심")
}

// TestAccountClosed: the account of a payment that nobody paid is closed, and sent twice the
// form says that it is.
func TestAccountClosed(t *testing.T) {
	p := newPost(t).played()
	x := p.waits("1001")
	at := paymentsPath + "/" + string(x.Key)
	form := p.shown("manager", at+"/cancel", at+"/cancel", "reason", "주문 취소")
	p.says("manager", p.post("manager", at+"/cancel", form), at, "계좌")
	if x = p.payment(x.Key); x.State != payment.Failed {
		t.Errorf("the payment is %s", x.State)
	}
	p.shows(p.post("manager", at+"/cancel", form), http.StatusConflict, movedHead, "입금 대기 → 실패", `value="주문 취소"`)
	if again := p.payment(x.Key); len(again.Cancellations) != 0 || again.State != payment.Failed {
		t.Errorf("sent twice the payment is %s with %d cancellations", again.State, len(again.Cancellations))
	}
}

// TestPendingNotice: a notice that the PG has to bear out is shown as such, moves nothing
// and cannot be closed by a person; linked or replayed, the PG is still asked.
func TestPendingNotice(t *testing.T) {
	p := newPost(t).played()
	p.endpointed()
	x := p.waits("1001")
	p.sharedChannel(main1, "", asks)
	id := p.sends("127.0.0.1", told("1001"))
	body := p.page("manager", id, "PG 확인 중", "PG의 답을 기다려요", "1001", "입금 대기", "PG는 다시 보내지 않아요", "확인 필요", "열린 때")
	one := noticesPath + "/" + string(id)
	if strings.Contains(body, `action="`+one+`/close"`) || strings.Contains(body, "[notice.") {
		t.Error("what the PG is asked about can be closed, or a text is missing")
	}
	for _, role := range []string{"read_only", "dev", "admin", "owner"} {
		p.page(role, id, "PG 확인 중")
	}
	p.shows(p.post("manager", one+"/close", url.Values{"note": {"내가 봤음"}}), http.StatusConflict, "PG의 답을 기다리는 통보예요", "PG 확인 중")
	p.shows(p.get("dev", one+"/replay"), http.StatusOK, "PG에 먼저 물어봐요")
	p.shows(p.get("dev", noticesPath+"?verdict=pending"), http.StatusOK, "PG 확인 중", "PG의 답을 기다려요", `id="n-`+string(id)+`"`)
	p.shows(p.get("dev", paymentsPath+"/"+string(x.Key)), http.StatusOK, "PG 확인 중", "입금 대기")
	if now := p.payment(x.Key); now.State != payment.Issued {
		t.Errorf("the payment is %s before the PG was asked", now.State)
	}
	english := p.people["dev"]
	english.Lang = "en"
	p.people["dev"] = english
	p.page("dev", id, "Asking the PG", "waiting for the PG&#39;s answer")
}
