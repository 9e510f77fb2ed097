// Generic has goroutines that wait in code which Go compiles once for all pointers. Most have pointers to small structs, of which one
// word, read as what it is in a huge one, leads to a chain of those that nobody asked for.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
	"unsafe"
)

const (
	goroutines = 200
	links      = 8
)

// small begins as huge does, but what is behind it is not to be followed.
type small struct {
	Number int
	Behind unsafe.Pointer
}

type huge struct {
	Number int
	Next   *huge
	Load   [1000]int
}

type box[T any] struct {
	Value T
	Count int
}

var (
	waiting sync.WaitGroup
	never   = make(chan struct{})
)

// stop waits for good.
//
//go:noinline
func stop() {
	waiting.Done()
	<-never
}

//go:noinline
func one[T any](v T, list []T) {
	stop()
	fmt.Fprint(io.Discard, v, list) // to make interfaces of them takes the dictionary
}

//go:noinline
func (b *box[T]) held(more T) {
	stop()
	fmt.Fprint(io.Discard, b.Value, more)
}

// chain is a number of huge ones, one behind the other.
func chain(number int) *huge {
	var first *huge
	for link := links; link > 0; link-- {
		first = &huge{Number: number + link, Next: first}
	}
	return first
}

func main() {
	var behind []string
	waiting.Add(2 * (goroutines + 1))
	for number := 0; number < goroutines; number++ {
		rest := chain(1000 * number)
		for each := rest; each != nil; each = each.Next {
			behind = append(behind, fmt.Sprintf("%p", &each.Load))
		}
		v := &small{number, unsafe.Pointer(rest)}
		go one(v, []*small{v, v})
		go (&box[*small]{v, number}).held(v)
	}
	v := chain(-links)
	go one(v, []*huge{nil, v})
	go (&box[*huge]{v, -1}).held(v)
	waiting.Wait()
	ready, err := json.Marshal(map[string]any{"behind": behind})
	if err != nil {
		panic(err)
	}
	fmt.Printf("ready %s\n", ready)
	time.Sleep(time.Hour)
}
