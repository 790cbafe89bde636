package seal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFile is far above any key file: a thousand rotations take about 80 KiB.
const maxFile = 1 << 20

// LoadFile reads the Key in a file that CreateFile or ReplaceFile wrote. Its
// error wraps fs.ErrNotExist if there is no such file, and names the file but
// shows nothing of what is in it.
func LoadFile(path string) (*Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load key: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("load key: %w", err)
	}
	k, err := Parse(string(b))
	if err != nil {
		return nil, fmt.Errorf("load key %s: %w", path, err)
	}
	return k, nil
}

// CreateFile makes a new Key and writes it to path, readable by its owner only
// (0600). If the file is already there, also because another process was
// quicker, it returns the Key in it. A crash leaves either no file or a whole
// one, and when CreateFile returns the Key is safe on disk.
func CreateFile(path string) (*Key, error) {
	k, err := LoadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err
	}
	if k, err = New(); err != nil {
		return nil, err
	}
	// A link, unlike a rename, fails if the name is taken: a key that somebody
	// already seals with must never be overwritten.
	err = k.write(path, os.Link)
	if errors.Is(err, fs.ErrExist) {
		return LoadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("create key file: %w", err)
	}
	return k, nil
}

// ReplaceFile writes the Key to path in place of what is there, for use after
// Rotate. A crash leaves the old file or the new one, both whole.
func (k *Key) ReplaceFile(path string) error {
	if err := k.write(path, os.Rename); err != nil {
		return fmt.Errorf("replace key file: %w", err)
	}
	return nil
}

// write puts the Key in a temporary file beside path, and has place move or
// link it to path once it is safe on disk.
func (k *Key) write(path string, place func(from, to string) error) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-*") // 0600 by its contract
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone already if it was renamed
	_, err = f.WriteString(k.Text().Reveal() + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

// syncDir makes the new name as durable as the file it names.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
