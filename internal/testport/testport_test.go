package testport

import (
	"net"
	"testing"
)

func TestAnAddressIsGivenOnce(t *testing.T) {
	seen := map[string]bool{}
	for range 2_000 { // the system gives ports at random: of so many, some come again
		a, err := Free()
		if err != nil {
			t.Fatal(err)
		}
		if seen[a] {
			t.Fatalf("%s was given twice", a)
		}
		seen[a] = true
	}
	a, err := Free()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", a)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}
