package settings

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
)

// NewKey makes the name of a V1 key, as long as PortOne's: 16 digits.
func NewKey() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return fmt.Sprintf("%016d", binary.BigEndian.Uint64(b[:])%1e16)
}

// access declares who may call the API of a store, with what and from where.
func (d *declarer) access(p part) error {
	for _, f := range p.file.APISecrets {
		if err := d.apiSecret(p, f); err != nil {
			return fail(inside(p.where, "api_secret", cmp.Or(f.Name, f.ID)), err)
		}
	}
	for _, f := range p.file.APIKeys {
		if err := d.apiKey(p, f); err != nil {
			return fail(inside(p.where, "api_key", f.Key), err)
		}
	}
	for _, f := range p.file.Allows {
		if err := d.allow(p, f); err != nil {
			return fail(inside(p.where, "allow", f.Scope), err)
		}
	}
	return nil
}

// shortSecret is how long a secret must be that opens live payments, so that nobody
// can guess it.
const shortSecret = 16

// A credential is what the file says of an API secret or key, and what becomes of
// it: a mode, an expiry, and a value of which only the hash is kept.
type credential struct {
	purpose string
	mode    string
	value   *secret.Text
	expires any

	to   *merchant.Mode
	till *time.Time
	hash *string
}

func (d *declarer) credential(p part, c *Change, f credential) error {
	if f.mode != "" || *f.to == "" {
		to, err := d.next.keyMode(f.mode, p.store.ID)
		if err != nil {
			return err
		}
		set(&c.Fields, "mode", f.to, &to)
	}
	if f.expires != nil {
		till, err := expiry(f.expires)
		if err != nil {
			return err
		}
		set(&c.Fields, "expires_at", f.till, &till)
	}
	value := f.value
	if value == nil {
		if *f.hash != "" {
			return nil
		}
		c.Secret = d.NewSecret()
		value = &c.Secret
	}
	if *value == "" {
		return invalid("secret is empty: leave it out to have one made")
	}
	to := d.Hash(f.purpose, value.Reveal())
	if to != *f.hash && *f.to != merchant.Test && len(value.Reveal()) < shortSecret {
		return invalid("secret is shorter than %d characters and opens live payments: leave it out to have one made", shortSecret)
	}
	set(&c.Fields, "secret", f.hash, &to)
	return nil
}

// findSecret returns where the declared API secret is, or -1 if it is new or, by an
// id, gone.
func (d *declarer) findSecret(p part, f APISecretFile) (int, error) {
	if f.ID == "" {
		if f.Name == "" {
			return 0, invalid("an api_secret needs an id or a name")
		}
		return secretNamed(d.next.APISecrets, p.store.ID, f.Name), nil
	}
	i := slices.IndexFunc(d.next.APISecrets, func(s APISecret) bool { return s.ID == f.ID && s.Store == p.store.ID })
	if i < 0 && !f.Absent {
		return 0, noSuch("api_secret", f.ID)
	}
	return i, nil
}

func secretNamed(list []APISecret, s merchant.StoreID, name string) int {
	return slices.IndexFunc(list, func(a APISecret) bool { return a.Store == s && a.Name == name })
}

func (d *declarer) apiSecret(p part, f APISecretFile) error {
	i, err := d.findSecret(p, f)
	if err != nil {
		return err
	}
	if f.Absent {
		return d.dropSecret(p, i, f)
	}
	if f.New && i >= 0 {
		return errThere
	}
	c := Change{What: "api_secret", Where: p.where}
	s := APISecret{APISecret: merchant.APISecret{Merchant: p.store.Merchant, Store: p.store.ID}}
	if i >= 0 {
		s = d.next.APISecrets[i]
	} else {
		s.ID = d.NewID()
	}
	if err := d.nameSecret(&s, &c, f); err != nil {
		return err
	}
	if err := d.credential(p, &c, credential{PurposeAPISecret, f.Mode, f.Secret, f.ExpiresAt, &s.Mode, &s.ExpiresAt, &s.Hash}); err != nil {
		return err
	}
	for _, o := range d.next.APISecrets {
		if o.ID != s.ID && o.Hash == s.Hash {
			return fault.Errorf(fault.Conflict, "the secret is in use already: each api_secret needs its own")
		}
	}
	if i >= 0 {
		d.next.APISecrets[i] = s
	} else {
		d.next.APISecrets = append(d.next.APISecrets, s)
	}
	c.Name, c.ID = s.Name, s.ID
	d.made(i < 0, c)
	return d.once("api_secret", s.ID)
}

