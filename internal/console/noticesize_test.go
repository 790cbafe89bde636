package console

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/notice"
)

// TestNoticeOfManyFields: a notice with thousands of fields, which anybody may send, makes no
// page that a browser chokes on.
func TestNoticeOfManyFields(t *testing.T) {
	p := newPost(t)
	for n, text := range map[int]string{450: "필드 2", 6000: "읽지 못했어요"} {
		var more strings.Builder
		for i := range n {
			fmt.Fprintf(&more, "&f%d=%d", i, i)
		}
		id := p.sends("203.0.113.9", told("many"), func(r *notice.Request) { r.Body = append(r.Body, more.String()...) })
		if body := p.page("dev", id, text); len(body) > 60<<10 {
			t.Errorf("with %d fields the page has %d bytes", n, len(body))
		}
	}
	long := p.sends("203.0.113.9", told("long"), func(r *notice.Request) {
		r.Body = append(r.Body, "&memo="+strings.Repeat("x", 20000)+"&"+strings.Repeat("y", 20000)+"=1&op_cd="+strings.Repeat("z", 15000)...)
	})
	if body := p.shows(p.get("owner", noticesPath+"/"+string(long)+"?raw=on"), http.StatusOK); len(body) > 60<<10 {
		t.Errorf("with long fields the page has %d bytes", len(body))
	}
}

// TestDeepJSON: an object within objects without end is not followed for ever.
func TestDeepJSON(t *testing.T) {
	const deep = 9000
	body := strings.Repeat(`{"a":`, deep) + `1` + strings.Repeat("}", deep)
	names, values := bodyFields(notice.Request{Body: []byte(body)}, "UTF-8")
	if len(names) != 1 || names[0] != strings.Repeat("a.", mostDepth-1)+"a" || !strings.HasPrefix(values[names[0]], `{"a":`) {
		t.Errorf("%d fields, the first is %.60q = %.60q", len(names), names, values[names[0]])
	}
	names, values = bodyFields(notice.Request{Body: []byte(`{"a":{"b":{"c":"x"}},"d":[1,2],"e":null}`)}, "UTF-8")
	if fmt.Sprint(names) != "[a.b.c d e]" || values["a.b.c"] != "x" || values["d"] != "[1,2]" {
		t.Errorf("%q, %q", names, values)
	}
}
