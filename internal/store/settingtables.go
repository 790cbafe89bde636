package store

import (
	"time"

	"github.com/tongbo/tongbo/internal/settings"
)

// tables are all settings as they are written, tables that others refer to
// first. now is when those were created that do not say.
func tables(a settings.All, now time.Time) []table {
	return []table{
		merchantTable(a, now), storeTable(a), channelTable(a, now), endpointTable(a),
		apiSecretTable(a, now), apiKeyTable(a, now), allowTable(a),
	}
}

func merchantTable(a settings.All, now time.Time) table {
	t := table{
		insert: `insert into merchant (id, name, created_at) values ($1, $2, $3)`,
		update: `update merchant set name = $2 where id = $1`,
	}
	for _, m := range a.Merchants {
		t.records = append(t.records, record{string(m.ID), []any{string(m.ID), m.Name}, now})
	}
	return t
}

func storeTable(a settings.All) table {
	t := table{
		insert: `insert into store (id, merchant_id, name, representative, tier_code, webhook_first, webhook_first_limit, origins, app_schemes,
			notice_secret, merchant_webhooks, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		update: `update store set merchant_id = $2, name = $3, representative = $4, tier_code = $5, webhook_first = $6,
			webhook_first_limit = $7, origins = $8, app_schemes = $9, notice_secret = $10, merchant_webhooks = $11 where id = $1`,
	}
	for _, s := range a.Stores {
		t.records = append(t.records, record{string(s.ID), []any{
			string(s.ID), string(s.Merchant), s.Name, s.Representative, s.TierCode, s.WebhookFirst,
			s.WebhookFirstLimit.Microseconds(), list(s.Origins), list(s.AppSchemes),
			sealedCell{s.NoticeSecret.Reveal(), noticeSecretContext(s.ID)}, s.MerchantWebhooks,
		}, s.CreatedAt})
	}
	return t
}

func channelTable(a settings.All, now time.Time) table {
	t := table{
		insert: `insert into channel (key, merchant_id, store_id, name, provider, mode, mid, payment_type, methods, stores,
			base_url, credentials, senders, unknown, confirm, token, disabled, asked_at, notes, created_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
		update: `update channel set merchant_id = $2, store_id = $3, name = $4, provider = $5, mode = $6, mid = $7,
			payment_type = $8, methods = $9, stores = $10, base_url = $11, credentials = $12, senders = $13,
			unknown = $14, confirm = $15, token = $16, disabled = $17, asked_at = $18, notes = $19 where key = $1`,
		remove: `delete from channel where key = $1`, keys: 1,
	}
	for _, c := range a.Channels {
		t.records = append(t.records, record{string(c.Key), []any{
			string(c.Key), string(c.Merchant), string(c.Store), c.Name, c.Provider, string(c.Mode), c.MID,
			string(c.PaymentType), list(c.Methods), list(c.Stores), c.BaseURL, credentialCell(c),
			sendersCell(c), string(c.Unknown), confirmCell(c.Confirm), tokenCell(c), c.Disabled, microsOrNull(c.AskedAt), c.Notes,
		}, now})
	}
	return t
}

func endpointTable(a settings.All) table {
	t := table{
		insert: `insert into endpoint (id, merchant_id, store_id, name, url, mode, events, version, content_type, schedule,
			paused, secrets, in_flight, old_until, timeout, headers, created_at)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		update: `update endpoint set merchant_id = $2, store_id = $3, name = $4, url = $5, mode = $6, events = $7,
			version = $8, content_type = $9, schedule = $10, paused = $11, secrets = $12, in_flight = $13, old_until = $14,
			timeout = $15, headers = $16 where id = $1`,
		remove: `delete from endpoint where id = $1`, keys: 1,
	}
	for _, e := range a.Endpoints {
		t.records = append(t.records, record{string(e.ID), []any{
			string(e.ID), string(e.Merchant), string(e.Store), e.Name, e.URL, string(e.Mode), list(e.Events),
			string(e.Version), string(e.ContentType), string(e.Schedule), e.Paused,
			sealedCell{secretList(e.Secrets), secretsContext(e.ID)}, e.InFlight, microsOrNull(e.OldUntil), e.Timeout.Microseconds(), headersCell(e),
		}, e.CreatedAt})
	}
	return t
}

func apiSecretTable(a settings.All, now time.Time) table {
	t := table{
		insert: `insert into api_secret (id, merchant_id, store_id, name, mode, hash, expires_at, generation, created_at)
			values ($1, $2, $3, $4, $5, $6, $7, 0, $8)`,
		update: `update api_secret set merchant_id = $2, store_id = $3, name = $4, mode = $5,
			generation = generation + case when hash = $6 then 0 else 1 end, hash = $6, expires_at = $7 where id = $1`,
		remove: `delete from api_secret where id = $1`, keys: 1,
	}
	for _, s := range a.APISecrets {
		t.records = append(t.records, record{s.ID, []any{
			s.ID, string(s.Merchant), string(s.Store), s.Name, string(s.Mode), s.Hash, microsOrNull(s.ExpiresAt),
		}, now})
	}
	return t
}

func apiKeyTable(a settings.All, now time.Time) table {
	t := table{
		insert: `insert into api_key (id, merchant_id, store_id, key, mode, hash, expires_at, created_at) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		update: `update api_key set merchant_id = $2, store_id = $3, key = $4, mode = $5,
			token = case when hash = $6 then token end, token_until = case when hash = $6 then token_until end, hash = $6,
			expires_at = $7 where id = $1`,
		remove: `delete from api_key where id = $1`, keys: 1,
	}
	for _, k := range a.APIKeys {
		t.records = append(t.records, record{k.ID, []any{
			k.ID, string(k.Merchant), string(k.Store), k.Key, string(k.Mode), k.Hash, microsOrNull(k.ExpiresAt),
		}, now})
	}
	return t
}

// allowTable has no time of creation.
func allowTable(a settings.All) table {
	t := table{
		insert: `insert into allow (store_id, scope, cidr, trial, trial_until) values ($1, $2, $3, $4, $5)`,
		update: `update allow set trial = $4, trial_until = $5 where store_id = $1 and scope = $2 and cidr = $3`,
		remove: `delete from allow where store_id = $1 and scope = $2 and cidr = $3`, keys: 3,
	}
	for _, w := range a.Allows {
		cidr := w.CIDR.String()
		t.records = append(t.records, record{key: string(w.Store) + " " + string(w.Scope) + " " + cidr,
			cells: []any{string(w.Store), string(w.Scope), cidr, string(w.Trial), microsOrNull(w.Until)}})
	}
	return t
}
