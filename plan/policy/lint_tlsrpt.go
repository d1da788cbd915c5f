package policy

// tlsrptRules are about TLS reports (RFC 8460).
var tlsrptRules = []Rule{}
