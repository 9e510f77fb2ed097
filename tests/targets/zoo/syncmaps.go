package main

import (
	"fmt"
	"sync"
	"unsafe"
)

// keptMaps are what sync.Maps hold that must not be ranged over: up to Go 1.23 that changes how they keep it.
var keptMaps = map[unsafe.Pointer]map[any]any{}

type syncMaps struct {
	zero, few, many, deleted, mixed sync.Map
	amended, expunged, emptied      sync.Map
	itself                          *sync.Map
	none                            *sync.Map
	inside                          []any
	n                               int
}

// stored fills a map and remembers what is in it.
func stored(m *sync.Map, pairs ...any) {
	kept := keptMaps[unsafe.Pointer(m)]
	if kept == nil {
		kept = map[any]any{}
		keptMaps[unsafe.Pointer(m)] = kept
	}
	for i := 0; i < len(pairs); i += 2 {
		m.Store(pairs[i], pairs[i+1])
		kept[pairs[i]] = pairs[i+1]
	}
}

func dropped(m *sync.Map, keys ...any) {
	for _, key := range keys {
		m.Delete(key)
		delete(keptMaps[unsafe.Pointer(m)], key)
	}
}

// promoted has all entries move to where reading needs no lock.
func promoted(m *sync.Map) { m.Range(func(any, any) bool { return true }) }

// boxed is on the heap: Go 1.21 keeps one half of an interface after the other, and does not say which.
//
//go:noinline
func syncMapped(s *syncMaps, m *sync.Map, boxed any) {
	tell("s.zero", &s.zero, "s.few", &s.few, "s.many", &s.many, "s.deleted", &s.deleted, "s.mixed", &s.mixed, "s.amended", &s.amended,
		"s.expunged", &s.expunged, "s.emptied", &s.emptied, "s.itself", &s.itself, "s.none", &s.none, "s.inside", &s.inside, "s.n", &s.n,
		"s", ref(s), "m", ref(m), "boxed", &boxed)
	stop()
	keep(s, m, boxed)
}

// held is what a map holds under a key that it has; counted is how many entries it has.
func held(m *sync.Map, key any) *any { return ref(keptMaps[unsafe.Pointer(m)][key]) }
func counted(m *sync.Map) *int       { return ref(len(keptMaps[unsafe.Pointer(m)])) }

//go:noinline
func syncLookups(s *syncMaps, m *sync.Map, boxed any) {
	tell(`s.few["a"]`, held(&s.few, "a"), `s.few["b"].Y`, ref(3), `s.few["c"]`, held(&s.few, "c"), `s.few["d"][1]`, ref("y"), `s.few["z"]`, missing{}, `s.few[1]`, missing{},
		`s.many["key 1"].X`, ref(1), `s.many["key 698"]`, held(&s.many, "key 698"), `s.many["key 699"]`, missing{}, `s.zero["a"]`, missing{}, `s.none["a"]`, missing{},
		"s.deleted[1]", held(&s.deleted, 1), "s.deleted[2]", missing{}, "s.deleted[3]", held(&s.deleted, 3), "s.mixed[1]", held(&s.mixed, 1), `s.mixed["1"]`, held(&s.mixed, "1"), "s.mixed[2.5]", held(&s.mixed, 2.5),
		`s.amended["read"]`, held(&s.amended, "read"), `s.amended["dirty"]`, held(&s.amended, "dirty"), `s.amended["dirty too"]`, missing{},
		`s.expunged["a"]`, missing{}, `s.expunged["b"]`, held(&s.expunged, "b"), `s.expunged["c"].X`, ref(3), `s.emptied["a"]`, missing{}, `s.itself["value"]`, held(s.itself, "value"), `s.itself["self"]["value"]`, ref(any(1)),
		`m["1"]`, held(m, "1"), `m["1"].(bool)`, ref(true), `boxed["key 4"].X`, ref(4), `boxed.(*sync.Map)["key 5"].Y`, ref(-5), "len(boxed)", ref(466),
		"len(s.zero)", counted(&s.zero), "len(s.few)", counted(&s.few), "len(s.many)", counted(&s.many), "len(s.deleted)", counted(&s.deleted), "len(s.mixed)", counted(&s.mixed),
		"len(s.amended)", counted(&s.amended), "len(s.expunged)", counted(&s.expunged), "len(s.emptied)", counted(&s.emptied), "len(s.itself)", counted(s.itself), "len(s.none)", missing{}, "len(m)", counted(m))
	stop()
	keep(s, m, boxed)
}

func startSyncMaps() {
	s := &syncMaps{n: 52}
	mu.Lock()
	stored(&s.few, "a", 1, "b", &point{2, 3}, "c", nil, "d", []string{"x", "y"})
	for i := 0; i < 700; i++ {
		stored(&s.many, fmt.Sprintf("key %d", i), &point{int32(i), int32(-i)})
	}
	promoted(&s.many)
	for i := 0; i < 700; i += 3 {
		dropped(&s.many, fmt.Sprintf("key %d", i))
	}
	stored(&s.deleted, 1, "one", 2, "two", 3, nil)
	promoted(&s.deleted)
	dropped(&s.deleted, 2)
	stored(&s.mixed, 1, 1.5, "1", true, ID(1), code(7), [2]int{1, 2}, "array", point{1, 2}, "struct", true, error(nil), 2.5, map[string]int{"k": 1})
	stored(&s.amended, "read", 1, "dirty too", 2)
	promoted(&s.amended)
	stored(&s.amended, "dirty", 3, "read", 4)
	dropped(&s.amended, "dirty too")
	stored(&s.expunged, "a", 1, "b", nil)
	promoted(&s.expunged)
	dropped(&s.expunged, "a")
	stored(&s.expunged, "c", &point{3, 3}) // what was deleted is left out of the new map
	promoted(&s.expunged)
	stored(&s.emptied, "a", 1)
	dropped(&s.emptied, "a")
	s.itself = &sync.Map{}
	stored(s.itself, "self", s.itself, "value", 1)
	s.inside = []any{&s.few, s.itself, (*sync.Map)(nil)}
	mu.Unlock()
	start(func() { syncLookups(s, &s.mixed, &s.many) })
	start(func() { syncMapped(s, &s.mixed, &s.many) })
	start(func() { syncMapped(&syncMaps{}, nil, s.itself) })
}
