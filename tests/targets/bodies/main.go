// bodies runs functions with random bodies, each up to where it waits, and says which values their variables have there.
// The functions are in a file that the test writes beside this one (tests/bodies.py): of each there are two, one that waits and
// one that tells what it would wait with, and what its variables were until then.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

type item struct {
	N int
	S string
}

type pair struct {
	A int
	B string
}

type wide struct {
	A, B, C int
	S, T    string
	F       float64
}

type vast struct {
	N [4]int
	P pair
	S string
	V *item
}

// nest embeds one struct, and has others in it; its name in JSON is ours, too.
type nest struct {
	pair `json:"pair"`
	In   *item
	Deep pair
	Arr  [3]int
}

type box[T any] struct {
	V T
	P pair
}

type small struct {
	A int32
	B bool
	C int8
	D uint16
}

type view struct {
	L []int
	N int
}

type tagged struct {
	V any
	T string
}

type namer interface{ Name() string }

type label string

const fixed = 12

var (
	told    = map[string]json.RawMessage{}
	had     = map[string]map[string][]json.RawMessage{}
	watched = map[string]map[string]reflect.Value{}
	calls   []func()
	leaked  any
	reused  []*item
	waiting = make(chan struct{})
	never   = make(chan struct{})

	spins          []func()
	spinning, stop atomic.Int32
)

//go:noinline
func wait() {
	waiting <- struct{}{}
	<-never
}

//go:noinline
func use(v any) { runtime.KeepAlive(v) }

//go:noinline
func next(n int) int { return n + 1 }

//go:noinline
func even(n int) bool { return n%2 == 0 }

//go:noinline
func text(n int) string { return fmt.Sprint("t", n) }

//go:noinline
func made(n int) *item {
	if n < -1000 {
		return nil
	}
	return &item{n, "made"}
}

//go:noinline
func found(n int) (*item, int, error) {
	if n < -500 {
		return nil, n, errors.New("not found")
	}
	return &item{n + 7, "found"}, n + 3, nil
}

//go:noinline
func both(n int, s string) (string, int) { return s + "!", n * 2 }

//go:noinline
func paired(n int) pair { return pair{n, fmt.Sprint("p", n)} }

//go:noinline
func grown(v pair) pair { return pair{v.A + 1, v.B + "+"} }

//go:noinline
func listed(n int) []int { return []int{n, n + 1, n * 2} }

//go:noinline
func three(n int) [3]int { return [3]int{n, n + 1, n + 2} }

//go:noinline
func turned(v [3]int) [3]int { return [3]int{v[1], v[2], v[0] + 1} }

//go:noinline
func half(n int) float64 { return float64(n) / 2 }

//go:noinline
func boxed(n int) any {
	switch n % 4 {
	case 0:
		return n
	case 1:
		return text(n)
	case 2:
		return made(n)
	default:
		return paired(n)
	}
}

//go:noinline
func short(n int) int32 { return int32(n) * 3 }

//go:noinline
func widened(n int) wide { return wide{n, n + 1, n + 2, "s", fmt.Sprint("w", n), float64(n)} }

//go:noinline
func broader(v wide) wide { return wide{v.B, v.C, v.A + 1, v.T, v.S + "+", v.F + 1} }

//go:noinline
func extended(n int) vast {
	return vast{[4]int{n, n + 1, n + 2, n + 3}, paired(n), fmt.Sprint("v", n), &item{n, "vast"}}
}

//go:noinline
func vaster(v vast) vast {
	if v.V == nil {
		return extended(v.N[0])
	}
	return vast{[4]int{v.N[1], v.N[2], v.N[3], v.N[0] + 1}, grown(v.P), v.S + "+", &item{v.V.N + 1, v.V.S}}
}

//go:noinline
func twain(n int) [2]pair { return [2]pair{paired(n), paired(n + 1)} }

//go:noinline
func crossing(v [2]pair) [2]pair { return [2]pair{v[1], grown(v[0])} }

//go:noinline
func mapped(n int) map[string]pair { return map[string]pair{fmt.Sprint("m", n): paired(n)} }

//go:noinline
func parted(n int) (pair, pair) { return paired(n + 2), paired(n + 5) }

//go:noinline
func gridded(n int) [2][3]int { return [2][3]int{{n, n + 1, n + 2}, {n * 2, n * 3, n * 4}} }

