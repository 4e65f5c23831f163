package delimited

import "strings"

// IsError reports whether a field is what a spreadsheet shows of a formula that failed, such as #N/A, #REF!, #NAME? or Err:502.
func IsError(s string) bool {
	if code, ok := strings.CutPrefix(s, "Err:"); ok {
		return len(code) == 3 && strings.Trim(code, "0123456789") == ""
	}
	name, ok := strings.CutPrefix(s, "#")
	if !ok || strings.ContainsFunc(strings.TrimRight(name, "!?"), func(r rune) bool { return (r < 'A' || r > 'Z') && r != '/' && r != '0' && r != '_' }) {
		return false
	}
	return name == "N/A" || name == "GETTING_DATA" || len(name) > 1 && strings.ContainsAny(name[len(name)-1:], "!?")
}
