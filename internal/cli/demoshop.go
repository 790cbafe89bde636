package cli

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/sampleshop"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/words"
)

//go:embed demoshop.toml
var demoShopSettings string

// A counter is the sample shop of a demo, and the orders that changed there.
type counter struct {
	url string

	mu      sync.Mutex
	changed []sampleshop.Order
}

// openCounter serves the sample shop on a free port of this machine until ctx ends, and makes
// it known to the server: its pages' origin, and where it hears of payments.
func (d *demo) openCounter(ctx context.Context, wg *sync.WaitGroup) (*counter, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &counter{url: "http://" + l.Addr().String()}
	shop, err := sampleshop.Open(sampleshop.Config{
		Origin: c.url, Hub: d.base, StoreID: demoStore, ChannelKey: demoInicis, Wallets: demoWallets(),
		APISecret: secret.Text(d.apiSecret), WebhookSecret: d.signing, Changed: c.note,
	})
	if err == nil {
		err = d.declare(ctx, demoShopSettings, "{{ORIGIN}}", c.url)
	}
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	hs := &http.Server{Handler: shop.Routes(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute}
	wg.Go(func() { _ = hs.Serve(l) })
	context.AfterFunc(ctx, func() { _ = hs.Close() })
	return c, nil
}

// demoWallets are the channels of wallets that the sample shop's settings declare.
func demoWallets() map[payment.Wallet]string {
	const key = "channel-key-00000000-0000-4000-8000-0000000000"
	return map[payment.Wallet]string{payment.NaverPay: key + "a1", payment.TossPay: key + "a2", payment.PayPal: key + "a3"}
}

func (c *counter) note(o sampleshop.Order) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.changed = append(c.changed, o)
}

// take returns the orders that changed since the last time.
func (c *counter) take() []sampleshop.Order {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.changed
	c.changed = nil
	return list
}

// showOrders prints a line for each order of the sample shop that has changed; there is none
// without that shop.
func (d *demo) showOrders() {
	if d.counter == nil {
		return
	}
	for _, o := range d.counter.take() {
		fmt.Fprintln(d.env.Stdout, time.Now().Format("  15:04:05  ")+words.Text(d.lang(), "cli.demo.order", "id", o.ID,
			"product", words.Text(d.lang(), "shop.product."+o.Product), "amount", page.Money(o.Amount),
			"state", words.Text(d.lang(), "shop.state."+string(o.State))))
	}
}
