package web

import (
	"context"

	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Lists of each kind wait to be confirmed, at the end of the sample's files.
var (
	peopleList, leaversList, dispatchList, sameList = importID(101), importID(102), importID(103), importID(104)
	storedList, failedList                          = importID(105), importID(106)
)

// sampleLists are added to the sample's files.
func sampleLists() []ImportState {
	at := sampleNow.AddDate(0, -2, 0)
	return []ImportState{
		{ID: peopleList, At: at, Kind: "people", State: "previewed", In: 214, Stored: 207, Refused: 2, Ignored: 5},
		{ID: leaversList, At: at, Kind: "leavers", State: "previewed", In: 3, Stored: 3},
		{ID: dispatchList, At: at, Kind: "dispatch", State: "previewed", In: 640, Stored: 640},
		{ID: sameList, At: at, Kind: "people", State: "previewed", In: 4, Ignored: 4},
		{ID: storedList, At: at, Kind: "people", State: "done", In: 10, Stored: 8, Refused: 2},
		{ID: failedList, At: at, Kind: "leavers", State: "failed", Failure: "row 2: it changed since the preview"},
	}
}

func (s *sample) ReceiveList(_ context.Context, a vaultclient.Auth, l List) (id.Import, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch string(l.File) {
	case "no staff number":
		return id.Import{}, &NotAccepted{"line 1: no column with the staff number"}
	case "no employer":
		return id.Import{}, &NotAccepted{"the list has no column that names the employer: say whose list it is, or add the column"}
	}
	s.files.loaded = l
	_, err := s.user(a)
	return peopleList, err
}

func (s *sample) ListPreview(ctx context.Context, a vaultclient.Auth, n id.Import) (*ListPreview, error) {
	im, err := s.File(ctx, a, n)
	p := &ListPreview{In: im.In, Stored: im.Stored, ByOrg: map[id.Organisation]int{organisationID(1): im.Stored}}
	switch n {
	case peopleList, storedList:
		p.New, p.Changed, p.Ended, p.Same, p.Blank = im.Stored-5, 3, 2, im.Ignored, 0
		p.Refused = []RowNote{{17, "Date of birth", "no date: 1985-03-01 expected"}, {203, "", "no wearer of that organisation has this staff number: to take somebody on, a surname is needed"}}
		p.Rows = []ListChange{{3, false, policy.FieldName | policy.FieldContact}, {9, false, policy.FieldEmployment}, {12, true, policy.FieldEmployment}, {40, true, policy.FieldEmployment | policy.FieldName}}
		p.Alike = []ListAlike{{5, []vaultclient.Candidate{{Wearer: wearerID(3), Organisation: organisationID(1), Why: person.SameNameAndBirth}}, nil}, {28, nil, []int{30}}}
		p.NotUsed, p.NINotTaken = []string{"Shoe size", "Car park"}, 12
		p.ByOrg = map[id.Organisation]int{organisationID(1): 200, organisationID(3): 7}
	case leaversList:
		p.Ended = im.Stored
	case dispatchList:
		p.New, p.Controls = im.Stored, 12
	case sameList:
		p.Same = im.Ignored
	}
	return p, err
}

func (s *sample) isList(n id.Import) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	im, err := s.files.find(n)
	return err == nil && im.IsList()
}
