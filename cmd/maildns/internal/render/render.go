package render

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/attunelogic/maildns/plan"
)

// Format is a way to write a report.
type Format string

// The formats.
const (
	Text     Format = "text"     // for a terminal or a log
	Markdown Format = "markdown" // for a comment on a pull request
	JSON     Format = "json"     // for programs; docs/schema describes it
)

// formats is the table of formats. A new one is a file and a line here: it
// takes any report of this package.
var formats = []struct {
	name  Format
	write func(w io.Writer, report any, o Options) error
}{
	{Text, writeText},
	{Markdown, writeMarkdown},
	{JSON, writeJSON},
}

// Formats lists the formats in the order in which help shows them.
func Formats() []Format {
	names := make([]Format, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return names
}

// ParseFormat reads the value of a --format flag. possible are the formats
// that the command offers; without any, all are.
func ParseFormat(s string, possible ...Format) (Format, error) {
	if len(possible) == 0 {
		possible = Formats()
	}
	if f := Format(s); slices.Contains(possible, f) {
		return f, nil
	}
	names := make([]string, len(possible))
	for i, f := range possible {
		names[i] = string(f)
	}
	return "", fmt.Errorf("unknown format %q: possible are %s", s, strings.Join(names, ", "))
}

// Options is what a rendering needs to know beside the report.
type Options struct {
	// Width is the number of columns for text; 0 means 120.
	Width int
	// Palette colours text. The zero Palette colours nothing.
	Palette Palette
	// Now decides which times are given without their date. The zero time
	// means that every time has its date.
	Now time.Time
	// Notes stand first: how the report was made (--at, --offline,
	// --live dns). What the plan itself says of the journal is added.
	Notes []string
}

// Write writes a report in a format. A report is a plan.Plan, Rollback, ByHand,
// Points, Result, History, Validation, SPFCheck, SPFTree or ProviderCheck, or a
// pointer to one; it is not changed. Anything else is an UnknownReportError.
func Write(w io.Writer, f Format, report any, o Options) error {
	for _, known := range formats {
		if known.name == f {
			return known.write(w, pointer(report), o)
		}
	}
	return fmt.Errorf("unknown format %q", f)
}

// pointer is the report as the formats take it.
func pointer(report any) any {
	switch r := report.(type) {
	case plan.Plan:
		return &r
	case Rollback:
		return &r
	case ByHand:
		return &r
	case Points:
		return &r
	case Result:
		return &r
	case History:
		return &r
	case Validation:
		return &r
	case SPFCheck:
		return &r
	case SPFTree:
		return &r
	case ProviderCheck:
		return &r
	default:
		return report
	}
}

// UnknownReportError says that a value is no report of this package.
type UnknownReportError struct{ Report any }

func (e UnknownReportError) Error() string {
	return fmt.Sprintf("a %T is no report that can be rendered", e.Report)
}
