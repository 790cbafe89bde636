// Package openapi holds the documents that describe the API in OpenAPI's words, and
// serves them. They are written by hand; tests hold every call of the test suite
// against them (package openapitest), and every route against their paths.
package openapi

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

//go:embed *.yaml
var documents embed.FS

// Prefix is where the documents are served: the path of one is Prefix and its name.
const Prefix = "/openapi/"

// Names lists the documents in alphabetical order.
func Names() []string {
	names, err := fs.Glob(documents, "*.yaml")
	if err != nil {
		panic(err) // the pattern is ours
	}
	return names
}

// Read returns a document's text. It reports fs.ErrNotExist if there is none of the
// name.
func Read(name string) ([]byte, error) { return documents.ReadFile(name) }

// ServeHTTP answers a path below Prefix with the document that it names, to anyone:
// nothing in the documents is secret.
func ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "documents are read by GET")
		return
	}
	text, err := Read(strings.TrimPrefix(r.URL.Path, Prefix))
	if err != nil {
		refuse(w, http.StatusNotFound, "NOT_FOUND", "there is no such document: there are "+strings.Join(Names(), ", "))
		return
	}
	sum := sha256.Sum256(text)
	h := w.Header()
	h.Set("Content-Type", "application/yaml") // RFC 9512
	h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	h.Set("Cache-Control", "no-cache") // asked about again: an upgrade changes it
	h.Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
}

// refuse answers in the form of the API's errors.
func refuse(w http.ResponseWriter, status int, kind, text string) {
	b, _ := json.Marshal(map[string]string{"type": kind, "message": text}) // two texts
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // a client that is gone needs no answer
}
