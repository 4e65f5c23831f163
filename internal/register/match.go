package register

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"sort"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/labfile"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// preview reads a file and says what an import would do.
func (s *Service) preview(ctx context.Context, im ImportRow) error {
	auth := vaultclient.Auth{Grant: im.Grant}
	src, err := s.source(ctx, auth, im)
	if err != nil {
		return err
	}
	rows, err := s.newDocument(ctx, auth, im, docRows)
	if err != nil {
		return err
	}
	if _, err := rows.Write([]byte{acceptedVersion}); err != nil {
		return err
	}
	p, err := s.match(ctx, auth, im, src, func(part []byte) error {
		_, err := rows.Write(part)
		return err
	})
	if err != nil {
		return err
	}
	b, err := encode(p)
	if err != nil {
		return err
	}
	both, ctxBoth := errgroup.WithContext(ctx)
	both.Go(func() error {
		parts, err := rows.parts()
		if err != nil {
			return err
		}
		return s.Store.SetDocument(ctxBoth, im.ID, docRows, parts)
	})
	both.Go(func() error {
		parts, err := s.sealDocument(ctxBoth, auth, im, docPreview, b)
		if err != nil {
			return err
		}
		return s.Store.SetDocument(ctxBoth, im.ID, docPreview, parts)
	})
	if err := both.Wait(); err != nil {
		return err
	}
	im.State = Previewed
	im.Counts = p.Counts
	return s.Store.Move(ctx, Previewing, im)
}

// source is where the rows of an import come from.
type source struct {
	bytes   int64 // of the file; 0: there is none
	heading func(labfile.Field) string
	rows    func(part func([]labfile.Row) error) (*labfile.Report, error)
}

// source opens an import's file, which is read when its rows are asked for.
func (s *Service) source(ctx context.Context, auth vaultclient.Auth, im ImportRow) (source, error) {
	file, err := s.readDocument(ctx, auth, im, docFile, "reading the laboratory's file")
	if err != nil {
		return source{}, err
	}
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil || !bytes.Equal(sum.Sum(nil), im.SHA256) {
		return source{}, errBlob
	}
	how, err := s.reading(ctx, auth, im)
	if err != nil {
		return source{}, err
	}
	return source{n, how.Profile.Heading, func(part func([]labfile.Row) error) (*labfile.Report, error) { return labfile.Stream(file, how, part) }}, nil
}

// readAlready gives rows that there is no file of.
func readAlready(rows []labfile.Row) source {
	return source{0, labfile.Landauer().Heading, func(part func([]labfile.Row) error) (*labfile.Report, error) {
		for some := range slices.Chunk(rows, labfile.Part) {
			if err := part(some); err != nil {
				return nil, err
			}
		}
		return &labfile.Report{In: len(rows)}, nil
	}}
}

