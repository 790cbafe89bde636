package delivery

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

const (
	oldKey = secret.Text("whsec_YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh")
	newKey = secret.Text("whsec_YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJi")
)

// plannerOf knows one endpoint "e1" at a URL, with two live secrets.
func plannerOf(url string) webhook.Planner {
	return webhook.Planner{
		Merchants: merchant.NewDirectory(nil, nil),
		Endpoints: webhook.NewDirectory([]webhook.Endpoint{{
			ID: "e1", URL: url, Secrets: []secret.Text{newKey, oldKey}, Schedule: webhook.Toss,
		}}, nil, nil),
	}
}

func sampleJob() webhook.Job {
	return webhook.Job{Delivery: webhook.Delivery{
		ID: "d1", Endpoint: "e1", Target: "e1", Type: webhook.Paid, ContentType: webhook.JSON,
		Body: []byte(`{"data": 1 }`), Schedule: webhook.PortOne, State: webhook.Waiting,
	}, Lease: "l1"}
}

// tryOnce makes one try with a client, outside any queue.
func tryOnce(t *testing.T, c *http.Client, job webhook.Job, pl webhook.Planner) result {
	t.Helper()
	d := &Dispatcher{Client: c}
	return d.newRun(t.Context()).try(t.Context(), job, pl)
}

// A raw receiver shows what was on the wire, letter for letter.
func TestTryOnTheWire(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		r := bufio.NewReader(conn)
		var head strings.Builder
		for !strings.HasSuffix(head.String(), "\r\n\r\n") {
			line, err := r.ReadString('\n')
			if err != nil {
				break
			}
			head.WriteString(line)
		}
		body := make([]byte, len(sampleJob().Body))
		_, _ = io.ReadFull(r, body)
		got <- head.String() + string(body)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Seen: yes\r\n\r\nok")
	}()
	url := "http://" + l.Addr().String() + "/hook?token=t"
	res := tryOnce(t, safehttp.New(safehttp.Config{AllowPrivate: true}), sampleJob(), plannerOf(url))
	a := res.attempt
	if a.Outcome != webhook.Good || a.Status != 200 || string(a.ResponseBody) != "ok" || a.Truncated || a.Error != "" {
		t.Errorf("the attempt is %+v, want a good one", a)
	}
	if a.Number != 1 || a.URL != url || a.Delivery != "d1" || a.Webhook != "d1" || a.Took <= 0 {
		t.Errorf("the attempt is %+v, want the first of d1 to %s", a, url)
	}
	if !strings.Contains(a.ResponseHeader, "x-seen: yes") || !strings.Contains(a.RequestHeader, "webhook-id: whk_d1") {
		t.Errorf("headers kept: %q and %q", a.RequestHeader, a.ResponseHeader)
	}
	wire := <-got
	for _, want := range []string{
		"POST /hook?token=t HTTP/1.1\r\n", "\r\nwebhook-id: whk_d1\r\n", "\r\nUser-Agent: Tongbo-Webhook/1\r\n",
		"\r\nContent-Type: application/json\r\n", "\r\nContent-Length: 12\r\n", "\r\nAccept-Encoding: identity\r\n",
		"\r\nwebhook-timestamp: " + strconv.FormatInt(a.At.Unix(), 10) + "\r\n", "\r\n\r\n" + `{"data": 1 }`,
	} {
		if strings.Count(wire, want) != 1 {
			t.Errorf("want %q once in\n%s", want, wire)
		}
	}
	for _, name := range []string{"webhook-id:", "webhook-timestamp:", "webhook-signature:", "user-agent:"} {
		if n := strings.Count(strings.ToLower(wire), name); n != 1 {
			t.Errorf("%s was sent %d times", name, n)
		}
	}
	verifyWire(t, wire)
}

// verifyWire checks the signature with either secret, by the reference library.
func verifyWire(t *testing.T, wire string) {
	t.Helper()
	req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire)))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(req.Body)
	for _, key := range []secret.Text{oldKey, newKey} {
		w, err := standardwebhooks.NewWebhook(key.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Verify(body, req.Header); err != nil {
			t.Errorf("a receiver refuses the webhook: %v", err)
		}
	}
}

func TestTryAnswers(t *testing.T) {
	long := strings.Repeat("x", keptBody)
	for _, c := range []struct {
		name      string
		status    int
		body      string
		edit      func(*webhook.Job)
		outcome   webhook.Outcome
		kept      int
		truncated bool
	}{
		{"a good answer", 204, "", nil, webhook.Good, 0, false},
		{"a failure", 500, "sorry", nil, webhook.BadAnswer, 5, false},
		{"a redirect is a bad answer", 302, "", nil, webhook.BadAnswer, 0, false},
		{"201 where exactly 200 is wanted", 201, "", func(j *webhook.Job) { j.Schedule = webhook.Toss }, webhook.BadAnswer, 0, false},
		{"200 where exactly 200 is wanted", 200, "", func(j *webhook.Job) { j.Schedule = webhook.Toss }, webhook.Good, 0, false},
		{"a resend is judged by the endpoint", 201, "", func(j *webhook.Job) { j.Manual, j.Schedule = true, webhook.Once }, webhook.BadAnswer, 0, false},
		{"a body of 16 KiB", 200, long, nil, webhook.Good, keptBody, false},
		{"a body of a byte more", 200, long + "x", nil, webhook.Good, keptBody, true},
		{"a body without end", 200, strings.Repeat(long, 20), nil, webhook.Good, keptBody, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls++
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer s.Close()
			job := sampleJob()
			if c.edit != nil {
				c.edit(&job)
			}
			a := tryOnce(t, s.Client(), job, plannerOf(s.URL)).attempt
			if a.Outcome != c.outcome || a.Status != c.status || len(a.ResponseBody) != c.kept || a.Truncated != c.truncated || calls != 1 {
				t.Errorf("%d with %d bytes is %s with %d kept, truncated %v, after %d calls; want %s with %d, %v",
					a.Status, len(c.body), a.Outcome, len(a.ResponseBody), a.Truncated, calls, c.outcome, c.kept, c.truncated)
			}
		})
	}
}

