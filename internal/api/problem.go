package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// Problem is an error's answer (RFC 9457). It never repeats what was sent.
type Problem struct {
	Status int     `json:"status"`
	Code   string  `json:"code" doc:"A word for a program to decide by" enum:"invalid,unauthenticated,refused,not-found,conflict,too-large,too-many,unavailable,internal"`
	Title  string  `json:"title"`
	Detail string  `json:"detail,omitempty"`
	Errors []Wrong `json:"errors,omitempty"`
}

// Wrong is one thing that is wrong with a request.
type Wrong struct {
	Where string `json:"where" doc:"As in people[3].birth"`
	What  string `json:"what"`
}

func (p *Problem) Error() string { return p.Title }

// GetStatus implements huma.StatusError.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType implements huma.ContentTypeFilter.
func (*Problem) ContentType(string) string { return "application/problem+json" }

var codes = map[int]string{http.StatusUnauthorized: "unauthenticated", http.StatusForbidden: "refused", http.StatusNotFound: "not-found", http.StatusMethodNotAllowed: "not-found",
	http.StatusConflict: "conflict", http.StatusRequestEntityTooLarge: "too-large", http.StatusTooManyRequests: "too-many", http.StatusServiceUnavailable: "unavailable",
	http.StatusInternalServerError: "internal"}

func problem(status int) *Problem {
	code := codes[status]
	if code == "" {
		code = "invalid"
	}
	return &Problem{Status: status, Code: code, Title: http.StatusText(status)}
}

// The library's errors name what was sent; ours say where, in words of the schema alone.
func init() {
	huma.NewError = func(status int, _ string, errs ...error) huma.StatusError {
		p := problem(status)
		for _, err := range errs {
			if d, ok := errors.AsType[*huma.ErrorDetail](err); ok {
				p.Errors = append(p.Errors, Wrong{where(d), what(d)})
			}
		}
		return p
	}
}

// place is a location that consists of a part of the request, names of fields and numbers of items.
var place = regexp.MustCompile(`^(body(\.[a-z_]{1,30}|\[[0-9]+\])*|query(\.(offset|limit|leavers|from|to))?|path(\.(organisation|wearer|import))?|header(\.Idempotency-Key)?)$`)

// where is the place of an error. A property or parameter that the schema does not know is left out: its name was sent.
func where(d *huma.ErrorDetail) string {
	at := d.Location
	if d.Message == unexpected {
		if i := strings.LastIndexByte(at, '.'); i >= 0 {
			at = at[:i]
		}
	}
	if !place.MatchString(at) {
		at, _, _ = strings.Cut(at, ".")
		if !place.MatchString(at) {
			return ""
		}
	}
	return strings.TrimPrefix(at, "body.")
}

const unexpected = "unexpected property"

// what says what the schema expects; anything else that the library says may quote the request.
func what(d *huma.ErrorDetail) string {
	switch {
	case d.Message == unexpected:
		return "a property that is not known here"
	case strings.HasPrefix(d.Message, "expected "):
		return d.Message
	}
	return "it can't be read"
}

func write(w http.ResponseWriter, p *Problem) {
	b, err := json.Marshal(p)
	if err != nil {
		b = nil
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	w.Write(b)
}

func indent(b []byte) []byte {
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		panic("api: the OpenAPI document is no JSON: " + err.Error())
	}
	out.WriteByte('\n')
	return out.Bytes()
}
