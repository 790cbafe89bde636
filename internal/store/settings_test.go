package store_test

import (
	"database/sql"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	_ "github.com/jackc/pgx/v5/stdlib" // opens PostgreSQL beside the store

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/store/storetest"
	"github.com/tongbo/tongbo/internal/webhook"
)

// settingsDB is a store with a second way into its database.
type settingsDB struct {
	*store.Store
	raw *sql.DB
}

// eachSettingsDB runs a test on both engines.
func eachSettingsDB(t *testing.T, run func(t *testing.T, db settingsDB)) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "t.db")
		run(t, openSettingsDB(t, "sqlite:"+file, "sqlite", file+"?_pragma=busy_timeout(5000)"))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		url := storetest.Postgres(t)
		run(t, openSettingsDB(t, url, "pgx", url))
	})
}

func openSettingsDB(t *testing.T, url, driver, source string) settingsDB {
	t.Helper()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), url, store.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := raw.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return settingsDB{s, raw}
}

var settingsNow = time.Date(2026, 10, 1, 9, 0, 0, 123456000, time.UTC)

// someSettings has every kind of setting with every field in use.
func someSettings() settings.All {
	confirm := false
	senders := []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::/32")}
	nobody := []netip.Prefix{}
	endpoint := func(name string, paused bool) webhook.Endpoint {
		var headers []webhook.Header
		if paused { // one has none
			headers = []webhook.Header{{Name: "Authorization", Value: "Bearer opensesame"}, {Name: "x-shop", Value: "따옴표\"<>"}}
		}
		return webhook.Endpoint{
			ID: webhook.EndpointID(uuid.NewString()), Merchant: "merchant-1", Store: "store-1", Name: name, URL: "https://a.example/" + name,
			Mode: merchant.Test, Events: []string{"*", "tongbo.attention"}, Version: webhook.V1, ContentType: webhook.Form,
			Schedule: webhook.Toss, Paused: paused, Secrets: []secret.Text{"whsec_QUJD", "whsec_REVG"}, InFlight: 7, CreatedAt: settingsNow,
			Timeout: time.Duration(len(headers)) * 5 * time.Second, Headers: headers,
		}
	}
	return settings.All{
		Version:   1,
		Merchants: []merchant.Merchant{{ID: "merchant-1", Name: "가나상점"}, {ID: "merchant-2", Name: "다라상점"}},
		Stores: []settings.Store{
			{Store: merchant.Store{ID: "store-1", Merchant: "merchant-1", Name: "대표", Representative: true, TierCode: "A", WebhookFirst: true,
				WebhookFirstLimit: 3 * time.Second, MerchantWebhooks: true, Origins: []string{"https://shop.example", "http://localhost:3000"}, AppSchemes: []string{"shop"}},
				NoticeSecret: "whsec_c3RvcmU=", CreatedAt: settingsNow},
			{Store: merchant.Store{ID: "store-2", Merchant: "merchant-2", Name: "대표"}, NoticeSecret: "whsec_c3RvcmUy", CreatedAt: settingsNow},
		},
		Channels: []merchant.Channel{
			{Key: "channel-key-1", Merchant: "merchant-1", Store: "store-1", Name: "하나", Provider: "kcp", Mode: merchant.Live, MID: "M1",
				PaymentType: merchant.APIKeyin, Methods: []string{"CARD", "VIRTUAL_ACCOUNT"}, Stores: []merchant.StoreID{"store-9"},
				BaseURL: "https://pg.example", Credentials: merchant.Credentials{"site_key": "opensesame", "other": "따옴표\"<>"},
				Senders: &senders, Unknown: merchant.Adopt, Confirm: &confirm, Token: "token-opensesame", Disabled: true,
				AskedAt: settingsNow, Notes: "담당자 메일\n답장 대기"},
			{Key: "channel-key-2", Merchant: "merchant-2", Store: "store-2", Name: "둘", Provider: "kcp", Mode: merchant.Test, MID: "M1",
				PaymentType: merchant.WindowGeneral, Unknown: merchant.Hold, Senders: &nobody},
		},
		Endpoints: []webhook.Endpoint{endpoint("one", false), endpoint("two", true)},
		APISecrets: []settings.APISecret{{APISecret: merchant.APISecret{ID: uuid.NewString(), Merchant: "merchant-1", Store: "store-1",
			Name: "server", Mode: merchant.Any, ExpiresAt: settingsNow.Add(time.Hour)}, Hash: "hash-of-secret"}},
		APIKeys: []settings.APIKey{{APIKey: merchant.APIKey{ID: uuid.NewString(), Merchant: "merchant-1", Store: "store-1",
			Key: "imp-1", Mode: merchant.Live, ExpiresAt: settingsNow.Add(2 * time.Hour)}, Hash: "hash-of-key"}},
		Allows: []merchant.Allow{{Store: "store-1", Scope: merchant.AllowAPI, CIDR: netip.MustParsePrefix("203.0.113.0/24")},
			{Store: "store-1", Scope: merchant.AllowConsole, CIDR: netip.MustParsePrefix("198.51.100.7/32"),
				Trial: merchant.Going, Until: settingsNow.Add(time.Minute)}},
	}
}

