package store

import (
	"slices"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/notice"
)

// settingsLock is held shared by what is decided by the settings, and alone by
// what changes them: nothing is committed by settings that are changing.
const settingsLock = 1

// lock makes everyone who names one of the keys wait for the end of this
// transaction. Keys are taken in a fixed order, before any row is locked, so
// that no two transactions wait for each other. It also keeps the settings as
// they are. SQLite has one writer and needs no lock.
func (t *tx) lock(keys []string) error {
	if !t.d.postgres {
		return nil
	}
	return t.must(`select pg_advisory_xact_lock_shared($2) union all
		select pg_advisory_xact_lock(h) from
		(select distinct hashtextextended(k, 0) as h from unnest($1::text[]) as k order by 1) as locks`, lockNames(keys), settingsLock)
}

// lockNames are names as PostgreSQL takes them, sorted, each once.
func lockNames(keys []string) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = name(k)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// try is lock without waiting: it tells which of the keys were not obtained.
// Whoever only tries can hold up nobody for ever, whatever order others lock
// in.
func (t *tx) try(keys []string) (missed map[string]bool, err error) {
	if !t.d.postgres || len(keys) == 0 {
		return nil, nil
	}
	names := make(map[string]bool)
	err = t.each(tryLocks, []any{lockNames(keys)}, missing(names))
	missed = make(map[string]bool)
	for _, k := range keys {
		missed[k] = names[name(k)]
	}
	return missed, err
}

// What tells which of some names could not be locked at once; the second also
// keeps the settings as they are, before anything is read by them.
const (
	tryLocks = `select k from unnest($1::text[]) as k where not pg_try_advisory_xact_lock(hashtextextended(k, 0))`

	trySettled = `with settings as materialized (select pg_advisory_xact_lock_shared($2))
		select '' from settings union all ` + tryLocks
)

// missing hears which names could not be locked.
func missing(names map[string]bool) func(rowSet) error {
	return func(rows rowSet) error {
		var k string
		err := rows.Scan(&k)
		names[k] = true
		return err
	}
}

// lockSettings waits for what is being decided by the settings, and keeps
// others from deciding by them.
func (t *tx) lockSettings() error {
	if !t.d.postgres {
		return nil
	}
	return t.must(`select pg_advisory_xact_lock($1)`, settingsLock)
}

// busy says that a notice could not be decided on now.
func busy(in notice.Inbound) error {
	return fault.Errorf(fault.Unavailable, "notice %s: %w", in.ID, notice.ErrBusy)
}

// locksOf are the names that a notice takes: those under which it may find a
// payment, or else its own, since its case is found by that.
func locksOf(in notice.Inbound) []string {
	var out []string
	for _, k := range in.Keys() {
		out = append(out, k.String())
	}
	if len(out) == 0 && in.Notice.Key != "" && (in.Ruled == nil || in.Ruled.Verdict.Open()) {
		out = append(out, "message\x1f"+in.Provider+"\x1f"+in.Notice.Key)
	}
	return out
}

// take locks the names in notices, without waiting for anyone, and notes as
// missed those that someone else has, once it is sent. It also keeps the settings
// as they are. Two notices may name one payment differently, so the names alone
// do not keep others away: know locks the payments besides.
func (t *tx) take(in []notice.Inbound, missed map[string]bool) error {
	if !t.d.postgres {
		return nil
	}
	var keys []string
	for _, n := range in {
		keys = append(keys, locksOf(n)...)
	}
	return t.soon(trySettled, []any{lockNames(keys), settingsLock}, missing(missed))
}
