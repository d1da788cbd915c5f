package policy

// stsRules are about MTA-STS (RFC 8461).
var stsRules = []Rule{}
