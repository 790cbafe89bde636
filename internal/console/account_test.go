package console

import (
	"bytes"
	"html"
	"image/png"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/people"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store/storetest"
)

// A door is a house whose visitors sign in.
type door struct {
	*house
	db *storetest.Database
}

func newDoor(t *testing.T) *door {
	t.Helper()
	db := storetest.SQLite(t)
	d := &door{newHouseOn(t, db.Open(t)), db}
	d.Console.Sessions = d.Console.People
	d.handler = d.Console.Routes()
	return d
}

// A browser keeps cookies.
type browser struct {
	*door
	cookies map[string]*http.Cookie
	host    string
	header  http.Header
}

func (d *door) browser() *browser {
	return &browser{d, map[string]*http.Cookie{}, "127.0.0.1", http.Header{"User-Agent": {"Mozilla/5.0 <b>x</b>"}}}
}

// open asks for a page, and post sends a form, and neither follows.
func (b *browser) open(path string) *httptest.ResponseRecorder {
	b.Helper()
	return b.ask(httptest.NewRequest(http.MethodGet, "http://"+b.host+path, nil))
}

func (b *browser) send(path string, pairs ...string) *httptest.ResponseRecorder {
	b.Helper()
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest(http.MethodPost, "http://"+b.host+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.ask(r)
}

func (b *browser) ask(r *http.Request) *httptest.ResponseRecorder {
	maps.Copy(r.Header, b.header)
	for _, c := range b.cookies {
		r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
	}
	w := httptest.NewRecorder()
	b.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
			continue
		}
		b.cookies[c.Name] = c
	}
	return w
}

// token is the browser's session.
func (b *browser) token() secret.Text {
	for name, c := range b.cookies {
		if strings.HasSuffix(name, sessionCookie) {
			return secret.Text(c.Value)
		}
	}
	return ""
}

const (
	password      = "brown tiger eats rice"
	otherPassword = "green rabbit drinks tea"
)

// code is what an authenticator shows, so many steps from now.
func (d *door) code(key string, steps int) string {
	d.Helper()
	c, err := totp.GenerateCode(key, time.Now().Add(time.Duration(steps)*30*time.Second))
	if err != nil {
		d.Fatal(err)
	}
	return c
}

var otpSecret = regexp.MustCompile(`id="otp-secret"[^>]*>([A-Z2-7]{32})<`)

// owner sets the house up, and returns the owner's browser and the authenticator's secret.
func (d *door) owner() (b *browser, key string) {
	d.Helper()
	token, err := d.Console.People.NewSetup(d.Context())
	if err != nil {
		d.Fatal(err)
	}
	b = d.browser()
	w := b.send(Prefix+"/setup", "token", token.Reveal(), "email", "owner@saebyeok.example", "name", "김주인", "password", password, "merchant", "우리 회사")
	d.goesTo(w, Prefix+"/second?back=%2Fconsole%2F")
	found := otpSecret.FindStringSubmatch(d.shows(b.open(Prefix+"/second"), http.StatusOK))
	if found == nil {
		d.Fatal("the page shows no secret")
	}
	d.shows(b.send(Prefix+"/second", "code", d.code(found[1], -1)), http.StatusOK, "복구 코드")
	return b, found[1]
}

// joined is the browser of somebody whom the owner invited.
func (d *door) joined(owner *browser, email string, r member.Role) *browser {
	d.Helper()
	w := owner.send(Prefix+"/all/test/settings/members/new", "email", email, "name", "홍길동 <b>x</b>", "role", string(r))
	link := regexp.MustCompile(`https://pay\.example\.kr(/console/link\?token=[\w-]+)`).FindStringSubmatch(d.shows(w, http.StatusOK))
	if link == nil {
		d.Fatal("the page shows no link")
	}
	b := d.browser()
	d.shows(b.open(link[1]), http.StatusOK, email)
	_, token, _ := strings.Cut(link[1], "token=")
	to := Prefix + "/"
	if r.NeedsSecondFactor() {
		to = Prefix + "/second?back=%2Fconsole%2F"
	}
	d.goesTo(b.send(Prefix+"/link", "token", token, "name", "홍길동 <b>x</b>", "password", password), to)
	d.shows(d.browser().open(link[1]), http.StatusForbidden, "링크를 쓸 수 없어요")
	return b
}

