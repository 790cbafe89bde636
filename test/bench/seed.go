//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// seeders is how many registrations are made at once.
const seeders = 256

const owner = merchant.ID("merchant-1")

func storeID(n int) merchant.StoreID {
	return merchant.StoreID(fmt.Sprintf("store-00000000-0000-4000-8000-%012d", n))
}

func channelKey(n int) merchant.ChannelKey {
	return merchant.ChannelKey(fmt.Sprintf("channel-key-00000000-0000-4000-8000-%012d", n))
}

// A hook is how the shop wants to be told.
type hooks struct {
	// Endpoints is how many stores have one; 1 is told of every store, more of
	// their own store each, and 0 is nobody.
	Endpoints int
	InFlight  int // 0: the default
	Schedule  webhook.Schedule
	URL       func(store int) string
	Paused    bool
}

// declared are the settings of a run: one merchant with its stores, each with a
// KCP channel.
func declared(h hooks) settings.All {
	a := settings.All{Merchants: []merchant.Merchant{{ID: owner, Name: "가나상점"}}}
	born := time.Date(2026, 8, 1, 0, 0, 0, 0, time.UTC)
	for n := range stores {
		a.Stores = append(a.Stores, settings.Store{
			Store:        merchant.Store{ID: storeID(n), Merchant: owner, Name: fmt.Sprintf("상점 %d", n), Representative: n == 0},
			NoticeSecret: webhook.NewSecret(), CreatedAt: born,
		})
		a.Channels = append(a.Channels, merchant.Channel{
			Key: channelKey(n), Merchant: owner, Store: storeID(n), Name: "KCP", Provider: "kcp_v2", Mode: merchant.Test, MID: mid(n),
			PaymentType: merchant.WindowGeneral, Unknown: merchant.Hold,
		})
	}
	if h.Schedule == "" {
		h.Schedule = webhook.Default
	}
	for n := range h.Endpoints {
		a.Endpoints = append(a.Endpoints, webhook.Endpoint{
			ID: endpointID(n), Merchant: owner, Store: storeID(n), Name: "shop", URL: h.URL(n), Mode: merchant.Test,
			Events: []string{string(webhook.Paid)}, Version: webhook.V20240425, ContentType: webhook.JSON, Schedule: h.Schedule,
			Secrets: []secret.Text{webhook.NewSecret()}, InFlight: h.InFlight, Paused: h.Paused, CreatedAt: born,
		})
	}
	return a
}

func endpointID(n int) webhook.EndpointID {
	return webhook.EndpointID(fmt.Sprintf("00000000-0000-7000-8000-%012d", n))
}

// declare writes settings into a database that no server has open.
func declare(ctx context.Context, database string, key *seal.Key, all settings.All) error {
	st, err := store.Open(ctx, database, store.Options{Key: key})
	if err != nil {
		return err
	}
	current, err := st.Settings(ctx)
	if err == nil {
		all.Version = current.Version
		err = st.SaveSettings(ctx, all, time.Now())
	}
	return errors.Join(err, st.Close())
}

// seed makes the database that runs are copied from, with so many registered
// payments.
func (e *engine) seed(ctx context.Context, key *seal.Key, payments int) error {
	if e.postgres() {
		if err := e.exec(ctx, "create database "+seedName+" template template0"); err != nil {
			return err
		}
	}
	if err := declare(ctx, e.url(seedName), key, declared(hooks{})); err != nil {
		return err
	}
	st, err := store.Open(ctx, e.url(seedName), store.Options{Key: key})
	if err != nil {
		return err
	}
	var next atomic.Int64
	errs := make([]error, seeders)
	var work sync.WaitGroup
	for w := range errs {
		work.Go(func() {
			for errs[w] == nil {
				n := int(next.Add(1) - 1)
				if n >= payments {
					return
				}
				errs[w] = register(ctx, st, order(n))
			}
		})
	}
	work.Wait()
	return errors.Join(errors.Join(errs...), st.Close())
}

// register makes an order known.
func register(ctx context.Context, st *store.Store, o order) error {
	_, _, err := st.Register(ctx, payment.Registration{
		Merchant: owner, Store: storeID(o.store()), Channel: channelKey(o.store()), Mode: merchant.Test, ID: payment.ID(o.id()),
		OrderName: "사과", Amount: payment.Won(price), Account: payment.Account{Bank: "SHINHAN", Number: o.account()},
	}, notice.Registering{
		Env:      payment.Env{Now: time.Now(), NewID: newID},
		Judge:    func(notice.Inbound, []notice.Found) notice.Ruling { return notice.Ruling{Verdict: payment.Unmatched} },
		Announce: func(payment.Payment) ([]webhook.Emission, error) { return nil, nil },
	})
	return err
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
