package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Memory is a store for tests and rehearsals. It ends with the process.
type Memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	names   []string          // of the objects, in order
	locks   map[string]string // holders by name
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{objects: map[string][]byte{}, locks: map[string]string{}}
}

// Create implements Store.
func (m *Memory) Create(ctx context.Context, name string, data []byte) error {
	if err := begin(ctx, name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.objects[name]; ok {
		return fmt.Errorf("creating %s: %w", name, ErrExists)
	}
	m.objects[name] = slices.Clone(data)
	i, _ := slices.BinarySearch(m.names, name)
	m.names = slices.Insert(m.names, i, name)
	return nil
}

// Read implements Store.
func (m *Memory) Read(ctx context.Context, name string) ([]byte, error) {
	if err := begin(ctx, name); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.objects[name]
	if !ok {
		return nil, fmt.Errorf("reading %s: %w", name, ErrAbsent)
	}
	return slices.Clone(data), nil
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, name string) error {
	if err := begin(ctx, name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, name)
	if i, found := slices.BinarySearch(m.names, name); found {
		m.names = slices.Delete(m.names, i, i+1)
	}
	return nil
}

// List implements Store.
func (m *Memory) List(ctx context.Context, q Query) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := directory(q.Prefix); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if q.Groups {
		return m.groups(q.Prefix), nil
	}
	var found []string
	first, _ := slices.BinarySearch(m.names, max(q.Prefix, q.After))
	for _, name := range m.names[first:] {
		if q.full(len(found)) || !strings.HasPrefix(name, q.Prefix) {
			break
		}
		if q.matches(name) {
			found = append(found, name)
		}
	}
	return found, nil
}

func (m *Memory) groups(prefix string) []string {
	var found []string
	for _, name := range m.names {
		rest, below := strings.CutPrefix(name, prefix)
		group, _, deeper := strings.Cut(rest, "/")
		if below && deeper {
			found = append(found, prefix+group+"/")
		}
	}
	return slices.Compact(found)
}

// Lock implements Store.
func (m *Memory) Lock(ctx context.Context, name, holder string) (Lock, error) {
	if err := begin(ctx, name); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if who, held := m.locks[name]; held {
		return nil, &HeldError{Name: name, Holder: who}
	}
	m.locks[name] = holder
	return &memoryLock{store: m, name: name}, nil
}

type memoryLock struct {
	store    *Memory
	name     string
	released bool // guarded by store.mu
}

// Valid implements Lock.
func (l *memoryLock) Valid() error {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	if l.released {
		return errReleased
	}
	return nil
}

// Release implements Lock.
func (l *memoryLock) Release() error {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	if !l.released {
		l.released = true
		delete(l.store.locks, l.name)
	}
	return nil
}
