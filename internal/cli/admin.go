package cli

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/people"
	"github.com/tongbo/tongbo/internal/provider/wire"
	"github.com/tongbo/tongbo/internal/words"
)

// An adminCmd is for whoever has the machine.
type adminCmd struct {
	Owner adminOwnerCmd `cmd:""`
}

// An adminOwnerCmd makes a one-time link by which an owner chooses a password.
type adminOwnerCmd struct {
	databaseFlags
	logFlags
	Email     string `arg:"" help:"The owner's e-mail address. Nothing is sent to it."`
	Merchant  string `help:"The merchant's name: one that is there, or a new one. Not needed while there is one alone." placeholder:"NAME"`
	PublicURL string `help:"How people reach this server, such as https://pay.example.kr." env:"TONGBO_PUBLIC_URL" default:"http://127.0.0.1:8080" placeholder:"URL"`
	Lang      string `help:"ko or en; Korean unless the system's language (LC_ALL, LC_MESSAGES, LANG) is English." enum:",ko,en" default:""`
	JSON      bool   `help:"Print one object." name:"json"`
}

// Run prints the link.
func (c *adminOwnerCmd) Run(env Env) error {
	ctx, cancel := env.context()
	defer cancel()
	base, err := publicBase(c.PublicURL)
	if err != nil {
		return err
	}
	st, err := c.openThere(ctx, c.logger(env.Stderr))
	if err != nil {
		return err
	}
	defer func() { _ = st.Close() }()
	p := &people.People{Store: st}
	link, err := p.OwnerLink(ctx, byUser(), c.Email, c.Merchant)
	if err != nil {
		if fault.Is(err, fault.Invalid) {
			err = hint(err, "Such as: tongbo admin owner you@example.kr --merchant 새벽상회")
		}
		return err
	}
	to := base + "/console/link?token=" + url.QueryEscape(link.Token.Reveal())
	if c.JSON {
		return json.NewEncoder(env.Stdout).Encode(struct {
			Email string    `json:"email"`
			Link  string    `json:"link"`
			Until time.Time `json:"until"`
		}{link.Member.Email, to, link.Until})
	}
	lang := langOf(c.Lang)
	fmt.Fprintln(env.Stderr, words.Text(lang, "cli.admin.owner", "email", printable(link.Member.Email), "until", link.Until.In(wire.Seoul).Format("2006-01-02 15:04")))
	if !link.Member.Invited {
		fmt.Fprintln(env.Stderr, words.Text(lang, "cli.admin.again"))
	}
	_, err = fmt.Fprintln(env.Stdout, to)
	return err
}
