package main

import (
	"sync"
	"time"
)

type Box[T any] struct {
	Value T
	Next  *T
}

//go:noinline
func (b Box[T]) held(extra T) {
	mine := b.Value
	tell("b", ref(b), "extra", ref(extra), "mine", ref(mine), "b.Value", ref(b.Value))
	stop()
	keep(b, extra, mine)
}

//go:noinline
func (b *Box[T]) pointed(extra T) {
	tell("b", ref(b), "extra", ref(extra), "b.Value", ref(b.Value))
	stop()
	keep(b, extra)
}

//go:noinline
func generic[K comparable, V any](k K, v V, m map[K]V, s []V) (out V) {
	out = v
	both := Two[K, V]{k, v}
	tell("k", ref(k), "v", ref(v), "m", ref(m), "s", ref(s), "out", ref(out), "both", ref(both))
	stop()
	keep(k, v, m, s, both)
	return out
}

type Two[A, B any] struct {
	First  A
	Second B
}

type base struct {
	ID    int
	Label string
}

type middle struct {
	base
	Kind color
}

type byPointer struct {
	*base
	Extra time.Duration
}

type outer struct {
	middle
	*byPointer
	sync.Mutex
	Box[int]
	Label  string
	_      int32
	hidden struct{ a, b int }
	Anon   struct {
		In []struct{ X any }
	}
	empty struct{}
	tail  [0]func()
}

//go:noinline
func (o outer) byValue() {
	tell("o.middle", ref(o.middle), "o.Label", ref(o.Label), "o.middle.Label", ref(o.middle.Label), "o.Kind", ref(o.Kind), "o.Extra", ref(o.Extra),
		"o.hidden.b", ref(o.hidden.b), "o.byPointer.ID", ref(o.byPointer.ID), "o.Anon", ref(o.Anon), "o.Value", ref(o.Value), "o.Box", ref(o.Box))
	stop()
	keep(o)
}

//go:noinline
func (o *outer) byReference(no *outer) {
	tell("o.middle", ref(o.middle), "o.byPointer", ref(o.byPointer), "o.Label", ref(o.Label), "o.middle.ID", ref(o.middle.ID), "o.Kind", ref(o.Kind),
		"o.byPointer.base.Label", ref(o.byPointer.base.Label), "o.hidden", ref(o.hidden), "o.empty", ref(o.empty), "o.tail", ref(o.tail), "no", ref(no),
		"no.Label", missing{}, "o", ref(o))
	stop()
	keep(o, no)
}

//go:noinline
func smalls(e struct{}, s1 struct{ A int }, s2 struct {
	A int8
	B string
}, s3 struct {
	P *int
	F float32
	B bool
}, two Two[string, []byte], nest Two[Two[int8, int16], Two[bool, float64]], m middle, bp byPointer, cplx struct{ C complex64 }) (r1 int, r2 string, r3 Two[int, error]) {
	r1, r2, r3 = 11, "second", Two[int, error]{3, code(3)}
	tell("e", ref(e), "s1", ref(s1), "s2", ref(s2), "s3", ref(s3), "two", ref(two), "nest", ref(nest), "m", ref(m), "bp", ref(bp), "cplx", ref(cplx),
		"r1", ref(r1), "r2", ref(r2), "r3", ref(r3), "s2.B", ref(s2.B), "nest.Second.Second", ref(nest.Second.Second), "bp.Label", ref(bp.Label), "m.ID", ref(m.ID))
	stop()
	keep(e, s1, s2, s3, two, nest, m, bp, cplx)
	return r1, r2, r3
}

var (
	globalInt      = 42
	globalString   = "global"
	globalStruct   = outer{Label: "g"}
	globalPointer  = &point{7, 8}
	globalMap      = map[string]int{"g": 1}
	globalNil      error
	globalArray        = [3]uint64{1, 1 << 63, 3}
	globalAny      any = point{1, 1}
	globalFunc         = plainFunc
	globalLarge    [1000]byte
	globalDuration = time.Hour
)

