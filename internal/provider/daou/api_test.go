package daou

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/providertest"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

func bench() providertest.Bench {
	return providertest.Bench{
		Channel: merchant.Channel{Key: "channel-key-1", Mode: merchant.Test, MID: "CTS10273", Credentials: merchant.Credentials{authKey: "0123456789abcdef01234567"}},
		Order:   providertest.Won1000("SHINHAN"),
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	providertest.Calls(t, Module, bench())
}

func closing() provider.Closing {
	return provider.Closing{Query: provider.Query{PGTx: "CTS26010510153000001", Amount: payment.Won(15_000)}, Reason: "고객 변심 ^[1000] | 그리고 긴 이유", Key: "k"}
}

// A told is one request of a cancel, as the PG gets it.
type told struct{ Path, Token, Auth, Type, Body string }

// closeAt closes an account at a PG that answers the first request and the
// second as told, in EUC-KR.
func closeAt(t *testing.T, ready, cancel string) ([]told, time.Time, error) {
	t.Helper()
	var asked []told
	b := bench()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		text, bad := wire.Text(body, wire.EUCKR)
		if err != nil || bad != nil {
			t.Errorf("the request is no EUC-KR: %q", body)
		}
		asked = append(asked, told{r.URL.RequestURI(), r.Header.Get("Token"), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), text})
		answer := ready
		if len(asked) > 1 {
			answer = cancel
		}
		out, err := wire.ToEUCKR(answer)
		if err != nil {
			t.Error(err)
		}
		_, _ = w.Write(out)
	}))
	defer srv.Close()
	b.Channel.BaseURL = srv.URL
	at, err := Module.Close(t.Context(), provider.Access{HTTP: srv.Client(), Channel: b.Channel, Now: time.Now()}, closing())
	return asked, at, err
}

const (
	readyAnswer  = `{"TOKEN":"token-1","RETURNURL":"https://apitest.kiwoompay.co.kr/pay/cancel?x=1"}`
	cancelAnswer = `{"RESULTCODE":"0000","ERRORMESSAGE":"","DAOUTRX":"CTS26010510153000001","AMOUNT":"15000","CANCELDATE":"20260105120000","CPNAME":"상점"}`
)

// TestCloseRequests: both requests are the same JSON in EUC-KR; the second has
// the token and goes where the first answer says.
func TestCloseRequests(t *testing.T) {
	t.Parallel()
	asked, at, err := closeAt(t, readyAnswer, cancelAnswer)
	if want := time.Date(2026, 1, 5, 12, 0, 0, 0, wire.Seoul); err != nil || !at.Equal(want) {
		t.Errorf("Close = %v, %v, want %v", at, err, want)
	}
	const body = `{"CPID":"CTS10273","PAYMETHOD":"VACCOUNT-ISSUECAN","AMOUNT":"15000","CANCELREQ":"Y","TRXID":"CTS26010510153000001","CANCELREASON":"고객 변심 1000 그리"}`
	const contentType, key = "application/json;charset=EUC-KR", "0123456789abcdef01234567"
	want := []told{{"/pay/ready", "", key, contentType, body}, {"/pay/cancel?x=1", "token-1", key, contentType, body}}
	if d := cmp.Diff(want, asked); d != "" {
		t.Errorf("(-want +sent):\n%s", d)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ready, cancel string
		refused       string // the code, or empty: unclear
		requests      int
	}{
		"no at once":         {`{"RESULTCODE":"9011","ERRORMESSAGE":"구분자 오류"}`, "", "9011", 1},
		"no token":           {`{"RETURNURL":"https://apitest.kiwoompay.co.kr/pay/cancel"}`, "", "", 1},
		"no address":         {`{"TOKEN":"t"}`, "", "", 1},
		"the key is missing": {`FAIL,FAIL`, "", "", 1},
		"no to the cancel":   {readyAnswer, `{"RESULTCODE":"9029","ERRORMESSAGE":"취소 잔액 부족"}`, "9029", 2},
		"no result":          {readyAnswer, `{"ERRORMESSAGE":""}`, "", 2},
		"another amount":     {readyAnswer, strings.Replace(cancelAnswer, "15000", "1500", 1), "", 2},
	} {
		asked, _, err := closeAt(t, c.ready, c.cancel)
		no, ok := errors.AsType[*provider.DeclinedError](err)
		if ok != (c.refused != "") || ok && no.Code != c.refused || !ok && !fault.Is(err, fault.Unclear) || len(asked) != c.requests {
			t.Errorf("%s: %v after %d requests", name, err, len(asked))
		}
		if ok && !strings.ContainsAny(no.Message, "구취") {
			t.Errorf("%s: the PG's words came as %q", name, no.Message)
		}
	}
}

// TestAddress: the channel's key goes to no host but the PG's.
func TestAddress(t *testing.T) {
	t.Parallel()
	own := merchant.Channel{BaseURL: "http://127.0.0.1:1/base/"}
	for _, c := range []struct {
		channel    merchant.Channel
		told, want string
	}{
		{merchant.Channel{}, "https://api.kiwoompay.co.kr/pay/cancel", "https://api.kiwoompay.co.kr/pay/cancel"},
		{merchant.Channel{}, "https://kiwoompay.co.kr/pay/cancel?a=b", "https://kiwoompay.co.kr/pay/cancel?a=b"},
		{own, "https://elsewhere.example.com/pay/cancel?a=b", "http://127.0.0.1:1/base/pay/cancel?a=b"},
		{merchant.Channel{}, "http://api.kiwoompay.co.kr/pay/cancel", ""},
		{merchant.Channel{}, "https://api.kiwoompay.co.kr.example.com/pay/cancel", ""},
		{merchant.Channel{}, "https://notkiwoompay.co.kr/pay/cancel", ""},
		{merchant.Channel{}, "https://user@api.kiwoompay.co.kr/pay/cancel", ""},
		{merchant.Channel{}, "/pay/cancel", ""},
		{own, "", ""},
		{own, "%zz", ""},
	} {
		got, err := address(c.channel, c.told)
		if got != c.want || (err == nil) != (c.want != "") || err != nil && !fault.Is(err, fault.Unclear) {
			t.Errorf("address(%q) = %q, %v, want %q", c.told, got, err, c.want)
		}
	}
}

func TestCheckClose(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		edit func(*merchant.Channel, *provider.Closing)
		want fault.Kind
	}{
		"no key":    {func(c *merchant.Channel, _ *provider.Closing) { c.Credentials = nil }, fault.Invalid},
		"no mid":    {func(c *merchant.Channel, _ *provider.Closing) { c.MID = "" }, fault.Invalid},
		"no issue":  {func(_ *merchant.Channel, q *provider.Closing) { q.PGTx = "" }, fault.Unsupported},
		"no amount": {func(_ *merchant.Channel, q *provider.Closing) { q.Amount = payment.Money{} }, fault.Unsupported},
	} {
		b, q := bench(), closing()
		c.edit(&b.Channel, &q)
		if err := Module.CheckClose(b.Channel, q); !fault.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
