package policy

// tlsaRules are about DANE (RFC 7672).
var tlsaRules = []Rule{}
