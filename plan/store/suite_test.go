package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/attunelogic/maildns/plan/store"
	"github.com/attunelogic/maildns/provider/disk"
	"pgregory.net/rapid"
)

// kinds are the stores that the suite runs on.
func kinds() map[string]func(t testing.TB) store.Store {
	return map[string]func(t testing.TB) store.Store{
		"local":  func(t testing.TB) store.Store { return store.NewLocal(filepath.Join(t.TempDir(), "new"), disk.FS{}) },
		"memory": func(testing.TB) store.Store { return store.NewMemory() },
	}
}

// TestSuite is what every store must do.
func TestSuite(t *testing.T) {
	t.Parallel()
	cases := map[string]func(t *testing.T, s store.Store){
		"an absent store is empty":            suiteEmpty,
		"what is created is read back":        suiteRoundTrip,
		"create is exclusive":                 suiteExclusive,
		"of many creators one wins":           suiteRace,
		"delete may be repeated":              suiteDelete,
		"listings are ordered and bounded":    suiteList,
		"bad names are refused by every verb": suiteNames,
		"a lock excludes until released":      suiteLock,
		"an ended context stops every verb":   suiteContext,
		"callers don't share bytes":           suiteCopies,
	}
	for kind, open := range kinds() {
		for name, run := range cases {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				run(t, open(t))
			})
		}
	}
}