//go:noinline
func globals(one int) {
	globalInt += one
	globalLarge[999] = 'x'
	tell("globalInt", ref(globalInt), "globalString", ref(globalString), "globalStruct.Label", ref(globalStruct.Label), "globalPointer", ref(globalPointer),
		"globalMap", ref(globalMap), "globalNil", ref(globalNil), "globalArray", ref(globalArray), "globalAny", ref(globalAny), "main.globalFunc", ref(globalFunc),
		"globalDuration", ref(globalDuration), "one", ref(one), "globalPointer.Y", ref(globalPointer.Y), "globalLarge", ref(globalLarge))
	stop()
	keep(one)
}

func startStructs() {
	n := 3
	start(func() { Box[int]{1, &n}.held(2) })
	start(func() { Box[string]{"s", nil}.held("t") })
	start(func() { Box[point]{point{1, 2}, &point{3, 4}}.held(point{5, 6}) })
	start(func() { Box[*point]{&point{1, 2}, nil}.held(nil) })
	start(func() { Box[time.Time]{time.Unix(5, 6), nil}.held(time.Unix(7, 8)) })
	start(func() { Box[time.Duration]{5, nil}.held(6) })
	start(func() { Box[[]byte]{[]byte("b"), nil}.held([]byte{255}) })
	start(func() { Box[[2]*point]{[2]*point{{1, 2}, nil}, nil}.held([2]*point{nil, nil}) })
	start(func() { Box[map[string]*point]{map[string]*point{"m": {1, 2}}, nil}.held(nil) })
	start(func() { Box[func() int32]{(&point{1, 2}).sum, nil}.held(nil) })
	start(func() { Box[chan *point]{make(chan *point, 1), nil}.held(nil) })
	start(func() { Box[Box[*point]]{Box[*point]{&point{5, 5}, nil}, nil}.held(Box[*point]{}) })
	start(func() { Box[any]{1, nil}.held("any") })
	start(func() { (&Box[error]{code(1), nil}).pointed(nil) })
	start(func() { (&Box[[]int]{[]int{1}, nil}).pointed([]int{2, 3}) })
	start(func() { (&Box[float32]{1.1, nil}).pointed(2.2) })
	start(func() { generic("k", 1, map[string]int{"k": 1}, []int{1, 2}) })
	start(func() { generic(point{1, 2}, "v", map[point]string{{1, 2}: "v"}, []string{"v"}) })
	start(func() { generic(color(1), &point{8, 9}, map[color]*point{1: {8, 9}}, nil) })
	start(func() { generic(any(1), error(code(4)), map[any]error{1: code(4)}, []error{nil, code(4)}) })
	start(func() { generic(&n, Box[int]{1, &n}, map[*int]Box[int]{&n: {2, nil}}, []Box[int]{{3, nil}}) })
	o := outer{middle: middle{base{1, "in base"}, 2}, byPointer: &byPointer{&base{3, "behind"}, time.Minute}, Box: Box[int]{5, &n}, Label: "own"}
	o.hidden.a, o.hidden.b = 10, 20
	o.Anon.In = []struct{ X any }{{1}, {nil}, {"x"}}
	start(func() { o.byValue() })
	start(func() { o.byReference(nil) })
	start(func() {
		smalls(struct{}{}, struct{ A int }{1}, struct {
			A int8
			B string
		}{-1, "b"}, struct {
			P *int
			F float32
			B bool
		}{&n, 2.5, true}, Two[string, []byte]{"f", []byte("s")}, Two[Two[int8, int16], Two[bool, float64]]{Two[int8, int16]{1, -2}, Two[bool, float64]{true, 0.5}},
			middle{base{4, "m"}, 5}, byPointer{&base{6, "bp"}, 7}, struct{ C complex64 }{complex(1, -1)})
	})
	start(func() { globals(0) })
}
