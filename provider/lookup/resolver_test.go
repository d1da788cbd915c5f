package lookup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attunelogic/maildns/provider/providertest/dnstest"
	"github.com/attunelogic/maildns/records"
)

// TestAnswers asks a server on loopback. An answer is written as its TTL,
// values and aliases.
func TestAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, kind, want string }{
		{"example.com", "MX", `600 ["10 a.mail.example.com" "10 b.mail.example.com" "5 z.mail.example.com"] []`},
		{"EXAMPLE.com.", "NS", `600 ["ns.example.com"] []`},
		{"example.com", "SOA", `3600 ["ns.example.com hostmaster.example.com 7 3600 600 86400 120"] []`},
		{"example.com", "TXT", `600 ["two\"\\;\t\x00\xff" "v=spf1 mx -all"] []`},
		{"a.mail.example.com", "TXT", `600 ["upper case in the zone"] []`},
		{"a.mail.example.com", "A", `600 ["192.0.2.1"] []`},
		{"a.mail.example.com", "AAAA", `900 ["2001:db8::1"] []`},
		{"_25._tcp.a.mail.example.com", "TLSA", `600 ["3 1 1 abcd"] []`},
		{"null.example.com", "MX", `600 ["0 ."] []`},
		{"foo.wild.example.com", "TXT", `600 ["wildcard"] []`},
		{"Bücher.example.com", "TXT", `600 ["books"] []`},
		{"ptr.example.com", "PTR", `600 ["odd\\046label.host.example.com"] []`},
		// aliases
		{"one.example.com", "A", `60 ["192.0.2.1"] ["two.example.com" "a.mail.example.com"]`},
		{"one.example.com", "CNAME", `90 ["two.example.com"] []`},
		{"away.example.com", "A", `600 ["198.51.100.80"] ["www.example.net"]`},
		// what is not there
		{"nothing.example.com", "A", `120 NXDOMAIN []`},
		{"dangling.example.com", "A", `120 NXDOMAIN ["nothing.example.com"]`},
		{"example.com", "A", `120 NODATA []`},
		{"y.tree.example.com", "A", `120 NODATA []`},
		{"empty.example.com", "A", `120 NODATA ["null.example.com"]`},
		{"a.mail.example.com", "CNAME", `120 NODATA []`},
		{"two.example.com", "MX", `60 NODATA ["a.mail.example.com"]`},
	}
	s := dnstest.Start(t, example, dnstest.Zone{Name: "example.net", Text: "www 900 IN A 198.51.100.80"})
	r := New([]string{s.Addr()}, Options{})
	for _, tt := range tests {
		a, err := r.Lookup(t.Context(), records.Name(tt.name), records.Type(tt.kind))
		if got := summary(a, err); got != tt.want {
			t.Errorf("%s %s:\n got %s\nwant %s", tt.name, tt.kind, got, tt.want)
		}
	}
}

func summary(a Answer, err error) string {
	values := fmt.Sprintf("%q", a.Values)
	switch {
	case err != nil:
		return err.Error()
	case a.NXDomain:
		values = "NXDOMAIN"
	case len(a.Values) == 0:
		values = "NODATA"
	}
	return fmt.Sprintf("%d %s %q", a.TTL, values, a.Aliases)
}

