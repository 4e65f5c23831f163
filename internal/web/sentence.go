package web

import (
	"context"
	"math/bits"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// line is a ledger entry in plain words.
type line struct {
	When   string    // as in "12 March 2026, 10:04"
	Text   string    // a sentence
	Note   string    // what else must be said of it; may be empty
	Tag    words.Key // marks what is no ordinary entry: Refused, Arrived, Declared …; may be empty
	Colour string    // of the tag
	Proof  string    // where the entry stands: log, number
}

// sentence says in plain words what an entry records. Nothing is guessed: an entry of an unknown kind is called by
// its kind, and an entry whose opening was erased says only what its leaf still tells.
func sentence(ctx context.Context, e vaultclient.Entry) line {
	l := line{When: words.Moment(ctx, e.Recorded), Proof: words.T(ctx, "Entry %d of %s", e.Seq, logName(ctx, e.Log))}
	if !e.Occurred.IsZero() && e.Recorded.Sub(e.Occurred).Abs() > time.Minute {
		l.Note = words.T(ctx, "It happened on %s.", e.Occurred)
	}
	l.tag(e.Kind, e.Basis)
	if e.Erased {
		l.Text = words.T(ctx, "%s. The details were erased; that it happened, and when, can still be proved.", capital(erasedWords(ctx, e)))
		return l
	}
	l.Text = capital(deed(ctx, e)) + "."
	if e.Reason != "" {
		l.Note = strings.TrimSpace(l.Note + " " + words.T(ctx, "Reason: %s.", e.Reason))
	}
	return l
}

// tag marks what is not a plain look.
func (l *line) tag(kind, basis string) {
	switch {
	case kind == "refuse":
		l.Tag, l.Colour = "Refused", "red"
	case kind == "intake" || basis == "intake":
		l.Tag, l.Colour = "From outside", "blue"
	case kind == "declared" || basis == "declared":
		l.Tag, l.Colour = "Declared", "orange"
	case housekeeping[kind]:
		l.Tag, l.Colour = "Upkeep", "grey"
	}
}

// housekeeping has the kinds that the program enters by itself, about the ledger.
var housekeeping = map[string]bool{"open-log": true, "heads": true, "start": true}

// deeds are what is said with nothing beyond who did it.
var deeds = map[string]words.Key{
	"organisation": "%s added or changed an organisation",
	"user":         "%s added or changed somebody who may sign in",
	"link":         "%s made a one-time link to sign in with",
	"discard":      "%s dropped a file that was on its way in; nothing of it was kept",
	"credential":   "a way to sign in was added, changed or taken away, by %s",
	"approval":     "%s proposed, approved, declined or withdrew something that takes two people",
	"policy":       "the rules of who may see what were changed, or agreed to, by %s",
	"freeze":       "%s stopped something to be safe, or two people let it go on",
	"budget":       "how much may be read in a day was changed, or gone over with a reason, by %s",
	"alarm":        "an alarm was raised, or seen to; about %s",
	"incident":     "%s entered what was done about a suspected breach",
	"oversee":      "%s looked at the ledger, or asked who had seen what",
}

// deed says who did what, without the full stop. Who, why and by way of what are whole phrases of their own, which a text
// puts where its language has them; the last two begin with a space or a comma, or are empty.
func deed(ctx context.Context, e vaultclient.Entry) string {
	who, why, way := actor(ctx, e), purpose(ctx, e.Purpose), via(ctx, e)
	fields, of, whom := fieldWords(ctx, e.Fields, 2), fieldsOf(ctx, e), people(ctx, e.Count)
	say := func(k words.Key, args ...any) string { return words.T(ctx, k, args...) }
	switch e.Kind {
	case "reveal":
		if e.Purpose == policy.OwnRecord && e.Count <= 1 {
			return say("%s read their own %s", who, fieldWords(ctx, e.Fields, 1))
		}
		if e.Count == 0 && e.Fields&policy.FieldDocument != 0 {
			return say("%s opened a list of people whom nobody here knew yet, with %s%s", who, fieldWords(ctx, e.Fields&^policy.FieldDocument, 2), why)
		}
		if e.Count == 0 {
			return say("%s read the organisation's own rows (departments, badge types, dates)%s; nobody's record was opened", who, why)
		}
		return say("%s saw %s%s", who, of, why)
	case "search":
		if e.Count == 0 {
			return say("%s searched for a wearer%s and found nobody", who, why)
		}
		return say("%s looked through the wearers and saw %s%s", who, of, why)
	case "refuse":
		if e.Fields == 0 && e.Count == 0 {
			return say("%s asked for something%s and was refused; nothing was shown", who, why)
		}
		if e.Count == 0 {
			return say("%s asked for %s%s and was refused; nothing was shown", who, fields, why)
		}
		return say("%s asked for %s%s and was refused; nothing was shown", who, of, why)
	case "compare":
		if e.Count == 0 {
			return say("%s had the vault hold a list of people against the wearers; it named nobody who is known", who)
		}
		return say("%s had the vault compare %s with a file's; only “same” or “different” came back", who, of)
	case "intake":
		if e.Fields == 0 && e.Count == 0 {
			return say("personal data arrived from outside, taken in by %s%s", who, way)
		}
		return say("personal data arrived from outside: %s, taken in by %s%s", of, who, way)
	case "declared":
		return say("%s declared that %s had gone to somebody outside; this was not seen here, only reported", who, of)
	case "import":
		if e.Count == 0 {
			return say("%s confirmed a file, and what it holds was stored%s", who, way)
		}
		return say("%s confirmed a file: the records of %s were stored%s", who, whom, way)
	case "stage":
		return say("%s prepared new or changed records of %s, not yet in force", who, whom)
	case "write":
		if e.Fields == 0 && e.Count == 0 {
			return say("%s changed the organisation's settings (contact, laboratory accounts, levels, departments)", who)
		}
		if e.Fields == 0 {
			return say("%s changed the records of %s%s", who, whom, why)
		}
		return say("%s wrote %s%s", who, of, why)
	case "person":
		return say("%s said which records belong to one human being, or do not: %s here", who, whom)
	case "grant":
		switch {
		case e.Fields == 0:
			return say("%s gave leave for a job%s%s", who, why, way)
		case e.Count == 0:
			return say("%s gave leave for a job to use %s%s%s", who, fields, why, way)
		}
		return say("%s gave leave for a job to use %s of up to %s%s%s", who, fields, whom, why, way)
	case "machine":
		return say("%s gave a machine outside leave, or ended it: %s%s", who, fields, why)
	case "sign-in":
		return say("%s signed in%s", who, way)
	case "sign-out":
		return say("%s signed out%s", who, way)
	case "start":
		return say("the vault was started")
	case "open-log":
		return say("this ledger was opened")
	case "heads":
		return say("the newest heads of the ledgers were fixed in the installation's log")
	}
	if k, ok := deeds[e.Kind]; ok {
		return say(k, who)
	}
	if e.Fields != 0 || e.Count > 0 {
		return say("an entry of the kind “%s”, which this page has no words for, made by %s, about %s", e.Kind, who, of)
	}
	return say("an entry of the kind “%s”, which this page has no words for, made by %s", e.Kind, who)
}

// erasedDeeds say what a leaf alone tells: of nobody in particular, and of a number of people.
var erasedDeeds = map[string][2]words.Key{
	"reveal":   {"personal data was shown", "personal data of %s was shown"},
	"search":   {"personal data was shown", "personal data of %s was shown"},
	"refuse":   {"personal data was asked for and refused", "personal data of %s was asked for and refused"},
	"compare":  {"names were compared with a file's", "names of %s were compared with a file's"},
	"intake":   {"personal data arrived from outside", "personal data of %s arrived from outside"},
	"declared": {"a disclosure of personal data was declared", "a disclosure of personal data of %s was declared"},
	"import":   {"records were stored, changed or dropped", "records of %s were stored, changed or dropped"},
}

// erasedWords says what a leaf alone tells.
func erasedWords(ctx context.Context, e vaultclient.Entry) string {
	kind := e.Kind
	switch kind {
	case "stage", "write", "discard", "person":
		kind = "import"
	}
	deeds, ok := erasedDeeds[kind]
	switch {
	case !ok:
		return words.T(ctx, "an entry of the kind “%s” was made", e.Kind)
	case e.Count > 0:
		return words.T(ctx, deeds[1], people(ctx, e.Count))
	}
	return words.T(ctx, deeds[0])
}

// actor says who: "Mair Evans (co-ordinator)", "a co-ordinator" where the name is not the reader's to see, or the
// part of the program that acted.
func actor(ctx context.Context, e vaultclient.Entry) string {
	switch {
	case (e.Role == "job" || e.Role == "machine") && e.Actor != "":
		return worker(ctx, e.Actor)
	case e.Actor != "" && e.Role != "" && e.Actor != e.Role:
		return e.Actor + " (" + roleWord(ctx, policy.Role(e.Role)) + ")"
	case e.Role != "":
		return article(ctx, policy.Role(e.Role))
	case e.Actor != "":
		for _, r := range policy.Roles {
			if e.Actor == string(r) {
				return article(ctx, r)
			}
		}
		return e.Actor
	case e.Node != "":
		return words.T(ctx, "the program's %s node", nodeWord(e.Node))
	}
	return words.T(ctx, "the program itself")
}

// workers are how the vault calls jobs and machines: what the name stands between, and the text with the name.
var workers = []struct {
	before, after string
	text          words.Key
}{
	{"a job of the machine “", "”", "a job of the machine “%s”"}, {"the machine “", "”", "the machine “%s”"}, {"a job given by ", "", "a job given by %s"},
}

// worker says which job or machine acted, which the vault says in English.
func worker(ctx context.Context, actor string) string {
	for _, w := range workers {
		if name, ok := strings.CutPrefix(actor, w.before); ok && strings.HasSuffix(name, w.after) {
			return words.T(ctx, w.text, strings.TrimSuffix(name, w.after))
		}
	}
	if actor == "a job" {
		return words.T(ctx, "a job")
	}
	return actor
}

// article puts a or an before a role; Welsh has no word for it.
func article(ctx context.Context, r policy.Role) string {
	role := roleWord(ctx, r)
	switch {
	case words.Of(ctx) == words.Welsh:
		return role
	case strings.ContainsRune("aeio", rune(role[0])):
		return "an " + role
	}
	return "a " + role
}

var nodeWords = map[string]words.Key{"web": "web##node", "worker": "worker##node", "vault": "vault##node", "cli": "command line##node"}

// nodeWord says which part of the program.
func nodeWord(node string) words.Key {
	if w := nodeWords[node]; w != "" {
		return w
	}
	return words.Plain(node)
}

// via says by way of what, with a comma before it.
func via(ctx context.Context, e vaultclient.Entry) string {
	if e.Node == "" || (e.Actor == "" && e.Role == "") {
		return ""
	}
	if e.Node == "cli" {
		return words.T(ctx, ", on the command line")
	}
	return words.T(ctx, ", by way of the %s node", nodeWord(e.Node))
}

var purposeWords = map[policy.Purpose]words.Key{
	policy.IssueBadges: "to issue badges", policy.AssessDose: "to assess doses", policy.StatutoryReturn: "for a statutory return",
	policy.OwnRecord: "as their own record", policy.BreachNotice: "to tell people of a breach", policy.Oversight: "for oversight",
	policy.KeepRecords: "to keep records",
}

// purpose says why, with a space before it; no purpose gives nothing.
func purpose(ctx context.Context, p policy.Purpose) string {
	if p == "" {
		return ""
	}
	if w := purposeWords[p]; w != "" {
		return " " + words.T(ctx, w)
	}
	return " " + words.T(ctx, "for the purpose “%s”", string(p))
}

// fieldsOf says which fields of how many people: "the names and doses of 25 people".
func fieldsOf(ctx context.Context, e vaultclient.Entry) string {
	return words.T(ctx, "the %s of %s", fieldWords(ctx, e.Fields, e.Count), people(ctx, e.Count))
}

var oneField = [...]words.Key{"name", "date of birth", "sex", "staff number", "professional registration", "NI number", "contact details", "health record", "doses", "documents", "employment details"}

var manyFields = [...]words.Key{"names", "dates of birth", "sex", "staff numbers", "professional registrations", "NI numbers", "contact details", "health records", "doses", "documents", "employment details"}

// fieldWords names fields, in the singular for one person. Fields that this page does not know are said to be there.
func fieldWords(ctx context.Context, f policy.Fields, n int) string {
	texts := &manyFields
	if n == 1 {
		texts = &oneField
	}
	var s []words.Key
	for rest := f & policy.AllFields; rest != 0; rest &= rest - 1 {
		s = append(s, texts[bits.TrailingZeros32(uint32(rest))])
	}
	if f&^policy.AllFields != 0 {
		s = append(s, "other fields")
	}
	if len(s) == 0 {
		if n == 1 {
			return words.T(ctx, "record")
		}
		return words.T(ctx, "records")
	}
	return words.ListOf(ctx, s)
}

// logName says which log: "the installation's log", "the ledger of 2026".
func logName(ctx context.Context, log string) string {
	if log == "installation" {
		return words.T(ctx, "the installation's log")
	}
	if i := strings.LastIndexByte(log, '/'); i >= 0 {
		return words.T(ctx, "the ledger of %s", log[i+1:])
	}
	return words.T(ctx, "the ledger")
}
