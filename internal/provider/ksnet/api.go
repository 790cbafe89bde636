package ksnet

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
)

var _ provider.Issuer = Module

// The API's hosts, and the one call for virtual accounts that is published (KSPAY
// API Reference, 영구 가상계좌 발급 API).
const (
	liveHost  = "https://pay.ksnet.co.kr"
	testHost  = "https://paydev.ksnet.co.kr"
	issuePath = "/kspay/webfep/api/v1/vaccount/permanent"
)

// apiKey is the name of the one credential.
const apiKey = "api_key"

// What the fields take (as above); of texts, bytes of EUC-KR, in which KSNET and
// the banks keep them.
const (
	maxMID    = 10
	maxOrder  = 50
	maxText   = 50
	maxAmount = 999_999_999
	maxNumber = 15
)

// virtAccountType.
const (
	typeNormal = "0" // 일반
	typeFixed  = "2" // 영구성
)

// The codes of answers (KSPAY API Reference, Response 공통).
const (
	codeDone    = "A0200"
	codeRefused = "A0201" // data says why
	codeRequest = "A0400"
	codeAuth    = "A0401"
	codeMethod  = "A0403"
)

// bankTypes are the words for banks that have accounts (KSPAY API Reference,
// 가상계좌 은행 타입).
var bankTypes = map[payment.Bank]string{
	"IBK": "IBK", "KOOKMIN": "KB", "HANA": "HANA", "NONGHYUP": "NONGHYUP", "WOORI": "WOORI", "STANDARD_CHARTERED": "SC",
	"SHINHAN": "SHINHAN", "DAEGU": "DGB", "BUSAN": "BNK", "KWANGJU": "KJ", "JEONBUK": "JB", "KYONGNAM": "KN", "POST": "EPOST",
}

// bankOfType reads a word for a bank.
func bankOfType(word string) payment.Bank {
	for bank, w := range bankTypes {
		if w == word {
			return bank
		}
	}
	return ""
}

// An issueRequest asks for an account. Its names are those of the document's
// table; its example calls two of them otherwise (orderName, goodName), as no
// other call of the API does.
type issueRequest struct {
	MID     string `json:"mid"`
	Order   string `json:"orderNumb"`
	User    string `json:"userName"`
	Product string `json:"productName"`
	Amount  string `json:"totalAmount"`
	Payload string `json:"payload"`
	Bank    string `json:"bankType"`
	Type    string `json:"virtAccountType"`
	Escrow  string `json:"escrowType"`
	Until   string `json:"closeDateTime"`
	Number  string `json:"virtAccountNumb"`
}

// CheckIssue refuses what the API has no field for.
func (module) CheckIssue(c merchant.Channel, o provider.Order) error {
	number := wire.PlainAccount(o.Number.Reveal())
	switch {
	case c.MID == "" || len(c.MID) > maxMID:
		return fault.Errorf(fault.Invalid, "the channel's mid is not one of 1 to %d digits: enter it, and try again", maxMID)
	case c.Credentials[apiKey] == "":
		return fault.Errorf(fault.Invalid, "the channel has no %s: enter the one from KSTA, and try again", apiKey)
	case o.Amount.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "KSNET issues accounts in KRW only")
	case o.Amount.Amount < 1 || o.Amount.Amount > maxAmount:
		return fault.Errorf(fault.Invalid, "the amount is not one of 1 to 9 digits")
	case !wire.Plain(o.ID, maxOrder, ""):
		return fault.Errorf(fault.Invalid, "KSNET takes order ids of 1 to %d letters, digits and signs", maxOrder)
	case bankTypes[o.Bank] == "":
		return fault.Errorf(fault.Invalid, "KSNET has no accounts at bank %q", o.Bank)
	case wire.Fit(o.Name, wire.EUCKR, maxText, "") == "":
		return fault.Errorf(fault.Invalid, "the order has no name, without which KSNET issues no account")
	case o.Receipt != nil:
		return fault.Errorf(fault.Unsupported, "KSNET takes no cash receipt with the issue of an account")
	case o.AccountID != "":
		return fault.Errorf(fault.Unsupported, "KSNET keeps no numbers by ids: name the number of the permanent account")
	case o.Type == payment.Fixed && (number == "" || len(number) > maxNumber || wire.Digits(number) != number):
		return fault.Errorf(fault.Invalid, "a permanent account of KSNET needs one of the numbers that it gave you, of up to %d digits", maxNumber)
	}
	return nil
}

