package console

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
)

// TestNoticeCharsetAndDuration: the list is filtered by the charset in which notices were
// read, and says how long each took; one notice says how its charset was known.
func TestNoticeCharsetAndDuration(t *testing.T) {
	p := newPost(t)
	p.waits("1001")
	p.waits("1002")
	korean := p.sends("127.0.0.1", told("1001", func(n *notice.Notice) { n.Form = "euc-kr" }))
	plain := p.sends("127.0.0.1", told("1002"), func(r *notice.Request) {
		r.Body = []byte("site_cd=T0000&tno=tx-9&order_no=1002&tx_cd=TX00&noti_id=N9&ipgm_mnyx=59000&tx_tm=20260801120000")
	})
	broken := p.sends("127.0.0.1", told("1003"), func(r *notice.Request) { r.Body = []byte("x=1") })
	for _, c := range []struct {
		query string
		want  []notice.ID
	}{
		{"", []notice.ID{korean, plain, broken}},
		{"?charset=EUC-KR", []notice.ID{korean}},
		{"?charset=ASCII", []notice.ID{plain}},
		{"?charset=UTF-8", nil},
		{"?charset=EUC-KR&verdict=" + string(payment.Applied), []notice.ID{korean}},
	} {
		body := p.shows(p.get("dev", noticesPath+c.query), http.StatusOK)
		for _, id := range []notice.ID{korean, plain, broken} {
			listed := strings.Contains(body, `id="n-`+string(id)+`"`)
			wanted := false
			for _, w := range c.want {
				wanted = wanted || w == id
			}
			if listed != wanted {
				t.Errorf("%q: notice %s is listed: %v", c.query, id, listed)
			}
		}
	}
	p.shows(p.get("dev", noticesPath), http.StatusOK, "판정까지", " ms</td></tr>")
	p.shows(p.get("dev", noticesPath+"?charset=Latin-1"), http.StatusUnprocessableEntity, "Latin-1")
	p.page("dev", korean, "EUC-KR", "바이트를 보고 알아낸 문자셋", "판정까지", "저장하고 응답하는 시간은 들어 있지 않아요")
	p.page("dev", plain, "ASCII", "어느 문자셋으로 읽어도 같아요")
	if body := p.page("dev", broken); strings.Contains(body, "<dt>문자셋</dt>") {
		t.Error("a notice that was not read has a charset")
	}
	p.shows(p.get("dev", noticesPath+"/"+string(korean)+"?raw=on"), http.StatusOK, "EUC-KR</span>", "바이트를 보고 알아낸 문자셋", "홍길동")
}

// TestNoNotices: where no notice has come there is the address to register at the PG, and
// the button that sends a test notice there.
func TestNoNotices(t *testing.T) {
	h := newHouse(t)
	address := "https://pay.example.kr/kcp_payments/notice_vbank/" + string(oursTest)
	send := `action="` + Prefix + "/all/test/channels/" + string(oursTest) + `/setup/test"`
	h.shows(h.get("dev", noticesPath), http.StatusOK, "아직 받은 통보가 없어요", address, send, "시험 통보 보내기")
	body := h.shows(h.get("read_only", noticesPath), http.StatusOK, address, "시험 통보 보내기", "개발 담당(Dev)부터")
	if strings.Contains(body, send) {
		t.Error("who may only look can send a test notice")
	}
	h.shares() // the branch uses the channel, which stays the main store's
	branch := strings.Replace(noticesPath, "all", string(branch1), 1)
	if body := h.shows(h.get("branch", branch), http.StatusOK, address); strings.Contains(body, "/setup/test") {
		t.Error("a store that only uses the channel can send a test notice of it")
	}
	h.shows(h.get("dev", strings.Replace(noticesPath, "test", "live", 1)), http.StatusOK, "알려 드릴 주소가 없어요", "결제 채널 보기")
}
