package serverstest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/attunelogic/maildns/provider/providertest/updatetest"
	"github.com/attunelogic/maildns/records"
)

// BIND is ISC's server.
func BIND() Kind {
	return Kind{Name: "BIND", Program: "named", Debian: "bind9", prepare: prepareBIND, version: []string{"named", "-v"}}
}

// Signed is BIND that signs the zone itself and takes updates for the unsigned
// one, which has another serial.
func Signed() Kind {
	k := BIND()
	k.Name = "BIND, signing"
	k.prepare = func(dir string, p ports, zone records.Name) ([]string, error) {
		command, err := prepareBIND(dir, p, zone)
		if err != nil {
			return nil, err
		}
		path := filepath.Join(dir, "named.conf")
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		signing := strings.Replace(string(text), "type primary;", "type primary; dnssec-policy default; inline-signing yes;", 1)
		return command, os.WriteFile(path, []byte(signing), 0o600)
	}
	return k
}

const bindConf = `
options {
	directory "%[1]s"; pid-file "%[1]s/named.pid"; session-keyfile "%[1]s/session.key"; key-directory "%[1]s"; managed-keys-directory "%[1]s";
	listen-on port %[2]d { 127.0.0.1; }; listen-on-v6 { none; };
	recursion no; notify no; dnssec-validation no; empty-zones-enable no; allow-transfer { none; };
};
controls { };
key "%[4]s" { algorithm %[5]s; secret "%[6]s"; };
key "%[7]s" { algorithm %[5]s; secret "%[6]s"; };
key "%[8]s" { algorithm %[5]s; secret "%[6]s"; };
zone "%[3]s" {
	type primary; file "zone";
	allow-transfer { key "%[4]s"; key "%[7]s"; key "%[8]s"; };
	update-policy {
		grant %[4]s zonesub ANY;
		grant %[7]s name %[3]s. TXT MX;
		grant %[7]s name _dmarc.%[3]s. TXT;
		grant %[7]s wildcard *._domainkey.%[3]s. TXT CNAME;
		grant %[7]s name _mta-sts.%[3]s. TXT CNAME;
		grant %[7]s name mta-sts.%[3]s. CNAME;
		grant %[7]s name _smtp._tls.%[3]s. TXT;
	};
};
`

func prepareBIND(dir string, p ports, zone records.Name) ([]string, error) {
	err := write(dir, map[string]string{
		"zone":       zoneFile,
		"named.conf": fmt.Sprintf(bindConf, dir, p.dns, zone, updatetest.KeyName, updatetest.Algorithm, updatetest.Secret, MailKey, ReadKey),
	})
	if err != nil {
		return nil, err
	}
	program, err := unconfined("named", dir)
	return []string{program, "-g", "-n", "1", "-c", filepath.Join(dir, "named.conf")}, err
}

// unconfined copies a program: AppArmor, where it is on, confines it by its
// path to the directories of a service.
func unconfined(program, dir string) (string, error) {
	path, err := find(program)
	if err != nil {
		return "", err
	}
	binary, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	copied := filepath.Join(dir, program)
	return copied, os.WriteFile(copied, binary, 0o700) //nolint:gosec // a program
}

// Knot is CZ.NIC's server.
func Knot() Kind {
	return Kind{Name: "Knot", Program: "knotd", Debian: "knot", prepare: prepareKnot, version: []string{"knotd", "-V"}}
}

const knotConf = `
server:
    rundir: "%[1]s"
    listen: 127.0.0.1@%[2]d
    udp-workers: 1
    tcp-workers: 2
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: "%[1]s"
key:
  - id: %[4]s
    algorithm: %[5]s
    secret: %[6]s
  - id: %[7]s
    algorithm: %[5]s
    secret: %[6]s
  - id: %[8]s
    algorithm: %[5]s
    secret: %[6]s
acl:
  - id: all
    key: %[4]s
    action: [transfer, update]
  - id: read
    key: [%[7]s, %[8]s]
    action: transfer
  - id: mail
    key: %[7]s
    action: update
    update-type: [TXT, MX, CNAME]
    update-owner: name
    update-owner-match: sub-or-equal
    update-owner-name: ["%[3]s."]
zone:
  - domain: %[3]s
    storage: "%[1]s"
    file: zone
    acl: [all, read, mail]
`

func prepareKnot(dir string, p ports, zone records.Name) ([]string, error) {
	err := write(dir, map[string]string{
		"zone":      zoneFile,
		"knot.conf": fmt.Sprintf(knotConf, dir, p.dns, zone, updatetest.KeyName, updatetest.Algorithm, updatetest.Secret, MailKey, ReadKey),
	})
	if err != nil {
		return nil, err
	}
	program, err := find("knotd")
	return []string{program, "-c", filepath.Join(dir, "knot.conf")}, err
}

// PowerDNS is PowerDNS' authoritative server over SQLite, with its HTTP API.
func PowerDNS() Kind {
	return Kind{
		Name: "PowerDNS", Program: "pdns_server", Debian: "pdns-server pdns-backend-sqlite3 sqlite3",
		prepare: preparePowerDNS, version: []string{"pdns_server", "--version"},
	}
}

const apiKey = "maildns-test"

const powerDNSConf = `
launch=gsqlite3
gsqlite3-database=%[1]s/database
gsqlite3-pragma-synchronous=0
local-address=127.0.0.1
local-port=%[2]d
socket-dir=%[1]s
daemon=no
guardian=no
disable-syslog=yes
primary=yes
dnsupdate=yes
allow-dnsupdate-from=127.0.0.0/8
allow-axfr-ips=
api=yes
api-key=%[4]s
webserver=yes
webserver-address=127.0.0.1
webserver-port=%[3]d
`

// powerDNSSchema is where Debian's package has it.
const powerDNSSchema = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"

func preparePowerDNS(dir string, p ports, zone records.Name) ([]string, error) {
	if err := write(dir, map[string]string{"pdns.conf": fmt.Sprintf(powerDNSConf, dir, p.dns, p.http, apiKey)}); err != nil {
		return nil, err
	}
	name, util := string(zone), []string{"pdnsutil", "--config-dir=" + dir}
	for _, command := range [][]string{
		{"sqlite3", dir + "/database", ".read " + powerDNSSchema},
		append(util, "create-zone", name, "ns.example.net"),
		append(util, "set-kind", name, "primary"),
		append(util, "import-tsig-key", updatetest.KeyName, updatetest.Algorithm, updatetest.Secret),
		append(util, "import-tsig-key", ReadKey, updatetest.Algorithm, updatetest.Secret),
		append(util, "set-meta", name, "TSIG-ALLOW-AXFR", updatetest.KeyName, ReadKey),
		append(util, "set-meta", name, "TSIG-ALLOW-DNSUPDATE", updatetest.KeyName),
	} {
		program, err := find(command[0])
		if err != nil {
			return nil, err
		}
		out, err := exec.CommandContext(context.Background(), program, command[1:]...).CombinedOutput() //nolint:gosec // the test's own servers
		if err != nil {
			return nil, fmt.Errorf("%s: %w: %s", strings.Join(command, " "), err, out)
		}
	}
	program, err := find("pdns_server")
	return []string{program, "--config-dir=" + dir}, err
}
