package policy

// dkimRules are about DKIM keys (RFC 6376, RFC 8301, RFC 8463).
var dkimRules = []Rule{}