//go:noinline
func regridded(v [2][3]int) [2][3]int { return [2][3]int{v[1], {v[0][2], v[0][0] + 1, v[0][1]}} }

//go:noinline
func rooted(n int) complex128 { return complex(float64(n), float64(n)/2) }

//go:noinline
func rotated(v complex128) complex128 { return complex(-imag(v), real(v)+1) }

//go:noinline
func tiny(n int) int8 { return int8(n * 5) }

//go:noinline
func octet(n int) uint8 { return uint8(n * 17) }

//go:noinline
func huge(n int) uint64 { return uint64(n+1) << 60 }

//go:noinline
func single(n int) float32 { return float32(n) / 4 }

//go:noinline
func nested(n int) nest {
	return nest{paired(n), &item{n, "nest"}, pair{n + 1, "deep"}, [3]int{n, n + 1, n + 2}}
}

//go:noinline
func deeper(v nest) nest {
	return nest{v.Deep, v.In, pair{v.A + 1, v.B + "_"}, [3]int{v.Arr[2], v.Arr[0], v.Arr[1] + 1}}
}

//go:noinline
func crated(n int) box[int] { return box[int]{n, paired(n + 1)} }

//go:noinline
func recrated(v box[int]) box[int] { return box[int]{v.P.A, pair{v.V + 1, v.P.B + "="}} }

//go:noinline
func named(n int) namer {
	switch n % 3 {
	case 0:
		return label(text(n))
	case 1:
		return made(n)
	default:
		return paired(n)
	}
}

//go:noinline
func joined(n int) *pair { return &pair{n, fmt.Sprint("j", n)} }

//go:noinline
func soloed(n int) [1]pair { return [1]pair{paired(n)} }

//go:noinline
func resoloed(v [1]pair) [1]pair { return [1]pair{grown(v[0])} }

//go:noinline
func smaller(n int) small { return small{int32(n), n&1 == 0, int8(n), uint16(n * 3)} }

//go:noinline
func smallest(v small) small { return small{v.A + 1, !v.B, v.C - 1, v.D + 2} }

//go:noinline
func viewed(n int) view { return view{listed(n), n} }

//go:noinline
func reviewed(v view) view { return view{append(v.L, v.N), len(v.L)} }

//go:noinline
func tagging(n int) tagged { return tagged{boxed(n), text(n)} }

//go:noinline
func retagged(v tagged) tagged { return tagged{v.T, v.T + "'"} }

//go:noinline
func list3(n int) []int { return []int{n, n - 1, n - 2, n - 3} }

//go:noinline
func queued(n int) chan int {
	queue := make(chan int, 3)
	for each := range listed(n) {
		queue <- each + n
	}
	close(queue)
	return queue
}

//go:noinline
func few(n int) int { return n&1 + 2 }

// What follows is small enough to be inlined.

func waits() { wait() }

func doubled(n int) int { return n * 2 }

func deep(a, b int) int { return deeply(a, doubled(b)) + 1 }

func deeply(a, b int) int {
	if c := doubled(a); c > b {
		return c - b
	}
	return b
}

func clipped(s string) string {
	if len(s) > 2 {
		return s[1 : len(s)-1]
	}
	return s
}

func shifted(v pair) pair { return pair{v.A + 100, v.B} }

func (p pair) moved(n int) pair {
	p.A, n = n, p.A
	return p
}

func (v view) rest() view {
	if len(v.L) > 0 {
		v.L = v.L[1:]
	}
	return v
}

func (v tagged) by(n int) tagged {
	v.V = n
	return v
}

func boxed2[T any](v T, p pair) box[T] { return box[T]{v, p} }

func (b box[T]) with(v T) box[T] {
	b.V = v
	return b
}

func complex64to(v complex128) complex128 { return complex128(complex64(v)) }

//go:noinline
func (b *box[T]) put(v T) { b.V, b.P.A = v, b.P.A+1 }

func (p pair) Name() string { return p.B }

func (i *item) Name() string {
	if i == nil {
		return ""
	}
	return i.S
}

func (l label) Name() string { return string(l) }

//go:noinline
func sum(numbers ...int) (all int) {
	for _, each := range numbers {
		all += each
	}
	return all
}

//go:noinline
func bump(n *int) { *n += 3 }

