package wire

import (
	"net/http"
	"slices"
)

// A No is what a PG said instead of yes.
type No struct{ Code, Message string }

// Verdict reads an answer that is one JSON object, with a code under one name
// and words under another. It returns the object without the two if the code is
// one of yes, else the No: a PG may say it with a status of the client's
// mistakes, but one that is not well says nothing. Anything else is
// fault.Unclear.
func (a Answer) Verdict(codeName, wordsName string, yes ...string) (Object, *No, error) {
	o, err := ParseObject(a.Body)
	if err != nil {
		return nil, nil, a.Unclear()
	}
	code, err := o.Take(codeName)
	if err != nil || code == "" {
		return nil, nil, a.Unclear()
	}
	words, err := o.Take(wordsName)
	client := a.Status >= http.StatusBadRequest && a.Status < http.StatusInternalServerError
	switch good := slices.Contains(yes, code); {
	case err != nil, a.Status != http.StatusOK && (good || !client):
		return nil, nil, a.Unclear()
	case !good:
		return nil, &No{code, words}, nil
	}
	return o, nil, nil
}

// Unclear is the fault.Unclear of an answer that tells nothing of what was done.
// It names no more than the status.
func (a Answer) Unclear() error { return a.unreadable() }
