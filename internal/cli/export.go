package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/export"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/words"
)

// An exportCmd writes a table of what is kept.
type exportCmd struct {
	databaseFlags
	langFlag
	What     string `arg:"" help:"payments, notices or deliveries." enum:"payments,notices,deliveries"`
	From     string `help:"From this day or time on, Korean unless it says otherwise: 2026-11-01 or 2026-11-01T09:00:00." placeholder:"TIME"`
	To       string `help:"Up to this time, or to the end of this day." placeholder:"TIME"`
	Mode     string `help:"live or test." enum:"live,test" default:"live"`
	Merchant string `help:"The merchant's name or id; may be left out if there is one." placeholder:"NAME"`
	Store    string `help:"Only this store: its id." placeholder:"ID"`
	Format   string `help:"csv, or ndjson: one JSON object a line." enum:"csv,ndjson" default:"csv"`
	BOM      bool   `name:"bom" help:"Made for Excel: a byte order mark, and account numbers that keep their zeros."`
	Reveal   bool   `help:"Account numbers and names as they are, instead of masked."`
}

// Run writes the table, once the audit log says who asked for it.
func (c *exportCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	o := export.Order{What: export.Thing(c.What), Format: export.Format(c.Format), BOM: c.BOM, Reveal: c.Reveal}
	var err error
	if o.From, err = exportTime(c.From, "--from", false); err != nil {
		return err
	}
	if o.Until, err = exportTime(c.To, "--to", true); err != nil {
		return err
	}
	if err := o.Check(); err != nil {
		return hint(err, "See: tongbo export --help")
	}
	st, err := c.openThere(ctx, quiet())
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	all, err := st.Settings(ctx)
	if err != nil {
		return err
	}
	if o.Scope, err = c.scope(all); err != nil {
		return err
	}
	if err := st.Audit(ctx, o.Entry(byUser())); err != nil {
		return err
	}
	fmt.Fprintln(env.Stderr, words.Text(c.lang(), "cli.export."+c.Mode))
	n, err := export.Write(ctx, st.Reader, o, env.Stdout)
	if err != nil {
		return hint(fmt.Errorf("after %d rows, so the table is not whole: %w", n, err), "Write it anew.")
	}
	key := "cli.export.masked"
	if o.Reveal {
		key = "cli.export.revealed"
	}
	fmt.Fprintln(env.Stderr, words.Text(c.lang(), key, "n", n))
	return nil
}

// scope is whose rows they are.
func (c *exportCmd) scope(all settings.All) (s store.Scope, err error) {
	s.Mode, s.Store = merchant.Mode(c.Mode), merchant.StoreID(c.Store)
	var names []string
	for _, m := range all.Merchants {
		names = append(names, m.Name)
		if c.Merchant == m.Name || c.Merchant == string(m.ID) || c.Merchant == "" && len(all.Merchants) == 1 {
			s.Merchant = m.ID
		}
	}
	switch {
	case s.Merchant == "" && c.Merchant == "" && len(names) > 1:
		return s, hint(fault.Errorf(fault.Invalid, "there are %d merchants: name one with --merchant", len(names)), "They are %s.", printable(strings.Join(names, ", ")))
	case s.Merchant == "" && c.Merchant == "":
		return s, hint(fault.Errorf(fault.NotFound, "there is no merchant yet"), "Declare one with: tongbo apply FILE.toml")
	case s.Merchant == "":
		return s, hint(fault.Errorf(fault.NotFound, "there is no merchant %q", c.Merchant), "They are %s.", printable(strings.Join(names, ", ")))
	}
	for _, st := range all.Stores {
		if st.ID == s.Store && st.Merchant == s.Merchant {
			return s, nil
		}
	}
	if s.Store != "" {
		return s, fault.Errorf(fault.NotFound, "the merchant has no store %q", c.Store)
	}
	return s, nil
}

// exportTime reads a time or a day of Korea's; a day is meant whole.
func exportTime(s, flag string, end bool) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation("2006-01-02T15:04:05", s, wire.Seoul); err == nil {
		return t, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, s, wire.Seoul)
	if err != nil {
		return t, fault.Errorf(fault.Invalid, "%s %.40q: want a day such as 2026-11-01, or a time such as 2026-11-01T09:00:00", flag, s)
	}
	if end {
		t = t.AddDate(0, 0, 1).Add(-time.Millisecond)
	}
	return t, nil
}
