package v2

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
)

// batchSize is how many items of a list are in memory at once.
const batchSize = 100

// A listAnswer is a list that is answered as a whole.
type listAnswer struct {
	Items []any       `json:"items"`
	Page  *pageAnswer `json:"page,omitempty"`
}

// A longList is a list of several batches, which is written as it is made.
type longList struct {
	first []any
	page  *pageAnswer
	next  func() (items []any, more bool, err error)
}

// list answers with the items that next returns, batch by batch, until there
// are no more. The first batch is made here, so that what fails at once has an
// answer of its own.
func (a *API) list(page *pageAnswer, next func() (items []any, more bool, err error)) (any, error) {
	items, more, err := next()
	if err != nil {
		return nil, err
	}
	if !more {
		if items == nil {
			items = []any{} // never null
		}
		return listAnswer{items, page}, nil
	}
	return &longList{items, page, next}, nil
}

// stream writes a long list. Where it fails midway, the connection is broken:
// the client must not take what came for all of it.
func (a *API) stream(c *call, op *operation, l *longList) {
	setHeaders(c.w)
	c.w.WriteHeader(http.StatusOK)
	if err := l.writeTo(c.w); err != nil {
		a.Log.WarnContext(c.ctx(), "a list was not written to its end", "route", op.method+" "+op.path, "err", err)
		panic(http.ErrAbortHandler)
	}
}

func (l *longList) writeTo(w io.Writer) error {
	lead := `{"items":[`
	items, more := l.first, true
	for {
		for _, item := range items {
			text, err := encode(item)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(w, lead); err != nil {
				return err
			}
			if _, err := w.Write(text); err != nil {
				return err
			}
			lead = ","
		}
		if !more {
			break
		}
		var err error
		if items, more, err = l.next(); err != nil {
			return err
		}
	}
	return l.end(w, lead)
}

// end writes what follows the items; lead is what would stand before another.
func (l *longList) end(w io.Writer, lead string) error {
	if lead != "," {
		if _, err := io.WriteString(w, lead); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(w, "]"); err != nil {
		return err
	}
	if l.page != nil {
		page, err := encode(l.page)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, `,"page":`+string(page)); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "}\n")
	return err
}

// encode is a value as JSON, with a line's end. Ids and names may hold any
// text, which is left as it is.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// setHeaders says that an answer is JSON, and kept by no cache.
func setHeaders(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}
