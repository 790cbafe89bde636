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
// channels of a module leave deposits Pending since no module asks its PG yet,
// and how that is changed. It is one paragraph of Markdown, and empty for a
// module that has no field for asking and does not have to ask.
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
		return fmt.Sprintf("In this release Tongbo cannot ask %s about a payment yet, and live deposits of this PG count only after that: they stay Pending, whatever keys are filled in and even with `confirm = false`.", i.Name.EN)
	case i.ConfirmAlways:
		return fmt.Sprintf("이 버전의 Tongbo는 아직 PG(%s)에 거래를 조회하지 못해요. 이 PG의 라이브 입금은 조회한 뒤에만 반영하므로, 키를 넣거나 `confirm = false`를 적어도 모두 대기(Pending)로 남아요.", i.Name.KO)
	case len(names) == 0:
		return ""
	case en:
		which := "the credential for it"
		if len(names) > 1 {
			which = "all credentials for it"
		}
		return fmt.Sprintf("In this release Tongbo cannot ask the PG about a payment yet. A live channel that has %s (%s) leaves every deposit Pending, unless the channel says `confirm = false`: then deposits count on the sender's address and the notice's proof alone.", which, list)
	}
	which := "있는"
	if len(names) > 1 {
		which = "모두 있는"
	}
	return fmt.Sprintf("이 버전의 Tongbo는 아직 PG에 거래를 조회하지 못해요. 조회에 쓰는 값(%s)이 %s 라이브 채널의 입금은 대기(Pending)로 남아요. 발신 IP와 통보의 증명만으로 반영하려면 채널에 `confirm = false`를 적어 주세요.", list, which)
}