func (db settingsDB) save(t *testing.T, all settings.All) settings.All {
	t.Helper()
	if err := db.SaveSettings(t.Context(), all, settingsNow); err != nil {
		t.Fatalf("SaveSettings: %v", err)
	}
	return db.read(t)
}

func (db settingsDB) read(t *testing.T) settings.All {
	t.Helper()
	all, err := db.Settings(t.Context())
	if err != nil {
		t.Fatalf("Settings: %v", err)
	}
	return all
}

var sameSettings = cmp.Options{
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmpopts.EquateEmpty(),
	cmpopts.SortSlices(func(a, b webhook.Endpoint) bool { return a.ID < b.ID }),
	cmpopts.SortSlices(func(a, b merchant.Allow) bool { return a.Scope < b.Scope }),
}

func TestSettingsKeepEverything(t *testing.T) {
	t.Parallel()
	eachSettingsDB(t, func(t *testing.T, db settingsDB) {
		empty := db.read(t)
		if diff := cmp.Diff(settings.All{Version: 1}, empty); diff != "" {
			t.Fatalf("a new database (-want +got):\n%s", diff)
		}
		told := 0
		db.OnSettings(func() { told++ })
		want := someSettings()
		got := db.save(t, want)
		want.Version = 2
		if diff := cmp.Diff(want, got, sameSettings); diff != "" {
			t.Fatalf("Settings (-saved +got):\n%s", diff)
		}
		if got.Channels[1].Senders == nil || got.Channels[0].Confirm == nil || got.Channels[1].Confirm != nil {
			t.Errorf("what is nil and what is empty got lost: %+v", got.Channels)
		}
		if again := db.save(t, got); again.Version != 2 || told != 1 {
			t.Errorf("saving what is stored: version %d, told %d times, want 2 and once", again.Version, told)
		}
		pl, version, err := db.Planner(t.Context(), uuid.NewString)
		if err != nil || version != 2 {
			t.Fatalf("Planner = %d, %v, want version 2", version, err)
		}
		if e, ok := pl.Endpoints.Endpoint(want.Endpoints[0].ID); !ok || e.Name != "one" {
			t.Errorf("the planner has endpoint %+v", e)
		}
	})
}

func TestSettingsChangeAndGo(t *testing.T) {
	t.Parallel()
	eachSettingsDB(t, func(t *testing.T, db settingsDB) {
		next := db.save(t, someSettings())
		next.Merchants[0].Name = "새 이름"
		next.Stores[0].TierCode, next.Stores[1].MerchantWebhooks = "", true
		next.Channels = next.Channels[:1]
		next.Channels[0].Credentials = merchant.Credentials{"site_key": "changed"}
		next.Channels[0].Senders, next.Channels[0].Confirm, next.Channels[0].Token = nil, nil, ""
		// A new endpoint takes the name of one that goes.
		next.Endpoints = next.Endpoints[:1]
		next.Endpoints[0].ID = webhook.EndpointID(uuid.NewString())
		next.APIKeys, next.Allows = nil, next.Allows[:1]
		got := db.save(t, next)
		next.Version = 3
		if diff := cmp.Diff(next, got, sameSettings); diff != "" {
			t.Fatalf("Settings (-saved +got):\n%s", diff)
		}
		for what, gone := range map[string]func(*settings.All){
			"a store":    func(a *settings.All) { a.Stores = a.Stores[:1] },
			"a merchant": func(a *settings.All) { a.Merchants = a.Merchants[1:] },
		} {
			next := db.read(t)
			gone(&next)
			if err := db.SaveSettings(t.Context(), next, settingsNow); !fault.Is(err, fault.Invalid) {
				t.Errorf("%s gone: %v, want it refused", what, err)
			}
		}
	})
}

