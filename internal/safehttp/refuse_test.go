package safehttp

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// privateAddresses has one address, at least, of every range that IANA's
// special-purpose registries list as not global, and the IPv6 addresses that
// carry an IPv4 one inside.
var privateAddresses = []string{
	"0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.8.8.8",
	"127.255.255.255", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.9",
	"192.0.0.170", "192.0.2.1", "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1", "192.168.255.255",
	"192.175.48.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
	"240.0.0.1", "255.255.255.255",
	"::", "::1", "::2", "::127.0.0.1", "::a9fe:a9fe", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::ffff:10.0.0.1",
	"64:ff9b::a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "100:0:0:1::1", "2001::1",
	"2001:1::1", "2001:2::1", "2001:3::1", "2001:4:112::1", "2001:10::1", "2001:20::1", "2001:30::1", "2001:db8::1",
	"2002:7f00:1::1", "2002:a9fe:a9fe::1", "2620:4f:8000::1", "3fff::1", "4000::1", "5f00::1", "fc00::1",
	"fd00:ec2::254", "fe80::1", "fe80::1%lo", "fec0::1", "feff::1", "ff02::1",
}

// loopbackNames are host names, to Go at least, and the resolver of these
// tests says 127.0.0.1 and ::1 to all of them.
var loopbackNames = []string{
	"0x7f.0.0.1", "0x7f.1", "0x7f000001", "0X7F000001", "①②⑦.⓪.⓪.①", "127。0。0。1",
	"[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[0000::0001]", "[::1]", "[::]", "0.0.0.0",
	"localhost", "LOCALHOST", "localhost.", "foo.localhost", "shop.example", "127.0.0.1.nip.example",
}

// loopbackNumbers are 127.0.0.1 or 0.0.0.0 to the C library. Go's resolver
// takes them for no name at all, without asking anyone; through the C library
// they reach the guard. Either way no connection is made.
var loopbackNumbers = []string{
	"127.1", "127.0.1", "127.00.00.01", "127.000.000.001", "0177.0.0.1", "0177.1", "017700000001",
	"2130706433", "4425673729", "127.0.0.1.", "0", "00000000",
}

// allLoopback is a resolver that answers every name with 127.0.0.1 and ::1:
// the name server of somebody who wants to get in.
func allLoopback() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go answer(server)
		return client, nil
	}}
}

// answer serves DNS messages with a length in front, as over TCP.
func answer(c net.Conn) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, query); err != nil {
			return
		}
		reply := loopbackReply(query)
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)); err != nil {
			return
		}
	}
}

func loopbackReply(query []byte) []byte {
	end := 12 // the question follows the header: labels, a zero, type and class
	for query[end] != 0 {
		end += int(query[end]) + 1
	}
	question := query[12 : end+5]
	kind := question[len(question)-3]
	address := net.IPv4(127, 0, 0, 1).To4()
	if kind == 28 { // AAAA
		address = net.IPv6loopback
	}
	reply := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0}, question...)
	reply = append(reply, 0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 0, 0, byte(len(address)))
	return append(reply, address...)
}

// trap is a server on all loopback addresses that counts who comes.
func trap(t *testing.T) (port string, came *atomic.Int32) {
	t.Helper()
	came = new(atomic.Int32)
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	if err := srv.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	srv.Listener = l
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			came.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, came
}

func get(t *testing.T, c *http.Client, address string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatalf("%s: %v", address, err)
	}
	res, err := c.Do(req)
	if err == nil {
		t.Cleanup(func() { _ = res.Body.Close() })
	}
	return res, err
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	port, came := trap(t)
	c := New(Config{resolver: allLoopback()})
	var hosts []string
	for _, a := range privateAddresses {
		if strings.Contains(a, ":") {
			a = "[" + strings.ReplaceAll(a, "%", "%25") + "]"
		}
		hosts = append(hosts, a)
	}
	for _, host := range append(hosts, loopbackNames...) {
		for _, scheme := range []string{"http", "https"} {
			_, err := get(t, c, scheme+"://"+host+":"+port+"/")
			if errors.Is(err, syscall.EAFNOSUPPORT) && strings.HasPrefix(host, "[") {
				continue // a machine without IPv6 gets no socket to check
			}
			var outer *url.Error
			if !errors.Is(err, ErrPrivate) || !errors.As(err, &outer) || !strings.Contains(err.Error(), "--allow-private-webhooks") {
				t.Errorf("%s://%s: %v, want ErrPrivate naming the flag", scheme, host, err)
			}
		}
	}
	if n := came.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

func TestNumbersAreRefused(t *testing.T) {
	t.Parallel()
	port, came := trap(t)
	for name, resolver := range map[string]*net.Resolver{"the system": nil, "Go": allLoopback()} {
		c := New(Config{resolver: resolver})
		for _, host := range loopbackNumbers {
			_, err := get(t, c, "http://"+host+":"+port+"/")
			var unknown *net.DNSError
			if !errors.Is(err, ErrPrivate) && (!errors.As(err, &unknown) || !unknown.IsNotFound) {
				t.Errorf("%s, resolved by %s: %v, want ErrPrivate or no such host", host, name, err)
			}
		}
	}
	if n := came.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// The same names reach the trap when allowed: otherwise the test above
// would pass because nothing understood them.
func TestTheTrapCanBeReached(t *testing.T) {
	t.Parallel()
	port, came := trap(t)
	c := New(Config{AllowPrivate: true, resolver: allLoopback()})
	for _, host := range []string{"127.0.0.1", "0.0.0.0", "localhost", "0x7f000001", "①②⑦.⓪.⓪.①", "shop.example"} {
		before := came.Load()
		c.CloseIdleConnections()
		if _, err := get(t, c, "http://"+host+":"+port+"/"); err != nil || came.Load() == before {
			t.Errorf("%s: %v, %d connections", host, err, came.Load()-before)
		}
	}
}

func TestGuard(t *testing.T) {
	t.Parallel()
	check := guard()
	for _, a := range privateAddresses {
		if err := check("tcp", net.JoinHostPort(a, "443"), nil); err == nil {
			t.Errorf("network tcp is allowed")
		}
		for _, network := range []string{"tcp4", "tcp6"} {
			if err := check(network, net.JoinHostPort(a, "443"), nil); !errors.Is(err, ErrPrivate) {
				t.Errorf("%s: %v, want ErrPrivate", a, err)
			}
		}
	}
	for _, a := range []string{"8.8.8.8:443", "9.255.255.255:80", "11.0.0.0:8080", "100.63.255.255:1", "100.128.0.0:65535",
		"126.255.255.255:22", "128.0.0.1:80", "172.15.255.255:80", "172.32.0.0:80", "192.167.255.255:80", "198.17.255.255:80",
		"198.20.0.0:80", "211.249.1.1:18080", "223.255.255.255:80", "[2606:4700::1111]:8443", "[2400:cb00::1]:80"} {
		network := "tcp4"
		if a[0] == '[' {
			network = "tcp6"
		}
		if err := check(network, a, nil); err != nil {
			t.Errorf("%s is public: %v", a, err)
		}
	}
	for _, network := range []string{"udp4", "unix", "ip4"} {
		if err := check(network, "8.8.8.8:443", nil); err == nil {
			t.Errorf("network %s is allowed", network)
		}
	}
}
