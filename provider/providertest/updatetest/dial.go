package updatetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"

	"github.com/miekg/dns"
)

// DialAround returns a way to connect in which every question, with its whole
// answer, goes through around: a failure of it is one of the connection.
func DialAround(around func(request func() error) error) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &aroundConn{Conn: conn, around: around}, nil
	}
}

// aroundConn is a TCP connection on which a question is written at once.
type aroundConn struct {
	net.Conn
	around func(request func() error) error
	answer bytes.Buffer
}

func (c *aroundConn) Write(question []byte) (int, error) {
	err := c.around(func() error {
		if _, err := c.Conn.Write(question); err != nil {
			return err
		}
		return c.collect(question)
	})
	if err != nil {
		return 0, err
	}
	return len(question), nil
}

func (c *aroundConn) Read(p []byte) (int, error) {
	if c.answer.Len() == 0 {
		return c.Conn.Read(p)
	}
	return c.answer.Read(p)
}

// collect reads the whole answer: that of a transfer ends with its second SOA.
func (c *aroundConn) collect(question []byte) error {
	asked := new(dns.Msg)
	if err := asked.Unpack(question[2:]); err != nil {
		return err
	}
	wanted := 1
	if asked.Question[0].Qtype == dns.TypeAXFR {
		wanted = 2
	}
	for {
		m, err := c.message()
		if err != nil {
			return err
		}
		for _, rr := range m.Answer {
			if rr.Header().Rrtype == dns.TypeSOA {
				wanted--
			}
		}
		if wanted <= 0 || m.Rcode != dns.RcodeSuccess || asked.Opcode == dns.OpcodeUpdate {
			return nil
		}
	}
}

func (c *aroundConn) message() (*dns.Msg, error) {
	var size [2]byte
	if _, err := io.ReadFull(c.Conn, size[:]); err != nil {
		return nil, err
	}
	wire := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(c.Conn, wire); err != nil {
		return nil, err
	}
	c.answer.Write(frame(wire))
	m := new(dns.Msg)
	return m, m.Unpack(wire)
}
