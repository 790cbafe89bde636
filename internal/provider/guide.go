package provider

import (
	"fmt"
	"strings"
)

// CodeMark stands in a guide that several modules share for the module's code.
const CodeMark = "{{.Code}}"

// A GuideText is a module's guide as it is written: Markdown that begins with a
// title, in both languages.
type GuideText Text

// For returns the guide of a module in Korean, or in English if lang is "en":
// with the module's code at CodeMark, and with what InquiryNote says of the
// module, if anything, as the first paragraph below the title.
func (g GuideText) For(i Info, lang string) string {
	text := g.KO
	if lang == "en" {
		text = g.EN
	}
	title, rest, _ := strings.Cut(strings.ReplaceAll(text, CodeMark, i.Code), "\n")
	if note := InquiryNote(i, lang); note != "" {
		title += "\n\n" + note
	}
	return title + "\n" + rest
}

// InquiryNote says, in Korean or in English if lang is "en", which live
// channels of a module ask the PG before a deposit counts, and how that is
// changed. It is one paragraph of Markdown, and empty for a module that has no
// field for asking and does not have to ask.
func InquiryNote(i Info, lang string) string {
	var names []string
	for _, f := range i.Fields {
		if f.Inquiry {
			names = append(names, "`"+f.Name+"`")
		}
	}
	list := strings.Join(names, ", ")
	switch en := lang == "en"; {
	case i.ConfirmAlways && en:
		return fmt.Sprintf("Tongbo asks the PG about every live deposit before it counts, whatever `confirm = false` says. That takes %s: without it live deposits stay Pending until it is entered.", list)
	case i.ConfirmAlways:
		return fmt.Sprintf("Tongbo는 라이브 입금을 반영하기 전에 항상 PG에 먼저 조회해요(`confirm = false`를 적어도 같아요). 그래서 %s 값이 꼭 필요하고, 없으면 넣을 때까지 입금이 대기(Pending)로 남아요.", list)
	case len(names) == 0:
		return ""
	case en:
		which := "the credential for it"
		if len(names) > 1 {
			which = "all credentials for it"
		}
		return fmt.Sprintf("A live channel that has %s (%s) asks the PG about a deposit before it counts. With `confirm = false` in the channel, deposits count on the sender's address and the notice's proof alone.", which, list)
	}
	which := "있는"
	if len(names) > 1 {
		which = "모두 있는"
	}
	return fmt.Sprintf("조회에 쓰는 값(%s)이 %s 라이브 채널은 입금을 반영하기 전에 PG에 먼저 조회해요. 발신 IP와 통보의 증명만으로 반영하려면 채널에 `confirm = false`를 적어 주세요.", list, which)
}
