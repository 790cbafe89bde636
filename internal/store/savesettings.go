package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// SaveSettings makes next the settings, in one transaction, and raises their
// version by one if anything differs from what is stored. It reports
// fault.Stale if the stored version is not next's, fault.Conflict if two
// merchants claim one live MID, and fault.Invalid if a merchant or store is
// gone from next: payments belong to them.
//
// An endpoint's deliveries wait while it is paused, by what Claim does. What
// waits for one that is resumed, or deleted while paused, becomes due at now
// with the tries it has left. That takes transactions of its own: what they
// do not reach, because ctx ends or the process does, is due when it was.
// An API secret with a new value starts a new generation; its
// generation is otherwise not a setting, and next's is not looked at.
//
// The entries go into the audit log with the change, if there is one.
func (s *Store) SaveSettings(ctx context.Context, next settings.All, now time.Time, entries ...member.Entry) error {
	if err := next.CheckClaims(); err != nil {
		return err
	}
	var resumed []webhook.EndpointID
	if err := s.write(ctx, func(t *tx) (err error) {
		resumed, err = t.saveSettings(next, now, entries)
		return err
	}); err != nil {
		return err
	}
	for _, e := range resumed {
		s.hasten(ctx, e, now)
	}
	return nil
}

// saveSettings returns the endpoints whose pause ends by it.
func (t *tx) saveSettings(next settings.All, now time.Time, entries []member.Entry) ([]webhook.EndpointID, error) {
	if err := t.lockSettings(); err != nil {
		return nil, err
	}
	var version int64
	if err := t.row(`select version from setting where id = 1` + t.d.forUpdate).Scan(&version); err != nil {
		return nil, err
	}
	if version != next.Version {
		return nil, fault.Errorf(fault.Stale, "the settings changed from version %d to %d meanwhile", next.Version, version)
	}
	// The version is held, so what is stored is exactly what next was made
	// from, and next's claims are all claims there are.
	stored, err := t.s.readSettings(t.ctx, t.q)
	if err != nil {
		return nil, err
	}
	changed, err := t.saveTables(tables(stored, now), tables(next, now))
	if err != nil || !changed {
		return nil, err
	}
	t.settings = true
	if err := t.audit(entries); err != nil {
		return nil, err
	}
	return pauseEnds(stored.Endpoints, next.Endpoints), t.must(`update setting set version = version + 1 where id = 1`)
}

// A record is a row of a table of settings as it is compared and written. The
// first cells are its key.
type record struct {
	key     string
	cells   []any
	created time.Time // zero if the table does not keep it
}

// sealedCell is a cell that is sealed on its way to the database.
type sealedCell struct{ plain, context string }

// A table is how records of one kind are written. insert takes the cells and
// then the time of creation, update takes the cells, remove takes the first keys.
type table struct {
	records                []record
	insert, update, remove string
	keys                   int
}

// saveTables writes what differs, and reports whether anything does. What goes
// is removed before anything comes, so that names can change hands.
func (t *tx) saveTables(old, next []table) (changed bool, err error) {
	for i, o := range slices.Backward(old) {
		n, err := t.removeRecords(o, next[i])
		if err != nil {
			return false, err
		}
		changed = changed || n
	}
	for i := range next {
		n, err := t.putRecords(old[i], next[i])
		if err != nil {
			return false, err
		}
		changed = changed || n
	}
	return changed, nil
}

func (tb table) byKey() map[string]record {
	out := make(map[string]record, len(tb.records))
	for _, r := range tb.records {
		out[r.key] = r
	}
	return out
}

func (t *tx) removeRecords(old, next table) (changed bool, err error) {
	stays := next.byKey()
	for _, r := range old.records {
		if _, ok := stays[r.key]; ok {
			continue
		}
		if old.remove == "" {
			return false, fault.Errorf(fault.Invalid, "%s is gone from the settings: merchants and stores are never deleted", r.key)
		}
		if err := t.must(old.remove, r.cells[:old.keys]...); err != nil {
			return false, err
		}
		changed = true
	}
	return changed, nil
}

func (t *tx) putRecords(old, next table) (changed bool, err error) {
	stored := old.byKey()
	for _, r := range next.records {
		before, known := stored[r.key]
		if known && reflect.DeepEqual(before.cells, r.cells) {
			continue
		}
		cells, err := t.sealCells(r.cells)
		if err != nil {
			return false, err
		}
		query := next.update
		if !known {
			query = next.insert
			if !r.created.IsZero() {
				cells = append(cells, micros(r.created))
			}
		}
		if err := t.must(query, cells...); err != nil {
			return false, err
		}
		changed = true
	}
	return changed, nil
}

func (t *tx) sealCells(cells []any) ([]any, error) {
	out := make([]any, len(cells), len(cells)+1)
	for i, c := range cells {
		out[i] = c
		if s, ok := c.(sealedCell); ok {
			sealed, err := t.s.key.Seal([]byte(s.plain), s.context)
			if err != nil {
				return nil, &programError{err}
			}
			out[i] = sealed
		}
	}
	return out, nil
}

