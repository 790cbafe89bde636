package openapitest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

const small = `
openapi: 3.1.0
x-trailing-slashes: ignored
x-done-if-zero: done
security: [{key: []}]
paths:
  /things/{id}:
    parameters: [{name: id, in: path, required: true, schema: {type: string, maxLength: 5}}]
    get:
      parameters:
        - {name: size, in: query, schema: {type: integer, maximum: 9}}
        - {name: filter, in: query, content: {application/json: {schema: {type: object, properties: {a: {type: string}}}}}}
      responses:
        '200': {$ref: 'other.yaml#/components/responses/Thing'}
        '404':
          description: none
          headers: {Retry-After: {required: true, schema: {type: string, pattern: '^[0-9]+$'}}}
          content: {application/json: {schema: {$ref: 'other.yaml#/components/schemas/Problem', properties: {type: {const: GONE}}}}}
    post:
      requestBody: {required: true, content: {application/json: {schema: {type: object, required: [a], properties: {a: {type: string}}}}}}
      responses: {'200': {$ref: 'other.yaml#/components/responses/Thing'}}
  /forms:
    post:
      parameters: [{name: 'all[]', in: query, schema: {type: array, items: {type: string, maxLength: 1}}}]
      requestBody:
        content:
          application/json: {schema: {$ref: '#/components/schemas/Form'}}
          application/x-www-form-urlencoded: {schema: {$ref: '#/components/schemas/Form'}}
      responses: {'200': {$ref: 'other.yaml#/components/responses/Thing'}}
  /open:
    get: {security: [], responses: {'200': {$ref: 'other.yaml#/components/responses/Thing'}}}
components:
  schemas:
    Form: {type: object, properties: {a: {type: [string, integer], maxLength: 1}, list: {type: array, items: {type: string}}}}
`

const other = `
openapi: 3.1.0
components:
  responses:
    Thing: {description: it, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
  schemas:
    Problem: {type: object, required: [type], properties: {type: {type: string}, message: {type: string}}}
    Base: {type: object, required: [id], properties: {id: {type: string}, at: {type: string, format: date-time}}}
    Inner: {type: object, properties: {n: {type: integer}}}
    Thing:
      allOf: [{$ref: '#/components/schemas/Base'}, {properties: {done: {type: integer}, inner: {$ref: '#/components/schemas/Inner'}}}]
      oneOf:
        - {required: [kind], properties: {kind: {const: A}, a: {type: string}}}
        - {required: [kind], properties: {kind: {const: B}, list: {type: array, items: {$ref: '#/components/schemas/Inner'}}}}
`

