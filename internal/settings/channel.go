package settings

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/secret"
)

// channels declares the channels of a store.
func (d *declarer) channels(p part) error {
	for _, f := range p.file.Channels {
		if err := d.channel(p, f); err != nil {
			return fail(inside(p.where, "channel", channelName(f)), err)
		}
	}
	return nil
}

func channelName(f ChannelFile) string {
	switch {
	case f.Name != nil:
		return *f.Name
	case f.Provider == "":
		return f.Key // of a channel that exists
	case f.MID != nil:
		return f.Provider + " " + *f.MID
	}
	return f.Provider
}

// findChannel returns where the declared channel is, or -1 if it is new.
func (d *declarer) findChannel(s merchant.StoreID, f ChannelFile) (int, error) {
	if f.Key != "" {
		if err := checkID("channel-key-", f.Key); err != nil {
			return 0, err
		}
		i := slices.IndexFunc(d.next.Channels, func(c merchant.Channel) bool { return c.Key == merchant.ChannelKey(f.Key) })
		if i >= 0 && d.next.Channels[i].Store != s {
			return 0, fault.Errorf(fault.Conflict, "channel key %s is in use by another store", f.Key)
		}
		return i, nil
	}
	if f.Provider == "" || f.Mode == "" {
		return 0, invalid("a channel without key needs provider, mode and mid to be found by")
	}
	mid := ""
	if f.MID != nil {
		mid = *f.MID
	}
	found := -1
	for i, c := range d.next.Channels {
		if c.Store != s || c.Provider != f.Provider || string(c.Mode) != f.Mode || c.MID != mid {
			continue
		}
		if found >= 0 {
			return 0, invalid("the store has several %s channels of %s with mid %q: name the key of the one that is meant", f.Mode, f.Provider, mid)
		}
		found = i
	}
	return found, nil
}

func (d *declarer) channel(p part, f ChannelFile) error {
	i, err := d.findChannel(p.store.ID, f)
	if err != nil {
		return err
	}
	if f.Absent {
		return d.dropChannel(p, i, f)
	}
	created := i < 0
	c := Change{What: "channel", Where: p.where}
	var ch merchant.Channel
	if created {
		ch, err = d.newChannel(p.store, f)
	} else {
		ch = d.next.Channels[i]
		err = sameChannel(ch, f)
	}
	if err != nil {
		return err
	}
	info, ok := d.Providers(ch.Provider)
	if !ok {
		return invalid("provider %q is unknown: tongbo providers lists those of this build", ch.Provider)
	}
	if created {
		fitWallet(&ch, info)
	}
	if err := d.fillChannel(&ch, &c, info, f); err != nil {
		return err
	}
	if err := d.claim(ch); err != nil {
		return err
	}
	if created {
		d.next.Channels = append(d.next.Channels, ch)
	} else {
		d.next.Channels[i] = ch
	}
	c.Name, c.ID = ch.Name, string(ch.Key)
	d.made(created, c)
	if created || len(c.Fields) > 0 {
		d.warn(c, ch, info)
	}
	if d.declared[absentAs(p, ch.Provider, string(ch.Mode), ch.MID)] {
		return errTwice
	}
	d.declared[presentAs(p, ch.Provider, string(ch.Mode), ch.MID)] = true
	return d.once("channel", c.ID)
}

// presentAs and absentAs keep a file from declaring a channel and deleting
// what is found under its names, which would go on for ever.
func presentAs(p part, names ...string) string {
	return strings.Join(append([]string{"present", string(p.store.ID)}, names...), "\x00")
}

func absentAs(p part, names ...string) string { return "absent" + presentAs(p, names...) }

func (d *declarer) dropChannel(p part, i int, f ChannelFile) error {
	if f.Key == "" {
		names := []string{f.Provider, f.Mode, ""}
		if f.MID != nil {
			names[2] = *f.MID
		}
		if d.declared[presentAs(p, names...)] {
			return errTwice
		}
		d.declared[absentAs(p, names...)] = true
	}
	if i < 0 {
		return nil
	}
	c := d.next.Channels[i]
	if err := d.once("channel", string(c.Key)); err != nil {
		return err
	}
	d.next.Channels = slices.Delete(d.next.Channels, i, i+1)
	d.changes = append(d.changes, Change{Kind: Deleted, What: "channel", Where: p.where, Name: c.Name, ID: string(c.Key)})
	return nil
}

