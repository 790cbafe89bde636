package openapitest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Flaws lists what is wrong with the documents themselves: references to nothing,
// operations without a name or a summary, names of paths without a parameter, tags
// that nothing declares, schemas that do not compile, components that nothing uses,
// and examples that are not as their schemas say.
func (s *Set) Flaws() (out []error) {
	ids := map[string]bool{}
	for _, op := range s.Operations() {
		id := op.at("operationId").text()
		if id == "" || ids[op.doc+id] || op.at("summary").text() == "" || len(op.at("tags").list()) != 1 {
			out = append(out, fmt.Errorf("%s: %s %s needs an operationId of its own, a summary and one tag", op.doc, op.Method, op.Path))
		}
		ids[op.doc+id] = true
		out = append(out, s.tagFlaws(op)...)
		out = append(out, s.nameFlaws(op)...)
	}
	used := map[string]bool{}
	for _, doc := range slices.Sorted(maps.Keys(s.docs)) {
		out = append(out, s.references(s.root(doc), used)...)
		out = append(out, s.mediaFlaws(s.root(doc))...)
	}
	for _, doc := range slices.Sorted(maps.Keys(s.docs)) {
		components := s.root(doc).at("components")
		for kind := range components.object() {
			for name := range components.at(kind).object() {
				if kind != "securitySchemes" && !used[doc+components.at(kind, name).pointer] {
					out = append(out, fmt.Errorf("%s: nothing uses %s %s", doc, kind, name))
				}
			}
		}
	}
	return out
}

func (s *Set) tagFlaws(op Operation) (out []error) {
	for _, tag := range op.at("tags").list() {
		if !slices.ContainsFunc(s.root(op.doc).at("tags").list(), func(p place) bool { return p.at("name").text() == tag.text() }) {
			out = append(out, fmt.Errorf("%s: nothing declares the tag %s", op.doc, tag.text()))
		}
	}
	return out
}

// nameFlaws reports names in a path that no parameter describes.
func (s *Set) nameFlaws(op Operation) (out []error) {
	parameters := append(s.root(op.doc).at("paths", op.Path, "parameters").list(), op.at("parameters").list()...)
	for segment := range strings.SplitSeq(op.Path, "/") {
		name, ok := strings.CutPrefix(segment, "{")
		if ok && !slices.ContainsFunc(parameters, func(p place) bool {
			p, err := s.follow(p)
			return err == nil && p.at("in").text() == "path" && p.at("name").text()+"}" == name
		}) {
			out = append(out, fmt.Errorf("%s: %s has no parameter for %s", op.doc, op.Path, segment))
		}
	}
	return out
}

// references follows every reference below a place, and notes where they lead.
func (s *Set) references(p place, used map[string]bool) (out []error) {
	if p.at("$ref").text() != "" {
		to, err := s.target(p)
		if err != nil {
			return []error{err}
		}
		used[to.doc+to.pointer] = true
	}
	for key := range p.object() {
		out = append(out, s.references(p.at(key), used)...)
	}
	for _, item := range p.list() {
		out = append(out, s.references(item, used)...)
	}
	return out
}

// mediaFlaws holds every example below a place against the schema beside it.
func (s *Set) mediaFlaws(p place) (out []error) {
	if schema := p.at("schema"); schema.node != nil {
		values := []place{p.at("example")}
		for name := range p.at("examples").object() {
			named, err := s.follow(p.at("examples", name))
			if err != nil {
				return []error{err}
			}
			values = append(values, named.at("value"))
		}
		values = append(values, schema.at("example"))
		for _, v := range values {
			if err := s.exampleFlaw(schema, v); err != nil {
				out = append(out, fmt.Errorf("%s#%s: %w", p.doc, p.pointer, err))
			}
		}
	}
	for key := range p.object() {
		if key != "example" && key != "properties" {
			out = append(out, s.mediaFlaws(p.at(key))...)
		}
	}
	for _, item := range p.list() {
		out = append(out, s.mediaFlaws(item)...)
	}
	return out
}

// exampleFlaw compiles a schema, and holds an example against it if there is one.
func (s *Set) exampleFlaw(schema, example place) error {
	if example.node == nil {
		err := s.validateValue(closed, schema, map[string]any{})
		if err != nil && strings.HasPrefix(err.Error(), "the document is wrong") {
			return err
		}
		return nil
	}
	return s.validateValue(closed, schema, example.node)
}
