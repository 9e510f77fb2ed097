package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

//go:noinline
func slices(none, empty, ints []int, nested [][]string, ptrs []*point, structs []point, zero []struct{}, anys []any, funcs []func(), bools []bool, arrays [][2]int8, cut []int, errs []error) (result []string) {
	window := ints[1:2]
	beyond := ints[len(ints):]
	result = nested[0]
	tell("none", ref(none), "empty", ref(empty), "ints", ref(ints), "nested", ref(nested), "ptrs", ref(ptrs), "structs", ref(structs), "zero", ref(zero),
		"anys", ref(anys), "funcs", ref(funcs), "bools", ref(bools), "arrays", ref(arrays), "cut", ref(cut), "errs", ref(errs),
		"window", ref(window), "beyond", ref(beyond), "result", ref(result))
	stop()
	keep(none, empty, ints, nested, ptrs, structs, zero, anys, funcs, bools, arrays, cut, errs, window, beyond)
	return result
}

type point struct{ X, Y int32 }

func (p point) sum() int32       { return p.X + p.Y }
func (p *point) add(n int32)     { p.X += n }
func (p *point) String() string  { return "point" }
func plainFunc(int, string) bool { return false }

type node struct {
	Value int
	Next  *node
	Self  any
	Kids  []*node
	Named map[string]*node
}

type ring []ring

//go:noinline
func cycles(n *node, r ring, m map[string]any, p any) {
	byValue := *n
	tell("n", ref(n), "r", ref(r), "m", ref(m), "p", ref(p), "byValue", ref(byValue), "n.Next", ref(n.Next), "n.Next.Value", ref(n.Next.Value))
	stop()
	keep(n, r, m, p, byValue)
}

//go:noinline
func funcs(none func(), f func(int, string) bool, lit func() int, method func() int32, pmethod func(int32), std func(string) (*os.File, error), generic func(int) int) {
	local := func() int { return lit() + 1 }
	expr := (*point).add
	tell("none", ref(none), "f", ref(f), "lit", ref(lit), "method", ref(method), "pmethod", ref(pmethod), "std", ref(std), "generic", ref(generic),
		"local", ref(local), "expr", ref(expr))
	stop()
	keep(none, f, lit, method, pmethod, std, generic, local, expr)
}

type counters struct {
	I32  atomic.Int32
	I64  atomic.Int64
	U32  atomic.Uint32
	U64  atomic.Uint64
	Up   atomic.Uintptr
	B    atomic.Bool
	Off  atomic.Bool
	P    atomic.Pointer[point]
	Nil  atomic.Pointer[point]
	V    atomic.Value
	None atomic.Value
}

type guarded struct {
	mu   sync.Mutex
	rw   sync.RWMutex
	once sync.Once
	wg   sync.WaitGroup
	n    int
}

//go:noinline
func atomics(c *counters, i *atomic.Int64, p *atomic.Pointer[point], v *atomic.Value, boxed any) {
	tell("c", ref(c), "i", ref(i), "p", ref(p), "v", ref(v), "boxed", ref(boxed), "c.I32", &c.I32, "c.B", &c.B, "c.P", &c.P, "c.P.Y", ref(c.P.Load().Y),
		"c.P.v.X", ref(c.P.Load().X), "c.Nil.Y", missing{}, "c.V.v", ref(c.V.Load()), "p.Y", ref(p.Load().Y), "p.v.Y", ref(p.Load().Y), "v.v", ref(v.Load()), "v.(string)", ref(v.Load().(string)))
	stop()
	keep(c, i, p, v, boxed)
}

//go:noinline
func locks(g *guarded) {
	n := g.n
	tell("g", ref(g), "g.n", ref(g.n), "n", ref(n), "g.once", &g.once, "g.mu", &g.mu)
	stop()
	keep(g, n)
}

type typedNil struct{ error }

type custom struct {
	Code int
	Err  error
}

func (c custom) Error() string { return "custom" }
func (c custom) Unwrap() error { return c.Err }

type code int

func (c code) Error() string { return "code" }

//go:noinline
func errs(none, plain, wrapped, joined, value, scalar, path, op, uri, eof, typed error) (err error) {
	err = wrapped
	tell("none", ref(none), "plain", ref(plain), "wrapped", ref(wrapped), "joined", ref(joined), "value", ref(value), "scalar", ref(scalar),
		"path", ref(path), "op", ref(op), "uri", ref(uri), "eof", ref(eof), "typed", ref(typed), "err", ref(err))
	stop()
	keep(none, plain, wrapped, joined, value, scalar, path, op, uri, eof, typed)
	return err
}

func doubled[T int | float64](v T) T { return v * 2 }

func startReferences() {
	p := &point{3, -4}
	long := make([]int, 5000)
	for i := range long {
		long[i] = i * i
	}
	start(func() {
		slices(nil, []int{}, []int{5, 6, 7, 8}, [][]string{{"a", "b"}, nil, {}}, []*point{p, nil, p}, []point{{1, 2}, {3, 4}}, make([]struct{}, 3),
			[]any{1, "two", nil, 3.5, p, *p, []int{1}, error(nil), (*point)(nil)}, []func(){nil, func() {}}, []bool{true, false}, [][2]int8{{1, -1}}, long,
			[]error{nil, io.EOF, code(7)})
	})
	a, b := &node{Value: 1}, &node{Value: 2}
	a.Next, b.Next, a.Self, a.Kids = b, a, a, []*node{a, b, {Value: 3}}
	a.Named = map[string]*node{"a": a, "b": b}
	r := make(ring, 2)
	r[0] = r
	m := map[string]any{"x": 1}
	m["self"] = m
	var self any
	self = &self
	start(func() { cycles(a, r, m, self) })
	captured := 5
	start(func() {
		funcs(nil, plainFunc, func() int { captured++; return captured }, p.sum, p.add, os.Open, doubled[int])
	})
	c := &counters{}
	c.I32.Store(-32)
	c.I64.Store(1 << 62)
	c.U32.Store(1 << 31)
	c.U64.Store(1<<64 - 1)
	c.Up.Store(99)
	c.B.Store(true)
	c.P.Store(p)
	c.V.Store(point{9, 9})
	var i atomic.Int64
	var ap atomic.Pointer[point]
	var av atomic.Value
	i.Store(-1)
	ap.Store(p)
	av.Store("in a value")
	start(func() { atomics(c, &i, &ap, &av, &i) })
	g := &guarded{n: 17}
	g.mu.Lock()
	g.rw.RLock()
	states[unsafe.Pointer(&g.mu)] = mutexState(true, 0)
	states[unsafe.Pointer(&g.rw)] = rwState(false, 1, 0, 0)
	start(func() { locks(g) })
	start(func() {
		plain := errors.New("plain")
		wrapped := fmt.Errorf("outer: %w", fmt.Errorf("inner: %w", plain))
		errs(nil, plain, wrapped, errors.Join(plain, io.EOF), custom{404, wrapped}, code(-3),
			&fs.PathError{Op: "open", Path: "/nowhere", Err: os.ErrNotExist},
			&net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}, Err: os.ErrDeadlineExceeded},
			&url.Error{Op: "Get", URL: "http://x", Err: io.ErrUnexpectedEOF}, io.EOF, (*typedNil)(nil))
	})
	_ = time.Now
}
