package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed assets
var assetFiles embed.FS

// An asset is a file that pages load.
type asset struct {
	text   []byte
	kind   string
	digest string // of its content: part of its address, so that it may be kept for ever
}

var assets = sync.OnceValue(func() map[string]asset {
	out := make(map[string]asset)
	files, err := fs.Glob(assetFiles, "assets/*")
	if err != nil {
		panic(err) // the pattern is wrong
	}
	for _, f := range files {
		text, err := fs.ReadFile(assetFiles, f)
		if err != nil {
			panic(err) // it is embedded
		}
		sum := sha256.Sum256(text)
		out[path.Base(f)] = asset{text, mime.TypeByExtension(path.Ext(f)), hex.EncodeToString(sum[:6])}
	}
	return out
})

// assetPath is where a page finds an asset: the name says what it holds.
func assetPath(name string) string {
	ext := path.Ext(name)
	return Prefix + "/assets/" + strings.TrimSuffix(name, ext) + "-" + assets()[name].digest + ext
}

// serveAsset answers with an asset. One with another content has another name, so this one
// may be kept.
func serveAsset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	ext := path.Ext(name)
	stem, digest, _ := strings.Cut(strings.TrimSuffix(name, ext), "-")
	a, ok := assets()[stem+ext]
	guardHeaders(w.Header())
	if !ok || a.digest != digest {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", a.kind)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(a.text) // whoever asked may be gone
}
