package vault

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/person"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/seal"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Stored rows of authority.
type (
	storedOrganisation struct {
		Name   string                    `json:"name"`
		Kind   vaultclient.Kind          `json:"kind"`
		Notice vaultclient.NoticeContact `json:"notice,omitzero"`
	}
	link struct {
		User    id.User `json:"user"`
		Expires int64   `json:"expires"`       // µs
		Cli     bool    `json:"cli,omitempty"` // for the command line alone: it enrols no passkey
	}
	grant struct {
		User          id.User           `json:"user"` // who gave it
		Node          string            `json:"node"`
		Purpose       policy.Purpose    `json:"purpose"`
		Fields        policy.Fields     `json:"fields"`
		Organisations []id.Organisation `json:"organisations,omitempty"`
		MaxWearers    int               `json:"max_wearers"`
		Import        id.Import         `json:"import"`
		Expires       int64             `json:"expires"` // µs

		// A machine's: its name, its public key, whom it touched (16 bytes each), and when it was ended (µs).
		Name  string `json:"name,omitempty"`
		Key   []byte `json:"key,omitempty"`
		Used  []byte `json:"used,omitempty"`
		Ended int64  `json:"ended,omitempty"`
		// Work is what a standing grant is for.
		Work vaultclient.StandingWork `json:"work,omitempty"`
		// Only are the wearers that it may touch, 16 bytes each; none: any.
		Only []byte `json:"only,omitempty"`
		// Of is the machine that passed a part of itself on to this job; whom the job touches counts as the machine's.
		Of id.Grant `json:"of,omitzero"`

		used *wearerSet
		only map[id.Wearer]bool
	}
	importState struct {
		State   string        `json:"state"` // received, staged, confirmed, discarded
		Held    policy.Fields `json:"held,omitempty"`
		Wearers []byte        `json:"wearers,omitempty"` // 16 bytes each: whom its file names
		Staged  int           `json:"staged,omitempty"`  // rows in the table staged
		// Machine is the one that delivered it, and Organisations are those that whoever received it was tied to.
		Machine       id.Grant          `json:"machine,omitzero"`
		Organisations []id.Organisation `json:"organisations,omitempty"`
		// About are the organisations whose people a list holds, those too whom nobody knows yet.
		About []id.Organisation `json:"about,omitempty"`
	}
)

// load reads every row that is kept in memory.
func (v *Vault) load(ctx context.Context) error {
	v.state = state{
		organisations: map[id.Organisation]*organisation{}, users: map[id.User]*vaultclient.User{},
		sessions: map[secretHash]*session{}, links: map[secretHash]*link{}, credentials: map[secretHash]*credential{}, providers: map[id.Provider]*provider{}, grants: map[id.Grant]*grant{},
		wearers: map[id.Wearer]*wearer{}, staged: map[id.Wearer]*wearer{}, persons: map[id.Person][]id.Wearer{}, staff: map[staffKey]id.Wearer{},
		starts: map[string][]id.Wearer{},
		ni:     map[[32]byte][]id.Wearer{}, imports: map[id.Import]*importState{}, documents: map[id.Row]seal.Key{}, apart: map[apart]bool{},
		budgets: map[string]*storedBudget{}, canaries: map[id.Wearer]bool{},
		frozen:    map[vaultclient.Scope]*frozen{},
		approvals: map[id.Approval]*proposal{},
	}
	s := &v.state
	if err := v.loadPolicies(ctx); err != nil {
		return err
	}
	orgKeys, err := v.loadKeys(ctx, TableOrganisationKey)
	if err != nil {
		return err
	}
	if err := loadRows(ctx, v, TableOrganisation, func(org id.Organisation, row storedOrganisation) {
		s.organisations[org] = newOrganisation(row, orgKeys.get(ownedKey(org, useBlobs)), orgKeys.get(ownedKey(org, useOpening)), orgKeys.get(ownedKey(org, useHealthOpening)))
	}); err != nil {
		return err
	}
	if orgKeys.missing != nil {
		return orgKeys.missing
	}
	if err := loadRows(ctx, v, TableUser, func(key id.User, row vaultclient.User) { s.users[key] = &row }); err != nil {
		return err
	}
	if err := loadRows(ctx, v, TableJobGrant, func(key id.Grant, row grant) {
		row.used = newWearerSet(unpackWearers(row.Used)...)
		row.Used = nil
		row.only = namedWearers(row.Only)
		s.grants[key] = &row
	}); err != nil {
		return err
	}
	for _, g := range s.grants {
		if of := s.grants[g.Of]; of != nil {
			g.used = of.used
		}
	}
	if err := loadRows(ctx, v, TableApproval, func(key id.Approval, row proposal) { s.approvals[key] = &row }); err != nil {
		return err
	}
	err = v.rows(ctx, TableSetting, func(key, sealed []byte) error {
		switch {
		case bytes.Equal(key, settingSingle):
			s.single = new(singleMode)
			return v.openRow(TableSetting, key, sealed, s.single)
		case bytes.Equal(key, settingRunning):
			s.running = new(running)
			return v.openRow(TableSetting, key, sealed, s.running)
		}
		return fmt.Errorf("table %s, row %q: no such setting: the database was changed; run dosevault verify", TableSetting, key)
	})
	if err != nil {
		return err
	}
	if err := loadRows(ctx, v, TableImport, func(key id.Import, row importState) { s.imports[key] = &row }); err != nil {
		return err
	}
	if err := loadHashed(ctx, v, TableSession, func(key secretHash, row storedSession) { s.sessions[key] = newSession(row) }); err != nil {
		return err
	}
	if err := loadHashed(ctx, v, TableLink, func(key secretHash, row link) { s.links[key] = &row }); err != nil {
		return err
	}
	if err := loadRows(ctx, v, TableProvider, func(key id.Provider, row provider) { s.providers[key] = &row }); err != nil {
		return err
	}
	if err := loadHashed(ctx, v, TableCredential, func(key secretHash, row credential) { s.credentials[key] = &row }); err != nil {
		return err
	}
	err = v.rows(ctx, TableDocumentKey, func(key, wrapped []byte) error {
		k, err := v.epoch.Unwrap(keyContext(TableDocumentKey, key), wrapped)
		if err != nil || len(key) != 16 {
			return fmt.Errorf("table %s, row %x: does not open with this epoch key", TableDocumentKey, key)
		}
		s.documents[id.Row(key)] = k
		return nil
	})
	if err != nil {
		return err
	}
	err = v.rows(ctx, TableApart, func(key, sealed []byte) error {
		var row apart
		if err := v.openRow(TableApart, key, sealed, &row); err != nil {
			return err
		}
		s.apart[row] = true
		return nil
	})
	if err != nil {
		return err
	}
	err = v.rows(ctx, TableFrozen, func(key, sealed []byte) error {
		var row frozen
		if err := v.openRow(TableFrozen, key, sealed, &row); err != nil {
			return err
		}
		s.frozen[row.Scope] = &row
		return nil
	})
	if err != nil {
		return err
	}
	if err := v.loadIncidents(ctx); err != nil {
		return err
	}
	if err := v.loadAlarms(ctx); err != nil {
		return err
	}
	if err := v.loadBudgets(ctx); err != nil {
		return err
	}
	if err := v.loadWearers(ctx); err != nil {
		return err
	}
	return v.checkTallies(ctx)
}

