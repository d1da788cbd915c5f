package route53

import (
	"github.com/attunelogic/maildns/provider/route53/octal"
	"github.com/attunelogic/maildns/records"
)

// isText reports whether values of the type are character strings.
func isText(t records.Type) bool { return t == records.TypeTXT || t == "SPF" }

// decode reads a value as libdns has it.
func decode(t records.Type, value string) string {
	if isText(t) {
		return octal.ParseText(value)
	}
	return value
}

// encode writes a value that is new.
func encode(t records.Type, v records.Value) string {
	if isText(t) {
		return octal.Text(string(v))
	}
	return records.AbsoluteData(t, v)
}
