package courier

import (
	"context"
	"fmt"
	"strings"

	"github.com/dosevault/dosevault/internal/deadline"
	"github.com/dosevault/dosevault/internal/vault"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// text is what a notice's mail says. It holds figures and no name of anybody concerned, and nothing that a person wrote for it:
// who has an incident's page could write what a forger would.
type text struct{ subject, body string }

// text says a notice in its contact's language, or in both.
func (p *post) text(m vault.Mail) text {
	var subjects, bodies []string
	for _, lang := range []words.Lang{words.Welsh, words.English} {
		if l := m.Notice.Contact.Language; l != "" && l != vaultclient.InBoth && string(l) != string(lang) {
			continue
		}
		ctx := words.With(context.Background(), lang, &welsh)
		subjects = append(subjects, words.T(ctx, "Suspected breach of your staff's badge data: %s, part %d", m.Number, m.Notice.Phase))
		bodies = append(bodies, p.body(ctx, m))
	}
	return text{strings.Join(subjects, " / "), strings.Join(bodies, "\n"+strings.Repeat("=", 72)+"\n\n")}
}

func (p *post) body(ctx context.Context, m vault.Mail) string {
	var b strings.Builder
	say := func(k words.Key, args ...any) { b.WriteString(words.T(ctx, k, args...) + "\n") }
	head := func(k words.Key) { b.WriteString("\n" + strings.ToUpper(words.T(ctx, k)) + "\n") }
	say("To the contact for notices of %s", m.Organisation)
	b.WriteString("\n")
	say("This is a notice of a suspected breach of personal data of your staff, from the service that runs their radiation badges. Incident %s, part %d.", m.Number, m.Notice.Phase)

	head("Is this genuine?")
	say("A notice like this is easy to forge. This one asks for no password and for no data of anybody. To be sure, call us on the number that stands in your contract with us, not on one that you only find here. We answer on %s.", m.Notice.CallBack)

	head("Who is concerned")
	n := m.Notice
	switch {
	case n.Wearers > 0:
		count := words.Count(ctx, n.Wearers, "person", "people")
		if n.Maximum {
			say("Of your staff, as our ledger stands today, at most %s:", count)
		} else {
			say("Of your staff, %s:", count)
		}
		for _, r := range n.Rows {
			fmt.Fprintf(&b, "- %s: %s\n", words.Number(r.Wearers), vault.FieldWords(ctx, r.Fields))
		}
		say("It became readable between %s and %s.", words.Moment(ctx, n.First), words.Moment(ctx, n.Last))
		if n.Maximum {
			say("You are told the maximum at once; a further part follows when more is known.")
		}
	case !n.Sealed:
		say("As our ledger stands today, nobody of your staff.")
	}
	if n.Sealed {
		say("Sealed data of your staff was taken too. Nobody can read it without its keys, which were not taken as far as we know.")
	}

	head("What to do first")
	say("1. Open this page, which needs no account. It says what happened and what we do:")
	b.WriteString("   " + p.origin + "/notice?lang=" + string(words.Of(ctx)) + "&secret=" + m.Secret + "\n")
	say("2. Press “We have read this” there, so that we know that you know. You can ask us something there too. The link works for 30 days, and shows no figures once that is pressed. Whoever has it can open the page, so do not pass it on.")
	due := m.At.Add(deadline.Regulator)
	say("3. Decide whether to report it to the Information Commissioner. Whoever answers for the data has 72 hours from becoming aware, which is when this reached you at the latest: reckon with until %s.", words.Moment(ctx, due))
	say("4. Enter it in your register of breaches, whatever you decide.")
	return b.String()
}
