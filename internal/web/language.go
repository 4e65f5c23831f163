package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/dosevault/dosevault/internal/words"
)

// languageRoutes are choosing English or Welsh.
func (h *handler) languageRoutes() []route {
	return []route{{"GET /language/{language}", h.chooseLanguage}}
}

// languageCookie holds "en" or "cy", for who has chosen; others get what their browser asks for.
const languageCookie = "language"

const languageLifetime = 365 * 24 * 60 * 60 // seconds

// otherLanguages are what a page offers instead of its own, each by its own name.
var otherLanguages = map[words.Lang]struct {
	lang words.Lang
	name string
}{words.English: {words.Welsh, "Cymraeg"}, words.Welsh: {words.English, "English"}}

type backKey struct{}

// speak returns a request whose page is in the language of its reader, and says so in the answer's head.
func (h *handler) speak(w http.ResponseWriter, r *http.Request) *http.Request {
	lang := words.Choose(h.readCookie(r, languageCookie), r.Header.Get("Accept-Language"))
	w.Header().Set("Content-Language", string(lang))
	w.Header().Add("Vary", "Accept-Language, Cookie")
	ctx := words.With(r.Context(), lang, &welsh)
	return r.WithContext(context.WithValue(ctx, backKey{}, pageOf(r)))
}

// pageOf is the address of the page that a request is made from or for: an answer to a form has none of its own, so it is
// the one that the form stood on.
func pageOf(r *http.Request) string {
	if r.Method == http.MethodGet {
		return r.URL.RequestURI()
	}
	if u, err := url.Parse(r.Referer()); err == nil && u.Host == r.Host {
		return u.RequestURI()
	}
	return "/"
}

// languageHref is where the page in the other language is asked for.
func languageHref(ctx context.Context, to words.Lang) string {
	back, _ := ctx.Value(backKey{}).(string)
	return "/language/" + string(to) + "?" + url.Values{"back": {back}}.Encode()
}

// chooseLanguage keeps a choice and goes back to a page of this node.
func (h *handler) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	lang := words.Lang(r.PathValue("language"))
	if lang != words.English && lang != words.Welsh {
		h.fail(w, r, nil, errNoPage)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: h.prefixed(languageCookie), Value: string(lang), Path: "/", HttpOnly: true, Secure: !h.plain, SameSite: http.SameSiteLaxMode, MaxAge: languageLifetime})
	back := r.URL.Query().Get("back")
	// What is no path of this node may lead anywhere: browsers take "//host" and "/\host" for another's.
	if !strings.HasPrefix(back, "/") || strings.HasPrefix(back, "//") || strings.ContainsAny(back, "\\\r\n\t") || strings.HasPrefix(back, "/signin/code") {
		back = "/"
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}
