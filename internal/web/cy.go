package web

import "github.com/dosevault/dosevault/internal/words"

// welsh is the Welsh of every text of the pages.
var welsh words.Catalogue