func create(t testing.TB, s store.Store, name, data string) {
	t.Helper()
	if err := s.Create(t.Context(), name, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

func list(t testing.TB, s store.Store, q store.Query) []string {
	t.Helper()
	names, err := s.List(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func suiteEmpty(t *testing.T, s store.Store) {
	if names := list(t, s, store.Query{}); len(names) > 0 {
		t.Errorf("an empty store lists %v", names)
	}
	if names := list(t, s, store.Query{Prefix: "zones/a.example/"}); len(names) > 0 {
		t.Errorf("an empty store lists %v", names)
	}
	if _, err := s.Read(t.Context(), "zones/a"); !errors.Is(err, store.ErrAbsent) {
		t.Errorf("reading what is absent: %v", err)
	}
}

func suiteRoundTrip(t *testing.T, s store.Store) {
	contents := map[string]string{
		"a":                              "",
		"zones/_dmarc.example.com/1":     "text\n",
		"zones/" + store.Escape("*.x/Y"): "\x00\xff",
		"zones/%C3%A9=+@,":               string(bytes.Repeat([]byte("0123456789"), 1<<17)),
	}
	for name, data := range contents {
		create(t, s, name, data)
	}
	for name, data := range contents {
		got, err := s.Read(t.Context(), name)
		if err != nil || string(got) != data {
			t.Errorf("%s: read %d bytes, error %v; want %d bytes", name, len(got), err, len(data))
		}
	}
	if names := list(t, s, store.Query{}); !slices.Equal(names, slices.Sorted(maps.Keys(contents))) {
		t.Errorf("listed %v", names)
	}
}

func suiteExclusive(t *testing.T, s store.Store) {
	create(t, s, "a/b", "first")
	if err := s.Create(t.Context(), "a/b", []byte("second")); !errors.Is(err, store.ErrExists) {
		t.Errorf("creating again: %v, want ErrExists", err)
	}
	if got, err := s.Read(t.Context(), "a/b"); err != nil || string(got) != "first" {
		t.Errorf("the object holds %q, error %v; want the first contents", got, err)
	}
}

func suiteRace(t *testing.T, s store.Store) {
	const creators = 16
	errs := make([]error, creators)
	var wg sync.WaitGroup
	for i := range creators {
		wg.Go(func() {
			errs[i] = s.Create(context.Background(), "zones/a.example/1", fmt.Appendf(nil, "%d", i))
		})
	}
	wg.Wait()
	winner := slices.Index(errs, nil)
	if winner < 0 {
		t.Fatalf("nobody won: %v", errs)
	}
	for i, err := range errs {
		if i != winner && !errors.Is(err, store.ErrExists) {
			t.Errorf("creator %d: %v, want ErrExists", i, err)
		}
	}
	if got, _ := s.Read(t.Context(), "zones/a.example/1"); string(got) != fmt.Sprint(winner) {
		t.Errorf("the object holds %q, but %d won", got, winner)
	}
}

func suiteDelete(t *testing.T, s store.Store) {
	create(t, s, "a/b", "x")
	for range 2 {
		if err := s.Delete(t.Context(), "a/b"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Read(t.Context(), "a/b"); !errors.Is(err, store.ErrAbsent) {
		t.Errorf("reading what was deleted: %v", err)
	}
	create(t, s, "a/b", "again")
}

func suiteList(t *testing.T, s store.Store) {
	// In bytewise order of whole names: '-' comes before '/', '/' before '0'.
	all := []string{"z/a-b/1", "z/a.b/1", "z/a/1", "z/a/2-x", "z/a/2/3", "z/a0", "z/b", "za"}
	for _, name := range []int{3, 0, 7, 5, 1, 6, 2, 4} {
		create(t, s, all[name], "x")
	}
	for _, c := range []struct {
		query store.Query
		want  []string
	}{
		{store.Query{}, all},
		{store.Query{Limit: 3}, all[:3]},
		{store.Query{Prefix: "z/"}, all[:7]},
		{store.Query{Prefix: "z/a/"}, all[2:5]},
		{store.Query{Prefix: "z/a/", Limit: 1}, all[2:3]},
		{store.Query{Prefix: "z/a"}, all[:6]},
		{store.Query{Prefix: "z/a/2"}, all[3:5]},
		{store.Query{After: "z/a/2"}, all[3:]},
		{store.Query{After: "z/a/2-x"}, all[4:]},
		{store.Query{Prefix: "z/", After: "z/a/~", Limit: 1}, all[5:6]},
		{store.Query{Prefix: "z/a/", After: "z/a.b/1"}, all[2:5]},
		{store.Query{Prefix: "z/a/", After: "z/b"}, all[:0]},
		{store.Query{After: "za"}, all[:0]},
		{store.Query{Prefix: "none/"}, all[:0]},
		{store.Query{Prefix: "z/", Groups: true}, []string{"z/a-b/", "z/a.b/", "z/a/"}},
		{store.Query{Prefix: "z/a/", Groups: true}, []string{"z/a/2/"}},
		{store.Query{Groups: true}, []string{"z/"}},
		{store.Query{Prefix: "none/", Groups: true}, nil},
	} {
		if got := list(t, s, c.query); !slices.Equal(got, c.want) {
			t.Errorf("%+v lists %v, want %v", c.query, got, c.want)
		}
	}
}

func suiteNames(t *testing.T, s store.Store) {
	ctx := t.Context()
	long := string(bytes.Repeat([]byte("a"), 256))
	for _, name := range []string{"", "/", "a/", "/a", "a//b", "..", "a/../b", "a/..", ".hidden", "a/.lock", "a b", "a\\b", "a\x00", "a~", "*.example", "é", long} {
		if err := s.Create(ctx, name, nil); err == nil {
			t.Errorf("create accepts the name %q", name)
		}
		if _, err := s.Read(ctx, name); err == nil || errors.Is(err, store.ErrAbsent) {
			t.Errorf("read of the name %q: %v", name, err)
		}
		if err := s.Delete(ctx, name); err == nil {
			t.Errorf("delete accepts the name %q", name)
		}
		if _, err := s.Lock(ctx, name, ""); err == nil {
			t.Errorf("lock accepts the name %q", name)
		}
	}
	if _, err := s.List(ctx, store.Query{Prefix: "../"}); err == nil {
		t.Error("a listing leaves the store")
	}
}

func suiteLock(t *testing.T, s store.Store) {
	ctx := t.Context()
	lock, err := s.Lock(ctx, "zones/a.example", "run 1 of ann")
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Lock(ctx, "zones/a.example", "run 2")
	var held *store.HeldError
	if !errors.As(err, &held) || held.Holder != "run 1 of ann" {
		t.Errorf("a second lock: %v, want to hear who holds it", err)
	}
	other, err := s.Lock(ctx, "zones/b.example", "run 2")
	if err != nil {
		t.Fatalf("another name: %v", err)
	}
	if err := errors.Join(lock.Valid(), other.Valid()); err != nil {
		t.Errorf("held locks are not valid: %v", err)
	}
	for range 2 {
		if err := errors.Join(lock.Release(), other.Release()); err != nil {
			t.Errorf("releasing: %v", err)
		}
	}
	if lock.Valid() == nil {
		t.Error("a released lock is valid")
	}
	again, err := s.Lock(ctx, "zones/a.example", "run 3")
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	if err := errors.Join(lock.Release(), again.Valid()); err != nil {
		t.Errorf("releasing the old lock ended the new one: %v", err)
	}
	create(t, s, "zones/a.example/1", "x")
	if names := list(t, s, store.Query{}); !slices.Equal(names, []string{"zones/a.example/1"}) {
		t.Errorf("a lock is listed: %v", names)
	}
	if err := again.Release(); err != nil {
		t.Error(err)
	}
}

func suiteContext(t *testing.T, s store.Store) {
	create(t, s, "a", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, readErr := s.Read(ctx, "a")
	_, listErr := s.List(ctx, store.Query{})
	_, lockErr := s.Lock(ctx, "b", "")
	for verb, err := range map[string]error{
		"create": s.Create(ctx, "c", nil), "read": readErr, "list": listErr, "delete": s.Delete(ctx, "a"), "lock": lockErr,
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s under an ended context: %v", verb, err)
		}
	}
	if names := list(t, s, store.Query{}); !slices.Equal(names, []string{"a"}) {
		t.Errorf("an ended context changed the store: %v", names)
	}
}

func suiteCopies(t *testing.T, s store.Store) {
	data := []byte("abc")
	if err := s.Create(t.Context(), "a", data); err != nil {
		t.Fatal(err)
	}
	data[0] = 'x'
	got, _ := s.Read(t.Context(), "a")
	got[1] = 'x'
	if again, _ := s.Read(t.Context(), "a"); string(again) != "abc" {
		t.Errorf("the object became %q", again)
	}
}

// TestStoresAgree does the same to both stores and compares every answer.
func TestStoresAgree(t *testing.T) {
	t.Parallel()
	components := rapid.SampledFrom([]string{"a", "a-", "a.b", "a0", "b", "B", "_x"})
	name := rapid.Custom(func(t *rapid.T) string {
		// The last component differs from all directories, as real names do.
		return components.Draw(t, "dir") + "/" + components.Draw(t, "dir") + "/" + rapid.SampledFrom([]string{"1", "2", "3-x"}).Draw(t, "leaf")
	})
	part := rapid.OneOf(rapid.Just(""), components, rapid.Map(components, func(s string) string { return s + "/" }), name)
	rapid.Check(t, func(rt *rapid.T) {
		local := kinds()["local"](t)
		memory := kinds()["memory"](t)
		for range rapid.IntRange(1, 20).Draw(rt, "operations") {
			n := name.Draw(rt, "name")
			switch rapid.SampledFrom([]string{"create", "delete", "read"}).Draw(rt, "verb") {
			case "create":
				a, b := local.Create(t.Context(), n, []byte(n)), memory.Create(t.Context(), n, []byte(n))
				if errors.Is(a, store.ErrExists) != errors.Is(b, store.ErrExists) {
					rt.Fatalf("create %s: %v and %v", n, a, b)
				}
			case "delete":
				if err := errors.Join(local.Delete(t.Context(), n), memory.Delete(t.Context(), n)); err != nil {
					rt.Fatal(err)
				}
			case "read":
				_, a := local.Read(t.Context(), n)
				_, b := memory.Read(t.Context(), n)
				if errors.Is(a, store.ErrAbsent) != errors.Is(b, store.ErrAbsent) {
					rt.Fatalf("read %s: %v and %v", n, a, b)
				}
			}
		}
		q := store.Query{Prefix: part.Draw(rt, "prefix"), After: part.Draw(rt, "after"), Limit: rapid.IntRange(0, 5).Draw(rt, "limit")}
		if a, b := list(t, local, q), list(t, memory, q); !slices.Equal(a, b) {
			rt.Fatalf("%+v lists %v and %v", q, a, b)
		}
	})
}
