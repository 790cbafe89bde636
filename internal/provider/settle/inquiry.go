package settle

import (
	"context"
	"strconv"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// outRsltCd of an inquiry (document, 38.7).
const (
	resultDeposited = "0000" // 정상거래: of an account, that money came in
	resultRefunded  = "0001" // 취소상태: of an account, that money went back
	resultFailed    = "0009" // 결제실패
	resultUnknown   = "ST06" // 거래정보 없음
)

// CanInquire needs the order, its amount and its day.
func (module) CanInquire(c merchant.Channel, q provider.Query) error {
	if err := keys(c, false); err != nil {
		return err
	}
	switch {
	case !wire.Plain(q.Order, maxOrder, ""):
		return fault.Errorf(fault.Unsupported, "the order's number is not known, by which Hecto is asked")
	case q.At.IsZero() || q.Amount.Amount <= 0 || q.Amount.Currency != payment.KRW:
		return fault.Errorf(fault.Unsupported, "Hecto is asked with the day and the amount of an order in KRW")
	}
	return nil
}

// Inquire asks for one transaction (실시간 거래 조회, 38). Hecto looks from the
// day before the order's to the day after.
func (module) Inquire(ctx context.Context, a provider.Access, q provider.Query) (provider.Standing, error) {
	amount := strconv.FormatInt(q.Amount.Amount, 10)
	data := map[string]string{
		"method": methodAccount, "trdAmt": amount, "orgTrdDt": q.At.In(wire.Seoul).Format("20060102"), "orgMchtTrdNo": q.Order,
	}
	if q.PGTx != "" && len(q.PGTx) <= maxTrdNo {
		data["orgTrdNo"] = q.PGTx
	}
	// Its own number, which no other request has (38.5).
	number := "q" + wire.Digest(q.Order, a.Now.UTC().Format("20060102150405.000000000"))
	got, err := call{inquiryPath, "", number, amount, data}.send(ctx, a)
	if err != nil {
		return provider.Standing{}, err
	}
	return got.standing()
}

// standing reads the answer to an inquiry. It says neither when money came nor
// who paid it, and of refunds the sum alone; whose trdNo it has is not
// documented. So a standing has a state and an amount, and names nothing.
func (m message) standing() (provider.Standing, error) {
	status, result := m.Params["outStatCd"], m.Params["outRsltCd"]
	switch {
	case status == statusWaiting:
		return m.with(payment.Issued)
	case result == resultUnknown:
		return provider.Standing{}, nil
	case result == resultFailed:
		return m.with(payment.Failed)
	case status == statusDone && result == resultDeposited, result == resultRefunded:
		return m.moved(result)
	case status == statusFailed:
		return provider.Standing{}, m.refusal()
	}
	return provider.Standing{}, fault.Errorf(fault.Unclear, "Hecto answered with state %q and result %q", status, result)
}

// moved is a payment whose money came in, and perhaps went back.
func (m message) moved(result string) (provider.Standing, error) {
	f := wire.Fields(m.Data)
	total, told, err := wire.Fields{"trdAmt": f["trdAmt"]}.TakeAmount("trdAmt")
	if err != nil || !told {
		return provider.Standing{}, fault.Errorf(fault.Unclear, "Hecto tells no amount that can be read")
	}
	back, told, err := wire.Fields{"cnclAmt": f["cnclAmt"]}.TakeAmount("cnclAmt")
	switch {
	case err != nil:
		return provider.Standing{}, fault.Errorf(fault.Unclear, "Hecto tells a refund that cannot be read")
	case back == 0 && result == resultDeposited:
		return m.with(payment.Paid)
	case back == 0 && told:
		return provider.Standing{}, fault.Errorf(fault.Unclear, "Hecto tells of a refund, and of nothing refunded")
	case back == 0 || back >= total:
		return m.with(payment.Cancelled)
	}
	return m.with(payment.PartiallyCancelled)
}

// with is a standing with the amount, if it is told. One that cannot be read is
// not believed to be another.
func (m message) with(s payment.State) (provider.Standing, error) {
	won, told, err := wire.Fields{"trdAmt": m.Data["trdAmt"]}.TakeAmount("trdAmt")
	if err != nil {
		return provider.Standing{}, fault.Errorf(fault.Unclear, "Hecto tells an amount that is none")
	}
	out := provider.Standing{State: s}
	if told {
		out.Amount, out.HasAmount = payment.Won(won), true
	}
	return out, nil
}
