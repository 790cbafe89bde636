package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/simulator"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
)

// tell plays the story. It returns an error as soon as a step is not seen.
func (d *demo) tell(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		d.channels, d.issue, d.deposit, d.again, d.stumble, d.disagree, d.history,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// channels shows what was declared: the channels of the story, and of the others that
// they are there.
func (d *demo) channels(ctx context.Context) error {
	d.chapter("결제 채널", "Payment channels")
	s, err := d.server.Store.Settings(ctx)
	if err != nil {
		return err
	}
	var others []string
	for _, c := range s.Channels {
		p, ok := all.ByCode(c.Provider)
		if !ok {
			return fmt.Errorf("no module %s", c.Provider)
		}
		if c.Key != demoInicis && c.Key != demoKCP {
			others = append(others, c.Provider)
			continue
		}
		fmt.Fprintf(d.env.Stdout, "   %-13s %-15s %s%s\n", c.Provider, c.MID, d.base, p.Info().Paths[0])
	}
	for _, line := range wrapBy(others, 77, ", ") {
		fmt.Fprintln(d.env.Stdout, "   "+line)
	}
	return nil
}

// An order is what the demo's customers buy.
type order struct {
	id, name, channel, bank, account string
	amount                           int64
	noticeURLs                       []string
	// Of the traffic's orders.
	customer string
	secret   secret.Text // what the PG and the merchant know of it
	due      time.Time   // the account's deadline; zero if it has none
}

func (d *demo) orderOne() order {
	return order{id: "order-1", name: "사과 1상자", channel: demoInicis, bank: "SHINHAN", account: "56211992494252", amount: 10000}
}

func (d *demo) orderTwo() order {
	return order{id: "order-2", name: "귤 2상자", channel: demoKCP, bank: "KOOKMIN", account: "T0309260001455", amount: 32000, noticeURLs: []string{d.stumbleAt}}
}

// issue registers the account of the first order.
func (d *demo) issue(ctx context.Context) error {
	d.chapter("가상계좌 등록 (API)", "A virtual account is registered (API)")
	o := d.orderOne()
	p, err := d.register(ctx, o)
	if err != nil {
		return err
	}
	d.say("   POST /payments/%s/virtual-account  →  %s", "   POST /payments/%s/virtual-account  →  %s", o.id, p.Status)
	d.say("   신한은행 %s, %d원을 기다립니다", "   Shinhan Bank %s waits for %d won", o.account, o.amount)
	if p.Status != string(payment.Issued) {
		return fmt.Errorf("the payment is %s, not %s", p.Status, payment.Issued)
	}
	return d.hear(ctx, d.shop, webhook.VirtualAccountIssued, 1)
}

// deposit plays KG Inicis's notice for the first order.
func (d *demo) deposit(ctx context.Context) error {
	d.chapter("PG의 입금통보", "The PG's deposit notice")
	x, err := d.play(ctx, "inicis_v2", d.notice(d.orderOne()))
	if err != nil {
		return err
	}
	d.showExchange("inicis_v2", x)
	if err := d.expectVerdict(ctx, payment.Applied); err != nil {
		return err
	}
	d.chapter("서명된 웹훅", "The signed webhook")
	if err := d.hear(ctx, d.shop, webhook.Paid, 1); err != nil {
		return err
	}
	return d.expectState(ctx, "order-1", payment.Paid)
}

// again sends the same notice twice more: PGs do.
func (d *demo) again(ctx context.Context) error {
	d.chapter("같은 통보가 또 옵니다", "The same notice comes again")
	before := len(d.shop.Calls())
	for i := range 2 {
		x, err := d.play(ctx, "inicis_v2", d.notice(d.orderOne()))
		if err != nil {
			return err
		}
		if !x.Acked {
			return fmt.Errorf("a duplicate was answered %d %q", x.Reply.Status, x.Reply.Body)
		}
		if i == 0 {
			d.showMeaning("inicis_v2", x.Request)
		}
		if err := d.expectVerdict(ctx, payment.Duplicate); err != nil {
			return err
		}
	}
	if n := len(d.shop.Calls()); n != before {
		return fmt.Errorf("duplicates made %d webhooks", n-before)
	}
	d.say("   PG에는 OK로 응답하고, 결제 상태는 그대로이며, 웹훅은 보내지 않습니다", "   the PG hears OK, the payment stays, no webhook goes out")
	return nil
}

// stumble shows a shop that fails twice and is tried again.
func (d *demo) stumble(ctx context.Context) error {
	d.chapter("상점이 두 번 실패합니다", "The shop fails twice")
	o := d.orderTwo()
	if _, err := d.register(ctx, o); err != nil {
		return err
	}
	d.say("   noticeUrls: %s (일정 1초, 2초, 4초)", "   noticeUrls: %s (schedule 1 s, 2 s, 4 s)", d.stumbleAt)
	if err := d.hear(ctx, d.stumbling, webhook.VirtualAccountIssued, 3); err != nil {
		return err
	}
	x, err := d.play(ctx, "kcp_v2", d.notice(o))
	if err != nil {
		return err
	}
	d.showExchange("kcp_v2", x)
	if err := d.expectVerdict(ctx, payment.Applied); err != nil {
		return err
	}
	return d.hear(ctx, d.stumbling, webhook.Paid, 1)
}

// disagree plays a notice that no rule lets through.
func (d *demo) disagree(ctx context.Context) error {
	d.chapter("금액이 다른 두 번째 입금", "A second deposit with another amount")
	n := d.notice(d.orderTwo())
	n.Amount, n.Deposit, n.At = payment.Won(31000), "20261121999999999999", time.Now().In(wire.Seoul).Truncate(time.Second)
	x, err := d.play(ctx, "kcp_v2", n)
	if err != nil {
		return err
	}
	if !x.Acked {
		return fmt.Errorf("a conflict was answered %d", x.Reply.Status)
	}
	d.showMeaning("kcp_v2", x.Request)
	d.say("   등록된 금액은 %d원, 온 금액은 %d원입니다", "   the payment is of %d won, and %d came", d.orderTwo().amount, n.Amount.Amount)
	if err := d.expectVerdict(ctx, payment.Conflict); err != nil {
		return err
	}
	d.say("   받았다고 응답하고, 결제 상태는 그대로 두며, 담당자가 확인할 수 있게 남겨 둡니다", "   it is acknowledged, the payment stays, a person will see it")
	return d.expectState(ctx, "order-2", payment.Paid)
}

// history ends the story with what is on disk.
func (d *demo) history(ctx context.Context) error {
	d.chapter("남은 기록", "What is on record")
	if err := d.settled(ctx); err != nil {
		return err
	}
	list, err := d.server.Store.Notices(ctx, store.NoticeQuery{})
	if err != nil {
		return err
	}
	if err := showNotices(d.env, d.lang(), consoleLinks{d.base, d.env.Terminal && !d.env.Dumb}, list); err != nil {
		return err
	}
	problems := 0
	checked, err := d.server.Store.Verify(ctx, func(p store.Problem) {
		problems++
		fmt.Fprintln(d.env.Stdout, "  ", p)
	})
	if err != nil {
		return err
	}
	if problems > 0 {
		return fmt.Errorf("verify found %d problems", problems)
	}
	d.say("   verify: 문제 없음 (%s)", "   verify: no problems (%s)", counts(d.lang(), checked))
	return nil
}

// A seenPayment is what the API says of a payment, as far as the story needs.
type seenPayment struct {
	Status  string `json:"status"`
	Type    string `json:"type"`
	Message string `json:"message"`
}

func (d *demo) register(ctx context.Context, o order) (seenPayment, error) {
	account := map[string]any{"bank": o.bank, "accountNumber": o.account, "accountHolder": "가나상점"}
	if !o.due.IsZero() {
		account["expiredAt"] = o.due.Format(time.RFC3339Nano)
	}
	in := map[string]any{
		"channelKey": o.channel, "orderName": o.name, "amount": map[string]any{"total": o.amount}, "currency": "KRW",
		"virtualAccount": account, "noticeUrls": o.noticeURLs, "pgSecret": o.secret.Reveal(),
	}
	if o.customer != "" {
		in["customer"] = map[string]any{"name": map[string]any{"full": o.customer}}
	}
	return d.call(ctx, http.MethodPost, "/payments/"+o.id+"/virtual-account", in)
}

func (d *demo) call(ctx context.Context, method, path string, body any) (seenPayment, error) {
	var p seenPayment
	b, err := json.Marshal(body)
	if err != nil {
		return p, err
	}
	req, err := http.NewRequestWithContext(ctx, method, d.base+path, bytes.NewReader(b))
	if err != nil {
		return p, err
	}
	req.Header.Set("Authorization", "PortOne "+d.apiSecret)
	resp, err := d.client.Do(req)
	if err != nil {
		return p, err
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&p); err != nil {
		return p, err
	}
	if resp.StatusCode != http.StatusOK {
		return p, fmt.Errorf("%s %s: %d %s %s", method, path, resp.StatusCode, p.Type, p.Message)
	}
	return p, nil
}

// notice is what a PG would say of an order's deposit.
func (d *demo) notice(o order) notice.Notice {
	if d.at.IsZero() {
		d.at = time.Now().In(wire.Seoul).Truncate(time.Second)
	}
	n := notice.Notice{Order: o.id}
	n.Report = payment.Report{
		Event: payment.EventDeposited, Amount: payment.Won(o.amount), HasAmount: true, Account: secret.Account(o.account),
		Bank: payment.Bank(o.bank), Depositor: "똠방각하", At: d.at,
	}
	switch o.channel {
	case demoInicis:
		n.Merchant = "INIpayTest"
	case demoKCP:
		n.Merchant, n.Form = "T0000", "euc-kr"
	}
	return n
}

func (d *demo) play(ctx context.Context, code string, n notice.Notice) (simulator.Exchange, error) {
	p, ok := all.ByCode(code)
	if !ok {
		return simulator.Exchange{}, fmt.Errorf("no module %s", code)
	}
	pg := simulator.PG{Provider: p, Client: d.client}
	return pg.Send(ctx, d.base, n, nil)
}

// showExchange prints a notice's bytes as they were, what they say, and the
// answer.
func (d *demo) showExchange(code string, x simulator.Exchange) {
	fmt.Fprintf(d.env.Stdout, "   POST %s  %s  %d bytes\n", x.Request.Path, x.Request.ContentType(), len(x.Request.Body))
	for _, line := range fold(printable(string(x.Request.Body)), 92) {
		fmt.Fprintln(d.env.Stdout, "   │ "+line)
	}
	d.showMeaning(code, x.Request)
	d.showSpelling(code, x.Request)
	fmt.Fprintf(d.env.Stdout, "   ◀ %d %q  %v\n", x.Reply.Status, x.Reply.Body, x.Took.Round(100*time.Microsecond))
}

// expectVerdict prints the verdict of the newest notice and checks it.
func (d *demo) expectVerdict(ctx context.Context, want payment.Verdict) error {
	list, err := d.server.Store.Notices(ctx, store.NoticeQuery{Limit: 1})
	if err != nil {
		return err
	}
	if len(list) != 1 || list[0].Verdict != want {
		return fmt.Errorf("the newest notice is %+v, want %s", list, want)
	}
	d.showVerdict(list[0])
	return nil
}

func (d *demo) expectState(ctx context.Context, id string, want payment.State) error {
	p, err := d.call(ctx, http.MethodGet, "/payments/"+id, nil)
	if err != nil {
		return err
	}
	if p.Status != string(want) {
		return fmt.Errorf("payment %s is %s, not %s", id, p.Status, want)
	}
	fmt.Fprintf(d.env.Stdout, "   GET /payments/%s  →  %s\n", id, p.Status)
	return nil
}

// hear waits until the shop has heard of a type of event after so many tries,
// and prints each.
func (d *demo) hear(ctx context.Context, shop *simulator.Shop, t webhook.Type, tries int) error {
	shown := 0
	for n := 0; ; n++ {
		calls, err := shop.Wait(ctx, n+1)
		if err != nil {
			return fmt.Errorf("the shop did not hear of %s: %w", t, err)
		}
		c := calls[n]
		if !bytes.Contains(c.Body, []byte(t)) {
			continue
		}
		shown++
		d.showCall(c)
		if !c.Verified {
			return fmt.Errorf("the signature of %s does not fit", c.ID)
		}
		if c.Status == http.StatusOK {
			break
		}
	}
	if shown != tries {
		return fmt.Errorf("%s took %d tries, want %d", t, shown, tries)
	}
	return nil
}

func (d *demo) showCall(c simulator.Call) {
	mark := "✓"
	if !c.Verified {
		mark = "✗"
	}
	fmt.Fprintf(d.env.Stdout, "   ▶ webhook-id: %s\n     webhook-timestamp: %d\n     webhook-signature: %s %s\n     %s\n   ◀ %d\n",
		c.ID, c.Sent.Unix(), c.Header.Get(webhook.HeaderSignature), mark, printable(string(c.Body)), c.Status)
}

// fold cuts text into lines of at most n bytes, after an ampersand if it can.
func fold(s string, n int) []string {
	var out []string
	for len(s) > n {
		cut := n
		if amp := strings.LastIndexByte(s[:n], '&'); amp > 0 {
			cut = amp + 1
		}
		out = append(out, s[:cut])
		s = s[cut:]
	}
	return append(out, s)
}
