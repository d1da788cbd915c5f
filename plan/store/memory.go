package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Memory is a store for tests and rehearsals. It ends with the process.
type Memory struct {
	now     func() time.Time
	mu      sync.Mutex
	objects map[string]memoryObject
	names   []string          // of the objects, in order
	locks   map[string]string // holders by name
}

type memoryObject struct {
	data    []byte
	created time.Time
}

// NewMemory returns an empty store. Its objects are dated by now; nil leaves
// them undated.
func NewMemory(now func() time.Time) *Memory {
	if now == nil {
		now = func() time.Time { return time.Time{} }
	}
	return &Memory{now: now, objects: map[string]memoryObject{}, locks: map[string]string{}}
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
	m.objects[name] = memoryObject{data: slices.Clone(data), created: m.now()}
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
	o, ok := m.objects[name]
	if !ok {
		return nil, fmt.Errorf("reading %s: %w", name, ErrAbsent)
	}
	return slices.Clone(o.data), nil
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
func (m *Memory) List(ctx context.Context, q Query) ([]Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, err := directory(q.Prefix); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Object
	first, _ := slices.BinarySearch(m.names, max(q.Prefix, q.After))
	for _, name := range m.names[first:] {
		if q.full(len(found)) || !strings.HasPrefix(name, q.Prefix) {
			break
		}
		if o := m.objects[name]; q.matches(name) {
			found = append(found, Object{Name: name, Size: int64(len(o.data)), Created: o.created})
		}
	}
	return found, nil
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
