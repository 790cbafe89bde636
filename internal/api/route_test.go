package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	operations := [][2]string{
		{"POST", "/p/cancel"}, {"GET", "/p/{id}"}, {"GET", "/p/{id}/{part}?"}, {"DELETE", "/p/{id}"}, {"PUT", "/q"},
	}
	at := func(i int) (string, string) { return operations[i][0], operations[i][1] }
	for _, test := range []struct {
		method, path   string
		i              int
		names, allowed []string
	}{
		{"POST", "/p/cancel", 0, nil, nil},
		{"GET", "/p/cancel", 1, []string{"cancel"}, nil},
		{"HEAD", "/p/a%2Fb%20c", 1, []string{"a/b c"}, nil},
		{"GET", "/p/..", 1, []string{".."}, nil},
		{"GET", "/p/a/b", 2, []string{"a", "b"}, nil},
		{"GET", "/p/a/", 2, []string{"a", ""}, nil},
		{"DELETE", "/p/a", 3, []string{"a"}, nil},
		{"PUT", "/%71", 4, nil, nil},
		{"PATCH", "/p/a", -1, nil, []string{"GET", "GET", "DELETE", "HEAD"}},
		{"GET", "/q", -1, nil, []string{"PUT"}},
		{"GET", "/p/a/b/c", -1, nil, nil},
		{"GET", "/p/%zz", -1, nil, nil},
		{"GET", "/q/", -1, nil, nil},
		{"GET", "", -1, nil, nil},
	} {
		i, names, allowed := Match(len(operations), at, test.method, test.path)
		if i != test.i || !cmp.Equal(names, test.names) || !cmp.Equal(allowed, test.allowed) {
			t.Errorf("%s %s is %d, %q, %q", test.method, test.path, i, names, allowed)
		}
	}
}
