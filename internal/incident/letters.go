package incident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/letter"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// LanguagesOf are the languages that somebody is written to in, the first one first. Whose wish is not known is written to in both, since Welsh public bodies send the
// same letter in both at the same time.
func LanguagesOf(wish vaultclient.NoticeLanguage) []words.Lang {
	switch wish {
	case vaultclient.InWelsh:
		return []words.Lang{words.Welsh}
	case vaultclient.InEnglish:
		return []words.Lang{words.English}
	case vaultclient.InBoth:
	}
	return []words.Lang{words.Welsh, words.English}
}

// speakIn is a context of a language.
func speakIn(ctx context.Context, l words.Lang) context.Context {
	return words.With(ctx, l, &welsh)
}

// OrganisationLetter is the notice to an organisation as a letter, in the languages of its contact, on one set of sheets: what a step Telling gave out. It names nobody whose data it is
// about. link is the address of the notice's page, if there is one to give.
func OrganisationLetter(ctx context.Context, number, organisation string, told vaultclient.IncidentStep, link string) ([]letter.Part, error) {
	n := told.Notice
	if n == nil {
		return nil, fmt.Errorf("incident: a letter is made of the step that told an organisation")
	}
	var parts []letter.Part
	for _, l := range LanguagesOf(n.Contact.Language) {
		parts = append(parts, letter.Part{Kind: letter.Sheet})
		parts = append(parts, organisationLetter(speakIn(ctx, l), number, organisation, told, link)...)
	}
	return parts, nil
}

func organisationLetter(ctx context.Context, number, organisation string, told vaultclient.IncidentStep, link string) (parts []letter.Part) {
	n := told.Notice
	add := func(kind letter.PartKind, k words.Key, args ...any) {
		parts = append(parts, letter.Part{Kind: kind, Text: Say(ctx, k, args...)})
	}
	parts = append(parts, letter.Part{Kind: letter.Address, Lines: append([]string{n.Contact.Name, organisation}, n.Contact.Post...)}, letter.Part{Text: words.On(ctx, told.At)})
	add(letter.Title, "Suspected breach of your staff's badge data")
	add(letter.Paragraph, "This is a notice of a suspected breach of personal data of your staff, from the service that runs their radiation badges: incident %s, part %d. You are the controller of this data, and the service is your processor (UK GDPR Art 33(2)).", number, n.Phase)
	add(letter.Heading, "What happened, and what is done")
	parts = append(parts, letter.Part{Text: told.Text})
	add(letter.Heading, "Who is concerned")
	switch {
	case n.Wearers > 0:
		if n.Maximum {
			add(letter.Paragraph, "Of your staff, former staff too, as our ledger stands today, at most %s:", countPeople(ctx, n.Wearers))
		} else {
			add(letter.Paragraph, "Of your staff, former staff too, %s:", countPeople(ctx, n.Wearers))
		}
		for _, row := range n.Rows {
			parts = append(parts, letter.Part{Kind: letter.Bullet, Text: SayFields(ctx, row.Fields) + ": " + words.Number(row.Wearers)})
		}
		add(letter.Paragraph, "It became readable between %s and %s.", words.On(ctx, n.First), words.On(ctx, n.Last))
		if n.Maximum {
			add(letter.Paragraph, "You are told the maximum at once; another part follows when more is known.")
		}
	case !n.Sealed:
		add(letter.Paragraph, "As our ledger stands today, nobody of your staff.")
	}
	if n.Sealed {
		add(letter.Paragraph, "Sealed data of your staff was taken too. Nobody can read it without its keys, which were not taken as far as we know.")
	}
	add(letter.Heading, "What to do now")
	add(letter.Bullet, "Call us on %s, and say that you have this letter. If you are not sure that it is genuine, use the number in your contract with us instead. It asks you for no password and for nobody's data.", n.CallBack)
	add(letter.Bullet, "Decide whether to report to the Information Commissioner: you have 72 hours from when you became aware, nights and weekends counted. That is when this letter reached you, or an e-mail or call before it.")
	add(letter.Bullet, "Decide whether to tell the people concerned. We tell you who they are through the service's pages, or hand you letters to them; ask us.")
	add(letter.Bullet, "Enter the breach in your register, whatever you decide (Art 33(5)).")
	if link != "" {
		add(letter.Bullet, "The same stands on a page that needs no account: %s. Whoever has this address can open it, so don't pass it on.", link)
	}
	return parts
}

