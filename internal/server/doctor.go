package server

import (
	"context"
	"path/filepath"
	"strings"
	"time"

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

// noteFlags tells commands beside this server what it was started with. It holds the start up
// for two seconds at most.
func (s *Server) noteFlags(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := s.Store.NoteFlags(ctx, s.cfg.Flags, time.Now()); err != nil {
		s.cfg.Log.WarnContext(ctx, "commands beside this server cannot tell what it was started with", "err", err)
	}
}
