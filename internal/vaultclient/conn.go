package vaultclient

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Requests go out as plain HTTP/1.1, one at a time on a connection. That is written here, and not by http.Client, because a
// reveal is so short that handing it between that client's goroutines costs more than the vault's whole decision. Answers are
// read by net/http.

const (
	idleConns   = 64
	idleAtMost  = time.Minute // less than the vault waits before it closes a connection
	connBuffers = 64 << 10
)

// conns are the connections to a vault: those that wait to be used again.
type conns struct {
	dial func(context.Context) (*conn, error)
	mu   sync.Mutex
	idle []*conn // the last used at the end
}

// conn is one connection.
type conn struct {
	raw  net.Conn // what TLS goes over
	r    *bufio.Reader
	w    *bufio.Writer
	used time.Time
}

func newConn(raw net.Conn, over *tls.Conn) *conn {
	return &conn{raw: raw, r: bufio.NewReaderSize(over, connBuffers), w: bufio.NewWriterSize(over, connBuffers)}
}

// get returns a connection that was used before and still stands, or a new one.
func (p *conns) get(ctx context.Context) (*conn, error) {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return p.dial(ctx)
		}
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		if time.Since(c.used) < idleAtMost && c.stands() {
			return c, nil
		}
		c.raw.Close()
	}
}

// put keeps a connection for the next request.
func (p *conns) put(c *conn) {
	c.used = time.Now()
	p.mu.Lock()
	if len(p.idle) < idleConns {
		p.idle, c = append(p.idle, c), nil
	}
	p.mu.Unlock()
	if c != nil {
		c.raw.Close()
	}
}

// close closes the connections that wait.
func (p *conns) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	for _, c := range idle {
		c.raw.Close()
	}
}

// stands reports whether the vault has neither closed the connection nor said anything since its last answer. A request is
// never sent twice, since the first one may have been carried out: so a connection is looked at before it is used again.
func (c *conn) stands() bool {
	if c.r.Buffered() > 0 {
		return false
	}
	sc, ok := c.raw.(syscall.Conn)
	if !ok {
		return false
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = rc.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = err == syscall.EAGAIN
		return true
	})
	return err == nil && quiet
}

// post sends a request and reads its answer to the end.
func (p *conns) post(ctx context.Context, method string, b Body) (status int, contentType string, answer []byte, err error) {
	c, err := p.get(ctx)
	if err != nil {
		return 0, "", nil, err
	}
	reusable := false
	stop := context.AfterFunc(ctx, func() { c.raw.SetDeadline(time.Unix(1, 0)) }) // ends what it waits for
	defer func() {
		if stop() && reusable {
			p.put(c)
		} else {
			c.raw.Close()
		}
	}()
	sent := c.send(method, b)
	resp, err := http.ReadResponse(c.r, nil) // also where not all was sent: the answer then says why
	if err != nil {
		if sent != nil {
			err = sent
		}
		return 0, "", nil, err
	}
	answer, err = ReadBody(io.LimitReader(resp.Body, MaxBody+1), resp.ContentLength)
	if err == nil && len(answer) > MaxBody {
		err = errBody
	}
	if err != nil {
		c.raw.Close() // before the rest of the body is read and thrown away
		return 0, "", nil, errors.Join(err, resp.Body.Close())
	}
	if err := resp.Body.Close(); err != nil {
		return 0, "", nil, err
	}
	reusable = sent == nil && !resp.Close
	return resp.StatusCode, resp.Header.Get("Content-Type"), answer, nil
}

// send writes a request.
func (c *conn) send(method string, b Body) error {
	c.w.WriteString("POST /v1/" + method + " HTTP/1.1\r\nHost: vault\r\nContent-Type: " + b.Type + "\r\nContent-Length: " + strconv.FormatInt(b.Size, 10) + "\r\n\r\n")
	b.WriteTo(c.w)
	return c.w.Flush() // and any error before it
}
