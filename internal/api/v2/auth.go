package v2

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/api"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
)

// How long tokens live, and the contexts they are sealed for.
const (
	accessLife  = 30 * time.Minute
	refreshLife = 24 * time.Hour

	accessToken  = "token/access"
	refreshToken = "token/refresh"
)

// claims are what a token says, sealed. It names its API secret by hash, so
// that it dies with the secret's value.
type claims struct {
	Secret     string    `json:"secret"`
	Generation int64     `json:"generation"`
	Expires    time.Time `json:"expires"`
}

type tokens struct {
	Access  string `json:"accessToken"`
	Refresh string `json:"refreshToken"`
}

func unauthorized(text string) error { return fault.Errorf(fault.Unauthorized, "%s", text) }

// authenticate finds the API secret behind a request's Authorization header,
// by its value or by an access token, and checks the client's address.
func (a *API) authenticate(r *http.Request) (merchant.APISecret, error) {
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	value = strings.TrimSpace(value)
	var s merchant.APISecret
	var err error
	switch {
	case value == "":
		return s, unauthorized("send Authorization: PortOne <API secret>, or Bearer <access token>")
	case strings.EqualFold(scheme, "PortOne"):
		s, err = a.secret(r, a.Key.Hash(settings.PurposeAPISecret, value))
	case strings.EqualFold(scheme, "Bearer"):
		var c claims
		if c, err = a.open(value, accessToken); err == nil {
			s, err = a.secret(r, c.Secret)
		}
	default:
		return s, unauthorized("the Authorization scheme is neither PortOne nor Bearer")
	}
	if err != nil {
		return s, err
	}
	return s, a.admit(r, s.Store)
}

// secret returns the API secret whose value has the hash, if it is in force and
// not used too often.
func (a *API) secret(r *http.Request, hash string) (merchant.APISecret, error) {
	s, err := a.Store.APISecret(r.Context(), hash)
	switch {
	case fault.Is(err, fault.NotFound):
		return s, unauthorized("the API secret is not known here")
	case err != nil:
		return s, err
	case merchant.Expired(s.ExpiresAt, time.Now()):
		return s, unauthorized("the API secret has expired")
	}
	return s, a.gate.Count(s.ID, "with this API secret")
}

// admit checks the client's address against the list of a store, if it has
// one.
func (a *API) admit(r *http.Request, s merchant.StoreID) error {
	return api.Admit(r.Context(), a.Store, s, a.clientAddr(r))
}

func (a *API) clientAddr(r *http.Request) netip.Addr {
	if a.ClientAddr != nil {
		return a.ClientAddr(r)
	}
	return api.Peer(r)
}

// login changes an API secret into tokens.
func (a *API) login(c *call) (any, error) {
	var in struct {
		APISecret secret.Text `json:"apiSecret"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	if in.APISecret == "" {
		return nil, fault.Errorf(fault.Invalid, "apiSecret must not be empty")
	}
	hash := a.Key.Hash(settings.PurposeAPISecret, in.APISecret.Reveal())
	return a.issue(c, hash, a.Actions.Login)
}

// refresh changes a refresh token into new tokens, and ends it.
func (a *API) refresh(c *call) (any, error) {
	var in struct {
		RefreshToken secret.Text `json:"refreshToken"`
	}
	if err := c.body(&in); err != nil {
		return nil, err
	}
	if in.RefreshToken == "" {
		return nil, fault.Errorf(fault.Invalid, "refreshToken must not be empty")
	}
	cl, err := a.open(in.RefreshToken.Reveal(), refreshToken)
	if err != nil {
		return nil, err
	}
	return a.issue(c, cl.Secret, func(ctx context.Context, id string) (int64, error) {
		return a.Actions.RefreshLogin(ctx, id, cl.Generation)
	})
}

// issue makes new tokens for the API secret with the hash, of the generation
// that login gives. They end the refresh tokens made before.
func (a *API) issue(c *call, hash string, login func(ctx context.Context, secretID string) (int64, error)) (any, error) {
	s, err := a.secret(c.r, hash)
	c.secret = s
	if err != nil {
		return nil, err
	}
	if err := a.admit(c.r, s.Store); err != nil {
		if fault.Is(err, fault.Forbidden) {
			return nil, unauthorized(err.Error()) // the operation lists no 403
		}
		return nil, err
	}
	generation, err := login(c.ctx(), s.ID)
	switch {
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound):
		return nil, unauthorized("the refresh token was ended by a later login or refresh")
	case err != nil:
		return nil, err
	}
	now := time.Now()
	access, err := a.seal(claims{hash, generation, now.Add(accessLife)}, accessToken)
	if err != nil {
		return nil, err
	}
	again, err := a.seal(claims{hash, generation, now.Add(refreshLife)}, refreshToken)
	return tokens{access, again}, err
}

func (a *API) seal(c claims, context string) (string, error) {
	b, err := json.Marshal(c) //nolint:gosec // holds the hash of a secret, and is sealed
	if err != nil {
		return "", err
	}
	sealed, err := a.Key.Seal(b, context)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// open reads a token that was sealed for the context and has not expired.
func (a *API) open(token, context string) (c claims, err error) {
	sealed, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return c, unauthorized("the token is not one of ours")
	}
	b, err := a.Key.Open(sealed, context)
	if err != nil {
		return c, unauthorized("the token is not one of ours")
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, err
	}
	if !time.Now().Before(c.Expires) {
		return c, unauthorized("the token has expired")
	}
	return c, nil
}
