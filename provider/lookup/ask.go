package lookup

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

// server is one server and what this run knows about it.
type server struct {
	address string
	heard   atomic.Uint64 // its answers so far
	silent  atomic.Bool   // didn't answer when it was last asked
	noEDNS  atomic.Bool
}

// order returns the servers to ask: those that are silent come last.
func (r *Resolver) order() []*server {
	var first, last []*server
	for _, s := range r.servers {
		if s.silent.Load() {
			last = append(last, s)
		} else {
			first = append(first, s)
		}
	}
	return append(first, last...)
}

// ask asks one server after the other, in several rounds, until one answers.
func (r *Resolver) ask(ctx context.Context, q question) (reply, error) {
	beats := r.pulse.count()
	var failed failures
	for round, patience := range r.patience {
		if round > 0 && failed.unreachable() {
			if err := sleep(ctx, pause); err != nil {
				return reply{}, err
			}
		}
		got, done, err := r.askRound(ctx, q, patience, &failed)
		if done || err != nil {
			return got, err
		}
	}
	if failed.unreachable() && r.pulse.count() == beats {
		r.giveUp()
		return reply{}, context.Cause(r.run)
	}
	return reply{}, q.fail(failed.reason(), failed.String())
}

// pause is for a local server that is just being restarted.
const pause = 100 * time.Millisecond

// askRound asks each server that may still help.
func (r *Resolver) askRound(ctx context.Context, q question, patience time.Duration, failed *failures) (got reply, done bool, err error) {
	for _, s := range r.order() {
		if failed.final(s) {
			continue
		}
		got, bad := r.askServer(ctx, s, q, patience)
		if bad == nil {
			return got, true, nil
		}
		if ctx.Err() != nil {
			return reply{}, false, context.Cause(ctx)
		}
		failed.add(s, bad)
	}
	return reply{}, false, nil
}

// askServer asks one server once, without EDNS where it doesn't know that
// (RFC 6891 7).
func (r *Resolver) askServer(ctx context.Context, s *server, q question, patience time.Duration) (reply, *flaw) {
	if s.noEDNS.Load() {
		return r.askOver(ctx, s, q, false, patience)
	}
	got, bad := r.askOver(ctx, s, q, true, patience)
	if bad == nil || bad.reason != formErr && bad.reason != notImp {
		return got, bad
	}
	got, bad = r.askOver(ctx, s, q, false, patience)
	if bad == nil {
		s.noEDNS.Store(true)
	}
	return got, bad
}

// askOver asks over UDP, and over TCP where the answer didn't fit or arrived in
// pieces (RFC 7766 5).
func (r *Resolver) askOver(ctx context.Context, s *server, q question, edns bool, patience time.Duration) (reply, *flaw) {
	wire, bad := r.exchange(ctx, s, "udp", q, edns, patience)
	if bad != nil {
		return reply{}, bad
	}
	if !truncated(wire) {
		got, bad := decode(q, wire)
		if bad == nil || bad.reason != Malformed {
			return got, bad
		}
	}
	wire, bad = r.exchange(ctx, s, "tcp", q, edns, patience)
	switch {
	case bad != nil:
		return reply{}, &flaw{bad.reason, "its answer needs TCP, but " + bad.detail}
	case truncated(wire):
		return reply{}, malformed("it is cut short even over TCP")
	}
	return decode(q, wire)
}

// exchange sends a question, when its turn comes, and returns the message that
// answers it.
func (r *Resolver) exchange(ctx context.Context, s *server, network string, q question, edns bool, patience time.Duration) ([]byte, *flaw) {
	message, err := q.message(edns)
	if err != nil {
		return nil, &flaw{BadName, err.Error()}
	}
	if err := r.takeSlot(ctx); err != nil {
		return nil, &flaw{Timeout, err.Error()}
	}
	defer func() { <-r.slots }()
	r.pulse.begin()
	defer r.pulse.end()
	heard := s.heard.Load()
	wire, err := r.roundTrip(ctx, s, network, message, patience)
	if err == nil {
		return wire, nil
	}
	if ctx.Err() == nil && s.heard.Load() == heard {
		s.silent.Store(true)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, &flaw{Timeout, fmt.Sprintf("it did not answer within %v", patience)}
	}
	return nil, &flaw{Unreachable, "it can't be reached: " + cause(err)}
}

// cause is the part of a network error that is the same each time: without the
// port that the question came from.
func cause(err error) string {
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		return errno.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it closes the connection"
	}
	return err.Error()
}

func (r *Resolver) takeSlot(ctx context.Context) error {
	if err := r.pacer.wait(ctx); err != nil {
		return err
	}
	select {
	case r.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// roundTrip sends a message over a connection of its own, so that each has its
// own port (RFC 5452 9.2), and waits for its answer. The error is
// context.DeadlineExceeded where patience or ctx ended first.
func (r *Resolver) roundTrip(ctx context.Context, s *server, network string, message []byte, patience time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	wire, err := r.send(ctx, s.address, network, message)
	switch {
	case err == nil:
		s.heard.Add(1)
		s.silent.Store(false)
		r.pulse.beat()
		return wire, nil
	case ctx.Err() != nil:
		return nil, context.DeadlineExceeded
	}
	return nil, err
}

func (r *Resolver) send(ctx context.Context, address, network string, message []byte) ([]byte, error) {
	conn, err := r.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	past := time.Unix(1, 0)
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(past) })
	defer stop()
	if strings.HasPrefix(network, "tcp") {
		return overTCP(conn, message)
	}
	return overUDP(conn, message)
}

// overUDP passes over packets that answer something else: they are late, or
// forged.
func overUDP(conn net.Conn, message []byte) ([]byte, error) {
	if _, err := conn.Write(message); err != nil {
		return nil, err
	}
	const largest = 4096 // more than was asked for, for servers that don't care
	packet := make([]byte, largest)
	for {
		n, err := conn.Read(packet)
		if err != nil {
			return nil, err
		}
		if answers(message, packet[:n]) {
			return packet[:n], nil
		}
	}
}

// overTCP puts the length before each message (RFC 1035 4.2.2).
func overTCP(conn net.Conn, message []byte) ([]byte, error) {
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...)
	if _, err := conn.Write(framed); err != nil {
		return nil, err
	}
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return nil, err
		}
		wire := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, wire); err != nil {
			return nil, err
		}
		if answers(message, wire) {
			return wire, nil
		}
	}
}

// probe asks all servers for the root's servers, which each resolver has at
// hand, in the background.
func (r *Resolver) probe() {
	message, err := question{".", dns.TypeNS}.message(true)
	if err != nil {
		return
	}
	for _, s := range r.servers {
		go func() { _, _ = r.roundTrip(r.run, s, "udp", message, r.silence/2) }()
	}
}
