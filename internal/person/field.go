package person

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/dosevault/dosevault/internal/day"
)

// Limits of personal texts.
const (
	MaxText    = 200 // bytes of one text
	MaxFormer  = 10  // former names
	MaxAddress = 8   // lines of an address
)

// Problem is what is wrong with a field.
type Problem string

// The problems.
const (
	BadEncoding    Problem = "not UTF-8"
	BadCharacter   Problem = "a control or invisible character"
	TooLong        Problem = "longer than 200 bytes"
	TooMany        Problem = "too many lines or names"
	NoLetter       Problem = "no letter in it"
	BadForm        Problem = "not of the expected form"
	BadPrefix      Problem = "letters that no NI number begins with"
	Administrative Problem = "an administrative number that looks like an NI number"
	Implausible    Problem = "not plausible"
)

// FieldError says which field breaks which rule. It never holds the value.
type FieldError struct {
	Field   string // as in surname, ni, email
	Problem Problem
	Expect  string // the form that is expected, or empty
}

func (e *FieldError) Error() string {
	if e.Expect != "" {
		return fmt.Sprintf("%s: %s: %s expected", e.Field, e.Problem, e.Expect)
	}
	return fmt.Sprintf("%s: %s", e.Field, e.Problem)
}

// CheckText returns a text in normal form C, trimmed, its runs of spaces made one space. The error is a *FieldError.
func CheckText(field string, v Value) (Value, error) {
	s, err := clean(field, v.Expose())
	if err != nil {
		return Value{}, err
	}
	return NewValue(s), nil
}

func clean(field, s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", &FieldError{Field: field, Problem: BadEncoding}
	}
	s = norm.NFC.String(strings.TrimSpace(s))
	for _, r := range s {
		// Cf hides things in a text (zero-width, direction), Zl and Zp break lines, Co and Cn mean nothing to others.
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co) || r == utf8.RuneError {
			return "", &FieldError{Field: field, Problem: BadCharacter}
		}
	}
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > MaxText {
		return "", &FieldError{Field: field, Problem: TooLong}
	}
	return s, nil
}

// checker collects the errors of several fields.
type checker struct{ errs []error }

func (c *checker) note(err error) {
	if err != nil {
		c.errs = append(c.errs, err)
	}
}

func (c *checker) text(field string, v *Value) {
	w, err := CheckText(field, *v)
	c.note(err)
	*v = w
}

func (c *checker) name(field string, v *Value) {
	c.text(field, v)
	if !v.IsZero() && strings.IndexFunc(v.Expose(), unicode.IsLetter) < 0 {
		c.note(&FieldError{Field: field, Problem: NoLetter})
	}
}

func (c *checker) list(field string, vs []Value, most int, check func(string, *Value)) []Value {
	var out []Value
	for _, v := range vs {
		if check(field, &v); !v.IsZero() {
			out = append(out, v)
		}
	}
	if len(out) > most {
		c.note(&FieldError{Field: field, Problem: TooMany})
	}
	return out
}

// CheckIdentity returns the identity normalised. Empty fields stay empty. today is for the plausibility of the
// date of birth. The error joins a *FieldError for each field that breaks a rule.
func CheckIdentity(i Identity, today day.Day) (Identity, error) {
	var c checker
	var err error
	c.name("surname", &i.Surname)
	c.name("forenames", &i.Forenames)
	c.name("known as", &i.KnownAs)
	i.Former = c.list("former name", i.Former, MaxFormer, c.name)
	i.Birth, err = CheckBirth(i.Birth, today)
	c.note(err)
	i.Sex, err = CheckSex(i.Sex)
	c.note(err)
	c.text("staff number", &i.StaffNumber)
	i.Registration, err = CheckRegistration(i.Registration)
	c.note(err)
	if err := errors.Join(c.errs...); err != nil {
		return Identity{}, err
	}
	return i, nil
}

// CheckContact returns the contact normalised: the domain of the e-mail address in lower case, empty lines of the
// address left out. The error joins a *FieldError for each field that breaks a rule.
func CheckContact(k Contact) (Contact, error) {
	var c checker
	c.text("email", &k.Email)
	if s := k.Email.Expose(); s != "" {
		at := strings.LastIndexByte(s, '@')
		if at < 1 || at > 64 || strings.ContainsAny(s, " ,;<>\"()") || strings.Count(s, "@") != 1 || !isDomain(strings.ToLower(s[at+1:])) {
			c.note(&FieldError{"email", BadForm, "name@domain"})
		} else {
			k.Email = NewValue(s[:at+1] + strings.ToLower(s[at+1:]))
		}
	}
	c.text("phone", &k.Phone)
	if s := k.Phone.Expose(); s != "" && !isPhone(s) {
		c.note(&FieldError{"phone", BadForm, "5 to 20 digits"})
	}
	k.Address = c.list("address", k.Address, MaxAddress, c.text)
	c.text("language", &k.Language)
	if s := strings.ToLower(k.Language.Expose()); s == "" || s == "en" || s == "cy" {
		k.Language = NewValue(s)
	} else {
		c.note(&FieldError{"language", BadForm, "en, cy or nothing"})
	}
	if err := errors.Join(c.errs...); err != nil {
		return Contact{}, err
	}
	return k, nil
}

func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return false
		}
		for _, r := range l {
			if r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				return false
			}
		}
	}
	return len(labels) > 1
}

func isPhone(s string) bool {
	s, extension, _ := strings.Cut(strings.ToLower(s), "ext")
	digits := 0
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '+' && i == 0, strings.ContainsRune(" ()-./", r):
		default:
			return false
		}
	}
	return digits >= 5 && digits <= 20 && strings.Trim(extension, ". 0123456789") == ""
}

