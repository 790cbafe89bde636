package wire

import (
	"maps"
	"slices"
)

// A Writer collects the fields of a form that is to be sent. It knows those
// that its user has asked for (own): they override what would be made up, and
// those that nothing else wrote come last.
type Writer struct {
	Fields []Field // in the order in which they were put
	own    map[string]string
}

// NewWriter returns a Writer without fields. own is copied.
func NewWriter(own map[string]string) *Writer {
	return &Writer{own: maps.Clone(own)}
}

// Put writes a field, whatever the user has asked for.
func (w *Writer) Put(name, value string) {
	w.Fields = append(w.Fields, Field{Name: name, Value: value})
	w.Drop(name)
}

// PutOwn writes the user's own field, or else the value given.
func (w *Writer) PutOwn(name, otherwise string) { w.Put(name, w.Own(name, otherwise)) }

// Own returns the user's own field, even an empty one, if it was neither put
// nor dropped yet; or else the value given.
func (w *Writer) Own(name, otherwise string) string {
	if own, ok := w.own[name]; ok {
		return own
	}
	return otherwise
}

// Drop sees to it that the user's own field is not written.
func (w *Writer) Drop(name string) { delete(w.own, name) }

// PutRest writes the user's own fields that are left, sorted since a map has
// no order.
func (w *Writer) PutRest() {
	for _, name := range slices.Sorted(maps.Keys(w.own)) {
		w.Put(name, w.own[name])
	}
}

// Encode writes the form, as EncodeForm does.
func (w *Writer) Encode(c Charset) []byte { return EncodeForm(w.Fields, c) }
