package v2

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// A paymentFilter is PortOne's PaymentFilterInput.
type paymentFilter struct {
	MerchantID          string       `json:"merchantId"`
	StoreID             string       `json:"storeId"`
	TimestampType       string       `json:"timestampType"`
	From                string       `json:"from"`
	Until               string       `json:"until"`
	Status              []string     `json:"status"`
	Methods             []string     `json:"methods"`
	PGProvider          []string     `json:"pgProvider"`
	IsTest              *bool        `json:"isTest"`
	IsScheduled         *bool        `json:"isScheduled"`
	SortBy              string       `json:"sortBy"`
	SortOrder           string       `json:"sortOrder"`
	Version             string       `json:"version"`
	WebhookStatus       string       `json:"webhookStatus"`
	PlatformType        string       `json:"platformType"`
	Currency            string       `json:"currency"`
	IsEscrow            *bool        `json:"isEscrow"`
	EscrowStatus        string       `json:"escrowStatus"`
	CardBrand           string       `json:"cardBrand"`
	CardType            string       `json:"cardType"`
	CardOwnerType       string       `json:"cardOwnerType"`
	GiftCertificateType string       `json:"giftCertificateType"`
	CashReceiptType     string       `json:"cashReceiptType"`
	CashReceiptStatus   string       `json:"cashReceiptStatus"`
	CashReceiptIssued   *struct{}    `json:"cashReceiptIssuedAtRange"`
	CashReceiptCancel   *struct{}    `json:"cashReceiptCancelledAtRange"`
	TextSearch          []textSearch `json:"textSearch"`
}

type textSearch struct {
	Field string `json:"field"`
	Value string `json:"value"`
}

// maxSearch is how many texts a list is searched for at once.
const maxSearch = 10

