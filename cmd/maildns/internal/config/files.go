package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"

	"github.com/attunelogic/maildns/records"
)

// unit is one top-level item that is still to be read.
type unit struct {
	kind string
	file string
	src  []byte
	pos  hcl.Pos // of the first byte
	json bool
	// open and shut make a whole file of a piece of JSON.
	open, shut string
}

// start is where the item begins.
func (u unit) start() records.Source {
	return records.Source{File: u.file, Line: u.pos.Line, Column: max(1, u.pos.Column+len(u.open))}
}

// configFile is a file of the configuration directory.
type configFile struct {
	name string
	path string // where its text is
	size int64
}

// configFiles lists the configuration files of dir by name. Files whose name
// begins with a dot are those of editors. What can't be read is reported.
func (l *loader) configFiles() ([]configFile, error) {
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return nil, err
	}
	var files []configFile
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || strings.HasPrefix(name, ".") || !strings.HasSuffix(name, ".hcl") && !strings.HasSuffix(name, ".hcl.json") {
			continue
		}
		f, err := openable(l.dir, e)
		if err != nil {
			l.unreadable(name, err)
			continue
		}
		files = append(files, f)
	}
	return files, nil
}

// openable finds the text of a file, which may be behind a symbolic link.
func openable(dir string, e fs.DirEntry) (configFile, error) {
	f := configFile{name: e.Name(), path: filepath.Join(dir, e.Name())}
	if !e.Type().IsRegular() {
		path, err := confine(dir, f.name)
		if err != nil {
			return f, err
		}
		f.path = path
	}
	info, err := os.Stat(f.path)
	if err != nil {
		return f, notThere(f.name, err)
	}
	f.size = info.Size()
	return f, nil
}

func (l *loader) unreadable(name string, err error) {
	l.note(Diagnostic{Severity: Error, Summary: "File can't be read", Detail: sentence(err), Source: point(records.Source{File: name, Line: 1, Column: 1})})
}

// noConfiguration says that there is nothing to read in dir.
func noConfiguration(dir string, err error) Diagnostic {
	d := Diagnostic{Severity: Error, Summary: "No configuration",
		Detail: fmt.Sprintf("The directory %s holds no *.hcl file. Name the configuration directory with -C DIR, or begin one with a provider block, and let maildns import DOMAIN write the rest.", dir)}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.Detail = fmt.Sprintf("There is no directory %s. Name the configuration directory with -C DIR.", dir)
	case err != nil:
		d.Detail = fmt.Sprintf("The directory %s can't be read: %s.", dir, err)
	}
	return d
}

// readUnits reads all files of the directory and cuts them into units.
func (l *loader) readUnits() []unit {
	files, err := l.configFiles()
	if err != nil || len(files) == 0 && len(l.diags) == 0 {
		l.note(noConfiguration(l.dir, err))
		return nil
	}
	files = l.affordable(files)
	type result struct {
		units []unit
		err   error
	}
	results := make([]result, len(files))
	inParallel(workers(), len(files), func(_, i int) {
		if !l.late.Load() {
			results[i].units, results[i].err = files[i].units()
		}
	})
	var units []unit
	for i, r := range results {
		if r.err != nil {
			l.unreadable(files[i].name, r.err)
		}
		units = append(units, r.units...)
		if len(units) > maxBlocks {
			l.note(Diagnostic{Severity: Error, Summary: "Too many blocks", Source: point(units[maxBlocks].start()),
				Detail: fmt.Sprintf("A configuration has at most %d blocks at the top level. Read tenants from one CSV file with for_each.", maxBlocks)})
			return nil
		}
	}
	return units
}

// affordable returns the files that are not too much together.
func (l *loader) affordable(files []configFile) []configFile {
	var total int64
	for i, f := range files {
		if total += f.size; total > maxSource {
			l.unreadable(f.name, fmt.Errorf("a configuration has at most %d MiB; read tenants from one CSV file with for_each", maxSource>>20))
			return files[:i]
		}
	}
	return files
}

// units reads a file and cuts it.
func (f configFile) units() ([]unit, error) {
	data, err := readUpTo(f.path, f.size)
	switch {
	case err != nil:
		return nil, notThere(f.name, err)
	case !utf8.Valid(data):
		return nil, fmt.Errorf("%q is not UTF-8 text; save it in that encoding", f.name)
	case strings.HasSuffix(f.name, ".json"):
		return jsonUnits(f.name, data), nil
	}
	return nativeUnits(f.name, data), nil
}

