package cli

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/action"
	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/settings"
	"github.com/tongbo/tongbo/internal/store"
	"github.com/tongbo/tongbo/internal/webhook"
	"github.com/tongbo/tongbo/internal/words"
)

// An endpointCmd has the commands about webhook endpoints.
type endpointCmd struct {
	Test   endpointTestCmd   `cmd:""`
	List   endpointListCmd   `cmd:""`
	Pause  endpointPauseCmd  `cmd:""`
	Resume endpointResumeCmd `cmd:""`
	Rotate endpointRotateCmd `cmd:""`
}

// An endpointFlag names an endpoint of a database.
type endpointFlag struct {
	databaseFlags
	langFlag
	Endpoint string `arg:"" help:"Its id, or its name if no other has it."`
	Reason   string `help:"Why, for the audit log." placeholder:"TEXT"`
	JSON     bool   `name:"json" help:"Print one JSON object a line."`
}

// endpointNamed finds an endpoint by its id or its name.
func endpointNamed(all settings.All, name string) (webhook.Endpoint, error) {
	var found []webhook.Endpoint
	for _, e := range all.Endpoints {
		if string(e.ID) == name {
			return e, nil
		}
		if e.Name == name {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return webhook.Endpoint{}, hint(fault.Errorf(fault.NotFound, "there is no endpoint %q", name), "See them with: tongbo endpoint list")
	}
	return webhook.Endpoint{}, hint(fault.Errorf(fault.Invalid, "%d endpoints are called %q", len(found), name), "Name it by its id: tongbo endpoint list")
}

// does opens the database and does something to the endpoint on behalf of the
// machine's user.
func (f endpointFlag) does(env Env, do func(ctx context.Context, a *action.Actions, c action.Caller, e webhook.Endpoint) error) error {
	ctx, cancel := env.context()
	defer cancel()
	st, verbs, err := f.verbs(ctx, quiet())
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	e, caller, err := endpointOf(ctx, st, f.Endpoint)
	if err != nil {
		return err
	}
	return do(ctx, verbs, caller, e)
}

// endpointOf finds an endpoint by its id or its name, and on whose behalf something is done
// to it: its store's, by the machine's user.
func endpointOf(ctx context.Context, st *store.Store, name string) (webhook.Endpoint, action.Caller, error) {
	now, err := st.Settings(ctx)
	if err != nil {
		return webhook.Endpoint{}, action.Caller{}, err
	}
	e, err := endpointNamed(now, name)
	return e, action.Caller{Merchant: e.Merchant, Store: e.Store, Mode: e.Mode, By: byUser()}, err
}

// say prints what was done to an endpoint, for people or programs. A secret that it has now
// is the product, so it stands by itself.
func (f endpointFlag) say(env Env, e webhook.Endpoint, secret, key string, args ...any) error {
	if f.JSON {
		return linesJSON(env, []listedEndpoint{listEndpoint(e, "", secret)})
	}
	_, err := fmt.Fprintln(env.talk(), words.Text(f.lang(), key, append(args, "name", printable(e.Name))...))
	if err == nil && secret != "" {
		_, err = fmt.Fprintln(env.Stdout, secret)
	}
	return err
}

// An endpointPauseCmd pauses an endpoint.
type endpointPauseCmd struct{ endpointFlag }

// Run pauses it. A server that is running notices by itself.
func (c *endpointPauseCmd) Run(env Env) error { return c.paused(env, true, "endpoints.cli.paused") }

// An endpointResumeCmd ends the pause of an endpoint.
type endpointResumeCmd struct{ endpointFlag }

// Run ends the pause.
func (c *endpointResumeCmd) Run(env Env) error { return c.paused(env, false, "endpoints.cli.resumed") }

func (f endpointFlag) paused(env Env, paused bool, key string) error {
	return f.does(env, func(ctx context.Context, a *action.Actions, c action.Caller, e webhook.Endpoint) error {
		if e.Paused == paused {
			key += "_already"
		}
		e, err := a.PauseEndpoint(ctx, c, e.ID, paused, f.Reason)
		if err != nil {
			return err
		}
		return f.say(env, e, "", key)
	})
}

// An endpointRotateCmd makes a new signing secret.
type endpointRotateCmd struct {
	endpointFlag
	Overlap    time.Duration `help:"For how long the old secret signs, too; 0 ends it at once." default:"24h"`
	EndOverlap bool          `help:"Make no new secret: end the old one now."`
}

// Run rotates the secret and prints the new one, this once.
func (c *endpointRotateCmd) Run(env Env) error {
	return c.does(env, func(ctx context.Context, a *action.Actions, by action.Caller, e webhook.Endpoint) error {
		if c.EndOverlap {
			e, err := a.EndOverlap(ctx, by, e.ID, c.Reason)
			if err != nil {
				return err
			}
			return c.say(env, e, "", "endpoints.cli.overlap_ended")
		}
		r, err := a.RotateSecret(ctx, by, e.ID, c.Overlap, c.Reason)
		if err != nil {
			return err
		}
		key, until := "endpoints.cli.rotated", ""
		if r.Endpoint.OldUntil.IsZero() {
			key = "endpoints.cli.rotated_now"
		} else {
			until = r.Endpoint.OldUntil.In(wire.Seoul).Format("2006-01-02 15:04")
		}
		return c.say(env, r.Endpoint, r.Secret.Reveal(), key, "until", until)
	})
}

// An endpointListCmd lists the endpoints.
type endpointListCmd struct {
	databaseFlags
	langFlag
	consoleFlags
	JSON bool `name:"json" help:"Print one JSON object a line."`
}

// A listedEndpoint is an endpoint as it is printed for programs.
type listedEndpoint struct {
	ID             webhook.EndpointID  `json:"id"`
	Name           string              `json:"name"`
	Merchant       merchant.ID         `json:"merchant"`
	Store          merchant.StoreID    `json:"store"`
	Mode           merchant.Mode       `json:"mode"`
	URL            string              `json:"url"`
	Events         []string            `json:"events"`
	Version        webhook.Version     `json:"version"`
	ContentType    webhook.ContentType `json:"contentType"`
	Schedule       webhook.Schedule    `json:"schedule"`
	InFlight       int                 `json:"inFlight"`
	TimeoutSeconds int                 `json:"timeoutSeconds"`
	Headers        []listedHeader      `json:"headers,omitempty"`
	Paused         bool                `json:"paused"`
	Health         webhook.Health      `json:"health,omitempty"`
	OldSecretUntil *time.Time          `json:"oldSecretUntil,omitempty"`
	Secret         string              `json:"secret,omitempty"`
}

// A listedHeader is a header of an endpoint's own as it is printed: its value may be a
// secret.
type listedHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"` // masked
}

