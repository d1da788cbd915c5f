package config

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"maps"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/attunelogic/maildns/records"
)

// digest is that of an evaluated declaration and its settings. Neither the
// text of the configuration nor places in it count, and a field that has its
// zero value doesn't either: so a new field changes no digest until it is used.
func digest(d *records.Domain) string {
	w := digester{h: sha256.New()}
	w.value(reflect.ValueOf(*d))
	return "sha256:" + hex.EncodeToString(w.h.Sum(nil))
}

// digester writes a value so that different values differ: each with a letter
// for its kind and with its length.
type digester struct{ h hash.Hash }

var (
	sourceType = reflect.TypeFor[records.Source]()
	timeType   = reflect.TypeFor[time.Time]()
)

func (w digester) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		w.word('b', fmt.Appendf(nil, "%t", v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.word('i', binary.AppendVarint(nil, v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		w.word('u', binary.AppendUvarint(nil, v.Uint()))
	case reflect.Float64:
		w.word('f', binary.BigEndian.AppendUint64(nil, math.Float64bits(v.Float())))
	case reflect.String:
		w.word('s', []byte(v.String()))
	case reflect.Pointer:
		w.word('p', nil)
		w.value(v.Elem())
	case reflect.Slice:
		w.slice(v)
	case reflect.Map:
		w.stringMap(v)
	case reflect.Struct:
		w.structure(v)
	}
}

func (w digester) word(kind byte, b []byte) {
	w.h.Write(binary.AppendUvarint([]byte{kind}, uint64(len(b))))
	w.h.Write(b)
}

func (w digester) slice(v reflect.Value) {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		w.word('y', v.Bytes())
		return
	}
	w.word('l', binary.AppendUvarint(nil, uint64(v.Len())))
	for i := range v.Len() {
		w.value(v.Index(i))
	}
}

func (w digester) stringMap(v reflect.Value) {
	m := make(map[string]reflect.Value, v.Len())
	for it := v.MapRange(); it.Next(); {
		m[it.Key().String()] = it.Value()
	}
	w.word('m', binary.AppendUvarint(nil, uint64(len(m))))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		w.word('k', []byte(k))
		w.value(m[k])
	}
}

func (w digester) structure(v reflect.Value) {
	switch {
	case v.Type() == sourceType:
		return
	case v.Type() == timeType:
		w.word('t', v.Interface().(time.Time).UTC().AppendFormat(nil, time.RFC3339Nano))
		return
	}
	w.word('{', nil)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.IsExported() && f.Type != sourceType && !isEmpty(v.Field(i)) {
			w.word('.', []byte(f.Name))
			w.value(v.Field(i))
		}
	}
	w.word('}', nil)
}

func isEmpty(v reflect.Value) bool {
	if k := v.Kind(); k == reflect.Slice || k == reflect.Map {
		return v.Len() == 0
	}
	return v.IsZero()
}
