package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Match finds which of n operations a call is of, by its method and its escaped path;
// -1 if it is none. at is the method and the pattern of each: names in braces stand for
// any one segment, and a "?" at the end says that the last may be left out. HEAD is
// GET. names are what stands in the places of the braces, decoded: an empty text for
// one that is left out. If there is no such operation, allowed are the methods that
// the path has.
//
// Segments are compared one by one as they were sent, since names may hold anything:
// http.ServeMux would clean such a path and redirect.
func Match(n int, at func(int) (method, pattern string), method, path string) (i int, names, allowed []string) {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	for i := range n {
		of, pattern := at(i)
		names, ok := fits(pattern, path)
		switch {
		case !ok:
		case of == method:
			return i, names, nil
		default:
			allowed = append(allowed, of)
		}
	}
	if slices.Contains(allowed, http.MethodGet) {
		allowed = append(allowed, http.MethodHead)
	}
	return -1, nil, allowed
}

// fits reports whether an escaped path is that of a pattern, and returns what stands
// in the places of its wildcards.
func fits(pattern, path string) (names []string, ok bool) {
	pattern, optional := strings.CutSuffix(pattern, "?")
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if optional && len(got) == len(want)-1 {
		got = append(got, "")
	}
	if len(want) != len(got) {
		return nil, false
	}
	for i, segment := range got {
		text, err := url.PathUnescape(segment)
		switch {
		case err != nil:
			return nil, false
		case strings.HasPrefix(want[i], "{"):
			names = append(names, text)
		case text != want[i]:
			return nil, false
		}
	}
	return names, true
}
