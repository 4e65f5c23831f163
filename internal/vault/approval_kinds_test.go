package vault

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

// filled sets every field of a proposal's body, each one twice in turn to something else.
func filled(v reflect.Value, n int) {
	switch x := v.Addr().Interface().(type) {
	case *policy.Role:
		*x = policy.Roles[n]
		return
	case *policy.Purpose:
		*x = policy.Purposes[n]
		return
	case *day.Day:
		*x = day.Of(2026, 3, 1+n)
		return
	case *time.Time:
		*x = time.Date(2026, 3, 1+n, 0, 0, 0, 0, time.UTC)
		return
	case *map[string]int:
		*x = map[string]int{"contact": n + 1}
		return
	case *policy.Fields:
		*x = policy.FieldName << n
		return
	case *vaultclient.StandingWork:
		*x = []vaultclient.StandingWork{vaultclient.Evaluation, "another"}[n]
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			filled(v.Field(i), n)
		}
	case reflect.String:
		v.SetString([]string{"one", "other"}[n])
	case reflect.Int:
		v.SetInt(int64(n + 1))
	case reflect.Uint8:
		v.SetUint(uint64(n + 1))
	case reflect.Array:
		v.Index(0).SetUint(uint64(n + 1))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		filled(v.Index(0), n)
	default:
		panic(v.Type().String())
	}
}

// leaves calls fn with every field of a body.
func leaves(v reflect.Value, name string, fn func(name string, v reflect.Value)) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			leaves(v.Field(i), name, fn)
			continue
		}
		fn(f.Name, v.Field(i))
	}
}

// TestAllOfAProposalIsShown: whatever is changed in a proposal of any kind, other words are shown, or another place.
func TestAllOfAProposalIsShown(t *testing.T) {
	v := &Vault{}
	v.state.users = map[id.User]*vaultclient.User{}
	v.state.organisations = map[id.Organisation]*organisation{}
	shown := func(b proposed) string {
		lines := b.read(t.Context(), v)
		text, err := json.Marshal([]any{lines, v.whereWords(t.Context(), b.where(v))})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for kind, k := range approvalKinds {
		if kind == vaultclient.ApprovePolicies || kind == vaultclient.ApproveAgreement {
			continue // they show how policies differ, and have tests of their own
		}
		b := k.body()
		body := reflect.ValueOf(b).Elem()
		filled(body, 0)
		before := shown(b)
		fields := 0
		leaves(body, "", func(name string, f reflect.Value) {
			fields++
			filled(f, 1)
			if shown(b) == before {
				t.Errorf("%s: another %s reads the same: %s", kind, name, before)
			}
			filled(f, 0)
		})
		if fields == 0 {
			t.Errorf("%s: nothing was looked at", kind)
		}
	}
}

// TestApprovalDigest: vectors of the format that is drawn in approval.go, made by another program. They are never edited.
func TestApprovalDigest(t *testing.T) {
	body, err := canonical([]byte(`{ "role": "records-officer", "b": 12345678901234567890,
		"name": "Rhys Prosser", "a": "Si\u00e2n <" }`))
	if err != nil {
		t.Fatal(err)
	}
	sixteen := func(first byte) (b [16]byte) {
		for i := range b {
			b[i] = first + byte(i)
		}
		return b
	}
	p := proposal{Kind: vaultclient.ApproveUser, Body: body, Proposer: sixteen(17), Expires: 1767225600000000}
	for want, orgs := range map[string][]id.Organisation{
		"09178511adf6bd07916b8496670f16ef3bad3b7d6c8c45578f7f5725d1d18b9b": {sixteen(33), sixteen(49)},
		"ecd5ece28c91a98ea26b5a85b2da76e555415b3b3fa63f8ce75e216c4a7bc99e": nil,
	} {
		p.Organisations = orgs
		if got := fmt.Sprintf("%x", p.digest("installation-1", sixteen(1))); got != want {
			t.Errorf("organisations %v: %s", orgs, got)
		}
	}
}