// nameSecret gives an API secret its name, which is its own in the store. One that
// is renamed cannot have a name that another gives up in the same file.
func (d *declarer) nameSecret(s *APISecret, c *Change, f APISecretFile) error {
	renamed := s.Name != "" // and not new
	if f.Name != "" {
		set(&c.Fields, "name", &s.Name, &f.Name)
	}
	lists := [][]APISecret{d.next.APISecrets}
	if renamed && slices.Contains(c.Fields, "name") {
		stays := slices.DeleteFunc(slices.Clone(d.current.APISecrets), func(o APISecret) bool {
			return !slices.ContainsFunc(d.next.APISecrets, func(n APISecret) bool { return n.ID == o.ID })
		})
		lists = append(lists, stays)
	}
	for _, list := range lists {
		if i := secretNamed(list, s.Store, s.Name); i >= 0 && list[i].ID != s.ID {
			return fault.Errorf(fault.Conflict, "the store has another api_secret of this name")
		}
	}
	return d.once("api_secret", string(s.Store)+s.Name)
}

func (d *declarer) dropSecret(p part, i int, f APISecretFile) error {
	if f.ID == "" {
		if err := d.once("api_secret", string(p.store.ID)+f.Name); err != nil {
			return err
		}
	}
	if i < 0 {
		return nil
	}
	s := d.next.APISecrets[i]
	d.next.APISecrets = slices.Delete(d.next.APISecrets, i, i+1)
	d.changes = append(d.changes, Change{Kind: Deleted, What: "api_secret", Where: p.where, Name: s.Name, ID: s.ID})
	return d.once("api_secret", s.ID)
}

func (d *declarer) apiKey(p part, f APIKeyFile) error {
	if f.Key == "" {
		return invalid("an api_key needs a key")
	}
	if err := d.once("api_key", string(p.store.ID)+f.Key); err != nil {
		return err
	}
	i := slices.IndexFunc(d.next.APIKeys, func(k APIKey) bool { return k.Key == f.Key })
	if i >= 0 && d.next.APIKeys[i].Store != p.store.ID {
		return fault.Errorf(fault.Conflict, "the key is in use on this installation: choose another")
	}
	c := Change{What: "api_key", Where: p.where, Name: f.Key}
	if f.Absent {
		if i >= 0 {
			c.Kind, c.ID = Deleted, d.next.APIKeys[i].ID
			d.next.APIKeys = slices.Delete(d.next.APIKeys, i, i+1)
			d.changes = append(d.changes, c)
		}
		return nil
	}
	if f.New && i >= 0 {
		return errThere
	}
	k := APIKey{APIKey: merchant.APIKey{Merchant: p.store.Merchant, Store: p.store.ID, Key: f.Key}}
	if i >= 0 {
		k = d.next.APIKeys[i]
	} else {
		k.ID = d.NewID()
	}
	if err := d.credential(p, &c, credential{PurposeAPIKey, f.Mode, f.Secret, f.ExpiresAt, &k.Mode, &k.ExpiresAt, &k.Hash}); err != nil {
		return err
	}
	if i >= 0 {
		d.next.APIKeys[i] = k
	} else {
		d.next.APIKeys = append(d.next.APIKeys, k)
	}
	c.ID = k.ID
	d.made(i < 0, c)
	return nil
}

func (d *declarer) allow(p part, f AllowFile) error {
	scope := merchant.AllowScope(f.Scope)
	if err := oneOf("scope", scope, merchant.AllowAPI, merchant.AllowConsole); err != nil {
		return err
	}
	cidr, err := ParseBlock(f.CIDR)
	if err != nil {
		return err
	}
	if err := d.once("allow", string(p.store.ID)+f.Scope+cidr.String()); err != nil {
		return err
	}
	i := slices.IndexFunc(d.next.Allows, func(w merchant.Allow) bool {
		return w.Store == p.store.ID && w.Scope == scope && w.CIDR == cidr
	})
	c := Change{What: "allow", Where: p.where, Name: f.Scope + " " + cidr.String()}
	to := merchant.Allow{Store: p.store.ID, Scope: scope, CIDR: cidr}
	until := f.Until.UTC().Truncate(time.Microsecond) // as it is stored
	switch on := !until.IsZero(); {
	case f.Absent && i < 0:
		return nil
	case f.Absent && !on:
		c.Kind = Deleted
		d.next.Allows = slices.Delete(d.next.Allows, i, i+1)
		d.changes = append(d.changes, c)
		return nil
	case f.Absent:
		to.Trial, to.Until = merchant.Going, until
	case on && (i < 0 || d.next.Allows[i].Trial == merchant.Coming):
		to.Trial, to.Until = merchant.Coming, until
	}
	if i < 0 {
		d.next.Allows = append(d.next.Allows, to)
	} else {
		set(&c.Fields, "trial", &d.next.Allows[i], &to)
	}
	d.made(i < 0, c)
	if i < 0 && Wide(cidr) {
		c.Kind, c.Fields = Warning, nil
		c.Key, c.Args = "apply.warn.wide", []any{"first", Opens(cidr).First, "last", Opens(cidr).Last, "count", Opens(cidr).Count}
		d.changes = append(d.changes, c)
	}
	return nil
}
