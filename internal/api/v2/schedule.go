package v2

import (
	"errors"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// schedule has a payment charged by a billing key at a time.
func (a *API) schedule(c *call) (any, error) {
	var in struct {
		Payment   keyPayment `json:"payment"`
		TimeToPay string     `json:"timeToPay"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.Payment.StoreID)
	if err != nil {
		return nil, err
	}
	r, err := in.Payment.request(c)
	if err != nil {
		return nil, err
	}
	at, err := moment("timeToPay", in.TimeToPay)
	if err != nil {
		return nil, err
	}
	s, err := a.Actions.Schedule(c.ctx(), caller, action.ScheduleRequest{ChargeRequest: r, TimeToPay: at})
	if err != nil {
		return nil, nameSchedule(err)
	}
	var out struct {
		Schedule struct {
			ID string `json:"id"`
		} `json:"schedule"`
	}
	out.Schedule.ID = string(s.ID)
	return out, nil
}

// nameSchedule gives an error the type that the operation lists for it. It lists none
// for a channel that is gone, nor for one attempt too many.
func nameSchedule(err error) error {
	err = nameKey(err)
	if _, has := errors.AsType[named](err); has {
		return err
	}
	switch {
	case errors.Is(err, payment.ErrPaidOrWaiting):
		return named{err, "ALREADY_PAID_OR_WAITING"}
	case errors.Is(err, payment.ErrScheduled):
		return named{err, "PAYMENT_SCHEDULE_ALREADY_EXISTS"}
	case errors.Is(err, action.ErrParts):
		return named{err, "SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT"}
	case errors.Is(err, payment.ErrPinned), fault.Is(err, fault.NotFound):
		return fault.Errorf(fault.Invalid, "%w", err)
	case fault.Is(err, fault.Conflict):
		return fault.Errorf(fault.Invalid, "%w", errMismatch)
	}
	return err
}

// A scheduleAnswer is PortOne's PaymentSchedule: all variants of the union in one.
type scheduleAnswer struct {
	Status            payment.ScheduleState `json:"status"`
	ID                string                `json:"id"`
	MerchantID        string                `json:"merchantId"`
	StoreID           string                `json:"storeId"`
	PaymentID         string                `json:"paymentId"`
	BillingKey        string                `json:"billingKey"`
	OrderName         string                `json:"orderName"`
	IsCulturalExpense bool                  `json:"isCulturalExpense"`
	IsEscrow          bool                  `json:"isEscrow"`
	Customer          payment.Customer      `json:"customer"`
	CustomData        string                `json:"customData"`
	TotalAmount       int64                 `json:"totalAmount"`
	TaxFree           *int64                `json:"taxFreeAmount,omitempty"`
	VAT               *int64                `json:"vatAmount,omitempty"`
	Currency          payment.Currency      `json:"currency"`
	Months            int                   `json:"installmentMonth,omitempty"`
	NoticeURLs        []string              `json:"noticeUrls,omitempty"`
	CreatedAt         string                `json:"createdAt"`
	TimeToPay         string                `json:"timeToPay"`
	StartedAt         string                `json:"startedAt,omitempty"`
	CompletedAt       string                `json:"completedAt,omitempty"`
	RevokedAt         string                `json:"revokedAt,omitempty"`
}

func scheduleOf(s payment.Schedule) scheduleAnswer {
	out := scheduleAnswer{
		Status: s.State, ID: string(s.ID), MerchantID: string(s.Merchant), StoreID: string(s.Store), PaymentID: string(s.Payment),
		BillingKey: string(s.BillingKey), OrderName: s.OrderName, Customer: s.Customer, CustomData: s.CustomData,
		TotalAmount: s.Amount.Amount, VAT: s.VAT, Currency: s.Amount.Currency, Months: s.Terms.Months, NoticeURLs: s.NoticeURLs,
		CreatedAt: at(s.CreatedAt), TimeToPay: at(s.TimeToPay),
	}
	if s.TaxFree > 0 {
		out.TaxFree = &s.TaxFree
	}
	switch s.State {
	case payment.ScheduleRevoked:
		out.RevokedAt = at(s.EndedAt)
		return out
	case payment.ScheduleSucceeded, payment.ScheduleFailed:
		out.CompletedAt = at(s.EndedAt)
	case payment.SchedulePending:
		out.CompletedAt = at(s.StartedAt) // the variant requires one
	case payment.Scheduled, payment.ScheduleStarted:
	}
	out.StartedAt = at(s.StartedAt)
	return out
}

// getSchedule answers with one schedule.
func (a *API) getSchedule(c *call) (any, error) {
	caller, err := a.target(c, c.r.URL.Query().Get("storeId"))
	if err != nil {
		return nil, err
	}
	s, err := a.Store.Schedule(c.ctx(), caller.Store, payment.ScheduleID(c.part), caller.Mode)
	if errors.Is(err, payment.ErrNoSchedule) {
		err = named{err, "PAYMENT_SCHEDULE_NOT_FOUND"}
	}
	if err != nil {
		return nil, err
	}
	return scheduleOf(s), nil
}

// A scheduleFilter is PortOne's PaymentScheduleFilterInput.
type scheduleFilter struct {
	StoreID    string   `json:"storeId"`
	BillingKey string   `json:"billingKey"`
	From       string   `json:"from"`
	Until      string   `json:"until"`
	Status     []string `json:"status"`
	IsForTest  *bool    `json:"isForTest"`
}

// scheduleSorts are what schedules may be ordered by.
var scheduleSorts = map[string]store.ScheduleSort{
	"": store.ByTimeToPay, "TIME_TO_PAY": store.ByTimeToPay, "CREATED_AT": store.ByCreation, "COMPLETED_AT": store.ByEnd,
}

// getSchedules answers with one page of the schedules that a filter takes.
func (a *API) getSchedules(c *call) (any, error) {
	var in struct {
		Page   pageInput      `json:"page"`
		Sort   sortInput      `json:"sort"`
		Filter scheduleFilter `json:"filter"`
	}
	if err := c.input(&in); err != nil {
		return nil, err
	}
	f := in.Filter
	by, known := scheduleSorts[in.Sort.By]
	if !known {
		return nil, fault.Errorf(fault.Invalid, "sort.by: %.60q is none of TIME_TO_PAY, CREATED_AT, COMPLETED_AT", in.Sort.By)
	}
	if err := oneOf("sort.order", in.Sort.Order, sortOrders); err != nil {
		return nil, err
	}
	l := store.ScheduleList{BillingKey: payment.BillingKeyID(f.BillingKey), By: by}
	for _, s := range f.Status {
		if !slices.Contains(payment.ScheduleStates(), payment.ScheduleState(s)) {
			return nil, fault.Errorf(fault.Invalid, "filter.status: %.60q is no status of a schedule", s)
		}
		l.States = append(l.States, payment.ScheduleState(s))
	}
	var number int
	var err error
	if l.Window, number, err = a.window(c, in.Page, in.Sort, f.StoreID, f.From, f.Until); err != nil {
		return nil, err
	}
	if f.IsForTest != nil {
		l.Modes = slices.DeleteFunc(l.Modes, func(m merchant.Mode) bool { return (m == merchant.Test) != *f.IsForTest })
	}
	list, total, err := a.Store.Schedules(c.ctx(), l)
	if err != nil {
		return nil, err
	}
	items := make([]any, len(list))
	for i, s := range list {
		items[i] = scheduleOf(s)
	}
	return listAnswer{items, &pageAnswer{number, l.Size, total}}, nil
}

// revokeSchedules revokes schedules by their ids, or those of a billing key.
func (a *API) revokeSchedules(c *call) (any, error) {
	var in struct {
		StoreID    string   `json:"storeId"`
		BillingKey string   `json:"billingKey"`
		Schedules  []string `json:"scheduleIds"`
	}
	if err := c.input(&in); err != nil {
		return nil, err
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	ids := make([]payment.ScheduleID, len(in.Schedules))
	for i, id := range in.Schedules {
		ids[i] = payment.ScheduleID(id)
	}
	revoked, when, err := a.Actions.RevokeSchedules(c.ctx(), caller, payment.BillingKeyID(in.BillingKey), ids)
	if err != nil {
		return nil, nameRevoke(err)
	}
	return struct {
		Revoked []payment.ScheduleID `json:"revokedScheduleIds"`
		At      string               `json:"revokedAt,omitempty"`
	}{append([]payment.ScheduleID{}, revoked...), revokedAt(revoked, when)}, nil
}

func revokedAt(revoked []payment.ScheduleID, when time.Time) string {
	if len(revoked) == 0 {
		return ""
	}
	return at(when)
}

func nameRevoke(err error) error {
	switch {
	case errors.Is(err, payment.ErrNoSchedule):
		return named{err, "PAYMENT_SCHEDULE_NOT_FOUND"}
	case errors.Is(err, payment.ErrScheduleProcessed):
		return named{err, "PAYMENT_SCHEDULE_ALREADY_PROCESSED"}
	case errors.Is(err, payment.ErrScheduleRevoked):
		return named{err, "PAYMENT_SCHEDULE_ALREADY_REVOKED"}
	}
	return nameKey(err)
}
