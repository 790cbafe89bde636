package settings

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// An Env is what Declare takes from outside. Every field is required.
type Env struct {
	Now       time.Time
	NewID     func() string                           // UUIDv7s
	NewUUID4  func() string                           // for ids that PortOne shows
	NewSecret func() secret.Text                      // API secrets
	Hash      func(purpose, value string) string      // the installation's keyed hash
	Providers func(code string) (provider.Info, bool) // the PG modules of this build
}

// NewSecret makes an API secret: 32 random bytes as 64 hexadecimal digits.
func NewSecret() secret.Text {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return secret.Text(hex.EncodeToString(b[:]))
}

// Declare returns what the settings become when f is applied, and what that
// changes: nothing if it was applied before. Only mentioned fields change, and
// only what is marked absent is deleted. A secret left out is made, once, and
// is in the Change that tells of it. current is left as it is; next has its
// version.
//
// It reports fault.Invalid, naming the place, for what cannot work, and
// fault.Conflict for what another merchant or store already has.
func Declare(current All, f File, e Env) (next All, changes []Change, err error) {
	e.Now = e.Now.UTC().Truncate(time.Microsecond) // as it is stored
	d := &declarer{Env: e, current: current, next: current.clone(), declared: make(map[string]bool)}
	parts, err := d.stores(f)
	if err != nil {
		return All{}, nil, err
	}
	// Channels before what takes its mode from them, in all stores: a channel
	// may be assigned to a store of another part.
	for _, step := range []func(part) error{d.channels, d.endpoints, d.access} {
		for _, p := range parts {
			if err := step(p); err != nil {
				return All{}, nil, err
			}
		}
	}
	d.unheard(parts)
	return d.next, d.changes, nil
}

// clone returns a copy whose lists can be changed. Their elements are
// replaced, never changed in place.
func (a All) clone() All {
	a.Merchants = slices.Clone(a.Merchants)
	a.Stores = slices.Clone(a.Stores)
	a.Channels = slices.Clone(a.Channels)
	a.Endpoints = slices.Clone(a.Endpoints)
	a.APISecrets = slices.Clone(a.APISecrets)
	a.APIKeys = slices.Clone(a.APIKeys)
	a.Allows = slices.Clone(a.Allows)
	return a
}

type declarer struct {
	Env
	current, next All
	changes       []Change
	declared      map[string]bool // what the file has spoken of
	endpointsMade int
}

// A part is a store with what the file says of it.
type part struct {
	store merchant.Store
	file  StoreFile
	where string
}

// fail puts the place before an error and keeps its kind.
func fail(place string, err error) error {
	return fault.Errorf(fault.KindOf(err), "%s: %w", place, err)
}

func invalid(format string, args ...any) error { return fault.Errorf(fault.Invalid, format, args...) }

// inside is the place of a thing within another.
func inside(where, what, name string) string { return fmt.Sprintf("%s › %s %q", where, what, name) }

var (
	errTwice = invalid("it is declared twice in the file")
	errThere = fault.Errorf(fault.Conflict, "it is there already")
)

// once reports fault.Invalid if the file speaks of a thing a second time: it
// would never come to rest.
func (d *declarer) once(what, id string) error {
	at := what + "\x00" + id
	if d.declared[at] {
		return errTwice
	}
	d.declared[at] = true
	return nil
}

// made notes a creation or a change.
func (d *declarer) made(created bool, c Change) {
	c.Kind = Changed
	if created {
		c.Kind, c.Fields = Created, nil
	}
	c.Shown = c.Secret != ""
	if created || len(c.Fields) > 0 {
		d.changes = append(d.changes, c)
	}
}

// set gives a field the value that the file mentions, if any.
func set[T comparable](fields *[]string, name string, field, to *T) {
	if to != nil && *field != *to {
		*field = *to
		*fields = append(*fields, name)
	}
}

// setList is set for lists.
func setList[T comparable](fields *[]string, name string, field *[]T, to []T) {
	if !slices.Equal(*field, to) {
		*field = to
		*fields = append(*fields, name)
	}
}

