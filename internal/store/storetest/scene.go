//go:build unix

package storetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"github.com/tongbo/tongbo/internal/seal"
	"github.com/tongbo/tongbo/internal/secret"
	"github.com/tongbo/tongbo/internal/store"
)

// The schema is made and the scene is put in once for a process: a copy of that is
// much quicker than another one, and it is what the release makes all the same.

// sceneKey is what the scene is sealed with.
var sceneKey = sync.OnceValues(func() (secret.Text, error) {
	key, err := seal.New()
	if err != nil {
		return "", err
	}
	return key.Text(), nil
})

// newKey returns the key of the scene, for one database alone: a test may rotate it.
func newKey() (*seal.Key, error) {
	text, err := sceneKey()
	if err != nil {
		return nil, err
	}
	return seal.Parse(text.Reveal())
}

// putScene makes the schema in an empty database and puts the scene into it.
func putScene(ctx context.Context, url string) error {
	key, err := newKey()
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, url, store.Options{Key: key})
	if err != nil {
		return err
	}
	return errors.Join(s.SaveSettings(ctx, Scene(), Noon), s.Close())
}

// sceneFile is what a SQLite database with the scene in it has in its file.
var sceneFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "tongbo-scene-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "t.db")
	if err := putScene(context.Background(), "sqlite:"+file); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// sceneName is the database of a private cluster that has the scene in it.
const sceneName = "scene"

// scene returns the name of a database to copy that has the scene in it. It is made
// by the first call. A cluster that others use too has none.
func (c *Cluster) scene(ctx context.Context) (string, error) {
	c.sceneOnce.Do(func() {
		ctx := context.WithoutCancel(ctx)
		if c.sceneErr = c.admin(ctx, "create database "+sceneName+" template "+emptyName); c.sceneErr == nil {
			c.sceneErr = putScene(ctx, c.URL(sceneName))
		}
	})
	return sceneName, c.sceneErr
}
