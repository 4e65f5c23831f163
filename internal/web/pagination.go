package web

// pageSize is the number of rows on a page.
const pageSize = 25

// pages says which part of a long list is shown. Pages are numbered from 1.
type pages struct {
	Page  int // the one shown
	Last  int // the last there is; 1 for an empty list
	Total int // rows in all
}

// paged places page in a list of total rows: a page before the first is the first, one after the last the last.
func paged(total, page int) pages {
	last := max(1, (total+pageSize-1)/pageSize)
	return pages{Page: min(max(1, page), last), Last: last, Total: total}
}

// Offset is the number of rows before the page.
func (p pages) Offset() int { return (p.Page - 1) * pageSize }

// From and To are the page's first and last row, counted from 1; both are 0 for an empty list.
func (p pages) From() int { return min(p.Offset()+1, p.Total) }

// To is the page's last row.
func (p pages) To() int { return min(p.Offset()+pageSize, p.Total) }

// Items lists the page numbers to offer: the first, the last, and the shown one with two on each side.
// A 0 stands for a gap of two or more pages.
func (p pages) Items() []int {
	var items []int
	before := 0
	for n := 1; n <= p.Last; n++ {
		if n != 1 && n != p.Last && (n < p.Page-2 || n > p.Page+2) {
			continue
		}
		switch n - before {
		case 1:
		case 2:
			items = append(items, n-1)
		default:
			items = append(items, 0)
		}
		items = append(items, n)
		before = n
	}
	return items
}
