package web

import (
	"fmt"
	"math/bits"
	"strings"
	"time"

	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// line is a ledger entry in plain words.
type line struct {
	When   string // as in "12 March 2026, 10:04"
	Text   string // a sentence
	Note   string // what else must be said of it; may be empty
	Tag    string // marks what is no ordinary entry: Refused, Arrived, Declared …; may be empty
	Colour string // of the tag
	Proof  string // where the entry stands: log, number
}

// sentence says in plain words what an entry records. Nothing is guessed: an entry of an unknown kind is called by
// its kind, and an entry whose opening was erased says only what its leaf still tells.
func sentence(e vaultclient.Entry) line {
	l := line{When: moment(e.Recorded), Proof: fmt.Sprintf("Entry %d of %s", e.Seq, logName(e.Log))}
	if !e.Occurred.IsZero() && e.Recorded.Sub(e.Occurred).Abs() > time.Minute {
		l.Note = "It happened on " + moment(e.Occurred) + "."
	}
	switch {
	case e.Kind == "refuse":
		l.Tag, l.Colour = "Refused", "red"
	case e.Kind == "intake" || e.Basis == "intake":
		l.Tag, l.Colour = "From outside", "blue"
	case e.Kind == "declared" || e.Basis == "declared":
		l.Tag, l.Colour = "Declared", "orange"
	case housekeeping[e.Kind]:
		l.Tag, l.Colour = "Upkeep", "grey"
	}
	if e.Erased {
		l.Text = capital(erasedWords(e)) + ". The details were erased; that it happened, and when, can still be proved."
		return l
	}
	l.Text = capital(deed(e)) + "."
	if e.Reason != "" {
		l.Note = strings.TrimSpace(l.Note + " Reason: " + e.Reason + ".")
	}
	return l
}

// housekeeping has the kinds that the program enters by itself, about the ledger.
var housekeeping = map[string]bool{"open-log": true, "heads": true, "start": true}

// deed says who did what, without the full stop.
func deed(e vaultclient.Entry) string {
	who := actor(e)
	own := e.Purpose == policy.OwnRecord && e.Count <= 1
	switch e.Kind {
	case "reveal":
		if own {
			return who + " read their own " + fieldWords(e.Fields, 1)
		}
		if e.Count == 0 && e.Fields&policy.FieldDocument != 0 {
			return who + " opened a list of people whom nobody here knew yet, with " + fieldWords(e.Fields&^policy.FieldDocument, 2) + purpose(e.Purpose)
		}
		if e.Count == 0 {
			return who + " read the organisation's own rows (departments, badge types, dates)" + purpose(e.Purpose) + "; nobody's record was opened"
		}
		return who + " saw " + fieldsOf(e) + purpose(e.Purpose)
	case "search":
		if e.Count == 0 {
			return who + " searched for a wearer" + purpose(e.Purpose) + " and found nobody"
		}
		return who + " looked through the wearers and saw " + fieldsOf(e) + purpose(e.Purpose)
	case "refuse":
		if e.Fields == 0 && e.Count == 0 {
			return who + " asked for something" + purpose(e.Purpose) + " and was refused; nothing was shown"
		}
		if e.Count == 0 {
			return who + " asked for " + fieldWords(e.Fields, 2) + purpose(e.Purpose) + " and was refused; nothing was shown"
		}
		return who + " asked for " + fieldsOf(e) + purpose(e.Purpose) + " and was refused; nothing was shown"
	case "compare":
		if e.Count == 0 {
			return who + " had the vault hold a list of people against the wearers; it named nobody who is known"
		}
		return who + " had the vault compare " + fieldsOf(e) + " with a file's; only “same” or “different” came back"
	case "intake":
		text := "personal data arrived from outside"
		if e.Fields != 0 || e.Count > 0 {
			text += ": " + fieldsOf(e)
		}
		return text + ", taken in by " + who + via(e)
	case "declared":
		return who + " declared that " + fieldsOf(e) + " had gone to somebody outside; this was not seen here, only reported"
	case "import":
		if e.Count == 0 {
			return who + " confirmed a file, and what it holds was stored" + via(e)
		}
		return who + " confirmed a file: the records of " + people(e.Count) + " were stored" + via(e)
	case "stage":
		return who + " prepared new or changed records of " + people(e.Count) + ", not yet in force"
	case "write":
		if e.Fields == 0 && e.Count == 0 {
			return who + " changed the organisation's settings (contact, laboratory accounts, levels, departments)"
		}
		if e.Fields == 0 {
			return who + " changed the records of " + people(e.Count) + purpose(e.Purpose)
		}
		return who + " wrote " + fieldsOf(e) + purpose(e.Purpose)
	case "person":
		return who + " said which records belong to one human being, or do not: " + people(e.Count) + " here"
	case "grant":
		text := who + " gave leave for a job"
		if e.Fields != 0 {
			text += " to use " + fieldWords(e.Fields, 2)
			if e.Count > 0 {
				text += " of up to " + people(e.Count)
			}
		}
		return text + purpose(e.Purpose) + via(e)
	case "machine":
		return who + " gave a machine outside leave, or ended it: " + fieldWords(e.Fields, 2) + purpose(e.Purpose)
	case "sign-in":
		return who + " signed in" + via(e)
	case "sign-out":
		return who + " signed out" + via(e)
	case "organisation":
		return who + " added or changed an organisation"
	case "user":
		return who + " added or changed somebody who may sign in"
	case "link":
		return who + " made a one-time link to sign in with"
	case "discard":
		return who + " dropped a file that was on its way in; nothing of it was kept"
	case "start":
		return "the vault was started"
	case "open-log":
		return "this ledger was opened"
	case "heads":
		return "the newest heads of the ledgers were fixed in the installation's log"
	case "oversee":
		return who + " looked at the ledger, or asked who had seen what"
	}
	text := "an entry of the kind “" + e.Kind + "”, which this page has no words for, made by " + who
	if e.Fields != 0 || e.Count > 0 {
		text += ", about " + fieldsOf(e)
	}
	return text
}

// erasedWords says what a leaf alone tells.
func erasedWords(e vaultclient.Entry) string {
	of := ""
	if e.Count > 0 && !housekeeping[e.Kind] {
		of = " of " + people(e.Count)
	}
	switch e.Kind {
	case "reveal", "search":
		return "personal data" + of + " was shown"
	case "refuse":
		return "personal data" + of + " was asked for and refused"
	case "compare":
		return "names" + of + " were compared with a file's"
	case "intake":
		return "personal data" + of + " arrived from outside"
	case "declared":
		return "a disclosure of personal data" + of + " was declared"
	case "import", "stage", "write", "discard", "person":
		return "records" + of + " were stored, changed or dropped"
	}
	return "an entry of the kind “" + e.Kind + "” was made"
}

// actor says who: "Mair Evans (co-ordinator)", "a co-ordinator" where the name is not the reader's to see, or the
// part of the program that acted.
func actor(e vaultclient.Entry) string {
	role := roleWord(policy.Role(e.Role))
	switch {
	case (e.Role == "job" || e.Role == "machine") && e.Actor != "":
		return e.Actor
	case e.Actor != "" && e.Role != "" && e.Actor != e.Role:
		return e.Actor + " (" + role + ")"
	case e.Role != "":
		return article(role)
	case e.Actor != "":
		for _, r := range policy.Roles {
			if e.Actor == string(r) {
				return article(roleWord(r))
			}
		}
		return e.Actor
	case e.Node != "":
		return "the program's " + e.Node + " node"
	}
	return "the program itself"
}

func article(noun string) string {
	if strings.ContainsRune("aeio", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

func via(e vaultclient.Entry) string {
	if e.Node == "" || (e.Actor == "" && e.Role == "") {
		return ""
	}
	if e.Node == "cli" {
		return ", on the command line"
	}
	return ", by way of the " + e.Node + " node"
}

var purposeWords = map[policy.Purpose]string{
	policy.IssueBadges: " to issue badges", policy.AssessDose: " to assess doses", policy.StatutoryReturn: " for a statutory return",
	policy.OwnRecord: " as their own record", policy.BreachNotice: " to tell people of a breach", policy.Oversight: " for oversight",
	policy.KeepRecords: " to keep records",
}

// purpose says why, with a space before it; no purpose gives nothing.
func purpose(p policy.Purpose) string {
	if p == "" {
		return ""
	}
	if w := purposeWords[p]; w != "" {
		return w
	}
	return " for the purpose “" + string(p) + "”"
}

// fieldsOf says which fields of how many people: "the names and doses of 25 people".
func fieldsOf(e vaultclient.Entry) string {
	return "the " + fieldWords(e.Fields, e.Count) + " of " + people(e.Count)
}

var oneField = [...]string{"name", "date of birth", "sex", "staff number", "professional registration", "NI number", "contact details", "health record", "doses", "documents", "employment details"}

var manyFields = [...]string{"names", "dates of birth", "sex", "staff numbers", "professional registrations", "NI numbers", "contact details", "health records", "doses", "documents", "employment details"}

// fieldWords names fields, in the singular for one person. Fields that this page does not know are said to be there.
func fieldWords(f policy.Fields, n int) string {
	words := &manyFields
	if n == 1 {
		words = &oneField
	}
	var s []string
	for rest := f & policy.AllFields; rest != 0; rest &= rest - 1 {
		s = append(s, words[bits.TrailingZeros32(uint32(rest))])
	}
	if f&^policy.AllFields != 0 {
		s = append(s, "other fields")
	}
	if len(s) == 0 {
		if n == 1 {
			return "record"
		}
		return "records"
	}
	return list(s)
}

// logName says which log: "the installation's log", "the ledger of 2026".
func logName(log string) string {
	if log == "installation" {
		return "the installation's log"
	}
	if i := strings.LastIndexByte(log, '/'); i >= 0 {
		return "the ledger of " + log[i+1:]
	}
	return "the ledger"
}