func (v *Vault) loadWearers(ctx context.Context) error {
	s := &v.state
	keys, err := v.loadKeys(ctx, TableWearerKey)
	if err != nil {
		return err
	}
	if err := loadRows(ctx, v, TableWearer, func(key id.Wearer, row facts) {
		w := &wearer{id: key, facts: row}
		for _, c := range policy.WearerClasses {
			w.keys[c] = keys.get(ownedKey(key, byte(c)))
		}
		s.wearers[key] = w
	}); err != nil {
		return err
	}
	if keys.missing != nil {
		return keys.missing
	}
	found := map[Table]int{TableWearerKey: len(keys.keys)}
	// Names and NI numbers are opened once, to be searched in memory; nothing derived from them is stored.
	err = v.rows(ctx, TableField, func(key, sealed []byte) error {
		if len(key) != 21 {
			return fmt.Errorf("table %s, row %x: not an id of a field", TableField, key)
		}
		found[TableField]++
		class := policy.Class(key[16])
		w := s.wearers[id.Wearer(key[:16])]
		if w == nil || int(class) >= len(w.facts.Versions) || w.facts.Versions[class] == 0 || w.facts.Versions[class] != binary.BigEndian.Uint32(key[17:]) {
			return fmt.Errorf("table %s, row %x: belongs to no wearer: the database was changed; run dosevault verify", TableField, key)
		}
		if class != policy.ClassIdentity && class != policy.ClassNI {
			return nil
		}
		b, err := w.keys[class].Box().Open(fieldContext(key), sealed)
		if err != nil {
			return fmt.Errorf("table %s, row %x: does not open here: the database was changed; run dosevault verify", TableField, key)
		}
		if class == policy.ClassNI {
			if len(b) > 0 {
				w.ni = v.niHash(string(b))
				s.ni[w.ni] = append(s.ni[w.ni], w.id)
			}
			return nil
		}
		w.identity, err = person.DecodeIdentity(b)
		return err
	})
	if err != nil {
		return err
	}
	for _, w := range s.wearers {
		w.index()
		s.indexStarts(w, nil)
		s.add(w)
	}
	err = v.rows(ctx, TableStaged, func(key, sealed []byte) error {
		var row stagedChange
		if err := v.openRow(TableStaged, key, sealed, &row); err != nil {
			return err
		}
		found[TableStaged]++
		if len(key) != 20 || s.imports[id.Import(key[:16])] == nil || binary.BigEndian.Uint32(key[16:]) >= uint32(s.imports[id.Import(key[:16])].Staged) {
			return fmt.Errorf("table %s, row %x: belongs to no import that waits: the database was changed; run dosevault verify", TableStaged, key)
		}
		if row.New {
			w := &wearer{id: row.Wearer, facts: row.Facts}
			for _, c := range policy.WearerClasses {
				w.keys[c] = keys.get(ownedKey(w.id, byte(c)))
			}
			s.staged[w.id] = w
		}
		return nil
	})
	if err != nil {
		return err
	}
	if keys.missing != nil {
		return keys.missing
	}
	return v.checkBound(found)
}

