package console

import (
	"net/http"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
)

func (c *Console) keyRoutes() []route {
	const keys = "/developers/keys"
	return []route{
		{http.MethodGet, keys, member.Integrate, false, c.keys},
		{http.MethodGet, keys + "/new", member.Integrate, true, c.newKey},
		{http.MethodPost, keys + "/new", member.Integrate, true, c.makeKey},
		{http.MethodGet, keys + "/{id}", member.Integrate, false, c.oneKey},
		{http.MethodPost, keys + "/{id}", member.Integrate, true, c.changeKey},
		{http.MethodPost, keys + "/{id}/revoke", member.Integrate, true, c.revokeKey},
	}
}

// A credential is an API secret, or a V1 key.
type credential struct {
	ID        string
	V1        bool
	Store     merchant.StoreID
	StoreName string
	Name      string // of a V1 key, the key
	Mode      merchant.Mode
	ExpiresAt time.Time
	State     string // see state.key
}

// A credential is about to expire when a certificate would be, too.
const soonExpired = 14 * 24 * time.Hour

func keyState(expires, now time.Time) string {
	switch {
	case merchant.Expired(expires, now):
		return "expired"
	case merchant.Expired(expires, now.Add(soonExpired)):
		return "soon"
	}
	return "on"
}

// credentials are those of the scope's stores that are for its mode.
func (v *visit) credentials() []credential {
	var out []credential
	add := func(m merchant.ID, x credential) {
		s, ok := v.store(x.Store)
		if !ok || s.Merchant != m || v.Scope.Store != "" && x.Store != v.Scope.Store || !x.Mode.Sees(v.Scope.Mode) {
			return
		}
		x.StoreName, x.State = s.Name, keyState(x.ExpiresAt, v.now())
		out = append(out, x)
	}
	for _, s := range v.All.APISecrets {
		add(s.Merchant, credential{ID: s.ID, Store: s.Store, Name: s.Name, Mode: s.Mode, ExpiresAt: s.ExpiresAt})
	}
	for _, k := range v.All.APIKeys {
		add(k.Merchant, credential{ID: k.ID, V1: true, Store: k.Store, Name: k.Key, Mode: k.Mode, ExpiresAt: k.ExpiresAt})
	}
	return out
}

// keysPage lists what opens the API.
type keysPage struct {
	Stores  []settings.Store
	Secrets []credential
	V1      []credential
}

func (c *Console) keys(v *visit) error {
	p := keysPage{Stores: v.scopeStores()}
	for _, x := range v.credentials() {
		if x.V1 {
			p.V1 = append(p.V1, x)
		} else {
			p.Secrets = append(p.Secrets, x)
		}
	}
	return v.page("developers_keys", p)
}

// scopeStores are the stores that the scope is about.
func (v *visit) scopeStores() []settings.Store {
	return slices.DeleteFunc(v.stores(), func(s settings.Store) bool { return v.Scope.Store != "" && s.ID != v.Scope.Store })
}

// newKeyPage is the form by which a credential is made.
type newKeyPage struct {
	V1     bool
	Stores []option
	Modes  []option
}

// Kind is which of the two is made, as the form says it.
func (p newKeyPage) Kind() string {
	if p.V1 {
		return "v1"
	}
	return "secret"
}

func (v *visit) newKeyPage(kind string) (newKeyPage, error) {
	if kind != "v1" && kind != "secret" {
		return newKeyPage{}, errNoPage
	}
	p := newKeyPage{V1: kind == "v1"}
	for _, s := range v.scopeStores() {
		p.Stores = append(p.Stores, option{Value: string(s.ID), Text: s.Name})
	}
	for _, m := range []merchant.Mode{v.Scope.Mode, merchant.Any} {
		p.Modes = append(p.Modes, option{Value: string(m), Text: v.modeText(m)})
	}
	return p, nil
}

// modeText says which mode a credential opens.
func (v *visit) modeText(m merchant.Mode) string {
	key := "key.mode_" + string(m)
	return v.t(key)
}

func (c *Console) newKey(v *visit) error {
	kind := v.query("kind")
	if kind == "" {
		kind = "secret"
	}
	p, err := v.newKeyPage(kind)
	if err != nil {
		return err
	}
	return v.page("developers_newkey", p)
}

// makeKey makes a credential, and shows its value on the answer itself: nothing keeps it.
func (c *Console) makeKey(v *visit) error {
	p, err := v.newKeyPage(v.value("kind"))
	if err != nil {
		return err
	}
	s, ok := v.store(merchant.StoreID(v.value("store")))
	if !ok {
		return errNoThing
	}
	name, mode := v.value("name"), v.value("mode")
	var wrong []mistake
	expires, err := v.expiry(v.value("expires"))
	if err != nil {
		wrong = append(wrong, mistake{"expires", err.Error()})
	}
	if !slices.ContainsFunc(p.Modes, func(o option) bool { return o.Value == mode }) {
		wrong = append(wrong, mistake{"mode", v.t("key.mode_wrong")})
	}
	file := settings.StoreFile{ID: string(s.ID)}
	switch {
	case p.V1:
		if name == "" {
			name = settings.NewKey()
		}
		file.APIKeys = []settings.APIKeyFile{{Key: name, New: true, Mode: mode, ExpiresAt: expires}}
	case name == "":
		wrong = append(wrong, mistake{"name", v.t("form.missing")})
	default:
		file.APISecrets = []settings.APISecretFile{{Name: name, New: true, Mode: mode, ExpiresAt: expires}}
	}
	if len(wrong) > 0 {
		return v.mistaken("developers_newkey", p, wrong)
	}
	changes, err := v.declare(file, "")
	switch {
	case fault.Is(err, fault.Conflict):
		return v.mistaken("developers_newkey", p, []mistake{{"name", v.t("key.name_taken")}})
	case err != nil:
		return err
	}
	out := issued{head: v.t("key.made"), Next: v.Scope.Base() + "/developers/keys", Say: v.t("key.once")}
	what := v.t("key.value_secret")
	if p.V1 {
		what = "imp_secret"
		out.Lines = append(out.Lines, issuedLine{"imp_key", name})
	}
	for _, ch := range changes {
		if ch.Shown {
			out.Lines = append(out.Lines, issuedLine{what, ch.Secret.Reveal()})
		}
	}
	return v.page("issued", out)
}

