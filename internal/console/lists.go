package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// A listed is what stands around the rows of a list: how many there are, where it was cut,
// and where its other parts are. The part "listed" of the templates shows it.
type listed struct {
	Count        string // empty on other parts than the newest
	Cut          string // that not all was looked at; empty if it was
	Floor        string // that what is older was pruned; empty if nothing was
	Newer, Older string // paths; empty if there is nothing
}

// listedOf is what stands around a part of a list.
func listedOf[Row any](v *visit, l store.Listed[Row]) listed {
	out := listed{Newer: v.part("newer", l.Newer), Older: v.part("older", l.Older)}
	if v.asked() == (store.Page{}) {
		out.Count = v.count(l.Count)
	}
	if l.Cut {
		out.Cut = v.t("list.cut", "n", store.MostLooked)
	}
	if !l.Floor.IsZero() && l.Older == "" {
		out.Floor = v.t("list.floor", "day", l.Floor.In(page.Location(v.zone())).Format(time.DateOnly))
	}
	return out
}

// count writes how many rows a list has.
func (v *visit) count(c store.Count) string {
	if c.More {
		return v.t("list.count_more", "n", c.N)
	}
	return v.t("list.count", "n", c.N)
}

// part is the address of another part of the list: behind or before a cursor.
func (v *visit) part(which, cursor string) string {
	if cursor == "" {
		return ""
	}
	q := v.r.URL.Query()
	q.Del("older")
	q.Del("newer")
	q.Set(which, cursor)
	return v.r.URL.EscapedPath() + query(q.Encode())
}

// asked is the part of a list that the address asks for.
func (v *visit) asked() store.Page {
	return store.Page{Older: v.query("older"), Newer: v.query("newer")}
}

// reading is the scope in which a list is read.
func (v *visit) reading() store.Scope {
	return store.Scope{Merchant: v.Scope.Merchant, Store: v.Scope.Store, Mode: v.Scope.Mode}
}

// A filtering reads the filters of a list from its address, and notes what is wrong with
// them and which are in force.
type filtering struct {
	v        *visit
	Mistakes []mistake
	Active   []string // names of parameters
}

// text is a filter as it was typed; empty if it is not in force.
func (f *filtering) text(name string) string {
	value := f.v.query(name)
	if value != "" {
		f.Active = append(f.Active, name)
	}
	return value
}

// tick reports whether a filter that is on or off is on.
func (f *filtering) tick(name string) bool {
	on := f.v.query(name) == "on"
	if on {
		f.Active = append(f.Active, name)
	}
	return on
}

// one is a filter that is one of some values; anything else is a mistake.
func (f *filtering) one(name string, values ...string) string {
	got := f.text(name)
	if slices.Contains(values, got) {
		return got
	}
	if got != "" {
		f.Mistakes = append(f.Mistakes, mistake{name, f.v.t("list.unknown", "value", page.Visible(got))})
	}
	return ""
}

// period is a stretch of days in the visitor's zone, or of times that a chart links to;
// zero where it is open.
func (f *filtering) period() (from, until time.Time) {
	from, _ = f.moment("from")
	until, day := f.moment("until")
	if day {
		until = until.AddDate(0, 0, 1).Add(-time.Microsecond)
	}
	if !from.IsZero() && !until.IsZero() && until.Before(from) {
		f.Mistakes = append(f.Mistakes, mistake{"until", f.v.t("list.period_backwards")})
	}
	return from, until
}

// moment reads a day or a time; day says which of them it is.
func (f *filtering) moment(name string) (t time.Time, day bool) {
	value := f.text(name)
	if value == "" {
		return t, false
	}
	at := page.Location(f.v.zone())
	if t, err := time.ParseInLocation(time.DateOnly, value, at); err == nil {
		return t, true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, value, at); err == nil {
			return t, false
		}
	}
	f.Mistakes = append(f.Mistakes, mistake{name, f.v.t("list.no_day", "value", page.Visible(value))})
	return time.Time{}, false
}

// amount is an amount in minor units of won; nil if it is not in force.
func (f *filtering) amount(name string) *int64 {
	value := f.text(name)
	if value == "" {
		return nil
	}
	n, ok := wonOf(value)
	if !ok {
		f.Mistakes = append(f.Mistakes, mistake{name, f.v.t("list.no_amount", "value", page.Visible(value))})
		return nil
	}
	return &n
}

// wonOf reads an amount as people write it: 59000, 59,000, ₩59,000, 59,000원.
func wonOf(text string) (int64, bool) {
	digits := strings.NewReplacer(",", "", " ", "", "₩", "", "￦", "", "원", "").Replace(text)
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n >= 0
}

// sumOf reads an amount as money is shown in a currency, 12.50 USD, and returns it in the
// smallest unit.
func sumOf(text string, c payment.Currency) (int64, bool) {
	n := c.Decimals()
	if n == 0 {
		return wonOf(strings.TrimSuffix(text, string(c)))
	}
	whole, part, _ := strings.Cut(strings.NewReplacer(",", "", " ", "", string(c), "").Replace(text), ".")
	if len(part) > n || whole == "" || strings.Trim(whole+part, "0123456789") != "" {
		return 0, false
	}
	return wonOf(whole + part + strings.Repeat("0", n-len(part)))
}

// channels are the channels of the scope's stores that the visitor may know of, in use or
// not.
func (v *visit) channels() (out []merchant.Channel) {
	for _, c := range v.All.Channels {
		if c.Merchant != v.Member.Merchant || c.Mode != v.Scope.Mode {
			continue
		}
		for _, s := range v.stores() {
			if (v.Scope.Store == "" || v.Scope.Store == s.ID) && c.UsedBy(s.ID) {
				out = append(out, c)
				break
			}
		}
	}
	return out
}

// channelName is a channel of the visitor's merchant by the name that people gave it; of
// another's its key, which the visitor has already.
func (v *visit) channelName(key merchant.ChannelKey) string {
	for _, c := range v.All.Channels {
		if c.Key == key && (c.Merchant == v.Member.Merchant || v.May(member.Operate)) {
			if c.Name != "" {
				return c.Name
			}
			return c.Provider
		}
	}
	return string(key)
}

// storeName is a store that the visitor may see, by its name.
func (v *visit) storeName(id merchant.StoreID) string {
	s, _ := v.store(id)
	return s.Name
}

// without is the page's own address without some parameters, and without cursors.
func (v *visit) without(names ...string) string {
	q := v.r.URL.Query()
	for _, name := range append(names, "older", "newer") {
		q.Del(name)
	}
	return v.r.URL.EscapedPath() + query(q.Encode())
}

// object is the address of a thing in a scope, which may be another than the page's.
func object(s store.Scope, section, id string) string {
	return scope{Store: s.Store, Mode: s.Mode}.Base() + "/" + section + "/" + url.PathEscape(id)
}

// manyStores reports whether the page is about more than one store, so that rows say whose
// they are.
func (v *visit) manyStores() bool { return v.Scope.Store == "" && len(v.stores()) > 1 }

// Query is a parameter of the page's address, as it was given.
func (v view) Query(name string) string { return v.visit.query(name) }

// Options are the choices of a filter, of which the one in the address is chosen.
func (v view) Options(name string, list []option) []option {
	out := make([]option, len(list))
	for i, o := range list {
		o.Chosen = o.Value == v.visit.query(name)
		out[i] = o
	}
	return out
}

// Without is the page's address without all its parameters.
func (v view) Without() string { return v.visit.r.URL.EscapedPath() }
