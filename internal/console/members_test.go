package console

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/store"
)

// id is a member's, by its e-mail address.
func (d *door) id(email string) string {
	d.Helper()
	a, err := d.Store.AccountByEmail(d.Context(), email)
	if err != nil {
		d.Fatal(err)
	}
	return string(a.ID)
}

const membersAt = Prefix + "/all/test/settings/members"

// TestMembers: an owner invites, changes roles, and stops people, who notice at once.
func TestMembers(t *testing.T) {
	d := newDoor(t)
	owner, _ := d.owner()
	dev := d.joined(owner, "dev@saebyeok.example", member.Dev)
	d.shows(owner.open(membersAt), http.StatusOK, "dev@saebyeok.example", "홍길동 &lt;b&gt;x&lt;/b&gt;", "owner@saebyeok.example")
	d.shows(dev.open(membersAt), http.StatusForbidden, "관리자(Admin)부터 할 수 있어요")
	d.shows(dev.open(Prefix+"/all/test/developers/keys"), http.StatusOK)
	form := []string{"email", "DEV@saebyeok.example", "name", "누구", "role", "read_only"}
	d.shows(owner.send(membersAt+"/new", form...), http.StatusUnprocessableEntity, "이미 있어요", `value="DEV@saebyeok.example"`)
	d.shows(owner.send(membersAt+"/new", append(form, "email", "a@b.kr", "role", "admin", "store", string(main1))...), http.StatusUnprocessableEntity, "제한할 수 없어요")
	d.shows(owner.send(membersAt+"/new", append(form, "email", "a@b.kr", "role", "boss")...), http.StatusUnprocessableEntity)

	at := membersAt + "/" + d.id("dev@saebyeok.example")
	d.shows(owner.open(at), http.StatusOK, "dev@saebyeok.example", "하위 상점")
	d.goesTo(owner.send(at, "role", "read_only", "store", string(branch1)), at)
	d.shows(owner.open(at), http.StatusOK, "읽기 전용", "바꿨어요")
	d.shows(dev.open(Prefix+"/"+string(branch1)+"/test/developers/keys"), http.StatusForbidden)
	d.shows(dev.open(Prefix+"/"+string(main1)+"/test/developers/keys"), http.StatusNotFound)
	d.goesTo(owner.send(at+"/disable"), at)
	d.goesTo(dev.open(Prefix+"/me"), Prefix+"/login?back=%2Fconsole%2Fme")
	d.shows(dev.send(Prefix+"/login", "email", "dev@saebyeok.example", "password", password), http.StatusUnprocessableEntity)
	d.shows(owner.send(at+"/link"), http.StatusConflict)
	d.goesTo(owner.send(at+"/enable"), at)
	d.shows(owner.send(at+"/link"), http.StatusOK, "https://pay.example.kr/console/link?token=")

	me := membersAt + "/" + d.id("owner@saebyeok.example")
	d.shows(owner.send(me, "role", "admin"), http.StatusUnprocessableEntity, "마지막 소유자예요")
	d.shows(owner.send(me+"/disable"), http.StatusUnprocessableEntity, "마지막 소유자예요")
	d.shows(owner.open(membersAt+"/01900000-0000-7000-8000-000000000000"), http.StatusNotFound)
}

// TestAdminAndOwners: an admin sees owners and changes none, and makes none.
func TestAdminAndOwners(t *testing.T) {
	d := newDoor(t)
	owner, _ := d.owner()
	admin := d.joined(owner, "admin@saebyeok.example", member.Admin)
	key := otpSecret.FindStringSubmatch(d.shows(admin.open(Prefix+"/second"), http.StatusOK))[1]
	d.shows(admin.send(Prefix+"/second", "code", d.code(key, 0)), http.StatusOK)
	at := membersAt + "/" + d.id("owner@saebyeok.example")
	page := d.shows(admin.open(at), http.StatusOK, "소유자(Owner)만 할 수 있어요")
	if strings.Contains(page, "/disable") {
		t.Error("there is a button that an admin may not press")
	}
	for _, path := range []string{at, at + "/disable", at + "/enable", at + "/link"} {
		d.shows(admin.send(path, "role", "read_only"), http.StatusForbidden, "소유자(Owner)만 할 수 있어요")
	}
	d.shows(admin.send(membersAt+"/new", "email", "x@y.kr", "name", "x", "role", "owner"), http.StatusForbidden)
	if page := d.shows(admin.open(membersAt+"/new"), http.StatusOK); strings.Contains(page, `value="owner"`) {
		t.Error("an admin may choose owner")
	}
	d.shows(admin.open(Prefix+"/all/test/settings/audit"), http.StatusForbidden, "소유자(Owner)만 할 수 있어요")
}

