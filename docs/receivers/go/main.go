// Command receiver receives Tongbo's webhooks with net/http and the library of
// Standard Webhooks.
//
// 통보의 웹훅을 받는 서버: net/http와 Standard Webhooks 라이브러리를 씁니다.
//
//	go get github.com/standard-webhooks/standard-webhooks/libraries
//	WEBHOOK_SECRET=whsec_… TONGBO_URL=https://pay.example.com TONGBO_API_SECRET=… go run .
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// order is one of your orders: put your database here. 주문: 여러분의 데이터베이스로 바꾸세요.
type order struct {
	amount   int64
	currency string
	known    string
}

var orders = map[string]*order{
	"order-1": {amount: 10000, currency: "KRW"},
	"order-2": {amount: 20000, currency: "KRW"},
}

// inbox is where a webhook becomes a file named by its webhook-id. With several
// servers, make it a table with that as its key.
// 받은 웹훅은 webhook-id를 이름으로 한 파일이 됩니다. 서버가 여럿이면 webhook-id가 기본 키인 표로 바꾸세요.
var inbox = env("INBOX", "inbox")

var client = &http.Client{Timeout: 60 * time.Second}

func env(name, without string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return without
}

// settle reads a payment by the API and compares it with the order. Doing so
// again changes nothing.
// 결제를 API로 다시 읽고 주문과 견줍니다. 여러 번 불러도 결과가 같습니다.
func settle(ctx context.Context, id string) error {
	o := orders[id]
	if o == nil {
		log.Printf("%s: no such order", id)
		return nil
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv("TONGBO_URL")+"/payments/"+url.PathEscape(id), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "PortOne "+os.Getenv("TONGBO_API_SECRET"))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var p struct {
		ID, Status, Currency string
		Amount               struct{ Total, Cancelled int64 }
	}
	switch err := json.NewDecoder(resp.Body).Decode(&p); {
	case resp.StatusCode != http.StatusOK:
		return errors.New(resp.Status)
	case err != nil:
		return err
	}
	if p.ID != id || p.Amount.Total != o.amount || p.Currency != o.currency {
		log.Printf("%s: amount differs", id) // Ship nothing; have someone look. 발송하지 말고 사람이 봅니다.
		return nil
	}
	if now := fmt.Sprintf("%s, cancelled %d", p.Status, p.Amount.Cancelled); o.known != now {
		o.known = now // Update your order here: ship when PAID. 여기서 주문을 고칩니다: PAID면 발송.
		log.Printf("%s: %s", id, now)
	}
	return nil
}

// work works off what came, one after the other, and begins with what was left
// from last time. 받은 것을 하나씩 처리합니다. 지난번에 마치지 못한 것부터.
func work(ctx context.Context, wake <-chan struct{}) {
	for {
		files, _ := filepath.Glob(filepath.Join(inbox, "*.json"))
		for _, file := range files {
			if err := workOff(ctx, file); err != nil {
				log.Print(err) // It stays, and is tried again. 남겨 두고 다음에 다시 합니다.
			}
		}
		select {
		case <-wake:
		case <-time.After(time.Minute):
		}
	}
}

func workOff(ctx context.Context, file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var event struct {
		Type string
		Data struct{ PaymentID string }
	}
	if err := json.Unmarshal(body, &event); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if strings.HasPrefix(event.Type, "Transaction.") {
		if err := settle(ctx, event.Data.PaymentID); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return os.Rename(file, filepath.Join(inbox, "done", filepath.Base(file)))
}

// receive keeps a webhook and answers; the work is done afterwards.
// 먼저 답하고, 일은 그 뒤에.
func receive(check *standardwebhooks.Webhook, wake chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// The signature is over the bytes as they came: check it before parsing.
		// 서명은 온 바이트 그대로에 대한 것이라, JSON으로 풀기 전에 확인합니다.
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil || check.Verify(body, r.Header) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		name := r.Header.Get("webhook-id") + ".json"
		if _, err := os.Stat(filepath.Join(inbox, "done", name)); err != nil { // not worked off yet
			if err := os.WriteFile(filepath.Join(inbox, name), body, 0o600); err != nil {
				w.WriteHeader(http.StatusInternalServerError) // Hear it again. 적지 못했으니 다시 받습니다.
				return
			}
		}
		w.WriteHeader(http.StatusOK)
		select {
		case wake <- struct{}{}:
		default: // it is awake
		}
	}
}

func main() {
	check, err := standardwebhooks.NewWebhook(os.Getenv("WEBHOOK_SECRET"))
	if err != nil {
		log.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(inbox, "done"), 0o700); err != nil {
		log.Fatal(err)
	}
	wake := make(chan struct{}, 1)
	go work(context.Background(), wake)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /webhook", receive(check, wake))
	listener, err := net.Listen("tcp", "127.0.0.1:"+env("PORT", "3000")) // behind what speaks TLS. 앞에 TLS 프록시를 두세요.
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("listening on port %d", listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}
