package main

import (
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const magic = 0x5ca1ab1e0ddba11

//go:noinline
func here(what string, n int) { // announces, just before it blocks
	arrived.Done()
}

//go:noinline
func sends(c chan string, what string) {
	waits(c, true)
	tell("c", ref(c), "what", ref(what))
	here("send", 1)
	c <- what
	keep(c, what)
}

//go:noinline
func receives(c chan string, n int) {
	waits(c, false)
	tell("c", ref(c), "n", ref(n))
	here("receive", 1)
	got, ok := <-c
	keep(c, n, got, ok)
}

//go:noinline
func ranges(c chan string, n int) {
	waits(c, false)
	tell("c", ref(c), "n", ref(n), "got", missing{})
	here("range", 1)
	for got := range c {
		keep(got)
	}
	keep(c, n)
}

//go:noinline
func selects(a, b chan int, n int, d chan<- string) {
	waits(a, false)
	waits(b, false)
	waits(d, true)
	tell("a", ref(a), "b", ref(b), "n", ref(n))
	here("select", 1)
	select {
	case x := <-a:
		keep(x)
	case y, ok := <-b:
		keep(y, ok)
	case d <- "z":
	}
	keep(a, b, n, d)
}

//go:noinline
func selectsNone(n int) {
	tell("n", ref(n))
	here("select", 0)
	select {}
}

//go:noinline
func nilChannel(n int) {
	tell("n", ref(n))
	here("nil", 0)
	var c chan int
	<-c
	keep(n)
}

//go:noinline
func locksMutex(mu *sync.Mutex, n int) {
	tell("n", ref(n))
	here("mutex", 1)
	mu.Lock()
	defer mu.Unlock()
	keep(n)
}

//go:noinline
func locksRead(mu *sync.RWMutex, n int) {
	tell("n", ref(n))
	here("rwmutex", 1)
	mu.RLock()
	keep(mu, n)
}

//go:noinline
func locksWrite(mu *sync.RWMutex, n int) {
	tell("n", ref(n))
	here("rwmutex", 2)
	mu.Lock()
	keep(mu, n)
}

//go:noinline
func waitsCond(c *sync.Cond, n int) {
	tell("n", ref(n))
	here("cond", 1)
	c.L.Lock()
	c.Wait()
	keep(c, n)
}

//go:noinline
func waitsGroup(wg *sync.WaitGroup, n int) {
	tell("n", ref(n))
	here("waitgroup", 1)
	wg.Wait()
	keep(wg, n)
}

//go:noinline
func waitsOnce(once *sync.Once, n int) {
	tell("n", ref(n))
	here("once", 1)
	once.Do(func() { select {} })
	keep(once, n)
}

//go:noinline
func sleeps(d time.Duration, n int) {
	tell("d", ref(d), "n", ref(n))
	here("sleep", 1)
	time.Sleep(d)
	keep(d, n)
}

//go:noinline
func accepts(l net.Listener, n int) {
	tell("n", ref(n))
	here("io", 1)
	c, err := l.Accept()
	keep(c, err, n)
}

//go:noinline
func reads(r io.Reader, n int, buffer []byte) {
	tell("n", ref(n), "buffer", ref(buffer))
	here("io", 2)
	got, err := r.Read(buffer)
	keep(got, err, n, buffer)
}

//go:noinline
func readsRaw(fd int, n int, buffer []byte) {
	tell("n", ref(n), "buffer", ref(buffer), "fd", ref(fd))
	here("syscall", 1)
	got, err := syscall.Read(fd, buffer)
	keep(fd, got, err, n, buffer)
}

//go:noinline
func timed(n int) {
	done := make(chan struct{})
	timer := time.AfterFunc(time.Millisecond, func() {
		tell("n", ref(n))
		stop()
		close(done)
	})
	<-done
	keep(timer, n)
}

var spun atomic.Uint64

// spins never leaves the CPU of its own will.
//
//go:noinline
func spins(magic uint64, name string, list []int) {
	tell("magic", ref(magic), "name", ref(name), "list", ref(list))
	here("spin", 1)
	for i := 0; ; i++ {
		spun.Add(leaf(magic, name, list, i) & 1)
	}
}

//go:noinline
func leaf(magic uint64, name string, list []int, i int) uint64 {
	local := magic + 1
	arr := [4]uint64{magic, magic, magic, magic}
	if i%1000 == 0 {
		local += deeper(magic, list, &arr)
	}
	return local*uint64(len(name)) + uint64(list[i%len(list)]) + arr[i%4]
}

//go:noinline
func deeper(magic uint64, list []int, arr *[4]uint64) uint64 {
	var room [100]uint64
	for i := range room {
		room[i] = magic
	}
	return room[list[0]%100] + arr[list[1]%4]
}

// yields gives up the CPU again and again.
//
//go:noinline
func yields(magic uint64, name string, list []int) {
	tell("magic", ref(magic), "name", ref(name), "list", ref(list))
	here("yield", 1)
	for i := 0; ; i++ {
		spun.Add(leaf(magic, name, list, i) & 1)
		runtime.Gosched()
	}
}

func startWaits() {
	list := []int{3, 1, 4, 1, 5}
	blocked := make(chan string)
	start(func() { sends(blocked, "sent") })
	full := make(chan string, 1)
	full <- "in it"
	start(func() { sends(full, "sent too") })
	start(func() { receives(make(chan string), 31) })
	start(func() { ranges(make(chan string, 2), 32) })
	start(func() { selects(make(chan int), make(chan int, 1), 33, make(chan string)) })
	start(func() { selectsNone(34) })
	start(func() { nilChannel(35) })
	var mu, cmu sync.Mutex
	mu.Lock()
	start(func() { locksMutex(&mu, 36) })
	var rw, rw2 sync.RWMutex
	rw.Lock()
	rw2.RLock()
	start(func() { locksRead(&rw, 37) })
	start(func() { locksWrite(&rw2, 38) })
	start(func() { waitsCond(sync.NewCond(&cmu), 39) })
	var wg sync.WaitGroup
	wg.Add(1)
	start(func() { waitsGroup(&wg, 40) })
	var once sync.Once
	start(func() { waitsOnce(&once, 41) })
	start(func() { sleeps(time.Hour, 42) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	start(func() { accepts(l, 43) })
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	start(func() { reads(r, 44, make([]byte, 3)) })
	var fds [2]int
	if err := syscall.Pipe(fds[:]); err != nil {
		panic(err)
	}
	start(func() { readsRaw(fds[0], 45, []byte("abc")) })
	keepOpen = w
	start(func() { timed(46) })
	for i := 0; i < 3; i++ {
		start(func() { spins(magic, "busy", list) })
	}
	start(func() { yields(magic, "yielding", list) })
}

var keepOpen *os.File