// match holds the rows of a source against the register and enters whom they name. Accepted rows are kept, written by
// appendAccepted, as they come; if there is an error in the end, they are not to be used. While a part is being matched,
// the badges of the next are looked up, and the one after it is read.
func (s *Service) match(ctx context.Context, auth vaultclient.Auth, im ImportRow, src source, keep func([]byte) error) (*Preview, error) {
	orgs, err := s.Vault.Organisations(ctx, auth)
	if err != nil {
		return nil, err
	}
	m := &matching{heading: src.heading, keep: keep, named: map[id.Wearer]bool{}, stored: map[stored]int32{}, held: policy.FieldDose,
		preview: &Preview{ByOrg: map[id.Organisation]int{}, Refused: []RowNote{}, Notices: []RowNote{}}}
	if m.accounts, err = s.accounts(ctx, auth, orgs); err != nil {
		return nil, err
	}
	var rep *labfile.Report
	parts := make(chan *part, 1)
	group, ctxGroup := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		defer close(parts)
		rep, err = src.rows(func(rows []labfile.Row) error {
			p := &part{rows: rows, known: make(chan map[string]*dispatched, 1)}
			select {
			case parts <- p:
			case <-ctxGroup.Done():
				return ctxGroup.Err()
			}
			group.Go(func() error {
				known, err := s.lookUp(ctxGroup, auth, rows)
				p.known <- known
				return err
			})
			return nil
		})
		return err
	})
	group.Go(func() error {
		compared, ctxCompared := errgroup.WithContext(ctxGroup)
		compared.SetLimit(underWay)
		for p := range parts {
			known := <-p.known
			if known == nil {
				break // the lookup's error is the group's
			}
			labels, err := m.rows(p.rows, known)
			if err != nil {
				return err
			}
			compared.Go(func() error { return s.compareLabels(ctxCompared, auth, m, labels) })
		}
		return compared.Wait()
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if len(m.named) > 0 {
		in := vaultclient.Intake{Import: im.ID, Source: KindLaboratory, SHA256: im.SHA256, Bytes: src.bytes, Rows: rep.In, Via: im.Node, Held: m.held}
		for w := range m.named {
			in.Wearers = append(in.Wearers, w)
		}
		if err := s.Vault.Intake(ctx, auth, in); err != nil {
			return nil, err
		}
	}
	return m.preview, m.preview.complete(rep)
}

// complete adds what the file itself says, and counts.
func (p *Preview) complete(rep *labfile.Report) error {
	for _, f := range rep.Refused {
		p.Refused = append(p.Refused, RowNote{f.Number, f.Line, f.Column, f.Reason})
	}
	p.Profile, p.Ignored = rep.Profile, rep.Ignored
	sort.Slice(p.Refused, func(i, j int) bool { return p.Refused[i].Row < p.Refused[j].Row })
	slices.SortStableFunc(p.Notices, func(a, b RowNote) int { return a.Row - b.Row })
	p.Counts = Counts{In: rep.In - len(rep.Merged), Stored: p.Accepted, Refused: len(p.Refused), Ignored: len(p.Ignored)}
	if p.In != p.Stored+p.Counts.Refused+p.Counts.Ignored {
		return fmt.Errorf("%d rows came in, but %d were stored, refused or ignored", p.In, p.Stored+p.Counts.Refused+p.Counts.Ignored)
	}
	return nil
}

// part is some rows of a file; known comes when their badges are looked up, nil if that failed.
type part struct {
	rows  []labfile.Row
	known chan map[string]*dispatched
}

// dispatched is a badge that a file reports on.
type dispatched struct {
	*Result
	wear Wear
}

// lookUp finds the badges of rows, and opens what their wear periods say.
func (s *Service) lookUp(ctx context.Context, auth vaultclient.Auth, rows []labfile.Row) (map[string]*dispatched, error) {
	barcodes := make([]string, len(rows))
	for i := range rows {
		barcodes[i] = rows[i].Barcode
	}
	found, err := s.Store.Periods(ctx, barcodes)
	if err != nil {
		return nil, err
	}
	items := make([]vaultclient.Item, len(found))
	for i := range found {
		items[i] = vaultclient.Item{Context: found[i].context(), Value: found[i].Sealed}
	}
	opened, err := s.open(ctx, auth, policy.AssessDose, "positions of badges", items)
	if err != nil {
		return nil, err
	}
	known := make(map[string]*dispatched, len(found))
	for i, b := range opened {
		wear, err := decodeWear(b)
		if err != nil {
			return nil, err
		}
		known[found[i].Barcode] = &dispatched{&found[i], wear}
	}
	return known, nil
}

// matching is a file that is being held against the register.
type matching struct {
	accounts map[string]id.Organisation
	heading  func(labfile.Field) string
	keep     func([]byte) error
	preview  *Preview
	notices  sync.Mutex // of preview, while labels are compared
	named    map[id.Wearer]bool
	held     policy.Fields // of whom the file names
	stored   map[stored]int32
}

// stored is a report that was accepted.
type stored struct {
	period  id.Row
	version int32
}

// label is what a row says of whom its badge belongs to.
type label struct {
	row, line int
	vaultclient.Comparison
}

// rows matches rows, in the file's order, and returns what is to be compared of them.
func (m *matching) rows(rows []labfile.Row, known map[string]*dispatched) (labels []label, err error) {
	p := m.preview
	var b []byte
	var notices []RowNote
	for i := range rows {
		row := &rows[i]
		res := known[row.Barcode]
		m.name(row, res)
		column, reason := refuse(row, res, m.accounts)
		if reason == "" && res.wear == foetal { // the only badge whose report may give two positions: labfile refuses the same one twice
			key := stored{res.ID, int32(row.Version)}
			if n, ok := m.stored[key]; ok {
				column, reason = labfile.FieldBarcode, fmt.Sprintf("the same badge and version as in row %d", n)
			} else {
				m.stored[key] = int32(row.Number)
			}
		}
		if reason != "" {
			p.Refused = append(p.Refused, RowNote{row.Number, row.Line, m.heading(column), reason})
			continue
		}
		if len(res.Reports) > 0 {
			p.Reissues++
		}
		if late := int(row.Scanned - res.Ends); !row.Scanned.IsZero() && late > lateAfter {
			notices = append(notices, RowNote{row.Number, row.Line, m.heading(labfile.FieldScanned), fmt.Sprintf("read %d days after the end of its period", late)})
		}
		b = appendAccepted(b, &accepted{res.PeriodRow, res.wear, row.Version,
			Report{Scanned: row.Scanned, NotCounted: row.NotCounted || res.wear.NotCounted, Notes: row.Notes, Readings: row.Readings}})
		if !row.Control && (!row.Name.IsZero() || !row.Birth.IsZero()) {
			labels = append(labels, label{row.Number, row.Line, vaultclient.Comparison{Wearer: res.Wearer, Name: row.Name, Birth: row.Birth}})
		}
		p.ByOrg[res.Organisation]++
		p.Accepted++
	}
	m.note(notices)
	return labels, m.keep(b)
}

// name notes whom a row names and what it holds of them.
func (m *matching) name(row *labfile.Row, res *dispatched) {
	if !row.Name.IsZero() {
		m.held |= policy.FieldName
	}
	if !row.Birth.IsZero() {
		m.held |= policy.FieldBirth
	}
	if res != nil && !res.Wearer.IsZero() {
		m.named[res.Wearer] = true
	}
}

func (m *matching) note(notices []RowNote) {
	m.notices.Lock()
	defer m.notices.Unlock()
	m.preview.Notices = append(m.preview.Notices, notices...)
}

// foetal is what the wear period of a foetal badge says: only the wearer's health row says more.
var foetal = Wear{dose.WholeBody, true}

// refuse says why a row can't be stored: a column and a reason, or nothing.
func refuse(row *labfile.Row, res *dispatched, accounts map[string]id.Organisation) (column labfile.Field, reason string) {
	if res == nil {
		return labfile.FieldBarcode, "no badge with this serial number was dispatched: check the number, or load the dispatch list first"
	}
	org, known := accounts[row.Account]
	switch {
	case !known:
		return labfile.FieldAccount, "no organisation has this account"
	case org != res.Organisation:
		return labfile.FieldBarcode, "this badge was issued to another organisation than the account's"
	case row.Control != res.Wearer.IsZero():
		return labfile.FieldPosition, "one of report and dispatch says control badge, the other does not"
	case row.From != res.Starts || row.To != res.Ends:
		return labfile.FieldFrom, fmt.Sprintf("the badge was issued for %s to %s", res.Starts, res.Ends)
	case row.Position == dose.Foetal && res.wear == foetal:
	case row.Position != res.wear.Position && !row.Control:
		return labfile.FieldPosition, fmt.Sprintf("the badge was issued to be worn at: %s", res.wear.Position)
	}
	version := uint32(row.Version) + 1
	for _, r := range res.Reports {
		switch {
		case r.Version == version:
			return labfile.FieldVersion, "this badge and version is stored already: leave the row out, or have it re-issued under a higher version"
		case r.Version > version:
			return labfile.FieldVersion, fmt.Sprintf("version %d of this badge is stored already", r.Version-1)
		}
	}
	return 0, ""
}

// accounts returns the organisation of each laboratory account.
func (s *Service) accounts(ctx context.Context, auth vaultclient.Auth, orgs []vaultclient.Organisation) (map[string]id.Organisation, error) {
	set, err := s.settings(ctx, auth, policy.AssessDose, orgs)
	if err != nil {
		return nil, err
	}
	out := map[string]id.Organisation{}
	for org, one := range set {
		for _, a := range one.Accounts {
			out[a] = org.ID
		}
	}
	return out, nil
}

// compareLabels has the vault compare the names on rows with the wearers'. No name comes back.
func (s *Service) compareLabels(ctx context.Context, auth vaultclient.Auth, m *matching, labels []label) error {
	if len(labels) == 0 {
		return nil
	}
	items := make([]vaultclient.Comparison, len(labels))
	for i, l := range labels {
		items[i] = l.Comparison
	}
	verdicts, err := s.Vault.Compare(ctx, auth, policy.AssessDose, items)
	if err != nil {
		return fmt.Errorf("comparing labels: %w", err)
	}
	var notices []RowNote
	for i, v := range verdicts {
		if v == vaultclient.Different {
			notices = append(notices, RowNote{labels[i].row, labels[i].line, m.heading(labfile.FieldName), "label differs: check assignment"})
		}
	}
	m.note(notices)
	return nil
}
