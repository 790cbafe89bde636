package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/words"
)

// A remoteFlags says which server is asked, and with what API secret.
type remoteFlags struct {
	Server     string      `help:"The server that is asked; http://127.0.0.1:8080 if left out." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Secret     secret.Text `help:"API secret of a store, as tongbo apply or the console showed it once." env:"TONGBO_API_SECRET" placeholder:"SECRET"`
	SecretFile string      `help:"File with the API secret, instead." env:"TONGBO_API_SECRET_FILE" placeholder:"FILE"`
}

// A langFlag chooses the language of what a command says.
type langFlag struct {
	Lang string `help:"ko or en; Korean unless the system's language (LC_ALL, LC_MESSAGES, LANG) is English." enum:",ko,en" default:""`
}

func (l langFlag) lang() words.Lang {
	if inKorean(l.Lang) {
		return words.Ko
	}
	return words.En
}

// A remote is a server that is asked.
type remote struct {
	base   string
	secret secret.Text
	client *http.Client
}

// mostAnswer is how much of an answer is read.
const mostAnswer = 16 << 20

// remote checks the flags.
func (f remoteFlags) remote() (*remote, error) {
	u, err := url.Parse(f.Server)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, hint(fault.Errorf(fault.Invalid, "--server %q is not the address of a server", f.Server), "Write it like https://pay.example.kr")
	}
	key := f.Secret
	if f.SecretFile != "" {
		text, err := os.ReadFile(f.SecretFile)
		if err != nil {
			return nil, fault.Errorf(fault.Invalid, "--secret-file: %w", err)
		}
		key = secret.Text(strings.TrimSpace(string(text)))
	}
	if key == "" {
		return nil, hint(fault.Errorf(fault.Invalid, "an API secret is missing"),
			"Put one into TONGBO_API_SECRET or --secret-file: the console makes it (Developers, Keys), or tongbo apply, and it is shown once.")
	}
	if strings.ContainsAny(key.Reveal(), " \t\r\n") {
		return nil, fault.Errorf(fault.Invalid, "the API secret holds blanks or ends of lines")
	}
	return &remote{
		base: strings.TrimSuffix(u.String(), "/"), secret: key,
		client: safehttp.New(safehttp.Config{AllowPrivate: true, Timeout: time.Minute}),
	}, nil
}

// A refusedError is an answer that is not 200.
type refusedError struct {
	status int
	Type   string `json:"type"`
	Text   string `json:"message"`
}

func (e *refusedError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("the server answered %d", e.status)
	}
	return printable(e.Text)
}

// request makes a request with the secret.
func (r *remote) request(ctx context.Context, method, path string, in any) (*http.Request, error) {
	var body io.Reader = http.NoBody
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.base+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "PortOne "+r.secret.Reveal())
	req.Header.Set("Content-Type", "application/json")
	return req, nil
}

// call has the server do something. An answer that is not 200 is a refusedError
// with a hint; that there is none is fault.Unavailable.
func (r *remote) call(ctx context.Context, method, path string, in, out any) error {
	req, err := r.request(ctx, method, path, in)
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return r.away(err)
	}
	defer func() { _ = resp.Body.Close() }() // what matters was read
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostAnswer))
	if err != nil {
		return r.away(err)
	}
	if err := r.refused(resp.StatusCode, body); err != nil {
		return err
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return hint(errors.New("the answer is none of Tongbo's"), "Is %s a Tongbo server?", r.base)
	}
	return nil
}

func (r *remote) away(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err // its text has the address, which is in ours
	}
	return hint(fault.Errorf(fault.Unavailable, "%s is not reached: %w", r.base, err), "Is tongbo serve running there? Name another with --server.")
}

// refused is the error of an answer that is not 200.
func (r *remote) refused(status int, body []byte) error {
	if status == http.StatusOK {
		return nil
	}
	e := &refusedError{status: status}
	_ = json.Unmarshal(body, e) // another server's answer has no text
	switch status {
	case http.StatusUnauthorized:
		return hint(e, "Is the API secret right, and still in force? It goes into TONGBO_API_SECRET.")
	case http.StatusForbidden:
		return hint(e, "Another API secret may: one of the representative store, or of the other mode.")
	case http.StatusServiceUnavailable:
		return fault.Errorf(fault.Unavailable, "%w", e)
	case http.StatusNotFound:
		if e.Type == "" {
			return hint(e, "Is %s a Tongbo server?", r.base)
		}
	}
	return e
}

// links lead to the server's console.
func (r *remote) links(env Env) consoleLinks {
	return consoleLinks{r.base, env.Terminal && !env.Dumb}
}