//go:noinline
func touched(p *pair) { p.A, p.B = p.A+5, p.B+"~" }

//go:noinline
func (p *pair) touch() { p.A, p.B = p.A+2, p.B+"*" }

// leak has what is behind a pointer escape.
//
//go:noinline
func leak(p any) { leaked = p }

//go:noinline
func filled(n int) chan int {
	found := make(chan int, 1)
	found <- n + 4
	return found
}

// upto is what a loop may range over.
//
//go:noinline
func upto(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for each := 0; each < n%4+1; each++ {
			if !yield(each) {
				return
			}
		}
	}
}

// reuse has what nothing needs any more freed, and fills it with something else.
//
//go:noinline
func reuse() {
	runtime.GC()
	for each := 0; each < 1<<12; each++ {
		reused = append(reused, &item{-each, "reused"})
	}
}

//go:noinline
func same[T any](v T) T { return v }

//go:noinline
func run(f func()) { f() }

// relay hands on what ended a goroutine.
func relay(back chan any) { back <- recover() }

// arrived goes on when the goroutine has ended, or ends as it did.
func arrived(back chan any) {
	if found := <-back; found != nil {
		panic(found)
	}
}

// kept is where functions that are to be inlined put what they use.
var kept struct {
	int   int
	text  string
	pair  pair
	item  *item
	list  []int
	float float64
	trio  [3]int
	short int32
	some  any
}

var rounds int

// again is true twice a function.
//
//go:noinline
func again() bool {
	rounds++
	return rounds <= 2
}

type isThere struct{}

// tells says what a function's variables are where its twin waits, name and value in turn, and ends it.
func tells(function string, variables ...any) {
	says(function, variables...)
	panic(isThere{})
}

// says notes what a function's variables are where its twin waits or calls the one that does. What recovers may come by again.
func says(function string, variables ...any) {
	if told[function] != nil {
		return
	}
	values := map[string]any{}
	for at := 0; at < len(variables); at += 2 {
		values[variables[at].(string)] = plain(variables[at+1])
	}
	text, err := json.Marshal(values) // before anything that is deferred changes them
	if err != nil {
		panic(err)
	}
	told[function] = text
}

// plain is what JSON can say of a value.
func plain(value any) any {
	switch value := value.(type) {
	case complex128:
		return fmt.Sprint(value)
	case []byte:
		if value != nil {
			return string(value)
		}
	}
	return value
}

// watch says where a function's variables are, name and pointer in turn.
func watch(function string, variables ...any) {
	if watched[function] == nil {
		watched[function] = map[string]reflect.Value{}
	}
	for at := 0; at < len(variables); at += 2 {
		watched[function][variables[at].(string)] = reflect.ValueOf(variables[at+1]).Elem()
	}
}

// was notes what the variables are now that a function watches.
func was(function string) {
	values := had[function]
	if told[function] != nil {
		return
	}
	if values == nil {
		values = map[string][]json.RawMessage{}
		had[function] = values
	}
	for name, variable := range watched[function] {
		note(values, name, variable.Interface())
	}
}

// note adds what a variable is now to what it ever was.
func note(values map[string][]json.RawMessage, name string, value any) {
	text, err := json.Marshal(plain(value))
	if err != nil {
		panic(err)
	}
	if !slices.ContainsFunc(values[name], func(each json.RawMessage) bool { return string(each) == string(text) }) {
		values[name] = append(values[name], text)
	}
}

func twin(call func()) {
	defer func() {
		if found := recover(); found != nil && found != any(isThere{}) {
			panic(found)
		}
	}()
	rounds = 0
	call()
}

func main() {
	for _, call := range append(calls, spins...) {
		call()
	}
	runtime.GOMAXPROCS(1) // those that spin leave a processor to who looks
	text, err := json.Marshal(map[string]any{"told": told, "had": had})
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(os.Stdout, "ready %s\n", text)
	time.Sleep(time.Hour) // not select: all would be asleep
}

// begin runs one function until it waits, or is through without.
func begin(call func()) {
	rounds = 0
	through, at := make(chan struct{}), spinning.Load()
	go func() { call(); close(through) }()
	for spinning.Load() == at {
		select {
		case <-waiting:
			return
		case <-through:
			return
		default:
			time.Sleep(10 * time.Microsecond)
		}
	}
}