func countPeople(ctx context.Context, n int) string {
	return words.Count(own(ctx), n, "person", "people")
}

// Concerned is one person of an organisation, of whom something became readable. Name and address were revealed to the print that the letter is in.
type Concerned struct {
	Wearer   id.Wearer
	Fields   policy.Fields
	Entries  int       // that it stands in
	Years    []uint16  // of dose
	First    time.Time // of what became readable
	Last     time.Time
	Name     person.Value
	Address  []person.Value
	Language vaultclient.NoticeLanguage
	Left     bool // no longer employed there
}

// ConcernedOf are the people of an organisation, or with the zero one of all, who stand in an answer of the ledgers, each once with all that became readable of them, in the order in which they stand there.
func ConcernedOf(list []vaultclient.Exposure, org id.Organisation) []Concerned {
	at := map[id.Wearer]int{}
	var out []Concerned
	for _, x := range list {
		if x.Organisation != org && !org.IsZero() {
			continue
		}
		i, seen := at[x.Wearer]
		if !seen {
			i = len(out)
			at[x.Wearer] = i
			out = append(out, Concerned{Wearer: x.Wearer, First: x.First, Last: x.Last})
		}
		c := &out[i]
		c.Fields |= x.Fields
		c.Entries += x.Entries
		c.Years = append(c.Years, x.Years...)
		slices.Sort(c.Years)
		c.Years = slices.Compact(c.Years)
		if x.First.Before(c.First) {
			c.First = x.First
		}
		if x.Last.After(c.Last) {
			c.Last = x.Last
		}
	}
	return out
}

// Print is a set of letters to the people of an organisation. What happened is said in both languages by whoever leads the incident.
type Print struct {
	Number       string
	Organisation string
	Day          time.Time
	CallBack     string
	What         map[words.Lang]string // what happened, and what is done about it
	Died         int                   // nobody writes to them
	People       []Concerned
}

// Letters are the letters, those who have left after the others, and before them a sheet with what the set holds. Each begins a new sheet.
func (p Print) Letters(ctx context.Context) []letter.Part {
	people := slices.Clone(p.People)
	slices.SortStableFunc(people, func(a, b Concerned) int {
		switch {
		case a.Left == b.Left:
			return 0
		case b.Left:
			return -1
		}
		return 1
	})
	parts := p.cover(ctx)
	for _, c := range people {
		for _, l := range LanguagesOf(c.Language) {
			parts = append(parts, letter.Part{Kind: letter.Sheet})
			parts = append(parts, p.toPerson(speakIn(ctx, l), c)...)
		}
	}
	return parts
}

// Counts are how many letters are to who is there, to who has left, and how many have no address.
func (p Print) Counts() (there, left, homeless int) {
	for _, c := range p.People {
		if c.Left {
			left++
		} else {
			there++
		}
		if len(c.Address) == 0 {
			homeless++
		}
	}
	return there, left, homeless
}

