package v1

import (
	"crypto/hmac"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/api"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/settings"
)

// What hashes around tokens are made for. The token itself is a hash: it is kept
// nowhere, and made again whenever it is asked for.
const (
	purposeToken     = "v1_token"
	purposeTokenName = "v1_token_name"
	purposeTokenMark = "v1_token_mark"

	tokenLength = 40 // hexadecimal digits, as PortOne's
	markLength  = 16 // of these; they show that the others were made here
)

// errSpent is of a token that was one of ours, or of a login with a secret that was
// right: it is no guess.
var errSpent = refusal{http.StatusUnauthorized, codeRefused, sayUnauthorized}

// marked is a token that begins with some digits.
func (a *API) marked(digits string) string {
	digits = digits[:tokenLength-markLength]
	return digits + a.Key.Hash(purposeTokenMark, digits)[:markLength]
}

// isOurs reports whether a token was made here, whatever became of it.
func (a *API) isOurs(token string) bool {
	return hmac.Equal([]byte(a.marked(token)), []byte(token))
}

func unauthorized(text string) error { return fault.Errorf(fault.Unauthorized, "%s", text) }

// A tokenAnswer is PortOne's AccessToken.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	Now         int64  `json:"now"`
	ExpiredAt   int64  `json:"expired_at"`
}

// getToken changes a key and its secret into a token: the same one while it lives.
func (a *API) getToken(c *call) (any, error) {
	in, err := c.body()
	if err != nil {
		return nil, err
	}
	name, value := in.text("imp_key"), in.text("imp_secret")
	switch {
	case in.err != nil:
		return nil, in.err
	case name == "" || value == "":
		return nil, invalid("imp_key와 imp_secret은 필수입니다.")
	}
	hash := a.Key.Hash(settings.PurposeAPIKey, value)
	k, err := a.Store.APIKey(c.ctx(), name, hash)
	c.asks = k
	if fault.Is(err, fault.NotFound) {
		return nil, unauthorized("the key and its secret are not known here")
	}
	switch {
	case err != nil:
		return nil, err
	case merchant.Expired(k.ExpiresAt, time.Now()):
		return nil, errSpent
	}
	if err := a.gate.Count(k.ID, "with this key"); err != nil {
		return nil, err
	}
	if err := api.Admit(c.ctx(), a.Store, k.Store, a.clientAddr(c.r)); err != nil {
		return nil, err
	}
	token := func(t merchant.KeyToken) string {
		return a.marked(a.Key.Hash(purposeToken, k.ID+"\x00"+hash+"\x00"+strconv.FormatInt(t.From.Unix(), 10)))
	}
	now := time.Now()
	t, changed := k.Token.Renew(now)
	if changed { // if not, nothing is written: many clients ask before every call
		t, err = a.Actions.RenewToken(c.ctx(), k.ID, hash, func(t merchant.KeyToken) string { return a.Key.Hash(purposeTokenName, token(t)) })
		if fault.Is(err, fault.NotFound) {
			return nil, errSpent // the key has another secret by now, or is gone
		}
		if err != nil {
			return nil, err
		}
	}
	return tokenAnswer{token(t), now.Unix(), t.Until.Unix()}, nil
}

// authenticate finds the key behind a call's token, which may stand alone or
// behind "Bearer", and the store that the call is about.
func (a *API) authenticate(c *call) error {
	token := strings.TrimSpace(c.r.Header.Get("Authorization"))
	if scheme, rest, two := strings.Cut(token, " "); two && strings.EqualFold(scheme, "Bearer") {
		token = strings.TrimSpace(rest)
	}
	if len(token) != tokenLength {
		return unauthorized("send Authorization: <access_token>")
	}
	if !a.isOurs(token) {
		return unauthorized("the token is not known here")
	}
	name := a.Key.Hash(purposeTokenName, token)
	k, err := a.Store.APIKeyByToken(c.ctx(), name)
	c.asks = k
	switch {
	case fault.Is(err, fault.NotFound), err == nil && (!k.Token.Alive(time.Now()) || merchant.Expired(k.ExpiresAt, time.Now())):
		if err := a.gate.Count(name, "with this token"); err != nil {
			return err
		}
		return errSpent
	case err != nil:
		return err
	}
	if err := a.gate.Count(k.ID, "with this key"); err != nil {
		return err
	}
	if err := api.Admit(c.ctx(), a.Store, k.Store, a.clientAddr(c.r)); err != nil {
		return err
	}
	c.key, c.caller = k, action.Caller{Merchant: k.Merchant, Store: k.Store, Mode: k.Mode}
	return a.reach(c)
}

// reach finds the store that the header Tier names: a sub-store of the key's
// merchant, if the key is its representative store's.
func (a *API) reach(c *call) error {
	code := strings.TrimSpace(c.r.Header.Get("Tier"))
	if code == "" {
		return nil
	}
	v, err := a.settings(c.ctx())
	if err != nil {
		return err
	}
	own, _ := v.directory.Store(c.key.Store)
	s, found := v.tier(c.key.Merchant, code)
	switch {
	case !found || s.ID != own.ID && !own.Representative:
		return fault.Errorf(fault.Forbidden, "the key does not reach a store with the Tier %.20q", code)
	case s.ID == own.ID:
		return nil
	}
	c.caller.Store = s.ID
	return api.Admit(c.ctx(), a.Store, s.ID, a.clientAddr(c.r))
}
