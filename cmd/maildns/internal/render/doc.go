// Package render writes reports for people and machines: plans, results of an
// apply or a rollback, the history, the validation of a configuration. The
// reports are plain structures whose JSON is a public contract (docs/schema);
// text and Markdown are made from the same structures, so that no format knows
// more than another.
//
// What a report quotes (record contents, names, file names) was written by
// others. No format lets it act on its reader: a terminal never sees a control
// or bidirectional character, and a page never sees markup, a mention or a
// link that a record holds.
//
// The package knows no clock, terminal or environment; Options brings them.
// Every function is safe for concurrent use.
package render
