package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// mostReads bounds how often settings are read again because they changed
// meanwhile.
const mostReads = 10

// Settings returns every setting as it was at one moment.
func (r *Reader) Settings(ctx context.Context) (settings.All, error) {
	// Two equal versions prove that nothing changed between them, and need no
	// transaction: on SQLite that would wait for the writer.
	for range mostReads {
		all, err := r.readSettings(ctx, over(r.db))
		if err != nil {
			return settings.All{}, away(err)
		}
		var version int64
		if err := r.db.QueryRowContext(ctx, `select version from setting where id = 1`).Scan(&version); err != nil {
			return settings.All{}, away(err)
		}
		if version == all.Version {
			return all, nil
		}
	}
	return settings.All{}, fault.Errorf(fault.Unavailable, "the settings change faster than they can be read")
}

// Planner returns what makes deliveries by the settings of this moment, and
// their version.
func (r *Reader) Planner(ctx context.Context, newID func() string) (webhook.Planner, int64, error) {
	all, err := r.Settings(ctx)
	if err != nil {
		return webhook.Planner{}, 0, err
	}
	return all.Planner(newID), all.Version, nil
}

// readSettings reads all settings, their version first.
func (r *Reader) readSettings(ctx context.Context, q querier) (all settings.All, err error) {
	if err := q.QueryRowContext(ctx, `select version from setting where id = 1`).Scan(&all.Version); err != nil {
		return all, err
	}
	for _, read := range []func(context.Context, querier, *settings.All) error{
		readMerchants, r.readStores, r.readChannels, r.readEndpoints, readAPISecrets, readAPIKeys, readAllows,
	} {
		if err := read(ctx, q, &all); err != nil {
			return all, err
		}
	}
	return all, nil
}

func readMerchants(ctx context.Context, q querier, all *settings.All) error {
	return each(ctx, q, `select id, name from merchant order by created_at, id`, nil, func(row rowSet) error {
		var m merchant.Merchant
		err := row.Scan(&m.ID, &m.Name)
		all.Merchants = append(all.Merchants, m)
		return err
	})
}

func (r *Reader) readStores(ctx context.Context, q querier, all *settings.All) error {
	return each(ctx, q, `select id, merchant_id, name, representative, tier_code, merchant_webhooks, webhook_first, webhook_first_limit, origins, app_schemes,
		notice_secret, created_at
		from store order by created_at, id`, nil, func(row rowSet) error {
		var s settings.Store
		var sealed []byte
		var created, limit int64
		var origins, schemes string
		if err := row.Scan(&s.ID, &s.Merchant, &s.Name, &s.Representative, &s.TierCode, &s.MerchantWebhooks, &s.WebhookFirst, &limit, &origins, &schemes,
			&sealed, &created); err != nil {
			return err
		}
		s.WebhookFirstLimit = time.Duration(limit) * time.Microsecond
		if err := errors.Join(decode(origins, &s.Origins), decode(schemes, &s.AppSchemes)); err != nil {
			return err
		}
		plain, err := r.key.Open(sealed, noticeSecretContext(s.ID))
		s.NoticeSecret, s.CreatedAt = secret.Text(plain), moment(created)
		all.Stores = append(all.Stores, s)
		return lost(err)
	})
}

func (r *Reader) readChannels(ctx context.Context, q querier, all *settings.All) error {
	return each(ctx, q, `select key, merchant_id, store_id, name, provider, mode, mid, payment_type, methods, stores,
		base_url, credentials, senders, unknown, confirm, token, disabled, asked_at, notes
		from channel order by created_at, key`, nil, func(row rowSet) error {
		c, err := r.scanChannel(row)
		all.Channels = append(all.Channels, c)
		return err
	})
}

// publishedMark begins the list of a channel that admits the published senders, too.
const publishedMark = "+"

