package test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/simulator"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

var update = flag.Bool("update", false, "write what the documents tell of the PGs anew")

// trials are the columns of the matrix: what the PG, or somebody in its place,
// sends to a live channel.
var trials = []string{"deposit", "duplicate", "wrong amount", "unknown order", "wrong proof", "bad sender", "garbage"}

const (
	matrixToken = "abcdefghijklmnopqrstuv"
	badSender   = "203.0.113.77" // of nobody (RFC 5737)
	goodSender  = "198.51.100.9" // of a PG that publishes no addresses
	orderSecret = "ps_matrix"
)

// TestProviderMatrix plays every trial of every PG to the program on both
// engines, on live channels behind a proxy that passes the senders' addresses
// on, and compares what became of it with the table in docs/providers.md.
func TestProviderMatrix(t *testing.T) {
	t.Parallel()
	binary(t)
	tables := map[string][]string{}
	var mu sync.Mutex
	t.Run("engines", func(t *testing.T) {
		for _, engine := range []string{"sqlite", "postgres"} {
			t.Run(engine, func(t *testing.T) {
				t.Parallel()
				database := "sqlite:" + filepath.Join(t.TempDir(), "t.db")
				if engine == "postgres" {
					database = storetest.Postgres(t)
				}
				table := startMatrix(t, database).table()
				mu.Lock()
				defer mu.Unlock()
				tables[engine] = table
			})
		}
	})
	if t.Failed() {
		return
	}
	if d := cmp.Diff(tables["sqlite"], tables["postgres"]); d != "" {
		t.Errorf("the engines differ (-sqlite +postgres):\n%s", d)
	}
	const document = "../docs/providers.md"
	compareLines(t, document, "## What they send", tableRow, factRows())
	compareLines(t, document, "## What their proofs cover", tableRow, proofRows())
	compareLines(t, document, "## What they tell", tableRow, eventRows())
	compareLines(t, document, "## What becomes of it", tableRow, tables["sqlite"])
}

// A matrix is the program with one live channel for each module.
type matrix struct {
	t    *testing.T
	node *node
	env  []string
}

func startMatrix(t *testing.T, database string) *matrix {
	t.Helper()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	m := &matrix{t: t, env: []string{"TONGBO_DATABASE=" + database, "TONGBO_KEY=" + key.Text().Reveal(), "TONGBO_LOG_LEVEL=warn"}}
	file := filepath.Join(t.TempDir(), "matrix.toml")
	write(t, file, declaration())
	m.run("apply", file)
	m.node = &node{binary: binary(t), env: m.env, args: []string{"--trusted-proxies", "127.0.0.1/32"}}
	t.Cleanup(m.node.kill)
	if _, err := m.node.start(); err != nil {
		t.Fatal(err)
	}
	return m
}

// run runs the program and returns what it prints.
func (m *matrix) run(args ...string) []byte {
	m.t.Helper()
	c := exec.Command(binary(m.t), args...)
	c.Env = m.env
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		m.t.Fatalf("tongbo %s: %v\n%s", args[0], err, errs.Bytes())
	}
	return out
}

func matrixKey(row int) string {
	return fmt.Sprintf("channel-key-00000000-0000-4000-8000-%012d", row+1)
}

func matrixMID(i provider.Info) string { return "M" + strings.ReplaceAll(i.Code, "_", "") }

// known are the secrets that a channel and its PG share.
func known(i provider.Info) merchant.Credentials {
	c := merchant.Credentials{}
	for _, f := range i.Fields {
		if f.Secret && i.Class != provider.AddressOnly {
			c[f.Name] = secret.Text("the-" + f.Name)
		}
	}
	return c
}

// declaration has a live channel for each module, which asks nobody to confirm
// where that can be had.
func declaration() string {
	var b strings.Builder
	b.WriteString("[[merchant]]\nname = \"가나상점\"\n[[merchant.store]]\nname = \"대표 상점\"\n")
	for row, p := range all.Providers() {
		i := p.Info()
		fmt.Fprintf(&b, "[[merchant.store.channel]]\nkey = %q\nname = %q\nprovider = %q\nmode = \"live\"\nmid = %q\n",
			matrixKey(row), i.Code, i.Code, matrixMID(i))
		if i.LiveSenders == nil {
			fmt.Fprintf(&b, "token = %q\n", matrixToken)
		}
		if !i.ConfirmAlways {
			b.WriteString("confirm = false\n")
		}
		if c := known(i); len(c) > 0 {
			b.WriteString("[merchant.store.channel.credentials]\n")
			for name, value := range c {
				fmt.Fprintf(&b, "%s = %q\n", name, value.Reveal())
			}
		}
	}
	b.WriteString("[[merchant.store.api_secret]]\nname = \"server\"\nmode = \"live\"\nsecret = \"" + apiSecret + "\"\n")
	return b.String()
}

// table plays all trials, and words their outcomes.
func (m *matrix) table() []string {
	var rows []string
	for row, p := range all.Providers() {
		cells := []string{"`" + p.Info().Code + "`"}
		for _, trial := range trials {
			cells = append(cells, m.play(row, p, trial))
		}
		rows = append(rows, "| "+strings.Join(cells, " | ")+" |")
	}
	m.run("verify")
	return rows
}

