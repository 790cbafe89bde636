//go:build linux

package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	_ "modernc.org/sqlite" // the driver

	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/kcp"
)

// What a floor may do at once, which is what a program that does nothing else
// would choose.
const (
	floorBatch   = 256
	floorWriters = 4 // on PostgreSQL
)

// A floorTask says where the floor keeps what it is sent.
type floorTask struct {
	Database string `json:"database"`
}

// A letter is a body that waits to be kept.
type letter struct {
	body []byte
	kept chan error
}

// keepFloor is the role of the floor: the least that a durable answer over HTTP
// costs. It keeps the body of every request in one table, in transactions of
// what waited, and answers after the commit.
func keepFloor(ctx context.Context, in io.Reader, out io.Writer) error {
	var task floorTask
	if err := json.NewDecoder(in).Decode(&task); err != nil {
		return err
	}
	post := make(chan letter, 1<<12)
	if file, ok := strings.CutPrefix(task.Database, "sqlite:"); ok {
		if err := floorOnSQLite(ctx, file, post); err != nil {
			return err
		}
	} else if err := floorOnPostgres(ctx, task.Database, post); err != nil {
		return err
	}
	reply := kcp.V2.Ack(deposit(0), provider.Received)
	return serveUntilClosed(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, longestBody))
		if err != nil {
			http.Error(w, "body not read", http.StatusBadRequest)
			return
		}
		l := letter{body, make(chan error, 1)}
		post <- l
		if err := <-l.kept; err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", reply.ContentType)
		_, _ = w.Write(reply.Body)
	}), in, out)
}

// gather waits for a letter and returns it with those that wait behind it.
func gather(post <-chan letter) []letter {
	batch := []letter{<-post}
	for len(batch) < floorBatch {
		select {
		case l := <-post:
			batch = append(batch, l)
		default:
			return batch
		}
	}
	return batch
}

// floorOnSQLite starts one writer.
func floorOnSQLite(ctx context.Context, file string, post <-chan letter) error {
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_txlock=immediate")
	if err != nil {
		return err
	}
	c, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	if _, err := c.ExecContext(ctx, `create table letter (id integer primary key, body blob not null) strict`); err != nil {
		return err
	}
	put, err := c.PrepareContext(ctx, `insert into letter (body) values ($1)`) //nolint:sqlclosecheck // it ends with the process
	if err != nil {
		return err
	}
	go func() {
		for {
			batch := gather(post)
			_, err := c.ExecContext(ctx, "begin immediate")
			for _, l := range batch {
				_, e := put.ExecContext(ctx, l.body)
				err = errors.Join(err, e)
			}
			_, e := c.ExecContext(ctx, "commit")
			err = errors.Join(err, e)
			for _, l := range batch {
				l.kept <- err
			}
		}
	}()
	return nil
}

// floorOnPostgres starts a few writers, each of which sends a batch as one
// statement.
func floorOnPostgres(ctx context.Context, url string, post <-chan letter) error {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return err
	}
	cfg.MaxConns = floorWriters
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return err
	}
	if _, err := pool.Exec(ctx, `create table letter (id bigint generated always as identity primary key, body bytea not null)`); err != nil {
		return err
	}
	for range floorWriters {
		go func() {
			for {
				batch := gather(post)
				bodies := make([][]byte, len(batch))
				for i, l := range batch {
					bodies[i] = l.body
				}
				_, err := pool.Exec(ctx, `insert into letter (body) select unnest($1::bytea[])`, pgx.QueryExecModeCacheStatement, bodies)
				for _, l := range batch {
					l.kept <- err
				}
			}
		}()
	}
	return nil
}
