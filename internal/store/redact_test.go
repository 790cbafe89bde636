package store

import (
	"strings"
	"testing"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/seal"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"sqlite:tongbo.db": "sqlite:tongbo.db",
		"postgres://tongbo:s3cret@db.internal:5432/tongbo?sslmode=verify-full":                            "postgres://db.internal:5432/tongbo",
		"postgres://db.internal/tongbo?user=x&password=s3cret":                                            "postgres://db.internal/tongbo",
		"postgres:///tongbo?host=/run/postgresql&password=s3cret":                                         "postgres:///tongbo",
		"postgres://tongbo:s3cret@h1:5432,h2:5433/tongbo?target_session_attrs=read-write&password=s3cret": "postgres://h1:5432,h2:5433/tongbo",
		"postgres://tongbo:s3cret@h1,h2/tongbo":                                                           "postgres://h1,h2/tongbo",
		"postgres://tongbo:s3cret@[::1]:5432,h2:5432/tongbo":                                              "",
		"host=db.internal password=s3cret":                                                                "",
		"postgres://tongbo:s3cr%et@db.internal/tongbo":                                                    "",
		"s3cret":          "",
		"postgres:s3cret": "",
	} {
		if got := Redact(in); got != want {
			t.Errorf("Redact(%q) = %q, want %q", in, got, want)
		}
	}
}

// What a database is given as may hold a password also where it is refused.
func TestOpenNamesNoPassword(t *testing.T) {
	t.Parallel()
	key, err := seal.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, database := range []string{
		"password=s3cret", "mysql://db/x?password=s3cret", "postgres://x:s3cret@[/x", "postgres://db/x?sslmode=s3cret&password=s3cret",
	} {
		_, err := Open(t.Context(), database, Options{Key: key})
		if !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("Open(%q) = %v", database, err)
		}
	}
}
