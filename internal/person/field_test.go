package person

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dosevault/dosevault/internal/day"
)

var today = day.Of(2026, time.October, 31)

func problem(err error) Problem {
	var f *FieldError
	if errors.As(err, &f) {
		return f.Problem
	}
	if err != nil {
		return "not a field error"
	}
	return ""
}

func TestNI(t *testing.T) {
	for _, c := range []struct {
		in, want string
		problem  Problem
	}{
		{"AB123456C", "AB123456C", ""},
		{" ab 12 34 56 c ", "AB123456C", ""},
		{"ab-12-34-56-d", "AB123456D", ""},
		{"AB\u00a0123456\u2013A", "AB123456A", ""},
		{"", "", ""},
		{"  ", "", ""},
		{"QQ123456A", "", BadPrefix}, // the fictitious example of the public guidance
		{"DA123456A", "", BadPrefix},
		{"AD123456A", "", BadPrefix},
		{"AO123456A", "", BadPrefix},
		{"OA123456A", "OA123456A", ""},
		{"OO123456A", "", Administrative},
		{"CR123456A", "", Administrative},
		{"FY123456A", "", Administrative},
		{"MW123456A", "", Administrative},
		{"NC123456A", "", Administrative},
		{"PP123456A", "", Administrative},
		{"BG123456A", "", BadPrefix},
		{"GB123456A", "", BadPrefix},
		{"KN123456A", "", BadPrefix},
		{"NK123456A", "", BadPrefix},
		{"NT123456A", "", BadPrefix},
		{"TN010180F", "", BadForm}, // a temporary number: date of birth and sex
		{"TN010180A", "", BadPrefix},
		{"ZZ123456A", "", BadPrefix},
		{"AB123456", "", BadForm},
		{"AB123456E", "", BadForm},
		{"AB12345C", "", BadForm},
		{"AB1234567", "", BadForm},
		{"A1123456C", "", BadForm},
		{"AB12345６C", "", BadForm}, // a full-width digit
		{"ÂB123456C", "", BadForm},
		{"AB123456C\x00", "", BadCharacter},
		{"AB123456C\xff", "", BadEncoding},
		{"AB123456C" + strings.Repeat("1", 200), "", TooLong},
	} {
		got, err := CheckNI(NewValue(c.in))
		if got.Expose() != c.want || problem(err) != c.problem {
			t.Errorf("CheckNI(%q) = %q, %v; want %q, %q", c.in, got.Expose(), err, c.want, c.problem)
		}
	}
	for _, l := range "DFIQUV" {
		for _, prefix := range []string{string(l) + "A", "A" + string(l)} {
			if _, err := CheckNI(NewValue(prefix + "123456A")); problem(err) != BadPrefix {
				t.Errorf("prefix %s: %v", prefix, err)
			}
		}
	}
}

func TestCheckedNINumbersAreStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v, err := CheckNI(NewValue(rapid.StringMatching(`[A-Za-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-Da-d]`).Draw(t, "number")))
		if err != nil {
			return
		}
		if again, err := CheckNI(v); err != nil || again != v {
			t.Fatalf("checked twice: %v", err)
		}
	})
}