func (r *Reader) scanChannel(row rowSet) (c merchant.Channel, err error) {
	var methods, stores string
	var credentials, token []byte
	var senders sql.NullString
	var confirm sql.NullBool
	var asked sql.NullInt64
	if err := row.Scan(&c.Key, &c.Merchant, &c.Store, &c.Name, &c.Provider, &c.Mode, &c.MID, &c.PaymentType,
		&methods, &stores, &c.BaseURL, &credentials, &senders, &c.Unknown, &confirm, &token, &c.Disabled, &asked, &c.Notes); err != nil {
		return c, err
	}
	c.AskedAt = momentOrZero(asked)
	if confirm.Valid {
		c.Confirm = &confirm.Bool
	}
	if more, ok := strings.CutPrefix(senders.String, publishedMark); ok {
		if err := decode(more, &c.SendersToo); err != nil {
			return c, err
		}
	} else if senders.Valid {
		c.Senders = new([]netip.Prefix)
		if err := decode(senders.String, c.Senders); err != nil {
			return c, err
		}
	}
	if token != nil {
		plain, err := r.key.Open(token, tokenContext(c.Key))
		if err != nil {
			return c, lost(err)
		}
		c.Token = string(plain)
	}
	return c, errors.Join(decode(methods, &c.Methods), decode(stores, &c.Stores),
		r.openJSON(credentials, credentialsContext(c.Key), &c.Credentials))
}

func (r *Reader) readEndpoints(ctx context.Context, q querier, all *settings.All) error {
	return each(ctx, q, `select id, merchant_id, store_id, name, url, mode, events, version, content_type, schedule,
		paused, secrets, old_until, in_flight, timeout, headers, created_at from endpoint order by created_at, id`, nil, func(row rowSet) error {
		var e webhook.Endpoint
		var events string
		var sealed, headers []byte
		var created, timeout int64
		var old sql.NullInt64
		if err := row.Scan(&e.ID, &e.Merchant, &e.Store, &e.Name, &e.URL, &e.Mode, &events, &e.Version, &e.ContentType,
			&e.Schedule, &e.Paused, &sealed, &old, &e.InFlight, &timeout, &headers, &created); err != nil {
			return err
		}
		e.CreatedAt, e.OldUntil, e.Timeout = moment(created), momentOrZero(old), time.Duration(timeout)*time.Microsecond
		if err := errors.Join(decode(events, &e.Events), r.openJSON(sealed, secretsContext(e.ID), &e.Secrets)); err != nil {
			return err
		}
		if headers != nil {
			if err := r.openJSON(headers, headersContext(e.ID), &e.Headers); err != nil {
				return err
			}
		}
		all.Endpoints = append(all.Endpoints, e)
		return nil
	})
}

// The contexts to which the secrets of settings are sealed.
func noticeSecretContext(s merchant.StoreID) string   { return "store/" + string(s) + "/notice_secret" }
func credentialsContext(c merchant.ChannelKey) string { return "channel/" + string(c) + "/credentials" }
func tokenContext(c merchant.ChannelKey) string       { return "channel/" + string(c) + "/token" }
func secretsContext(e webhook.EndpointID) string      { return "endpoint/" + string(e) + "/secrets" }
func headersContext(e webhook.EndpointID) string      { return "endpoint/" + string(e) + "/headers" }

// lost says that a value cannot be opened: another try will not help, the
// right key will.
func lost(err error) error {
	if err == nil {
		return nil
	}
	return &programError{err}
}

func decode(text string, into any) error {
	if err := json.Unmarshal([]byte(text), into); err != nil {
		return &programError{err}
	}
	return nil
}

func (r *Reader) openJSON(sealed []byte, context string, into any) error {
	plain, err := r.key.Open(sealed, context)
	if err != nil {
		return lost(err)
	}
	return decode(string(plain), into)
}

const apiSecretColumns = `id, merchant_id, store_id, name, mode, hash, expires_at, generation` //nolint:gosec // names columns

