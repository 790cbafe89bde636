package daou

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

var _ provider.Closer = Module

// The API's hosts, and where every call begins (observed: the PG's own sample
// pages in public shops).
const (
	liveHost  = "https://api.kiwoompay.co.kr"
	testHost  = "https://apitest.kiwoompay.co.kr"
	readyPath = "/pay/ready"
	domain    = "kiwoompay.co.kr"
)

// authKey is the name of the one credential.
const authKey = "auth_key"

// maxReason is how long a reason may be (second-hand: 20 characters; here bytes,
// to be safe), and unwanted what it may not have: | parts fields, and ^ and the
// brackets have meanings of their own.
const (
	maxReason = 20
	unwanted  = `|^[]'"<>&\`
)

// cancelIssue is the PAYMETHOD that cancels an issue (second-hand). For accounts
// with a number of their own it is VACCOUNT-ASSIGNCAN, which may end them for
// good: not here.
const cancelIssue = "VACCOUNT-ISSUECAN"

// resultDone is RESULTCODE of success.
const resultDone = "0000"

// A cancelRequest goes out twice: to have a token, and with it. It is written in
// EUC-KR.
type cancelRequest struct {
	CPID   string `json:"CPID"`
	Method string `json:"PAYMETHOD"`
	Amount string `json:"AMOUNT"`
	Cancel string `json:"CANCELREQ"`
	Tx     string `json:"TRXID"`
	Reason string `json:"CANCELREASON"`
}

// CheckClose needs the issue's transaction and the amount.
func (module) CheckClose(c merchant.Channel, q provider.Closing) error {
	switch {
	case c.MID == "":
		return fault.Errorf(fault.Invalid, "the channel has no mid (CPID): enter it, and try again")
	case c.Credentials[authKey] == "":
		return fault.Errorf(fault.Invalid, "the channel has no %s (결제연동키): enter it, and try again", authKey)
	case q.PGTx == "":
		return fault.Errorf(fault.Unsupported, "the DAOUTRX of the issue is not known, without which Kiwoom Pay cancels nothing")
	case q.Amount.Currency != payment.KRW || q.Amount.Amount <= 0:
		return fault.Errorf(fault.Unsupported, "the amount that the account waits for is not known, which Kiwoom Pay wants to hear")
	}
	return nil
}

// Close cancels an issue before its deposit. The first of its two requests
// changes nothing: it has a token handed out, and the address for the second.
func (module) Close(ctx context.Context, a provider.Access, q provider.Closing) (time.Time, error) {
	reason := wire.Fit(q.Reason, wire.EUCKR, maxReason, unwanted)
	if reason == "" {
		reason = "주문 취소"
	}
	text, err := wire.MarshalJSON(cancelRequest{
		CPID: a.Channel.MID, Method: cancelIssue, Amount: strconv.FormatInt(q.Amount.Amount, 10), Cancel: "Y", Tx: q.PGTx, Reason: reason,
	})
	if err != nil {
		return time.Time{}, err
	}
	body, err := wire.ToEUCKR(string(text))
	if err != nil {
		return time.Time{}, fault.Errorf(fault.Unsupported, "Kiwoom Pay takes no characters that EUC-KR lacks")
	}
	ready, err := post(ctx, a, wire.Join(a.Base(liveHost, testHost), readyPath), "", body)
	switch {
	case err != nil:
		return time.Time{}, err
	case ready["RESULTCODE"] != "" && ready["RESULTCODE"] != resultDone:
		return time.Time{}, refusal(ready)
	case ready["TOKEN"] == "":
		return time.Time{}, fault.Errorf(fault.Unclear, "Kiwoom Pay answered without a token")
	}
	to, err := address(a.Channel, ready["RETURNURL"])
	if err != nil {
		return time.Time{}, err
	}
	done, err := post(ctx, a, to, ready["TOKEN"], body)
	if err != nil {
		return time.Time{}, err
	}
	return closed(done, q.Amount)
}

func refusal(f wire.Fields) error {
	return &provider.DeclinedError{Code: f["RESULTCODE"], Message: f["ERRORMESSAGE"]}
}

// closed reads the answer to the second request.
func closed(f wire.Fields, amount payment.Money) (time.Time, error) {
	switch f["RESULTCODE"] {
	case "":
		return time.Time{}, fault.Errorf(fault.Unclear, "Kiwoom Pay answered without a result")
	case resultDone:
	default:
		return time.Time{}, refusal(f)
	}
	won, told, err := wire.Fields{"AMOUNT": f["AMOUNT"]}.TakeAmount("AMOUNT")
	if err != nil || told && won != amount.Amount {
		return time.Time{}, fault.Errorf(fault.Unclear, "Kiwoom Pay answered with another amount")
	}
	return f.TakeTime(wire.Time, "CANCELDATE"), nil
}

// address is where the second request goes, with the channel's key: to hosts of
// the PG alone, or to the same path of the channel's own base.
func address(c merchant.Channel, told string) (string, error) {
	u, err := url.Parse(told)
	switch {
	case err != nil || !strings.HasPrefix(u.Path, "/") || u.User != nil:
		return "", fault.Errorf(fault.Unclear, "Kiwoom Pay answered without an address for the cancel")
	case c.BaseURL != "":
		return wire.Join(c.BaseURL, u.RequestURI()), nil
	case u.Scheme == "https" && (u.Host == domain || strings.HasSuffix(u.Host, "."+domain)):
		return u.String(), nil
	}
	return "", fault.Errorf(fault.Unclear, "Kiwoom Pay answered with an address that is not its own")
}

// post makes one request and reads the answer, which is in EUC-KR as well.
func post(ctx context.Context, a provider.Access, to, token string, body []byte) (wire.Fields, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "the PG's address is none")
	}
	r.Header = http.Header{
		"Content-Type": {"application/json;charset=EUC-KR"}, "Authorization": {a.Channel.Credentials[authKey].Reveal()},
	}
	if token != "" {
		r.Header["TOKEN"] = []string{token} // the sample's spelling
	}
	answer, err := wire.Call(a.HTTP, r)
	if err != nil {
		return nil, err
	}
	if text, err := wire.Text(answer.Body, wire.Detect); err == nil {
		answer.Body = []byte(text)
	}
	f, err := answer.Fields()
	switch {
	case err != nil:
		return nil, err
	case answer.Status != http.StatusOK:
		return nil, fault.Errorf(fault.Unclear, "Kiwoom Pay answered with status %d", answer.Status)
	}
	return f, nil
}