// add enters a new wearer into what is derived from the wearers, but for NI numbers.
func (s *state) add(w *wearer) {
	s.wearers[w.id] = w
	if w.facts.Canary {
		s.canaries[w.id] = true
	}
	if o := s.organisations[w.facts.Organisation]; o != nil {
		o.roll.wearers = append(o.roll.wearers, w.id)
	}
	if !slices.Contains(s.persons[w.facts.Person], w.id) {
		s.persons[w.facts.Person] = append(s.persons[w.facts.Person], w.id)
	}
	if n := w.identity.StaffNumber.Expose(); n != "" {
		s.staff[staffKey{w.facts.Organisation, n}] = w.id
	}
}

// nameWords are the words of a wearer's names.
func (w *wearer) nameWords() []string {
	i := w.identity
	all := []string{i.Surname.Expose(), i.Forenames.Expose(), i.KnownAs.Expose()}
	for _, f := range i.Former {
		all = append(all, f.Expose())
	}
	return person.Words(strings.Join(all, " "))
}

// index derives what search compares.
func (w *wearer) index() {
	i := w.identity
	w.words = append(w.nameWords(), person.Words(i.StaffNumber.Expose())...)
	w.sortKey = person.Fold(i.Surname.Expose()) + "\x00" + person.Fold(i.Forenames.Expose()) + "\x00" + w.id.String()
}

func newOrganisation(row storedOrganisation, blobs, opening, health seal.Key) *organisation {
	return &organisation{row, blobs, opening.Box(), health.Box(), new(roll)}
}

type keyName struct {
	owner [16]byte
	class byte
}

func ownedKey[K any](owner id.ID[K], class byte) keyName { return keyName{owner, class} }

// keyring holds a table's keys. A key that is not there must never stand in as the zero key, which everybody knows: who
// takes one is to look at missing before using any.
type keyring struct {
	table   Table
	keys    map[keyName]seal.Key
	missing error // the first key that was asked for and is not there
}

func (r *keyring) get(name keyName) seal.Key {
	k, ok := r.keys[name]
	if !ok && r.missing == nil {
		r.missing = fmt.Errorf("table %s, row %x: this key is not there: the database was changed; run dosevault verify", r.table, append(name.owner[:], name.class))
	}
	return k
}

// loadKeys unwraps the keys of a table, by owner and class or use.
func (v *Vault) loadKeys(ctx context.Context, t Table) (*keyring, error) {
	r := &keyring{table: t, keys: map[keyName]seal.Key{}}
	err := v.rows(ctx, t, func(key, wrapped []byte) error {
		k, err := v.epoch.Unwrap(keyContext(t, key), wrapped)
		if err != nil || len(key) != 21 || binary.BigEndian.Uint32(key[17:]) != keyVersion {
			return fmt.Errorf("table %s, row %x: does not open with this epoch key", t, key)
		}
		r.keys[keyName{[16]byte(key[:16]), key[16]}] = k
		return nil
	})
	return r, err
}

// loadRows opens every row of a table whose id is an ID.
func loadRows[K, R any](ctx context.Context, v *Vault, t Table, fn func(id.ID[K], R)) error {
	return v.rows(ctx, t, func(key, sealed []byte) error {
		k, err := id.From[id.ID[K]](key)
		if err != nil {
			return fmt.Errorf("table %s, row %x: %w", t, key, err)
		}
		var row R
		if err := v.openRow(t, key, sealed, &row); err != nil {
			return err
		}
		fn(k, row)
		return nil
	})
}

// loadHashed opens every row of a table whose id is the hash of a secret.
func loadHashed[R any](ctx context.Context, v *Vault, t Table, fn func(secretHash, R)) error {
	return v.rows(ctx, t, func(key, sealed []byte) error {
		if len(key) != len(secretHash{}) {
			return fmt.Errorf("table %s, row %x: its id is no hash: the database was changed; run dosevault verify", t, key)
		}
		var row R
		if err := v.openRow(t, key, sealed, &row); err != nil {
			return err
		}
		fn(secretHash(key), row)
		return nil
	})
}

func fieldContext(key []byte) seal.Context { return seal.NewContext("field", key) }

// niHash is what an exact search for an NI number compares; it is kept in memory only.
func (v *Vault) niHash(ni string) [32]byte { return v.keyedHash("ni", []byte(ni)) }

// today is the calendar day by the clock of the service (UTC until organisations have a time zone).
func (v *Vault) today() day.Day { return day.At(v.now().UTC()) }

// newOrganisationKey makes one of an organisation's keys.
func (t *tx) newOrganisationKey(org id.Organisation, use byte) seal.Key {
	k := seal.NewKey()
	key := ownedID(org, use, keyVersion)
	t.put(TableOrganisationKey, key, t.v.epoch.Wrap(keyContext(TableOrganisationKey, key), k))
	return k
}
