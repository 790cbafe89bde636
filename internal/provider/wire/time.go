package wire

import (
	"regexp"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
)

// Stamp is the layout in which gateways write most times: yyyyMMddHHmmss.
const Stamp = "20060102150405"

// Seoul is the zone in which gateways write their times. It is a fixed +09:00,
// so it works where there is no time zone database; Korea has had no summer
// time since 1988.
var Seoul = time.FixedZone("Asia/Seoul", 9*60*60)

// Time reads yyyyMMddHHmmss, yyyyMMddHHmm or yyyyMMdd as a time in Seoul; a
// date alone is its midnight. Spaces around it do not matter. Twelve digits
// are read with a four-digit year, and only one of 2000 to 2099: a
// yyMMddHHmmss of 2021 or later is therefore refused, not misread; ShortTime
// is for that. Anything else is fault.Invalid.
func Time(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	switch len(s) {
	case len("yyyyMMddHHmmss"):
		return seoulTime(Stamp, s)
	case len("yyyyMMddHHmm"):
		if !strings.HasPrefix(s, "20") {
			break
		}
		return seoulTime("200601021504", s)
	case len("yyyyMMdd"):
		return seoulTime("20060102", s)
	}
	return time.Time{}, fault.Errorf(fault.Invalid, "time is not yyyyMMdd with or without HHmm or HHmmss")
}

// ShortTime reads yyMMddHHmmss, a year of this century, as a time in Seoul.
// Spaces around it do not matter. Anything else is fault.Invalid, and so is a
// yyyyMMddHHmm of 2013 or later, whose digits give no month here.
func ShortTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if len(s) != len("yyMMddHHmmss") {
		return time.Time{}, fault.Errorf(fault.Invalid, "time is not yyMMddHHmmss")
	}
	return seoulTime(Stamp, "20"+s)
}

// EitherTime reads yyyyMMddHHmmss or yyMMddHHmmss, for gateways that write both
// under one name. A date alone is fault.Invalid.
func EitherTime(s string) (time.Time, error) {
	if s = strings.TrimSpace(s); len(s) == len(Stamp) {
		return Time(s)
	}
	return ShortTime(s)
}

// Deadline reads what Time does as the last second until which something may
// be done: a date alone lasts until its end.
func Deadline(s string) (time.Time, error) {
	at, err := Time(s)
	if err == nil && len(strings.TrimSpace(s)) == len("yyyyMMdd") {
		at = at.AddDate(0, 0, 1).Add(-time.Second)
	}
	return at, err
}

// seoulTime wants digits only, since time.Parse takes some other things too.
func seoulTime(layout, s string) (time.Time, error) {
	if Digits(s) != s {
		return time.Time{}, fault.Errorf(fault.Invalid, "time has something other than digits")
	}
	t, err := time.ParseInLocation(layout, s, Seoul)
	if err != nil {
		return time.Time{}, fault.Errorf(fault.Invalid, "no such date or time of day")
	}
	return t, nil
}

// isoForm captures the offset as Z, as hours and minutes with a colon, or as
// hours and minutes without one.
var isoForm = regexp.MustCompile(`^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:(Z|[+-]\d\d:\d\d)|([+-]\d{4}))?$`)

// ISOTime reads a time such as 2026-08-01T12:00:00.123+09:00 and returns it in
// Seoul. A fraction of up to nine digits may follow the seconds; the offset
// may be Z, with a colon or without, and is Seoul's if left out; a space may
// stand for the T. Anything else is fault.Invalid.
func ISOTime(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	m := isoForm.FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, fault.Errorf(fault.Invalid, "time is not in ISO 8601 form")
	}
	layout := "2006-01-02T15:04:05"
	switch {
	case m[1] != "":
		layout += "Z07:00"
	case m[2] != "":
		layout += "Z0700"
	}
	t, err := time.ParseInLocation(layout, strings.Replace(s, " ", "T", 1), Seoul)
	if err != nil {
		return time.Time{}, fault.Errorf(fault.Invalid, "no such date or time of day")
	}
	t = t.In(Seoul)
	if t.Year() < 1 || t.Year() > 9999 { // the offset moved it out of what can be written again
		return time.Time{}, fault.Errorf(fault.Invalid, "no such date or time of day")
	}
	return t, nil
}