func TestIdentityIsNormalised(t *testing.T) {
	got, err := CheckIdentity(Identity{
		Surname: NewValue("  Lly\u0302r "), Forenames: NewValue("Sia\u0302n  Mair"), Former: []Value{NewValue(" "), NewValue("O'Brien")},
		Birth: NewValue("29/02/1980"), Sex: NewValue("Benyw"), StaffNumber: NewValue(" 12345678-2"), Registration: NewValue("hcpc ra012345"),
	}, today)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"surname":"Llŷr","forenames":"Siân Mair","former":["O'Brien"],"birth":"1980-02-29","sex":"F","staff_number":"12345678-2","registration":"HCPC RA012345"}`
	if s := string(got.Encode()); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	if got, err := CheckIdentity(Identity{}, today); err != nil || got.Former != nil || !got.Surname.IsZero() {
		t.Errorf("an empty identity: %v", err)
	}
}

func TestIdentityProblems(t *testing.T) {
	v := NewValue
	for _, c := range []struct {
		name string
		id   Identity
		want Problem
	}{
		{"200 bytes", Identity{Surname: v(strings.Repeat("ŵ", 100))}, ""},
		{"202 bytes", Identity{Surname: v(strings.Repeat("ŵ", 101))}, TooLong},
		{"line break", Identity{Forenames: v("Siân\nMair")}, BadCharacter},
		{"tab", Identity{KnownAs: v("Siân\tMair")}, BadCharacter},
		{"right-to-left override", Identity{Surname: v("Jones\u202edenoJ")}, BadCharacter},
		{"zero-width space", Identity{Surname: v("Jo\u200bnes")}, BadCharacter},
		{"lost letter", Identity{Surname: v("Ll\ufffdr")}, BadCharacter},
		{"Windows-1252", Identity{Forenames: v("Si\xe2n")}, BadEncoding},
		{"no letter", Identity{Surname: v("123")}, NoLetter},
		{"former without a letter", Identity{Former: []Value{v("-")}}, NoLetter},
		{"many former names", Identity{Former: slices.Repeat([]Value{v("Jones")}, 11)}, TooMany},
		{"no day", Identity{Birth: v("1980-02-30")}, BadForm},
		{"American", Identity{Birth: v("02/29/1980")}, BadForm},
		{"two-digit year", Identity{Birth: v("29/02/80")}, BadForm},
		{"14 today", Identity{Birth: v("2012-10-31")}, ""},
		{"14 tomorrow", Identity{Birth: v("2012-11-01")}, Implausible},
		{"in the future", Identity{Birth: v("2036-01-01")}, Implausible},
		{"120", Identity{Birth: v("1906-10-31")}, ""},
		{"over 120", Identity{Birth: v("1906-10-30")}, Implausible},
		{"sex", Identity{Sex: v("Q")}, BadForm},
		{"GMC", Identity{Registration: v("GMC 1234567")}, ""},
		{"GMC short", Identity{Registration: v("GMC 123456")}, BadForm},
		{"NMC", Identity{Registration: v("nmc 98a1234e")}, ""},
		{"NMC short", Identity{Registration: v("NMC 98A1234")}, BadForm},
		{"HCPC", Identity{Registration: v("HCPC RA1")}, ""},
		{"HCPC long", Identity{Registration: v("HCPC RA1234567")}, BadForm},
		{"HCPC digits", Identity{Registration: v("HCPC 123456")}, BadForm},
		{"GPhC", Identity{Registration: v("GPHC 2012345")}, ""},
		{"GPhC not 2", Identity{Registration: v("GPhC 1012345")}, BadForm},
		{"another body", Identity{Registration: v("GDC 123456")}, ""},
		{"no body", Identity{Registration: v("123456")}, BadForm},
	} {
		if _, err := CheckIdentity(c.id, today); problem(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if got, _ := CheckRegistration(v("gphc 2012345")); got.Expose() != "GPhC 2012345" {
		t.Errorf("GPhC is written %s", got.Expose())
	}
}

func TestContact(t *testing.T) {
	v := NewValue
	for _, c := range []struct {
		name string
		in   Contact
		want Problem
	}{
		{"nothing", Contact{}, ""},
		{"email", Contact{Email: v("Siân.Jones@Ysbyty.Example")}, ""},
		{"no domain", Contact{Email: v("sian@localhost")}, BadForm},
		{"two ats", Contact{Email: v("a@b@c.example")}, BadForm},
		{"space", Contact{Email: v("a b@c.example")}, BadForm},
		{"nobody", Contact{Email: v("@c.example")}, BadForm},
		{"dots", Contact{Email: v("a@c..example")}, BadForm},
		{"header", Contact{Email: v("a@c.example\r\nBcc: x@y.example")}, BadCharacter},
		{"phone", Contact{Phone: v("+44 (0)29 2018-0123 ext. 45")}, ""},
		{"words", Contact{Phone: v("ask at the desk")}, BadForm},
		{"short", Contact{Phone: v("123")}, BadForm},
		{"address", Contact{Address: []Value{v("Tŷ Gŵyn"), v(""), v("XW1 1AA")}}, ""},
		{"long address", Contact{Address: slices.Repeat([]Value{v("x")}, 9)}, TooMany},
		{"language", Contact{Language: v("CY")}, ""},
		{"other language", Contact{Language: v("fr")}, BadForm},
	} {
		got, err := CheckContact(c.in)
		if problem(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		switch c.name {
		case "email":
			if s := got.Email.Expose(); s != "Siân.Jones@ysbyty.example" {
				t.Errorf("email became %s", s)
			}
		case "address":
			if len(got.Address) != 2 {
				t.Errorf("%d lines of address are left, want 2", len(got.Address))
			}
		case "language":
			if got.Language.Expose() != "cy" {
				t.Errorf("language became %s", got.Language.Expose())
			}
		}
	}
}

func TestWhatWasCheckedIsNotChangedAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ a-zŵŷé\x{301}\x{a0}'.-]{0,30}`))
		draw := func(name string) Value { return NewValue(text.Draw(t, name)) }
		i, err := CheckIdentity(Identity{Surname: draw("surname"), Forenames: draw("forenames"), KnownAs: draw("known as"), Former: []Value{draw("former")}, StaffNumber: draw("staff")}, today)
		if err != nil {
			return
		}
		again, err := CheckIdentity(i, today)
		if err != nil || !slices.Equal(again.Encode(), i.Encode()) {
			t.Fatalf("%s became %s: %v", i.Encode(), again.Encode(), err)
		}
		back, err := DecodeIdentity(i.Encode())
		if err != nil || !slices.Equal(back.Encode(), i.Encode()) {
			t.Fatalf("%s came back as %s: %v", i.Encode(), back.Encode(), err)
		}
	})
}

