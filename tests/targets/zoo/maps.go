package main

import (
	"fmt"
	"unsafe"
)

type wide [40]int64

type pair struct {
	A string
	B int
}

//go:noinline
func maps(none, empty, small map[string]int, large map[int]string, structs map[pair]point, ptrs map[string]*point, byPointer map[*point]int,
	big map[string]wide, bigKeys map[wide]string, bools map[bool]string, floats map[float64]int, anys map[any]any, arrays map[[2]uint8]bool,
	nested map[string]map[int][]string, set map[string]struct{}, deleted map[int]int, cleared map[string]string, funcs map[string]func(), chans map[chan int]int) (result map[uint64]error) {
	result = map[uint64]error{1 << 63: code(1), 0: nil}
	tell("none", ref(none), "empty", ref(empty), "small", ref(small), "large", ref(large), "structs", ref(structs), "ptrs", ref(ptrs), "byPointer", ref(byPointer),
		"big", ref(big), "bigKeys", ref(bigKeys), "bools", ref(bools), "floats", ref(floats), "anys", ref(anys), "arrays", ref(arrays), "nested", ref(nested),
		"set", ref(set), "deleted", ref(deleted), "cleared", ref(cleared), "funcs", ref(funcs), "chans", ref(chans), "result", ref(result))
	stop()
	keep(none, empty, small, large, structs, ptrs, byPointer, big, bigKeys, bools, floats, anys, arrays, nested, set, deleted, cleared, funcs, chans)
	return result
}

// sizes has maps of many sizes: one group, one table, several tables, growing.
//
//go:noinline
func sizes(n int, m map[int]int, s map[string]uint8) {
	tell("n", ref(n), "m", ref(m), "s", ref(s))
	stop()
	keep(n, m, s)
}

// written has a map with the mark that the runtime sets while it writes: it may not be read, as it may not be read in Go.
//
//go:noinline
func written(m map[string]int, inside []map[string]int) {
	tell("m", torn{}, "m[\"a\"]", torn{}, "m[\"b\"]", torn{}, "len(m)", ref(len(m)), "inside[0]", torn{})
	stop()
	keep(m, inside)
}

// markWritten sets the mark in the map's header.
func markWritten(m map[string]int) map[string]int {
	header := *(*unsafe.Pointer)(unsafe.Pointer(&m))
	*(*uint8)(unsafe.Add(header, writingAt)) |= writing
	return m
}

func startMaps() {
	for _, n := range []int{1, 100} {
		m := map[string]int{"a": 1}
		for i := 1; i < n; i++ {
			m[fmt.Sprint(i)] = i
		}
		markWritten(m)
		start(func() { written(m, []map[string]int{m}) })
	}
	p := &point{1, 2}
	large, deleted, cleared := map[int]string{}, map[int]int{}, map[string]string{}
	for i := 0; i < 5000; i++ {
		large[i*7-300] = fmt.Sprint("v", i)
		deleted[i] = i
		cleared[fmt.Sprint(i)] = "x"
	}
	for i := 0; i < 5000; i++ {
		if i%3 != 0 {
			delete(deleted, i)
		}
		delete(cleared, fmt.Sprint(i))
	}
	for i := 0; i < 300; i++ {
		deleted[-i] = i
	}
	nan := 0.0
	nan = nan / nan
	small := map[string]int{"one": 1, "": 0, "żółw": 3, "bad\xff": 4, "#": 5}
	c := make(chan int)
	start(func() {
		maps(nil, map[string]int{}, small, large, map[pair]point{{"a", 1}: {1, 2}, {"b", 2}: {3, 4}}, map[string]*point{"p": p, "nil": nil},
			map[*point]int{p: 1, nil: 2}, map[string]wide{"w": {0: 1, 39: 2}, "x": {}}, map[wide]string{{1}: "one", {2}: "two"}, map[bool]string{true: "t", false: "f"},
			map[float64]int{1: 1, 0.1: 2, 1e6: 3, 1e21: 4, -1e-7: 5, nan: 6}, map[any]any{1: "int", "1": "string", 1.5: nil, pair{"k", 1}: p, p: pair{"v", 2}, nil: 3, true: 4},
			map[[2]uint8]bool{{1, 2}: true}, map[string]map[int][]string{"a": {1: {"x"}, 2: nil}, "n": nil}, map[string]struct{}{"in": {}},
			deleted, cleared, map[string]func(){"nil": nil, "f": startMaps}, map[chan int]int{c: 1})
	})
	for _, n := range []int{1, 7, 8, 9, 13, 14, 15, 52, 53, 104, 105, 209, 833, 896, 897, 1024, 1800, 3585} {
		n := n
		m, s := map[int]int{}, map[string]uint8{}
		for i := 0; i < n; i++ {
			m[i*i] = -i
			s[fmt.Sprint("key ", i)] = uint8(i)
		}
		start(func() { sizes(n, m, s) })
	}
}
