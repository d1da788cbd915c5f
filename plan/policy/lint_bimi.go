package policy

// bimiRules are about BIMI (draft-brand-indicators-for-message-identification).
var bimiRules = []Rule{}
