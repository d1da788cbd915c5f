package records

import "strings"

// Tag is one "name=value" of a tag list (RFC 6376 3.2) as written, without the
// white space around both. A piece that is no tag has no name and stands in
// Value as a whole.
type Tag struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (t Tag) String() string {
	if t.Name == "" {
		return t.Value
	}
	return t.Name + "=" + t.Value
}

// Problem is a kind of fault in a tag list.
type Problem string

// The problems. Receivers ignore a tag that has one or take its default; the
// record as a whole stays in force unless its parser says otherwise.
const (
	ProblemSyntax    Problem = "syntax"    // a piece that is not name=value
	ProblemDuplicate Problem = "duplicate" // a tag for the second time (RFC 6376 3.2)
	ProblemValue     Problem = "value"     // a value that the tag can't have
	ProblemUnknown   Problem = "unknown"   // a tag that nobody registered
	ProblemHistoric  Problem = "historic"  // a tag that the present standard dropped
	ProblemOrder     Problem = "order"     // a tag that stands too late
	ProblemMissing   Problem = "missing"   // a tag that should be there
)

// TagProblem is one fault and the tag that has it. For a list of URIs the
// tag's value is the one URI that is wrong.
type TagProblem struct {
	Problem Problem
	Tag     Tag
}

// foldingSpace is what may surround tags, names and values (FWS, RFC 6376 2.8).
const foldingSpace = " \t\r\n"

func trimFolding(s string) string { return strings.Trim(s, foldingSpace) }

// splitTags cuts text at its semicolons. Empty pieces, such as the one after a
// final semicolon, are left out.
func splitTags(text string) []Tag {
	var tags []Tag
	for piece := range strings.SplitSeq(text, ";") {
		if piece = trimFolding(piece); piece != "" {
			tags = append(tags, parseTag(piece))
		}
	}
	return tags
}

func parseTag(piece string) Tag {
	name, value, found := strings.Cut(piece, "=")
	name = trimFolding(name)
	if !found || !isTagName(name) {
		return Tag{Value: piece}
	}
	return Tag{Name: name, Value: trimFolding(value)}
}

// isTagName checks tag-name of RFC 6376 3.2: a letter, then letters, digits
// and underscores. BIMI has hyphens besides.
func isTagName(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		letter := c >= 'a' && c <= 'z'
		other := s[i] >= '0' && s[i] <= '9' || s[i] == '_' || s[i] == '-'
		if !letter && (i == 0 || !other) {
			return false
		}
	}
	return s != ""
}

// firstTag reports whether text begins, at its first byte, with the tag
// v=version. White space is possible only around the "=".
func firstTag(text, version string) bool {
	if text == "" || text[0] != 'v' {
		return false
	}
	head, _, _ := strings.Cut(text, ";")
	return parseTag(head) == Tag{Name: "v", Value: version}
}

// hasVersion reports whether a value begins with text such as "v=DMARC1", in
// any case and at any distance from what follows.
func hasVersion(v Value, version string) bool {
	return len(v) >= len(version) && strings.EqualFold(string(v[:len(version)]), version)
}

// tagWriter prints a tag list in the usual form "v=X; name=value".
type tagWriter struct{ strings.Builder }

func (w *tagWriter) add(name, value string) { w.addTag(Tag{name, value}) }

func (w *tagWriter) addTag(t Tag) {
	if w.Len() > 0 {
		w.WriteString("; ")
	}
	w.WriteString(t.String())
}

// addSet prints a tag only where it has a value.
func (w *tagWriter) addSet(name, value string) {
	if value != "" {
		w.add(name, value)
	}
}

func (w *tagWriter) addTags(tags []Tag) {
	for _, t := range tags {
		w.addTag(t)
	}
}

// splitList cuts a value at a separator, trims the items and drops empty ones.
func splitList(value, separator string) []string {
	var items []string
	for item := range strings.SplitSeq(value, separator) {
		if item = trimFolding(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
