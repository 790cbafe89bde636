package v2

import (
	"encoding/base64"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// An enactBody says what is to happen to a test payment.
type enactBody struct {
	StoreID    string `json:"storeId"`
	ChannelKey string `json:"channelKey"`
	Provider   string `json:"provider"`
	PaymentID  string `json:"paymentId"`
	Event      string `json:"event"`
	Amount     *int64 `json:"amount"`
	Depositor  string `json:"depositor"`
	Again      int    `json:"again"`
}

// An enactAnswer says what happened.
type enactAnswer struct {
	PaymentID  string         `json:"paymentId"`
	Status     payment.State  `json:"status"`
	ChannelKey string         `json:"channelKey"`
	Issued     bool           `json:"issued"`
	Amount     int64          `json:"amount"`
	Currency   string         `json:"currency"`
	Bank       string         `json:"bank,omitempty"`
	Account    string         `json:"accountNumber,omitempty"`
	Notices    []playedAnswer `json:"notices"`
}

// A playedAnswer is a notice that was sent.
type playedAnswer struct {
	Event        string  `json:"event"`
	Method       string  `json:"method"`
	URL          string  `json:"url,omitempty"`  // absent: it went no way over the network
	From         string  `json:"from,omitempty"` // then: as if from there
	ContentType  string  `json:"contentType,omitempty"`
	Charset      string  `json:"charset"`
	Query        string  `json:"query,omitempty"`
	Body         string  `json:"body"` // base64: it is in the PG's charset
	Again        bool    `json:"again"`
	Status       int     `json:"status,omitempty"`
	Answer       string  `json:"answer,omitempty"`
	Acknowledged bool    `json:"acknowledged"`
	TookMS       float64 `json:"tookMs"`
	ID           string  `json:"id,omitempty"`
	Verdict      string  `json:"verdict,omitempty"`
	Reason       string  `json:"reason,omitempty"`
	Error        string  `json:"error,omitempty"`
}

// enact has something happen to a test payment at its PG, which is played here.
func (a *API) enact(c *call) (any, error) {
	var in enactBody
	if err := c.body(&in); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	e := action.Enactment{
		Channel: merchant.ChannelKey(in.ChannelKey), Provider: in.Provider, Payment: payment.ID(in.PaymentID), Act: action.Act(in.Event),
		Depositor: in.Depositor, Again: in.Again,
	}
	if (in.ChannelKey == "") == (in.Provider == "") {
		return nil, fault.Errorf(fault.Invalid, "name a channelKey or a provider")
	}
	if in.Amount != nil {
		if e.Amount = *in.Amount; e.Amount <= 0 {
			return nil, fault.Errorf(fault.Invalid, "amount must be more than 0")
		}
	}
	done, err := a.Actions.Enact(c.ctx(), caller, e)
	switch {
	case fault.Is(err, fault.NotFound) && in.PaymentID == "":
		return nil, named{err, "CHANNEL_NOT_FOUND"}
	case err != nil:
		return nil, err
	}
	return enactedOf(done), nil
}

func enactedOf(e action.Enacted) enactAnswer {
	p := e.Payment
	out := enactAnswer{
		PaymentID: string(p.ID), Status: p.State, ChannelKey: string(e.Channel.Key), Issued: e.Issued, Amount: p.Amount.Amount,
		Currency: string(p.Amount.Currency), Notices: []playedAnswer{},
	}
	if t, ok := p.Transaction(); ok && t.Account != nil {
		out.Bank, out.Account = string(t.Account.Bank), t.Account.Number.Reveal()
	}
	for _, n := range e.Notices {
		out.Notices = append(out.Notices, playedOf(n))
	}
	return out
}

func playedOf(n action.Played) playedAnswer {
	out := playedAnswer{
		Event: string(n.Event), Method: n.Request.Method, ContentType: n.Request.ContentType(), Charset: n.Charset, Query: n.Request.Query,
		Body: base64.StdEncoding.EncodeToString(n.Request.Body), Again: n.Again, Status: n.Answer.Status, Acknowledged: n.Acked,
		TookMS: float64(n.Took.Round(time.Microsecond).Microseconds()) / 1000, ID: string(n.Notice), Verdict: string(n.Verdict), Reason: string(n.Reason),
	}
	out.URL, _, _ = strings.Cut(n.URL, "?")
	if n.From.IsValid() {
		out.From = n.From.String()
	}
	if text := string(n.Answer.Body); utf8.ValidString(text) {
		out.Answer = text
	}
	if n.Err != nil {
		out.Error = n.Err.Error()
	}
	return out
}
