package rfc2136

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// patience is how long a server may take for its next message. The context
// bounds the whole.
const patience = 15 * time.Second

// grace is how long an update that was sent is waited for after the context's
// end: who leaves before may read the zone before the server has changed it.
const grace = time.Second

// conversation is one connection for one question and its answer, which may
// have several messages.
type conversation struct {
	server  *server
	doing   action
	conn    net.Conn
	finish  func()
	mac     string // of the message before (RFC 8945 5.3)
	further bool   // the messages to come sign their times alone (RFC 8945 5.3.1)
}

// connect waits for a free connection and opens it. The context's end closes
// it, whatever is waited for; that of an update a little later.
func (s *server) connect(ctx context.Context, doing action) (*conversation, error) {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	release := func() { <-s.slots }
	dial := s.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: patience}).DialContext
	}
	conn, err := dial(ctx, "tcp", s.address)
	if err != nil {
		release()
		return nil, fmt.Errorf("server %s can't be reached: %w", s.address, err)
	}
	hangUp := func() { _ = conn.Close() }
	if doing == updating {
		hangUp = func() { time.AfterFunc(grace, func() { _ = conn.Close() }) }
	}
	stop := context.AfterFunc(ctx, hangUp)
	return &conversation{server: s, doing: doing, conn: conn, finish: func() {
		stop()
		_ = conn.Close()
		release()
	}}, nil
}

// send signs a question and sends it.
func (c *conversation) send(m *dns.Msg) error {
	key, now := c.server.key, time.Now
	if c.server.Now != nil {
		now = c.server.Now
	}
	m.SetTsig(key.Name, key.Algorithm, fudge, now().Unix())
	wire, mac, err := dns.TsigGenerate(m, key.Secret, "", false)
	if err != nil {
		return fmt.Errorf("the message can't be written: %w", err)
	}
	if len(wire) > dns.MaxMsgSize-1 {
		return fmt.Errorf("the message has %d bytes, at most %d are possible: change less at a time", len(wire), dns.MaxMsgSize-1)
	}
	c.mac = mac
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	_, err = c.conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...))
	return err
}

// fudge is how many seconds clocks may differ (RFC 8945 10).
const fudge = 300

// receive returns the next message of the answer, as it came too. What the
// server refused is a *refusal.
func (c *conversation) receive(question *dns.Msg) (*dns.Msg, []byte, error) {
	wire, err := c.read()
	if err != nil {
		return nil, nil, fmt.Errorf("server %s gave no answer: %w", c.server.address, err)
	}
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		return nil, nil, fmt.Errorf("server %s sent what is no DNS message: %w", c.server.address, err)
	}
	if m.Id != question.Id || !m.Response || m.Opcode != question.Opcode {
		return nil, nil, fmt.Errorf("server %s answered another question", c.server.address)
	}
	if err := c.judge(m, wire); err != nil {
		return nil, nil, err
	}
	return m, wire, nil
}

func (c *conversation) read() ([]byte, error) {
	if err := c.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	var size [2]byte
	if _, err := io.ReadFull(c.conn, size[:]); err != nil {
		return nil, err
	}
	wire := make([]byte, binary.BigEndian.Uint16(size[:]))
	_, err := io.ReadFull(c.conn, wire)
	return wire, err
}

// judge wants a message signed by our key that says that all went well.
func (c *conversation) judge(m *dns.Msg, wire []byte) error {
	tsig := m.IsTsig()
	if tsig != nil && tsig.Error != dns.RcodeSuccess {
		return &refusal{server: c.server, doing: c.doing, rcode: m.Rcode, tsig: tsig}
	}
	// A server that isn't the zone's says so signed, yet the library doesn't
	// verify that.
	if m.Rcode == dns.RcodeNotAuth {
		return &refusal{server: c.server, doing: c.doing, rcode: m.Rcode, unsigned: tsig == nil}
	}
	err := dns.ErrNoSig
	if tsig != nil {
		// The library writes into what it verifies.
		err = dns.TsigVerify(slices.Clone(wire), c.server.key.Secret, c.mac, c.further)
		c.mac = tsig.MAC
	}
	switch {
	case m.Rcode != dns.RcodeSuccess:
		return &refusal{server: c.server, doing: c.doing, rcode: m.Rcode, unsigned: err != nil}
	case errors.Is(err, dns.ErrTime):
		return fmt.Errorf("the answer of server %s was signed at %s: the clocks of both machines differ, set the one that is wrong", c.server.address, time.Unix(int64(tsig.TimeSigned), 0).UTC().Format(time.RFC3339))
	case err != nil:
		return fmt.Errorf("the answer of server %s is not signed with the key %s (%w): somebody else may have sent it, so it is not believed", c.server.address, c.server.key.Name, err)
	}
	return nil
}

// update sends an update and takes its answer.
func (s *server) update(ctx context.Context, m *dns.Msg) error {
	c, err := s.connect(ctx, updating)
	if err != nil {
		return ended(ctx, err)
	}
	defer c.finish()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.send(m); err != nil {
		return ended(ctx, err)
	}
	_, _, err = c.receive(m)
	return ended(ctx, err)
}

// ended says of an error that came of the context's end what it was.
func ended(ctx context.Context, err error) error {
	if why := ctx.Err(); err != nil && why != nil && !errors.Is(err, why) {
		return fmt.Errorf("%w: %w", why, err)
	}
	return err
}
