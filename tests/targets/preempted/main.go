// Preempted has -n goroutines that compute on two CPUs, in deep recursion and in functions without a frame, so that they are
// preempted all the time wherever that can be; and some that a nil pointer stopped in a function without a frame.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"sync/atomic"
)

var done atomic.Uint64

// leaf has no frame: it calls nothing and keeps all in registers.
//
//go:noinline
func leaf(x uint64, times int) uint64 {
	for i := 0; i < times; i++ {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

//go:noinline
func spins(x uint64) uint64 { return leaf(x, 1<<30) + 1 }

//go:noinline
func recurses(x uint64, depth int) uint64 {
	if depth == 0 {
		return x
	}
	return recurses(x+1, depth-1) + recurses(x^1, depth/8)
}

//go:noinline
func mixes(x uint64) uint64 {
	var room [30]uint64
	for i := range room {
		room[i] = leaf(x, 100) + recurses(x, 20)
	}
	return room[x%30]
}

//go:noinline
func yields(x uint64) uint64 {
	runtime.Gosched()
	return leaf(x, 1000)
}

//go:noinline
func fault(p *uint64) uint64 { return *p }

//go:noinline
func faults(p *uint64, forever chan bool) uint64 {
	defer func() { <-forever }()
	return fault(p) + 1
}

//go:noinline
func keep(*[40]uint64) {}

//go:noinline
func framed(p *uint64) uint64 {
	var room [40]uint64
	keep(&room)
	return *p + room[3]
}

// grows has the stack moved: what framed had saved in it leads to the old one, in some Go versions.
//
//go:noinline
func grows(depth int, forever chan bool) uint64 {
	var room [40]uint64
	keep(&room)
	if depth == 0 {
		<-forever
		return room[1]
	}
	return grows(depth-1, forever) + room[2]
}

//go:noinline
func grown(p *uint64, forever chan bool) uint64 {
	defer func() { grows(100, forever) }()
	return framed(p) + 1
}

func computes(number int) {
	for x := uint64(number); ; done.Add(1) {
		switch number % 4 {
		case 0:
			x = spins(x)
		case 1:
			x = recurses(x, 60)
		case 2:
			x = mixes(x)
		case 3:
			x = yields(x)
		}
	}
}

func main() {
	n := flag.Int("n", 200, "goroutines that compute")
	flag.Parse()
	runtime.GOMAXPROCS(2)
	forever := make(chan bool)
	for i := 0; i < 20; i++ {
		go faults(nil, forever)
		go grown(nil, forever)
	}
	for i := 0; i < *n; i++ {
		go computes(i)
	}
	for done.Load() < 100 {
		runtime.Gosched()
	}
	fmt.Println("ready {}")
	<-forever
}
