package v2

import (
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// Sizes of a page if none is said, and of a page by cursor at most.
const (
	usualSize = 10
	maxCursor = 1000
)

// A reach is what a list may cover: the stores that a credential names, in the
// modes that it sees.
type reach struct {
	stores []merchant.StoreID
	modes  []merchant.Mode
}

// reach is what a list with that storeId covers. Without one, a representative
// store's secret covers all stores of its merchant; one of them whose address
// list does not hold the caller's address makes it fault.Forbidden, since
// leaving that store out would be a list with a gap.
func (a *API) reach(c *call, storeID string) (reach, error) {
	var in reach
	for _, m := range []merchant.Mode{merchant.Live, merchant.Test} {
		if c.secret.Mode.Sees(m) {
			in.modes = append(in.modes, m)
		}
	}
	v, err := a.settings(c.ctx())
	if err != nil {
		return in, err
	}
	own, _ := v.directory.Store(c.secret.Store)
	if storeID != "" || !own.Representative {
		caller, err := a.target(c, storeID)
		in.stores = []merchant.StoreID{caller.Store}
		return in, err
	}
	for _, s := range v.stores[c.secret.Merchant] {
		if s != c.secret.Store && v.guarded[s] {
			if err := a.admit(c.r, s); err != nil {
				return in, err
			}
		}
		in.stores = append(in.stores, s)
	}
	return in, nil
}

// input reads what a GET is asked by: the query parameter requestBody, else its
// body.
func (c *call) input(into any) error {
	query, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return fault.Errorf(fault.Invalid, "the query is not percent-encoded")
	}
	if text := query.Get("requestBody"); text != "" {
		return decode([]byte(text), into)
	}
	return c.body(into)
}

// A pageInput is the part of a list that is asked for.
type pageInput struct {
	Number int64  `json:"number"`
	Size   *int64 `json:"size"`
}

// read returns the page's number and size.
func (p pageInput) read() (number, size int, err error) {
	n := int64(usualSize)
	if p.Size != nil {
		n = *p.Size
	}
	switch {
	case p.Number < 0 || n < 1:
		return 0, 0, fault.Errorf(fault.Invalid, "page.number must not be below 0, nor page.size below 1")
	case n > store.MostListed || p.Number > store.MostListed || (p.Number+1)*n > store.MostListed:
		return 0, 0, fault.Errorf(fault.Invalid, "(page.number + 1) * page.size must not be over %d: narrow the filter", store.MostListed)
	}
	return int(p.Number), int(n), nil
}

// A pageAnswer is PortOne's PageInfo.
type pageAnswer struct {
	Number     int `json:"number"`
	Size       int `json:"size"`
	TotalCount int `json:"totalCount"`
}

// getPayments answers with one page of the payments that a filter takes.
func (a *API) getPayments(c *call) (any, error) {
	var in struct {
		Page   pageInput     `json:"page"`
		Filter paymentFilter `json:"filter"`
	}
	if err := c.input(&in); err != nil {
		return nil, err
	}
	number, size, err := in.Page.read()
	if err != nil {
		return nil, err
	}
	if err := in.Filter.check(); err != nil {
		return nil, err
	}
	if id := in.Filter.MerchantID; id != "" && id != string(c.secret.Merchant) {
		return nil, fault.Errorf(fault.Forbidden, "the credential does not reach merchant %.100q", id)
	}
	covered, err := a.reach(c, in.Filter.StoreID)
	if err != nil {
		return nil, err
	}
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	page := &pageAnswer{Number: number, Size: size}
	l, err := in.Filter.list(covered, v.channelsOf(c.secret.Merchant), time.Now())
	if errors.Is(err, errNothing) {
		return listAnswer{Items: []any{}, Page: page}, nil
	}
	if err != nil {
		return nil, err
	}
	l.Offset, l.Size = number*size, size
	keys, total, err := a.Store.Payments(c.ctx(), l)
	if err != nil {
		return nil, err
	}
	page.TotalCount = total
	return a.list(page, func() ([]any, bool, error) {
		some := keys[:min(len(keys), batchSize)]
		keys = keys[len(some):]
		items, err := a.paymentItems(c, some)
		return items, len(keys) > 0, err
	})
}

