package incident

import (
	"context"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/words"
)

// advised is a sentence for those of whom any of some fields became readable and, where with is not empty, any of those too. Without fields it
// is for everybody. So more fields never bring fewer sentences.
type advised struct {
	fields, with policy.Fields
	text         words.Key
	source       string
}

func (a advised) holds(f policy.Fields) bool {
	return (a.fields == 0 || f&a.fields != 0) && (a.with == 0 || f&a.with != 0)
}

// AdviceAsOf is the day on which the sources of the advice were read last.
var AdviceAsOf = day.Of(2026, 11, 29)

// The sources of the advice.
const (
	icoIdentityTheft = "ICO, for the public: identity theft (read on 29 November 2026), in our own words"
	senedd2017       = "Senedd Cymru, urgent question of 14 March 2017: a National Insurance number can't be changed"
	statement2017    = "Welsh Government, written statement of 12 July 2017: guidance by telephone, e-mail and drop-in sessions, two years of credit checks, reassurance for others"
	gdpr34           = "UK GDPR Art 34(2) with Art 33(3)(b) to (d)"
	reportFraud      = "City of London Police, Report Fraud since 4 December 2025; Police Scotland, report cybercrime"
	hmrcNumbers      = "HMRC: who may hold a National Insurance number, and the record in the HMRC app; how often to look is ours"
	enisaContext     = "ENISA 2013, annex 1: what kinds of data say about somebody"
)

// identifying are the fields with which, beside a name, somebody can pass for another.
const identifying = policy.FieldBirth | policy.FieldNI | policy.FieldContact

// consequences are what can happen to somebody.
var consequences = []advised{
	{0, 0, "Somebody could know that you work, or worked, where radiation badges are worn, and mention it to seem genuine.", gdpr34},
	{policy.FieldName, identifying, "Somebody could pretend to be you, or contact you and pretend to be your employer, a bank or an authority.", icoIdentityTheft},
	{policy.FieldNI, policy.FieldName | policy.FieldBirth, "Somebody could use your name or date of birth together with your National Insurance number: to ask for credit or benefits, or to work in your name.", icoIdentityTheft},
	{policy.FieldNI, 0, "A National Insurance number is not changed. So this risk does not end after a year or two: it lasts for as long as you work and draw a pension.", senedd2017},
	{policy.FieldContact, 0, "You could get unwanted letters, calls or messages, at home too.", icoIdentityTheft},
	{policy.FieldStaffNumber | policy.FieldEmployment, 0, "Somebody could use what they know of your work to seem genuine to you, or to your employer in your name.", gdpr34},
	{policy.FieldRegistration, 0, "Somebody could look you up in the public register of your profession, and name your registration to seem genuine.", gdpr34},
	{policy.FieldDose, 0, "Somebody could learn how much radiation your badges recorded. That tells something about your work, and little about your health.", enisaContext},
	{policy.FieldHealth, 0, "Somebody could learn something about your health: that a pregnancy was notified, or that a doctor looked at your record.", enisaContext},
	{policy.FieldDocument, 0, "Documents and notes can hold anything that was written about you. Ask us what stood in yours.", gdpr34},
}