// TestOpenQuestions has every way in which a question stays open. In each of
// them the name isn't taken for missing.
func TestOpenQuestions(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		fault  dnstest.Fault
		reason Reason
		text   string
	}{
		{"a.mail.example.com", dnstest.Fault{Misdeed: dnstest.ServFail}, ServFail, first + ": it answered SERVFAIL"},
		{"a.mail.example.com", dnstest.Fault{Misdeed: dnstest.Refuse}, Refused, first + ": it answered REFUSED"},
		{"a.mail.example.com", dnstest.Fault{Misdeed: dnstest.Drop}, Timeout, first + ": it did not answer within 2s"},
		{"a.mail.example.com", dnstest.Fault{Misdeed: dnstest.WrongID}, Timeout, first + ": it did not answer within 2s"},
		{"a.mail.example.com", dnstest.Fault{Misdeed: dnstest.WrongQuestion}, Timeout, first + ": it did not answer within 2s"},
		{"a.mail.example.com", dnstest.Fault{Misdeed: dnstest.WrongType}, Timeout, first + ": it did not answer within 2s"},
		{"a.mail.example.com", dnstest.Fault{Misdeed: dnstest.Cut}, Malformed, ""},
		{"a.mail.example.com", dnstest.Fault{Misdeed: dnstest.NoRecursion}, NotRecursive, first + ": it refers to other servers instead of asking them"},
		{"loop.example.com", dnstest.Fault{}, AliasLoop, ""},
		{"outside.example.com", dnstest.Fault{}, Refused, first + ": it answered REFUSED"},
		{strings.Repeat("a", 64) + ".example.com", dnstest.Fault{}, BadName, ""},
		{"a..example.com", dnstest.Fault{}, BadName, ""},
		{strings.Repeat("abcdefg.", 32) + "example.com", dnstest.Fault{}, BadName, ""},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, []string{first}, example)
			w[first].Break(tt.name, tt.fault)
			a, err := w.resolver([]string{first}, Options{}).Lookup(t.Context(), records.Name(tt.name), records.TypeA)
			if reasonOf(err) != tt.reason || tt.text != "" && err.Error() != tt.text {
				t.Errorf("%s, %+v: %v (%s), want %s", tt.name, tt.fault, err, reasonOf(err), tt.reason)
			}
			if a.NXDomain || len(a.Values) > 0 {
				t.Errorf("%s, %+v: an answer beside the error: %+v", tt.name, tt.fault, a)
			}
		})
	}
}

func TestUnknownTypeIsRefused(t *testing.T) {
	t.Parallel()
	for _, kind := range []records.Type{"", "NOTYPE", "ANY", "AXFR", "OPT", "txt"} {
		_, err := New([]string{first}, Options{}).Lookup(t.Context(), "example.com", kind)
		if reasonOf(err) != BadType {
			t.Errorf("%q: %v", kind, err)
		}
	}
}

// TestForgedRepliesArePassedOver sends a forged NXDOMAIN before the answer.
func TestForgedRepliesArePassedOver(t *testing.T) {
	t.Parallel()
	for _, misdeed := range []dnstest.Misdeed{dnstest.WrongID, dnstest.WrongQuestion, dnstest.WrongType} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, []string{first}, example)
			w[first].Break("a.mail.example.com", dnstest.Fault{Misdeed: misdeed, ThenRight: true})
			a, err := w.resolver([]string{first}, Options{}).Lookup(t.Context(), "a.mail.example.com", "A")
			if err != nil || len(a.Values) != 1 || w[first].Count("a.mail.example.com", "A") != 1 {
				t.Errorf("misdeed %d: %+v, %v", misdeed, a, err)
			}
		})
	}
}

// TestLargeAnswersCome overTCP, in three ways in which UDP can fail them.
func TestLargeAnswersComeOverTCP(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 2000)
	zone := dnstest.FromRecords(records.NewZone("example.com", 60,
		records.NewRRset(key("big.example.com", "TXT"), 60, records.Value(long)),
		records.NewRRset(key("tc.example.com", "TXT"), 60, "small"),
		records.NewRRset(key("cut.example.com", "TXT"), 60, "small"),
	))
	s := dnstest.Start(t, zone)
	s.Break("tc.example.com", dnstest.Fault{Misdeed: dnstest.Truncate})
	s.Break("cut.example.com", dnstest.Fault{Misdeed: dnstest.CutUDP})
	r := New([]string{s.Addr()}, Options{})
	for name, want := range map[string]string{"big.example.com": long, "tc.example.com": "small", "cut.example.com": "small"} {
		a, err := r.TXT(t.Context(), name)
		if err != nil || len(a.Values) != 1 || a.Values[0] != want {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
	overTCP := 0
	for _, q := range s.Queries() {
		if q.TCP {
			overTCP++
		} else if q.UDPSize != 1232 || !q.Recursion {
			t.Errorf("asked as %+v; want EDNS with 1232 bytes, and recursion", q)
		}
	}
	if overTCP != 3 || len(s.Queries()) != 6 {
		t.Errorf("%d of %d questions came over TCP, want 3 of 6", overTCP, len(s.Queries()))
	}
}

// TestTruncatedIsNoAnswer has a server whose TCP doesn't work: what arrived
// over UDP must not be taken for the whole set.
func TestTruncatedIsNoAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first, second}, example)
		w[first].Break("example.com", dnstest.Fault{Misdeed: dnstest.Truncate})
		r := New([]string{first}, Options{})
		r.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if network == "tcp" {
				address = "nowhere"
			}
			return w.dial(ctx, network, address)
		}
		_, err := r.Lookup(t.Context(), "example.com", "TXT")
		want := first + ": its answer needs TCP, but it can't be reached: connection refused"
		if reasonOf(err) != Unreachable || err.Error() != want {
			t.Errorf("got %v (%s), want %s", err, reasonOf(err), want)
		}
	})
}

