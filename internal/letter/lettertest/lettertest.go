// Package lettertest reads the texts of a PDF that the service printed, so that tests can hold paper against the ledger.
// It is for tests only, and knows as little of a PDF as its texts need: compressed streams and texts in UTF-16.
package lettertest

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"regexp"
	"unicode/utf16"
)

var (
	stream = regexp.MustCompile(`(?s)/Length (\d+)[^>]*>>\s*stream\r?\n`)
	shown  = regexp.MustCompile(`(?s)\(((?:\\.|[^\\)])*)\) ?Tj`)
)

// Texts returns the texts of each page of a PDF, in the order in which they were written.
func Texts(pdf []byte) ([][]string, error) {
	if !bytes.HasPrefix(pdf, []byte("%PDF-")) {
		return nil, fmt.Errorf("no PDF")
	}
	var pages [][]string
	for _, at := range stream.FindAllSubmatchIndex(pdf, -1) {
		var n int
		if _, err := fmt.Sscan(string(pdf[at[2]:at[3]]), &n); err != nil || at[1]+n > len(pdf) {
			return nil, fmt.Errorf("a stream's length is wrong")
		}
		z, err := zlib.NewReader(bytes.NewReader(pdf[at[1] : at[1]+n]))
		if err != nil {
			continue // not compressed: no page
		}
		content, err := io.ReadAll(z)
		if err != nil || !bytes.Contains(content, []byte("BT")) {
			continue
		}
		var texts []string
		for _, m := range shown.FindAllSubmatch(content, -1) {
			texts = append(texts, text(m[1]))
		}
		if len(texts) > 0 {
			pages = append(pages, texts)
		}
	}
	return pages, nil
}

// text reads a string of the PDF: backslashes taken off, then UTF-16, the high byte first.
func text(b []byte) string {
	var raw []byte
	for i := 0; i < len(b); i++ {
		if b[i] == '\\' && i+1 < len(b) {
			i++
			if c := b[i]; c == 'r' {
				raw = append(raw, '\r')
				continue
			} else if c == 'n' {
				raw = append(raw, '\n')
				continue
			}
		}
		raw = append(raw, b[i])
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	return string(utf16.Decode(units))
}
