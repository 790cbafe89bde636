package cli

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/provider"
	"github.com/tongbo/tongbo/internal/words"
)

// A channelCmd has the commands about channels.
type channelCmd struct {
	Guide guideCmd       `cmd:""`
	Test  channelTestCmd `cmd:""`
}

// A guideCmd prints the guide of a module.
type guideCmd struct {
	databaseFlags
	Provider  string `arg:"" help:"Module of the channel, such as kcp or nice_v2: see tongbo providers. Or the key of a channel in the database." placeholder:"PROVIDER|CHANNEL_KEY"`
	PublicURL string `help:"How the PG reaches this server, such as https://pay.example.kr." env:"TONGBO_PUBLIC_URL" placeholder:"URL"`
	Channel   string `help:"The channel's key, as tongbo apply printed it." placeholder:"KEY"`
	Token     string `help:"The channel's path token, if it has one." placeholder:"TOKEN"`
	Lang      string `help:"ko or en; Korean unless the system's language (LC_ALL, LC_MESSAGES, LANG) is English." enum:",ko,en" default:""`
}

// Run prints the guide as Markdown, with the notice address in it.
func (c *guideCmd) Run(env Env) error {
	if strings.HasPrefix(c.Provider, channelKeyPrefix) {
		if err := c.ofChannel(env); err != nil {
			return err
		}
	}
	p, err := providerByCode(c.Provider)
	if err != nil {
		return err
	}
	base, err := c.base()
	if err != nil {
		return err
	}
	lang := "en"
	if inKorean(c.Lang) {
		lang = "ko"
	}
	ending := "/" + cmp.Or(c.Channel, "CHANNEL_KEY")
	if c.Token != "" {
		ending += "/" + c.Token
	}
	paths, guide := p.Info().Paths, p.Guide(lang)
	if len(paths) == 0 { // there is no address to put in
		_, err = fmt.Fprintln(env.Stdout, strings.TrimRight(guide, "\n"))
		return err
	}
	if len(paths) > 1 {
		guide = strings.ReplaceAll(guide, provider.SecondURLMark, base+paths[1]+ending)
	}
	_, err = fmt.Fprintln(env.Stdout, strings.TrimRight(c.fill(guide, base+paths[0]+ending, lang), "\n"))
	if err != nil {
		return err
	}
	if c.PublicURL == "" || c.Channel == "" {
		key := "cli.guide.incomplete"
		if c.Channel != "" {
			key = "cli.guide.no_public_url"
		}
		missing := words.Text(words.Lang(lang), key)
		fmt.Fprintln(env.Stderr, "\n"+missing)
	}
	return nil
}

// fill puts the address in its place, and a line on tokens below the first one
// that stands by itself.
func (c *guideCmd) fill(guide, address, lang string) string {
	note := "A channel with a path token wants `/TOKEN` behind the address: `--token` puts it there."
	switch {
	case c.Token != "" && lang == "ko":
		note = "주소 끝에 채널의 토큰이 들어 있어요. 토큰이 없는 채널이라면 `--token`을 빼 주세요."
	case c.Token != "":
		note = "The address ends with the channel's path token."
	case lang == "ko":
		note = "토큰이 있는 채널은 주소 뒤에 `/TOKEN`을 붙여야 해요. `--token`으로 넣을 수 있어요."
	}
	var out []string
	noted, fenced := false, false
	indent := ""
	for line := range strings.SplitSeq(guide, "\n") {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		out = append(out, strings.ReplaceAll(line, provider.NoticeURLMark, address))
		if !noted && strings.TrimSpace(line) == provider.NoticeURLMark {
			noted = true
			indent = strings.Repeat(" ", max(0, len(line)-len(provider.NoticeURLMark)-4))
			if !fenced {
				out = append(out, "", indent+note)
				continue
			}
		}
		if noted && indent == "" && line == "```" && !fenced {
			out = append(out, "", note)
			indent = "-" // once
		}
	}
	return strings.Join(out, "\n")
}

// base is the server's address, without a slash at the end.
func (c *guideCmd) base() (string, error) {
	if strings.ContainsAny(c.Channel, "/?# ") {
		return "", fault.Errorf(fault.Invalid, "--channel %q is no key of a channel", c.Channel)
	}
	if strings.ContainsAny(c.Token, "/?# ") {
		return "", fault.Errorf(fault.Invalid, "--token is no path token")
	}
	if c.PublicURL == "" {
		return "https://PUBLIC_ADDRESS", nil
	}
	return publicBase(c.PublicURL)
}

// publicBase is the address by which PGs reach a server, without a slash at the end.
func publicBase(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", hint(fault.Errorf(fault.Invalid, "--public-url is not the address of a server"), "Write it like https://pay.example.kr")
	}
	if u.Path != "" && u.Path != "/" {
		return "", hint(fault.Errorf(fault.Invalid, "--public-url has a path: notices are taken at the root"), "Write it like https://pay.example.kr")
	}
	return u.Scheme + "://" + u.Host, nil
}