// check reports fault.Invalid for what the filter cannot mean, and for what it
// cannot be answered by.
func (f paymentFilter) check() error {
	errs := []error{
		oneOf("timestampType", f.TimestampType, timestampTypes), oneOf("sortBy", f.SortBy, sortKeys),
		oneOf("sortOrder", f.SortOrder, sortOrders), oneOf("version", f.Version, versions),
		oneOf("platformType", f.PlatformType, clientTypes), oneOf("escrowStatus", f.EscrowStatus, escrowStates),
		oneOf("cardBrand", f.CardBrand, cardBrands), oneOf("cardType", f.CardType, cardTypes),
		oneOf("cardOwnerType", f.CardOwnerType, cardOwners), oneOf("giftCertificateType", f.GiftCertificateType, giftTypes),
		eachOf("methods", f.Methods, methodTypes), eachOf("pgProvider", f.PGProvider, pgProviders),
	}
	if f.Currency != "" {
		errs = append(errs, action.CheckCurrency(payment.Currency(f.Currency)))
	}
	for _, s := range f.Status {
		if _, ok := paymentStates[s]; !ok {
			errs = append(errs, fault.Errorf(fault.Invalid, "filter.status: %.60q is no status of a payment", s))
		}
	}
	if f.WebhookStatus != "" {
		errs = append(errs, fault.Errorf(fault.Invalid, "filter.webhookStatus: payments are not listed by their webhooks here"))
	}
	if f.IsScheduled != nil || f.CardBrand+f.CardType+f.CardOwnerType != "" {
		errs = append(errs, fault.Errorf(fault.Invalid, "filter: payments are not listed by their schedules and cards here, which are sealed; GET /payment-schedules lists schedules"))
	}
	if f.CashReceiptType != "" || f.CashReceiptStatus != "" || f.CashReceiptIssued != nil || f.CashReceiptCancel != nil {
		errs = append(errs, fault.Errorf(fault.Invalid, "filter: payments are not listed by their cash receipts here, which are sealed"))
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return f.checkSearch()
}

func eachOf(field string, values, list []string) error {
	for _, v := range values {
		if v == "" || oneOf(field, v, list) != nil {
			return cmp.Or(oneOf(field, v, list), fault.Errorf(fault.Invalid, "filter.%s holds an empty text", field))
		}
	}
	return nil
}

func (f paymentFilter) checkSearch() error {
	if len(f.TextSearch) > maxSearch {
		return fault.Errorf(fault.Invalid, "filter.textSearch has %d texts: at most %d", len(f.TextSearch), maxSearch)
	}
	for _, s := range f.TextSearch {
		_, named := nameKinds[s.Field]
		switch {
		case slices.Contains(sealedFields, s.Field):
			return fault.Errorf(fault.Invalid, "filter.textSearch: payments are not found by %s here, which is sealed", s.Field)
		case !named && s.Field != byMerchantID && !slices.Contains(absentFields, s.Field):
			return fault.Errorf(fault.Invalid, "filter.textSearch.field: %.60q is no field", s.Field)
		case s.Value == "" || len(s.Value) > maxSearchText || strings.ContainsRune(s.Value, 0):
			return fault.Errorf(fault.Invalid, "filter.textSearch.value must have 1 to %d bytes and no NUL", maxSearchText)
		}
	}
	return nil
}

const maxSearchText = 1000

// errNothing says that a filter is sound, and that no payment here can be what
// it asks for.
var errNothing = errors.New("nothing here is asked for")

// absent reports whether a filter asks for what no payment here has: escrow, gift
// certificates, a browser, PortOne's V1, other methods.
func (f paymentFilter) absent() bool {
	is := func(b *bool) bool { return b != nil && *b }
	return f.Version == "V1" || is(f.IsEscrow) || f.PlatformType != "" && f.PlatformType != "API" ||
		f.EscrowStatus+f.GiftCertificateType != "" || len(f.Methods) > 0 && len(f.methods()) == 0 ||
		slices.ContainsFunc(f.TextSearch, func(s textSearch) bool { return slices.Contains(absentFields, s.Field) })
}

// methods are those that are asked for and that payments here are paid by.
func (f paymentFilter) methods() (out []payment.Method) {
	for _, m := range []payment.Method{payment.VirtualAccount, payment.ByCard, payment.ByWallet} {
		if slices.Contains(f.Methods, string(m)) {
			out = append(out, m)
		}
	}
	return out
}

// list is what a checked filter asks of the store, for a credential that sees
// what in covers. It reports errNothing if that is nothing.
func (f paymentFilter) list(in reach, channels []merchant.Channel, now time.Time) (l store.PaymentList, err error) {
	l.From, l.Until, err = window(f.From, f.Until, now)
	if err != nil {
		return l, err
	}
	if f.absent() {
		return l, errNothing
	}
	l.Stores, l.Modes = in.stores, in.modes
	if f.IsTest != nil {
		l.Modes = slices.DeleteFunc(slices.Clone(l.Modes), func(m merchant.Mode) bool { return (m == merchant.Test) != *f.IsTest })
	}
	for _, s := range f.Status {
		if state := paymentStates[s]; !slices.Contains(l.States, state) {
			l.States = append(l.States, state)
		}
	}
	l.Changed = f.TimestampType != "CREATED_AT"
	l.ByChange = l.Changed
	if f.SortBy != "" {
		l.ByChange = f.SortBy == "STATUS_CHANGED_AT"
	}
	l.Ascending = f.SortOrder == "ASC"
	l.Currency = payment.Currency(f.Currency)
	l.Methods = f.methods()
	f.name(&l, channels)
	if len(l.Modes) == 0 || f.ofChannels() && len(l.Channels) == 0 {
		return l, errNothing
	}
	return l, nil
}

// ofChannels reports whether only payments of some channels are asked for.
func (f paymentFilter) ofChannels() bool {
	return len(f.PGProvider) > 0 || slices.ContainsFunc(f.TextSearch, func(s textSearch) bool { return s.Field == byMerchantID })
}

// name puts the names and channels into a list that are asked for, given the
// merchant's channels.
func (f paymentFilter) name(l *store.PaymentList, channels []merchant.Channel) {
	for _, s := range f.TextSearch {
		if kind, ok := nameKinds[s.Field]; ok {
			l.Names = append(l.Names, store.PaymentName{Kind: kind, Value: s.Value})
		}
	}
	for _, c := range channels {
		l.Within = append(l.Within, c.Key)
		if f.ofChannels() && f.takes(c) {
			l.Channels = append(l.Channels, c.Key)
		}
	}
}

// takes reports whether payments of a channel are asked for.
func (f paymentFilter) takes(c merchant.Channel) bool {
	if len(f.PGProvider) > 0 && !slices.Contains(f.PGProvider, strings.ToUpper(c.Provider)) {
		return false
	}
	return !slices.ContainsFunc(f.TextSearch, func(s textSearch) bool { return s.Field == byMerchantID && s.Value != c.MID })
}

// usualWindow is how far a list reaches back if nothing is said.
const usualWindow = 90 * 24 * time.Hour

// window reads the times that bound a list. Without an end it ends now, even
// where it begins later by the client's clock.
func window(from, until string, now time.Time) (first, last time.Time, err error) {
	last = now
	if until != "" {
		if last, err = moment("until", until); err != nil {
			return first, last, err
		}
	}
	first = last.Add(-usualWindow)
	if from != "" {
		if first, err = moment("from", from); err != nil {
			return first, last, err
		}
	}
	if from != "" && until != "" && first.After(last) {
		return first, last, fault.Errorf(fault.Invalid, "from is after until")
	}
	return first, last, nil
}

func moment(field, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fault.Errorf(fault.Invalid, "%s: %.60q is no time, such as 2026-08-01T00:00:00Z", field, text)
	}
	return t.UTC(), nil
}
