// Package xlsxtest makes small spreadsheets for tests.
package xlsxtest

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// Parts are an archive's parts by their name, to be changed by who wants a strange spreadsheet.
type Parts map[string]string

// Styles of cells, for a cell's attribute s.
const (
	Plain = iota
	Date
	DateTime
	Custom // dddd d mmmm yyyy
)

// Book returns the parts of a workbook with one sheet, whose rows are given as XML: elements row, or what a test wants to stand there.
func Book(rows string) Parts {
	const head = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	const main = `xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"`
	const kind = `http://schemas.openxmlformats.org/officeDocument/2006/relationships/`
	relations := func(list ...[2]string) string {
		var b strings.Builder
		b.WriteString(head + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`)
		for i, r := range list {
			fmt.Fprintf(&b, `<Relationship Id="r%d" Type="%s%s" Target="%s"/>`, i+1, kind, r[0], r[1])
		}
		return b.String() + `</Relationships>`
	}
	return Parts{
		"_rels/.rels":                relations([2]string{"officeDocument", "xl/workbook.xml"}),
		"xl/_rels/workbook.xml.rels": relations([2]string{"worksheet", "worksheets/sheet1.xml"}, [2]string{"styles", "/xl/styles.xml"}, [2]string{"sharedStrings", "sharedStrings.xml"}),
		"xl/workbook.xml":            head + `<workbook ` + main + `><workbookPr/><sheets><sheet name="Doses" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/styles.xml": head + `<styleSheet ` + main + `><numFmts count="1"><numFmt numFmtId="164" formatCode="dddd\ d\ mmmm\ yyyy"/></numFmts><cellStyleXfs count="1"><xf numFmtId="14"/></cellStyleXfs>` +
			`<cellXfs count="4"><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="164"/></cellXfs></styleSheet>`,
		"xl/sharedStrings.xml":     head + `<sst ` + main + `><si><t>shared</t></si><si><r><t>ri</t></r><r><rPr><b/></rPr><t xml:space="preserve">ch </t></r><rPh sb="0" eb="1"><t>said</t></rPh></si></sst>`,
		"xl/worksheets/sheet1.xml": head + `<worksheet ` + main + `><dimension ref="A1"/><sheetData>` + rows + `</sheetData><pageMargins left="1"/></worksheet>`,
	}
}

// Zip packs the parts.
func (p Parts) Zip() []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range p {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			panic(err) // a bytes.Buffer takes all
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// Row returns a row of texts as XML.
func Row(texts ...string) string {
	var b strings.Builder
	b.WriteString("<row>")
	for _, t := range texts {
		b.WriteString(`<c t="inlineStr"><is><t xml:space="preserve">`)
		xml.EscapeText(&b, []byte(t))
		b.WriteString("</t></is></c>")
	}
	return b.String() + "</row>"
}

// Texts returns a spreadsheet of rows of texts.
func Texts(rows ...[]string) []byte {
	var b strings.Builder
	for _, r := range rows {
		b.WriteString(Row(r...))
	}
	return Book(b.String()).Zip()
}
