// Package openapitest holds the calls of tests against the documents of package
// openapi: what a handler took and answered must be what they say, and no more. An
// answer may hold no field and a call no parameter that is not documented; the
// documents themselves leave that open, since later releases may have more.
package openapitest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tongbo/tongbo/internal/api/openapi"
)

// Where the documents are for the compiler: as they are, for what is sent, and
// closed, for what is answered.
const (
	asItIs = "https://as-it-is.invalid/"
	closed = "https://closed.invalid/"
)

// A Set is documents that are read together.
type Set struct {
	docs       map[string]any // by name
	operations []Operation    // by document and path

	mu       sync.Mutex // guards the compiler and what it made
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

// Served returns the documents that are served. It reports one that cannot be read.
// They are read once.
var Served = sync.OnceValues(func() (*Set, error) {
	texts := make(map[string][]byte)
	for _, name := range openapi.Names() {
		text, err := openapi.Read(name)
		if err != nil {
			return nil, err
		}
		texts[name] = text
	}
	return Parse(texts)
})

// Parse reads documents, by name, which may refer to each other.
func Parse(texts map[string][]byte) (*Set, error) {
	s := &Set{docs: map[string]any{}, compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	s.compiler.DefaultDraft(jsonschema.Draft2020)
	s.compiler.AssertFormat()
	for name, text := range texts {
		// Twice, since the closed one is changed.
		for _, base := range []string{asItIs, closed} {
			doc, err := read(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if base == closed {
				closeIn(doc)
			} else {
				s.docs[name] = doc
			}
			if err := s.compiler.AddResource(base+name, doc); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	s.operations = s.listed()
	return s, nil
}

// read reads YAML, in which no key may come twice.
func read(text []byte) (any, error) {
	b, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, err
	}
	return jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
}

// How keys stand in a pointer.
var (
	escape   = strings.NewReplacer("~", "~0", "/", "~1")
	unescape = strings.NewReplacer("~1", "/", "~0", "~")
)

// A place is a node of a document.
type place struct {
	doc, pointer string // the pointer is escaped, and empty for the whole
	node         any
}

// at goes down from a place.
func (p place) at(keys ...string) place {
	for _, key := range keys {
		m, _ := p.node.(map[string]any)
		p.pointer += "/" + escape.Replace(key)
		p.node = m[key]
	}
	return p
}

// object returns the place as an object; nil if it is none, or not there.
func (p place) object() map[string]any {
	m, _ := p.node.(map[string]any)
	return m
}

// list returns the places of a list.
func (p place) list() []place {
	items, _ := p.node.([]any)
	out := make([]place, len(items))
	for i, item := range items {
		out[i] = place{p.doc, fmt.Sprintf("%s/%d", p.pointer, i), item}
	}
	return out
}

// text returns the place as a text; empty if it is none.
func (p place) text() string {
	t, _ := p.node.(string)
	return t
}

// root is a whole document.
func (s *Set) root(doc string) place { return place{doc, "", s.docs[doc]} }

// follow goes where a place refers to, if it is a reference and no schema.
func (s *Set) follow(p place) (place, error) {
	for range 10 {
		if p.at("$ref").text() == "" {
			return p, nil
		}
		to, err := s.target(p)
		if err != nil {
			return p, err
		}
		p = to
	}
	return p, fmt.Errorf("%s#%s refers in a circle", p.doc, p.pointer)
}

// target is what a reference names.
func (s *Set) target(p place) (place, error) {
	ref := p.at("$ref").text()
	file, pointer, _ := strings.Cut(ref, "#")
	to := s.root(p.doc)
	if file != "" {
		to = s.root(path.Base(file))
	}
	for key := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		to = to.at(unescape.Replace(key))
	}
	if to.node == nil {
		return p, fmt.Errorf("%s#%s refers to %s, which is not there", p.doc, p.pointer, ref)
	}
	return to, nil
}

// validate holds JSON against the schema at a place, of a document as it is or
// closed.
func (s *Set) validate(base string, schema place, text []byte) error {
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		return fmt.Errorf("is no JSON: %w", err)
	}
	return s.validateValue(base, schema, v)
}

func (s *Set) validateValue(base string, schema place, v any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	// A reference is a URI, in which braces are escaped.
	location := base + schema.doc + "#" + (&url.URL{Path: schema.pointer}).EscapedPath()
	compiled, ok := s.schemas[location]
	if !ok {
		var err error
		if compiled, err = s.compiler.Compile(location); err != nil {
			return fmt.Errorf("the document is wrong: %w", err)
		}
		s.schemas[location] = compiled
	}
	return compiled.Validate(v)
}

// plain turns a parameter's text into the value that its schema means.
func plain(schema place, text string) any {
	switch schema.at("type").text() {
	case "integer", "number", "boolean":
		var v any
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		if dec.Decode(&v) == nil {
			return v
		}
	}
	return text
}
