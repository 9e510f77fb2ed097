package main

import (
	"fmt"
	"reflect"
	"time"
	"unsafe"
)

func address0(c chan int) uintptr { return reflect.ValueOf(c).Pointer() }

type shape interface{ area() float64 }

type square struct{ Side float64 }

func (s square) area() float64 { return s.Side * s.Side }

type disc struct {
	R    float64
	Name string
}

func (d *disc) area() float64 { return d.R }

type unit struct{}

func (unit) area() float64 { return 0 }

type onePointer struct{ P *point }

func (onePointer) area() float64 { return 1 }

type oneFunc func() int

func (oneFunc) area() float64 { return 2 }

type oneMap map[string]int

func (oneMap) area() float64 { return 3 }

//go:noinline
func boxed(v any) {
	local := v
	tell("v", ref(v), "local", ref(local))
	stop()
	keep(v, local)
}

//go:noinline
func shaped(s shape, str fmt.Stringer) (err error) {
	tell("s", ref(s), "str", ref(str), "err", ref(err))
	stop()
	keep(s, str)
	return err
}

// local has values of a type that is declared in a function.
//
//go:noinline
func local(a, b, c, d any) {
	tell("a", ref(a), "b", ref(b), "c", ref(c), "d", ref(d), "a.(main.inside).A", ref(1), "a.A", ref(1))
	stop()
	keep(a, b, c, d)
}

func startLocal() {
	type inside struct{ A int }
	start(func() { local(inside{1}, &inside{2}, map[string]inside{"k": {3}}, Box[inside]{inside{4}, nil}) })
}

func startInterfaces() {
	startLocal()
	p := &point{-1, -2}
	n := 5
	inner := any(7)
	deep := any(p)
	c := make(chan int, 2)
	c <- 1
	anonymous := struct {
		A int
		B string
	}{1, "anon"}
	hidden := struct {
		a    int
		unit `json:"; main.x y"`
		b    []struct {
			c string `t:"u"`
		}
		m map[struct{ k int }]*struct{ v square }
		f func(a int, s square) struct{ q int }
	}{a: 1, b: []struct {
		c string `t:"u"`
	}{{"c"}}}
	for _, v := range []any{nil, true, false, 0, 1, 255, 256, -1, int8(-8), uint8(8), int16(-16), uint16(16), int32(-32), uint32(32), int64(1 << 40), ^uint64(0),
		uintptr(7), float32(0.1), 0.25, complex64(complex(1, 2)), complex(3, -4), "", "text", "bad\xff", []byte("b"), []byte{255}, []byte(nil), []int{1, 2}, []int(nil), []string{"s"},
		map[string]int{"a": 1}, map[string]any{"k": 1}, map[string]int(nil), p, (*point)(nil), *p, &p, &n, (*int)(nil), &inner, &deep, square{2}, &square{3}, unit{}, struct{}{}, &struct{}{},
		onePointer{p}, onePointer{}, [1]*point{p}, [0]int{}, [2]int{1, 2}, [1]int{5}, [1]func(){nil}, c, (chan int)(nil), plainFunc, (func())(nil), time.Second, time.Unix(1, 2), &time.Time{}, color(3), celsius(1.5), name("n"), raw("r"),
		anonymous, &anonymous, custom{1, code(2)}, &node{Value: 1}, unsafe.Pointer(p), struct{ F func() }{startMaps}, struct{ A any }{struct{ B any }{[]any{1}}},
		hidden, &hidden, []any{hidden}, Box[struct{ a int }]{struct{ a int }{1}, nil}, struct {
			shape
			Box[int]
			_ int
		}{square{1}, Box[int]{2, nil}, 0},
		Box[int]{1, nil}, &Box[string]{"b", nil}, Box[point]{point{1, 2}, p2(point{3, 4})}, [][]any{{1}, nil}, reflect.TypeOf(0).Kind(), time.March} {
		v := v
		start(func() { boxed(v) })
	}
	calls := oneFunc(func() int { return n })
	for _, s := range []shape{nil, square{1.5}, &square{2.5}, &disc{1, "d"}, (*disc)(nil), unit{}, &unit{}, onePointer{p}, onePointer{}, calls, oneFunc(nil), oneMap{"m": 1}, oneMap(nil)} {
		s := s
		start(func() { shaped(s, p) })
	}
	start(func() { shaped(nil, color(9)) })
	start(func() { shaped(nil, (*point)(nil)) })
	start(func() { shaped(nil, time.Minute) })
}

func p2[T any](v T) *T { return &v }