// stores declares merchants and stores, and returns what is to be declared
// inside them.
func (d *declarer) stores(f File) ([]part, error) {
	var parts []part
	for _, fm := range f.Merchants {
		where := fmt.Sprintf("merchant %q", cmp.Or(fm.Name, fm.ID))
		m, err := d.merchant(fm)
		if err != nil {
			return nil, fail(where, err)
		}
		var undecided []merchant.StoreID
		for _, fs := range fm.Stores {
			s, created, err := d.store(m, fs, where)
			if err != nil {
				return nil, fail(inside(where, "store", nameOf(fs)), err)
			}
			if created && fs.Representative == nil {
				undecided = append(undecided, s)
			}
			parts = append(parts, part{store: merchant.Store{ID: s}, file: fs})
		}
		if err := d.represent(m.ID, undecided); err != nil {
			return nil, fail(where, err)
		}
	}
	for i, p := range parts {
		s := d.next.Stores[d.storeAt(p.store.ID)].Store
		m := d.next.Merchants[slices.IndexFunc(d.next.Merchants, func(m merchant.Merchant) bool { return m.ID == s.Merchant })]
		parts[i].store = s
		parts[i].where = inside(fmt.Sprintf("merchant %q", m.Name), "store", s.Name)
	}
	return parts, nil
}

func nameOf(f StoreFile) string {
	if f.Name != nil {
		return *f.Name
	}
	return f.ID
}

func (d *declarer) merchant(f MerchantFile) (merchant.Merchant, error) {
	if f.Absent {
		return merchant.Merchant{}, invalid("a merchant is never deleted, since payments belong to it: mark its channels, endpoints and keys absent instead")
	}
	i, err := d.findMerchant(f)
	if err != nil {
		return merchant.Merchant{}, err
	}
	c := Change{What: "merchant"}
	m := merchant.Merchant{ID: merchant.ID(f.ID)}
	switch {
	case i >= 0:
		m = d.next.Merchants[i]
	case m.ID == "":
		m.ID = merchant.ID("merchant-" + d.NewUUID4())
	}
	if f.Name != "" {
		set(&c.Fields, "name", &m.Name, &f.Name)
	}
	if m.Name == "" {
		return m, invalid("a merchant needs a name")
	}
	sameName := func(o merchant.Merchant) bool { return o.ID != m.ID && o.Name == m.Name }
	if slices.ContainsFunc(d.next.Merchants, sameName) || i >= 0 && slices.ContainsFunc(d.current.Merchants, sameName) {
		return m, fault.Errorf(fault.Conflict, "the name is in use on this installation")
	}
	if i >= 0 {
		d.next.Merchants[i] = m
	} else {
		d.next.Merchants = append(d.next.Merchants, m)
	}
	c.Name, c.ID = m.Name, string(m.ID)
	d.made(i < 0, c)
	return m, d.onceByID("merchant", f.ID != "", c.ID)
}

// findMerchant returns where the declared merchant is, or -1 if it is new.
func (d *declarer) findMerchant(f MerchantFile) (int, error) {
	if f.ID != "" {
		return slices.IndexFunc(d.next.Merchants, func(m merchant.Merchant) bool { return string(m.ID) == f.ID }), checkID("merchant-", f.ID)
	}
	if f.Name == "" {
		return 0, invalid("a merchant needs an id or a name")
	}
	return slices.IndexFunc(d.next.Merchants, func(m merchant.Merchant) bool { return m.Name == f.Name }), nil
}

// onceByID is once for what a file may speak of several times, but not once by its id
// and again: that could rename it to and fro.
func (d *declarer) onceByID(what string, byID bool, id string) error {
	spoken, named := what+"\x00"+id, what+" by id\x00"+id
	if d.declared[named] || byID && d.declared[spoken] {
		return errTwice
	}
	d.declared[spoken], d.declared[named] = true, byID
	return nil
}

func (d *declarer) storeAt(id merchant.StoreID) int {
	return slices.IndexFunc(d.next.Stores, func(s Store) bool { return s.ID == id })
}

