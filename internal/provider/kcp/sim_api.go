package kcp

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var _ provider.Player = module{}

// API plays the REST API. Of KCP's codes for refusals only S032 is known here:
// the others are made up. The books' numbers of cancels are longer than KCP's.
func (m module) API(b provider.Books) http.Handler {
	s := api{b}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+issuePath, serve(s.issue))
	mux.HandleFunc("POST "+cancelPath, serve(s.cancel))
	return mux
}

type api struct{ provider.Books }

// refused is an error answer.
type refused struct{ code, message string }

func (r refused) Error() string { return r.code }

var (
	errNoAccess = refused{"S032", "접근권한이 없습니다."}
	malform     = refused{"S001", "요청 전문 오류"}
	double      = refused{"V101", "이미 발급된 주문번호"}
	errBadDue   = refused{"V102", "입금 마감시각 오류"}
	errBadBank  = refused{"V103", "은행코드 오류"}
	errNoSuch   = refused{"8102", "거래내역 없음"}
	cannot      = refused{"8103", "환불할 수 없는 거래"}
	errTooMuch  = refused{"8104", "환불 가능 금액 초과"}
)

// serve reads a request of one shape and answers, always with status 200.
func serve[Q any](do func(Q) (map[string]string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var q Q
		b, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
		if err != nil {
			return
		}
		out, err := map[string]string(nil), error(malform)
		if json.Unmarshal(b, &q) == nil {
			out, err = do(q)
		}
		if no, ok := errors.AsType[refused](err); ok {
			out = map[string]string{"res_cd": no.code, "res_msg": no.message, "res_en_msg": "refused"}
		}
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		_ = json.NewEncoder(w).Encode(out) // a client that is gone needs no answer
	}
}

// merchant finds the site whose certificate came, in one line.
func (s api) merchant(site, cert string) (merchant.Channel, error) {
	c, ok := s.Merchant(func(c merchant.Channel) bool {
		known, err := certificate(c.Credentials[siteCert].Reveal())
		return err == nil && c.MID == site && secret.Text(known).Equal(cert)
	})
	if !ok {
		return c, errNoAccess
	}
	return c, nil
}

func (s api) issue(q issueRequest) (map[string]string, error) {
	c, err := s.merchant(q.SiteCode, q.Certificate)
	if err != nil {
		return nil, err
	}
	won, err := wire.Amount(q.Amount)
	due, dueErr := wire.Time(q.Due)
	bank := bankOf(q.Bank)
	switch {
	case err != nil || won == 0 || q.Money != q.Amount || q.Method != "VCNT" || q.Type != "41100000" || q.Currency != "410",
		q.Order == "" || q.Goods == "" || q.Name == "", strings.ContainsAny(q.Goods+q.Name+q.Buyer, forbidden):
		return nil, malform
	case dueErr != nil || !due.After(s.Now()):
		return nil, errBadDue
	case !strings.HasPrefix(q.Bank, "BK") || bank == "":
		return nil, errBadBank
	}
	tno := s.Now().In(wire.Seoul).Format("20060102") + wire.Serial(6, q.SiteCode, q.Order, s.Now().String())
	e, err := s.Issue(c, provider.Entry{
		Order: q.Order, Name: q.Goods, PGTx: tno, Amount: payment.Won(won), Buyer: payment.Customer{Name: q.Buyer, Email: q.Email, PhoneNumber: q.Phone},
		// Observed: the numbers of test accounts begin with a T.
		Account: payment.Account{Bank: bank, Type: payment.Normal, Holder: "NHN KCP", ExpiresAt: due, Number: secret.Account("T" + wire.Serial(13, tno))},
	})
	if err != nil {
		return nil, double
	}
	return map[string]string{
		"res_cd": "V000", "res_msg": "가상계좌가 발급되었습니다.", "tno": e.PGTx, "amount": q.Amount, "bankname": bank.Name(), "bankcode": q.Bank,
		"account": e.Account.Number.Reveal(), "depositor": e.Account.Holder, "va_date": q.Due, "app_time": s.Now().In(wire.Seoul).Format(wire.Stamp),
	}, nil
}

func (s api) cancel(q cancelRequest) (map[string]string, error) {
	c, err := s.merchant(q.SiteCode, q.Certificate)
	if err != nil {
		return nil, err
	}
	part := q.Type == refundPart
	e, ok := s.Find(c, func(e provider.Entry) bool { return e.PGTx == q.TNO })
	give := e.Amount
	if part {
		won, err := wire.Amount(q.Money)
		if err != nil || q.SubType != partType {
			return nil, malform
		}
		give = payment.Won(won)
	}
	switch {
	case !signedBy(q.Certificate, q.Signature, q.SiteCode+"^"+q.TNO+"^"+q.Type):
		return nil, errNoAccess
	case !ok:
		return nil, errNoSuch
	case !part && (q.Type != refundWhole || q.SubType != wholeType), q.Check != checkAccount, q.Account == "", q.Holder == "", bankOf(q.Bank) == "":
		return nil, malform
	case part && q.Rest != strconv.FormatInt(e.Left().Amount, 10), !part && e.State == payment.PartiallyCancelled:
		return nil, errTooMuch
	}
	e, done, err := s.Refund(c, q.TNO, "", give)
	switch {
	case errors.Is(err, provider.ErrTooMuch):
		return nil, errTooMuch
	case err != nil:
		return nil, cannot
	}
	out := map[string]string{
		"res_cd": "0000", "res_msg": "정상처리", "tno": q.TNO, "canc_time": done.At.In(wire.Seoul).Format(wire.Stamp),
		"mod_mny": strconv.FormatInt(give.Amount, 10), "rem_mny": strconv.FormatInt(e.Left().Amount, 10),
	}
	if part {
		out["mod_pcan_seq_no"] = done.PGID
	}
	return out, nil
}

// signedBy reports whether the certificate's key made the signature of a text.
func signedBy(cert, signature, text string) bool {
	_, b, _ := block(cert)
	der, err := base64.StdEncoding.DecodeString(b)
	if err != nil {
		return false
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return false
	}
	key, ok := parsed.PublicKey.(*rsa.PublicKey)
	raw, err := base64.StdEncoding.DecodeString(signature)
	sum := sha256.Sum256([]byte(text))
	return ok && err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], raw) == nil
}
