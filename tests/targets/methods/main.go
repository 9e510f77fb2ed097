// Methods has goroutines that wait in methods with type parameters of their own, which Go has since 1.27. It tells what is in their
// variables, and its own traceback.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"runtime"
	"strings"
	"sync"
	"time"
)

type (
	row struct {
		Function  string         `json:"function"`
		Goroutine int            `json:"goroutine_id"`
		Values    map[string]any `json:"values"`
	}
	point struct {
		X int
		Y string
	}
	node struct {
		Name string
		Next *node
	}
	id int
	// plain is not generic, its methods are.
	plain struct{ Size int }
	// box is generic, and its methods are, too.
	box[K comparable] struct{ Items map[K]int }
)

var (
	rows    []row
	telling sync.Mutex
	waiting sync.WaitGroup
	never   = make(chan struct{})
)

func (p *point) String() string { return p.Y }
func (i id) String() string     { return fmt.Sprint(int(i)) }

// stop tells what a function has, and waits for good.
//
//go:noinline
func stop(function string, values map[string]any) {
	head := make([]byte, 64)
	var goroutine int
	fmt.Sscanf(string(head[:runtime.Stack(head, false)]), "goroutine %d ", &goroutine)
	telling.Lock()
	rows = append(rows, row{function, goroutine, values})
	telling.Unlock()
	waiting.Done()
	<-never
}

//go:noinline
func top[T any](x T, told any) {
	stop("main.top[...]", map[string]any{"x": told})
	fmt.Fprint(io.Discard, x)
}

//go:noinline
func (p *plain) turned[T any](x T, list []T, told, listed any) (T, error) {
	kept := x
	stop("main.(*plain).turned[...]", map[string]any{"p.Size": p.Size, "x": told, "list": listed, "kept": told})
	fmt.Fprint(io.Discard, kept, x)
	return kept, fmt.Errorf("%v %v", p, list)
}

//go:noinline
func (p plain) byValue[T, U any](x T, u U, told, second any) {
	stop("main.plain.byValue[...]", map[string]any{"p.Size": p.Size, "x": told, "u": second})
	fmt.Fprint(io.Discard, p.Size, x, u)
}

// unused has a receiver and a dictionary of which nothing is left to use.
//
//go:noinline
func (p *plain) unused[T any](x T, count int) {
	stop("main.(*plain).unused[...]", map[string]any{"p.Size": p.Size, "count": count})
	fmt.Fprint(io.Discard, count)
}

//go:noinline
func (b box[K]) fold[A any](key K, first A, told, toldKey any) {
	total := first
	stop("main.box[...].fold[...]", map[string]any{"key": toldKey, "first": told, "total": told})
	fmt.Fprint(io.Discard, b.Items, key, first, total)
}

//go:noinline
func (b *box[K]) each[A any](key K, a A, told, toldKey any) {
	func() {
		inner := key
		stop("main.(*box[...]).each[...].func1", map[string]any{"inner": toldKey, "key": toldKey})
		fmt.Fprint(io.Discard, inner, a)
	}()
	stop("main.(*box[...]).each[...]", map[string]any{"key": toldKey, "a": told, "len(b.Items)": len(b.Items)})
	fmt.Fprint(io.Discard, b, key, a)
}

// alone has no type parameters of its own.
//
//go:noinline
func (b *box[K]) alone(key K, toldKey any) {
	stop("main.(*box[...]).alone", map[string]any{"key": toldKey, "len(b.Items)": len(b.Items)})
	fmt.Fprint(io.Discard, b, key)
}

//go:noinline
func (b *box[K]) all[A any](a A) iter.Seq2[K, A] {
	return func(yield func(K, A) bool) {
		for key := range b.Items {
			if !yield(key, a) {
				return
			}
		}
	}
}

//go:noinline
func (b *box[K]) walk[A fmt.Stringer](a A, toldKey any) {
	for key, v := range b.all(a) {
		stop("main.(*box[...]).walk[...]-range1", map[string]any{"key": toldKey})
		fmt.Fprint(io.Discard, key, v)
	}
}

func at[T any](p *T) string { return fmt.Sprintf("%p", p) }

func main() {
	started := 0
	start := func(run func()) {
		started++
		waiting.Add(1)
		go run()
	}
	p, i, n := &point{3, "three"}, id(7), &node{"first", &node{"second", nil}}
	pt := map[string]any{"$addr": at(p), "X": 3, "Y": "three"}
	nt := map[string]any{"$addr": at(n), "Name": "first", "Next": map[string]any{"$addr": at(n.Next), "Name": "second", "Next": nil}}
	copied := map[string]any{"X": 3, "Y": "three"}

	start(func() { top(p, pt) })
	start(func() { top(n, nt) })
	start(func() { top(i, 7) })
	s := &plain{41}
	start(func() { s.turned(42, []int{1, 2, 3}, 42, []int{1, 2, 3}) })
	start(func() { s.turned("x", []string{"a"}, "x", []string{"a"}) })
	start(func() { s.turned(*p, []point{*p}, copied, []any{copied}) })
	start(func() { s.turned(p, []*point{p}, pt, []any{pt}) })
	start(func() { s.turned(n, nil, nt, nil) })
	start(func() { s.byValue(p, n, pt, nt) })
	start(func() { s.byValue(i, 2.5, 7, 2.5) })
	start(func() { s.unused(p, 5) })
	start(func() { s.unused(n, 6) })
	start(func() { s.unused(2.5, 7) })
	of, ofPoints, ofIDs := box[string]{map[string]int{"x": 3}}, &box[*point]{map[*point]int{p: 4}}, &box[id]{map[id]int{8: 5}}
	start(func() { of.fold("key", 2.5, 2.5, "key") })
	start(func() { of.fold("key", []string{"q"}, []string{"q"}, "key") })
	start(func() { ofPoints.fold(p, n, nt, pt) })
	start(func() { ofIDs.fold(9, p, pt, 9) })
	start(func() { ofPoints.each(p, n, nt, pt) })
	start(func() { ofPoints.each(p, i, 7, pt) })
	start(func() { ofIDs.each(9, true, true, 9) })
	start(func() { ofPoints.alone(p, pt) })
	start(func() { ofIDs.alone(9, 9) })
	start(func() { ofIDs.walk(i, 8) })
	start(func() { ofIDs.walk(p, 8) })
	start(func() { ofPoints.walk(p, pt) })
	value, expression := ofIDs.fold[string], (*box[id]).each[id]
	start(func() { value(10, "by value", "by value", 10) })
	start(func() { expression(ofIDs, 11, i, 7, 11) })

	waiting.Wait()
	stack := make([]byte, 1<<20)
	stack = stack[:runtime.Stack(stack, true)]
	said, err := json.Marshal(map[string]any{"rows": rows, "stack": strings.TrimSpace(string(stack)), "started": started})
	if err != nil {
		panic(err)
	}
	fmt.Printf("ready %s\n", said)
	for {
		time.Sleep(time.Hour)
	}
}
