package v1

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/api/openapi/openapitest"
)

// TestEveryRouteIsDocumented compares the routes with v1.yaml, against which every
// call of a site is held. A path whose end may be left out is two there.
func TestEveryRouteIsDocumented(t *testing.T) {
	t.Parallel()
	s, err := openapitest.Served()
	if err != nil {
		t.Fatal(err)
	}
	var documented, served []string
	for _, op := range s.Operations("v1.yaml") {
		documented = append(documented, op.Method+" "+op.Path)
	}
	rt, _ := (&API{}).Routes().(router)
	for _, op := range rt.operations {
		path, optional := strings.CutSuffix(op.path, "?")
		served = append(served, op.method+" "+path)
		if optional {
			served = append(served, op.method+" "+path[:strings.LastIndex(path, "/")])
		}
	}
	slices.Sort(documented)
	slices.Sort(served)
	if diff := cmp.Diff(served, documented); diff != "" {
		t.Errorf("routes and document (-routes +document):\n%s", diff)
	}
}
