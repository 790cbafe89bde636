package checkout

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/words"
)

// The paths of the scripts, as PortOne's own hosts have them.
const (
	ScriptV2 = "/v2/browser-sdk.js"
	ScriptV1 = "/v1/iamport.js"
)

//go:embed assets
var assetFiles embed.FS

// faces are the scripts' own parts, by path.
var faces = map[string]string{ScriptV2: "browser-sdk.js", ScriptV1: "iamport.js"}

// Scripts serves the two scripts to anyone, from any page: nothing in them is secret.
// publicURL is where browsers reach this server, without a slash at the end; if it is empty,
// each browser is told the address under which it asked.
func Scripts(publicURL string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		face, ok := faces[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "scripts are read by GET", http.StatusMethodNotAllowed)
			return
		}
		origin, ok := scriptOrigin(publicURL, r)
		if !ok {
			http.Error(w, "the request names no host", http.StatusBadRequest)
			return
		}
		text := script(face, origin)
		sum := sha256.Sum256(text)
		h := w.Header()
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
		h.Set("Cache-Control", "no-cache") // asked about again: script and server change together
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin") // for shops with Cross-Origin-Embedder-Policy
		h.Set("X-Content-Type-Options", "nosniff")
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(text))
	})
}

// scriptOrigin is where a script finds this server. It is false if the request's host is no
// host: it becomes part of a script.
func scriptOrigin(publicURL string, r *http.Request) (string, bool) {
	if publicURL != "" {
		return publicURL, true
	}
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	u, err := url.Parse(scheme + "://" + r.Host)
	if err != nil || u.Hostname() == "" || u.Host != r.Host {
		return "", false
	}
	return scheme + "://" + r.Host, true
}

// script is the text of a script, which knows the server at origin.
func script(face, origin string) []byte {
	var b bytes.Buffer
	b.WriteString("// Tongbo's browser script. docs/checkout.md says how a shop uses it.\n(function () {\n\"use strict\"\n")
	b.WriteString("const ORIGIN = " + literal(origin) + "\nconst WORDS = " + literal(scriptWords()) + "\n\n")
	for _, name := range []string{"window.js", face} {
		text, err := assetFiles.ReadFile("assets/" + name)
		if err != nil {
			panic(err) // it is embedded
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	b.WriteString("})()\n")
	return b.Bytes()
}

// literal writes a value as JavaScript: JSON, in which < > & and the line separators that
// scripts of before 2019 stumble over are escaped.
func literal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and maps of texts
	}
	return string(b)
}

// scriptKeys are the words that the scripts say by themselves.
var scriptKeys = []string{"sdk.window", "sdk.opening", "sdk.close", "sdk.unknown", "sdk.unreachable"}

func scriptWords() map[words.Lang]map[string]string {
	out := map[words.Lang]map[string]string{}
	for _, l := range words.Langs() {
		out[l] = map[string]string{}
		for _, key := range scriptKeys {
			out[l][strings.TrimPrefix(key, "sdk.")] = words.Text(l, key)
		}
	}
	return out
}
