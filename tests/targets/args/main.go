// args blocks goroutines in calls of many signatures, in many ways, and says what runtime.Stack prints of them. Its
// functions are in a file that the test writes beside this one (tests/arguments.py).
package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

type (
	pair  struct{ A, B int64 }
	mixed struct {
		A int8
		B int64
		C bool
		D uint16
	}
	texts struct {
		S string
		N int32
	}
	five  struct{ A, B, C, D, E int }
	holes struct {
		_ int8
		A int32
		_ struct{}
		B float32
	}
	empty struct{}
	deep  struct {
		A struct {
			B struct{ C struct{ D struct{ E int } } }
		}
		Z int
	}
	number int16
	shaper interface{ shape() int }
)

func (p pair) shape() int      { return int(p.A) }
func (t *texts) shape() int    { return len(t.S) }
func (n number) shape() int    { return int(n) }
func (n number) Error() string { return fmt.Sprint(int(n)) }

//go:noinline
func use[T any](v T) {}

// change takes an address that does not outlive it.
//
//go:noinline
func change[T any](p *T) {
	if spinning < 0 {
		var zero T
		*p = zero
	}
}

//go:noinline
func escape[T any](p *T) { used = unsafe.Pointer(p); used = nil }

//go:noinline
func calls(f func()) { f() }

var (
	used     unsafe.Pointer
	arrived  sync.WaitGroup
	never    = make(chan int)
	full     = make(chan string)
	mutex    sync.Mutex
	rw       sync.RWMutex
	group    sync.WaitGroup
	cond     = sync.NewCond(new(sync.Mutex))
	pipe     [2]int
	spinning int
	starts   []func() // each calls block, once
)

// block is where they stand, whichever way.
//
//go:noinline
func block(way int) {
	arrived.Done()
	switch way {
	case 0:
		<-never
	case 1:
		full <- "value"
	case 2:
		select {
		case <-never:
		case full <- "other":
		}
	case 3:
		mutex.Lock()
	case 4:
		rw.RLock()
	case 5:
		group.Wait()
	case 6:
		cond.L.Lock()
		cond.Wait()
	case 7:
		time.Sleep(time.Hour)
	case 8:
		var buffer [1]byte
		syscall.Read(pipe[0], buffer[:])
	case 9:
		select {
		case <-never:
		case <-time.After(time.Hour):
		}
	case 10:
		select {}
	default:
		for {
			spinning++
		}
	}
}

func stacks() string {
	for size := 1 << 20; ; size *= 2 {
		buffer := make([]byte, size)
		if n := runtime.Stack(buffer, true); n < size {
			return string(buffer[:n])
		}
	}
}

func main() {
	mutex.Lock()
	rw.Lock()
	group.Add(1)
	if err := syscall.Pipe(pipe[:]); err != nil {
		panic(err)
	}
	arrived.Add(len(starts))
	for _, start := range starts {
		go start()
	}
	arrived.Wait()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if !strings.Contains(stacks(), "[runnable") { // all but the spinning one, which says "running"
			break
		}
	}
	runtime.GC() // what is dead goes, stacks shrink and move
	dump, _ := json.Marshal(map[string]string{"stack": stacks()})
	fmt.Printf("ready %s\n", dump)
	<-never
}