func smallSet(t *testing.T) *Set {
	t.Helper()
	s, err := Parse(map[string][]byte{"small.yaml": []byte(small), "other.yaml": []byte(other)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCheck(t *testing.T) {
	t.Parallel()
	s := smallSet(t)
	for _, c := range []struct {
		name, call, sent string
		status           int
		answer           string
		wrong            string // a part of what is reported; empty for nothing
	}{
		{"as documented", "GET /things/a", "", 200, `{"id":"a","kind":"A","a":"x","inner":{"n":1},"at":"2026-08-01T00:00:00.000Z"}`, ""},
		{"the other variant", "GET /things/a", "", 200, `{"id":"a","kind":"B","list":[{"n":1},{}]}`, ""},
		{"HEAD", "HEAD /things/a", "", 200, ``, ""},
		{"a field too many", "GET /things/a", "", 200, `{"id":"a","kind":"A","b":1}`, "'/b'"},
		{"a field of the other variant", "GET /things/a", "", 200, `{"id":"a","kind":"A","list":[]}`, "'/list'"},
		{"a field too many inside", "GET /things/a", "", 200, `{"id":"a","kind":"A","inner":{"m":1}}`, "/m'"},
		{"a field too many in a list", "GET /things/a", "", 200, `{"id":"a","kind":"B","list":[{"m":1}]}`, "/m'"},
		{"a field missing", "GET /things/a", "", 200, `{"kind":"A"}`, "'id'"},
		{"null", "GET /things/a", "", 200, `{"id":null,"kind":"A"}`, "/id"},
		{"no time", "GET /things/a", "", 200, `{"id":"a","kind":"A","at":"today"}`, "date-time"},
		{"a fraction", "GET /things/a", "", 200, `{"id":"a","kind":"A","inner":{"n":1.5}}`, "/inner/n"},
		{"no JSON", "GET /things/a", "", 200, `{`, "no JSON"},
		{"a status that is not documented", "GET /things/a", "", 403, `{}`, "status 403"},
		{"an error as documented", "GET /things/a", "", 404, `{"type":"GONE","message":"x"}`, ""},
		{"an error of another type", "GET /things/a", "", 404, `{"type":"OTHER"}`, "/type"},
		{"an error with more", "GET /things/a", "", 404, `{"type":"GONE","secret":1}`, "'/secret'"},
		{"a path too long", "GET /things/abcdef", "", 200, `{"id":"a","kind":"A","done":0}`, "parameter id"},
		{"a slash at the end", "GET /things/a/", "", 200, `{"id":"a","kind":"A","done":0}`, ""},
		{"a body that lacks, and is refused with 200", "POST /things/a", `{}`, 200, `{"id":"a","kind":"A","done":1}`, ""},
		{"a path with a slash in it", "GET /things/a%2Fb", "", 200, `{"id":"a","kind":"A","done":0}`, ""},
		{"a query", "GET /things/a?size=9&filter=%7B%22a%22%3A%22b%22%7D", "", 200, `{"id":"a","kind":"A","done":0}`, ""},
		{"a query that is too much", "GET /things/a?size=10", "", 200, `{"id":"a","kind":"A","done":0}`, "parameter size"},
		{"a query that is no number", "GET /things/a?size=x", "", 200, `{"id":"a","kind":"A","done":0}`, "parameter size"},
		{"a query of another form", "GET /things/a?filter=%7B%22a%22%3A1%7D", "", 200, `{"id":"a","kind":"A","done":0}`, "parameter filter"},
		{"a query that is not documented", "GET /things/a?more=1", "", 200, `{"id":"a","kind":"A","done":0}`, "more"},
		{"the same in a call that is refused", "GET /things/a?more=1", "", 404, `{"type":"GONE"}`, ""},
		{"a body", "POST /things/a", `{"a":"b","unknown":1}`, 200, `{"id":"a","kind":"A","done":0}`, ""},
		{"a body of another form", "POST /things/a", `{"a":1}`, 200, `{"id":"a","kind":"A","done":0}`, "body"},
		{"a body that lacks", "POST /things/a", `{}`, 200, `{"id":"a","kind":"A","done":0}`, "'a'"},
		{"no body", "POST /things/a", ``, 200, `{"id":"a","kind":"A","done":0}`, "required"},
		{"a body where none is documented", "GET /things/a", `{}`, 200, `{"id":"a","kind":"A","done":0}`, "body"},
		{"a form", "POST /forms", `a=b&list[]=x&list[]=y`, 200, `{"id":"a","kind":"A","done":0}`, ""},
		{"a form of another form", "POST /forms", `a=bc`, 200, `{"id":"a","kind":"A","done":0}`, "body"},
		{"what may be a form, as JSON", "POST /forms", `{"a":1}`, 200, `{"id":"a","kind":"A","done":0}`, ""},
		{"a query of several", "POST /forms?all[]=1&all[]=2", ``, 200, `{"id":"a","kind":"A","done":0}`, ""},
		{"a query of several, one of them wrong", "POST /forms?all[]=1&all[]=22", ``, 200, `{"id":"a","kind":"A","done":0}`, "all[]"},
		{"another path", "GET /nothing", ``, 404, `{}`, ""},
		{"another path that is served", "GET /nothing", ``, 200, `{}`, "no document has it"},
		{"another method that is served", "PUT /open", ``, 200, `{}`, "no document has it"},
		{"no credential where none is needed", "GET /open", ``, 200, `{"id":"a","kind":"A","done":0}`, ""},
	} {
		method, target, _ := strings.Cut(c.call, " ")
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		e := Exchange{
			Method: method, URL: u, Header: http.Header{"Authorization": {"key"}}, Body: []byte(c.sent), Status: c.status,
			AnswerHeader: http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Retry-After": {"1"}}, Answer: []byte(c.answer),
		}
		if c.call == "GET /open" {
			e.Header = nil
		}
		if err := s.Check(e); (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s: Check = %v, want %q", c.name, err, c.wrong)
		}
	}
}

func TestCheckHeaders(t *testing.T) {
	t.Parallel()
	s := smallSet(t)
	check := func(status int, answer string, sent, got http.Header) error {
		return s.Check(Exchange{
			Method: "GET", URL: &url.URL{Path: "/things/a"}, Header: sent, Status: status, AnswerHeader: got, Answer: []byte(answer),
		}, "small.yaml")
	}
	json := func(more ...string) http.Header {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i < len(more); i += 2 {
			h.Set(more[i], more[i+1])
		}
		return h
	}
	key := http.Header{"Authorization": {"key"}}
	for name, err := range map[string]error{
		"without a credential":   check(200, `{"id":"a","kind":"A","done":0}`, nil, json()),
		"without Retry-After":    check(404, `{"type":"GONE"}`, key, json()),
		"with a bad Retry-After": check(404, `{"type":"GONE"}`, key, json("Retry-After", "soon")),
		"as a page":              check(200, `{"id":"a","kind":"A","done":0}`, key, http.Header{"Content-Type": {"text/html"}}),
	} {
		if err == nil {
			t.Errorf("an exchange %s passes", name)
		}
	}
	if err := check(404, `{"type":"GONE"}`, key, json("Retry-After", "1")); err != nil {
		t.Error(err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a: 1\na: 2\n", "a: ["} {
		if _, err := Parse(map[string][]byte{"x.yaml": []byte(text)}); err == nil {
			t.Errorf("%q is read", text)
		}
	}
}

// A failing is a test that may fail.
type failing struct {
	testing.TB
	complaints []string
}

// Helper does nothing.
func (f *failing) Helper() {}

// Errorf notes a complaint.
func (f *failing) Errorf(format string, args ...any) {
	f.complaints = append(f.complaints, fmt.Sprintf(format, args...))
}

// TestWrapsCanFail has a handler answer what no document says: both wraps pass it on,
// and fail the test.
func TestWrapsCanFail(t *testing.T) {
	t.Parallel()
	answer := `{"items":[]}`
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	})
	try := func() (complaints []string) {
		f := &failing{TB: t}
		w := httptest.NewRecorder()
		Handler(f, h, "v2.yaml").ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/banks", http.NoBody))
		if w.Body.String() != answer {
			t.Errorf("passed on: %s", w.Body)
		}
		server := httptest.NewServer(h)
		defer server.Close()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, Proxy(f, server.URL, "v2.yaml")+"/banks", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(resp.Body)
		if err := errors.Join(err, resp.Body.Close()); err != nil || string(b) != answer {
			t.Errorf("passed on: %s, %v", b, err)
		}
		return f.complaints
	}
	if got := try(); len(got) != 0 {
		t.Errorf("complaints: %q", got)
	}
	answer = `{"items":[],"more":1}`
	if got := try(); len(got) != 2 || !strings.Contains(got[0], "'/more'") || !strings.Contains(got[1], "'/more'") {
		t.Errorf("complaints: %q", got)
	}
}

// TestFlaws has each flaw once.
func TestFlaws(t *testing.T) {
	t.Parallel()
	const text = `
tags: [{name: known}]
paths:
  /a/{id}:
    get: {operationId: a, summary: a, tags: [unknown], responses: {'200': {description: it, content: {application/json: {
      schema: {type: object, properties: {n: {type: integer}}}, example: {n: x}}}}}}
    put: {operationId: a, summary: a, tags: [known], responses: {'200': {$ref: '#/components/responses/None'}}}
    post: {operationId: b, tags: [known], responses: {'200': {description: it, content: {application/json: {schema: {type: nothing}}}}}}
components: {schemas: {Unused: {type: object}}}
`
	s, err := Parse(map[string][]byte{"x.yaml": []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	flaws := fmt.Sprint(s.Flaws())
	for _, want := range []string{
		"declares the tag unknown", "no parameter for {id}", "PUT /a/{id} needs an operationId", "POST /a/{id} needs", "which is not there",
		"nothing uses schemas Unused", "/n", "the document is wrong",
	} {
		if !strings.Contains(flaws, want) {
			t.Errorf("no complaint with %q in %s", want, flaws)
		}
	}
}
