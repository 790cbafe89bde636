package secret_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/secret"
)

const (
	plain  = "hunter2-swordfish"
	number = "56211107884252"
)

// holder puts both types everywhere a value may sit.
type holder struct {
	Key     secret.Text
	Pointer *secret.Text
	List    []secret.Text
	ByName  map[string]secret.Text
	Any     any
	Account secret.Account
	Number  *secret.Account
}

func newHolder() holder {
	t, a := secret.Text(plain), secret.Account(number)
	return holder{
		Key: t, Pointer: &t, List: []secret.Text{t}, ByName: map[string]secret.Text{"k": t}, Any: t,
		Account: a, Number: &a,
	}
}

// leaks lists the shapes in which plain or number may have got out.
func leaks(t *testing.T, how, out string) {
	t.Helper()
	shapes := map[string]string{
		"text": plain, "text in hex": hex.EncodeToString([]byte(plain)),
		"account": number, "account in hex": hex.EncodeToString([]byte(number)),
		"hidden part of the account": number[:len(number)-4],
	}
	for what, s := range shapes {
		if strings.Contains(strings.ToLower(out), s) {
			t.Errorf("%s shows the %s: %s", how, what, out)
		}
	}
}

func TestFmtDoesNotLeak(t *testing.T) {
	t.Parallel()
	h := newHolder()
	values := map[string]any{
		"text": h.Key, "pointer to text": h.Pointer, "account": h.Account, "pointer to account": h.Number,
		"struct": h, "pointer to struct": &h, "slice": h.List, "map": h.ByName,
		"nested": struct{ In []holder }{[]holder{h}},
		"error":  fmt.Errorf("sign with %v for %v: %w", h.Key, h.Account, errors.New("no")),
	}
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%#q", "%+q", "%10.30s", "%d", "%t", "%U", "%c"}
	for name, v := range values {
		for _, verb := range verbs {
			leaks(t, name+" with "+verb, fmt.Sprintf(verb, v))
		}
		leaks(t, name+" with Sprint", fmt.Sprint(v))
	}
}

func TestLogsDoNotLeak(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := newHolder()
	handlers := map[string]slog.Handler{"text": slog.NewTextHandler(&out, nil), "json": slog.NewJSONHandler(&out, nil)}
	for name, handler := range handlers {
		out.Reset()
		slog.New(handler).With("key", h.Key, "account", h.Account).Info("m",
			"pointer", h.Pointer, "number", h.Number, "struct", h, "to_struct", &h, "list", h.List,
			slog.Group("g", "key", h.Key, "account", h.Account))
		leaks(t, name+" handler", out.String())
		if !strings.Contains(out.String(), "[secret]") || !strings.Contains(out.String(), "**********4252") {
			t.Errorf("%s handler shows no masks: %s", name, out.String())
		}
	}
}

func TestJSONDoesNotLeak(t *testing.T) {
	t.Parallel()
	h := newHolder()
	for name, v := range map[string]any{"value": h, "pointer": &h} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		leaks(t, name, string(b))
	}
	b, err := json.Marshal(struct {
		T secret.Text
		A secret.Account
		E secret.Text
	}{plain, number, ""})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(b), `{"T":"[secret]","A":"**********4252","E":""}`; got != want {
		t.Errorf("Marshal = %s, want %s", got, want)
	}
}

func TestExactForms(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, got, want string }{
		{"text", fmt.Sprint(secret.Text(plain)), "[secret]"},
		{"text quoted", fmt.Sprintf("%q", secret.Text(plain)), `"[secret]"`},
		{"text in Go syntax", fmt.Sprintf("%#v", secret.Text(plain)), `"[secret]"`},
		{"GoString", secret.Text(plain).GoString(), `"[secret]"`},
		{"text in hex", fmt.Sprintf("%x", secret.Text(plain)), "[secret]"},
		{"empty text", fmt.Sprint(secret.Text("")), ""},
		{"account", fmt.Sprint(secret.Account(number)), "**********4252"},
		{"account in Go syntax", fmt.Sprintf("%#v", secret.Account(number)), `"**********4252"`},
		{"account GoString", secret.Account(number).GoString(), `"**********4252"`},
		{"account with dashes", secret.Account("110-123-456789").String(), "**********6789"},
		{"account of five", secret.Account("12345").String(), "*2345"},
		{"account of four", secret.Account("4252").String(), "****"},
		{"empty account", secret.Account("").String(), ""},
		{"account that is not digits", secret.Account("가나다라마바").String(), "**다라마바"},
		{"Text reveals", secret.Text(plain).Reveal(), plain},
		{"Account reveals", secret.Account(number).Reveal(), number},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, tt.got, tt.want)
		}
	}
	for _, m := range []interface{ MarshalText() ([]byte, error) }{secret.Text(plain), secret.Account(number)} {
		b, err := m.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		leaks(t, "MarshalText", string(b))
	}
}

func TestUnmarshalReadsTheValue(t *testing.T) {
	t.Parallel()
	var got struct {
		Key     secret.Text
		Account secret.Account
		Unset   secret.Text
	}
	if err := json.Unmarshal([]byte(`{"Key":"hunter2-swordfish","Account":"56211107884252","Unset":null}`), &got); err != nil {
		t.Fatal(err)
	}
	if got.Key.Reveal() != plain || got.Account.Reveal() != number || got.Unset != "" {
		t.Errorf("Unmarshal = %q, %q, %q", got.Key.Reveal(), got.Account.Reveal(), got.Unset.Reveal())
	}
	err := json.Unmarshal([]byte(`{"Account":56211107884252}`), &got)
	if err == nil {
		t.Fatal("a JSON number was taken for an account")
	}
	leaks(t, "the error", err.Error())
}

func TestEqual(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		t     secret.Text
		other string
		want  bool
	}{
		{"same", plain, plain, true},
		{"other", plain, "hunter2-swordfisH", false},
		{"prefix", plain, plain[:5], false},
		{"longer", plain, plain + "x", false},
		{"against empty", plain, "", false},
		{"empty admits nobody", "", "", false},
		{"empty against text", "", plain, false},
	}
	for _, tt := range tests {
		if got := tt.t.Equal(tt.other); got != tt.want {
			t.Errorf("%s: Equal = %v, want %v", tt.name, got, tt.want)
		}
	}
}
