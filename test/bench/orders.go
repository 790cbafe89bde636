//go:build linux

package main

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/kcp"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

// stores is how many stores there are; order n is of store n mod stores.
const stores = 100

// price is what every order costs.
const price = 10000

// An order is a registered payment's number, by which all processes know it.
type order int

// id is the payment's id, which webhooks carry.
func (o order) id() string { return fmt.Sprintf("b-%09d", int(o)) }

func (o order) store() int { return int(o) % stores }

func (o order) account() secret.Account { return secret.Account(fmt.Sprintf("T%013d", int(o))) }

// mid is what KCP calls a store.
func mid(store int) string { return fmt.Sprintf("T%04d", store) }

// orderMark is what stands before an order's number in a webhook.
var orderMark = []byte(`"paymentId":"b-`)

// orderIn finds the order of a webhook's body.
func orderIn(body []byte) (order, bool) {
	_, rest, ok := bytes.Cut(body, orderMark)
	if !ok || len(rest) < 9 {
		return 0, false
	}
	n, err := strconv.Atoi(string(rest[:9]))
	return order(n), err == nil
}

// A series is a row of orders: those of the first so many stores, from a place
// on.
type series struct {
	First  int `json:"first"`
	Stores int `json:"stores"`
}

// at is the k-th order of the series.
func (s series) at(k int) order {
	k += s.First
	return order(k/s.Stores*stores + k%s.Stores)
}

// deposit is KCP's notice that an order was paid.
func deposit(o order) notice.Request {
	n := notice.Notice{Order: o.id(), Merchant: mid(o.store())}
	n.Report = payment.Report{
		Event: payment.EventDeposited, Amount: payment.Won(price), HasAmount: true, Account: o.account(), Depositor: "홍길동",
		At: time.Date(2026, 8, 1, 12, 0, 0, 0, wire.Seoul),
	}
	return kcp.V2.Encode(n, nil)
}

// told is the webhook of an order that was paid.
func told(o order) ([]byte, error) {
	return webhook.Render(webhook.Event{
		Type: webhook.Paid, At: time.Unix(1785553200, 0), Store: storeID(o.store()), PaymentID: payment.ID(o.id()),
		Transaction: "0198a1b2-0000-7000-8000-000000000000", State: payment.Paid,
	}, webhook.V20240425, webhook.JSON)
}
