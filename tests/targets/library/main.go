// Library runs code of the standard library on inputs that are always the same, each run until a callback was called so many times.
// Two builds of it stand still at the same points.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

var (
	standing sync.WaitGroup
	never    = make(chan struct{})
)

// gate lets so many calls pass, and the next one wait for good.
type gate struct{ left int }

//go:noinline
func (g *gate) pass() {
	if g.left == 0 {
		standing.Done()
		<-never
	}
	g.left--
}

//go:noinline
func scenario(name string, after int, run func(*gate)) {
	run(&gate{after})
	standing.Done() // it was not called so often
	<-never
	fmt.Println(name, after)
}

func main() {
	points, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	for _, each := range scenarios {
		for at := 0; at < points; at++ {
			standing.Add(1)
			go scenario(each.name, at+at*at*3/2, each.run)
		}
	}
	standing.Wait()
	fmt.Printf("ready {\"scenarios\": %d}\n", len(scenarios))
	for {
		time.Sleep(time.Hour)
	}
}
