package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Snippets finds the lines that diagnostics point at. It reads a file when it
// is first asked for and keeps the last one only, so it costs nothing until
// something is wrong. The zero value finds nothing. It is not safe for
// concurrent use.
type Snippets struct {
	open func(file string) ([]byte, error)
	file string
	data []byte
	line int // number of the line that begins at at
	at   int
}

// DirSnippets finds lines in the configuration files of dir.
func DirSnippets(dir string) *Snippets {
	return &Snippets{open: func(file string) ([]byte, error) {
		return readConfigFile(dir, file)
	}}
}

// TextSnippets finds lines in one text, such as that of standard input.
func TextSnippets(src []byte) *Snippets {
	return &Snippets{open: func(string) ([]byte, error) { return src, nil }}
}

// maxSnippet is how much of a line is shown.
const maxSnippet = 400

// Line returns the text of a line, without its end and without what a
// terminal would act on; ok is false where the file or the line is not there.
func (s *Snippets) Line(file string, line int) (text string, ok bool) {
	if s == nil || s.open == nil || line < 1 {
		return "", false
	}
	if s.data == nil || s.file != file {
		data, err := s.open(file)
		if err != nil {
			return "", false
		}
		s.file, s.data, s.line, s.at = file, data, 1, 0
	}
	if line < s.line {
		s.line, s.at = 1, 0
	}
	for s.line < line {
		i := bytes.IndexByte(s.data[s.at:], '\n')
		if i < 0 {
			return "", false
		}
		s.at += i + 1
		s.line++
	}
	rest := s.data[s.at:]
	if i := bytes.IndexByte(rest, '\n'); i >= 0 {
		rest = rest[:i]
	}
	return printable(rest), true
}

// printable cuts a line short and replaces control characters.
func printable(line []byte) string {
	return visible(cutText(string(bytes.TrimSuffix(line, []byte("\r"))), maxSnippet))
}

// visible replaces what a terminal would act on.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if isControl(r) && r != '\t' && r != '\n' {
			return '\uFFFD'
		}
		return r
	}, text)
}

// WriteText prints diagnostics for people, each with the line that it is
// about, in the manner of HCL's own writer. The library's writer is not used
// because it scans a file from its beginning for every one of them.
func (d Diagnostics) WriteText(w io.Writer, s *Snippets, color bool) error {
	var b strings.Builder
	for _, one := range d {
		one.writeText(&b, s, color)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (d Diagnostic) writeText(b *strings.Builder, s *Snippets, color bool) {
	label := "Error"
	tint := "\x1b[31m"
	if d.Severity == Warning {
		label, tint = "Warning", "\x1b[33m"
	}
	if color {
		label = tint + label + "\x1b[0m"
	}
	fmt.Fprintf(b, "%s: %s", label, visible(d.Summary))
	if d.Rule != "" {
		fmt.Fprintf(b, " (%s)", d.Rule)
	}
	b.WriteString("\n\n")
	if d.Source != nil {
		d.writeSource(b, s)
	}
	if d.Detail != "" {
		fmt.Fprintf(b, "%s\n\n", visible(d.Detail))
	}
}

func (d Diagnostic) writeSource(b *strings.Builder, s *Snippets) {
	fmt.Fprintf(b, "  on %s line %d", visible(d.Source.File), d.Source.Line)
	if d.In != "" {
		fmt.Fprintf(b, ", in %s", visible(d.In))
	}
	b.WriteString(":\n")
	text, ok := s.Line(d.Source.File, d.Source.Line)
	switch {
	case d.Rule == RuleSecretLiteral || d.Rule == ruleDKIMPrivate: // the line holds a secret
		fmt.Fprintf(b, "%4d: (not shown)\n", d.Source.Line)
	case ok:
		fmt.Fprintf(b, "%4d: %s\n", d.Source.Line, text)
	}
	b.WriteString("\n")
}

// readConfigFile reads a file of the configuration directory by its name.
func readConfigFile(dir, name string) ([]byte, error) {
	path, err := confine(dir, name)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Clean(path))
}