// pauseEnds lists the endpoints that are paused in old and not in next.
func pauseEnds(old, next []webhook.Endpoint) []webhook.EndpointID {
	paused := make(map[webhook.EndpointID]bool, len(next))
	for _, e := range next {
		paused[e.ID] = e.Paused
	}
	var out []webhook.EndpointID
	for _, e := range old {
		if e.Paused && !paused[e.ID] {
			out = append(out, e.ID)
		}
	}
	return out
}

// hastenStep is how many deliveries one transaction makes due: few enough
// that nobody waits long for it.
const hastenStep = 1000

// hasten makes what waits for an endpoint due at now. Nothing is lost if it
// fails: the rest is due when it was.
func (s *Store) hasten(ctx context.Context, e webhook.EndpointID, now time.Time) {
	for {
		var n int64
		err := s.write(ctx, func(t *tx) (err error) {
			n, err = t.hasten(e, now)
			t.due = n > 0
			return err
		})
		if err != nil {
			s.log.WarnContext(ctx, "deliveries of a resumed endpoint keep their due times", "endpoint", string(e), "err", err)
		}
		if err != nil || n < hastenStep {
			return
		}
	}
}

// hasten leaves alone what is being tried or recorded just now: its outcome
// says when it is due again.
func (t *tx) hasten(e webhook.EndpointID, now time.Time) (int64, error) {
	skip := ""
	if t.d.postgres {
		skip = " for update skip locked"
	}
	// Index: delivery_ready.
	return t.exec(`update delivery set due_at = $2, ready_at = $2 where id in (select id from delivery
		where state = 'waiting' and target = $1 and lane in (0, 1) and ready_at > $2 and lease is null
		limit $3`+skip+`)`, string(e), micros(now), hastenStep)
}

// NextGeneration raises the generation of an API secret, which ends its
// refresh tokens, and returns the new one. A from of 0 or more is the
// generation that the caller saw: it reports fault.Conflict, and changes
// nothing, if it is another by now. It reports fault.NotFound if there is no
// such secret.
func (s *Store) NextGeneration(ctx context.Context, id string, from int64) (int64, error) {
	var next int64
	if !isID(id) {
		return 0, fault.Errorf(fault.NotFound, "there is no such API secret")
	}
	err := s.write(ctx, func(t *tx) error {
		var now int64
		found, err := t.has(`select generation from api_secret where id = $1`+t.d.forUpdate, []any{id}, &now)
		switch {
		case err != nil:
			return err
		case !found:
			return fault.Errorf(fault.NotFound, "there is no such API secret")
		case from >= 0 && from != now:
			return fault.Errorf(fault.Conflict, "the API secret is at generation %d, not %d", now, from)
		}
		next = now + 1
		return t.must(`update api_secret set generation = $2 where id = $1`, id, next)
	})
	if err != nil {
		return 0, err
	}
	return next, nil
}

// list is a list as it is stored.
func list[T any](l []T) string {
	if l == nil {
		l = []T{}
	}
	b, _ := json.Marshal(l) // texts and addresses always marshal
	return string(b)
}

func secretList(l []secret.Text) string {
	out := make([]string, len(l))
	for i, s := range l {
		out[i] = s.Reveal() // the caller seals it
	}
	return list(out)
}

// headersCell is null for an endpoint without headers of its own.
func headersCell(e webhook.Endpoint) any {
	if len(e.Headers) == 0 {
		return nil
	}
	type header struct{ Name, Value string }
	out := make([]header, len(e.Headers))
	for i, h := range e.Headers {
		out[i] = header{h.Name, h.Value.Reveal()}
	}
	return sealedCell{list(out), headersContext(e.ID)}
}

func credentialCell(c merchant.Channel) sealedCell {
	out := make(map[string]string, len(c.Credentials))
	for name, value := range c.Credentials {
		out[name] = value.Reveal()
	}
	b, _ := json.Marshal(out) // keys are sorted, so equal maps give equal texts
	return sealedCell{string(b), credentialsContext(c.Key)}
}

func tokenCell(c merchant.Channel) any {
	if c.Token == "" {
		return nil
	}
	return sealedCell{c.Token, tokenContext(c.Key)}
}

func sendersCell(c merchant.Channel) sql.NullString {
	if c.Senders == nil && len(c.SendersToo) > 0 {
		return sql.NullString{String: publishedMark + list(c.SendersToo), Valid: true}
	}
	if c.Senders == nil {
		return sql.NullString{}
	}
	return sql.NullString{String: list(*c.Senders), Valid: true}
}

func confirmCell(confirm *bool) sql.NullBool {
	if confirm == nil {
		return sql.NullBool{}
	}
	return sql.NullBool{Bool: *confirm, Valid: true}
}
