package cli

import (
	"net"
	"testing"
)

func TestClickable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"[::]:8080": "127.0.0.1:8080", "0.0.0.0:8080": "127.0.0.1:8080", "127.0.0.2:8080": "127.0.0.2:8080", "[::1]:8080": "[::1]:8080",
	} {
		a, err := net.ResolveTCPAddr("tcp", in)
		if err != nil {
			t.Fatal(err)
		}
		if got := clickable(a); got != want {
			t.Errorf("clickable(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestProxyBlock(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "127.0.0.1": "127.0.0.1/32", "::1": "::1/128", "10.0.0.0/33": "", "proxy": "", "": "",
	} {
		var p proxyBlock
		err := p.UnmarshalText([]byte(in))
		if want == "" {
			if err == nil {
				t.Errorf("%q is read as %v", in, p)
			}
			continue
		}
		if err != nil || p.String() != want {
			t.Errorf("%q is read as %v, %v; want %s", in, p, err, want)
		}
	}
}
