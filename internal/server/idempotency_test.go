package server_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const refundBody = `{"reason":"변심","amount":3000,"refundAccount":{"bank":"KOOKMIN","number":"123-456","holderName":"홍길동"}}`

// paid has an account issued, and paid at the PG.
func (s *shopAndPG) paid(order string) {
	s.Helper()
	s.want(200, `"pgTxId"`, "POST", "/payments/"+order+"/instant", issueBody)
	s.deposit(order, true)
	s.becomes("/payments/"+order, `"status":"PAID"`)
}

// refund asks for a refund under an Idempotency-Key. Any goroutine may call it.
func (s *shopAndPG) refund(order, key, body string) (status int, text string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), "POST", s.base+"/payments/"+order+"/cancel", strings.NewReader(body))
	if err != nil {
		s.Error(err)
		return 0, ""
	}
	r.Header.Set("Authorization", "PortOne s3cret")
	r.Header.Set("Idempotency-Key", `"`+key+`"`)
	resp, err := s.client.Do(r)
	if err != nil {
		s.Error(err)
		return 0, ""
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Error(err)
	}
	return resp.StatusCode, string(b)
}

// TestSameCancelAtOnce sends one cancel 50 times at once under one key: the PG is
// asked once, and everybody who is not told to wait gets the one answer.
func TestSameCancelAtOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.paid("order-1")
	const many = 50
	answers := make(chan string, many)
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
				status, text := s.refund("order-1", "0123456789abcdef", refundBody)
				if status == http.StatusConflict && strings.Contains(text, "IDEMPOTENCY_OUTSTANDING_REQUEST") {
					continue
				}
				answers <- fmt.Sprint(status, text)
				return
			}
			t.Error("the request is outstanding for ever")
		})
	}
	all.Wait()
	close(answers)
	first := <-answers
	if !strings.HasPrefix(first, "200") || !strings.Contains(first, `"status":"SUCCEEDED"`) || len(answers) != many-1 {
		t.Errorf("%d more answers than %s", len(answers), first)
	}
	for other := range answers {
		if other != first {
			t.Errorf("answered %s and %s", first, other)
		}
	}
	if n := s.refunds.Load(); n != 1 {
		t.Errorf("the PG was asked %d times, want once", n)
	}
	if left := s.entry("order-1").Left().Amount; left != 8000 {
		t.Errorf("the PG has %d left, want 8000", left)
	}
	if status, text := s.refund("order-1", "0123456789abcdef", `{"reason":"변심"}`); status != 400 || !strings.Contains(text, "another request") {
		t.Errorf("another body: %d %s", status, text)
	}
	s.verified()
}

// TestOtherCancelsAtOnce is what the one key saves from: as many refunds as the
// payment allows, and never one more.
func TestOtherCancelsAtOnce(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.paid("order-1")
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			status, text := s.refund("order-1", fmt.Sprintf("0123456789abcdef-%d", i), refundBody)
			if status != http.StatusOK && !strings.Contains(text, "CANCEL_AMOUNT_EXCEEDS") && !strings.Contains(text, "CANCEL_TAX_AMOUNT_EXCEEDS") {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	all.Wait()
	if n, left := s.refunds.Load(), s.entry("order-1").Left().Amount; n != 3 || left != 2000 {
		t.Errorf("the PG was asked %d times, %d left; want 3, 2000", n, left)
	}
	s.verified()
}

// TestLostAnswerIsKept repeats a cancel whose answer the PG lost: the repetition
// learns the same, and the PG is asked only where the payment stands.
func TestLostAnswerIsKept(t *testing.T) {
	t.Parallel()
	s := openShop(t)
	s.paid("order-1")
	s.mute.Store(true)
	status, text := s.refund("order-1", "0123456789abcdef", refundBody)
	if status != 200 || !strings.Contains(text, `"status":"REQUESTED"`) {
		t.Errorf("lost: %d %s", status, text)
	}
	s.mute.Store(false)
	if again, same := s.refund("order-1", "0123456789abcdef", refundBody); again != status || same != text {
		t.Errorf("again: %d %s", again, same)
	}
	s.becomes("/payments/order-1", `"status":"PARTIAL_CANCELLED"`)
	if n := s.refunds.Load(); n != 1 {
		t.Errorf("the PG was asked %d times, want once", n)
	}
	s.verified()
}
