package render

// Paint is how a piece of text looks on a terminal: the parameters of an SGR
// sequence (ECMA-48 8.3.117), such as "32" or "1;31". The empty Paint changes
// nothing.
type Paint string

// On paints s.
func (p Paint) On(s string) string {
	if p == "" || s == "" {
		return s
	}
	return "\x1b[" + string(p) + "m" + s + "\x1b[0m"
}

// Palette holds the paints that text uses. Its zero value is for anything that
// is no terminal.
type Palette struct {
	// The signs + ~ - of changes, and of the lines that show values.
	Create, Update, Delete Paint
	// The state of a change, or what became of it.
	Ready, Waiting, Held, Failed Paint
	// The severity of a finding.
	Error, Warning, Info Paint
	// Strong is for headings, Faint for reasons and notes.
	Strong, Faint Paint
}

// Colours is the palette for a terminal that shows the eight basic colours.
// Sign, state and severity are always written out as well: colour only helps.
func Colours() Palette {
	return Palette{
		Create: "32", Update: "33", Delete: "31",
		Ready: "32", Waiting: "36", Held: "33", Failed: "1;31",
		Error: "1;31", Warning: "33", Info: "36",
		Strong: "1", Faint: "2",
	}
}
