package kicc

import (
	"regexp"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/provider/wire"
)

// timeShape is a time with or without punctuation, and with or without its
// seconds. Every part has all its digits, so that none is read as the next.
var timeShape = regexp.MustCompile(`^(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})[ T]?(\d{2}):?(\d{2})(?::?(\d{2}))?$`)

// exactTime reads a time to the minute or second. A date alone is fault.Invalid:
// its midnight is not when the money came.
func exactTime(s string) (time.Time, error) {
	at, _, err := readTime(s)
	return at, err
}

// readTime is exactTime, and says whether the seconds were told.
func readTime(s string) (at time.Time, seconds bool, err error) {
	p := timeShape.FindStringSubmatch(s)
	if p == nil {
		return time.Time{}, false, fault.Errorf(fault.Invalid, "time is not one to the minute or second")
	}
	at, err = wire.Time(p[1] + p[2] + p[3] + p[4] + p[5] + p[6])
	return at, p[6] != "", err
}

// moment is a time as names have it: one to the second is written one way
// however it came, and anything else as it is.
func (m message) moment(name string) string {
	if at, seconds, err := readTime(m.left[name]); err == nil && seconds {
		return at.Format(wire.Stamp)
	}
	return m.left[name]
}

// timed reports whether the message tells to the second when a cancellation was
// made. The time of the transaction is the cancellation's in the new form, and
// in the old one perhaps the issue's.
func (m message) timed() bool {
	_, seconds, err := readTime(m.left[m.cancelled])
	return err == nil && seconds
}

// cancelTime is when a cancellation was made. refund_date is not: Observed in
// KICC's sample page, it is the day for which the refund is planned.
func (m message) cancelTime() string {
	for _, name := range []string{m.cancelled, m.acquired, m.at} {
		if wire.Given(m.left[name]) {
			return m.moment(name)
		}
	}
	return ""
}

// timeOf is the field that tells when an event happened, empty if none does.
// Another is not asked if it cannot be read: the time of the transaction may be
// the issue's, and in the old form it is no cancellation's.
func (m message) timeOf(e payment.Event) string {
	if e == payment.EventCancelled || e == payment.EventPartiallyCancelled {
		for _, name := range []string{m.cancelled, m.acquired} {
			if wire.Given(m.left[name]) {
				return name
			}
		}
		if m.form == "" {
			return ""
		}
	}
	return m.at
}
