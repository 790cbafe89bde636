package v2

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// digest counts and hashes the rows of every table.
func (b *bench) digest() map[string]string {
	b.Helper()
	db, err := sql.Open("sqlite", b.file+"?mode=ro")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	out := map[string]string{}
	for _, table := range b.rows(db, "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name") {
		rows := b.rows(db, `select * from "`+table+`"`)
		slices.Sort(rows)
		out[table] = fmt.Sprintf("%d %x", len(rows), sha256.Sum256([]byte(strings.Join(rows, "\n"))))
	}
	if len(out) < 10 {
		b.Fatalf("the database has the tables %v", out)
	}
	return out
}

// rows are the rows of a query, each as a text.
func (b *bench) rows(db *sql.DB, query string) (out []string) {
	b.Helper()
	rows, err := db.QueryContext(b.Context(), query)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		b.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			b.Fatal(err)
		}
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = string(v)
		}
		out = append(out, strings.Join(texts, "\x1f"))
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return out
}
