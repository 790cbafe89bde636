package console

import (
	"net/http"
	"net/netip"
	"time"

	"github.com/tongbo/tongbo/internal/page"
)

// A shutOutError says that the merchant's address list for the console does not hold the
// address that the visitor comes from.
type shutOutError struct {
	address string
	until   time.Time // when it will, since a change of the list undoes itself; zero: not so
}

func (e shutOutError) Error() string {
	return "the console's address list does not hold the visitor's address"
}

// failure is the page of it. It tells nothing of the merchant.
func (e shutOutError) failure(v *visit) failure {
	f := failure{Status: http.StatusForbidden, Head: v.t("access.shut_out"), Say: v.t("access.shut_out_say", "address", e.address)}
	if e.address == "" {
		f.Say = v.t("access.shut_out_unknown")
	}
	if !e.until.IsZero() {
		f.Reason, f.Retry = v.t("access.shut_out_until", "time", page.Clock(e.until, v.zone()), "zone", v.zone()), true
	}
	return f
}

// admitted reports a shutOutError unless the visitor's address may open the console of the
// member's merchant. What was on trial and is over counts no more, whoever cleared it away.
func (v *visit) admitted() error {
	from, _ := netip.ParseAddr(v.address()) // what is none is in no list
	a := v.All.OpensConsole(v.Member.Merchant, v.Member.Store, from, v.now())
	if a.OK {
		return nil
	}
	return shutOutError{address: v.address(), until: a.Until}
}