func (d *declarer) newChannel(s merchant.Store, f ChannelFile) (merchant.Channel, error) {
	if f.Provider == "" || f.Mode == "" {
		return merchant.Channel{}, invalid("a new channel needs provider and mode")
	}
	mode, err := merchant.ParseMode(f.Mode)
	if err != nil {
		return merchant.Channel{}, err
	}
	key := f.Key
	if key == "" {
		key = "channel-key-" + d.NewUUID4()
	}
	return merchant.Channel{
		Key: merchant.ChannelKey(key), Merchant: s.Merchant, Store: s.ID, Name: channelName(f),
		Provider: f.Provider, Mode: mode, PaymentType: merchant.WindowGeneral,
		Methods: []string{"VIRTUAL_ACCOUNT"}, Unknown: merchant.Hold,
	}, nil
}

// sameChannel refuses to make another channel of one that payments may know.
func sameChannel(c merchant.Channel, f ChannelFile) error {
	if f.Provider != "" && f.Provider != c.Provider || f.Mode != "" && f.Mode != string(c.Mode) {
		return invalid("the channel is a %s channel of %s and stays one, since payments keep its key: declare another channel", c.Mode, c.Provider)
	}
	return nil
}

func (d *declarer) fillChannel(ch *merchant.Channel, c *Change, info provider.Info, f ChannelFile) error {
	set(&c.Fields, "name", &ch.Name, f.Name)
	set(&c.Fields, "mid", &ch.MID, f.MID)
	set(&c.Fields, "payment_type", &ch.PaymentType, (*merchant.PaymentType)(f.PaymentType))
	set(&c.Fields, "base_url", &ch.BaseURL, f.BaseURL)
	set(&c.Fields, "unknown", &ch.Unknown, (*merchant.Unknown)(f.Unknown))
	set(&c.Fields, "disabled", &ch.Disabled, f.Disabled)
	set(&c.Fields, "notes", &ch.Notes, f.Notes)
	if f.Methods != nil {
		setList(&c.Fields, "methods", &ch.Methods, *f.Methods)
	}
	for _, step := range []func() error{
		func() error { return d.assign(ch, c, f) },
		func() error { return credentials(ch, c, info, f) },
		func() error { return senders(ch, c, f) },
		func() error { return confirm(ch, c, f) },
		func() error { return token(ch, c, f) },
		func() error { return asked(ch, c, f) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	if err := checkWallet(*ch, info); err != nil {
		return err
	}
	return checkChannel(*ch)
}

func checkChannel(c merchant.Channel) error {
	if c.Name == "" {
		return invalid("a channel needs a name")
	}
	if err := oneOf("payment_type", c.PaymentType, merchant.PaymentTypes()...); err != nil {
		return err
	}
	if err := oneOf("unknown", c.Unknown, merchant.Hold, merchant.Adopt); err != nil {
		return err
	}
	for _, m := range c.Methods {
		if err := oneOf("method", m, methods...); err != nil {
			return err
		}
	}
	if err := checkNotes(c.Notes); err != nil {
		return err
	}
	return checkBaseURL(c.BaseURL)
}

// assign reads the sub-stores of a channel, by id or by name.
func (d *declarer) assign(ch *merchant.Channel, c *Change, f ChannelFile) error {
	if f.Stores == nil {
		return nil
	}
	ids := make([]merchant.StoreID, len(*f.Stores))
	for n, name := range *f.Stores {
		i := slices.IndexFunc(d.next.Stores, func(s Store) bool {
			return s.Merchant == ch.Merchant && (string(s.ID) == name || s.Name == name)
		})
		if i < 0 {
			return invalid("stores: the merchant has no store %q", name)
		}
		ids[n] = d.next.Stores[i].ID
	}
	setList(&c.Fields, "stores", &ch.Stores, ids)
	return nil
}

func credentials(ch *merchant.Channel, c *Change, info provider.Info, f ChannelFile) error {
	known := make([]string, len(info.Fields))
	for i, field := range info.Fields {
		known[i] = field.Name
	}
	for _, name := range slices.Sorted(maps.Keys(f.Credentials)) {
		if err := oneOf("credential", name, known...); err != nil {
			return err
		}
	}
	next := mergeCredentials(ch.Credentials, f.Credentials)
	if !maps.Equal(next, ch.Credentials) {
		ch.Credentials = next
		c.Fields = append(c.Fields, "credentials")
	}
	return nil
}

// confirm reads whether the PG is asked before a deposit counts. The word
// "default" leaves it to the channel's mode and PG, as if nothing had ever been
// said.
func confirm(ch *merchant.Channel, c *Change, f ChannelFile) error {
	var to *bool
	switch said := f.Confirm.(type) {
	case nil:
		return nil
	case bool:
		to = &said
	default:
		if said != "default" {
			return invalid("confirm: want true, false or \"default\"")
		}
	}
	if (to == nil) != (ch.Confirm == nil) || to != nil && *to != *ch.Confirm {
		ch.Confirm = to
		c.Fields = append(c.Fields, "confirm")
	}
	return nil
}

const (
	newToken     = "new" // makes a token if there is none
	shortToken   = 22    // 128 bits in base64url
	tokenLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// NewToken makes the secret last segment of a notice path.
func NewToken() secret.Text {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return secret.Text(base64.RawURLEncoding.EncodeToString(b[:]))
}

// token reads the secret last segment of a channel's notice path. The word
// "new" makes one if there is none, so that the same file comes to rest; the
// empty text removes it.
func token(ch *merchant.Channel, c *Change, f ChannelFile) error {
	if f.Token == nil || *f.Token == newToken && ch.Token != "" {
		return nil
	}
	to := f.Token.Reveal()
	if to == newToken {
		c.Secret = NewToken()
		to = c.Secret.Reveal()
	}
	if to != "" && (len(to) < shortToken || strings.Trim(to, tokenLetters) != "") {
		return invalid("token: want at least %d letters, digits, - and _, or \"new\" to have one made", shortToken)
	}
	set(&c.Fields, "token", &ch.Token, &to)
	return nil
}

// claim refuses a live MID that another merchant has.
func (d *declarer) claim(ch merchant.Channel) error {
	if ch.Mode != merchant.Live || ch.MID == "" {
		return nil
	}
	for _, o := range d.next.Channels {
		if o.Mode == merchant.Live && o.Provider == ch.Provider && o.MID == ch.MID && o.Merchant != ch.Merchant {
			return claimed(ch)
		}
	}
	return nil
}

// warn tells what a channel that was just made or changed will not be able to
// do. The PG of a test channel without any credentials is played here.
func (d *declarer) warn(c Change, ch merchant.Channel, info provider.Info) {
	live := ch.Mode == merchant.Live
	say := func(key string, args ...any) {
		d.changes = append(d.changes, Change{Kind: Warning, What: c.What, Where: c.Where, Name: c.Name, ID: c.ID, Key: "apply.warn." + key, Args: args})
	}
	if live || len(ch.Credentials) > 0 {
		if missing := info.Unproved(ch.Credentials); len(missing) > 0 {
			say("unproved", "missing", strings.Join(missing, ", "))
		}
	}
	if live && info.LiveSenders == nil && ch.Senders == nil && len(ch.SendersToo) == 0 && ch.Token == "" {
		say("no_senders")
	}
	own := ch.SendersToo
	if ch.Senders != nil {
		own = *ch.Senders
	}
	if live && slices.ContainsFunc(own, notPublic) {
		say("private_senders")
	}
	if live && ch.Unknown == merchant.Adopt && !info.Confirms(ch) {
		say("adopt")
	}
	switch {
	case live && info.ConfirmAlways:
		if missing := unasked(info, ch); missing != "" {
			say("unasked", "missing", missing)
		}
	case info.Confirms(ch) && !info.Inquires(ch.Credentials) && (live || ch.BaseURL != "" || info.HasSecret(ch)):
		if missing := unasked(info, ch); missing != "" {
			say("confirm_needs", "missing", missing)
		} else {
			say("confirm")
		}
	}
}

// unasked names the credentials that the channel lacks for asking the PG; empty if none.
func unasked(i provider.Info, ch merchant.Channel) string {
	var missing []string
	for _, f := range i.Fields {
		if f.Inquiry && ch.Credentials[f.Name] == "" {
			missing = append(missing, f.Name)
		}
	}
	return strings.Join(missing, ", ")
}
