package v1

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// issue has a PG issue a virtual account, and answers with its payment.
func (a *API) issue(c *call) (any, error) {
	in, err := c.body()
	if err != nil {
		return nil, err
	}
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	ch, err := a.channelFor(c, v, in)
	if err != nil {
		return nil, err
	}
	r := in.order(ch)
	if in.err != nil {
		return nil, in.err
	}
	p, err := a.Actions.Issue(c.ctx(), c.caller, r)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) {
		return nil, errNoChannel
	}
	if err != nil {
		return nil, err
	}
	x, _ := currentOf(p)
	return v.render(c, x), nil
}

var (
	errNoChannel   = invalid("가상계좌를 발급할 수 있는 채널이 없습니다. channel_key를 확인하세요.")
	errTestChannel = invalid("테스트 채널로 가상계좌를 발급하려면 channel_key를 지정하세요.")
	errManyChannel = invalid("가상계좌를 발급할 수 있는 채널이 여럿입니다. channel_key를 지정하세요.")
)

// channelFor is the channel that a call names by its key or, as older clients do,
// by its PG and merchant id; else the one that there is. A key of both modes gets a
// test channel only by its key: it may be what is left of a live one.
func (a *API) channelFor(c *call, v *view, in *input) (merchant.Channel, error) {
	key := merchant.ChannelKey(in.text("channel_key"))
	module, mid, named := strings.Cut(in.text("pg"), ".")
	if in.err != nil {
		return merchant.Channel{}, in.err
	}
	var list []merchant.Channel
	for _, ch := range v.usable(c) {
		switch {
		case key != "" && ch.Key == key:
			return ch, nil
		case key == "" && (module == "" || module == ch.Provider) && (!named || mid == ch.MID) && a.issues(ch):
			list = append(list, ch)
		}
	}
	switch len(list) {
	case 0:
		return merchant.Channel{}, errNoChannel
	case 1:
		if list[0].Mode == merchant.Test && c.caller.Mode == merchant.Any {
			return merchant.Channel{}, errTestChannel
		}
		return list[0], nil
	}
	return merchant.Channel{}, errManyChannel
}

// issues reports whether accounts are issued through a channel by API.
func (a *API) issues(ch merchant.Channel) bool {
	pg, ok := a.Actions.Providers(ch.Provider)
	if !ok {
		return false
	}
	_, ok = pg.(provider.Issuer)
	return ok && (len(ch.Methods) == 0 || slices.Contains(ch.Methods, string(payment.VirtualAccount)))
}

// order is the account that a call asks for. What it means is checked by the
// action.
func (in *input) order(ch merchant.Channel) action.IssueRequest {
	id, name, due := in.text("merchant_uid"), in.text("name"), in.whole("vbank_due")
	if name == "" {
		name = id
	}
	r := action.IssueRequest{
		AccountID: in.text("vbank_key"),
		Registration: payment.Registration{
			ID: payment.ID(id), Channel: ch.Key, OrderName: name, Amount: payment.Money{Currency: payment.KRW}, VAT: in.amount("vat_amount"),
			Customer: payment.Customer{
				Name: in.text("buyer_name"), Email: in.text("buyer_email"), PhoneNumber: in.text("buyer_tel"), Zipcode: in.text("buyer_postcode"),
				Address: in.address("buyer_addr"),
			},
			CustomData: in.kept("custom_data"), NoticeURLs: in.list("notice_url"),
			Account: payment.Account{
				Bank: in.bank("vbank_code", ch.Provider), Type: payment.Normal, Number: secret.Account(in.text("vbank_num")), Holder: in.text("vbank_holder"),
			},
		},
	}
	if r.Account.Number != "" || r.AccountID != "" {
		r.Account.Type = payment.Fixed
	}
	if amount := in.amount("amount"); amount != nil {
		r.Amount.Amount = *amount
	}
	if free := in.amount("tax_free"); free != nil {
		r.TaxFree = *free
	}
	switch {
	case id == "":
		in.wrong("merchant_uid", "필수입니다.")
	case r.Amount.Amount <= 0:
		in.wrong("amount", "0보다 커야 합니다.")
	case due == nil:
		in.wrong("vbank_due", "입금 기한(Unix timestamp)이 필요합니다.")
	case in.flag("fixed_unlimited_vbank"):
		in.wrong("fixed_unlimited_vbank", "지원하지 않습니다.")
	default:
		r.Account.ExpiresAt = in.moment("vbank_due", *due)
	}
	return r
}

// address is an address in one line as payments keep it.
func (in *input) address(name string) json.RawMessage {
	line := in.text(name)
	if line == "" {
		return nil
	}
	b, err := json.Marshal(map[string]string{"type": "ONE_LINE", "oneLine": line})
	if err != nil {
		in.wrong(name, "저장할 수 없는 주소입니다.")
	}
	return b
}

// changeAccount says that no PG here changes an account that it issued: Hecto's
// alone does, and its module has no call for it.
func (a *API) changeAccount(c *call) (any, error) {
	if _, err := a.byImpUID(c, c.names[0]); err != nil {
		return nil, err
	}
	return nil, invalid("발급된 가상계좌의 금액이나 입금 기한을 바꿀 수 있는 PG사가 없습니다. 말소하고 다시 발급하세요.")
}

// closeAccount has the PG close the account that an attempt waits on, which may not
// be the only one of its payment, and answers with the attempt, which has failed.
func (a *API) closeAccount(c *call) (any, error) {
	x, err := a.byImpUID(c, c.names[0])
	if err != nil {
		return nil, err
	}
	v, err := a.settings(c.ctx()) // what is closed must be answered
	if err != nil {
		return nil, err
	}
	p, _, err := a.Actions.CloseAttempt(c.ctx(), c.caller, x.p.ID, x.t.ID)
	if fault.Is(err, fault.NotFound) {
		return nil, errChannelGone
	}
	if err != nil {
		return nil, err
	}
	list := attemptsOf(p)
	i := slices.IndexFunc(list, func(o attempt) bool { return o.t.ID == x.t.ID })
	if i < 0 {
		return nil, errNoPayment
	}
	return v.render(c, list[i]), nil
}

// holder says that no PG here tells whose an account is.
func (a *API) holder(*call) (any, error) {
	return nil, refusal{http.StatusNotImplemented, codeRefused, "예금주를 조회할 수 있는 PG사가 없습니다."}
}