func TestServerWithoutEDNS(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first}, example)
		w[first].BreakAll(dnstest.Fault{Misdeed: dnstest.NoEDNS})
		r := w.resolver([]string{first}, Options{})
		for _, name := range []records.Name{"a.mail.example.com", "x.y.tree.example.com"} {
			if a, err := r.Lookup(t.Context(), name, "A"); err != nil || len(a.Values) != 1 {
				t.Errorf("%s: %+v, %v", name, a, err)
			}
		}
		if n := w.questions(); n != 3 {
			t.Errorf("%d questions, want 3: the second lookup knows the server", n)
		}
	})
}

func TestNextServerIsAskedWhenOneFails(t *testing.T) {
	t.Parallel()
	for _, misdeed := range []dnstest.Misdeed{dnstest.ServFail, dnstest.Refuse, dnstest.NoRecursion, dnstest.Cut, dnstest.Drop} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, []string{first, second}, example)
			w[first].BreakAll(dnstest.Fault{Misdeed: misdeed})
			r := w.resolver([]string{first, second}, Options{})
			a, err := r.Lookup(t.Context(), "a.mail.example.com", "A")
			if err != nil || len(a.Values) != 1 {
				t.Errorf("misdeed %d: %+v, %v", misdeed, a, err)
			}
		})
	}
}

// TestNXDomainIsFinal: the second server must not be asked for better news.
func TestNXDomainIsFinal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first, second}, example)
		a, err := w.resolver([]string{first, second}, Options{}).Lookup(t.Context(), "nothing.example.com", "A")
		if err != nil || !a.NXDomain || len(w[second].Queries()) != 0 {
			t.Errorf("%+v, %v, second server asked %d times", a, err, len(w[second].Queries()))
		}
	})
}

// TestLostPacketIsSentAgain loses the first question and its answer.
func TestLostPacketIsSentAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first}, example)
		w[first].Break("a.mail.example.com", dnstest.Fault{Misdeed: dnstest.Drop, Times: 1})
		start := time.Now()
		a, err := w.resolver([]string{first}, Options{}).Lookup(t.Context(), "a.mail.example.com", "A")
		if err != nil || len(a.Values) != 1 || time.Since(start) != time.Second {
			t.Errorf("%+v, %v after %v", a, err, time.Since(start))
		}
	})
}

// TestSilentServerGoesToTheEnd: a dead server costs one wait, not one a lookup.
func TestSilentServerGoesToTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first, second}, example)
		w[first].BreakAll(dnstest.Fault{Misdeed: dnstest.Drop})
		r := w.resolver([]string{first, second}, Options{})
		start := time.Now()
		for i := range 20 {
			if _, err := r.Lookup(t.Context(), records.Name(fmt.Sprintf("x%d.wild.example.com", i)), "TXT"); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("20 lookups took %v, want one wait of 1s", took)
		}
	})
}

// TestSlowNameDoesNotCondemnItsServer: a server that has trouble with one name
// stays the first to be asked, as it answers the probe.
func TestSlowNameDoesNotCondemnItsServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first, second}, example)
		w[first].Break("slow.example.com", dnstest.Fault{Misdeed: dnstest.Drop})
		r := w.resolver([]string{first, second}, Options{})
		if a, err := r.Lookup(t.Context(), "slow.example.com", "A"); err != nil || !a.NXDomain {
			t.Errorf("%+v, %v; want the second server's answer", a, err)
		}
		if _, err := r.Lookup(t.Context(), "a.mail.example.com", "A"); err != nil {
			t.Error(err)
		}
		if w[second].Count("a.mail.example.com", "A") != 0 {
			t.Error("the second server was asked before the first")
		}
	})
}

