package openapitest

import (
	"maps"
	"slices"
)

// Statuses lists the statuses that an operation of the named documents, or of all,
// may be answered with; none if there is no such operation.
func (s *Set) Statuses(method, path string, docs ...string) []string {
	for _, op := range s.Operations(docs...) {
		if op.Method == method && op.Path == path {
			return slices.Sorted(maps.Keys(op.at("responses").object()))
		}
	}
	return nil
}

// Words lists the enum of the schema at some keys of a document, in its order.
func (s *Set) Words(doc string, keys ...string) (out []string) {
	for _, word := range s.schemaAt(doc, keys).at("enum").list() {
		out = append(out, word.text())
	}
	return out
}

// Fields lists the properties of the schema at some keys of a document, and of the
// objects in it, as sorted paths such as /amount/total.
func (s *Set) Fields(doc string, keys ...string) []string {
	out := s.fields(s.schemaAt(doc, keys), "")
	slices.Sort(out)
	return out
}

func (s *Set) schemaAt(doc string, keys []string) place {
	p, err := s.follow(s.root(doc).at(keys...))
	if err != nil {
		return place{}
	}
	return p
}

func (s *Set) fields(schema place, path string) (out []string) {
	schema, err := s.follow(schema)
	if err != nil {
		return nil
	}
	if items := schema.at("items"); items.node != nil {
		return s.fields(items, path)
	}
	properties := schema.at("properties")
	for name := range properties.object() {
		out = append(append(out, path+"/"+name), s.fields(properties.at(name), path+"/"+name)...)
	}
	return out
}