// readUpTo reads so many bytes of a file at most: it may have grown.
func readUpTo(path string, size int64) ([]byte, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, size)
	n, err := io.ReadFull(f, data)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data[:n], nil
}

func nativeUnits(name string, data []byte) []unit {
	pieces := cut(data, maxBlocks+1)
	units := make([]unit, 0, len(pieces))
	for _, p := range pieces {
		if p.keyword == "" && isBlank(data[p.start:p.end]) {
			continue
		}
		units = append(units, unit{kind: p.keyword, file: name, src: data[p.start:p.end], pos: hcl.Pos{Line: p.line, Column: 1, Byte: p.start}})
	}
	return units
}

// isBlank reports whether text has nothing but white space and comments.
func isBlank(text []byte) bool {
	s := scanner{src: text}
	return s.keyword() == "" && s.pos >= len(text)
}

// jsonUnits cuts a JSON file. One that isn't laid out as a configuration is
// one unit, and parsing it says what is wrong.
func jsonUnits(name string, data []byte) []unit {
	pieces, ok := cutJSON(data, maxBlocks+1)
	if !ok {
		return []unit{{file: name, src: data, pos: hcl.InitialPos, json: true}}
	}
	units := make([]unit, 0, len(pieces))
	for _, p := range pieces {
		units = append(units, unit{kind: p.kind, file: name, src: p.text, pos: p.pos, json: true, open: p.open, shut: p.shut})
	}
	return units
}

// bigPiece is the length from which a piece is read alone.
const bigPiece = maxExpr

// parse reads the blocks of a unit, their expressions bound to m.
func (u unit) parse(m *meter) ([]*block, Diagnostics) {
	if diags := u.tooLarge(); diags != nil {
		return nil, diags
	}
	if len(u.src) > bigPiece { // one at a time, for the memory that they take
		m.big.Lock()
		defer m.big.Unlock()
	}
	r := &blockReader{m: m}
	root := &block{}
	diags := safely(hcl.Range{Filename: u.file, Start: u.pos, End: u.pos}, func() hcl.Diagnostics {
		f, diags := u.syntax()
		if !diags.HasErrors() {
			r.read(f.Body, language, root)
		}
		return diags
	})
	if diags.HasErrors() {
		return nil, fromHCL("", diags[:1]) // what follows comes of the first
	}
	return root.blocks, r.diags
}

func (u unit) syntax() (*hcl.File, hcl.Diagnostics) {
	if u.json {
		text := slices.Concat([]byte(u.open), u.src, []byte(u.shut))
		return hcljson.ParseWithStartPos(text, u.file, u.pos)
	}
	return hclsyntax.ParseConfig(u.src, u.file, u.pos)
}

// safely turns a panic inside the library into an error: no text of a
// configuration may end the program.
func safely(at hcl.Range, f func() hcl.Diagnostics) (diags hcl.Diagnostics) {
	defer func() {
		if p := recover(); p != nil {
			diags = hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "HCL library failed", Subject: &at,
				Detail: fmt.Sprintf("This text brings it to a panic: %v. Write it in another way, and please report it.", p)}}
		}
	}()
	return f()
}

// tooLarge refuses what must not be parsed.
func (u unit) tooLarge() Diagnostics {
	if !u.json {
		return tooLargePiece(u.src, u.file, u.pos)
	}
	if _, deepest, _ := scanJSON(u.src); deepest > maxDepth {
		at := hcl.Pos{Line: u.start().Line, Column: u.start().Column}
		return fromHCL("", hcl.Diagnostics{tooDeep(hcl.Range{Filename: u.file, Start: at, End: at})})
	}
	if len(u.src) > maxBlock {
		return Diagnostics{{Severity: Error, Summary: "Block too large", Source: point(u.start()),
			Detail: fmt.Sprintf("A block has at most %d KiB. If it is not that long, look for a quote or a bracket that is not closed.", maxBlock>>10)}}
	}
	return nil
}

// tooLargePiece refuses a piece that must not be parsed.
func tooLargePiece(src []byte, file string, start hcl.Pos) Diagnostics {
	if len(src) > maxBlock {
		return Diagnostics{{Severity: Error, Summary: "Block too large",
			Source: span(hcl.Range{Filename: file, Start: start, End: start}),
			Detail: fmt.Sprintf("A block has at most %d KiB. If it is not that long, look for a quote or a brace that is not closed.", maxBlock>>10)}}
	}
	if diag := inspect(src, file, start); diag != nil {
		return fromHCL("", hcl.Diagnostics{diag})
	}
	return nil
}
