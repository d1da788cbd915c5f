package policy

// mxRules are about mail exchangers (RFC 5321, RFC 7505).
var mxRules = []Rule{}
