// Package plan says how one zone becomes another: Overlay puts what a domain
// wants over what is live, Diff compares, Stage spreads the difference over
// time (lower-ttl, change, restore-ttl), and File keeps the result so that it
// can be reviewed, saved and carried out later.
//
// The package is pure. A plan is data: it can be saved, hashed, reviewed,
// resumed and reversed. Time comes in as a Clock.
package plan
