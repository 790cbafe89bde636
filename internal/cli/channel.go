package cli

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/provider/all"
)

// A channelCmd has the commands about channels.
type channelCmd struct {
	Guide guideCmd `cmd:"" help:"Print how a PG's notices are set up in its own pages, without any database."`
}

// A guideCmd prints the guide of a module.
type guideCmd struct {
	Provider  string `arg:"" help:"Module of the channel, such as kcp or nice_v2: see tongbo providers."`
	PublicURL string `help:"How the PG reaches this server, such as https://pay.example.kr." env:"TONGBO_PUBLIC_URL" placeholder:"URL"`
	Channel   string `help:"The channel's key, as tongbo apply printed it." placeholder:"KEY"`
	Lang      string `help:"Language: ko or en; the system's if left out." enum:",ko,en" default:""`
}

// A guided module says how its notices are set up. The place of the notice
// address is marked.
type guided interface {
	Guide(lang string) string
}

const noticeURLMark = "{{.NoticeURL}}"

// Run prints the guide as Markdown, with the notice address in it.
func (c *guideCmd) Run(env Env) error {
	p, err := providerByCode(c.Provider)
	if err != nil {
		return err
	}
	base, err := c.base()
	if err != nil {
		return err
	}
	g, ok := p.(guided)
	if !ok {
		return hint(fault.Errorf(fault.NotFound, "there is no guide for %s", c.Provider), "There are guides for %s.", strings.Join(guides(), ", "))
	}
	lang := "en"
	if inKorean(c.Lang) {
		lang = "ko"
	}
	address := base + p.Info().Paths[0] + "/" + cmp.Or(c.Channel, "CHANNEL_KEY")
	_, err = fmt.Fprintln(env.Stdout, strings.TrimRight(strings.ReplaceAll(g.Guide(lang), noticeURLMark, address), "\n"))
	if err != nil {
		return err
	}
	if c.PublicURL == "" || c.Channel == "" {
		fmt.Fprintln(env.Stderr, "\nThe address above is not complete: give --public-url and --channel.")
	}
	return nil
}

// base is the server's address, without a slash at the end.
func (c *guideCmd) base() (string, error) {
	if strings.ContainsAny(c.Channel, "/?# ") {
		return "", fault.Errorf(fault.Invalid, "--channel %q is no key of a channel", c.Channel)
	}
	if c.PublicURL == "" {
		return "https://PUBLIC_ADDRESS", nil
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", hint(fault.Errorf(fault.Invalid, "--public-url is not the address of a server"), "Write it like https://pay.example.kr")
	}
	if u.Path != "" && u.Path != "/" {
		return "", hint(fault.Errorf(fault.Invalid, "--public-url has a path: notices are taken at the root"), "Write it like https://pay.example.kr")
	}
	return u.Scheme + "://" + u.Host, nil
}

// guides are the codes of the modules that have a guide.
func guides() []string {
	return codes(slices.DeleteFunc(slices.Clone(all.Providers()), func(p provider.Provider) bool {
		_, ok := p.(guided)
		return !ok
	}))
}