// Issue has an account issued. KSNET knows no key for repeated requests; what it
// does with an order number that it has seen is not published.
func (module) Issue(ctx context.Context, a provider.Access, o provider.Order) (provider.Issue, error) {
	q := issueRequest{
		MID: a.Channel.MID, Order: o.ID, User: buyer(o), Product: wire.Fit(o.Name, wire.EUCKR, maxText, ""),
		Amount: strconv.FormatInt(o.Amount.Amount, 10), Payload: o.Key, Bank: bankTypes[o.Bank], Type: typeNormal, Escrow: "0",
	}
	if o.Escrow {
		q.Escrow = "1"
	}
	if !o.ExpiresAt.IsZero() {
		q.Until = o.ExpiresAt.In(wire.Seoul).Format(wire.Stamp)
	}
	if o.Type == payment.Fixed {
		q.Type, q.Number = typeFixed, wire.PlainAccount(o.Number.Reveal())
	}
	header := http.Header{"Authorization": {"pgapi " + a.Channel.Credentials[apiKey].Reveal()}}
	answer, err := wire.PostJSON(ctx, a.HTTP, wire.Join(a.Base(liveHost, testHost), issuePath), header, q)
	if err != nil {
		return provider.Issue{}, err
	}
	data, err := result(answer)
	if err != nil {
		return provider.Issue{}, err
	}
	return issued(data, q, o)
}

// buyer is 주문자명, which must be there.
func buyer(o provider.Order) string {
	for _, name := range []string{o.Customer.Name, o.Holder} {
		if name = wire.Fit(name, wire.EUCKR, maxText, ""); name != "" {
			return name
		}
	}
	return "구매자"
}

// result returns the data of an answer of success.
func result(a wire.Answer) (wire.Fields, error) {
	head, err := a.Fields()
	if err != nil {
		return nil, err
	}
	var data wire.Fields
	if strings.HasPrefix(head["data"], "{") {
		if data, err = (wire.Answer{Status: a.Status, Body: []byte(head["data"])}).Fields(); err != nil {
			return nil, err
		}
	}
	code := head["code"]
	switch {
	case a.Status != http.StatusOK:
	case code == codeDone && data["respCode"] != "" && strings.Trim(data["respCode"], "0") == "":
		return data, nil
	case code == codeRefused && data["respCode"] != "":
		return nil, &provider.DeclinedError{Code: data["respCode"], Message: data["respMessage"]}
	case code == codeRequest || code == codeAuth || code == codeMethod:
		return nil, &provider.DeclinedError{Code: code, Message: head["message"]}
	}
	return nil, fault.Errorf(fault.Unclear, "KSNET answered with status %d and code %q", a.Status, code)
}

// issued reads the data, which must be about this request.
func issued(f wire.Fields, q issueRequest, o provider.Order) (provider.Issue, error) {
	number := wire.PlainAccount(f["virtualAccountNumb"])
	won, told, err := wire.Fields{"totalAmount": f["totalAmount"]}.TakeAmount("totalAmount")
	switch {
	case f["tid"] == "" || number == "" || q.Number != "" && number != q.Number:
		return provider.Issue{}, fault.Errorf(fault.Unclear, "KSNET answered without the account")
	case err != nil || told && won != o.Amount.Amount || f["payload"] != "" && f["payload"] != q.Payload:
		return provider.Issue{}, fault.Errorf(fault.Unclear, "KSNET answered about another order")
	}
	bank := bankOfType(f["bankType"])
	if bank == "" {
		bank = o.Bank
	}
	at := f.TakeTime(wire.Time, "tradeDateTime")
	return provider.Issue{PGTx: f["tid"], At: at, Account: payment.Account{
		Bank: bank, Number: secret.Account(number), Type: o.Type, Holder: f["accountHolder"], IssuedAt: at, ExpiresAt: o.ExpiresAt,
	}}, nil
}
