package dnstest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"

	"github.com/miekg/dns"
)

// Dial connects to the server within the process, whatever the address. Such a
// connection also works in a bubble of testing/synctest, where a test decides
// how time goes by. Over "udp" every Write is a packet and so is every Read.
func (s *Server) Dial(_ context.Context, network, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	tcp := strings.HasPrefix(network, "tcp")
	go s.serveConn(server, tcp)
	return client, nil
}

// serveConn answers what arrives on a connection until its other end closes.
func (s *Server) serveConn(conn net.Conn, tcp bool) {
	defer conn.Close()
	for {
		wire, err := receive(conn, tcp)
		if err != nil {
			return
		}
		req := new(dns.Msg)
		if req.Unpack(wire) != nil || req.Response || len(req.Question) != 1 {
			continue
		}
		packets, hangup := s.respond(req, tcp)
		for _, packet := range packets {
			if tcp {
				packet = append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
			}
			if _, err := conn.Write(packet); err != nil {
				return
			}
		}
		if hangup {
			return
		}
	}
}

func receive(conn net.Conn, tcp bool) ([]byte, error) {
	if !tcp {
		packet := make([]byte, dns.MaxMsgSize)
		n, err := conn.Read(packet)
		return packet[:n], err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	wire := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(conn, wire)
	return wire, err
}