// A store that is written by who does not know the field uses its own webhooks.
func TestOwnWebhooksByDefault(t *testing.T) {
	t.Parallel()
	eachSettingsDB(t, func(t *testing.T, db settingsDB) {
		db.save(t, someSettings())
		var merchants bool
		err := db.raw.QueryRowContext(t.Context(), `insert into store (id, merchant_id, name, representative, tier_code, webhook_first,
			webhook_first_limit, origins, app_schemes, notice_secret, created_at)
			select 'store-3', merchant_id, '하위', representative, '', webhook_first, webhook_first_limit, origins, app_schemes, notice_secret, created_at
			from store where id = 'store-1' returning merchant_webhooks`).Scan(&merchants)
		if err != nil || merchants {
			t.Errorf("merchant_webhooks = %v, %v, want false", merchants, err)
		}
	})
}

func TestSettingsAreNotOverwritten(t *testing.T) {
	t.Parallel()
	eachSettingsDB(t, func(t *testing.T, db settingsDB) {
		first := db.save(t, someSettings())
		mine, theirs := db.read(t), db.read(t)
		theirs.Merchants[0].Name = "먼저"
		db.save(t, theirs)
		mine.Merchants[0].Name = "나중"
		if err := db.SaveSettings(t.Context(), mine, settingsNow); !fault.Is(err, fault.Stale) {
			t.Errorf("saving old settings: %v, want fault.Stale", err)
		}
		if got := db.read(t); got.Merchants[0].Name != "먼저" || got.Version != first.Version+1 {
			t.Errorf("settings = %q, version %d", got.Merchants[0].Name, got.Version)
		}
		both := db.read(t)
		both.Channels[1].Mode = merchant.Live // M1 is live with the other merchant
		if err := db.SaveSettings(t.Context(), both, settingsNow); !fault.Is(err, fault.Conflict) {
			t.Errorf("a live mid of two merchants: %v, want fault.Conflict", err)
		}
		failing := db.read(t)
		failing.Merchants[0].Name = "절반"
		failing.APIKeys = append(failing.APIKeys, settings.APIKey{APIKey: merchant.APIKey{ID: uuid.NewString(), Store: "store-none"}})
		if err := db.SaveSettings(t.Context(), failing, settingsNow); err == nil {
			t.Error("a key of a store that is not there was saved")
		}
		if got := db.read(t); got.Merchants[0].Name != "먼저" {
			t.Errorf("half of a refused change was kept: %q", got.Merchants[0].Name)
		}
	})
}

func TestSettingsAreSealed(t *testing.T) {
	t.Parallel()
	eachSettingsDB(t, func(t *testing.T, db settingsDB) {
		db.save(t, someSettings())
		var all strings.Builder
		for _, query := range []string{`select credentials from channel`, `select token from channel where token is not null`,
			`select secrets from endpoint`, `select headers from endpoint where headers is not null`, `select notice_secret from store`} {
			err := func() error {
				rows, err := db.raw.QueryContext(t.Context(), query)
				if err != nil {
					return err
				}
				defer rows.Close()
				for rows.Next() {
					var b []byte
					if err := rows.Scan(&b); err != nil {
						return err
					}
					all.Write(b)
				}
				return rows.Err()
			}()
			if err != nil {
				t.Fatal(err)
			}
		}
		if all.Len() < 200 || strings.Contains(all.String(), "opensesame") || strings.Contains(all.String(), "whsec_") {
			t.Errorf("%d bytes of secrets are stored in clear", all.Len())
		}
		// A secret that is copied to another row opens nowhere.
		if _, err := db.raw.ExecContext(t.Context(), `update endpoint set secrets = (select secrets from endpoint where name = 'one')`); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Settings(t.Context()); err == nil || fault.Is(err, fault.Unavailable) {
			t.Errorf("Settings with moved secrets = %v, want an error that trying again won't mend", err)
		}
	})
}

func TestSettingsByManyAtOnce(t *testing.T) {
	t.Parallel()
	eachSettingsDB(t, func(t *testing.T, db settingsDB) {
		before := db.save(t, someSettings())
		const writers = 6
		var all sync.WaitGroup
		for i := range writers {
			all.Go(func() {
				for stale := true; stale; {
					next, err := db.Settings(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					next.Allows = append(next.Allows, merchant.Allow{Store: "store-2", Scope: merchant.AllowAPI,
						CIDR: netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 32)})
					err = db.SaveSettings(t.Context(), next, settingsNow)
					if stale = fault.Is(err, fault.Stale); err != nil && !stale {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		after := db.read(t)
		if n := len(after.Allows) - len(before.Allows); n != writers || after.Version != before.Version+writers {
			t.Errorf("%d of %d changes are kept, version %d after %d", n, writers, after.Version, before.Version)
		}
	})
}
