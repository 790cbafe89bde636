package v2

import (
	"cmp"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// A keyBody is PortOne's IssueBillingKeyBody, as far as Tongbo uses it.
type keyBody struct {
	StoreID    string `json:"storeId"`
	ChannelKey string `json:"channelKey"`
	Method     struct {
		Card *struct {
			Credential credentialInput `json:"credential"`
		} `json:"card"`
	} `json:"method"`
	Customer   customerInput `json:"customer"`
	CustomData string        `json:"customData"`
	NoticeURLs []string      `json:"noticeUrls"`
	Quiet      bool          `json:"skipWebhook"`
}

// A keyAnswer is PortOne's BillingKeyInfo, both variants of the union in one.
type keyAnswer struct {
	Status      string           `json:"status"`
	BillingKey  string           `json:"billingKey"`
	MerchantID  string           `json:"merchantId"`
	StoreID     string           `json:"storeId"`
	Methods     []keyMethod      `json:"methods"`
	Channels    []channelAnswer  `json:"channels"`
	Customer    payment.Customer `json:"customer"`
	CustomData  string           `json:"customData,omitempty"`
	RequestedAt string           `json:"requestedAt"`
	IssuedAt    string           `json:"issuedAt"`
	DeletedAt   string           `json:"deletedAt,omitempty"`
}

type keyMethod struct {
	Type string      `json:"type"`
	Card *cardAnswer `json:"card,omitempty"`
}

// issueKey has a billing key issued for a card.
func (a *API) issueKey(c *call) (any, error) {
	var in keyBody
	if err := c.body(&in); err != nil {
		return nil, err
	}
	if in.Method.Card == nil {
		return nil, fault.Errorf(fault.Invalid, "method must hold card")
	}
	caller, err := a.target(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	customer, err := in.Customer.output()
	if err != nil {
		return nil, err
	}
	k, err := a.Actions.IssueKey(c.ctx(), caller, action.KeyRequest{
		Channel: merchant.ChannelKey(in.ChannelKey), Card: in.Method.Card.Credential.card(), Customer: customer,
		CustomData: in.CustomData, NoticeURLs: in.NoticeURLs, Quiet: in.Quiet, IDs: c.ids,
	})
	if fault.Is(err, fault.NotFound) {
		err = named{err, "CHANNEL_NOT_FOUND"}
	}
	if err != nil {
		return nil, err
	}
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	var out struct {
		Info struct {
			BillingKey string          `json:"billingKey"`
			Channels   []channelAnswer `json:"channels"`
			IssuedAt   string          `json:"issuedAt"`
		} `json:"billingKeyInfo"`
	}
	shown := v.key(k)
	out.Info.BillingKey, out.Info.Channels, out.Info.IssuedAt = shown.BillingKey, shown.Channels, shown.IssuedAt
	return out, nil
}

// key is a billing key as answers have it. One that is being deleted is issued yet.
func (v *view) key(k payment.BillingKey) keyAnswer {
	status := string(payment.KeyIssued)
	if k.State == payment.KeyDeleted {
		status = string(payment.KeyDeleted)
	}
	return keyAnswer{
		Status: status, BillingKey: string(k.ID), MerchantID: string(k.Merchant), StoreID: string(k.Store),
		Methods:  []keyMethod{{"BillingKeyPaymentMethodCard", cardOf(k.Card)}},
		Channels: []channelAnswer{*channelOf(v.channels[k.Channel], k.Channel, k.Mode)},
		Customer: k.Customer, CustomData: k.CustomData, RequestedAt: at(k.RequestedAt), IssuedAt: at(k.IssuedAt), DeletedAt: at(k.DeletedAt),
	}
}

// getKey answers with one billing key that was issued.
func (a *API) getKey(c *call) (any, error) {
	caller, err := a.target(c, c.r.URL.Query().Get("storeId"))
	if err != nil {
		return nil, err
	}
	k, err := a.Store.BillingKey(c.ctx(), caller.Store, payment.BillingKeyID(c.part), caller.Mode)
	if err == nil && (k.State == payment.KeyReady || k.State == payment.KeyFailed) {
		err = payment.ErrNoKey
	}
	if err != nil {
		return nil, nameKey(err)
	}
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	return v.key(k), nil
}

// deleteKey has a billing key deleted. All that it is asked by is in the query.
func (a *API) deleteKey(c *call) (any, error) {
	query := c.r.URL.Query()
	quiet, err := strconv.ParseBool(cmp.Or(query.Get("skipWebhook"), "false"))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "skipWebhook: want true or false")
	}
	caller, err := a.target(c, query.Get("storeId"))
	if err != nil {
		return nil, err
	}
	deleted, err := a.Actions.DeleteKey(c.ctx(), caller, payment.BillingKeyID(c.part), quiet)
	if err != nil {
		return nil, nameKey(err)
	}
	return struct {
		DeletedAt string `json:"deletedAt"`
	}{at(deleted)}, nil
}