// cover is the sheet that says what the set holds, without a name.
func (p Print) cover(ctx context.Context) []letter.Part {
	there, left, homeless := p.Counts()
	row := func(k words.Key, n int) letter.Part {
		return letter.Part{Kind: letter.Row, Text: Say(ctx, k), Value: words.Number(n)}
	}
	parts := []letter.Part{{Kind: letter.Title, Text: Say(ctx, "Letters to people concerned")}, {Text: Say(ctx, "Incident %s, %s. Keep these letters together until they are posted; whoever holds them can be answered for by the export below.", p.Number, p.Organisation)},
		row("Letters to people who work there", there), row("Letters to people who have left, at the end", left), row("Letters without an address, to be handed over", homeless), row("People who have died: nobody writes to them", p.Died)}
	by := map[policy.Fields]int{}
	var order []policy.Fields
	for _, c := range p.People {
		if by[c.Fields] == 0 {
			order = append(order, c.Fields)
		}
		by[c.Fields]++
	}
	for _, f := range order {
		parts = append(parts, letter.Part{Kind: letter.Row, Text: SayFields(ctx, f), Value: words.Number(by[f])})
	}
	return parts
}

// toPerson is the letter to somebody concerned: nature, contact, consequences and measures in plain words (UK GDPR Art 34(2)), and what was held.
func (p Print) toPerson(ctx context.Context, c Concerned) (parts []letter.Part) {
	add := func(kind letter.PartKind, k words.Key, args ...any) {
		parts = append(parts, letter.Part{Kind: kind, Text: Say(ctx, k, args...)})
	}
	bullets := func(title words.Key, all []words.Key) {
		add(letter.Heading, title)
		for _, k := range all {
			add(letter.Bullet, k)
		}
	}
	lines := []string{c.Name.Expose()}
	for _, l := range c.Address {
		lines = append(lines, l.Expose())
	}
	parts = append(parts, letter.Part{Kind: letter.Address, Lines: lines}, letter.Part{Text: words.On(ctx, p.Day)})
	add(letter.Title, "Your data: what happened, and what you can do")
	add(letter.Paragraph, "We write to you because data about you that %s holds, or held, for your radiation badges became known, or may have become known, to somebody who should not have it.", p.Organisation)
	add(letter.Heading, "What happened, and what is done")
	parts = append(parts, letter.Part{Text: p.What[words.Of(ctx)]})
	add(letter.Paragraph, "It was readable between %s and %s.", words.On(ctx, c.First), words.On(ctx, c.Last))
	add(letter.Heading, "What was held about you")
	for _, k := range FieldKeys(c.Fields) {
		add(letter.Bullet, k)
	}
	if c.Fields&policy.FieldDose != 0 && len(c.Years) > 0 {
		add(letter.Paragraph, "The radiation doses are those of %s.", words.List(ctx, years(c.Years)))
	}
	add(letter.Paragraph, "This is the most that can have become known, by our records. Anything else that is held about you is not concerned.")
	if c.Fields&policy.FieldNI != 0 {
		add(letter.Paragraph, "Your National Insurance number was held because the law asks for it in the dose records of people who are classified for work with radiation.")
	}
	a := AdviceFor(c.Fields)
	bullets(WhatCanHappen, a.Consequences)
	bullets(WhatYouCanDo, a.Steps)
	add(letter.Heading, WhatWeOffer)
	for _, s := range a.Support.Say(ctx) {
		parts = append(parts, letter.Part{Kind: letter.Bullet, Text: s})
	}
	add(letter.Heading, "Who to ask")
	add(letter.Paragraph, "Call %s, and say incident %s. Your employer, %s, answers for your data; you can also ask its data protection officer. This letter asks you for nothing: if you doubt that it is genuine, ask your employer on a number that you know.", p.CallBack, p.Number, p.Organisation)
	return parts
}

func years(all []uint16) []string {
	out := make([]string, len(all))
	for i, y := range all {
		out[i] = fmt.Sprint(y)
	}
	return out
}

// Summary says in a line what a set of letters holds, for the incident's timeline.
func (p Print) Summary(export id.Export) string {
	there, left, homeless := p.Counts()
	parts := []string{fmt.Sprintf("Letters to people concerned printed as export:%s: %d", export, there+left)}
	for _, x := range []struct {
		n    int
		what string
	}{{left, "to people who have left"}, {homeless, "without an address"}, {p.Died, "have died and get none"}} {
		if x.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", x.n, x.what))
		}
	}
	return strings.Join(parts, "; ") + "."
}
