package settings_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

func TestDeclareHeadersAndTimeout(t *testing.T) {
	t.Parallel()
	env := newEnv()
	const more = head + "[[merchant.store.endpoint]]\nname = \"e\"\nmode = \"test\"\n"
	all, changes := declare(t, env, inEndpoint, more+"timeout = \"10s\"\nheaders = { x-shop = \"1\", Authorization = \"Bearer opensesame\" }")
	e := all.Endpoints[0]
	want := []webhook.Header{{Name: "Authorization", Value: "Bearer opensesame"}, {Name: "x-shop", Value: "1"}}
	if diff := cmp.Diff(want, e.Headers); diff != "" || e.Timeout != 10*time.Second {
		t.Errorf("time-out %v, headers (-want +got):\n%s", e.Timeout, diff)
	}
	if len(changes) != 1 || strings.Join(changes[0].Fields, " ") != "timeout headers" || strings.Contains(fmt.Sprint(changes), "sesame") {
		t.Errorf("changes: %v", changes)
	}
	before := all
	for _, x := range []struct{ lines, want, fields string }{
		{"", "Authorization x-shop", ""},
		{`headers = { authorization = "Bearer another", X-New = "v" }`, "authorization X-New x-shop", "headers"},
		{`headers = { x-shop = "", X-None = "" }`, "Authorization", "headers"},
		{`headers = { Authorization = "", x-shop = "" }` + "\ntimeout = \"default\"", "", "timeout headers"},
		{`headers = { x-shop = "1" }` + "\ntimeout = \"10s\"", "Authorization x-shop", ""},
	} {
		next, changes, err := settings.Declare(before, parse(t, more+x.lines), env)
		if err != nil {
			t.Fatalf("%s: %v", x.lines, err)
		}
		var names, fields []string
		for _, h := range next.Endpoints[0].Headers {
			names = append(names, h.Name)
		}
		for _, c := range changes {
			fields = append(fields, c.Fields...)
		}
		if strings.Join(names, " ") != x.want || strings.Join(fields, " ") != x.fields {
			t.Errorf("%s: headers %v, changed %v; want %s, %s", x.lines, names, fields, x.want, x.fields)
		}
	}
	if len(before.Endpoints[0].Headers) != 2 {
		t.Error("declaring changed what was there before")
	}
}

// Values that are stored go to no other server: whoever may change an address cannot have
// them sent to one of their own.
func TestHeadersStayWithTheirServer(t *testing.T) {
	t.Parallel()
	env := newEnv()
	const more = head + "[[merchant.store.endpoint]]\nname = \"e\"\nmode = \"test\"\n"
	all, _ := declare(t, env, inEndpoint+"headers = { Authorization = \"Bearer opensesame\", X-Key = \"another key\" }")
	for _, lines := range []string{
		`url = "https://b.example"`, `url = "http://a.example"`, "url = \"https://b.example\"\nheaders = { X-Key = \"told again\" }",
	} {
		_, _, err := settings.Declare(all, parse(t, more+lines), env)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "Authorization") || strings.Contains(err.Error(), "sesame") {
			t.Errorf("%s: %v", lines, err)
		}
	}
	for _, lines := range []string{
		`url = "https://a.example/another/path"`,
		"url = \"https://b.example\"\nheaders = { authorization = \"told again\", X-Key = \"\" }",
	} {
		if _, _, err := settings.Declare(all, parse(t, more+lines), env); err != nil {
			t.Errorf("%s: %v", lines, err)
		}
	}
}

func TestAuditOfHeaders(t *testing.T) {
	t.Parallel()
	env := newEnv()
	before, _ := declare(t, env, inEndpoint)
	after, _, err := settings.Declare(before, parse(t, inEndpoint+"timeout = \"5s\"\nheaders = { Authorization = \"Bearer opensesame-0123\" }"), env)
	if err != nil {
		t.Fatal(err)
	}
	hash := func(purpose, value string) string { return fmt.Sprintf("%x", len(purpose+value)) + "0123456789" }
	list := settings.Entries(before, after, member.By{}, "", hash)
	text := fmt.Sprintf("%+v", list)
	if len(list) != 1 || !strings.Contains(text, "Name:timeout Text:5s") || !strings.Contains(text, "Name:headers.Authorization Text:••••0123 (") || strings.Contains(text, "sesame") {
		t.Errorf("the log is told %s", text)
	}
}
