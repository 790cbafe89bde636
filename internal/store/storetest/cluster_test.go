//go:build unix

package storetest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { Main(m) }

// victim makes the test binary play a test process that gets killed.
const victim = "STORETEST_VICTIM"

func TestPostgresGivesSeparateDatabases(t *testing.T) {
	one, two := Postgres(t), Postgres(t)
	if one == two {
		t.Fatalf("Postgres gave %s twice", one)
	}
	execute(t, one, "create table only_here (n bigint)")
	execute(t, two, "create table only_here (n bigint)")
	for setting, want := range map[string]string{
		"server_encoding": "UTF8", "fsync": "on", "synchronous_commit": "on", "lc_collate": "C.UTF-8",
	} {
		query := "select coalesce(current_setting($1, true), (select datcollate from pg_database where datname = current_database()))"
		if got := ask(t, one, query, setting); got != want {
			t.Errorf("%s = %q, want %q", setting, got, want)
		}
	}
}

func TestPostgresDropsTheDatabase(t *testing.T) {
	var address string
	t.Run("user", func(user *testing.T) {
		address = Postgres(user)
		connect(t, address) // still there when the user's test ends
	})
	if conn, err := pgx.Connect(t.Context(), address); err == nil {
		conn.Close(t.Context())
		t.Errorf("%s is still there", address)
	}
}

func TestClusterKeepsCommitsOverACrash(t *testing.T) {
	t.Parallel()
	c := NewCluster(t)
	address := c.URL(c.CreateDatabase(t))
	execute(t, address, "create table kept (n bigint)")
	for _, mode := range []string{"immediate", "fast"} {
		execute(t, address, "insert into kept values (1)")
		before := ask(t, address, "select count(*)::text from kept")
		c.Stop(t, mode)
		if conn, err := pgx.Connect(t.Context(), address); err == nil {
			conn.Close(t.Context())
			t.Fatalf("the server answers after Stop(%q)", mode)
		}
		c.Start(t)
		if got := ask(t, address, "select count(*)::text from kept"); got != before {
			t.Errorf("after Stop(%q) %s rows, want %s", mode, got, before)
		}
	}
}

// A killed test process must take its server along, and the next cluster must
// clear its folder away.
func TestClusterDiesWithItsProcess(t *testing.T) {
	if os.Getenv(victim) != "" {
		c := NewCluster(t)
		fmt.Println("ready", c.URL("postgres"))
		<-t.Context().Done() // never: the test is killed first
	}
	t.Parallel()
	temp := t.TempDir()
	openToAll(t, temp)
	cmd := exec.Command(os.Args[0], "-test.run=^TestClusterDiesWithItsProcess$")
	cmd.Env = append(os.Environ(), victim+"=1", "TMPDIR="+temp)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	address, ok := strings.CutPrefix(strings.TrimSpace(line), "ready ")
	if err != nil || !ok {
		t.Fatalf("victim said %q, %v", line, err)
	}
	conn := connect(t, address)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Fatalf("victim ended with %v, want a kill", err)
	}
	// The query ends with an error once the server is gone, and not before.
	if _, err := conn.Exec(t.Context(), "select pg_sleep(50)"); err == nil {
		t.Error("the server outlived its test process")
	}

	folders, err := filepath.Glob(filepath.Join(temp, "tongbo-pg-*"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("folders left by the victim: %v, %v; want one", folders, err)
	}
	sweep(temp)
	if _, err := os.Stat(folders[0]); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Stat(%s) = %v, want that it is gone", folders[0], err)
	}
}

// openToAll lets PostgreSQL's user reach a folder below t.TempDir.
func openToAll(t *testing.T, dir string) {
	t.Helper()
	for ; dir != filepath.Clean(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func connect(t *testing.T, address string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(t.Context()) })
	return conn
}

func execute(t *testing.T, address, statement string) {
	t.Helper()
	if _, err := connect(t, address).Exec(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, address, query string, args ...any) string {
	t.Helper()
	var got string
	if err := connect(t, address).QueryRow(t.Context(), query, args...).Scan(&got); err != nil {
		t.Fatal(err)
	}
	return got
}
