package v1

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/payment"
)

// statuses are what payments are asked for by. "all" is every one.
var statuses = []string{"all", "ready", "paid", "cancelled", "failed"}

// statusOf reads a status in a path: empty or "undefined", as a client sends that
// was given none, is all, and "canceled" is go-iamport's.
func statusOf(text string) (string, error) {
	switch text {
	case "", "undefined":
		return statuses[0], nil
	case "canceled":
		return "cancelled", nil
	}
	if !slices.Contains(statuses, text) {
		return "", invalid("지원되지 않는 상태값입니다.")
	}
	return text, nil
}

// byImpUID finds the attempt with an id, of the caller's store and mode.
func (a *API) byImpUID(c *call, id string) (attempt, error) {
	p, err := a.Store.PaymentOfAttempt(c.ctx(), c.caller.Store, payment.TransactionID(id), c.caller.Mode)
	if err != nil {
		return attempt{}, err
	}
	list := attemptsOf(p)
	i := slices.IndexFunc(list, func(x attempt) bool { return string(x.t.ID) == id })
	if i < 0 {
		return attempt{}, errNoPayment
	}
	return list[i], nil
}

// byMerchantUID finds a payment by the merchant's name for it.
func (a *API) byMerchantUID(c *call, id string) (payment.Payment, error) {
	if action.CheckPaymentID(payment.ID(id)) != nil {
		return payment.Payment{}, errNoPayment
	}
	return a.Store.Payment(c.ctx(), c.caller.Store, payment.ID(id), c.caller.Mode)
}

// lookup reads the query of a call that looks payments up. From there on the call
// sees no test payments if it asks for none. A key for test payments is for nothing
// else, and clients that know no include_sandbox must see them: only a key for both
// can leave them out.
func (c *call) lookup() *input {
	in := c.query()
	_, said := in.fields["include_sandbox"]
	if said && !in.flag("include_sandbox") && c.caller.Mode == merchant.Any {
		c.caller.Mode = merchant.Live
	}
	return in
}

// getPayment answers with one payment.
func (a *API) getPayment(c *call) (any, error) {
	if in := c.lookup(); in.err != nil {
		return nil, in.err
	}
	x, err := a.byImpUID(c, c.names[0])
	if err != nil {
		return nil, err
	}
	return a.shown(c, x)
}

// shown is an attempt as the caller takes it.
func (a *API) shown(c *call, x attempt) (any, error) {
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	return v.render(c, x), nil
}

// mostSeveral is how many payments are asked for at once.
const mostSeveral = 100

// getSeveral answers with the payments that are named, each by either name; one
// that is not there is left out.
func (a *API) getSeveral(c *call) (any, error) {
	in := c.lookup()
	uids, ids := in.list("imp_uid"), in.list("merchant_uid")
	switch {
	case in.err != nil:
		return nil, in.err
	case len(uids)+len(ids) == 0:
		return nil, invalid("imp_uid[] 또는 merchant_uid[]가 필요합니다.")
	case len(uids)+len(ids) > mostSeveral:
		return nil, invalid("한 번에 100건까지 조회할 수 있습니다.")
	}
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	missing, seen, list := false, make(map[payment.TransactionID]bool), []any{}
	add := func(x attempt, err error) error {
		switch {
		case fault.Is(err, fault.NotFound), errors.Is(err, errNoPayment), err == nil && x.t.ID == "":
			missing = true
		case err != nil:
			return err
		case !seen[x.t.ID]:
			seen[x.t.ID] = true
			list = append(list, v.render(c, x))
		}
		return nil
	}
	for _, id := range uids {
		if err := add(a.byImpUID(c, id)); err != nil {
			return nil, err
		}
	}
	for _, id := range ids {
		p, err := a.byMerchantUID(c, id)
		x, _ := currentOf(p)
		if err := add(x, err); err != nil {
			return nil, err
		}
	}
	switch {
	case len(list) == 0:
		return nil, errNoPayment
	case missing:
		return partly{list}, nil
	}
	return list, nil
}

// attempts are those at the payment that a path names, of the status that it names,
// in the order that the query names.
func (a *API) attempts(c *call, in *input) ([]attempt, error) {
	status, err := statusOf(c.names[1])
	if err != nil {
		return nil, err
	}
	sorting := in.word("sorting", sortings)
	if in.err != nil {
		return nil, in.err
	}
	p, err := a.byMerchantUID(c, c.names[0])
	if err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(attemptsOf(p), func(x attempt) bool { return status != statuses[0] && x.status() != status })
	if len(list) == 0 {
		return nil, errNoPayment
	}
	sortBy(list, sorting)
	return list, nil
}

// find answers with the first attempt at a payment, in the order that is asked for.
func (a *API) find(c *call) (any, error) {
	list, err := a.attempts(c, c.lookup())
	if err != nil {
		return nil, err
	}
	return a.shown(c, list[0])
}

// A pageAnswer is a part of a list, with the numbers of the pages beside it; 0 for
// one that is not there.
type pageAnswer struct {
	Total    int   `json:"total"`
	Previous int   `json:"previous"`
	Next     int   `json:"next"`
	List     []any `json:"list"`
}

// A page is the part of a list that is asked for, numbered from 1.
type page struct{ number, size int }

// Sizes of pages.
const (
	usualSize = 20
	mostSize  = 1000
	mostPages = 1_000_000
)

// page reads which part of a list is asked for.
func (in *input) page() page {
	out := page{1, usualSize}
	if n := in.whole("page"); n != nil && *n != 0 {
		if out.number = int(*n); *n < 1 || *n > mostPages {
			in.wrong("page", "1 이상이어야 합니다.")
		}
	}
	if n := in.whole("limit"); n != nil && *n != 0 {
		if out.size = int(*n); *n < 1 || *n > mostSize {
			in.wrong("limit", "1부터 1000까지입니다.")
		}
	}
	return out
}

// answer is the page of a list with so many items.
func (p page) answer(total int, list []any) pageAnswer {
	out := pageAnswer{Total: total, List: list}
	if p.number > 1 {
		out.Previous = p.number - 1
	}
	if p.number*p.size < total {
		out.Next = p.number + 1
	}
	return out
}

var errNoPage = invalid("존재하지 않는 페이지입니다.")

// findAll answers with the attempts at a payment.
func (a *API) findAll(c *call) (any, error) {
	in := c.lookup()
	part := in.page()
	list, err := a.attempts(c, in)
	if err != nil {
		return nil, err
	}
	v, err := a.settings(c.ctx())
	if err != nil {
		return nil, err
	}
	from := (part.number - 1) * part.size
	if from >= len(list) {
		return nil, errNoPage
	}
	items := []any{}
	for _, x := range list[from:min(from+part.size, len(list))] {
		items = append(items, v.render(c, x))
	}
	return part.answer(len(list), items), nil
}

// balance says that no payment here has the parts that PAYCO tells of.
func (a *API) balance(c *call) (any, error) {
	if _, err := a.byImpUID(c, c.names[0]); err != nil {
		return nil, err
	}
	return nil, refusal{http.StatusMethodNotAllowed, codeRefused, "PAYCO 결제만 조회할 수 있습니다."}
}

// absent says that PortOne has an operation that is not here.
func (a *API) absent(c *call) (any, error) {
	what := c.r.Method + " " + strings.TrimRight(c.r.URL.Path, "/")
	return nil, refusal{http.StatusNotImplemented, codeRefused, "이 서버에는 아직 없는 API입니다: " + what}
}
