package welcome

import (
	"context"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

var _ provider.Closer = Module

// PAYAPI's hosts and its call (manual, payapi 2.1).
const (
	liveHost   = "https://payapi.paywelcome.co.kr"
	testHost   = "https://tpayapi.paywelcome.co.kr"
	pathCancel = "/cancel/cancel"
)

const (
	signKey     = "signkey"
	payAccount  = "vbank"
	currencyWon = "WON"
	codeDone    = "00"
	maxTID      = 40
)

const formType = "application/x-www-form-urlencoded; charset=utf-8"

// CheckClose wants what the cancel call names: the issue, and what it was for.
func (m module) CheckClose(c merchant.Channel, q provider.Closing) error {
	switch {
	case c.MID == "":
		return fault.Errorf(fault.Invalid, "the channel has no mid: enter it, and try again")
	case c.Credentials[signKey] == "":
		return fault.Errorf(fault.Invalid, "the channel has no %s: enter it, and try again", signKey)
	case q.PGTx == "" || len(q.PGTx) > maxTID:
		return fault.Errorf(fault.Unsupported, "the TID of the account's issue is not known, without which Welcome Payments closes nothing")
	case q.Deposit != "":
		// What the call does to a deposit is not told: its refund wants an account.
		return fault.Errorf(fault.Unsupported, "money came to the account: Welcome Payments refunds it in its admin alone")
	case q.Amount.Currency != payment.KRW || q.Amount.Amount < 1:
		return fault.Errorf(fault.Unsupported, "the account's amount in KRW is not known, without which Welcome Payments closes nothing")
	}
	return nil
}

// Close cancels the whole of a payment whose account waits.
func (m module) Close(ctx context.Context, a provider.Access, q provider.Closing) (time.Time, error) {
	at := a.Now.In(wire.Seoul).Format(wire.Stamp)
	form := wire.EncodeForm([]wire.Field{
		{Name: "payType", Value: payAccount},
		{Name: "mid", Value: a.Channel.MID},
		{Name: "tid", Value: q.PGTx},
		{Name: "price", Value: strconv.FormatInt(q.Amount.Amount, 10)},
		{Name: "currency", Value: currencyWon},
		{Name: "timestamp", Value: at},
		{Name: "signature", Value: signature(a.Channel, at)},
	}, wire.UTF8)
	answer, err := wire.PostForm(ctx, a.HTTP, wire.Join(a.Base(liveHost, testHost), pathCancel), formType, string(form))
	if err != nil {
		return time.Time{}, err
	}
	o, no, err := answer.Verdict("ResultCode", "ResultMsg", codeDone)
	switch {
	case no != nil:
		return time.Time{}, (*provider.DeclinedError)(no)
	case err != nil:
		return time.Time{}, err
	}
	r, err := o.TakeAll()
	if err != nil {
		return time.Time{}, answer.Unclear()
	}
	// All of these come with a success (manual).
	price, err := wire.Amount(r["Price"])
	if err != nil || price != q.Amount.Amount || r["Tid"] != q.PGTx || r["Mid"] != a.Channel.MID {
		return time.Time{}, fault.Errorf(fault.Unclear, "Welcome Payments answered with another cancellation than was asked for")
	}
	done, err := wire.Time(r["CancelDate"] + r["CancelTime"])
	if err != nil || len(r["CancelTime"]) != len("hhmmss") {
		return time.Time{}, nil // the time is all that is missing
	}
	return done, nil
}

// signature is over names and values, in the order of the alphabet (sample
// page). The manual's table has mid+mkey+timestamp, and one client reads that as
// the values alone.
func signature(c merchant.Channel, timestamp string) string {
	mkey := wire.SHA256Hex(c.Credentials[signKey].Reveal())
	return wire.SHA256Hex("mid=", c.MID, "&mkey=", mkey, "&timestamp=", timestamp)
}
