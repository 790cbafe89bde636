package v1

import (
	"context"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/api"
	"github.com/tongbo/tongbo/internal/merchant"
)

type router struct {
	*API
	operations []operation
}

// elsewhere are where PortOne's other operations begin, none of which are here:
// cards and billing keys, escrow, identity checks, what single PGs offer.
var elsewhere = []string{
	"/subscribe/", "/escrows/", "/certifications", "/cvs", "/kcpquick/", "/payco/", "/partners/", "/benepia/", "/paymentwall/",
	"/naver/", "/kakao/", "/receipts/external/",
}

// ServeHTTP answers one call, whatever happens.
func (rt router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{r: r, w: api.Watch(w)}
	defer rt.caught(c)
	path := strings.TrimRight(r.URL.EscapedPath(), "/")
	op, allowed := rt.match(c, path)
	switch {
	case op != nil:
	case len(allowed) > 0:
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		rt.fail(c, usual, refusal{http.StatusMethodNotAllowed, codeRefused, "지원하지 않는 HTTP 메서드입니다."})
		return
	case slices.ContainsFunc(elsewhere, func(s string) bool { return strings.HasPrefix(path+"/", s) }), strings.Contains(path, "/naver/"):
		op = &operation{r.Method, path, usual, rt.absent}
	default:
		rt.fail(c, usual, refusal{http.StatusNotFound, codeRefused, "존재하지 않는 API입니다."})
		return
	}
	defer rt.noted(c, op)
	if op.method != http.MethodGet {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), longestWork)
		defer cancel()
		c.r = r.WithContext(ctx)
	}
	rt.answer(c, op)
}

// noted gives a call to the log of calls. It must be deferred.
func (rt router) noted(c *call, op *operation) {
	k := c.key
	if k.ID == "" {
		k = c.asks
	}
	c.w.Note(rt.Called, api.Caller{
		Merchant: k.Merchant, Store: k.Store, Mode: k.Mode, Credential: k.ID, By: merchant.ByAPIKey, Client: rt.clientAddr(c.r),
	}, c.r, op.path)
}

// answer does an operation and answers it.
func (rt router) answer(c *call, op *operation) {
	c.how = op.how
	if err := rt.admitted(c, op); err != nil {
		rt.fail(c, usual, err)
		return
	}
	response, err := op.do(c)
	if err != nil {
		rt.fail(c, op.how, err)
		return
	}
	status := http.StatusOK
	if p, some := response.(partly); some {
		response = p.list
		if !c.lean() {
			status = http.StatusMultiStatus
		}
	}
	rt.write(c, status, envelope{Response: response})
}

// partly is a list of which something is missing that was asked for.
type partly struct{ list any }

// admitted checks what needs no more than the head of a call.
func (rt router) admitted(c *call, op *operation) error {
	if err := rt.gate.MayTry(rt.clientAddr(c.r)); err != nil || op.how == open {
		return err
	}
	return rt.authenticate(c)
}

// caught answers a call in which the program went wrong.
func (rt router) caught(c *call) {
	went := recover()
	switch {
	case went == nil:
	case went == http.ErrAbortHandler, c.written: //nolint:errorlint // a panic's value, compared as net/http does
		panic(went)
	default:
		rt.Log.ErrorContext(c.ctx(), "request panicked", "route", c.r.Method+" "+c.r.URL.Path, "request_id", c.w.ID(), "panic", went, "stack", string(debug.Stack()))
		rt.write(c, http.StatusInternalServerError, envelope{Code: codeRefused, Message: textOf(sayInternal)})
	}
}

// match finds the operation that is called, and the names in its path. If there is
// none, allowed are the methods that the path has.
func (rt router) match(c *call, path string) (op *operation, allowed []string) {
	i, names, allowed := api.Match(len(rt.operations), func(i int) (method, pattern string) {
		return rt.operations[i].method, rt.operations[i].path
	}, c.r.Method, path)
	if i < 0 {
		return nil, allowed
	}
	c.names = names
	return &rt.operations[i], nil
}