// declare changes settings of a store that the visitor may see.
func (v *visit) declare(s settings.StoreFile, reason string) ([]settings.Change, error) {
	return v.declareAll([]settings.StoreFile{s}, reason)
}

// declareAll is declare for several stores at once.
func (v *visit) declareAll(list []settings.StoreFile, reason string) ([]settings.Change, error) {
	return v.c.Actions.Declare(v.ctx(), v.caller(v.Member.Store), settings.File{
		Merchants: []settings.MerchantFile{{ID: string(v.Member.Merchant), Stores: list}},
	}, reason)
}

// expiry reads the last day of a credential in the visitor's zone; none is never.
func (v *visit) expiry(day string) (any, error) {
	if day == "" {
		return "never", nil
	}
	t, err := time.ParseInLocation(time.DateOnly, day, page.Location(v.zone()))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "%s", v.t("key.no_day"))
	}
	if t = t.AddDate(0, 0, 1); !t.After(v.now()) {
		return nil, fault.Errorf(fault.Invalid, "%s", v.t("key.past_day"))
	}
	return t, nil
}

// lastDay is the day of an expiry as expiry reads it; empty for never.
func (v *visit) lastDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Add(-time.Microsecond).In(page.Location(v.zone())).Format(time.DateOnly)
}

// keyPage is one credential.
type keyPage struct {
	credential
	LastDay         string
	Made, Changed   member.Entry // as the audit log has it; zero if that is not known
	WasMade, Became bool
}

func (p keyPage) title() string { return p.Name }

// credential finds the one of the path.
func (v *visit) credential() (credential, error) {
	id := v.r.PathValue("id")
	for _, x := range v.credentials() {
		if x.ID == id {
			v.stands("key", x.State, x.ID, x.Name, v.lastDay(x.ExpiresAt))
			return x, nil
		}
	}
	return credential{}, errNoThing
}

func (v *visit) keyPage(x credential) (keyPage, error) {
	p := keyPage{credential: x, LastDay: v.lastDay(x.ExpiresAt)}
	list, err := v.c.Store.AuditLog(v.ctx(), store.AuditQuery{Merchant: v.Member.Merchant, Object: x.ID, Limit: 100})
	if err != nil {
		return p, err
	}
	for _, e := range list { // the newest first
		if e.Action == "api_secret.created" || e.Action == "api_key.created" {
			p.Made, p.WasMade = e, true
		} else if !p.Became {
			p.Changed, p.Became = e, true
		}
	}
	return p, nil
}

func (c *Console) oneKey(v *visit) error {
	x, err := v.credential()
	if err != nil {
		return err
	}
	p, err := v.keyPage(x)
	if err != nil {
		return err
	}
	return v.page("developers_key", p)
}

// changeKey changes the name and the expiry of a credential.
func (c *Console) changeKey(v *visit) error {
	x, err := v.credential()
	if err != nil {
		return err
	}
	p, err := v.keyPage(x)
	if err != nil {
		return err
	}
	if err := v.unmoved(); err != nil {
		return err
	}
	var expires any // as it is
	if day := v.value("expires"); day != p.LastDay {
		if expires, err = v.expiry(day); err != nil {
			return v.mistaken("developers_key", p, []mistake{{"expires", err.Error()}})
		}
	}
	file := settings.StoreFile{ID: string(x.Store)}
	if name := v.value("name"); x.V1 {
		file.APIKeys = []settings.APIKeyFile{{Key: x.Name, ExpiresAt: expires}}
	} else if name == "" {
		return v.mistaken("developers_key", p, []mistake{{"name", v.t("form.missing")}})
	} else {
		file.APISecrets = []settings.APISecretFile{{ID: x.ID, Name: name, ExpiresAt: expires}}
	}
	_, err = v.declare(file, "")
	switch {
	case fault.Is(err, fault.Conflict):
		return v.mistaken("developers_key", p, []mistake{{"name", v.t("key.name_taken")}})
	case err != nil:
		return err
	}
	return v.done("/developers/keys/"+x.ID, "key.changed")
}

// revokeKey ends a credential at once.
func (c *Console) revokeKey(v *visit) error {
	x, err := v.credential()
	if err != nil {
		return err
	}
	if v.value("sure") != "on" {
		p, err := v.keyPage(x)
		if err != nil {
			return err
		}
		return v.mistaken("developers_key", p, []mistake{{"sure", v.t("key.not_sure")}})
	}
	file := settings.StoreFile{ID: string(x.Store)}
	if x.V1 {
		file.APIKeys = []settings.APIKeyFile{{Key: x.Name, Absent: true}}
	} else {
		file.APISecrets = []settings.APISecretFile{{ID: x.ID, Absent: true}}
	}
	if _, err := v.declare(file, v.value("reason")); err != nil {
		return err
	}
	return v.done("/developers/keys", "key.revoked", "name", x.Name)
}
