// Package doctor examines an installation: its configuration, database, public URL,
// clients, channels, endpoints, disk and queue. [Doctor.Examine] changes nothing but the
// row by which it finds out whether writing works. The command line and the console's
// System page show what it finds.
//
// What it reads is judged by pure functions on values.
package doctor

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/tongbo/tongbo/internal/attention"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/webhook"
)

// A Level says how bad a finding is.
type Level string

// The levels, mildest first.
const (
	OK   Level = "ok"
	Info Level = "info"
	Warn Level = "warn"
	Fail Level = "fail"
)

// A Subject is what was examined.
type Subject string

// The subjects, in the order in which they are examined.
const (
	OfConfig    Subject = "config"
	OfDatabase  Subject = "database"
	OfPublicURL Subject = "public_url"
	OfClients   Subject = "clients"
	OfChannel   Subject = "channel"
	OfEndpoint  Subject = "endpoint"
	OfQueue     Subject = "queue"
	OfDisk      Subject = "disk"
	OfRetention Subject = "retention"
	OfSenders   Subject = "senders" // the PGs' published addresses
	OfEgress    Subject = "egress"
)

// Subjects lists every subject in its order.
func Subjects() []Subject {
	return []Subject{OfConfig, OfDatabase, OfPublicURL, OfClients, OfChannel, OfEndpoint, OfQueue, OfDisk, OfRetention, OfSenders, OfEgress}
}

// A Finding is one thing to say of a subject.
type Finding struct {
	Level   Level
	Subject Subject
	Name    string // of the channel, endpoint or PG; it may be any text
	ID      string // of the channel or endpoint
	// Key and Args are the finding's text in the catalogue: names and values in
	// turn. Hint is the key of what to do, filled with the same; empty if there is
	// nothing to.
	Key, Hint string
	Args      []any
}

// Worst is the worst level of some findings; OK if there are none.
func Worst(list []Finding) Level {
	worst := OK
	rank := map[Level]int{OK: 0, Info: 1, Warn: 2, Fail: 3}
	for _, f := range list {
		if rank[f.Level] > rank[worst] {
			worst = f.Level
		}
	}
	return worst
}

// A Config is how the server was started.
type Config struct {
	Flags   []settings.Flag
	Unknown []string // TONGBO_… names in the environment that mean nothing
}

// Vitals are what a database tells of itself.
type Vitals struct {
	Engine     string    // "SQLite" or "PostgreSQL"
	Schema     int       // the newest migration that it has
	Known      int       // the newest that this release knows
	Clock      time.Time // the database's; zero if it has none of its own
	Bytes      int64     // its size
	Durability string    // see store.Reader.Durability
	Nodes      int       // that serve, as far as is known; 0 if nobody counts them
	PrunedAt   time.Time // when retention last took something; zero if it never did
}

// A Queue is what waits to be sent.
type Queue struct {
	Waiting int       // up to MostCounted and one more
	Oldest  time.Time // since when the oldest is due; zero if none is
}

// MostCounted is how far deliveries that wait are counted.
const MostCounted = 10_000

// A Client is who sent some of the last notices.
type Client struct {
	Peer    netip.Addr
	Count   int
	Proxied int // of them were refused since they came through a proxy that is not trusted
}

// A Store is what is examined. Its methods are safe for concurrent use.
type Store interface {
	// Settings are the settings as they are now.
	Settings(ctx context.Context) (settings.All, error)
	// Ready writes, and reports why it cannot.
	Ready(ctx context.Context) error
	// Vitals tell of the database.
	Vitals(ctx context.Context) (Vitals, error)
	// Serving returns what the server that started last was started with, and when one
	// last said that it serves; the zero time if none ever did.
	Serving(ctx context.Context) ([]settings.Flag, time.Time, error)
	// Queue tells of what waits to be sent at now.
	Queue(ctx context.Context, now time.Time) (Queue, error)
	// Clients are who sent the last n notices.
	Clients(ctx context.Context, n int) ([]Client, error)
	// EndpointTries are the last tries of an endpoint, the newest first.
	EndpointTries(ctx context.Context, e webhook.EndpointID) ([]webhook.Attempt, error)
}

// A Doctor examines an installation. Store, Channels, Providers and HTTP are required; the fields
// must not change once it is in use. It is safe for concurrent use.
type Doctor struct {
	Store Store
	// Channels says how far the channels of a scope are set up.
	Channels func(context.Context, attention.Scope) ([]attention.ChannelState, error)
	// Providers finds the PG modules of this build.
	Providers func(code string) (provider.Provider, bool)
	// HTTP calls the public URL. It follows no redirect.
	HTTP *http.Client
	// PublicURL is how PGs reach this server, without a slash at the end; empty if
	// nobody said.
	PublicURL      string
	TrustedProxies []netip.Prefix
	// Egress are the addresses that webhooks come from, as the operator says.
	Egress []netip.Addr
	Keep   settings.Retention
	Config Config
	// Folder is where the database's file is; empty if it is on another machine.
	Folder string
	// Space tells how much of a folder's disk is free; nil asks the system.
	Space func(folder string) (free, total uint64, err error)
}

// patience bounds an examination.
const patience = 30 * time.Second

// Examine looks at everything and returns what it finds, in the order of Subjects.
// What cannot be looked at is a finding, too. It takes 30 seconds at most.
func (d *Doctor) Examine(ctx context.Context) []Finding {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	out := []Finding{d.config()}
	database, alive := d.database(ctx)
	out = append(out, database...)
	out = append(out, d.publicURL(ctx)...)
	if alive {
		out = slices.Insert(out, 1, d.serving(ctx, time.Now())...)
		out = append(out, d.clients(ctx))
		out = append(out, d.channels(ctx)...)
		out = append(out, d.endpoints(ctx)...)
		out = append(out, d.queue(ctx))
	}
	out = append(out, d.disk(), d.retention())
	if alive {
		out = append(out, d.senders(ctx)...)
	}
	return append(out, d.egress())
}

// unread is the finding that a part of the database could not be read.
func unread(s Subject, err error) Finding {
	return Finding{Level: Fail, Subject: s, Key: "doctor.unread", Args: []any{"error", err.Error()}}
}
