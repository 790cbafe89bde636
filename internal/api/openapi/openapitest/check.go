package openapitest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// An Exchange is one call and its answer.
type Exchange struct {
	Method string
	URL    *url.URL
	Header http.Header
	Body   []byte

	Status       int
	AnswerHeader http.Header
	Answer       []byte
}

// An Operation is a method on a path, as the documents name it.
type Operation struct {
	Method, Path string
	place
}

// methods are what OpenAPI calls them in a path.
var methods = []string{"get", "put", "post", "delete", "patch"}

// Operations lists every operation of the named documents, or of all, by document
// and path.
func (s *Set) Operations(docs ...string) []Operation {
	if len(docs) == 0 {
		return s.operations
	}
	var out []Operation
	for _, op := range s.operations {
		if slices.Contains(docs, op.doc) {
			out = append(out, op)
		}
	}
	return out
}

// listed finds every operation.
func (s *Set) listed() (out []Operation) {
	for _, doc := range slices.Sorted(maps.Keys(s.docs)) {
		paths := s.root(doc).at("paths")
		for _, path := range slices.Sorted(maps.Keys(paths.object())) {
			for _, method := range methods {
				if op := paths.at(path, method); op.node != nil {
					out = append(out, Operation{strings.ToUpper(method), path, op})
				}
			}
		}
	}
	return out
}

// find returns the operation that is called, and what its path names.
func (s *Set) find(method string, u *url.URL, docs []string) (Operation, map[string]string, bool) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for _, op := range s.Operations(docs...) {
		path := u.EscapedPath()
		if s.root(op.doc).at("x-trailing-slashes").text() == "ignored" {
			path = strings.TrimRight(path, "/")
		}
		if op.Method != method {
			continue
		}
		if names, ok := fits(op.Path, path); ok {
			return op, names, true
		}
	}
	return Operation{}, nil, false
}

// fits reports whether an escaped path is that of a template, and what stands in
// the places of its names.
func fits(template, path string) (map[string]string, bool) {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return nil, false
	}
	names := map[string]string{}
	for i, segment := range got {
		text, err := url.PathUnescape(segment)
		if err != nil {
			return nil, false
		}
		if name, ok := strings.CutPrefix(want[i], "{"); ok {
			names[strings.TrimSuffix(name, "}")] = text
		} else if text != want[i] {
			return nil, false
		}
	}
	return names, true
}

// Check reports what of an exchange the named documents, or all, do not say. What
// was sent counts only if it was answered 2xx: a bad call is meant to be bad. A path
// that no document has passes if it was answered 404, 405 or 501, or if the call bore
// no credential, as PGs' notices do.
func (s *Set) Check(e Exchange, docs ...string) error {
	op, names, ok := s.find(e.Method, e.URL, docs)
	if !ok {
		absent := []int{http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented}
		if slices.Contains(absent, e.Status) || e.Header.Get("Authorization") == "" {
			return nil
		}
		return fmt.Errorf("%s %s is answered %d, and no document has it", e.Method, e.URL.Path, e.Status)
	}
	var wrong []error
	if e.Status/100 == 2 && s.done(op, e) {
		wrong = append(wrong, s.checkParameters(op, names, e), s.checkBody(op, e))
	}
	wrong = append(wrong, s.checkAnswer(op, e))
	if err := errors.Join(wrong...); err != nil {
		return fmt.Errorf("%s %s: %w", op.Method, op.Path, err)
	}
	return nil
}

// done reports whether what was answered 2xx was done: where the document says so,
// only if a field of the answer is 0.
func (s *Set) done(op Operation, e Exchange) bool {
	field := s.root(op.doc).at("x-done-if-zero").text()
	var answer map[string]json.RawMessage
	if field == "" || json.Unmarshal(e.Answer, &answer) != nil {
		return true
	}
	return string(answer[field]) == "0"
}

