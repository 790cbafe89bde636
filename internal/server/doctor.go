package server

import (
	"path/filepath"
	"strings"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/doctor"
	"github.com/tongbo/tongbo/internal/provider/all"
	"github.com/tongbo/tongbo/internal/safehttp"
	"github.com/tongbo/tongbo/internal/store"
)

// Doctor is what examines an installation on a store, as the Config would have it
// served: for the server itself, and for a command beside it.
func Doctor(st *store.Store, cfg Config) *doctor.Doctor {
	d := &doctor.Doctor{
		Store: st, Channels: (&attention.Desk{Store: st, Providers: all.ByCode}).ChannelStates, Providers: all.ByCode, HTTP: safehttp.New(safehttp.Config{AllowPrivate: cfg.AllowPrivate}),
		PublicURL: cfg.PublicURL, TrustedProxies: cfg.TrustedProxies, Egress: cfg.Egress, Keep: cfg.Keep,
		Config: doctor.Config{Flags: cfg.Flags, Unknown: cfg.Unknown},
	}
	if file, sqlite := strings.CutPrefix(cfg.Database, "sqlite:"); sqlite {
		d.Folder = filepath.Dir(file)
	}
	return d
}