func scanAPISecret(row interface{ Scan(...any) error }) (s settings.APISecret, err error) {
	var expires sql.NullInt64
	err = row.Scan(&s.ID, &s.Merchant, &s.Store, &s.Name, &s.Mode, &s.Hash, &expires, &s.Generation)
	s.ExpiresAt = momentOrZero(expires)
	return s, err
}

func readAPISecrets(ctx context.Context, q querier, all *settings.All) error {
	return each(ctx, q, `select `+apiSecretColumns+` from api_secret order by created_at, id`, nil, func(row rowSet) error {
		s, err := scanAPISecret(row)
		all.APISecrets = append(all.APISecrets, s)
		return err
	})
}

func readAPIKeys(ctx context.Context, q querier, all *settings.All) error {
	return each(ctx, q, `select id, merchant_id, store_id, key, mode, hash, expires_at from api_key order by created_at, id`, nil, func(row rowSet) error {
		var k settings.APIKey
		var expires sql.NullInt64
		err := row.Scan(&k.ID, &k.Merchant, &k.Store, &k.Key, &k.Mode, &k.Hash, &expires)
		k.ExpiresAt = momentOrZero(expires)
		all.APIKeys = append(all.APIKeys, k)
		return err
	})
}

func readAllows(ctx context.Context, q querier, all *settings.All) error {
	return each(ctx, q, `select store_id, scope, cidr, trial, trial_until from allow order by store_id, scope, cidr`, nil, func(row rowSet) error {
		a, err := scanAllow(row)
		all.Allows = append(all.Allows, a)
		return err
	})
}

func scanAllow(row rowSet) (a merchant.Allow, err error) {
	var cidr string
	var until sql.NullInt64
	if err := row.Scan(&a.Store, &a.Scope, &cidr, &a.Trial, &until); err != nil {
		return a, err
	}
	a.Until = momentOrZero(until)
	if a.CIDR, err = netip.ParsePrefix(cidr); err != nil {
		return a, &programError{err}
	}
	return a, nil
}

// APISecret returns the API secret whose value has the hash, made with the
// store's key for settings.PurposeAPISecret. It reports fault.NotFound if
// there is none. Whether it has expired is for the caller to see.
func (r *Reader) APISecret(ctx context.Context, hash string) (merchant.APISecret, error) {
	return r.apiSecret(ctx, `select `+apiSecretColumns+` from api_secret where hash = $1`, hash)
}

// APISecretByID returns the API secret with the id, or fault.NotFound.
func (r *Reader) APISecretByID(ctx context.Context, id string) (merchant.APISecret, error) {
	if !isID(id) {
		return merchant.APISecret{}, fault.Errorf(fault.NotFound, "there is no such API secret")
	}
	return r.apiSecret(ctx, `select `+apiSecretColumns+` from api_secret where id = $1`, id)
}

func (r *Reader) apiSecret(ctx context.Context, query, arg string) (merchant.APISecret, error) {
	s, err := scanAPISecret(r.db.QueryRowContext(ctx, query, arg))
	if errors.Is(err, sql.ErrNoRows) {
		return merchant.APISecret{}, fault.Errorf(fault.NotFound, "there is no such API secret")
	}
	return s.APISecret, away(err)
}

// Allowed returns the addresses that a store admits to a face at a time; none means
// that it admits everyone who has a key.
func (r *Reader) Allowed(ctx context.Context, store merchant.StoreID, scope merchant.AllowScope, now time.Time) ([]netip.Prefix, error) {
	var out []netip.Prefix
	err := each(ctx, over(r.db), `select store_id, scope, cidr, trial, trial_until from allow where store_id = $1 and scope = $2 order by cidr`,
		[]any{string(store), string(scope)}, func(row rowSet) error {
			a, err := scanAllow(row)
			if a.InForce(now) {
				out = append(out, a.CIDR)
			}
			return err
		})
	return out, away(err)
}
