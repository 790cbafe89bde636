package cli

import (
	"bytes"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/tongbo/tongbo/internal/words"
)

// describe gives the commands below a node what --help says of them, by the catalogue, and
// the flags that many commands have. It panics if a command has no text there.
func describe(n *kong.Node, path string, l words.Lang) {
	for _, f := range n.Flags {
		// A flag of the same name may mean another thing elsewhere.
		if key := "help.flag." + f.Name; words.Has(key) && f.Help == words.Text(words.En, key) {
			f.Help = words.Text(l, key)
		}
	}
	for _, c := range n.Children {
		key := path + "." + c.Name
		if !words.Has(key) {
			panic("no text says what a command does: " + key)
		}
		c.Help = words.Text(l, key)
		describe(c, key, l)
		for _, f := range c.Flags {
			own(&f.Help, key+".flag."+f.Name, l)
		}
		for _, a := range c.Positional {
			own(&a.Help, key+".flag."+a.Name, l)
		}
	}
}

// own gives a flag or argument of one command what the catalogue says of it alone, if
// anything.
func own(help *string, key string, l words.Lang) {
	if words.Has(key) {
		*help = words.Text(l, key)
	}
}

// helper prints help in a language, the words that kong itself writes among it.
func helper(l words.Lang) kong.HelpPrinter {
	return func(o kong.HelpOptions, k *kong.Context) error {
		var text bytes.Buffer
		out := k.Stdout
		k.Stdout = &text
		err := kong.DefaultHelpPrinter(o, k)
		k.Stdout = out
		if err != nil {
			return err
		}
		_, err = io.WriteString(out, kongWords(l, text.String()))
		return err
	}
}

// kongWords are lines of help in which kong's own words are those of a language.
func kongWords(l words.Lang, text string) string {
	var own []string
	for _, key := range []string{"help.usage", "help.arguments", "help.flags", "help.commands"} {
		own = append(own, words.Text(words.En, key), words.Text(l, key))
	}
	translated := strings.NewReplacer(own...)
	lead, tail, _ := strings.Cut(words.Text(words.En, "help.more", "command", "\x00"), "\x00")
	var b strings.Builder
	for line := range strings.Lines(text) {
		command, isMore := strings.CutPrefix(strings.TrimSuffix(line, "\n"), lead)
		switch command, ends := strings.CutSuffix(command, tail); {
		case isMore && ends:
			line = words.Text(l, "help.more", "command", command) + "\n"
		case !strings.HasPrefix(line, " "): // what is set in is of commands and flags
			line = translated.Replace(line)
		}
		b.WriteString(line)
	}
	return b.String()
}

// helpLang is the language of help, which is printed before flags count: --lang among the
// arguments, TONGBO_LANG, or the system's.
func helpLang(args []string) words.Lang {
	asked := os.Getenv("TONGBO_LANG")
	for i, a := range args {
		if value, ok := strings.CutPrefix(a, "--lang="); ok {
			asked = value
		} else if a == "--lang" && i+1 < len(args) {
			asked = args[i+1]
		}
	}
	if l, ok := words.ParseLang(asked); ok {
		return l
	}
	return langOf("")
}
