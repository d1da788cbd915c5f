// Package serverstest starts real DNS servers for tests: BIND, Knot and
// PowerDNS, each a process on a loopback port that ends with its test. Tests
// that use it carry the build tag servers, and Server in their names.
package serverstest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/attunelogic/maildns/provider/providertest/updatetest"
	"github.com/attunelogic/maildns/records"
)

// Server is a running server: primary of one zone, which has a SOA and a name
// server at first. The key of updatetest may transfer and change all of it.
type Server struct {
	updatetest.Primary
	Kind    Kind
	Version string
	// API is the base URL of PowerDNS' HTTP API, and APIKey what it asks for;
	// empty for the others.
	API, APIKey string

	dir string
}

// Kind is a kind of server.
type Kind struct {
	Name    string
	Program string // what is run
	Debian  string // the packages that have it
	// prepare writes the configuration and returns the command.
	prepare func(dir string, ports ports, zone records.Name) ([]string, error)
	version []string // of a command that prints it
}

// Kinds are all that there are.
func Kinds() []Kind { return []Kind{BIND(), Knot(), PowerDNS()} }

// ports are free ones of 127.0.0.1.
type ports struct{ dns, http int }

// Start starts a server of its own for a test. Where the program isn't
// installed the test is skipped, which is printed.
func (k Kind) Start(t testing.TB, zone records.Name) *Server {
	t.Helper()
	if _, err := find(k.Program); err != nil {
		t.Skipf("SKIPPED: %s is not installed; on Debian: apt-get install %s", k.Program, k.Debian)
	}
	var failed error
	for range 3 { // somebody else may take the ports first
		s, err := k.start(t, zone)
		if err == nil {
			return s
		}
		failed = err
	}
	t.Fatalf("%s doesn't start: %v", k.Name, failed)
	return nil
}

// find also looks where only root's PATH leads.
func find(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return exec.LookPath("/usr/sbin/" + program)
}

// watched runs a command until the input ends, which also a test that dies
// brings about: no process and no directory stays.
const watched = `
( sh -c 'echo $$ >pid; exec "$@"' sh "$@" >log 2>&1 </dev/null; : >ended ) &
cat >/dev/null
kill -9 "$(cat pid)" 2>/dev/null
wait
rm -rf "$PWD"
`

func (k Kind) start(t testing.TB, zone records.Name) (*Server, error) {
	free, err := freePorts()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "maildns-") // short: it holds a socket
	if err != nil {
		return nil, err
	}
	command, err := k.prepare(dir, free, zone)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	cmd := exec.CommandContext(context.Background(), "sh", append([]string{"-c", watched, "sh"}, command...)...) //nolint:gosec // the test's own servers
	cmd.Dir = dir
	input, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop := func() {
		_ = input.Close()
		_ = cmd.Wait()
	}
	s := &Server{Kind: k, Version: k.installed(), dir: dir, Primary: updatetest.Primary{Addr: address(free.dns), Zone: zone}}
	if k.Name == "PowerDNS" {
		s.API, s.APIKey = "http://"+address(free.http), apiKey
	}
	if err := s.await(); err != nil {
		err = fmt.Errorf("%w; its log: %s", err, s.log())
		stop()
		return nil, err
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s: the end of its log:\n%s", k.Name, s.log())
		}
		stop()
	})
	return s, nil
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// freePorts finds two, the first free for UDP too.
func freePorts() (ports, error) {
	var config net.ListenConfig
	ctx := context.Background()
	for {
		one, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return ports{}, err
		}
		two, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return ports{}, err
		}
		udp, err := config.ListenPacket(ctx, "udp", one.Addr().String())
		free := ports{portOf(one), portOf(two)}
		_, _ = one.Close(), two.Close()
		if err == nil {
			return free, udp.Close()
		}
	}
}

func portOf(l net.Listener) int {
	tcp, _ := l.Addr().(*net.TCPAddr)
	return tcp.Port
}

// await waits until the server answers for its zone.
func (s *Server) await() error {
	question := new(dns.Msg).SetQuestion(string(s.Zone)+".", dns.TypeSOA)
	client := &dns.Client{Net: "tcp", Timeout: time.Second}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(s.dir, "ended")); err == nil {
			return fmt.Errorf("it ended at once")
		}
		answer, _, err := client.ExchangeContext(context.Background(), question, s.Addr)
		if err == nil && answer.Rcode == dns.RcodeSuccess && len(answer.Answer) > 0 {
			return nil
		}
	}
	return fmt.Errorf("it doesn't answer within 30 seconds")
}

func (s *Server) log() string {
	const enough = 4000
	text, err := os.ReadFile(filepath.Join(s.dir, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-enough):])
}

// installed is the version that the program says it has, in its first line.
func (k Kind) installed() string {
	program, err := find(k.version[0])
	if err != nil {
		return ""
	}
	// PowerDNS' exit status is 99 then.
	out, _ := exec.CommandContext(context.Background(), program, k.version[1:]...).CombinedOutput() //nolint:gosec // the test's own servers
	line, _, _ := strings.Cut(string(out), "\n")
	return line[max(0, strings.Index(line, "PowerDNS")):]
}

// write writes files of a server.
func write(dir string, files map[string]string) error {
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// zoneFile is what a zone holds at first.
const zoneFile = `$TTL 3600
@ IN SOA ns.example.net. hostmaster.example.net. 1 7200 3600 1209600 300
@ IN NS ns.example.net.
`

// The names of further keys, which have the secret of updatetest's.
const (
	// MailKey may change the records of mail alone, in the way that
	// docs/providers/rfc2136.md describes. PowerDNS knows no such limit.
	MailKey = "maildns-mail"
	// ReadKey may transfer the zone and change nothing.
	ReadKey = "maildns-read"
)
