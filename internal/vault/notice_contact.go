package vault

import (
	"context"
	"net/mail"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/ledger"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// Who is told of a breach at an organisation stands in its row here, not in the register: the vault tells them itself, so that whoever
// holds a web node or the register can't choose where a notice goes without an entry and an alarm.

// checkContact refuses a contact that says too much or what can't be.
func checkContact(n vaultclient.NoticeContact, today day.Day) error {
	for _, s := range append([]string{n.Name, n.Email, n.Phone, n.How}, n.Post...) {
		if len(s) > vaultclient.MaxNoticeText || s != strings.TrimSpace(s) || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '\u007f' || r == '\ufffd' }) {
			return invalid("the contact for notices: at most %d bytes in each field, in one line", vaultclient.MaxNoticeText)
		}
	}
	if len(n.Post) > vaultclient.MaxNoticeLines || slices.Contains(n.Post, "") {
		return invalid("the contact for notices: a postal address has at most %d lines, none of them empty", vaultclient.MaxNoticeLines)
	}
	if !slices.Contains([]vaultclient.NoticeLanguage{"", vaultclient.InWelsh, vaultclient.InEnglish, vaultclient.InBoth}, n.Language) {
		return invalid("the contact for notices is written to in cy, en or both")
	}
	if n.Email != "" {
		if a, err := mail.ParseAddress(n.Email); err != nil || a.Address != n.Email {
			return invalid("the contact for notices: an e-mail address like notices@example.org is expected")
		}
	}
	if !n.Verified.IsZero() && (n.Verified > today || n.How == "" || n.Name == "" || n.Email == "" && n.Phone == "" && len(n.Post) == 0) {
		return invalid("a contact is verified on a day that has come, in some way, and has a name and an e-mail address, telephone number or postal address")
	}
	return nil
}

// contactAsk is the leave that seeing or setting an organisation's contact needs.
func contactAsk(org id.Organisation) ask {
	return ask{action: policy.Oversee, purpose: policy.BreachNotice, organisation: org, subject: org.String()}
}

// SetNoticeContact keeps who is told of a breach at an organisation. Who verified a contact is who says so here. One that is reached otherwise is
// verified anew, or not at all; where a verified one gives way, that is an alarm.
func (v *Vault) SetNoticeContact(ctx context.Context, c Caller, in vaultclient.NewNoticeContact) error {
	p, err := v.authenticate(ctx, c)
	if err != nil {
		return err
	}
	if p.grant != nil {
		return refused("people say who is told of a breach")
	}
	if err := checkContact(in.Contact, v.today()); err != nil {
		return err
	}
	if err := v.checkOrganisations([]id.Organisation{in.Organisation}); err != nil {
		return err
	}
	a := contactAsk(in.Organisation)
	if _, _, err := v.permit(ctx, p, a); err != nil {
		return err
	}
	return hideCommitError(v.commit(ctx, func(t *tx) error {
		if err := p.alive(&v.state); err != nil {
			return err
		}
		row, n := v.state.organisations[in.Organisation].storedOrganisation, in.Contact
		old := row.Notice
		same := n.Reaches(old)
		switch {
		case n.Verified.IsZero():
			n.By, n.How = "", ""
		case n.Verified == old.Verified && n.How == old.How && !same:
			return invalid("the contact changed: say when and how the new one was verified, or that nobody has verified it")
		case n.Verified == old.Verified && n.How == old.How:
			n.By = old.By
		default:
			n.By = v.state.users[p.User].Name
		}
		if same && n.Verified == old.Verified && n.How == old.How && n.Language == old.Language {
			return nil
		}
		row.Notice = n
		o := v.opening(p, a)
		o.Reason = "contact for notices of a breach"
		if !same && !old.Verified.IsZero() {
			alarm := ledger.Opening{User: p.User, Role: p.Role, Node: p.node, Subject: string(vaultclient.OrganisationScope(in.Organisation))}
			if err := t.raise(vaultclient.AlarmNoticeContact, in.Organisation, alarm); err != nil {
				return err
			}
		}
		return t.putOrganisation(in.Organisation, row, o)
	}))
}

// seesContact reports whether a caller is shown who is told of a breach at an organisation. The caller of it holds the lock.
func (v *Vault) seesContact(p *principal, org id.Organisation) bool {
	a := contactAsk(org)
	return p.rule(v.state.policies.at(org), policy.Request{Action: a.action, Purpose: a.purpose, Principal: p.Principal, Resource: policy.Resource{Organisation: org}}).Allow
}
