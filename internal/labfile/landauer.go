package labfile

import (
	"slices"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/labfile/delimited"
)

// Profile is what a laboratory's texts mean. Everything that it does not list is unknown and stops a row.
type Profile struct {
	name      string
	fallback  delimited.Fallback
	headings  []string
	uses      map[string]use
	qualities []string
	notes     map[string]dose.Qualifier // NoQualifier: the note says nothing about the dose
	early     int                       // days that a badge may be read before its period ends
	layout    *Layout                   // of a profile that was read from a file; then name and fallback alone are of use beside it
}

// use is what one text of the column Use means.
type use struct {
	position dose.Position
	reads    []source
	unread   []int // columns that may hold a dose which this position does not measure
}

// source is where a quantity is read.
type source struct {
	column   int
	quantity dose.Quantity
	required bool // a blank needs a note that explains it
}

// Name returns the profile's name and version, which [Report] has.
func (p *Profile) Name() string { return p.name }

// Headings returns the headings of the columns, in their order.
func (p *Profile) Headings() []string { return slices.Clone(p.headings) }

// Profiles returns the profiles that there are.
func Profiles() []*Profile { return []*Profile{Landauer()} }

// The columns of the Landauer DoseReport, from 0. Doses of the wear period are Current, the others are sums that
// the laboratory keeps: they are checked, and not read.
const (
	accountNumber = iota
	accountName
	seriesCode
	awo
	scanDate
	importDate
	participantNumber
	uniqueID
	idNumber
	participantName
	birthDate
	dosimeter
	useOfBadge
	radQuality
	periodBegin
	periodEnd
	currentDDE
	currentLDE
	currentSDE
	currentNeutron
	quarterDDE
	quarterLDE
	quarterSDE
	ytdDDE
	ytdLDE
	ytdSDE
	lifeDDE
	lifeLDE
	lifeSDE
	inception
	serialNumber
	version
	noteCode
)

// Notes of the Landauer DoseReport, as [Row].Notes has them.
const (
	NoteUnused              = "Unused"
	NoteReceivedDamaged     = "Dosimeter received damaged. No evaluation possible."
	NoteDamagedInProcessing = "Dosimeter damaged in processing. No evaluation possible."
	NoteMultipleAccounts    = "PARTICIPANT ACTIVE IN MULTIPLE ACCOUNTS"
)

// Landauer returns the profile of the Landauer "DoseReport", 33 columns, doses in mSv.
//
// What it knows was measured on 1,802 real rows. `M` is a dose below the minimum recording level in a column that
// the position measures, and says nothing in another: an eye badge's DDE is always `M`. A ring leaves DDE blank
// and measures SDE only. The LDE of a chest badge estimates the lens dose: it is given as a reading of Hp(3) of a
// whole-body badge, and whether it counts is for the convention that says which badge is which dose. This layout
// has nothing that marks a dose as not counted.
func Landauer() *Profile {
	ring := []source{{currentSDE, dose.Hp007, true}}
	return &Profile{
		name:     "landauer-dosereport/1",
		fallback: delimited.Windows1252,
		headings: []string{"Account Number", "Account Name", "Series Code", "AWO", "Scan Date", "Import Date", "Participant Number", "UniqueID",
			"ID Number", "Participant Name", "DOB", "Dosimeter", "Use", "Rad Quality", "Period Begin Date", "Period End Date",
			"Current DDE", "Current LDE", "Current SDE", "Current Neutron", "Quarter DDE", "Quarter LDE", "Quarter SDE",
			"YTD DDE", "YTD LDE", "YTD SDE", "Life DDE", "Life LDE", "Life SDE", "Inception Date", "Serial Number", "Version", "NoteCode"},
		uses: map[string]use{
			"CHEST": {dose.WholeBody, []source{{currentDDE, dose.Hp10, true}, {currentLDE, dose.Hp3, false},
				{currentSDE, dose.Hp007, true}, {currentNeutron, dose.NeutronHp10, false}}, nil},
			"LENS":    {dose.Eye, []source{{currentLDE, dose.Hp3, true}}, []int{currentSDE}},
			"RFINGER": {dose.RightFinger, ring, nil},
			"LFINGER": {dose.LeftFinger, ring, nil},
			"FETAL": {dose.Foetal, []source{{currentDDE, dose.Hp10, true}, {currentNeutron, dose.NeutronHp10, false}},
				[]int{currentLDE, currentSDE}},
			"CONTROL": {dose.Control, nil, nil},
		},
		qualities: []string{"", "P", "PB", "PM"},
		notes: map[string]dose.Qualifier{
			NoteUnused:              dose.Unused,
			NoteReceivedDamaged:     dose.Damaged,
			NoteDamagedInProcessing: dose.Damaged,
			NoteMultipleAccounts:    dose.NoQualifier,
		},
		early: 209,
	}
}