// play sends what a trial says and returns the verdict and what the PG hears;
// a dash if the PG has no such notice.
func (m *matrix) play(row int, p provider.Provider, trial string) string {
	m.t.Helper()
	i := p.Info()
	order := strings.ReplaceAll(i.Code+"-"+trial, " ", "-")
	n := notice.Notice{Merchant: matrixMID(i), Order: order, Proof: orderSecret}
	n.Event, n.Amount, n.HasAmount = payment.EventDeposited, payment.Won(price), true
	n.Account, n.Bank, n.Depositor, n.At = "56211992494252", "SHINHAN", "똠방각하", time.Now().In(wire.Seoul)
	from, manner := goodSender, simulator.RareSyllables
	if len(i.LiveSenders) > 0 {
		from = i.LiveSenders[0].Addr().String()
	}
	switch trial {
	case "duplicate":
		manner = simulator.Duplicate
	case "wrong amount":
		manner = simulator.OtherAmount
	case "wrong proof":
		manner = simulator.WrongSignature
	case "bad sender":
		from = badSender
	case "garbage":
		manner = simulator.Garbage
	}
	play, err := simulator.NewPlay(p, manner, n, known(i), 0)
	if fault.Is(err, fault.Unsupported) {
		return "–"
	}
	if err != nil {
		m.t.Fatalf("%s, %s: %v", i.Code, trial, err)
	}
	if trial != "unknown order" {
		m.register(row, order)
	}
	to := m.node.url(play.Acts[0].Request.Path + "/" + matrixKey(row))
	if i.LiveSenders == nil && trial != "bad sender" {
		to += "/" + matrixToken
	}
	pg := simulator.PG{Provider: p, Client: client}
	var answer simulator.Exchange
	for _, a := range play.Acts {
		a.Request.Header.Set("X-Forwarded-For", from)
		if answer, err = pg.SendRaw(m.t.Context(), to, a.Request); err != nil {
			m.t.Fatalf("%s, %s: %v", i.Code, trial, err)
		}
	}
	heard := "resend"
	if answer.Acked {
		heard = "received"
	}
	return m.verdict(i, order, trial) + ", " + heard
}

// register registers an account for an order.
func (m *matrix) register(row int, order string) {
	m.t.Helper()
	body := fmt.Sprintf(`{"channelKey": %q, "orderName": "책", "amount": {"total": %d}, "currency": "KRW", "pgSecret": %q,
		"virtualAccount": {"bank": "SHINHAN", "accountNumber": "56211992494252"}}`, matrixKey(row), price, orderSecret)
	req, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, m.node.url("/payments/"+order+"/virtual-account"), strings.NewReader(body))
	if err != nil {
		m.t.Fatal(err)
	}
	req.Header.Set("Authorization", "PortOne "+apiSecret)
	resp, err := documentedClient(m.t).Do(req)
	if err != nil {
		m.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		m.t.Fatalf("register %s: %s", order, resp.Status)
	}
}

// verdict is that of the last notice of an order, or of the module's last
// notice if none names the order.
func (m *matrix) verdict(i provider.Info, order, trial string) string {
	m.t.Helper()
	newest := "none"
	for line := range bytes.Lines(m.run("notices", "--json", "--limit", "1000")) {
		var n struct{ Provider, Order, Verdict, Reason string }
		if err := json.Unmarshal(line, &n); err != nil {
			m.t.Fatalf("%v: %q", err, line)
		}
		if n.Provider != i.Code {
			continue
		}
		if n.Order == order || trial == "garbage" && n.Order == "" {
			return n.Verdict
		}
		if newest == "none" {
			newest = string(line)
		}
	}
	m.t.Fatalf("%s, %s: no notice of order %q was kept; the newest one of %s is %s", i.Code, trial, order, i.Code, newest)
	return ""
}

// factRows say how each PG sends and what vouches for it.
func factRows() []string {
	var out []string
	for _, p := range all.Providers() {
		i := p.Info()
		senders := "unknown: token or `senders`"
		if i.LiveSenders != nil {
			senders = fmt.Sprintf("%d, %s", len(i.LiveSenders), i.SendersDate().EN)
		}
		out = append(out, "| "+strings.Join([]string{
			"`" + i.Code + "`", strings.Join(i.Methods, ", "), i.Charset, string(i.Class), senders, minutes(i.Resend),
		}, " | ")+" |")
	}
	return out
}

// minutes words a schedule, such as "10 × 3".
func minutes(list []time.Duration) string {
	if list == nil {
		return "unknown"
	}
	var words []string
	for _, d := range list {
		words = append(words, fmt.Sprint(d.Minutes()))
	}
	if len(slices.Compact(slices.Clone(words))) == 1 {
		return fmt.Sprintf("%d × %s", len(list), words[0])
	}
	return strings.Join(words, ", ")
}

// proofRows say what a proof covers, of the PGs that have one.
func proofRows() []string {
	var out []string
	for _, p := range all.Providers() {
		if i := p.Info(); i.Class != provider.AddressOnly {
			out = append(out, "| `"+i.Code+"` | "+i.Proves.EN+" |")
		}
	}
	return out
}

// eventRows say which events each PG tells of.
func eventRows() []string {
	var out []string
	for _, p := range all.Providers() {
		i := p.Info()
		cells := []string{"`" + i.Code + "`"}
		for _, e := range payment.Events()[:8] {
			mark := ""
			if slices.Contains(i.Events, e) {
				mark = "●"
			}
			cells = append(cells, mark)
		}
		out = append(out, "| "+strings.Join(cells, " | ")+" |")
	}
	return out
}