func listEndpoint(e webhook.Endpoint, h webhook.Health, secret string) listedEndpoint {
	out := listedEndpoint{
		ID: e.ID, Name: e.Name, Merchant: e.Merchant, Store: e.Store, Mode: e.Mode, URL: e.URL, Events: e.Events, Version: e.Version,
		ContentType: e.ContentType, Schedule: cmp.Or(e.Schedule, webhook.Default), InFlight: cmp.Or(e.InFlight, webhook.DefaultInFlight),
		TimeoutSeconds: int(cmp.Or(e.Timeout, webhook.MaxTimeout) / time.Second), Paused: e.Paused, Health: h, Secret: secret,
	}
	for _, x := range e.Headers {
		out.Headers = append(out.Headers, listedHeader{x.Name, x.Masked()})
	}
	if !e.OldUntil.IsZero() {
		out.OldSecretUntil = &e.OldUntil
	}
	return out
}

// Run prints the list.
func (c *endpointListCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	links, err := c.links(env)
	if err != nil {
		return err
	}
	st, end, err := c.openReadOnly(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = end() }()
	now, err := st.Settings(ctx)
	if err != nil {
		return err
	}
	if len(now.Endpoints) == 0 {
		fmt.Fprintln(env.Stderr, words.Text(c.lang(), "endpoints.cli.none"))
		return nil
	}
	var list []listedEndpoint
	for _, e := range now.Endpoints {
		h, err := healthOf(ctx, st, e)
		if err != nil {
			return err
		}
		list = append(list, listEndpoint(e, h, ""))
	}
	if c.JSON {
		return linesJSON(env, list)
	}
	rows := [][]string{{"ID", "NAME", "MODE", "STATE", "URL", "EVENTS", "TIMEOUT", "HEADERS"}}
	for _, e := range list {
		rows = append(rows, []string{links.to(string(e.ID), string(e.ID)), short(printable(e.Name)), string(e.Mode), words.Text(c.lang(), "state.endpoint."+string(e.Health)),
			printable(e.URL), short(strings.Join(e.Events, " ")), strconv.Itoa(e.TimeoutSeconds) + "s", short(headerNames(e.Headers))})
	}
	return writeTable(env.Stdout, rows)
}

// headerNames are the names of headers, for people.
func headerNames(list []listedHeader) string {
	names := make([]string, len(list))
	for i, h := range list {
		names[i] = h.Name
	}
	return cmp.Or(strings.Join(names, " "), "-")
}

// healthOf judges an endpoint by its last tries.
func healthOf(ctx context.Context, st *store.Reader, e webhook.Endpoint) (webhook.Health, error) {
	tries, err := st.Tries(ctx, e.ID)
	return webhook.HealthOf(e.Paused, tries, time.Now()), err
}
