package settings

import (
	"slices"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
)

// access declares who may call the API of a store, with what and from where.
func (d *declarer) access(p part) error {
	for _, f := range p.file.APISecrets {
		if err := d.apiSecret(p, f); err != nil {
			return fail(inside(p.where, "api_secret", f.Name), err)
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

// credential is what API secrets and keys have in common: a mode, and a value
// of which only the hash is kept.
func (d *declarer) credential(p part, c *Change, purpose, mode string, value *secret.Text, m *merchant.Mode, hash *string) error {
	if mode != "" || *m == "" {
		to, err := d.next.keyMode(mode, p.store.ID)
		if err != nil {
			return err
		}
		set(&c.Fields, "mode", m, &to)
	}
	if value == nil {
		if *hash != "" {
			return nil
		}
		c.Secret = d.NewSecret()
		value = &c.Secret
	}
	if *value == "" {
		return invalid("secret is empty: leave it out to have one made")
	}
	to := d.Hash(purpose, value.Reveal())
	if to != *hash && *m != merchant.Test && len(value.Reveal()) < shortSecret {
		return invalid("secret is shorter than %d characters and opens live payments: leave it out to have one made", shortSecret)
	}
	set(&c.Fields, "secret", hash, &to)
	return nil
}

func (d *declarer) apiSecret(p part, f fileAPISecret) error {
	if f.Name == "" {
		return invalid("an api_secret needs a name")
	}
	if err := d.once("api_secret", string(p.store.ID)+f.Name); err != nil {
		return err
	}
	i := slices.IndexFunc(d.next.APISecrets, func(s APISecret) bool { return s.Store == p.store.ID && s.Name == f.Name })
	c := Change{What: "api_secret", Where: p.where, Name: f.Name}
	if f.Absent {
		if i >= 0 {
			c.Kind, c.ID = Deleted, d.next.APISecrets[i].ID
			d.next.APISecrets = slices.Delete(d.next.APISecrets, i, i+1)
			d.changes = append(d.changes, c)
		}
		return nil
	}
	s := APISecret{APISecret: merchant.APISecret{Merchant: p.store.Merchant, Store: p.store.ID, Name: f.Name}}
	if i >= 0 {
		s = d.next.APISecrets[i]
	} else {
		s.ID = d.NewID()
	}
	if err := d.credential(p, &c, PurposeAPISecret, f.Mode, f.Secret, &s.Mode, &s.Hash); err != nil {
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
	c.ID = s.ID
	d.made(i < 0, c)
	return nil
}

func (d *declarer) apiKey(p part, f fileAPIKey) error {
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
	k := APIKey{APIKey: merchant.APIKey{Merchant: p.store.Merchant, Store: p.store.ID, Key: f.Key}}
	if i >= 0 {
		k = d.next.APIKeys[i]
	} else {
		k.ID = d.NewID()
	}
	if err := d.credential(p, &c, PurposeAPIKey, f.Mode, f.Secret, &k.Mode, &k.Hash); err != nil {
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

func (d *declarer) allow(p part, f fileAllow) error {
	scope := merchant.AllowScope(f.Scope)
	if err := oneOf("scope", scope, merchant.AllowAPI, merchant.AllowConsole); err != nil {
		return err
	}
	cidr, err := parsePrefix(f.CIDR)
	if err != nil {
		return err
	}
	a := merchant.Allow{Store: p.store.ID, Scope: scope, CIDR: cidr}
	if err := d.once("allow", string(a.Store)+f.Scope+cidr.String()); err != nil {
		return err
	}
	i := slices.Index(d.next.Allows, a)
	c := Change{What: "allow", Where: p.where, Name: f.Scope + " " + cidr.String()}
	switch {
	case f.Absent && i >= 0:
		c.Kind = Deleted
		d.next.Allows = slices.Delete(d.next.Allows, i, i+1)
		d.changes = append(d.changes, c)
	case !f.Absent && i < 0:
		d.next.Allows = append(d.next.Allows, a)
		d.made(true, c)
	}
	return nil
}
