package policy

import (
	"fmt"
	"math/bits"
	"strings"
)

// Class is a field class: what has one key for each wearer.
type Class uint8

// The field classes. Employment is the organisation's own view of a wearer (department, role, dates, badge
// types): it is sealed under the organisation's key, not the wearer's.
const (
	NoClass Class = iota
	ClassIdentity
	ClassNI
	ClassContact
	ClassHealth
	ClassDose
	ClassDocument
	ClassEmployment
)

var classNames = [...]string{"", "identity", "ni", "contact", "health", "dose", "document", "employment"}

// WearerClasses are the classes that have a key for each wearer.
var WearerClasses = []Class{ClassIdentity, ClassNI, ClassContact, ClassHealth, ClassDose, ClassDocument}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return fmt.Sprintf("class(%d)", uint8(c))
}

// Fields is a set of fields. What a person is told after a breach depends on the combination
// ("name + date of birth + dose"), so the ledger records fields, finer than classes.
// The bits are written to ledgers: they never change their meaning.
type Fields uint32

// The fields.
const (
	FieldName Fields = 1 << iota // surname, forenames, known as, former names
	FieldBirth
	FieldSex
	FieldStaffNumber
	FieldRegistration
	FieldNI
	FieldContact
	FieldHealth
	FieldDose
	FieldDocument
	FieldEmployment
	endOfFields
)

// AllFields is every field there is.
const AllFields = endOfFields - 1

var fieldNames = [...]string{"name", "birth", "sex", "staff_number", "registration", "ni", "contact", "health", "dose", "document", "employment"}

var fieldWords = [...]string{"name", "date of birth", "sex", "staff number", "registration", "NI number", "contact", "health", "dose", "document", "employment"}

var fieldClasses = [...]Class{ClassIdentity, ClassIdentity, ClassIdentity, ClassIdentity, ClassIdentity, ClassNI, ClassContact, ClassHealth, ClassDose, ClassDocument, ClassEmployment}

// Names returns the fields' names as policies and interfaces spell them, in order.
func (f Fields) Names() []string {
	var s []string
	for rest := f & AllFields; rest != 0; rest &= rest - 1 {
		s = append(s, fieldNames[bits.TrailingZeros32(uint32(rest))])
	}
	return s
}

// String returns the fields in plain words, as in "name + date of birth + dose".
func (f Fields) String() string {
	if f&AllFields == 0 {
		return "nothing"
	}
	var s []string
	for rest := f & AllFields; rest != 0; rest &= rest - 1 {
		s = append(s, fieldWords[bits.TrailingZeros32(uint32(rest))])
	}
	return strings.Join(s, " + ")
}

// Classes returns the classes that the fields belong to, in the order of the constants.
func (f Fields) Classes() []Class {
	var s []Class
	seen := [len(classNames)]bool{}
	for rest := f & AllFields; rest != 0; rest &= rest - 1 {
		if c := fieldClasses[bits.TrailingZeros32(uint32(rest))]; !seen[c] {
			seen[c] = true
			s = append(s, c)
		}
	}
	return s
}

// FieldsOf returns the fields that belong to a class.
func FieldsOf(c Class) Fields {
	var f Fields
	for i, of := range fieldClasses {
		if of == c {
			f |= 1 << i
		}
	}
	return f
}

// ParseFields reads names as in Names; the error names the first unknown one.
func ParseFields(names ...string) (Fields, error) {
	var f Fields
next:
	for _, n := range names {
		for i, known := range fieldNames {
			if n == known {
				f |= 1 << i
				continue next
			}
		}
		return 0, fmt.Errorf("unknown field %q: one of %s expected", n, strings.Join(fieldNames[:], ", "))
	}
	return f, nil
}

// Purpose is why a field is asked for.
type Purpose string

// The purposes.
const (
	IssueBadges     Purpose = "issue-badges"     // labels, issue sheets, lists of wearers
	AssessDose      Purpose = "assess-dose"      // imports, totals, limits, investigations
	StatutoryReturn Purpose = "statutory-return" // records that the law asks for
	OwnRecord       Purpose = "own-record"       // a wearer's own view
	BreachNotice    Purpose = "breach-notice"    // telling people of a breach
	Oversight       Purpose = "oversight"        // ledger and exposures
	KeepRecords     Purpose = "keep-records"     // joining, changing, correcting
)

// Purposes lists every purpose.
var Purposes = []Purpose{IssueBadges, AssessDose, StatutoryReturn, OwnRecord, BreachNotice, Oversight, KeepRecords}

// Role is what a user is to the service or to an organisation.
type Role string

// The roles.
const (
	Coordinator    Role = "co-ordinator"            // all organisations of the service
	RecordsOfficer Role = "records-officer"         // NI number and date of birth, classified people only
	Supervisor     Role = "supervisor"              // radiation protection supervisor of one organisation
	Local          Role = "local-co-ordinator"      // issues and takes back one organisation's badges; no doses
	DataProtection Role = "data-protection-officer" // ledger and exposures of one organisation
	Wearer         Role = "wearer"                  // own record
	Operator       Role = "operator"                // nothing personal
	Administrator  Role = "administrator"           // who may sign in and do what; nothing personal of wearers
)

// Roles lists every role.
var Roles = []Role{Coordinator, RecordsOfficer, Supervisor, Local, DataProtection, Wearer, Operator, Administrator}

// Tied are the roles that hold at organisations only: without one they see nobody.
var Tied = []Role{Supervisor, Local, DataProtection}

// Action is what a request does; each has a policy file of its own.
type Action string

// The actions.
const (
	Reveal  Action = "reveal"  // read fields of a wearer
	Search  Action = "search"  // look for wearers by name, staff or NI number
	Compare Action = "compare" // is this the name of that wearer?
	Match   Action = "match"   // who may be one human being?
	Write   Action = "write"   // seal, stage or change what belongs to a wearer
	Manage  Action = "manage"  // create organisations, link wearers; read nothing
	Oversee Action = "oversee" // read a ledger, ask for exposures, declare disclosures
	Grant   Action = "grant"   // give a job grant
	Machine Action = "machine" // give a machine outside leave

	Administer Action = "administer" // users, their sessions and ways to sign in, policies, budgets, alarms; read nothing
	Freeze     Action = "freeze"     // stop what may be misused; thawing is a proposal of its own
)

// Actions lists every action.
var Actions = []Action{Reveal, Search, Compare, Match, Write, Manage, Oversee, Grant, Machine, Administer, Freeze}
