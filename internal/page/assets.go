package page

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// Assets are the files that pages load. Each has a digest of its content in its address, so
// that browsers may keep it for ever. They are read once, and safe for concurrent use.
type Assets struct {
	prefix string
	files  map[string]asset
}

type asset struct {
	text   []byte
	kind   string
	digest string
}

// NewAssets reads the files of a folder, which are served below prefix. It panics if they
// cannot be read: they are embedded.
func NewAssets(files fs.FS, folder, prefix string) *Assets {
	names, err := fs.Glob(files, path.Join(folder, "*"))
	if err != nil {
		panic(err)
	}
	a := &Assets{prefix, make(map[string]asset)}
	for _, name := range names {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(text)
		a.files[path.Base(name)] = asset{text, mime.TypeByExtension(path.Ext(name)), hex.EncodeToString(sum[:6])}
	}
	return a
}

// Names lists the files.
func (a *Assets) Names() []string {
	var out []string
	for name := range a.files {
		out = append(out, name)
	}
	return out
}

// Text is what a file holds; nil if there is none of the name.
func (a *Assets) Text(name string) []byte { return a.files[name].text }

// Path is where a page finds a file: the address says what it holds.
func (a *Assets) Path(name string) string {
	ext := path.Ext(name)
	return a.prefix + strings.TrimSuffix(name, ext) + "-" + a.files[name].digest + ext
}

// ServeHTTP answers with the file that the path value "file" names, as Path does.
func (a *Assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	ext := path.Ext(name)
	stem, digest, _ := strings.Cut(strings.TrimSuffix(name, ext), "-")
	file, ok := a.files[stem+ext]
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if !ok || file.digest != digest {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", file.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(file.text) // whoever asked may be gone
}