// TestDeadNetwork: many lookups at once over three dead servers end together
// within two seconds, and later ones at once.
func TestDeadNetwork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		servers := []string{first, second, third}
		w := newWorld(t, servers, example)
		for _, s := range w {
			s.BreakAll(dnstest.Fault{Misdeed: dnstest.Drop})
		}
		r := w.resolver(servers, Options{})
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				_, err := r.Lookup(t.Context(), records.Name(fmt.Sprintf("x%d.example.com", i)), "A")
				if !errors.Is(err, ErrNoNetwork) {
					t.Errorf("lookup %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it cost %v, want two seconds at most", took)
		}
		synctest.Wait() // the servers have what was sent last
		before, asked := time.Now(), w.questions()
		for i := range 50 {
			if _, err := r.A(t.Context(), fmt.Sprintf("y%d.example.com", i)); !errors.Is(err, ErrNoNetwork) {
				t.Errorf("later lookup %d: %v", i, err)
			}
		}
		if took := time.Since(before); took != 0 || w.questions() != asked {
			t.Errorf("later lookups took %v and sent %d questions", took, w.questions()-asked)
		}
	})
}

// TestDeadNetworkCostsOnce: impatient callers one after the other don't add up
// to more.
func TestDeadNetworkCostsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first}, example)
		w[first].BreakAll(dnstest.Fault{Misdeed: dnstest.Drop})
		r := w.resolver([]string{first}, Options{})
		start := time.Now()
		for i := range 100 {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			_, err := r.Lookup(ctx, records.Name(fmt.Sprintf("x%d.example.com", i)), "A")
			cancel()
			if err == nil {
				t.Errorf("lookup %d has an answer", i)
			}
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it cost %v, want two seconds at most", took)
		}
	})
}

// TestNetworkDiesMidway: what was answered stays, the rest ends.
func TestNetworkDiesMidway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first}, example)
		r := w.resolver([]string{first}, Options{})
		if _, err := r.Lookup(t.Context(), "a.mail.example.com", "A"); err != nil {
			t.Fatal(err)
		}
		w[first].BreakAll(dnstest.Fault{Misdeed: dnstest.Drop})
		start := time.Now()
		if _, err := r.Lookup(t.Context(), "b.example.com", "A"); !errors.Is(err, ErrNoNetwork) || time.Since(start) > 2*time.Second {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
		if a, err := r.Lookup(t.Context(), "a.mail.example.com", "A"); err != nil || len(a.Values) != 1 {
			t.Errorf("the answer is forgotten: %+v, %v", a, err)
		}
	})
}

// TestSlowNetworkIsNotDead: questions that each take longer than the silence
// allowed are waited for, as long as the servers answer the probe.
func TestSlowNetworkIsNotDead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first}, example)
		w[first].Break("a.mail.example.com", dnstest.Fault{Delay: 5 * time.Second})
		r := w.resolver([]string{first}, Options{Patience: []time.Duration{6 * time.Second}})
		if a, err := r.Lookup(t.Context(), "a.mail.example.com", "A"); err != nil || len(a.Values) != 1 {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

func TestRefusedConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := world{}.resolver([]string{first, second}, Options{})
		_, err := r.Lookup(t.Context(), "example.com", "A")
		want := "no DNS server answers (asked 192.0.2.53:53, 198.51.100.53:53): check the network, or name another with --resolver or MAILDNS_RESOLVER"
		if !errors.Is(err, ErrNoNetwork) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

// TestClosedPort has a real port that is taken for TCP, so that nobody else
// gets it, and closed for UDP.
func TestClosedPort(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	r := New([]string{listener.Addr().String()}, Options{})
	if _, err := r.Lookup(t.Context(), "example.com", "A"); !errors.Is(err, ErrNoNetwork) {
		t.Errorf("got %v", err)
	}
}

func TestNoServers(t *testing.T) {
	t.Parallel()
	if _, err := New(nil, Options{}).Lookup(t.Context(), "example.com", "A"); !errors.Is(err, ErrNoNetwork) {
		t.Errorf("got %v", err)
	}
}

func TestParallelIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first}, example)
		w[first].BreakAll(dnstest.Fault{Delay: 100 * time.Millisecond})
		r := w.resolver([]string{first}, Options{Parallel: 7, PerSecond: -1})
		start := time.Now()
		lookupMany(t, r, 70)
		if peak := w[first].Peak(); peak != 7 {
			t.Errorf("%d questions at once, want 7", peak)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("it took %v, want 10 times 100ms", took)
		}
	})
}

