// names parks goroutines in every kind of function that Go names in a way of its own. Nearly all have a
// variable `label` that tells them apart; the line `ready` tells the program's own stack dump.
package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"sync"
	"time"

	"example.com/yaml.v3"
)

var (
	never  = make(chan struct{})
	parked sync.WaitGroup
	count  int
)

// start runs one case in a goroutine of its own, which will park once.
func start(run func()) {
	count++
	parked.Add(1)
	go run()
}

//go:noinline
func park() {
	parked.Done()
	<-never
}

//go:noinline
func call(f func(string), label string) { f(label) }

//go:noinline
func plain(label string) {
	park()
	runtime.KeepAlive(label)
}

// other has no variable of that name.
//
//go:noinline
func other(text string) {
	park()
	runtime.KeepAlive(text)
}

// small is inlined wherever it is called.
func small(label string) {
	park()
	runtime.KeepAlive(label)
}

//go:noinline
func callsSmall(label string) {
	small("small")
	runtime.KeepAlive(label)
}

func main() {
	functions()
	methods()
	closures()
	generics()
	iterators()
	parked.Wait()
	dump := make([]byte, 1<<20)
	dump = dump[:runtime.Stack(dump, true)]
	line, err := json.Marshal(map[string]any{"cases": count, "dump": string(dump)})
	if err != nil {
		panic(err)
	}
	fmt.Printf("ready %s\n", line)
	time.Sleep(time.Hour)
}

func functions() {
	start(func() { plain("plain") })
	start(func() { other("other") })
	start(func() { callsSmall("calls small") })
	start(func() { initialized("initialized") })
	start(func() { deferred("deferred") })
	parked.Add(1)
	count++
	go worker("go", 3)
	decoder := &yaml.Decoder{Park: park}
	start(func() { decoder.Decode("decode") })
	start(func() {
		decoder.Each("each", callNamed("closure of decode"))
	})
}

// initialized is a closure of the package's initialization.
var initialized = func(label string) {
	park()
	runtime.KeepAlive(label)
}

func callNamed(label string) func(func(string)) {
	return func(f func(string)) { call(f, label) }
}

// worker is called by a wrapper that the go statement makes.
//
//go:noinline
func worker(label string, n int) {
	park()
	runtime.KeepAlive(label)
	runtime.KeepAlive(n)
}

// deferred parks in a deferred call, which another wrapper makes.
//
//go:noinline
func deferred(label string) {
	defer worker("defer", len(label))
	runtime.KeepAlive(label)
}
