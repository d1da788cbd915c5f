package lookup

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// SystemConfig is where the system names its resolvers, resolv.conf(5).
const SystemConfig = "/etc/resolv.conf"

const defaultPort = "53"

// ParseServers reads a comma-separated list of host:port, as MAILDNS_RESOLVER
// has it. Without a port it is 53; an IPv6 address with a port stands in
// brackets. Repeated servers are dropped, the order is kept.
func ParseServers(list string) ([]string, error) {
	var servers []string
	for item := range strings.SplitSeq(list, ",") {
		server, err := parseServer(strings.TrimSpace(item))
		if err != nil {
			return nil, fmt.Errorf("DNS server %q: %w; write host:port, such as 192.0.2.53:53 or [2001:db8::53]:53, and commas between several", item, err)
		}
		if !slices.Contains(servers, server) {
			servers = append(servers, server)
		}
	}
	return servers, nil
}

func parseServer(text string) (string, error) {
	host, port := text, defaultPort
	if ip := net.ParseIP(strings.Trim(text, "[]")); ip != nil {
		host = ip.String()
	} else if strings.Contains(text, ":") {
		var err error
		if host, port, err = net.SplitHostPort(text); err != nil {
			return "", errors.New("it is neither an address nor host:port")
		}
	}
	if host == "" || strings.ContainsAny(host, " \t/@") {
		return "", errors.New("it has no host")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("its port %q is no number from 1 to 65535", port)
	}
	return net.JoinHostPort(host, port), nil
}

// SystemServers reads the resolvers from a file as resolv.conf(5) describes it,
// such as SystemConfig. A file that names none means the local machine.
func SystemServers(path string) ([]string, error) {
	config, err := dns.ClientConfigFromFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("this system has no %s that names DNS servers: name some with --resolver or MAILDNS_RESOLVER", path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the system's DNS servers: %w", err)
	}
	hosts := config.Servers
	if len(hosts) == 0 {
		hosts = []string{"127.0.0.1"}
	}
	var servers []string
	for _, host := range hosts {
		if server := net.JoinHostPort(host, config.Port); !slices.Contains(servers, server) {
			servers = append(servers, server)
		}
	}
	return servers, nil
}