// TestAuditPage: the log of the merchant alone, filtered, in parts, with what was and
// became; what is in it is text.
func TestAuditPage(t *testing.T) {
	d := newDoor(t)
	owner, _ := d.owner()
	const at = Prefix + "/all/test/settings/audit"
	d.shows(owner.open(at), http.StatusOK, "처음 설정", "2단계 인증 켬", "owner@saebyeok.example", "203.0.113.7")
	entry := func(m string, i int) member.Entry {
		return member.Entry{
			Merchant: ours, Store: main1, Mode: "test", By: member.By{Kind: member.CLI, Name: "<i>root</i>"}, Action: "endpoint.paused", Kind: "endpoint",
			Object: fmt.Sprintf("%s-%d", m, i), Reason: "<script>alert(1)</script>\u202e",
			Before: []member.Field{{Name: "url", Text: "https://a.example"}, {Name: "address", Text: "one"}},
			After:  []member.Field{{Name: "url", Text: "https://b.example"}, {Name: "address", Text: "two"}, {Name: "address", Text: "three"}},
		}
	}
	for i := range 60 {
		if err := d.Store.Audit(t.Context(), entry("e", i)); err != nil {
			t.Fatal(err)
		}
	}
	rival := entry("rival", 0)
	rival.Merchant = theirs
	if err := d.Store.Audit(t.Context(), rival); err != nil {
		t.Fatal(err)
	}
	page := d.shows(owner.open(at), http.StatusOK, "웹훅 주소 일시중지", "&lt;script&gt;", "⟨U&#43;202E⟩", "&lt;i&gt;root&lt;/i&gt;", "명령줄",
		"<del>https://a.example</del> → <ins>https://b.example</ins>", "<del>one</del> → <ins>two</ins>", "<ins>three</ins>", `rel="next"`)
	if strings.Contains(page, "rival-0") || strings.Contains(page, "<script>alert") || strings.Count(page, "<tr id=") != auditShown {
		t.Errorf("the page has another merchant's, markup, or %d entries", strings.Count(page, "<tr id="))
	}
	_, older, _ := strings.Cut(page, `<a href="`+at+`?before=`)
	older, _, _ = strings.Cut(older, `"`)
	page = d.shows(owner.open(at+"?before="+html.UnescapeString(older)), http.StatusOK, "처음 설정")
	if strings.Contains(page, `rel="next"`) || !strings.Contains(page, "e-0<") {
		t.Error("the second part is not the rest")
	}
	d.shows(owner.open(at+"?before=x"), http.StatusUnprocessableEntity)
	for query, want := range map[string]int{
		"object=e-7": 1, "what=member": 1, "what=installation": 1, "who=" + d.id("owner@saebyeok.example"): 2, "from=2099-01-01": 0, "until=2001-01-01": 0, "from=x": auditShown,
	} {
		if n := strings.Count(owner.open(at+"?"+query).Body.String(), "<tr id="); n != want {
			t.Errorf("%s leaves %d, want %d", query, n, want)
		}
	}
	w := owner.open(at + ".ndjson?what=endpoint")
	d.shows(w, http.StatusOK)
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	var one struct{ Object, Reason string }
	if err := json.Unmarshal([]byte(lines[0]), &one); err != nil || len(lines) != 60 || one.Object != "e-59" || one.Reason != "<script>alert(1)</script>\u202e" {
		t.Errorf("%d lines, the first %+v, %v", len(lines), one, err)
	}
	if got := w.Header().Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="audit-20`) {
		t.Errorf("Content-Disposition: %s", got)
	}
	list, err := d.Store.AuditLog(t.Context(), store.AuditQuery{Action: "audit."})
	if err != nil || len(list) != 1 || list[0].By.Name != "owner@saebyeok.example" {
		t.Errorf("that it was taken away: %+v, %v", list, err)
	}
}
