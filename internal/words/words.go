// Package words says the texts of pages in English and in Welsh: sentences, counts of things, days, lists.
//
// An English text is its own key: T(ctx, "Nobody was found for %s", name) says it, or its Welsh from the catalogue that
// the context carries. So a page reads as what it shows, and a text without Welsh is still English. Which texts there
// must be is known from the types: every constant of type Key or Noun, which a test of the catalogue's owner finds.
package words

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/dosevault/dosevault/internal/day"
)

// Lang is a language of the pages, as in <html lang>.
type Lang string

// The languages.
const (
	English Lang = "en"
	Welsh   Lang = "cy"
)

// Key is an English text, as fmt.Sprintf takes it. What follows "##" is not part of it: it tells apart two texts that are
// the same in English only, as in "Read##of a badge".
type Key string

// Plain is what is no text of the catalogue but stands where one may: a name, or a text that was said already. It is
// said as it is, whatever it happens to be.
func Plain(s string) Key { return Key("##" + s) }

// Noun is an English noun in the singular, with its adjectives: what Count counts.
type Noun string

// WelshNoun is a noun in Welsh.
type WelshNoun struct {
	One, Many string
	Feminine  bool
}

// Catalogue has the Welsh of texts and nouns.
type Catalogue struct {
	Texts map[Key]string
	Nouns map[Noun]WelshNoun
}

type contextKey struct{}

type voice struct {
	lang      Lang
	catalogue *Catalogue
}

// With returns a context whose texts are said in a language, the Welsh ones from a catalogue.
func With(ctx context.Context, lang Lang, c *Catalogue) context.Context {
	return context.WithValue(ctx, contextKey{}, voice{lang, c})
}

func of(ctx context.Context) voice {
	if v, ok := ctx.Value(contextKey{}).(voice); ok {
		return v
	}
	return voice{lang: English, catalogue: &Catalogue{}}
}

// Of is the language of a context; English where none was set.
func Of(ctx context.Context) Lang { return of(ctx).lang }

// Choose is the language of a request: what was chosen, or the one that its Accept-Language prefers.
func Choose(chosen, accept string) Lang {
	if l := Lang(chosen); l == English || l == Welsh {
		return l
	}
	tags, _, _ := language.ParseAcceptLanguage(accept) // the most wanted first; of what can't be read none
	for _, t := range tags {
		switch base, _ := t.Base(); base.String() {
		case "en":
			return English
		case "cy":
			return Welsh
		}
	}
	return English
}

// T says a text. Of the arguments a Key is said in the same language, a day.Day as Date does and a time.Time as Moment
// does. A Welsh text may take its arguments in another order: "%[2]s %[1]s".
func T(ctx context.Context, k Key, args ...any) string {
	if plain, ok := strings.CutPrefix(string(k), "##"); ok {
		return plain
	}
	v := of(ctx)
	text, _, _ := strings.Cut(string(k), "##")
	if v.lang == Welsh {
		if cy := v.catalogue.Texts[k]; cy != "" {
			text = cy
		}
	}
	if len(args) == 0 {
		return text
	}
	said := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case Key:
			said[i] = T(ctx, a)
		case day.Day:
			said[i] = Date(ctx, a)
		case time.Time:
			said[i] = Moment(ctx, a)
		default:
			said[i] = a
		}
	}
	return fmt.Sprintf(text, said...)
}

// List joins texts: "a", "a and b", "a, b and c".
func List(ctx context.Context, texts []string) string {
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	last := texts[len(texts)-1]
	and := "and"
	if Of(ctx) == Welsh {
		if and = "a"; startsWithVowel(last) {
			and = "ac"
		}
	}
	return strings.Join(texts[:len(texts)-1], ", ") + " " + and + " " + last
}

// ListOf says texts and joins them as List does. In Welsh the last one changes after "a": "enwau a chyfeiriadau".
func ListOf(ctx context.Context, keys []Key) string {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = T(ctx, k)
		if i > 0 && i == len(keys)-1 && Of(ctx) == Welsh {
			texts[i] = aspirate(texts[i])
		}
	}
	return List(ctx, texts)
}
