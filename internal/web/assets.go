package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
)

// The served files of nhsuk-frontend (licence beside them) and our own. Their names are stable.
//
//go:embed assets
var assetFiles embed.FS

// assets serves the embedded files: they hold no data and may be kept for an hour.
func assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Path[1:]
		b, err := assetFiles.ReadFile(name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		kind := "text/plain; charset=utf-8" // licences
		switch path.Ext(name) {             // not left to the tables of the machine
		case ".css":
			kind = "text/css; charset=utf-8"
		case ".js":
			kind = "text/javascript; charset=utf-8"
		case ".svg":
			kind = "image/svg+xml"
		}
		sum := sha256.Sum256(b)
		tag := `"` + hex.EncodeToString(sum[:12]) + `"`
		head := w.Header()
		head.Set("Content-Type", kind)
		head.Set("Cache-Control", "public, max-age=3600")
		head.Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Write(b) // an error here is a client that has gone
	})
}