// closedPort is an address of this machine where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String() + "/?token=hunter2"
}

func TestTryWithoutAnswer(t *testing.T) {
	breaks := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	defer breaks.Close()
	open := safehttp.New(safehttp.Config{AllowPrivate: true})
	for _, c := range []struct {
		name, url string
		client    *http.Client
		want      webhook.Outcome
	}{
		{"nobody listens", closedPort(t), open, webhook.NoConnect},
		{"a name that does not exist", "http://no-such-host.invalid/?token=hunter2", open, webhook.NoConnect},
		{"a private address", closedPort(t), safehttp.New(safehttp.Config{}), webhook.NotAllowed},
		{"the connection breaks", breaks.URL + "/?token=hunter2", open, webhook.NoAnswer},
		{"an address that is none", "http://[::1?token=hunter2", open, webhook.NoConnect},
	} {
		a := tryOnce(t, c.client, sampleJob(), plannerOf(c.url)).attempt
		if a.Outcome != c.want || a.Status != 0 || a.Error == "" || strings.Contains(a.Error, "hunter2") {
			t.Errorf("%s: %s, status %d, %q; want %s and words without the token", c.name, a.Outcome, a.Status, a.Error, c.want)
		}
	}
}

func TestTryGone(t *testing.T) {
	never := roundTrip(func(*http.Request) (*http.Response, error) { return nil, errors.New("called") })
	a := tryOnce(t, &http.Client{Transport: never}, sampleJob(), webhook.Planner{}).attempt
	if a.Outcome != webhook.Gone || a.Error != "the endpoint was deleted" {
		t.Errorf("a try for a deleted endpoint is %s, %q", a.Outcome, a.Error)
	}
}

// A shop that accepts and never answers is given 30 seconds, whatever the
// client's own patience.
func TestTryTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		a := tryOnce(t, &http.Client{Transport: hang}, sampleJob(), plannerOf("https://shop.example")).attempt
		if a.Outcome != webhook.NoAnswer || a.Took != 30*time.Second || a.Error != "no answer in time" {
			t.Errorf("a hanging try is %s after %v, %q", a.Outcome, a.Took, a.Error)
		}
	})
}

// A shop that said yes and then hangs has the webhook.
func TestTryGoodAnswerWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hang := roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(ctxReader{r.Context()})}, nil
		})
		a := tryOnce(t, &http.Client{Transport: hang}, sampleJob(), plannerOf("https://shop.example")).attempt
		if a.Outcome != webhook.Good || !a.Truncated {
			t.Errorf("a good answer with a hanging body is %s, truncated %v", a.Outcome, a.Truncated)
		}
	})
}

// A ctxReader yields nothing until its context ends.
type ctxReader struct{ ctx context.Context }

func (r ctxReader) Read([]byte) (int, error) {
	<-r.ctx.Done()
	return 0, r.ctx.Err()
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 8, 1, 10, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		in   string
		want time.Duration
	}{
		{"", 0},
		{"120", 2 * time.Minute},
		{"-5", 0},
		{"1.5", 0},
		{"soon", 0},
		{"9223372036854775807", 365 * 24 * time.Hour},
		{"Sat, 01 Aug 2026 10:05:00 GMT", 5 * time.Minute},
		{"Sat, 01 Aug 2026 09:00:00 GMT", 0},
		{"Sat, 01 Aug 3026 09:00:00 GMT", 365 * 24 * time.Hour},
	} {
		if got := retryAfter(c.in, now); got != c.want {
			t.Errorf("retryAfter(%q) = %v, want %v", c.in, got, c.want)
		}
	}
}

func TestHeaderText(t *testing.T) {
	got := headerText(http.Header{"X-B": {"2", "1"}, "webhook-id": {"whk_1"}, "X-A": {"\xff\x00"}})
	if want := "webhook-id: whk_1\nx-a: ?\nx-b: 1\nx-b: 2"; got != want {
		t.Errorf("headerText = %q, want %q", got, want)
	}
	if got := headerText(http.Header{"X": {strings.Repeat("한", keptHeader)}}); len(got) > keptHeader {
		t.Errorf("headerText keeps %d bytes, want at most %d", len(got), keptHeader)
	}
}
