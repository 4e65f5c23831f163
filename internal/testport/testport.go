// Package testport finds addresses for the programs that tests and benchmarks start.
package testport

import (
	"context"
	"net"
	"strconv"
	"sync"
)

var (
	mu    sync.Mutex
	given = map[int]bool{}
)

// Free returns an address of this machine that nothing listens on, as host and port, and never the same one twice: a port
// that is free again may be the next one that the system gives.
func Free() (string, error) {
	mu.Lock()
	defer mu.Unlock()
	for {
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "localhost:0")
		if err != nil {
			return "", err
		}
		port := l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			return "", err
		}
		if !given[port] {
			given[port] = true
			return "localhost:" + strconv.Itoa(port), nil
		}
	}
}
