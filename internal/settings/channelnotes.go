package settings

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tongbo/tongbo/internal/merchant"
)

// longestNotes bounds what people write about a channel, in bytes.
const longestNotes = 8 << 10

// asked reads the day on which the PG was asked to register the channel's notice
// path, in Seoul. The empty text says that it was not.
func asked(ch *merchant.Channel, c *Change, f ChannelFile) error {
	if f.Asked == nil {
		return nil
	}
	var to time.Time
	if *f.Asked != "" {
		day, err := time.ParseInLocation(time.DateOnly, *f.Asked, seoul)
		if err != nil {
			return invalid("asked: want a day such as 2026-08-01")
		}
		to = day.UTC()
	}
	if !to.Equal(ch.AskedAt) {
		ch.AskedAt = to
		c.Fields = append(c.Fields, "asked")
	}
	return nil
}

// seoul has no summer time, whatever the machine knows of the world.
var seoul = time.FixedZone("KST", 9*60*60)

func checkNotes(text string) error {
	if len(text) > longestNotes || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return invalid("notes: want a text of at most %d bytes", longestNotes)
	}
	return nil
}
