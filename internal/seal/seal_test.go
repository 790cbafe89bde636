package seal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/seal"
)

func newKey(t testing.TB) *seal.Key {
	t.Helper()
	k, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustSeal(t testing.TB, k *seal.Key, plain, context string) []byte {
	t.Helper()
	b, err := k.Seal([]byte(plain), context)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// opens checks that a sealed value gives plain again.
func opens(t *testing.T, k *seal.Key, sealed []byte, context, plain string) {
	t.Helper()
	got, err := k.Open(sealed, context)
	if err != nil || string(got) != plain {
		t.Errorf("Open(%q) = %q, %v, want %q", context, got, err, plain)
	}
}

// refuses checks that a value does not open, and that the error says nothing.
func refuses(t *testing.T, name string, k *seal.Key, sealed []byte, context string) {
	t.Helper()
	got, err := k.Open(sealed, context)
	if err != seal.ErrOpen || got != nil { //nolint:errorlint // exactly this error, with nothing around it
		t.Errorf("%s: Open = %q, %v, want ErrOpen alone", name, got, err)
	}
}

func TestSealOpens(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	for _, plain := range []string{"", "a", "입금자 홍길동", strings.Repeat("x", 1<<20)} {
		sealed := mustSeal(t, k, plain, "notice_body/1")
		opens(t, k, sealed, "notice_body/1", plain)
		if len(sealed) != len(plain)+33 {
			t.Errorf("sealing %d bytes gave %d", len(plain), len(sealed))
		}
		if plain != "" && len(plain) > 8 && bytes.Contains(sealed, []byte(plain)) {
			t.Error("the sealed value shows its content")
		}
	}
	if bytes.Equal(mustSeal(t, k, "same", "c"), mustSeal(t, k, "same", "c")) {
		t.Error("the same value seals to the same bytes")
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	sealed := mustSeal(t, k, "data", "notice_body/1")
	refuses(t, "another context", k, sealed, "notice_body/2")
	refuses(t, "no context", k, sealed, "")
	refuses(t, "another key", newKey(t), sealed, "notice_body/1")
	refuses(t, "nothing", k, nil, "notice_body/1")
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		refuses(t, fmt.Sprintf("byte %d changed", i), k, changed, "notice_body/1")
		refuses(t, fmt.Sprintf("cut to %d", i), k, sealed[:i], "notice_body/1")
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	before, hash := mustSeal(t, k, "old", "c"), k.Hash("api_secret", "s")
	unrotated, err := seal.Parse(k.Text().Reveal())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := k.Rotate(); err != nil {
			t.Fatal(err)
		}
	}
	after := mustSeal(t, k, "new", "c")
	opens(t, k, before, "c", "old")
	opens(t, k, after, "c", "new")
	refuses(t, "a value of the new key, with the old one", unrotated, after, "c")
	if got := k.Hash("api_secret", "s"); got != hash {
		t.Errorf("Hash after Rotate = %s, want %s", got, hash)
	}
	reread, err := seal.Parse(k.Text().Reveal())
	if err != nil {
		t.Fatal(err)
	}
	opens(t, reread, before, "c", "old")
	opens(t, reread, after, "c", "new")
	if bytes.Equal(before[:5], after[:5]) {
		t.Error("Rotate did not change the key that seals")
	}
}

func TestRotateWhileSealing(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				b, err := k.Seal([]byte("v"), "c")
				if err != nil {
					t.Error(err)
					return
				}
				opens(t, k, b, "c", "v")
			}
		})
	}
	for range 5 {
		if err := k.Rotate(); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

func TestHash(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	h := k.Hash("api_secret", "value")
	if len(h) != 64 || strings.Trim(h, "0123456789abcdef") != "" {
		t.Errorf("Hash = %q, want 64 hexadecimal digits", h)
	}
	if k.Hash("api_secret", "value") != h {
		t.Error("Hash is not stable")
	}
	for name, other := range map[string]string{
		"another value": k.Hash("api_secret", "valuf"), "another purpose": k.Hash("v1_key", "value"),
		"another key": newKey(t).Hash("api_secret", "value"),
		"the border of purpose and value moved by": k.Hash("api_secretv", "alue"),
	} {
		if other == h {
			t.Errorf("%s gives the same hash", name)
		}
	}
}

// A database outlives releases: this text and what it made must work for ever.
func TestTextIsStable(t *testing.T) {
	t.Parallel()
	k, err := seal.Parse(goldenText)
	if err != nil {
		t.Fatal(err)
	}
	if got := k.Text().Reveal(); got != goldenText {
		t.Errorf("Text = %s, want %s", got, goldenText)
	}
	if got := k.Hash("api_secret", "value"); got != goldenHash {
		t.Errorf("Hash = %s, want %s", got, goldenHash)
	}
	opens(t, k, []byte(goldenSealed), "notice_body/1", "홍길동")
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	good := newKey(t).Text().Reveal()
	if _, err := seal.Parse("\n " + good + "\r\n"); err != nil {
		t.Errorf("Parse with spaces around: %v", err)
	}
	tests := map[string]string{
		"empty": "", "no prefix": strings.TrimPrefix(good, "tongbo-key-1:"), "only the prefix": "tongbo-key-1:",
		"a later form": strings.Replace(good, "-1:", "-2:", 1), "twice": good + good,
		"not base64": "tongbo-key-1:" + strings.Repeat("*", 100), "no keyset": "tongbo-key-1:" + strings.Repeat("A", 48),
	}
	for i := len("tongbo-key-1:"); i < len(good); i += 7 {
		flipped := byte('A')
		if good[i] == 'A' {
			flipped = 'B'
		}
		tests[fmt.Sprintf("letter %d mistyped", i)] = good[:i] + string(flipped) + good[i+1:]
		tests[fmt.Sprintf("cut to %d", i)] = good[:i]
	}
	for name, text := range tests {
		k, err := seal.Parse(text)
		if k != nil || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: Parse = %v, %v, want fault.Invalid", name, k, err)
		}
		if err != nil && len(text) > 20 && strings.Contains(err.Error(), text[14:20]) {
			t.Errorf("%s: the error quotes the key: %v", name, err)
		}
	}
}