// CheckBirth returns a date of birth as YYYY-MM-DD; DD/MM/YYYY, as British HR systems write it, is read too.
// A date that makes somebody younger than 14 or older than 120 on the day today is implausible. The error is a *FieldError.
func CheckBirth(v Value, today day.Day) (Value, error) {
	s, err := clean("date of birth", v.Expose())
	if err != nil || s == "" {
		return Value{}, err
	}
	if len(s) == 10 && s[2] == '/' && s[5] == '/' {
		s = s[6:] + "-" + s[3:5] + "-" + s[:2]
	}
	d, err := day.Parse(s)
	if err != nil {
		return Value{}, &FieldError{"date of birth", BadForm, "YYYY-MM-DD or DD/MM/YYYY"}
	}
	if d.AddMonths(14*12) > today || d.AddMonths(120*12) < today {
		return Value{}, &FieldError{"date of birth", Implausible, "an age between 14 and 120"}
	}
	return NewValue(s), nil
}

// CheckSex returns F, M or X, of a letter or of the word in English or Welsh. The error is a *FieldError.
func CheckSex(v Value) (Value, error) {
	s, err := clean("sex", v.Expose())
	if err != nil {
		return Value{}, err
	}
	switch strings.ToLower(s) {
	case "":
		return Value{}, nil
	case "f", "female", "benyw":
		return NewValue("F"), nil
	case "m", "male", "gwryw":
		return NewValue("M"), nil
	case "x":
		return NewValue("X"), nil
	}
	return Value{}, &FieldError{"sex", BadForm, "F, M or X"}
}

// CheckRegistration returns an entry of a professional register as "BODY NUMBER" in upper case. Forms are known
// of GMC (7 digits), NMC (8 letters and digits), HCPC (2 letters and up to 6 digits) and GPhC (7 digits, the
// first a 2); of other bodies only that there are an abbreviation and a number. The error is a *FieldError.
func CheckRegistration(v Value) (Value, error) {
	s, err := clean("registration", v.Expose())
	if err != nil || s == "" {
		return Value{}, err
	}
	body, number, _ := strings.Cut(strings.ToUpper(s), " ")
	number = strings.ReplaceAll(number, " ", "")
	ok, form := false, "a register and a number, as in HCPC RA012345,"
	switch body {
	case "GMC":
		ok, form = len(number) == 7 && isDigits(number), "GMC and 7 digits"
	case "NMC":
		ok, form = len(number) == 8 && isAlphanumeric(number), "NMC and 8 letters and digits"
	case "HCPC":
		ok = len(number) >= 3 && len(number) <= 8 && isLetters(number[:2]) && isDigits(number[2:])
		form = "HCPC, 2 letters and up to 6 digits"
	case "GPHC":
		body = "GPhC"
		ok, form = len(number) == 7 && number[0] == '2' && isDigits(number), "GPhC and 7 digits beginning with 2"
	default:
		ok = len(body) >= 2 && len(body) <= 8 && isLetters(body) && number != "" && len(number) <= 12 && isAlphanumeric(number)
	}
	if !ok {
		return Value{}, &FieldError{"registration", BadForm, form}
	}
	return NewValue(body + " " + number), nil
}

func isDigits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

func isLetters(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) < 0
}

func isAlphanumeric(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) < 0
}

var (
	niNever          = []string{"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}
	niAdministrative = []string{"OO", "CR", "FY", "MW", "NC", "PP"}
)

// CheckNI returns a National Insurance number as 9 characters in upper case, without spaces and dashes. Nothing but
// spaces is no number and no error. The rules are those of the public format: two letters, six digits, a suffix A to
// D; D F I Q U V in neither letter, O not second, some prefixes never given out, and prefixes that mark administrative
// numbers (tax credits, care and others), which belong to nobody's pay record. There is no check digit.
// The error is a *FieldError with BadForm, BadPrefix or Administrative.
func CheckNI(v Value) (Value, error) {
	s, err := clean("NI number", v.Expose())
	if err != nil {
		return Value{}, err
	}
	s = strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || unicode.Is(unicode.Pd, r) {
			return -1
		}
		return r
	}, s))
	if s == "" {
		return Value{}, nil
	}
	if len(s) != 9 || !isLetters(s[:2]) || !isDigits(s[2:8]) || s[8] < 'A' || s[8] > 'D' {
		return Value{}, &FieldError{"NI number", BadForm, "2 letters, 6 digits and a letter A to D"}
	}
	prefix := s[:2]
	if slices.Contains(niAdministrative, prefix) {
		return Value{}, &FieldError{Field: "NI number", Problem: Administrative}
	}
	if strings.ContainsAny(prefix, "DFIQUV") || prefix[1] == 'O' || slices.Contains(niNever, prefix) {
		return Value{}, &FieldError{Field: "NI number", Problem: BadPrefix}
	}
	return NewValue(s), nil
}

// StaffStem returns the employee number of an assignment number of the NHS's Electronic Staff Record (ESR): what
// stands before a dash and one or two digits, as in 12345678-2. A person with several assignments has one stem.
// Any other staff number is returned as it is, without spaces at its ends.
func StaffStem(v Value) Value {
	s := strings.TrimSpace(v.Expose())
	stem, n, found := strings.Cut(s, "-")
	if found && len(stem) >= 5 && isDigits(stem) && (len(n) == 1 || len(n) == 2) && isDigits(n) {
		return NewValue(stem)
	}
	return NewValue(s)
}
