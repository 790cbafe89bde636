package cli

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
)

// A consoleFlags says where people reach the console, so that ids can be links to it.
type consoleFlags struct {
	PublicURL     string `help:"How people reach the server, such as https://pay.example.kr: on a terminal, ids are links to its console." placeholder:"URL"`
	ConsoleListen string `help:"Where serve has the console, if that is apart from the rest." hidden:""`
}

// links are the links that a command prints: to the console's own listener if it has one,
// since it is nowhere else then. It reports fault.Invalid for flags that are no addresses.
func (f consoleFlags) links(env Env) (consoleLinks, error) {
	on := env.Terminal && !env.Dumb
	if f.ConsoleListen != "" {
		host, port, err := net.SplitHostPort(f.ConsoleListen)
		if err != nil {
			return consoleLinks{}, hint(fault.Errorf(fault.Invalid, "--console-listen %q is no address to listen on", f.ConsoleListen), "Write it like 127.0.0.1:8090")
		}
		if a, err := netip.ParseAddr(host); host == "" || err == nil && a.IsUnspecified() {
			host = "127.0.0.1"
		}
		return consoleLinks{"http://" + net.JoinHostPort(host, port), on}, nil
	}
	if f.PublicURL == "" {
		return consoleLinks{}, nil
	}
	base, err := publicBase(f.PublicURL)
	return consoleLinks{base, on}, err
}

// A consoleLinks makes texts that a terminal opens as pages of the console. Without an
// address of the console, or where no terminal is, they are the texts alone.
type consoleLinks struct {
	base string // without a slash at the end; empty if nobody said
	on   bool
}

// to is a text that leads to what has an id.
func (l consoleLinks) to(id, text string) string {
	if !l.on || l.base == "" || id == "" || text == "" {
		return text
	}
	return "\x1b]8;;" + l.page(id) + "\x1b\\" + text + "\x1b]8;;\x1b\\"
}

// within is a text in which an id leads to what has it.
func (l consoleLinks) within(text, id string) string {
	if id == "" {
		return text
	}
	return strings.Replace(text, id, l.to(id, id), 1)
}

// page is the console's address for an id.
func (l consoleLinks) page(id string) string { return l.base + "/console/go/" + url.PathEscape(id) }

// linkCode is what a terminal takes for the beginning or the end of a link, and does not show.
var linkCode = regexp.MustCompile("\x1b\\]8;;[^\x1b]*\x1b\\\\")
