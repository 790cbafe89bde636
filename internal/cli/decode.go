package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// maxNotice is how much of a notice is read; the server keeps no more either.
const maxNotice = 64 << 10

// A decodeCmd reads one notice and prints what it says.
type decodeCmd struct {
	Provider    string `arg:"" help:"Module whose notice it is, such as kcp or nice_v2: see tongbo providers."`
	File        string `arg:"" optional:"" help:"File with the request's body, exactly as it came; - or nothing is standard input."`
	Method      string `help:"The request's method." default:"POST"`
	ContentType string `help:"The request's Content-Type; left out, JSON if the body begins with {, else a form."`
	Query       string `help:"The request's query, without the question mark. With it and no FILE the body is empty." placeholder:"QUERY"`
	Path        string `help:"The request's path, for modules that have several." placeholder:"PATH"`
}

// Run prints one JSON object: the notice in our words, and the body that
// would be answered. On a terminal it is indented.
func (c *decodeCmd) Run(env Env) error {
	p, err := tellerByCode(c.Provider)
	if err != nil {
		return err
	}
	body, err := c.body(env)
	if err != nil {
		return err
	}
	r := c.request(p, body)
	n, err := p.Decode(r)
	if err != nil {
		err = &coded{exitFailed, fmt.Errorf("not a notice of %s: %w", p.Info().Code, err)}
		return hint(err, "%s", otherReaders(r, p))
	}
	out, err := noticeObject(n.WithoutDamage(), p.Ack(r, provider.Received))
	if err != nil {
		return err
	}
	if env.Terminal {
		var b bytes.Buffer
		if err := json.Indent(&b, out, "", "  "); err == nil {
			out = b.Bytes()
		}
	}
	_, err = fmt.Fprintf(env.Stdout, "%s\n", out)
	return err
}

// providerByCode returns a module, or an error that lists all of them.
func providerByCode(code string) (provider.Provider, error) {
	if p, ok := all.ByCode(code); ok {
		return p, nil
	}
	return nil, hint(fault.Errorf(fault.Invalid, "there is no provider %q", code), "The providers are %s.", strings.Join(codes(slices.Concat(all.Providers(), all.Wallets())), ", "))
}

// tellerByCode is providerByCode for what is about notices: it refuses a module whose PG
// sends none.
func tellerByCode(code string) (provider.Provider, error) {
	p, err := providerByCode(code)
	if err != nil || p.Info().SendsNotices() {
		return p, err
	}
	return nil, hint(fault.Errorf(fault.Unsupported, "%s sends no notices", p.Info().Name.EN), "Its test payments are approved in a payment window: see tongbo channel guide %s.", code)
}

func codes(list []provider.Provider) []string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = p.Info().Code
	}
	return out
}

// body reads the notice from the file or from standard input.
func (c *decodeCmd) body(env Env) ([]byte, error) {
	switch {
	case c.File == "" && c.Query != "":
		return nil, nil
	case (c.File == "" || c.File == "-") && typed(env.Stdin):
		fmt.Fprintln(env.Stderr, "Paste the notice's body, then press Enter and Ctrl-D.")
	}
	return readInput(env, c.File, maxNotice)
}

// typed reports whether a person at a terminal is at the other end.
func typed(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// request is the notice as the PG would have sent it.
func (c *decodeCmd) request(p provider.Provider, body []byte) notice.Request {
	r := notice.Request{
		Method: strings.ToUpper(c.Method), Path: cmp.Or(c.Path, p.Info().Paths[0]),
		Query: strings.TrimPrefix(c.Query, "?"), Header: http.Header{}, Body: body,
	}
	kind := c.ContentType
	switch {
	case kind != "" || len(body) == 0:
	case bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")):
		kind = "application/json"
	default:
		kind = "application/x-www-form-urlencoded"
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	return r
}

// otherReaders says which modules can read a notice that p can't.
func otherReaders(r notice.Request, p provider.Provider) string {
	able := slices.DeleteFunc(all.Providers(), func(other provider.Provider) bool {
		_, err := other.Decode(r)
		return err != nil
	})
	if len(able) == 0 {
		return "No provider can read it: is it the whole body, with its escapes and in its own charset?"
	}
	return fmt.Sprintf("It reads as a notice of %s, not of %s.", strings.Join(codes(able), " or "), p.Info().Code)
}

// noticeObject writes a notice and the answer to it as one JSON object.
func noticeObject(n notice.Notice, ack provider.Reply) ([]byte, error) {
	out, err := plainJSON(n)
	if err != nil {
		return nil, err
	}
	answer, err := plainJSON(string(ack.Body))
	if err != nil {
		return nil, err
	}
	return slices.Concat(bytes.TrimSuffix(out, []byte("}")), []byte(`,"ack":`), answer, []byte("}")), nil
}
