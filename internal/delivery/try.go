package delivery

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/webhook"
)

const (
	userAgent  = "Tongbo-Webhook/1"
	keptBody   = 16 << 10 // of an answer
	keptHeader = 16 << 10
	drained    = 64 << 10 // read beyond what is kept, so that the connection can be used again
)

// A result is what came of one try.
type result struct {
	attempt    webhook.Attempt
	retryAfter time.Duration // what the endpoint asked for; 0 if nothing
	cut        bool          // the stop ended it, so it says nothing
}

// try posts a job once. It always returns, at the latest when the time for one
// try is over or work ends.
func (r *run) try(work context.Context, job webhook.Job, planner webhook.Planner) result {
	res := result{attempt: webhook.Attempt{
		ID: webhook.AttemptID(r.NewID()), Delivery: job.ID, Webhook: job.ID,
		Number: job.Tries + 1, At: time.Now(), Endpoint: job.Endpoint,
	}}
	a := &res.attempt
	if job.Original != "" {
		a.Webhook = job.Original
	}
	dest, ok := planner.Destination(job.Delivery, a.At)
	if !ok {
		a.Outcome, a.Error = webhook.Gone, "the endpoint was deleted"
		return res
	}
	res, _ = r.post(work, job, dest, res)
	return res
}

// post makes the call of one try. The error is what the attempt tells in words.
func (r *run) post(work context.Context, job webhook.Job, dest webhook.Destination, res result) (result, error) {
	a := &res.attempt
	limit := min(r.Timeout, or(dest.Timeout, r.Timeout))
	ctx, cancel := context.WithTimeout(work, limit)
	defer cancel()
	ctx, traced := safehttp.Traced(ctx)
	req, err := request(ctx, job, dest, a.At)
	a.URL, a.RequestBody = dest.URL, job.Body
	if err != nil {
		a.Outcome, a.Error = webhook.NoConnect, words(err)
		return res, err
	}
	a.RequestHeader = headerText(masked(req.Header, dest.Headers))
	resp, err := r.Client.Do(req)
	if err != nil {
		a.Took = time.Since(a.At)
		a.Outcome, a.Error, a.Cause = classify(err), words(err), cause(err)
		a.Trace = traceOf(traced(), nil, err, time.Time{})
		a.Trace.Limit = unusual(limit)
		res.cut = errors.Is(context.Cause(ctx), errStopped)
		return res, err
	}
	defer resp.Body.Close()
	answered := time.Now()
	res.read(resp, good(job, dest))
	res.conceal(dest.Headers)
	a.Trace = traceOf(traced(), resp, nil, answered)
	a.Trace.Limit = unusual(limit)
	return res, nil
}

// unusual is a limit as it is kept with a try: the one that most have is not.
func unusual(limit time.Duration) time.Duration {
	if limit == longestTry {
		return 0
	}
	return limit
}

// good is the rule by which answers to a job are judged: its schedule's, or for
// a resend by hand, whose own schedule is a single try, that of the endpoint.
func good(job webhook.Job, dest webhook.Destination) func(status int) bool {
	if job.Manual {
		return dest.Schedule.Good
	}
	return job.Schedule.Good
}

// read takes over an answer. The status alone decides: a shop that said yes has
// the webhook, even if the rest of its answer never came.
func (res *result) read(resp *http.Response, good func(status int) bool) {
	a := &res.attempt
	if resp.StatusCode < http.StatusOK {
		// After a 101 the connection speaks another protocol: its bytes are no
		// answer, and no time-out of HTTP ends them.
		_ = resp.Body.Close()
		resp.Body = http.NoBody
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, keptBody+1))
	a.Took = time.Since(a.At)
	a.Status, a.ResponseHeader = resp.StatusCode, headerText(resp.Header)
	a.ResponseBody, a.Truncated = body[:min(len(body), keptBody)], len(body) > keptBody || err != nil
	if good(a.Status) {
		a.Outcome = webhook.Good
	} else {
		a.Outcome, a.Error = webhook.BadAnswer, "the answer was "+strconv.Itoa(a.Status)
		res.retryAfter = retryAfter(resp.Header.Get("Retry-After"), time.Now())
	}
	if err == nil && len(body) > keptBody {
		// What this reads, or why it stops, changes nothing: a connection that
		// is not read to its end is closed.
		_, _ = io.CopyN(io.Discard, resp.Body, drained)
	}
}

