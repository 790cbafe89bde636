package settle

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

// The API's hosts (document, 3.2).
const (
	liveHost = "https://gw.settlebank.co.kr"
	testHost = "https://tbgw.settlebank.co.kr"
)

// The API's paths (document, 3.2).
const (
	accountPath = "/spay/APIVBank.do"
	refundPath  = "/spay/APIRefund.do"
	inquiryPath = "/spay/APITrdcheck.do"
)

// A message is a request of the API, or an answer.
type message struct {
	Params map[string]string `json:"params"`
	Data   map[string]string `json:"data"`
}

// A call is a request that is yet to be dated and signed.
type call struct {
	path   string
	biz    string // bizType; empty for the inquiry
	number string // mchtTrdNo: of this request
	amount string // what the hash has for an amount
	data   map[string]string
}

// message is the call with head and hash.
func (q call) message(a provider.Access) message {
	now := a.Now.In(wire.Seoul)
	m := message{Data: q.data, Params: map[string]string{
		"mchtId": a.Channel.MID, "ver": "0A19", "method": methodAccount, "bizType": q.biz, "encCd": "23",
		"mchtTrdNo": q.number, "trdDt": now.Format("20060102"), "trdTm": now.Format("150405"),
	}}
	if q.biz == "" { // document, 38.5: the inquiry has its own head
		m.Params["ver"] = "0A1M"
		delete(m.Params, "method")
		delete(m.Params, "bizType")
		delete(m.Params, "encCd")
	}
	m.Data["pktHash"] = m.hash("", q.amount, a.Channel.Credentials[hashKey])
	return m
}

// hash is the pktHash of a request, or of an answer with its status in front.
func (m message) hash(status, amount string, key secret.Text) string {
	return hash(status+m.Params["trdDt"]+m.Params["trdTm"]+m.Params["mchtId"]+m.Params["mchtTrdNo"]+amount, key)
}

// send makes the call and returns an answer that knows what became of it:
// outStatCd is given. An answer of another status than 200 tells nothing.
func (q call) send(ctx context.Context, a provider.Access) (message, error) {
	sent := q.message(a)
	answer, err := wire.PostJSON(ctx, a.HTTP, wire.Join(a.Base(liveHost, testHost), q.path), nil, sent)
	if err != nil {
		return message{}, err
	}
	got, err := readMessage(answer)
	switch {
	case err != nil:
		return message{}, err
	case answer.Status != http.StatusOK || got.Params["outStatCd"] == "" || got.Params["outRsltCd"] == "":
		return message{}, fault.Errorf(fault.Unclear, "Hecto answered with status %d and without a result", answer.Status)
	}
	return got, q.checkHash(sent, got, a.Channel.Credentials[hashKey])
}

// checkHash compares the hash of a good answer. The document says of every call
// that it is the request's, returned as it came, and of the besides that
// it has a formula of its own (15.3, 15.4): either will do. An answer without
// one, which has not failed, is not believed.
func (q call) checkHash(sent, got message, key secret.Text) error {
	if got.Params["outStatCd"] == statusFailed {
		return nil // documented without a hash (2.5)
	}
	is := secret.Text(strings.ToLower(got.Data["pktHash"]))
	echoed, own := is.Equal(sent.Data["pktHash"]), false
	if q.biz == bizIssued {
		own = is.Equal(got.hash(got.Params["outStatCd"], q.amount, key))
	}
	if !echoed && !own {
		return fault.Errorf(fault.Unclear, "Hecto's answer has not the hash of this request")
	}
	return nil
}

// done sends a call that changes something, and returns a good answer.
func (q call) done(ctx context.Context, a provider.Access) (message, error) {
	got, err := q.send(ctx, a)
	if err != nil {
		return message{}, err
	}
	switch got.Params["outStatCd"] {
	case statusDone:
		return got, nil
	case statusFailed:
		return message{}, got.refusal()
	}
	return message{}, fault.Errorf(fault.Unclear, "Hecto answered with state %q", got.Params["outStatCd"])
}

// unsure are the refusals that do not say that nothing was done (document,
// 41.1): a bank or a machine that did not answer, or one that is still at it.
var unsure = map[string]bool{
	"VTIM": true, // 원천사 타임아웃
	"ST38": true, // 처리 진행 중
	"ST10": true, // 내부 시스템 오류
	"ST79": true, // 시스템 오류
	"9902": true, // 게이트웨이 응답 전문 오류
	"9904": true, // 게이트웨이 응답 오류
	"9905": true, // 게이트웨이 시스템 오류
	"9999": true, // 내부 시스템 오류
}

func (m message) refusal() error {
	code := m.Params["outRsltCd"]
	if unsure[code] {
		return fault.Errorf(fault.Unclear, "Hecto answered that something broke (%s)", code)
	}
	text := m.Params["outRsltMsg"]
	if plain, err := url.QueryUnescape(text); err == nil {
		text = plain // "URL Encoding, UTF-8"
	}
	return &provider.DeclinedError{Code: code, Message: text}
}

// readMessage reads an answer. What fails before it reaches the bank is told
// without params around it (document, 2.5).
func readMessage(a wire.Answer) (message, error) {
	all, err := a.Fields()
	if err != nil {
		return message{}, err
	}
	m := message{Params: all}
	for name, into := range map[string]*map[string]string{"params": &m.Params, "data": &m.Data} {
		part, ok := all[name]
		if !ok || part == "" {
			continue
		}
		f, err := wire.Answer{Status: a.Status, Body: []byte(part)}.Fields()
		if err != nil {
			return message{}, err
		}
		*into = f
	}
	return m, nil
}

// A sealer encrypts values with the merchant's key: AES-256 in ECB, as Base64
// (document, 5.1). It remembers the first failure.
type sealer struct {
	key secret.Text
	err error
}

func (s *sealer) seal(plain string) string {
	b, err := wire.SealECB([]byte(s.key.Reveal()), []byte(plain))
	if err != nil && s.err == nil {
		s.err = err
	}
	return base64.StdEncoding.EncodeToString(b)
}

// open decrypts a value; it reports fault.Invalid if that key did not seal it.
func open(key secret.Text, sealed string) (string, error) {
	b, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", fault.Errorf(fault.Invalid, "what is sealed is no Base64")
	}
	plain, err := wire.OpenECB([]byte(key.Reveal()), b)
	if err != nil {
		return "", err
	}
	return wire.Text(plain, wire.UTF8)
}
