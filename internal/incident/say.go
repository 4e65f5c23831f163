package incident

import (
	"context"
	"math/bits"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/words"
)

// Say says a text of this package in the language of a context. Pages, letters and e-mails that show one need no Welsh of their own for it.
func Say(ctx context.Context, k words.Key, args ...any) string { return words.T(own(ctx), k, args...) }

// own is a context of the same language with this package's catalogue.
func own(ctx context.Context) context.Context { return words.With(ctx, words.Of(ctx), &welsh) }

// fieldKeys are the fields, in the order of their bits, as a person concerned is told of them.
var fieldKeys = [...]words.Key{
	"name", "date of birth", "sex", "staff number", "registration with a professional body", "National Insurance number", "contact details",
	"health (a pregnancy or a medical review)", "radiation doses", "documents and notes", "department, role and dates of employment",
}

// FieldKeys are the texts of a combination of fields.
func FieldKeys(f policy.Fields) []words.Key {
	var all []words.Key
	for rest := f & policy.AllFields; rest != 0; rest &= rest - 1 {
		all = append(all, fieldKeys[bits.TrailingZeros32(uint32(rest))])
	}
	return all
}

// SayFields says a combination of fields: "name, date of birth and radiation doses".
func SayFields(ctx context.Context, f policy.Fields) string {
	return words.ListOf(own(ctx), FieldKeys(f))
}
