package vault

import (
	"slices"
	"sync/atomic"
	"unicode/utf8"

	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/id"
)

// roll is an organisation's wearers.
type roll struct {
	wearers []id.Wearer // append only, under mu
	counted atomic.Pointer[census]
}

// census is how many wearers were employed on a day; it holds until one of them changes.
type census struct {
	on      day.Day
	current int
}

// currentOn counts the wearers employed on a day. The caller holds the lock.
func (r *roll) currentOn(today day.Day, wearers map[id.Wearer]*wearer) int {
	if c := r.counted.Load(); c != nil && c.on == today {
		return c.current
	}
	c := &census{on: today}
	for _, n := range r.wearers {
		if wearers[n].currentOn(today) {
			c.current++
		}
	}
	r.counted.Store(c)
	return c.current
}

// startLength is how many letters of its words a wearer is found by among all of the service.
const startLength = 2

// start returns the beginning of a word by which wearers are kept apart.
func start(word string) string {
	end := 0
	for range startLength {
		_, n := utf8.DecodeRuneInString(word[end:])
		end += n
	}
	return word[:end]
}

// indexStarts enters a wearer under the beginnings of its words. What it had other words for stays: whoever looks
// compares the words themselves.
func (s *state) indexStarts(w, old *wearer) {
	for i, word := range w.words {
		begin := start(word)
		has := func(other string) bool { return start(other) == begin }
		if slices.ContainsFunc(w.words[:i], has) || old != nil && slices.ContainsFunc(old.words, has) {
			continue
		}
		s.starts[begin] = append(s.starts[begin], w.id)
	}
}

// candidates returns wearers among whom are all that have words beginning so; false: look at everybody. The caller
// holds the lock.
func (s *state) candidates(words []string) ([]id.Wearer, bool) {
	var fewest []id.Wearer
	found := false
	for _, word := range words {
		if utf8.RuneCountInString(word) < startLength {
			continue
		}
		if list := s.starts[start(word)]; !found || len(list) < len(fewest) {
			fewest, found = list, true
		}
	}
	return fewest, found
}
