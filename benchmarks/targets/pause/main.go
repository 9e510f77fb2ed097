// Pause has -n goroutines that wait at a channel, ten frames deep, each with objects of its own, and one thread that reads
// the clock without end: the longest time between two readings is how long the program stood still, as it sees it.
//
// It reads commands from standard input, a line each, and answers each with a line of JSON:
//
//	gap           the longest gap since the last `gap`, when it began, and the sum of all that are longer than 20 us
//	stack         runtime.Stack of all goroutines, into a buffer that is there already
//	pprof         the same, by pprof.Lookup("goroutine") with debug=2
//	objects FILE  write the address and the size of every object, as two little-endian uint64 each
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"sync"
	"time"
	"unsafe"
)

type User struct {
	Name string
	Mail string
}

type Item struct {
	Name  string
	Size  int64
	Owner *User
	Tags  []string
	Notes [4]int64
}

var (
	gate    = make(chan struct{})
	arrived sync.WaitGroup
)

//go:noinline
func wait() {
	arrived.Done()
	<-gate
}

// descend is what a server has between its connection and the work: frames of some hundred bytes.
//
//go:noinline
func descend(level, id int, it *Item) int {
	var scratch [12]int
	scratch[level] = id
	if level == 0 {
		return works[id%len(works)](id, it) + scratch[id%len(scratch)]
	}
	return descend(level-1, id, it) + scratch[id%len(scratch)]
}

func serve(id int, items []*Item) {
	it := &Item{
		Name:  fmt.Sprintf("item %d of many", id),
		Size:  int64(id) * 10,
		Owner: &User{Name: fmt.Sprintf("user %d", id), Mail: fmt.Sprintf("user%d@example.org", id)},
	}
	it.Tags = []string{fmt.Sprintf("tag %d", id), "common"}
	items[id] = it
	descend(4, id, it)
}

// objects are the address and the size of all that `id, it.Name, it.Size, it.Owner.Mail, it.Tags` reads.
func objects(path string, items []*Item) int {
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	out, count := bufio.NewWriter(file), 0
	put := func(at unsafe.Pointer, size uintptr) {
		count++
		binary.Write(out, binary.LittleEndian, [2]uint64{uint64(uintptr(at)), uint64(size)})
	}
	text := func(s string) { put(unsafe.Pointer(unsafe.StringData(s)), uintptr(len(s))) }
	for _, it := range items {
		put(unsafe.Pointer(it), unsafe.Offsetof(it.Notes))
		text(it.Name)
		put(unsafe.Pointer(&it.Owner.Mail), unsafe.Sizeof(it.Owner.Mail))
		text(it.Owner.Mail)
		put(unsafe.Pointer(&it.Tags[0]), uintptr(len(it.Tags))*unsafe.Sizeof(it.Name))
		text(it.Tags[0])
	}
	if out.Flush() != nil || file.Close() != nil {
		panic("cannot write " + path)
	}
	return count
}

func answer(fields map[string]any) {
	text, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

type counting struct{ bytes int }

func (c *counting) Write(p []byte) (int, error) {
	c.bytes += len(p)
	return len(p), nil
}

func main() {
	n := flag.Int("n", 1000, "goroutines that wait")
	flag.Parse()
	debug.SetGCPercent(-1) // nothing but what is measured shall stop this program
	runtime.GOMAXPROCS(4)
	items := make([]*Item, *n)
	arrived.Add(*n)
	for id := 0; id < *n; id++ {
		go serve(id, items)
	}
	arrived.Wait()
	go clock.run()
	fmt.Printf("ready {\"goroutines\": %d}\n", runtime.NumGoroutine())
	var dump []byte
	commands := bufio.NewScanner(os.Stdin)
	for commands.Scan() {
		word, argument, _ := strings.Cut(commands.Text(), " ")
		began := time.Now()
		switch word {
		case "gap":
			longest, at, total := clock.take()
			answer(map[string]any{"longest_ns": longest, "began_ns": at, "total_ns": total})
		case "stack":
			if dump == nil {
				dump = make([]byte, *n*2000+1<<20)
				for at := 0; at < len(dump); at += 4096 {
					dump[at] = 1
				}
				clock.take()
				began = time.Now()
			}
			size := runtime.Stack(dump, true)
			answer(map[string]any{"wall_ns": time.Since(began).Nanoseconds(), "bytes": size, "whole": size < len(dump)})
		case "pprof":
			var out counting
			pprof.Lookup("goroutine").WriteTo(&out, 2)
			answer(map[string]any{"wall_ns": time.Since(began).Nanoseconds(), "bytes": out.bytes})
		case "objects":
			answer(map[string]any{"objects": objects(argument, items)})
		default:
			panic("unknown command " + word)
		}
	}
}
