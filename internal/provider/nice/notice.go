package nice

import (
	"bytes"
	"cmp"
	"mime"
	"net/http"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// The wire formats of nice_v2, as Notice.Form names them. Notices of nice have
// only one and leave it empty.
const (
	formA = "form"
	formB = "json"
)

// Decode reads a notice in either form (V1: only in form A).
func (m module) Decode(r notice.Request) (notice.Notice, error) {
	if m.isJSON(r) {
		b, err := parseWebhook(r.Body)
		if err != nil {
			return notice.Notice{}, err
		}
		return b.notice()
	}
	f, err := parseForm(r.Body)
	if err != nil {
		return notice.Notice{}, err
	}
	n, err := f.notice()
	if err != nil {
		return notice.Notice{}, err
	}
	if m.json {
		n.Form = formA
	}
	return n, nil
}

// isJSON reports whether the request is form B. No form of NICE's begins with
// a brace, so a body that does is form B whatever its header says.
func (m module) isJSON(r notice.Request) bool {
	if !m.json {
		return false
	}
	if t, _, err := mime.ParseMediaType(r.ContentType()); err == nil && t == "application/json" {
		return true
	}
	return bytes.HasPrefix(bytes.TrimLeft(r.Body, " \t\r\n"), []byte("{"))
}

// Verify compares form A's MerchantKey, if it came, with the channel's
// merchant_key, and form B's signature with one made with its secret_key. Form
// A without a key proves nothing and is not refused for it: NICE may leave it
// out. Form B has to be signed where the
// channel has a key, unless it tells of a failure. The proof is read from the
// request, whose bytes are what is kept.
func (m module) Verify(r notice.Request, _ notice.Notice, c merchant.Channel, _ payment.Payment) error {
	if m.isJSON(r) {
		b, err := parseWebhook(r.Body)
		if err != nil {
			return err
		}
		return b.verify(c.Credentials[secretKey])
	}
	f, err := parseForm(r.Body)
	if err != nil {
		return err
	}
	switch {
	case f.proof == "":
		return nil
	case c.Credentials[merchantKey] == "":
		return provider.ErrUnproved
	case !c.Credentials[merchantKey].Equal(f.proof.Reveal()):
		return fault.Errorf(fault.Unauthorized, "MerchantKey is not the channel's")
	}
	return nil
}

// Ack answers "OK" or "FAIL". NICE's documents call anything but 200 and "OK"
// a failure and demand no status for it. A 200 would end the resends where the
// merchant has switched OK체크 off, so a refusal is a 400.
func (m module) Ack(_ notice.Request, o provider.Outcome) provider.Reply {
	// Not specified for form A. Form B wants text/html, in which form A's
	// body reads the same.
	contentType := "text/plain;charset=utf-8"
	if m.json {
		contentType = "text/html;charset=utf-8"
	}
	if o == provider.Received {
		return provider.Reply{Status: http.StatusOK, ContentType: contentType, Body: []byte("OK")}
	}
	return provider.Reply{Status: http.StatusBadRequest, ContentType: contentType, Body: []byte("FAIL")}
}

// identity names a transaction: by NICE's id, or if that is missing by a
// digest of what else tells it apart, so that two notices without an id are
// not taken for one.
func identity(tid string, rest ...string) string {
	return cmp.Or(tid, "none-"+wire.JoinedDigest(rest...))
}

// receiptTypes are PortOne's words for NICE's kinds of cash receipt.
var receiptTypes = map[string]string{
	"1": "PERSONAL", "individual": "PERSONAL", // 소득공제
	"2": "CORPORATE", "company": "CORPORATE", // 지출증빙
}

// withheld are in the stored body alone, by the names of both forms: what the
// buyer is reached by, the number of the buyer's card, an account that a notice
// of another method names, and BuyerAuthNum, by which the tax office may know
// the buyer. Form B has the card's number inside card, which goes as a whole.
var withheld = []string{
	"BuyerTel", "BuyerEmail", "CardNo", "VbankNum", "BuyerAuthNum",
	"buyerTel", "buyerEmail", "card",
}