func TestPacing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first}, example)
		r := w.resolver([]string{first}, Options{PerSecond: 10})
		start := time.Now()
		lookupMany(t, r, 150)
		if took := time.Since(start); took < 4900*time.Millisecond || took > 5*time.Second {
			t.Errorf("150 messages took %v; want a burst of 100 and 50 in 5s", took)
		}
	})
}

// lookupMany asks n questions at once.
func lookupMany(t *testing.T, r *Resolver, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if _, err := r.TXT(t.Context(), fmt.Sprintf("x%d.wild.example.com", i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// TestEachQuestionIsAskedOnce, whoever asks, however it is written, and whether
// it has an answer or not.
func TestEachQuestionIsAskedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first}, example)
		w[first].Break("example.com", dnstest.Fault{Delay: 100 * time.Millisecond})
		w[first].Break("broken.example.com", dnstest.Fault{Misdeed: dnstest.ServFail})
		r := w.resolver([]string{first}, Options{})
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				name := []records.Name{"example.com", "EXAMPLE.com", "Example.Com."}[i%3]
				if a, err := r.Lookup(t.Context(), name, "TXT"); err != nil || len(a.Values) != 2 {
					t.Errorf("%+v, %v", a, err)
				}
				if a, err := r.Lookup(t.Context(), "nothing.example.com", "TXT"); err != nil || !a.NXDomain {
					t.Errorf("%+v, %v", a, err)
				}
				if _, err := r.Lookup(t.Context(), "broken.example.com", "TXT"); reasonOf(err) != ServFail {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := w.questions(); n != 3 {
			t.Errorf("%d questions, want 3", n)
		}
	})
}

// TestAnswersAreTheCallersOwn: what a caller does to its answer changes no
// other's.
func TestAnswersAreTheCallersOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newWorld(t, []string{first}, example).resolver([]string{first}, Options{})
		a, _ := r.Lookup(t.Context(), "one.example.com", "A")
		a.Values[0], a.Aliases[0] = "gone", "gone"
		b, err := r.Lookup(t.Context(), "one.example.com", "A")
		if err != nil || slices.Contains(b.Values, "gone") || slices.Contains(b.Aliases, "gone") {
			t.Errorf("%+v, %v", b, err)
		}
	})
}

// TestCancel: cancelling returns at once and leaves the others alone.
func TestCancel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first}, example)
		w[first].Break("a.mail.example.com", dnstest.Fault{Delay: 500 * time.Millisecond})
		r := w.resolver([]string{first}, Options{})
		cause := errors.New("the user is tired")
		impatient, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(100*time.Millisecond, func() { cancel(cause) })
		start := time.Now()
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := r.A(impatient, "a.mail.example.com"); !errors.Is(err, cause) || time.Since(start) != 100*time.Millisecond {
					t.Errorf("cancelled: %v after %v", err, time.Since(start))
				}
			})
		}
		synctest.Wait() // one of these asks, so that its end leaves the question open
		wg.Go(func() {
			if a, err := r.A(t.Context(), "a.mail.example.com"); err != nil || len(a.Values) != 1 {
				t.Errorf("patient: %+v, %v", a, err)
			}
		})
		wg.Wait()
		if _, err := r.A(impatient, "a.mail.example.com"); !errors.Is(err, cause) {
			t.Errorf("a context that has ended: %v", err)
		}
	})
}