// findStore returns where the declared store is, or -1 if it is new.
func (d *declarer) findStore(m merchant.ID, f StoreFile) (int, error) {
	if f.ID != "" {
		if err := checkID("store-", f.ID); err != nil {
			return 0, err
		}
		i := d.storeAt(merchant.StoreID(f.ID))
		if i >= 0 && d.next.Stores[i].Merchant != m {
			return 0, fault.Errorf(fault.Conflict, "store id %s is in use on this installation", f.ID)
		}
		return i, nil
	}
	if f.Name == nil {
		return 0, invalid("a store needs an id or a name")
	}
	return slices.IndexFunc(d.next.Stores, func(s Store) bool { return s.Merchant == m && s.Name == *f.Name }), nil
}

func (d *declarer) store(m merchant.Merchant, f StoreFile, where string) (id merchant.StoreID, created bool, err error) {
	if f.Absent {
		return "", false, invalid("a store is never deleted, since payments belong to it: mark its channels, endpoints and keys absent instead")
	}
	i, err := d.findStore(m.ID, f)
	switch {
	case err != nil:
		return "", false, err
	case f.New && i >= 0:
		return "", false, errThere
	}
	var s Store
	c := Change{What: "store", Where: where}
	if created = i < 0; created {
		s = d.newStore(m.ID, f.ID)
		c.Secret = s.NoticeSecret
	} else {
		s = d.next.Stores[i]
	}
	set(&c.Fields, "name", &s.Name, f.Name)
	set(&c.Fields, "representative", &s.Representative, f.Representative)
	set(&c.Fields, "tier_code", &s.TierCode, f.TierCode)
	own := !s.MerchantWebhooks
	set(&c.Fields, "own_webhooks", &own, f.OwnWebhooks)
	s.MerchantWebhooks = !own
	set(&c.Fields, "webhook_first", &s.WebhookFirst, f.WebhookFirst)
	if err := windows(&c, &s, f); err != nil {
		return "", false, err
	}
	if err := d.checkStore(s); err != nil {
		return "", false, err
	}
	if created {
		d.next.Stores = append(d.next.Stores, s)
	} else {
		d.next.Stores[i] = s
	}
	c.Name, c.ID = s.Name, string(s.ID)
	d.made(created, c)
	return s.ID, created, d.once("store", c.ID)
}

func (d *declarer) newStore(m merchant.ID, id string) Store {
	if id == "" {
		id = "store-" + d.NewUUID4()
	}
	return Store{
		Store:        merchant.Store{ID: merchant.StoreID(id), Merchant: m},
		NoticeSecret: webhook.NewSecret(), CreatedAt: d.Now,
	}
}

// checkStore keeps names and tier codes of a merchant apart, since both name
// stores to the outside.
func (d *declarer) checkStore(s Store) error {
	if s.Name == "" {
		return invalid("a store needs a name")
	}
	for _, o := range d.next.Stores {
		switch {
		case o.Merchant != s.Merchant || o.ID == s.ID:
		case o.Name == s.Name:
			return fault.Errorf(fault.Conflict, "the merchant has another store of this name: %s", o.ID)
		case o.TierCode == s.TierCode && s.TierCode != "":
			return fault.Errorf(fault.Conflict, "tier_code %q is that of store %q", s.TierCode, o.Name)
		}
	}
	return nil
}

// represent sees to it that a merchant with stores has one representative
// store. If none was named, it is the first new one that could be.
func (d *declarer) represent(m merchant.ID, undecided []merchant.StoreID) error {
	var all, reps []string
	for _, s := range d.next.Stores {
		if s.Merchant != m {
			continue
		}
		all = append(all, s.Name)
		if s.Representative {
			reps = append(reps, s.Name)
		}
	}
	switch {
	case len(reps) > 1:
		return invalid("stores %q and %q are both representative: say representative = false for one", reps[0], reps[1])
	case len(reps) == 1 || len(all) == 0:
		return nil
	case len(undecided) == 0:
		return invalid("no store is representative: say representative = true for one")
	}
	d.next.Stores[d.storeAt(undecided[0])].Representative = true
	return nil
}

// mergeCredentials returns what credentials become. A field set to the empty
// string is removed; one that is not mentioned stays.
func mergeCredentials(have merchant.Credentials, file map[string]secret.Text) merchant.Credentials {
	out := maps.Clone(have)
	if out == nil {
		out = merchant.Credentials{}
	}
	for name, value := range file {
		if value == "" {
			delete(out, name)
			continue
		}
		out[name] = value
	}
	return out
}
