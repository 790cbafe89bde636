package console

import (
	"bufio"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/people"
)

// silent fails the test if a stream says that it is over, or ends, before it has beaten
// twice.
func (d *door) silent(who string, lines <-chan string) {
	d.Helper()
	late := time.After(10 * time.Second)
	for beats := 0; beats < 2; {
		select {
		case l, open := <-lines:
			if !open || l == "event: gone" {
				d.Fatalf("the stream of %s ended", who)
			}
			if l == "event: beat" {
				beats++
			}
		case <-late:
			d.Fatalf("the stream of %s does not beat", who)
		}
	}
}

// TestStreamEndsAtOnce: who signs out, is signed out from elsewhere, gets another role or is
// disabled hears no more on an open page, long before its next beat would see to it; nobody
// else's stream ends.
func TestStreamEndsAtOnce(t *testing.T) {
	d := newDoor(t)
	owner, _ := d.owner()
	srv := httptest.NewServer(d.handler)
	t.Cleanup(srv.Close)
	t.Cleanup(d.Console.End)
	hears := func(b *browser) <-chan string {
		lines := d.listen(srv.URL, b.token().Reveal(), "payments")
		d.hears(lines, ": hello")
		return lines
	}
	watching := hears(owner)
	account := func(b *browser) (member.Member, member.Session) {
		m, s, err := d.Console.People.Session(t.Context(), b.token())
		if err != nil {
			t.Fatal(err)
		}
		return m, s
	}
	again := func(email string) *browser {
		b := d.browser()
		d.goesTo(b.send(Prefix+"/login", "email", email, "password", password), Prefix+"/")
		return b
	}
	const email = "dev@saebyeok.example"
	dev := d.joined(owner, email, member.Dev)
	m, _ := account(dev)
	one := Prefix + "/all/test" + membersPath + "/" + string(m.ID)

	lines := hears(dev)
	d.goesTo(dev.send(Prefix+"/logout"), Prefix+"/login")
	d.hears(lines, "event: gone")

	dev = again(email)
	elsewhere := again(email)
	kept, lost := hears(dev), hears(elsewhere)
	_, s := account(elsewhere)
	d.goesTo(dev.send(Prefix+"/me/sessions", "session", string(s.ID)), Prefix+"/me")
	d.hears(lost, "event: gone")

	d.goesTo(owner.send(one, "role", string(member.ReadOnly)), one)
	d.hears(kept, "event: gone")

	lines = hears(dev) // whoever may read still may
	d.goesTo(owner.send(one+"/disable"), one)
	d.hears(lines, "event: gone")

	for {
		select {
		case l, open := <-watching:
			if !open || l == "event: gone" {
				t.Fatal("the owner's stream ended, too")
			}
			continue
		default:
		}
		break
	}
}

// TestStreamEndsElsewhere: a node that is told nothing sees with its next beat that a session
// has ended, and lets the others be.
func TestStreamEndsElsewhere(t *testing.T) {
	d := newDoor(t)
	owner, _ := d.owner()
	other := &Console{
		Store: d.Console.Store, Actions: d.Actions, People: &people.People{Store: d.Store}, Log: d.Console.Log, Desk: d.Console.Desk,
		Tester: d.Console.Tester, Listen: d.Console.Listen, ClientAddr: d.Console.ClientAddr,
	}
	other.Sessions, other.hub.beat = other.People, 20*time.Millisecond
	srv := httptest.NewServer(other.Routes())
	t.Cleanup(srv.Close)
	t.Cleanup(other.End)
	dev := d.joined(owner, "dev@saebyeok.example", member.Dev)
	mine, theirs := d.listen(srv.URL, dev.token().Reveal(), "payments"), d.listen(srv.URL, owner.token().Reveal(), "payments")
	d.silent("a developer", mine)
	d.goesTo(dev.send(Prefix+"/logout"), Prefix+"/login")
	d.hears(mine, "event: gone")
	d.silent("the owner", theirs)
}

// TestStreamInDoubt: a session that ends while its page is joining is not missed.
func TestStreamInDoubt(t *testing.T) {
	s := newSubscriber("m", scope{}, nil)
	if len(s.doubts) != 1 {
		t.Error("a new page is not looked at once more")
	}
	var h hub
	h.subs = map[*subscriber]bool{s: true}
	<-s.doubts
	h.doubt("another")
	if len(s.doubts) != 0 {
		t.Error("a page is in doubt for another member")
	}
	h.doubt("m")
	h.doubt("m")
	if len(s.doubts) != 1 {
		t.Errorf("%d doubts are kept, want 1", len(s.doubts))
	}
}

// TestStreamIsNobody: an open page whose stream beats, comes again and fetches what it shows
// keeps no session: twelve hours after its last click it is told that it may not hear more.
func TestStreamIsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		d.Console.hub.beat = 0 // as it is outside of tests
		owner, _ := d.owner()
		owner.open(Prefix + "/all/test/")
		clicked := time.Now()
		browser, conn := net.Pipe()
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1"+Prefix+"/stream", nil)
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: owner.token().Reveal()})
		v := &visit{c: d.Console, w: httptest.NewRecorder(), r: r}
		if err := v.signedIn(); err != nil {
			t.Fatal(err)
		}
		p := d.Console.openPage(v)
		p.conn, p.sub = conn, newSubscriber(p.member, scope{Mode: merchant.Test}, topicSet("payments"))
		go p.serve("hello\n")
		said := bufio.NewScanner(browser)
		for beats := 0; said.Scan() && said.Text() != "event: gone"; {
			if said.Text() != "event: beat" {
				continue
			}
			if beats++; beats%100 != 0 {
				continue
			}
			owner.header.Set("Fragment", "content")
			if w := owner.open(Prefix + "/all/test/"); w.Code != http.StatusOK {
				t.Fatalf("a fetch was answered %d after %v", w.Code, time.Since(clicked))
			}
			again := &visit{c: d.Console, w: httptest.NewRecorder(), r: r}
			if err := again.signedIn(); err != nil || again.Member.ID == "" {
				t.Fatalf("the page did not come again after %v: %v", time.Since(clicked), err)
			}
		}
		if open := time.Since(clicked); open < member.SessionIdle || open > member.SessionIdle+2*heartbeat {
			t.Errorf("the page was told of news for %v, want %v", open, member.SessionIdle)
		}
	})
}
