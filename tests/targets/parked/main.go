// Parked has -n goroutines that block on a channel, several calls deep, each with variables of every kind that only it
// has, and a few goroutines in other states. `GET /` on the address that it announces answers its own runtime.Stack.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync"
	"time"
)

type Owner struct {
	Name string
	Mail string
	Next *Owner
}

type Shape interface{ Area() int }

type Square struct{ Side int }

func (s *Square) Area() int { return s.Side * s.Side }

type Point struct{ X, Y int }

func (p Point) Area() int { return p.X * p.Y }

type Item struct {
	ID     int
	Name   string
	Tags   []string
	Grid   [][]int
	Prices map[string]int
	Owners map[int]*Owner
	Inbox  chan string
	Any    any
	Shape  Shape
	Flat   Shape
	Owner  *Owner
	When   time.Time
	Wide   [9]*Owner
	Work   func() int
}

var (
	gate   = make(chan bool)
	parked sync.WaitGroup
	shared = &Owner{Name: "shared", Mail: "shared@example.org"}
)

//go:noinline
func leaf(it *Item, label string, numbers []int) int {
	parked.Done()
	<-gate
	return it.ID + len(label) + len(numbers)
}

//go:noinline
func middle(it *Item, depth int) int {
	if depth > 0 {
		return middle(it, depth-1) + it.ID
	}
	label := fmt.Sprintf("label %d", it.ID)
	numbers := []int{it.ID, 2 * it.ID, 3 * it.ID}
	point := Point{it.ID, it.ID + 1}
	found := leaf(it, label, numbers)
	runtime.KeepAlive(label)
	runtime.KeepAlive(numbers)
	runtime.KeepAlive(&point)
	return found + point.X + point.Y
}

//go:noinline
func work(it *Item) int {
	local := *it
	found := middle(it, 4)
	runtime.KeepAlive(&local)
	return found + local.ID
}

func item(id int) *Item {
	it := &Item{
		ID: id, Name: fmt.Sprintf("item %d", id), Tags: []string{fmt.Sprint(id), "all"},
		Grid: [][]int{{id}, {id, id}}, Prices: map[string]int{"one": id}, Owners: map[int]*Owner{},
		Inbox: make(chan string, 5), Any: id, Shape: &Square{id}, Flat: Point{id, 2},
		Owner: &Owner{fmt.Sprintf("owner %d", id), "owner@example.org", shared}, When: time.Unix(int64(id), 0),
	}
	for i := 0; i < 17; i++ {
		it.Prices[fmt.Sprintf("price %d", i)] = i * id
		it.Owners[i] = &Owner{Name: fmt.Sprintf("%d of %d", i, id)}
	}
	for i := 0; i < 3; i++ { // so that the ring's contents begin in its middle
		it.Inbox <- fmt.Sprint("old ", i)
		<-it.Inbox
	}
	for i := 0; i < 4; i++ {
		it.Inbox <- fmt.Sprintf("mail %d for %d", i, id)
	}
	for i := range it.Wide {
		it.Wide[i] = &Owner{Name: fmt.Sprintf("wide %d of %d", i, id)}
	}
	it.Work = func() int { return it.ID }
	return it
}

// light has little to copy beyond its stack.
//
//go:noinline
func light(id int, name string) int {
	parked.Done()
	<-gate
	return id + len(name)
}

//go:noinline
func down(id, depth int) int {
	if depth > 0 {
		return down(id, depth-1) + 1
	}
	name := fmt.Sprint("light ", id)
	found := light(id, name)
	runtime.KeepAlive(name)
	return found
}

// large has a frame that is larger than any window, and a string and a slice that take several copies.
//
//go:noinline
func large(text string, many []Point) int {
	var frame [100_000]byte
	frame[len(text)%len(frame)] = 1
	found := down(len(many), 3)
	runtime.KeepAlive(text)
	runtime.KeepAlive(many)
	return found + int(frame[3])
}

//go:noinline
func recurse(depth int) int {
	if depth == 0 {
		parked.Done()
		<-gate
		return 0
	}
	return recurse(depth-1) + 1
}

//go:noinline
func spin(id int) (count int) {
	for {
		count += id
	}
}

func main() {
	n := flag.Int("n", 23, "goroutines with an Item")
	lights := flag.Int("light", 7, "goroutines with little to copy")
	depth := flag.Int("depth", 2000, "calls of one deep recursion; 0 for none")
	spinning := flag.Int("spin", 1, "goroutines that never stop running")
	flag.Parse()
	runtime.GOMAXPROCS(runtime.NumCPU() + *spinning)
	parked.Add(*n + *lights + 1)
	for id := 0; id < *n; id++ {
		go work(item(1000 + id))
	}
	for id := 0; id < *lights; id++ {
		go down(id, 6)
	}
	text := make([]byte, 100_000)
	for i := range text {
		text[i] = 'a' + byte(i%26)
	}
	go large(string(text), make([]Point, 10_000))
	if *depth > 0 {
		parked.Add(1)
		go recurse(*depth)
	}
	parked.Wait()
	for id := 0; id < *spinning; id++ {
		go spin(id)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		dump := make([]byte, 64<<20)
		w.Write(dump[:runtime.Stack(dump, true)])
	})
	fmt.Printf("ready {\"address\": %q}\n", listener.Addr())
	panic(http.Serve(listener, nil))
}