// A keyFilter is PortOne's BillingKeyFilterInput.
type keyFilter struct {
	StoreID       string    `json:"storeId"`
	TimeField     string    `json:"timeRangeField"`
	From          string    `json:"from"`
	Until         string    `json:"until"`
	Status        []string  `json:"status"`
	ChannelGroups []string  `json:"channelGroupIds"`
	CustomerID    string    `json:"customerId"`
	PlatformType  string    `json:"platformType"`
	TextSearch    *struct{} `json:"textSearch"`
	PGProviders   []string  `json:"pgProviders"`
	PGCompanies   []string  `json:"pgCompanies"`
	Methods       []string  `json:"methods"`
	Version       string    `json:"version"`
}

// A sortInput is what a list is to be ordered by.
type sortInput struct {
	By    string `json:"by"`
	Order string `json:"order"`
}

var (
	keyTimes  = words("REQUESTED_AT ISSUED_AT DELETED_AT STATUS_TIMESTAMP")
	keyStates = words("ISSUED DELETED")
)

// check reports fault.Invalid for what the filter cannot mean, and for what keys are
// not listed by here.
func (f keyFilter) check(s sortInput) error {
	if f.CustomerID != "" || f.TextSearch != nil || len(f.PGProviders)+len(f.PGCompanies)+len(f.Methods)+len(f.ChannelGroups) > 0 || f.PlatformType != "" {
		return fault.Errorf(fault.Invalid, "filter: billing keys are listed by storeId, status, version, timeRangeField, from and until")
	}
	for _, err := range []error{
		oneOf("timeRangeField", f.TimeField, keyTimes), oneOf("version", f.Version, versions), eachOf("status", f.Status, keyStates),
		oneOf("sort.by", s.By, keyTimes), oneOf("sort.order", s.Order, sortOrders),
	} {
		if err != nil {
			return err
		}
	}
	if s.By != "" && byChange(s.By) != byChange(f.TimeField) {
		return fault.Errorf(fault.Invalid, "sort.by: billing keys are ordered by the time that timeRangeField names")
	}
	return nil
}

// byChange reports whether a time is that of the key's state.
func byChange(field string) bool { return field == "DELETED_AT" || field == "STATUS_TIMESTAMP" }

// getKeys answers with one page of the billing keys that a filter takes.
func (a *API) getKeys(c *call) (any, error) {
	var in struct {
		Page   pageInput `json:"page"`
		Sort   sortInput `json:"sort"`
		Filter keyFilter `json:"filter"`
	}
	if err := c.input(&in); err != nil {
		return nil, err
	}
	if err := in.Filter.check(in.Sort); err != nil {
		return nil, err
	}
	f := in.Filter
	w, number, err := a.window(c, in.Page, in.Sort, f.StoreID, f.From, f.Until)
	if err != nil {
		return nil, err
	}
	l := store.KeyList{Window: w, ByChange: byChange(f.TimeField), Issued: len(f.Status) == 0, Deleted: len(f.Status) == 0}
	for _, s := range f.Status {
		l.Issued, l.Deleted = l.Issued || s == "ISSUED", l.Deleted || s == "DELETED"
	}
	if f.TimeField == "DELETED_AT" {
		l.Issued = false
	}
	if f.Version == "V1" {
		l.Stores = nil // there are none
	}
	list, total, err := a.Store.BillingKeys(c.ctx(), l)
	if err != nil {
		return nil, err
	}
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	items := make([]any, len(list))
	for i, k := range list {
		items[i] = v.key(k)
	}
	return listAnswer{items, &pageAnswer{number, w.Size, total}}, nil
}

// maxPage is how many billing keys or schedules are on a page at most.
const maxPage = 1000

// window is the part of a list of billing keys or schedules that is asked for, the
// newest first unless it is sorted otherwise.
func (a *API) window(c *call, p pageInput, s sortInput, storeID, from, until string) (w store.Window, number int, err error) {
	number, w.Size, err = p.read()
	if err == nil && w.Size > maxPage {
		err = fault.Errorf(fault.Invalid, "page.size must be at most %d", maxPage)
	}
	if err != nil {
		return w, number, err
	}
	w.Offset, w.Ascending = number*w.Size, s.Order == "ASC"
	if w.From, w.Until, err = window(from, until, time.Now()); err != nil {
		return w, number, err
	}
	covered, err := a.reach(c, storeID)
	w.Stores, w.Modes = covered.stores, covered.modes
	return w, number, err
}
