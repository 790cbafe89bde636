package settings

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/secret"
)

// A File is what an operator declares. What is not mentioned is nil, or empty
// where nothing could be meant by that, and stays as it is.
//
// Its fields are exported so that secrets in it print masked, and so that others
// than `tongbo apply` can declare: the console makes Files of its forms.
type File struct {
	Merchants []MerchantFile `toml:"merchant"`
}

// A MerchantFile speaks of a merchant. It is found by ID, else by Name; with an
// ID the Name is a new one.
type MerchantFile struct {
	ID     string      `toml:"id"`
	Name   string      `toml:"name"`
	Absent bool        `toml:"absent"`
	Stores []StoreFile `toml:"store"`
}

// A StoreFile speaks of a store and of what is in it. It is found by ID, else by
// Name within the merchant.
type StoreFile struct {
	ID             string          `toml:"id"`
	Name           *string         `toml:"name"`
	Absent         bool            `toml:"absent"`
	New            bool            `toml:"-"` // it must not be there yet
	Representative *bool           `toml:"representative"`
	TierCode       *string         `toml:"tier_code"`
	OwnWebhooks    *bool           `toml:"own_webhooks"`
	WebhookFirst   *bool           `toml:"webhook_first"`
	WebhookLimit   *string         `toml:"webhook_first_limit"` // such as "10s"
	Origins        *[]string       `toml:"origins"`
	AppSchemes     *[]string       `toml:"app_schemes"`
	Channels       []ChannelFile   `toml:"channel"`
	Endpoints      []EndpointFile  `toml:"endpoint"`
	APISecrets     []APISecretFile `toml:"api_secret"`
	APIKeys        []APIKeyFile    `toml:"api_key"`
	Allows         []AllowFile     `toml:"allow"`
}

// A ChannelFile speaks of a channel. It is found by Key, else by Provider, Mode
// and MID within the store.
type ChannelFile struct {
	Key         string                 `toml:"key"`
	Name        *string                `toml:"name"`
	Absent      bool                   `toml:"absent"`
	Provider    string                 `toml:"provider"`
	Mode        string                 `toml:"mode"`
	MID         *string                `toml:"mid"`
	PaymentType *string                `toml:"payment_type"`
	Methods     *[]string              `toml:"methods"`
	Stores      *[]string              `toml:"stores"` // ids or names
	BaseURL     *string                `toml:"base_url"`
	Credentials map[string]secret.Text `toml:"credentials"`
	Senders     *[]string              `toml:"senders"`
	Unknown     *string                `toml:"unknown"`
	Confirm     any                    `toml:"confirm"` // true, false or "default"
	Token       *secret.Text           `toml:"token"`
	Disabled    *bool                  `toml:"disabled"`
	Asked       *string                `toml:"asked"` // the day on which the PG was asked to register the address; empty: it was not
	Notes       *string                `toml:"notes"`
}

// An EndpointFile speaks of an endpoint. It is found by ID, else by Name and Mode
// within the store; with an ID the Name is a new one.
type EndpointFile struct {
	ID          string    `toml:"id"`
	Name        string    `toml:"name"`
	Absent      bool      `toml:"absent"`
	URL         *string   `toml:"url"`
	Mode        string    `toml:"mode"`
	Events      *[]string `toml:"events"`
	Version     *string   `toml:"version"`
	ContentType *string   `toml:"content_type"`
	Schedule    any       `toml:"schedule"` // a preset's name or a list of delays
	InFlight    *int      `toml:"in_flight"`
	Timeout     *string   `toml:"timeout"` // such as "10s", or "default"
	// Headers are its own, by name: one that is empty is removed, one that is not
	// mentioned stays.
	Headers map[string]secret.Text `toml:"headers"`
	Paused  *bool                  `toml:"paused"`
	Secrets *[]secret.Text         `toml:"secrets"`
}

// An APISecretFile speaks of an API secret. It is found by ID, else by Name within
// the store; with an ID the Name is a new one.
type APISecretFile struct {
	ID        string       `toml:"id"`
	Name      string       `toml:"name"`
	Absent    bool         `toml:"absent"`
	New       bool         `toml:"-"` // it must not be there yet
	Mode      string       `toml:"mode"`
	Secret    *secret.Text `toml:"secret"`
	ExpiresAt any          `toml:"expires_at"` // a time.Time or "never"
}

// An APIKeyFile speaks of a V1 key, which is found by Key.
type APIKeyFile struct {
	Key       string       `toml:"key"`
	Absent    bool         `toml:"absent"`
	New       bool         `toml:"-"` // it must not be there yet
	Mode      string       `toml:"mode"`
	Secret    *secret.Text `toml:"secret"`
	ExpiresAt any          `toml:"expires_at"` // a time.Time or "never"
}

// An AllowFile speaks of a line of an address list: itself is all that it says.
type AllowFile struct {
	Scope  string `toml:"scope"`
	CIDR   string `toml:"cidr"`
	Absent bool   `toml:"absent"`
	// Until, if it is set, puts the change on trial: it undoes itself then, unless it
	// is declared once more without. No file can say that: whoever has the machine is
	// not shut out by a list.
	Until time.Time `toml:"-"`
}

// Parse reads the file of `tongbo apply`. It reports fault.Invalid, with the
// line and without quoting any value, if it is not TOML, holds a field that
// nobody knows or a value of the wrong type.
func Parse(text []byte) (File, error) {
	var f File
	// The decoder points into what it is given, so it gets a slice of its own.
	d := toml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	if err := d.DisallowUnknownFields().Decode(&f); err != nil {
		return File{}, fault.Errorf(fault.Invalid, "%s", unreadable(err))
	}
	return f, nil
}

// unreadable says what is wrong with a file. The decoder's longer texts quote
// lines of it, and lines hold secrets.
func unreadable(err error) string {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) && len(unknown.Errors) > 0 {
		list := make([]string, len(unknown.Errors))
		for i := range unknown.Errors {
			list[i] = unknownField(&unknown.Errors[i])
		}
		return strings.Join(list, "; ")
	}
	var wrong *toml.DecodeError
	if !errors.As(err, &wrong) {
		return "the file cannot be read as TOML"
	}
	line, column := wrong.Position()
	where := fmt.Sprintf("line %d, column %d", line, column)
	if key := wrong.Key(); len(key) > 0 {
		where += ", " + strings.Join(key, ".")
	}
	what := wrong.Error()
	// Numbers that do not fit and the like are quoted: leave that out.
	if strings.ContainsAny(what, `"'`) {
		what = "toml: check brackets and quotes here"
	}
	return where + ": " + what
}

func unknownField(e *toml.DecodeError) string {
	line, _ := e.Position()
	key := e.Key()
	if len(key) == 0 {
		return fmt.Sprintf("line %d: unknown field", line)
	}
	table := strings.Join(key[:len(key)-1], ".")
	if table == "" {
		table = "the file"
	}
	return fmt.Sprintf("line %d: %q is not a field of %s", line, key[len(key)-1], table)
}
