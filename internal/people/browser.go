package people

import (
	"crypto/rand"
	"crypto/subtle"
	"net/netip"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/member"
	"github.com/tongbo/tongbo/internal/secret"
)

// BrowserFor is how long a browser is asked to keep what Browser returns.
const BrowserFor = 400 * 24 * time.Hour

// forBrowser is the purpose of the hash in it.
const forBrowser = "browser"

// Browser returns what a browser is given in which a member has signed in. Where it is
// brought again, in From, guesses that others make elsewhere do not keep the member out. It
// lets nobody in, and names nobody. It is empty if Hash is not set.
func (p *People) Browser(m member.Member) secret.Text {
	if p.Hash == nil {
		return ""
	}
	nonce := rand.Text()
	return secret.Text(nonce + "." + p.browserHash(nonce, m.Email))
}

func (p *People) browserHash(nonce, email string) string {
	return p.Hash(forBrowser, nonce+"/"+email)
}

// knows reports whether somebody with an e-mail address has signed in in a browser before,
// and names the browser.
func (p *People) knows(browser secret.Text, email string) (name string, ok bool) {
	nonce, hash, ok := strings.Cut(browser.Reveal(), ".")
	// A nonce with a slash is none of ours: what was made for the address "a/b" would count
	// for "b".
	if !ok || p.Hash == nil || strings.Contains(nonce, "/") || subtle.ConstantTimeCompare([]byte(hash), []byte(p.browserHash(nonce, email))) != 1 {
		return "", false
	}
	return nonce, true
}

// guessing is what tries at somebody's password are counted under: of a browser that is known
// the browser alone, since else whoever goes on guessing would keep the member out for good;
// of others the account and the network. The last is anybody.
func (p *People) guessing(email string, f From) []member.Guessed {
	if name, ok := p.knows(f.Browser, email); ok {
		return []member.Guessed{byBrowser(name), anybody}
	}
	return append(append([]member.Guessed{byAccount(email)}, byNetwork(f)...), anybody)
}

func byBrowser(name string) member.Guessed {
	return member.Guessed{Name: "browser/" + name, Free: 5, Longest: 15 * time.Minute, Own: true}
}

// anybody counts the tries of all together. Nobody waits for it: it is how often an entry is
// written of who is not known, whose accounts and networks may be others each time.
var anybody = member.Guessed{Name: "anybody"}

// Networks of IPv6, in bits: who has one machine has a /64, and who has a line has a /56 or a
// /48 of them.
const (
	machineBits = 64
	lineBits    = 48
)

// byNetwork is what tries from an address are counted under.
func byNetwork(f From) []member.Guessed {
	out := []member.Guessed{{Name: "network/" + network(f.Address, machineBits), Free: 20, Longest: 15 * time.Minute}}
	if f.Address.Unmap().Is6() {
		out = append(out, member.Guessed{Name: "network/" + network(f.Address, lineBits), Free: 100, Longest: 15 * time.Minute})
	}
	return out
}

// network is an address, or with IPv6 a network that it is in; empty if it is not known.
func network(a netip.Addr, bits int) string {
	a = a.Unmap()
	switch {
	case !a.IsValid():
		return ""
	case a.Is6():
		p, _ := a.WithZone("").Prefix(bits) // an address of IPv6 always has one
		return p.String()
	}
	return a.String()
}
