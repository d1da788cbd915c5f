package config

import "time"

// TimeLimit is how long reading and evaluating a configuration may take: 10 s
// for evaluation and 2 s for reading. It is a guard against hostile input: ten
// thousand domains take a few seconds.
const TimeLimit = 12 * time.Second

// What a configuration may cost. Each bound has an error with a position.
const (
	maxSource    = 64 << 20  // bytes of all files together
	maxBlock     = 512 << 10 // bytes of one top-level block, whose syntax tree is in memory at once
	maxExpr      = 64 << 10  // bytes of one expression
	maxOperators = 1000      // operators of one expression
	maxDepth     = 200       // nesting of blocks, brackets and templates, and of values
	maxString    = 1 << 20   // bytes of one string
	maxFile      = 16 << 20  // bytes that file() returns
	maxElements  = 200_000   // elements of one collection
	maxDomains   = 100_000   // domains, after for_each
	maxBlocks    = 200_000   // top-level blocks
	maxOther     = 10_000    // top-level blocks other than domains
	maxShared    = 1 << 20   // bytes of those blocks together
	maxExponent  = 1100      // binary exponent of a number: about 1e±331
	maxWeight    = 192 << 20 // bytes that one expression may build, roughly
	maxHeld      = 320 << 20 // bytes of all domains, roughly
	maxRetained  = 192 << 20 // bytes of all locals, roughly
	maxRegexp    = 200 << 20 // instructions times bytes of one regex()
	maxWidth     = 10_000    // width and precision in a format string
	maxNotes     = 5000      // warnings that one worker keeps, and errors beside them
	maxWords     = 2000      // bytes of one message
	maxFindings  = 1000      // diagnostics of one run
	maxRepeats   = 10        // diagnostics of one kind at one place, as of many for_each instances
)

// What sender types and the senders of a domain may cost.
const (
	maxSenders         = 100       // sender blocks of one domain
	maxMade            = 1000      // records and SPF terms that one sender makes
	maxTypeParts       = 2000      // blocks in all sender types of a configuration, since every worker reads them
	maxPattern         = 256       // bytes of the pattern of an input
	maxPatternSize     = 500       // instructions of a compiled pattern
	maxPatternSizes    = 200_000   // instructions of all of them
	maxMatched         = 64 << 10  // bytes of an input that has a pattern
	maxTemplate        = 256 << 10 // bytes of a Domain Connect template
	maxTemplateRecords = 200       // records of one
)
