package vault

import "testing"

// Whatever stands in the file of the last head, a head of a slot that is whole is read, or it is an error.
func FuzzHead(f *testing.F) {
	f.Add(make([]byte, 2*headSlot))
	f.Add([]byte("not a head"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		head, slot, err := newestHead(b)
		if err == nil && (len(head) > headText || slot < 0) {
			t.Errorf("%d bytes of slot %d", len(head), slot)
		}
		if head, err := HeadIn(b); err == nil && len(head) > max(len(b), headText) {
			t.Errorf("%d bytes of %d", len(head), len(b))
		}
	})
}