// checkParameters holds what a call says beside its body against an operation.
func (s *Set) checkParameters(op Operation, names map[string]string, e Exchange) error {
	query := e.URL.Query()
	all := append(s.root(op.doc).at("paths", op.Path, "parameters").list(), op.at("parameters").list()...)
	for _, p := range all {
		p, err := s.follow(p)
		if err != nil {
			return err
		}
		name := p.at("name").text()
		var values []string
		switch p.at("in").text() {
		case "path":
			values = []string{names[name]}
			delete(names, name)
		case "query":
			values = query[name]
			delete(query, name)
		case "header":
			values = e.Header.Values(name)
		}
		if len(values) == 0 && p.at("required").node == true {
			return fmt.Errorf("parameter %s is required", name)
		}
		for _, v := range values {
			if err := s.checkParameter(p, v); err != nil {
				return fmt.Errorf("parameter %s: %w", name, err)
			}
		}
	}
	for name := range names {
		return fmt.Errorf("parameter %s of the path is not documented", name)
	}
	for name := range query {
		return fmt.Errorf("query parameter %s is not documented", name)
	}
	return s.checkCredential(op, e)
}

func (s *Set) checkParameter(p place, value string) error {
	if media := p.at("content", "application/json", "schema"); media.node != nil {
		return s.validate(asItIs, media, []byte(value))
	}
	schema := p.at("schema")
	if schema.at("type").text() == "array" {
		schema = schema.at("items")
	}
	return s.validateValue(asItIs, schema, plain(schema, value))
}

// checkCredential reports a call that succeeded without the credential that its
// operation needs.
func (s *Set) checkCredential(op Operation, e Exchange) error {
	needs := op.at("security")
	if needs.node == nil {
		needs = s.root(op.doc).at("security")
	}
	if len(needs.list()) > 0 && e.Header.Get("Authorization") == "" {
		return errors.New("it succeeded without a credential")
	}
	return nil
}

// checkBody holds what was sent against an operation.
func (s *Set) checkBody(op Operation, e Exchange) error {
	body, err := s.follow(op.at("requestBody"))
	if err != nil {
		return err
	}
	empty := len(bytes.TrimSpace(e.Body)) == 0
	switch {
	case empty && body.at("required").node == true:
		return errors.New("a body is required")
	case empty:
		return nil
	case body.node == nil:
		return errors.New("a body is not documented")
	}
	schema := body.at("content", "application/json", "schema")
	var wrong error
	if form := body.at("content", "application/x-www-form-urlencoded", "schema"); form.node != nil && !bytes.HasPrefix(bytes.TrimSpace(e.Body), []byte("{")) {
		wrong = s.validateValue(asItIs, form, formOf(string(e.Body)))
	} else {
		wrong = s.validate(asItIs, schema, e.Body)
	}
	if wrong != nil {
		return fmt.Errorf("body: %w", wrong)
	}
	return nil
}

// formOf is a form as the value that its schema describes: texts, and lists of them
// for what is there several times.
func formOf(text string) map[string]any {
	fields, _ := url.ParseQuery(text) // what is not encoded, old clients leave so
	out := make(map[string]any, len(fields))
	for name, values := range fields {
		items := make([]any, len(values))
		for i, v := range values {
			items[i] = v
		}
		name = strings.TrimLeft(name, " ") // as PHP has it
		if name, listed := strings.CutSuffix(name, "[]"); listed || len(items) > 1 {
			out[name] = items
		} else {
			out[name] = items[0]
		}
	}
	return out
}

// checkAnswer holds an answer against an operation.
func (s *Set) checkAnswer(op Operation, e Exchange) error {
	answer, err := s.follow(op.at("responses", strconv.Itoa(e.Status)))
	if err != nil {
		return err
	}
	if answer.node == nil {
		return fmt.Errorf("status %d is not documented", e.Status)
	}
	headers := answer.at("headers")
	for name := range headers.object() {
		h := headers.at(name)
		value := e.AnswerHeader.Get(name)
		if value == "" && h.at("required").node == true {
			return fmt.Errorf("status %d has no %s", e.Status, name)
		}
		if value != "" {
			if err := s.validateValue(closed, h.at("schema"), value); err != nil {
				return fmt.Errorf("status %d, %s: %w", e.Status, name, err)
			}
		}
	}
	content := answer.at("content")
	if e.Method == http.MethodHead || content.node == nil && len(e.Answer) == 0 {
		return nil
	}
	kind, _, _ := mime.ParseMediaType(e.AnswerHeader.Get("Content-Type"))
	media := content.at(kind)
	if media.node == nil {
		return fmt.Errorf("status %d: type %q is not documented", e.Status, kind)
	}
	if kind != "application/json" {
		return nil
	}
	if err := s.validate(closed, media.at("schema"), e.Answer); err != nil {
		return fmt.Errorf("status %d: %w\n%s", e.Status, err, e.Answer)
	}
	return nil
}
