// Mixed is Go and C: -n goroutines that block in C, and as many that C has called back into Go, where they block. It
// announces its own runtime.Stack once all of them stand still. Built as a library, it does nothing.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

type request struct {
	ID   int
	Name string
	Tags []string
}

func newRequest(id int) *request {
	return &request{ID: id, Name: fmt.Sprintf("request-%d", id), Tags: []string{"c", fmt.Sprint(id * id)}}
}

var (
	inPosition = make(chan int)
	never      = make(chan int)
)

//go:noinline
func outbound(id int, req *request, fd int) int {
	blockInC(fd)
	return id + len(req.Name)
}

//go:noinline
func inbound(id int, req *request) int {
	throughC(id)
	return id + len(req.Name)
}

//go:noinline
func calledBack(id int, req *request) int {
	inPosition <- id
	<-never
	return id + len(req.Name)
}

func main() {
	count := flag.Int("n", 5, "goroutines of each kind")
	flag.Parse()
	reader, _, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	for id := 0; id < *count; id++ {
		go outbound(id, newRequest(id), int(reader.Fd()))
		go inbound(100+id, newRequest(100+id))
	}
	for range make([]struct{}, *count) {
		<-inPosition
	}
	for blockedInC() < *count {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond)
	dump := make([]byte, 1<<20)
	announced, err := json.Marshal(map[string]any{"dump": string(dump[:runtime.Stack(dump, true)])})
	if err != nil {
		panic(err)
	}
	fmt.Printf("ready %s\n", announced)
	<-never
}
