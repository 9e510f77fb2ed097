// Clock reads the time without end, on a few goroutines: whenever it is stopped, some of them are in the kernel's vdso.
package main

import (
	"flag"
	"fmt"
	"time"
)

var seen [64]int64

//go:noinline
func tick(id int, began time.Time) {
	for {
		seen[id] += int64(time.Since(began)) & 1
	}
}

//go:noinline
func count(id int, began time.Time) {
	tick(id, began)
	seen[id]++
}

func main() {
	n := flag.Int("n", 2, "goroutines")
	flag.Parse()
	for id := 0; id < *n; id++ {
		go count(id, time.Now())
	}
	fmt.Println("ready {}")
	select {}
}
