package spf

import (
	"context"
	"fmt"
	"net/netip"
)

// hostAnswer are the addresses of a name in both families.
type hostAnswer struct {
	addresses []netip.Addr
	exists    bool // has A records
	problem   Problem
	detail    string
	ttl       uint32
}

// host asks for the addresses of a name, once.
func (w *walker) host(ctx context.Context, name string) hostAnswer {
	if answer, ok := w.hosts[name]; ok {
		return answer
	}
	answer := w.askHost(ctx, name)
	w.hosts[name] = answer
	return answer
}

func (w *walker) askHost(ctx context.Context, name string) hostAnswer {
	if !w.mayAsk(2) {
		return hostAnswer{problem: TooLarge, detail: tooManyNames}
	}
	a, err := w.resolver.A(ctx, name)
	if err != nil {
		return hostAnswer{problem: Unanswered, detail: fmt.Sprintf("A of %s: %v", name, err)}
	}
	aaaa, err := w.resolver.AAAA(ctx, name)
	if err != nil {
		return hostAnswer{problem: Unanswered, detail: fmt.Sprintf("AAAA of %s: %v", name, err)}
	}
	w.ranges += len(a.Values) + len(aaaa.Values)
	return hostAnswer{
		addresses: append(append([]netip.Addr(nil), a.Values...), aaaa.Values...),
		exists:    !a.void(),
		ttl:       min(a.TTL, aaaa.TTL),
	}
}

// followHost asks for the addresses of an a. It is void if it has none of
// either family.
func (w *walker) followHost(ctx context.Context, b *Branch) {
	answer := w.host(ctx, b.Target)
	b.Problem, b.Detail, b.TTL = answer.problem, answer.detail, answer.ttl
	b.Void = answer.problem == "" && len(answer.addresses) == 0
	w.cover(b, answer.addresses)
}

// cover gives a branch the networks of its term around addresses.
func (w *walker) cover(b *Branch, addresses []netip.Addr) {
	w.ranges += len(addresses)
	if w.ranges > maxRanges {
		b.Problem, b.Detail = TooLarge, tooManyRanges
		return
	}
	prefixes := make([]netip.Prefix, len(addresses))
	for i, a := range addresses {
		prefixes[i] = b.Term.network(a)
	}
	b.Addresses = SetOf(prefixes...)
}

// followExists asks for the A records of an exists whose name depends on
// nothing: it matches everybody or nobody.
func (w *walker) followExists(ctx context.Context, b *Branch) {
	answer := w.host(ctx, b.Target)
	b.Problem, b.Detail, b.TTL = answer.problem, answer.detail, answer.ttl
	b.Void = answer.problem == "" && !answer.exists
	if answer.exists {
		b.Addresses = Everything()
	}
}

// mailAnswer are the mail hosts of a name.
type mailAnswer struct {
	hosts   []string
	problem Problem
	detail  string
	ttl     uint32
}

func (w *walker) mail(ctx context.Context, name string) mailAnswer {
	if answer, ok := w.mails[name]; ok {
		return answer
	}
	answer := w.askMail(ctx, name)
	w.mails[name] = answer
	return answer
}

func (w *walker) askMail(ctx context.Context, name string) mailAnswer {
	if !w.mayAsk(1) {
		return mailAnswer{problem: TooLarge, detail: tooManyNames}
	}
	mx, err := w.resolver.MX(ctx, name)
	switch {
	case err != nil:
		return mailAnswer{problem: Unanswered, detail: fmt.Sprintf("MX of %s: %v", name, err)}
	case len(mx.Values) > maxHosts:
		return mailAnswer{ttl: mx.TTL, problem: TooManyHosts, detail: fmt.Sprintf("%s has %d mail hosts, more than %d", name, len(mx.Values), maxHosts)}
	}
	return mailAnswer{hosts: mx.Values, ttl: mx.TTL}
}

// followMail asks for the addresses of all hosts of an mx. It is void if it
// has no host, or asked and no host had an address.
func (w *walker) followMail(ctx context.Context, b *Branch) {
	mail := w.mail(ctx, b.Target)
	b.Problem, b.Detail, b.TTL = mail.problem, mail.detail, mail.ttl
	b.Void = mail.problem == "" && len(mail.hosts) == 0
	var addresses []netip.Addr
	for _, name := range mail.hosts {
		if name = targetName(name); !canQuery(name) {
			continue // the null MX
		}
		answer := w.host(ctx, name)
		if answer.problem != "" {
			b.Problem, b.Detail, b.Void = answer.problem, answer.detail, false
			return
		}
		addresses = append(addresses, answer.addresses...)
		b.TTL = min(b.TTL, answer.ttl)
		b.Void = len(addresses) == 0
	}
	w.cover(b, addresses)
}
