package updatetest

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// Proxy passes connections on to the server, until the test ends, and calls
// before with every question: what it does has happened when the server gets
// the question. It returns its address.
func (p Primary) Proxy(t testing.TB, before func(question *dns.Msg)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // the test's end closes it
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.pass(client, before) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		serving.Wait()
	})
	return listener.Addr().String()
}

// pass serves one connection until the client closes it.
func (p Primary) pass(client net.Conn, before func(*dns.Msg)) {
	defer client.Close()
	server, err := net.Dial("tcp", p.Addr) //nolint:noctx // the client's end closes it
	if err != nil {
		return
	}
	var answering sync.WaitGroup
	answering.Go(func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	})
	for {
		wire, err := receive(client)
		if err != nil {
			break
		}
		question := new(dns.Msg)
		if question.Unpack(wire) == nil {
			before(question)
		}
		if _, err := server.Write(frame(wire)); err != nil {
			break
		}
	}
	_ = server.Close()
	answering.Wait()
}