// TestFirstRun goes from nothing to an owner with a second factor, by forms alone.
func TestFirstRun(t *testing.T) {
	d := newDoor(t)
	b := d.browser()
	d.goesTo(b.open(Prefix+"/"), Prefix+"/login?back=%2Fconsole%2F")
	d.shows(b.open(Prefix+"/login"), http.StatusOK, "<form", "tongbo admin owner", `name="password"`)
	d.shows(b.open(Prefix+"/setup?token=AAAA"), http.StatusForbidden, "설정 링크를 쓸 수 없어요")
	token, err := d.Console.People.NewSetup(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := Prefix + "/setup?token=" + token.Reveal()
	d.shows(b.open(at), http.StatusOK, token.Reveal())
	form := []string{"token", token.Reveal(), "email", "owner@saebyeok.example", "name", "김주인", "merchant", "새 회사", "password", "짧아요"}
	d.shows(b.send(Prefix+"/setup", form...), http.StatusUnprocessableEntity, "10자보다 짧아요", `value="owner@saebyeok.example"`, `href="#f-password"`)
	form[3] = "owner"
	d.shows(b.send(Prefix+"/setup", append(form, "password", password)...), http.StatusUnprocessableEntity, "이메일 주소가 아니에요")
	form[3] = "owner@saebyeok.example"
	d.goesTo(b.send(Prefix+"/setup", append(form, "password", password)...), Prefix+"/second?back=%2Fconsole%2F")
	first := b.token()
	d.shows(d.browser().open(at), http.StatusForbidden, "이미 설정했어요")
	d.shows(d.browser().send(Prefix+"/setup", append(form, "password", password)...), http.StatusForbidden)

	// Nothing opens before the second factor is there.
	d.goesTo(b.open(Prefix+"/all/test/settings/members"), Prefix+"/login?back=%2Fconsole%2Fall%2Ftest%2Fsettings%2Fmembers")
	d.goesTo(b.open(Prefix+"/login?back=/console/me"), Prefix+"/second?back=%2Fconsole%2Fme")
	page := d.shows(b.open(Prefix+"/second"), http.StatusOK, `src="/console/second/qr.png"`, "이 역할은 2단계 인증이 있어야 해요")
	w := b.open(Prefix + "/second/qr.png")
	if picture, err := png.Decode(bytes.NewReader(w.Body.Bytes())); err != nil || w.Header().Get("Content-Type") != "image/png" || picture.Bounds().Dx() != 240 {
		t.Errorf("the picture: %v", err)
	}
	d.shows(d.browser().open(Prefix+"/second/qr.png"), http.StatusUnauthorized)
	d.goesTo(d.browser().open(Prefix+"/second"), Prefix+"/login?back=%2Fconsole%2Fsecond")
	key := otpSecret.FindStringSubmatch(page)[1]
	d.shows(b.send(Prefix+"/second", "code", "000000"), http.StatusUnprocessableEntity, "코드가 맞지 않거나")
	codes := d.shows(b.send(Prefix+"/second", "code", d.code(key, 0), "back", "/console/me"), http.StatusOK, `action="/console/me"`)
	if n := len(regexp.MustCompile(`[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}`).FindAllString(codes, -1)); n != 10 {
		t.Errorf("%d recovery codes", n)
	}
	d.shows(b.open(Prefix+"/me"), http.StatusOK, "owner@saebyeok.example", "설치 운영자")
	if b.token() == first {
		t.Error("the token is the one before the second factor")
	}
	b.cookies[sessionCookie].Value = first.Reveal()
	d.goesTo(b.open(Prefix+"/me"), Prefix+"/login?back=%2Fconsole%2Fme")
}

// TestLogin: what is wrong is told in one way, too much is slowed down, and what comes
// after is where one was on the way to, of this console alone.
func TestLogin(t *testing.T) {
	d := newDoor(t)
	_, key := d.owner()
	b := d.browser()
	for _, email := range []string{"owner@saebyeok.example", "nobody@saebyeok.example"} {
		page := d.shows(b.send(Prefix+"/login", "email", email, "password", otherPassword), http.StatusUnprocessableEntity, "이메일이나 비밀번호가 맞지 않아요", `value="`+email+`"`)
		if strings.Contains(page, otherPassword) {
			t.Error("the page has the password")
		}
	}
	back := "/console/all/test/payments?state=PAID"
	d.goesTo(b.send(Prefix+"/login", "email", "owner@saebyeok.example", "password", password, "back", back), Prefix+"/login?back="+url.QueryEscape(back))
	d.shows(b.open(Prefix+"/login?back="+url.QueryEscape(back)), http.StatusOK, "인증 앱의 코드", html.EscapeString(back))
	d.goesTo(b.open(Prefix+"/me"), Prefix+"/login?back=%2Fconsole%2Fme")
	d.shows(b.send(Prefix+"/login/code", "code", "000000", "back", back), http.StatusUnprocessableEntity, "코드가 맞지 않거나", html.EscapeString(back))
	waiting := b.token()
	d.goesTo(b.send(Prefix+"/login/code", "code", d.code(key, 0), "back", back), back)
	if b.token() == waiting {
		t.Error("the token is the one before the code")
	}
	d.shows(b.open(Prefix+"/me"), http.StatusOK)
	d.goesTo(b.open(Prefix+"/login?back=//evil.example/"), Prefix+"/")

	stolen := b.token()
	d.goesTo(b.send(Prefix+"/logout"), Prefix+"/login")
	if b.token() != "" {
		t.Error("the browser keeps its session")
	}
	thief := d.browser()
	thief.cookies[sessionCookie] = &http.Cookie{Name: sessionCookie, Value: stolen.Reveal()}
	d.goesTo(thief.open(Prefix+"/me"), Prefix+"/login?back=%2Fconsole%2Fme")
	d.shows(b.open(Prefix+"/login"), http.StatusOK, "로그아웃했어요")

	for range 10 {
		b.send(Prefix+"/login", "email", "x@saebyeok.example", "password", otherPassword)
	}
	w := b.send(Prefix+"/login", "email", "x@saebyeok.example", "password", otherPassword)
	d.shows(w, http.StatusTooManyRequests, "너무 여러 번")
	if w.Header().Get("Retry-After") == "" {
		t.Error("nothing says when to try again")
	}
	for _, x := range []string{password, otherPassword, stolen.Reveal(), waiting.Reveal(), key} {
		if strings.Contains(d.Log.String(), x) {
			t.Errorf("the log has %s…", x[:4])
		}
	}
}

// TestSessionCookie: no script reads it, no other site sends it, and beside a plain
// loopback address it goes encrypted to this host alone.
func TestSessionCookie(t *testing.T) {
	d := newDoor(t)
	d.owner()
	for host, want := range map[string]string{
		"127.0.0.1": "tongbo=…; Path=/; HttpOnly; SameSite=Lax", "pay.example.kr": "__Host-tongbo=…; Path=/; HttpOnly; Secure; SameSite=Lax",
	} {
		b := d.browser()
		b.host = host
		w := b.send(Prefix+"/login", "email", "owner@saebyeok.example", "password", password)
		got := regexp.MustCompile(`tongbo=[\w-]{43}`).ReplaceAllString(w.Header().Get("Set-Cookie"), "tongbo=…")
		if got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

// TestConfirmAgain: what matters is asked for again an hour after sign-in, and the way
// goes on where it stopped.
func TestConfirmAgain(t *testing.T) {
	d := newDoor(t)
	b, key := d.owner()
	d.db.Exec(t, `update session set confirmed_at = confirmed_at - 3600000000`)
	at := Prefix + "/all/test/settings/members/new"
	d.goesTo(b.open(at), Prefix+"/confirm?back="+url.QueryEscape(at))
	d.shows(b.open(Prefix+"/confirm?back="+url.QueryEscape(at)), http.StatusOK, html.EscapeString(at), `name="code"`)
	d.shows(b.send(Prefix+"/confirm", "password", otherPassword, "code", d.code(key, 0), "back", at), http.StatusUnprocessableEntity, "이메일이나 비밀번호가 맞지 않아요")
	d.shows(b.send(Prefix+"/confirm", "password", password, "code", "000000", "back", at), http.StatusUnprocessableEntity, "코드가 맞지 않거나")
	before := b.token()
	d.goesTo(b.send(Prefix+"/confirm", "password", password, "code", d.code(key, 0), "back", at), at)
	if b.token() == before {
		t.Error("the token is the one before")
	}
	d.shows(b.open(at), http.StatusOK, "초대 링크 만들기")
	d.goesTo(d.browser().open(Prefix+"/confirm"), Prefix+"/login?back=%2Fconsole%2Fconfirm")
}

// TestMe: how somebody sees the console, where it is signed in, and by what.
func TestMe(t *testing.T) {
	d := newDoor(t)
	owner, _ := d.owner()
	b := d.joined(owner, "dev@saebyeok.example", member.Dev)
	d.shows(b.open(Prefix+"/me"), http.StatusOK, "개발 담당(Dev)", "Mozilla/5.0 &lt;b&gt;x&lt;/b&gt;", "203.0.113.7", "홍길동 &lt;b&gt;x&lt;/b&gt;")
	d.goesTo(b.send(Prefix+"/me", "name", "다른 이름", "lang", "en", "zone", "UTC", "theme", "dark"), Prefix+"/me")
	d.shows(b.open(Prefix+"/me"), http.StatusOK, `<html lang="en" data-theme="dark">`, "Saved.", "Where you are signed in", `value="다른 이름"`, "UTC")
	if w := b.open(Prefix + "/me"); strings.Contains(w.Body.String(), "data-keys") {
		t.Error("shortcuts that were switched off are on")
	}
	d.shows(b.send(Prefix+"/me", "name", "", "lang", "en"), http.StatusUnprocessableEntity, "1 to 80 characters")
	d.shows(b.send(Prefix+"/me", "name", "x", "lang", "fr"), http.StatusUnprocessableEntity)
	if got := slices.Sorted(maps.Keys(b.cookies)); !slices.Contains(got, langCookie) || !slices.Contains(got, themeCookie) {
		t.Errorf("cookies are %v", got)
	}

	other := d.browser()
	d.goesTo(other.send(Prefix+"/login", "email", "dev@saebyeok.example", "password", password), Prefix+"/")
	m, s, err := d.Console.People.Session(t.Context(), other.token())
	if err != nil {
		t.Fatal(err)
	}
	d.goesTo(owner.send(Prefix+"/me/sessions", "session", string(s.ID)), Prefix+"/me") // not the owner's: nothing happens
	d.shows(other.open(Prefix+"/me"), http.StatusOK)
	d.goesTo(b.send(Prefix+"/me/sessions", "session", string(s.ID)), Prefix+"/me")
	d.goesTo(other.open(Prefix+"/me"), Prefix+"/login?back=%2Fconsole%2Fme")

	d.shows(b.open(Prefix+"/me/password"), http.StatusOK)
	d.shows(b.send(Prefix+"/me/password", "old", otherPassword, "password", otherPassword), http.StatusUnprocessableEntity, `href="#f-old"`)
	d.shows(b.send(Prefix+"/me/password", "old", password, "password", "Password1234"), http.StatusUnprocessableEntity, `href="#f-password"`)
	d.goesTo(b.send(Prefix+"/me/password", "old", password, "password", otherPassword), Prefix+"/me")
	d.shows(b.open(Prefix+"/me"), http.StatusOK, "your other sessions are ended")

	// A second factor that nobody asks for, and the way back.
	d.goesTo(b.send(Prefix+"/second/begin", "back", "/console/me"), Prefix+"/second?back=%2Fconsole%2Fme")
	key := otpSecret.FindStringSubmatch(d.shows(b.open(Prefix+"/second?back=%2Fconsole%2Fme"), http.StatusOK))[1]
	d.shows(b.send(Prefix+"/second", "code", d.code(key, 0), "back", "/console/me"), http.StatusOK, `action="/console/me"`)
	d.shows(b.open(Prefix+"/me"), http.StatusOK, "It is on.")
	d.shows(b.send(Prefix+"/me/recovery"), http.StatusOK, "Each of these works once")
	d.goesTo(b.send(Prefix+"/me/second/drop"), Prefix+"/me")
	if a, err := d.Store.Account(t.Context(), m.ID); err != nil || a.SecondFactor || len(a.Proof.Recovery) != 0 {
		t.Errorf("the second factor that was dropped: %v", err)
	}
	d.shows(owner.open(Prefix+"/me"), http.StatusOK, "이 역할은 2단계 인증을 끌 수 없어요")
	d.shows(owner.send(Prefix+"/me/second/drop"), http.StatusConflict)
}

// TestAccountMistakes: the engine's errors that a form tells of are all in both
// languages.
func TestAccountMistakes(t *testing.T) {
	d := newDoor(t)
	for _, m := range accountMistakes {
		for _, lang := range []string{"ko", "en"} {
			r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1"+Prefix+"/login", nil)
			r.Header.Set("Accept-Language", lang)
			w := httptest.NewRecorder()
			v := &visit{c: d.Console, w: w, r: r, Lang: langOf(r)}
			if err := v.wrong("login", loginPage{}, m.err, "password"); err != nil || w.Code != http.StatusUnprocessableEntity {
				t.Errorf("%v: %v, %d", m.err, err, w.Code)
			}
		}
	}
	v := &visit{c: d.Console, w: httptest.NewRecorder(), r: httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", nil), Lang: "ko"}
	if err := v.wrong("login", loginPage{}, people.ErrLink, "password"); err == nil {
		t.Error("an error of no field was taken for one")
	}
}