// TestCancelWhileWaiting ends lookups that wait for a turn or a place.
func TestCancelWhileWaiting(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]Options{
		"place": {Parallel: 1, PerSecond: -1},
		"turn":  {PerSecond: 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, []string{first}, example)
			w[first].BreakAll(dnstest.Fault{Delay: 800 * time.Millisecond})
			r := w.resolver([]string{first}, opts)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			start := time.Now()
			var wg sync.WaitGroup
			for i := range 200 {
				wg.Go(func() {
					_, err := r.TXT(ctx, fmt.Sprintf("x%d.wild.example.com", i))
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%s: %v", name, err)
					}
				})
			}
			wg.Wait()
			if took := time.Since(start); took != 300*time.Millisecond {
				t.Errorf("%s: it took %v", name, took)
			}
		})
	}
}

// TestMemoryIsBounded: ten thousand lookups leave no more behind than allowed,
// and what is asked for again and again stays.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	const limit = 100_000
	s := dnstest.Start(t, example)
	r := New([]string{s.Addr()}, Options{CacheSize: limit, PerSecond: -1})
	for i := range 10_000 {
		if _, err := r.TXT(t.Context(), fmt.Sprintf("x%d.wild.example.com", i)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.TXT(t.Context(), "example.com"); err != nil {
			t.Fatal(err)
		}
	}
	size := 0
	for _, e := range r.cache.entries {
		size += e.cost()
	}
	if size > limit || size != r.cache.size || len(r.cache.entries) != r.cache.recent.Len() {
		t.Errorf("%d entries of %d bytes (counted as %d), %d of them in use", len(r.cache.entries), size, r.cache.size, r.cache.recent.Len())
	}
	if n := s.Count("example.com", "TXT"); n != 1 {
		t.Errorf("the name that is asked for all the time was asked %d times", n)
	}
}

// TestUnfinishedAliasesAreFollowed has a server that answers with the first
// alias alone, as one does that doesn't hold the target.
func TestUnfinishedAliasesAreFollowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first}, example)
		w[second] = newWorld(t, []string{second}, dnstest.Zone{Name: "example.org", Text: "www 900 IN A 203.0.113.80"})[second]
		r := w.resolver([]string{first, second}, Options{})
		a, err := r.Lookup(t.Context(), "outside.example.com", "A")
		if got, want := summary(a, err), `600 ["203.0.113.80"] ["www.example.org"]`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}

// TestAliasesOfSeveralServersGoRound: no single answer has the loop in it.
func TestAliasesOfSeveralServersGoRound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first}, example)
		w[second] = newWorld(t, []string{second}, dnstest.Zone{Name: "example.org", Text: "www IN CNAME outside.example.com."})[second]
		_, err := w.resolver([]string{first, second}, Options{}).Lookup(t.Context(), "outside.example.com", "A")
		if reasonOf(err) != AliasLoop {
			t.Errorf("got %v, want a loop", err)
		}
		if n := w.questions(); n != 3 {
			t.Errorf("%d questions, want 3: the alias, its target, its target where it is known", n)
		}
	})
}

// TestServerThatComesBack is asked first again once it has answered.
func TestServerThatComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, []string{first, second}, example)
		w[first].Break("a.mail.example.com", dnstest.Fault{Misdeed: dnstest.Drop})
		w[first].Break("", dnstest.Fault{Misdeed: dnstest.Drop}) // the probe
		w[second].Break("null.example.com", dnstest.Fault{Misdeed: dnstest.ServFail})
		r := w.resolver([]string{first, second}, Options{})
		asked := func(s, name, kind string) int { return w[s].Count(name, kind) }
		lookup := func(name records.Name, kind records.Type) {
			t.Helper()
			if _, err := r.Lookup(t.Context(), name, kind); err != nil {
				t.Fatal(err)
			}
		}
		lookup("a.mail.example.com", "A")
		lookup("x.y.tree.example.com", "A")
		if asked(first, "x.y.tree.example.com", "A") != 0 {
			t.Error("the silent server was asked first")
		}
		lookup("null.example.com", "MX")
		lookup("example.com", "NS")
		if asked(first, "example.com", "NS") != 1 || asked(second, "example.com", "NS") != 0 {
			t.Error("the server that came back was not asked first")
		}
	})
}
