package cli

import (
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
)

// given lists the flags of the command that was called, each with what it came to and
// what gave it that. Flags that hold secrets are left out.
func given(k *kong.Context) []settings.Flag {
	var out []settings.Flag
	for _, f := range k.Flags() {
		if f.Hidden || f.Name == "help" {
			continue
		}
		x := settings.Flag{Name: f.Name, Value: flagText(f.Target), Source: settings.ByDefault}
		for _, env := range f.Envs {
			x.Env = env
			if _, set := os.LookupEnv(env); set {
				x.Source = settings.ByEnv
			}
		}
		if slices.ContainsFunc(k.Path, func(p *kong.Path) bool { return p.Flag == f && !p.Resolved }) {
			x.Source = settings.ByFlag
		}
		if f.Name == "database" {
			x.Value = store.Redact(x.Value)
		}
		out = append(out, x)
	}
	return out
}

// flagText is a flag's value as one would type it; empty if it is none.
func flagText(v reflect.Value) string {
	switch {
	case v.Kind() == reflect.Pointer && v.IsNil():
		return ""
	case v.Kind() == reflect.Pointer:
		return flagText(v.Elem())
	case v.Kind() == reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = flagText(v.Index(i))
		}
		return strings.Join(parts, ",")
	}
	if a, ok := reflect.TypeAssert[netip.Addr](v); ok && !a.IsValid() {
		return ""
	}
	return fmt.Sprint(v.Interface())
}