// paymentItems are the payments with some keys, as lists have them.
func (a *API) paymentItems(c *call, keys []payment.Key) ([]any, error) {
	list, err := a.answers(c, keys)
	items := make([]any, len(list))
	for i, p := range list {
		items[i] = p.answer
	}
	return items, err
}

// A rendered is a payment's answer with its key.
type rendered struct {
	key    payment.Key
	answer *paymentAnswer
}

// answers are the payments with some keys, in their order; those that are gone
// are left out.
func (a *API) answers(c *call, keys []payment.Key) ([]rendered, error) {
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	list, err := a.Store.OpenPayments(c.ctx(), keys)
	if err != nil {
		return nil, err
	}
	webhooks, err := a.Store.WebhooksOf(c.ctx(), keys)
	if err != nil {
		return nil, err
	}
	out := make([]rendered, len(list))
	for i, p := range list {
		out[i] = rendered{p.Key, v.answer(p, webhooks[p.Key])}
	}
	return out, nil
}

// A cursorInput is what the lists by cursor are asked by.
type cursorInput struct {
	StoreID string `json:"storeId"`
	From    string `json:"from"`
	Until   string `json:"until"`
	Cursor  string `json:"cursor"`
	Size    *int64 `json:"size"`
}

// read checks the input and returns the times and the size.
func (in cursorInput) read(now time.Time) (from, until time.Time, size int, err error) {
	n := int64(usualSize)
	if in.Size != nil {
		n = *in.Size
	}
	if n < 1 || n > maxCursor {
		return from, until, 0, fault.Errorf(fault.Invalid, "size must be from 1 to %d", maxCursor)
	}
	from, until, err = window(in.From, in.Until, now)
	return from, until, int(n), err
}

// getPaymentsByCursor answers with payments in the order in which they were
// asked for, the oldest first.
func (a *API) getPaymentsByCursor(c *call) (any, error) {
	var in cursorInput
	if err := c.input(&in); err != nil {
		return nil, err
	}
	from, until, left, err := in.read(time.Now())
	if err != nil {
		return nil, err
	}
	covered, err := a.reach(c, in.StoreID)
	if err != nil {
		return nil, err
	}
	scan := store.PaymentScan{Stores: covered.stores, Modes: covered.modes, From: from, Until: until}
	if scan.After, err = placeOf(in.Cursor); err != nil {
		return nil, err
	}
	return a.list(nil, func() ([]any, bool, error) {
		scan.Size = min(left, batchSize)
		places, err := a.Store.ScanPayments(c.ctx(), scan)
		if err != nil || len(places) == 0 {
			return nil, false, err
		}
		items, err := a.placedItems(c, places)
		left, scan.After = left-len(items), places[len(places)-1]
		return items, left > 0 && len(places) == scan.Size, err
	})
}

// placedItems are the payments at some places, each with its cursor.
func (a *API) placedItems(c *call, places []store.Place) ([]any, error) {
	keys := make([]payment.Key, len(places))
	for i, p := range places {
		keys[i] = p.Key
	}
	list, err := a.answers(c, keys)
	items := make([]any, len(list))
	for i, p := range list {
		items[i] = struct {
			Payment *paymentAnswer `json:"payment"`
			Cursor  string         `json:"cursor"`
		}{p.answer, cursorOf(places[slices.Index(keys, p.key)])}
	}
	return items, err
}

// cursorOf is a place in one text, which placeOf reads.
func cursorOf(p store.Place) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.At.UnixMicro(), 10) + " " + string(p.Key)))
}

func placeOf(cursor string) (store.Place, error) {
	if cursor == "" {
		return store.Place{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	at, key, _ := strings.Cut(string(b), " ")
	us, badTime := strconv.ParseInt(at, 10, 64)
	if err != nil || badTime != nil || key == "" {
		return store.Place{}, errCursor
	}
	return store.Place{At: time.UnixMicro(us), Key: payment.Key(key)}, nil
}

var errCursor = fault.Errorf(fault.Invalid, "the cursor is none of this list")