// steps are what somebody can do.
var steps = []advised{
	{0, 0, "Nobody will ever ask you for a password, a PIN, a security code or a payment because of this: not we, not your employer, not your bank, not the police. If somebody does, end the call, and ring back on a number that you find yourself.", icoIdentityTheft},
	{0, 0, "Be careful with letters, calls and messages that mention this, or your work with radiation, even if they know your name. Follow no link in them.", icoIdentityTheft},
	{policy.FieldName, identifying, "Look through your bank and card statements, and ask your bank about anything that you don't know.", icoIdentityTheft},
	{policy.FieldName, identifying, "Ask the credit reference agencies Equifax, Experian and TransUnion for your credit report, which is free of charge, and again every few months. Look for accounts and applications that are not yours.", icoIdentityTheft},
	{policy.FieldName, identifying, "Take it seriously if expected post does not come, if bills or debt collectors' letters come that are not yours, or if you are refused credit or benefits for no reason that you know.", icoIdentityTheft},
	{policy.FieldName, identifying, "If somebody used your name, tell the company concerned, and the police: by Report Fraud (reportfraud.police.uk, 0300 123 2040) in England, Wales and Northern Ireland, by 101 in Scotland.", reportFraud},
	{policy.FieldNI, policy.FieldName | policy.FieldBirth, "You can ask Cifas for a protective registration: lenders then check more closely whether it is you. Cifas charges for it; ask us first.", icoIdentityTheft},
	{policy.FieldNI, 0, "Look at your National Insurance record and your income on GOV.UK or in the HMRC app, now and once a year: are all employers yours, and all years right? Tell HMRC at once of work that is not yours.", hmrcNumbers},
	{policy.FieldNI, 0, "Keep this letter with your pension papers. It shows, also in twenty years, when and how the number became known.", senedd2017},
	{policy.FieldDose | policy.FieldHealth, 0, "If your dose or your health worries you, talk to your radiation protection supervisor or your occupational health service. You can ask for your whole dose record at any time.", gdpr34},
	{policy.FieldHealth | policy.FieldDocument, 0, "If you don't want somebody at work to learn of this letter, tell us how to reach you.", gdpr34},
	{0, 0, "You can complain to us, and to the Information Commissioner: ico.org.uk.", gdpr34},
}

// Support is what somebody is offered.
type Support struct {
	Monitoring         int  // months of identity monitoring, paid for; 0: none
	OccupationalHealth bool // a talk with occupational health
	Watch              Watch
}

// Watch is for how long somebody should look out.
type Watch uint8

// A year where a name alone became readable; as long as the monitoring where it was more; for good where it can't be changed.
const (
	OneYear Watch = iota
	TwoYears
	ForGood
)

// monitoringMonths is for how long identity monitoring is offered: what was offered after the theft of 2016 in the end (statement2017).
const monitoringMonths = 24

// Advice is what somebody is told of whom a combination of fields became readable.
type Advice struct {
	Consequences, Steps []words.Key
	Support             Support
}

// AdviceFor is what everybody is told of whom exactly these fields became readable. Everybody has a helpline and drop-in sessions; who has more than a name
// exposed, identity monitoring too.
func AdviceFor(f policy.Fields) Advice {
	var a Advice
	for _, c := range consequences {
		if c.holds(f) {
			a.Consequences = append(a.Consequences, c.text)
		}
	}
	for _, s := range steps {
		if s.holds(f) {
			a.Steps = append(a.Steps, s.text)
		}
	}
	if f&^policy.FieldName != 0 {
		a.Support.Monitoring, a.Support.Watch = monitoringMonths, TwoYears
	}
	if f&policy.FieldNI != 0 {
		a.Support.Watch = ForGood
	}
	a.Support.OccupationalHealth = f&(policy.FieldDose|policy.FieldHealth) != 0
	return a
}

// Say says what is offered, a sentence each.
func (s Support) Say(ctx context.Context) []string {
	said := []string{Say(ctx, "A helpline, an e-mail address and drop-in sessions where you can ask anything about this.")}
	if s.Monitoring > 0 {
		said = append(said, Say(ctx, "Identity monitoring for %d months, free of charge: it tells you when somebody asks for credit in your name.", s.Monitoring))
	}
	if s.OccupationalHealth {
		said = append(said, Say(ctx, "A confidential talk with your employer's occupational health service."))
	}
	return append(said, Say(ctx, s.Watch.Words()))
}

// Words is for how long somebody should look out, as a text.
func (w Watch) Words() words.Key {
	return [...]words.Key{
		"Look out for a year: after that, a name alone is worth little to anybody.",
		"Look out for two years, which is how long stolen details are usually tried.",
		"Look out for as long as you work and draw a pension, since the number stays yours: a look once a year is enough.",
	}[w]
}

// The headings above consequences, steps and support. They are said by this package, with Say.
var (
	WhatCanHappen words.Key = "What can happen"
	WhatYouCanDo  words.Key = "What you can do"
	WhatWeOffer   words.Key = "What you are offered"
)
