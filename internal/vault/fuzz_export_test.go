package vault

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/dosevault/dosevault/internal/id"
)

// Handler is what answers the nodes once a connection is there.
func (s *Server) Handler() http.Handler { return s.http.Handler }

// methods notes the patterns that routes registers.
type methods []string

func (m *methods) HandleFunc(pattern string, _ func(http.ResponseWriter, *http.Request)) {
	*m = append(*m, strings.TrimPrefix(pattern, "POST /v1/"))
}

// Methods are the methods of the wire.
func Methods() []string {
	var m methods
	routes(&m, nil)
	slices.Sort(m)
	return m
}

// LogSize is how many entries the logs of an organisation hold, of all years; of none, the installation log's.
func (v *Vault) LogSize(org id.Organisation) int64 {
	v.mu.RLock()
	defer v.mu.RUnlock()
	n := int64(0)
	for log, tree := range v.trees {
		if org.IsZero() != strings.Contains(log, "/") && (org.IsZero() || strings.HasPrefix(log, org.String()+"/")) {
			n += tree.Size()
		}
	}
	return n
}

// PutRow writes a row whose content is that, as a commit does, and changes nothing in memory.
func (v *Vault) PutRow(ctx context.Context, table Table, key, content []byte) error {
	sealed, err := v.authority.Seal(rowContext(table, key), factsPad, content)
	if err != nil {
		return err
	}
	return v.commit(ctx, func(t *tx) error {
		t.put(table, key, sealed)
		return nil
	})
}

// RowContent is what a row says.
func (v *Vault) RowContent(table Table, key, sealed []byte) []byte {
	b, _ := v.authority.Open(rowContext(table, key), sealed)
	return b
}
