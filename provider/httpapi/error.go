package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"
)

// Error is an answer that says no.
type Error struct {
	Method string
	Path   string // without host and query
	Status int    // of HTTP; below 400 where the answer is no answer of the API
	Body   []byte // of the answer, as it came
	Why    string // what is wrong with the answer, where it isn't the status

	shown string // the beginning of Body, without secrets
}

func (e *Error) Error() string {
	what := e.Why
	switch {
	case what == "" && e.shown == "":
		what = "no explanation"
	case what == "":
		what = e.shown
	case e.shown != "":
		what += ": " + e.shown
	}
	return fmt.Sprintf("%s %s: HTTP %d %s: %s", e.Method, e.Path, e.Status, http.StatusText(e.Status), what)
}

// excerpt is the beginning of an answer on one line.
func excerpt(body string) string {
	const most = 200
	clean := strings.Join(strings.FieldsFunc(body, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if len(clean) <= most {
		return clean
	}
	return strings.ToValidUTF8(clean[:most], "") + "…"
}

// redact takes secrets out of a text that came from outside.
func redact(text string, secrets []string) string {
	for _, s := range secrets {
		if s != "" {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return text
}
