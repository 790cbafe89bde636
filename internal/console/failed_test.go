package console

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/secret"
)

// TestElsewhere leads from a page that is not there to what has the id in another store or
// mode, if the visitor may see it.
func TestElsewhere(t *testing.T) {
	h := newHouse(t)
	p := h.sells(sale{store: main1, id: "p-main", name: "n", account: "110", amount: 1000})[0]
	there := Prefix + "/" + string(main1) + "/test/payments/" + string(p.Key)
	for _, path := range []string{
		Prefix + "/all/live/payments/" + string(p.Key),
		Prefix + "/" + string(branch1) + "/test/payments/" + string(p.Key),
		Prefix + "/all/test/notices/" + string(p.Key),
		Prefix + "/all/test/nothing/" + string(p.Key),
	} {
		h.shows(h.get("owner", path), http.StatusNotFound, "다른 상점이나 모드에 있어요.", `href="`+there+`"`)
	}
	for as, path := range map[string]string{
		"rival":  Prefix + "/all/live/payments/" + string(p.Key),
		"branch": Prefix + "/all/live/payments/" + string(p.Key),
		"owner":  Prefix + "/all/live/payments/" + "no-such-id",
	} {
		if page := h.shows(h.get(as, path), http.StatusNotFound); strings.Contains(page, "다른 상점이나 모드") {
			t.Errorf("%s is told of what is elsewhere at %s", as, path)
		}
	}
}

// brokenSessions fails as something does that nobody foresaw.
type brokenSessions struct{}

func (brokenSessions) Session(context.Context, secret.Text) (member.Member, member.Session, error) {
	return member.Member{}, member.Session{}, errors.New("a wire is loose")
}

func (b brokenSessions) Standing(ctx context.Context, token secret.Text) (member.Member, member.Session, error) {
	return b.Session(ctx, token)
}

// TestFailedSaysWhetherNoticesCome asks whether notices are received instead of promising it.
func TestFailedSaysWhetherNoticesCome(t *testing.T) {
	h := newHouse(t)
	h.Console.Sessions = brokenSessions{}
	var receiving bool
	h.Console.Receiving = func(context.Context) bool { return receiving }
	const come, stay = "입금통보 수신은 계속되고 있어요.", "입금통보도 받지 못하고 있어요"
	page := h.shows(h.get("owner", paymentsAt), http.StatusInternalServerError, stay, `id="request-id"`)
	if strings.Contains(page, come) || strings.Contains(page, "wire") {
		t.Errorf("the page says too much: %s", firstLines(page))
	}
	receiving = true
	if page := h.shows(h.get("owner", paymentsAt), http.StatusInternalServerError, come); strings.Contains(page, stay) {
		t.Error("the page says both")
	}
}

// TestRowsAreLive checks that lists whose rows are matched are brought up to date at all.
func TestRowsAreLive(t *testing.T) {
	tag := regexp.MustCompile(`<table[^>]*\bdata-rows\b[^>]*>`)
	seen := 0
	for _, name := range pageNames() {
		text, err := pageFiles.ReadFile("pages/" + name + ".html")
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range tag.FindAllString(string(text), -1) {
			seen++
			if !strings.Contains(x, "data-live") {
				t.Errorf("%s: %s is never brought up to date", name, x)
			}
		}
	}
	if seen < 4 {
		t.Errorf("only %d lists were found", seen)
	}
}

// TestCrumb leads from a page within a section to the section, and nowhere from the section.
func TestCrumb(t *testing.T) {
	h := newHouse(t)
	p := h.sells(sale{store: main1, id: "p-main", name: "n", account: "110", amount: 1000})[0]
	const crumb = `<nav class="crumbs"`
	at := Prefix + "/" + string(main1) + "/test"
	h.shows(h.get("owner", at+"/payments/"+string(p.Key)), http.StatusOK, crumb, crumb+` aria-label="위치"><a href="`+at+`/payments">결제</a>`)
	h.shows(h.get("owner", Prefix+"/all/test/settings/stores/new"), http.StatusOK, `href="`+Prefix+`/all/test/settings/stores">고객사와 하위상점</a>`, crumb)
	for _, path := range []string{paymentsAt, Prefix + "/all/test/", Prefix + "/all/test/settings/stores"} {
		if page := h.shows(h.get("owner", path), http.StatusOK); strings.Contains(page, crumb) {
			t.Errorf("%s leads to itself", path)
		}
	}
}
