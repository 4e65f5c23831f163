package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/incident"
	"github.com/dosevault/dosevault/internal/letter"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
	"github.com/dosevault/dosevault/internal/words"
)

// IncidentLetterCmd prints the notice to an organisation.
type IncidentLetterCmd struct {
	ofIncident
	Link string `help:"The address of the notice's page, where you have it." placeholder:"URL"`
	Out  string `help:"The PDF to write." required:"" type:"path" placeholder:"FILE"`
}

// Run writes the newest notice that was given out to the organisation, in the languages of its contact.
func (c *IncidentLetterCmd) Run(e *env) error {
	m, org, done, err := c.find(e)
	if err != nil {
		return err
	}
	defer done()
	if org.IsZero() {
		return errors.New("--organisation NAME: whom the letter is to is expected")
	}
	var told *vaultclient.IncidentStep
	for i, s := range m.Incident.Steps {
		if s.Organisation == org && s.Notice != nil {
			told = &m.Incident.Steps[i]
		}
	}
	if told == nil {
		return fmt.Errorf("no notice was given out to it yet: dosevault incident tell %s --letter", m.Incident.Number)
	}
	parts, err := incident.OrganisationLetter(e.ctx, m.Incident.Number, organisationName(m.Organisations, org), *told, c.Link)
	if err != nil {
		return err
	}
	d := &letter.Document{Title: "Notice " + m.Incident.Number, Day: day.At(told.At.UTC()), Foot: fmt.Sprintf("%s / %d", m.Incident.Number, told.Notice.Phase), Lang: incident.LanguagesOf(told.Notice.Contact.Language)[0], Parts: parts}
	if err := newFile(c.Out, d.Write); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "Written. Once it is posted: dosevault incident step %s told TEXT --organisation NAME --letter\n", m.Incident.Number)
	return nil
}

// IncidentLettersCmd prints letters to people concerned.
type IncidentLettersCmd struct {
	ofIncident
	Text      string `help:"What happened, and what is done about it, in English. No names." required:"" placeholder:"TEXT"`
	WelshText string `help:"The same in Welsh; people whose wish is not known are written to in both." required:"" placeholder:"TEXT"`
	CallBack  string `help:"The telephone number on which people's questions are answered." required:"" placeholder:"NUMBER"`
	Deceased  string `help:"CSV with the columns organisation and staff_number: who has died, as the employer says. Nobody writes to them." type:"existingfile" placeholder:"FILE"`
	Out       string `help:"The PDF to write." required:"" type:"path" placeholder:"FILE"`
}

// errNoNotices says what letters need.
var errNoNotices = errors.New("letters to people concerned go out under a standing grant, which two people give and which holds while everything is frozen: dosevault grants propose NAME --for breach-notices --people N")

// Run reveals names and addresses to the print, and writes it.
func (c *IncidentLettersCmd) Run(e *env) error {
	if _, err := os.Stat(c.Out); err == nil {
		return fmt.Errorf("%s exists: nothing was printed, and nobody revealed", c.Out)
	}
	m, org, done, err := c.find(e)
	if err != nil {
		return err
	}
	defer done()
	if org.IsZero() {
		return errors.New("--organisation NAME: whose people the letters are to is expected")
	}
	client, auth, err := c.open()
	if err != nil {
		return err
	}
	defer client.Close()
	dead, err := readDeceased(e, client, auth, c.Deceased, m.Organisations)
	if err != nil {
		return err
	}
	p := incident.Print{Number: m.Incident.Number, Organisation: organisationName(m.Organisations, org), Day: m.Now, CallBack: c.CallBack, What: map[words.Lang]string{words.English: c.Text, words.Welsh: c.WelshText}}
	p.People = slices.DeleteFunc(incident.ConcernedOf(m.Exposures.List, org), func(x incident.Concerned) bool {
		if dead[x.Wearer] {
			p.Died++
		}
		return dead[x.Wearer]
	})
	if len(p.People) == 0 {
		return errors.New("nobody of this organisation is to be written to")
	}
	grants, err := client.StandingGrants(e.ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(grants, func(g vaultclient.StandingGrant) bool { return g.Work == vaultclient.Notices })
	if i < 0 {
		return errNoNotices
	}
	export := id.New[id.Export]()
	if err := address(e, client, vaultclient.Auth{Grant: grants[i].ID, Export: export}, "letters about incident "+m.Incident.Number, p.People); err != nil {
		return err
	}
	d := &letter.Document{Title: "Letters, export " + export.String(), Day: day.At(m.Now.UTC()), Foot: "Export " + export.String() + ", " + m.Incident.Number, Parts: p.Letters(e.ctx)}
	if err := newFile(c.Out, d.Write); err != nil {
		return err
	}
	said := p.Summary(export)
	if _, err := client.EnterStep(e.ctx, auth, vaultclient.NewStep{Incident: m.Incident.ID, Kind: vaultclient.Noted, Organisation: org, Text: said}); err != nil {
		return fmt.Errorf("the letters are written, but not in the timeline: %w", err)
	}
	fmt.Fprintln(e.stdout, said)
	return nil
}

// address reveals names and addresses of people to the export that auth names.
func address(e *env, client *vaultclient.Client, auth vaultclient.Auth, reason string, people []incident.Concerned) error {
	wearers := make([]id.Wearer, len(people))
	at := map[id.Wearer]*incident.Concerned{}
	for i := range people {
		wearers[i], at[people[i].Wearer] = people[i].Wearer, &people[i]
	}
	records, err := client.Reveal(e.ctx, auth, vaultclient.RevealRequest{Purpose: policy.BreachNotice, Fields: policy.FieldName | policy.FieldContact, Wearers: wearers, Reason: reason})
	if err != nil {
		return err
	}
	for _, r := range records {
		if c := at[r.Wearer]; c != nil {
			c.Name, c.Address, c.Left = calledName(r.Identity), r.Contact.Address, !r.Current
			c.Language = vaultclient.NoticeLanguage(r.Contact.Language.Expose())
		}
	}
	return nil
}

// calledName is a name as it stands above an address.
func calledName(i person.Identity) person.Value {
	first := i.KnownAs
	if first.IsZero() {
		first = i.Forenames
	}
	return person.NewValue(strings.TrimSpace(first.Expose() + " " + i.Surname.Expose()))
}