func TestKeyPrintsNothing(t *testing.T) {
	t.Parallel()
	k := newKey(t)
	text := strings.TrimPrefix(k.Text().Reveal(), "tongbo-key-1:")
	holder := struct {
		Key    *seal.Key
		hidden *seal.Key
	}{k, k}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+"\n", k)
		fmt.Fprintf(&out, verb+"\n", holder)
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "key", k, "holder", holder)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "key", k, "holder", holder)
	if err := json.NewEncoder(&out).Encode(holder); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "[secret]") {
		t.Errorf("no mask in %s", out.String())
	}
	for i := 0; i+8 <= len(text); i += 4 {
		if strings.Contains(out.String(), text[i:i+8]) {
			t.Fatalf("a part of the key shows: %s", out.String())
		}
	}
	if strings.Contains(out.String(), "AesGcmKey") || strings.Contains(out.String(), "material") {
		t.Errorf("the inside of the key shows: %s", out.String())
	}
	if err := errors.Unwrap(seal.ErrOpen); err != nil {
		t.Errorf("ErrOpen wraps %v", err)
	}
}

func BenchmarkSeal(b *testing.B) {
	k, plain := newKey(b), bytes.Repeat([]byte("x"), 1024)
	b.SetBytes(int64(len(plain)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Seal(plain, "notice_body/42"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	k := newKey(b)
	sealed := mustSeal(b, k, strings.Repeat("x", 1024), "notice_body/42")
	b.SetBytes(1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Open(sealed, "notice_body/42"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHash(b *testing.B) {
	k := newKey(b)
	b.ReportAllocs()
	for b.Loop() {
		k.Hash("api_secret", "a-secret-of-usual-length-0123456789")
	}
}