// request makes the signed request of one try. Signature and timestamp are of
// now; id and body are those of every try.
func request(ctx context.Context, job webhook.Job, dest webhook.Destination, now time.Time) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, dest.URL, bytes.NewReader(job.Body))
	if err != nil {
		return nil, err
	}
	req.Header, err = Header(job.WebhookID(), job.ContentType, job.Body, now, dest.Secrets...)
	if err != nil {
		return nil, err
	}
	for _, h := range dest.Headers {
		req.Header[h.Name] = []string{h.Value.Reveal()} // as it is written, like ours
	}
	return req, nil
}

// masked is a header as it is kept, without the values of the endpoint's own.
func masked(h http.Header, own []webhook.Header) http.Header {
	if len(own) == 0 {
		return h
	}
	h = h.Clone()
	for _, x := range own {
		h[x.Name] = []string{x.Masked()}
	}
	return h
}

// conceal leaves out of an answer what the receiver repeats of the endpoint's own headers.
func (res *result) conceal(own []webhook.Header) {
	if len(own) == 0 {
		return
	}
	a := &res.attempt
	header := webhook.Conceal([]byte(a.ResponseHeader), own)
	if len(a.ResponseHeader) >= keptHeader {
		header = webhook.ConcealEnd(header, own)
	}
	a.ResponseHeader = string(header)
	a.ResponseBody = webhook.Conceal(a.ResponseBody, own)
	if a.Truncated {
		a.ResponseBody = webhook.ConcealEnd(a.ResponseBody, own)
	}
	a.ResponseBody = a.ResponseBody[:min(len(a.ResponseBody), keptBody)]
}

// Header makes the header of a webhook that is sent now, signed with the secrets.
func Header(id string, c webhook.ContentType, body []byte, now time.Time, secrets ...secret.Text) (http.Header, error) {
	signature, err := webhook.Sign(id, now, body, secrets...)
	if err != nil {
		return nil, err
	}
	h := http.Header{}
	h.Set("Content-Type", c.MIME())
	h.Set("User-Agent", userAgent)
	h.Set("Accept-Encoding", "identity")
	// Not by Set, which would write the names in capitals: receivers look them
	// up exactly so.
	h[webhook.HeaderID] = []string{id}
	h[webhook.HeaderTimestamp] = []string{strconv.FormatInt(now.Unix(), 10)}
	if signature != "" {
		h[webhook.HeaderSignature] = []string{signature}
	}
	return h, nil
}

// retryAfter reads a Retry-After header: whole seconds, or a date. What cannot
// be read asks for nothing.
func retryAfter(s string, now time.Time) time.Duration {
	const most = 365 * 24 * time.Hour // far beyond any schedule, and safe to count with
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return time.Duration(min(max(n, 0), int64(most/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return min(max(at.Sub(now), 0), most)
	}
	return 0
}

// headerText writes headers one a line, sorted, at most keptHeader bytes.
func headerText(h http.Header) string {
	var lines []string
	for name, values := range h {
		for _, v := range values {
			lines = append(lines, strings.ToLower(name)+": "+v)
		}
	}
	slices.Sort(lines)
	return clean(strings.Join(lines, "\n"), keptHeader)
}

// clean makes text from outside fit to be kept: valid UTF-8 without NUL, at
// most n bytes. No database then refuses an outcome for what a shop answered.
func clean(s string, n int) string {
	s = strings.ReplaceAll(s[:min(len(s), n)], "\x00", "")
	return strings.ToValidUTF8(s, "?")
}
