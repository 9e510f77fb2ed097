// bodies runs functions with random bodies, each up to where it waits, and says which values their variables have there.
// The functions are in a file that the test writes beside this one (tests/bodies.py): of each there are two, one that waits and
// one that tells what it would wait with.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
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

var (
	told    = map[string]map[string]any{}
	calls   []func()
	waiting = make(chan struct{})
	never   = make(chan struct{})
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
func same[T any](v T) T { return v }

//go:noinline
func run(f func()) { f() }

type isThere struct{}

// tells says what a function's variables are where its twin waits, name and value in turn, and ends it.
func tells(function string, variables ...any) {
	values := map[string]any{}
	for at := 0; at < len(variables); at += 2 {
		values[variables[at].(string)] = variables[at+1]
	}
	told[function] = values
	panic(isThere{})
}

func twin(call func()) {
	defer func() {
		if found := recover(); found != nil && found != any(isThere{}) {
			panic(found)
		}
	}()
	call()
}

func main() {
	for _, call := range calls {
		call()
	}
	text, err := json.Marshal(map[string]any{"told": told})
	if err != nil {
		panic(err)
	}
	fmt.Fprintf(os.Stdout, "ready %s\n", text)
	time.Sleep(time.Hour) // not select: all would be asleep
}

// begin runs one function until it waits, or is through without.
func begin(call func()) {
	through := make(chan struct{})
	go func() { call(); close(through) }()
	select {
	case <-waiting:
	case <-through:
	}
}
