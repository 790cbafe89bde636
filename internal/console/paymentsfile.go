package console

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/export"
)

// besides is the address of another page of the scope with this page's filters, or some of
// them.
func (v *visit) besides(path string, names ...string) string {
	q := url.Values{}
	for name, values := range v.r.URL.Query() {
		if name != "older" && name != "newer" && (len(names) == 0 || slices.Contains(names, name)) {
			q[name] = values
		}
	}
	return v.Scope.Base() + path + query(q.Encode())
}

// paymentsFile sends the list as a table for spreadsheets, once the audit log says who took
// it. Who may only read gets it masked.
func (c *Console) paymentsFile(v *visit) error {
	f := &filtering{v: v}
	q := v.paymentFilter(f)
	if len(f.Mistakes) > 0 {
		return v.mistaken("payments", v.paymentsPage(f), f.Mistakes)
	}
	o := export.Order{
		What: export.Payments, Scope: v.reading(), From: q.From, Until: q.Until, Payments: q,
		Format: export.CSV, BOM: true, Reveal: v.reveals(),
	}
	if err := c.Actions.Exported(v.ctx(), v.caller(v.Scope.Store), "payments", v.r.URL.RawQuery); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.Header().Set("Content-Disposition", `attachment; filename="payments-`+v.now().Format("20060102-150405")+`.csv"`)
	if n, err := export.Write(v.ctx(), c.Store, o, patientWriter{v.w}); err != nil && v.ctx().Err() == nil {
		// What was sent cannot be taken back: the file ends in the middle, which a reader
		// sees.
		c.Log.ErrorContext(v.ctx(), "a table was cut short", "request_id", v.ID, "rows", n, "err", err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

// A patientWriter gives each part of a long answer its own time to be taken.
type patientWriter struct{ http.ResponseWriter }

// patience is how long a part may take.
const patience = 30 * time.Second

// Write writes a part.
func (w patientWriter) Write(b []byte) (int, error) {
	// A writer without deadlines needs none.
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(patience))
	return w.ResponseWriter.Write(b)
}
