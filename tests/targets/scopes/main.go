// scopes parks goroutines where one name means different variables: shadowed in blocks, not declared yet, escaped,
// captured by a closure, inlined, of a generic function, of the package.
package main

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

var (
	parked  = make(chan struct{})
	never   = make(chan struct{})
	Current = &setting{Name: "package variable", Level: 7}
)

type setting struct {
	Name  string
	Level int
	inner struct{ depth uint8 }
}

type base struct{ ID int64 }

type item struct {
	base
	*setting
	name string
}

//go:noinline
func park() {
	parked <- struct{}{}
	<-never
}

//go:noinline
func shadow(name string) int {
	n := len(name)
	total := n
	for i := 0; i < 2; i++ {
		n := n*10 + i
		if i == 1 {
			n := fmt.Sprint("inner ", n)
			park()
			total += len(n)
		}
		total += n
	}
	runtime.KeepAlive(name)
	return total + n
}

//go:noinline
func before(name string) int {
	park()
	later := len(name) * 1000003
	runtime.KeepAlive(name)
	defer fmt.Fprint(os.Stderr, "")
	for i := 0; i < later%3; i++ {
		later += i
	}
	return later
}

//go:noinline
func large(n int) byte {
	var buffer [100_000]byte
	buffer[n] = 7
	park()
	return buffer[n/2] + byte(n)
}

//go:noinline
func escaped(n int) *int {
	value := n * 3
	pointer := &value
	park()
	*pointer++
	return pointer
}

//go:noinline
func fields(it *item) string {
	park()
	return it.Name + it.name + Current.Name + fmt.Sprint(it.ID)
}

func inlined(word string, times int) int {
	park()
	return len(word) * times
}

//go:noinline
func outer(word string) int {
	a := inlined(word, 3)
	return a + len(word)
}

//go:noinline
func largest[T int | string](values []T, first T) T {
	best := first
	for _, value := range values {
		if value > best {
			best = value
		}
	}
	park()
	if len(values) > 100 {
		best = values[0]
	}
	runtime.KeepAlive(values)
	return best
}

func each(n int, f func(int)) {
	for i := 0; i < n; i++ {
		f(i)
	}
}

// capturing calls each, which calls a closure, and all of it is one piece of code.
//
//go:noinline
func capturing(name string, n int) int {
	total := 100
	each(n, func(i int) {
		total += i
		if i == 2 {
			park()
		}
		runtime.KeepAlive(name)
	})
	return total
}

// Captured is not what shadowing's closure means.
var Captured = 1

//go:noinline
func shadowing(n int) int {
	Captured := n * 2
	each(n, func(i int) {
		if i > 100 {
			fmt.Fprint(os.Stderr, Captured)
		}
		if i == 1 {
			park()
		}
	})
	return Captured
}

func main() {
	sink := make(chan any, 16)
	go func() { sink <- shadow("seven77") }()
	go func() { sink <- before("not yet") }()
	go func() { sink <- large(15) }()
	go func() { sink <- escaped(14) }()
	go func() {
		it := &item{base{99}, &setting{Name: "promoted", Level: 3}, "own"}
		it.inner.depth = 5
		sink <- fields(it)
		runtime.KeepAlive(it)
	}()
	go func() { sink <- outer("word") }()
	go func() { sink <- largest([]int{3, 11, 5}, 1) }()
	go func() { sink <- largest([]string{"c", "z", "e"}, "a") }()
	go func() { sink <- capturing("captured", 4) }()
	go func() { sink <- shadowing(21) }()
	for range [10]struct{}{} {
		<-parked
	}
	fmt.Println(`ready {}`)
	time.Sleep(time.Hour) // a timer keeps the runtime from calling it a deadlock
}