func TestStaffStem(t *testing.T) {
	for in, want := range map[string]string{
		"12345678-2": "12345678", "12345678-12": "12345678", "12345678": "12345678", " 12345678-2 ": "12345678", "12345678-123": "12345678-123",
		"PH-00123": "PH-00123", "12345678-": "12345678-", "12-3": "12-3", "12345678-2-3": "12345678-2-3", "": "",
	} {
		if got := StaffStem(NewValue(in)); got.Expose() != want {
			t.Errorf("StaffStem(%q) = %q, want %q", in, got.Expose(), want)
		}
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"Siân": "sian", "LLŶR": "llyr", "Ŵŷâêîôûï": "wyaeioui", "Llŷr": "llyr", "O'Brien": "obrien", "O’Brien": "obrien", "O´Brien": "obrien",
		"ab-Owain": "ab owain", "  Jones –  Davies ": "jones davies", "J.P. Rees": "j p rees", "Strauß": "strauss", "Łukasz Wójcik": "lukasz wojcik",
		"Søren Æbelø": "soren aebelo", "İpek": "ipek", "ﬁon": "fion", "Ｓｉａｎ": "sian", "Jo\u00adnes": "jones", "": "", "---": "", "Ελένη": "ελενη", "Jones 2": "jones 2",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Words("ap Rhys-Davies, Siân"); !slices.Equal(got, []string{"ap", "rhys", "davies", "sian"}) {
		t.Errorf("Words: %q", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		once := Fold(s)
		if Fold(once) != once || strings.Join(Words(s), " ") != once {
			t.Fatalf("Fold(%q) = %q, folded again %q", s, once, Fold(once))
		}
	})
}
