// Waits has goroutines that wait for everything that Go can wait for, with labels and on threads of their own, and tells over
// HTTP what each waits for. It stands still until it is killed.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"reflect"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// wait is an operation on an object at an address; nil channels have none.
type wait struct {
	Operation string `json:"operation"`
	Object    string `json:"object"`
	Address   string `json:"address"`
}

// row is what a goroutine says of itself just before it blocks.
type row struct {
	Name        string            `json:"name"`
	GoroutineID int               `json:"goroutine_id"`
	Waits       []wait            `json:"waits"`
	Labels      map[string]string `json:"labels"`
	Line        int               `json:"line"`
	Locked      int               `json:"locked_tid"`
	Thread      int               `json:"tid"`
	CPU         int               `json:"cpu"`
}

var (
	mu      sync.Mutex
	rows    []*row
	arrived sync.WaitGroup
	spun    atomic.Uint64
)

func goroutine() int {
	var head [64]byte
	number, err := strconv.Atoi(strings.Fields(string(head[:runtime.Stack(head[:], false)]))[1])
	if err != nil {
		panic(err)
	}
	return number
}

func on(operation, object string, address any) wait {
	return wait{operation, object, fmt.Sprintf("%p", address)}
}

func receive(c any) wait { return on("receive", "chan", c) }
func send(c any) wait    { return on("send", "chan", c) }

// start runs f in a goroutine that says what it is going to wait for.
func start(name string, f func(), waits ...wait) *row {
	found := &row{Name: name, Waits: waits, CPU: -1}
	arrived.Add(1)
	_, _, line, _ := runtime.Caller(0)
	go begin(found, f) // one line below
	found.Line = line + 1
	return found
}

func begin(found *row, f func()) {
	found.GoroutineID = goroutine()
	mu.Lock()
	rows = append(rows, found)
	mu.Unlock()
	arrived.Done()
	f()
}

func startChannels() {
	a, b, c, d := make(chan int), make(chan string, 1), make(chan struct{}), make(chan *int, 3)
	b <- "full"
	start("receive", func() { <-a }, receive(a))
	for i := 0; i < 3; i++ {
		start("send", func() { b <- "more" }, send(b))
	}
	start("range", func() {
		for range c {
		}
	}, receive(c))
	start("timer", func() { <-time.After(time.Hour) })
	start("select", func() {
		select {
		case <-a:
		case b <- "either":
		case v, ok := <-d:
			_, _ = v, ok
		}
	}, receive(a), send(b), receive(d))
	both := make(chan int)
	start("both", func() {
		select {
		case <-both:
		case both <- 1:
		case <-both:
		}
	}, receive(both), send(both), receive(both))
	var none chan int
	start("some nil", func() {
		select {
		case <-none:
		case <-c:
		case none <- 1:
		}
	}, receive(c))
	start("nil receive", func() { <-none }, wait{"receive", "chan", ""})
	start("nil send", func() { none <- 1 }, wait{"send", "chan", ""})
	start("nothing", func() { select {} })
	var cases []reflect.SelectCase
	var waits []wait
	for i := 0; i < 300; i++ {
		each := make(chan int)
		if i%3 == 0 {
			cases = append(cases, reflect.SelectCase{Dir: reflect.SelectSend, Chan: reflect.ValueOf(each), Send: reflect.ValueOf(i)})
			waits = append(waits, send(each))
		} else {
			cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(each)})
			waits = append(waits, receive(each))
		}
	}
	start("many", func() { reflect.Select(cases) }, waits...)
	crowd := make(chan int)
	for i := 0; i < 50; i++ {
		start("crowd", func() {
			select {
			case <-crowd:
			case <-c:
			}
		}, receive(crowd), receive(c))
	}
}

type locks struct {
	pad   [3]uint64
	mu    sync.Mutex
	rw    sync.RWMutex
	read  sync.RWMutex
	group sync.WaitGroup
	quiet sync.Mutex
	cond  *sync.Cond
	once  sync.Once
}

func lock(l sync.Locker, kind string) (string, func(), wait) {
	return kind + " lock", l.Lock, on("lock", kind, l)
}

func startLocks() {
	l := &locks{}
	l.cond = sync.NewCond(&l.quiet)
	l.mu.Lock()
	l.rw.Lock()
	l.read.RLock()
	l.group.Add(1)
	name, f, waits := lock(&l.mu, "sync.Mutex")
	for i := 0; i < 3; i++ {
		start(name, f, waits)
	}
	start("deferred", func() {
		func() {
			defer l.mu.Lock()
		}()
	}, on("lock", "sync.Mutex", &l.mu))
	for i := 0; i < 3; i++ {
		start("readers", l.rw.RLock, on("rlock", "sync.RWMutex", &l.rw))
	}
	start("locker", l.rw.RLocker().Lock, on("rlock", "sync.RWMutex", &l.rw))
	for i := 0; i < 3; i++ { // the first waits for the reader, the others for the first
		name, f, waits := lock(&l.read, "sync.RWMutex")
		start(name, f, waits)
	}
	start("group", l.group.Wait, on("wait", "sync.WaitGroup", &l.group))
	for i := 0; i < 2; i++ {
		start("cond", func() {
			l.quiet.Lock()
			l.cond.Wait()
		}, on("wait", "sync.Cond", l.cond))
	}
	running := make(chan bool)
	go l.once.Do(func() {
		close(running)
		select {}
	})
	<-running
	start("once", func() { l.once.Do(func() {}) })
	var once sync.Once
	start("once of a lock", func() { once.Do(l.mu.Lock) }, on("lock", "sync.Mutex", &l.mu))
}

func startLabels() {
	gate := make(chan int)
	with := func(name string, labels map[string]string, pairs ...string) {
		start(name, func() {
			pprof.Do(context.Background(), pprof.Labels(pairs...), func(context.Context) { <-gate })
		}, receive(gate)).Labels = labels
	}
	with("labels", map[string]string{"user": "Ada", "request": "żółć \"7\""}, "user", "Ada", "request", "żółć \"7\"")
	with("empty label", map[string]string{"": ""}, "", "")
	start("inner labels", func() {
		ctx := pprof.WithLabels(context.Background(), pprof.Labels("outer", "1", "both", "2"))
		pprof.Do(ctx, pprof.Labels("both", "3", "inner", strings.Repeat("x", 300)), func(context.Context) {
			inherits := start("inherited", func() { <-gate }, receive(gate))
			inherits.Labels = map[string]string{"outer": "1", "both": "3", "inner": strings.Repeat("x", 300)}
			<-gate
		})
	}, receive(gate)).Labels = map[string]string{"outer": "1", "both": "3", "inner": strings.Repeat("x", 300)}
	start("labels taken back", func() {
		pprof.Do(context.Background(), pprof.Labels("gone", "1"), func(context.Context) {})
		<-gate
	}, receive(gate))
	shared := pprof.WithLabels(context.Background(), pprof.Labels("shared", "yes"))
	for i := 0; i < 100; i++ {
		start("shared labels", func() {
			pprof.SetGoroutineLabels(shared)
			<-gate
		}, receive(gate)).Labels = map[string]string{"shared": "yes"}
	}
}

// startThreads has goroutines that locked themselves to a thread: one that waits, one in a system call, one that runs on the CPU
// that its thread may run on.
func startThreads() {
	gate := make(chan int)
	ready := make(chan bool)
	given := make(chan *row)
	given <- start("locked", func() {
		own := <-given // it may run before start has returned
		runtime.LockOSThread()
		own.Locked = syscall.Gettid()
		ready <- true
		<-gate
	}, receive(gate))
	<-ready
	var fds [2]int
	if err := syscall.Pipe(fds[:]); err != nil {
		panic(err)
	}
	given <- start("calling", func() {
		own := <-given
		runtime.LockOSThread()
		own.Locked, own.Thread = syscall.Gettid(), syscall.Gettid()
		ready <- true
		_, _ = syscall.Read(fds[0], make([]byte, 1))
	})
	<-ready
	cpus := allowed()
	given <- start("running", func() {
		own := <-given
		runtime.LockOSThread()
		own.Locked, own.Thread, own.CPU = syscall.Gettid(), syscall.Gettid(), cpus[len(cpus)-1]
		pin(own.CPU)
		ready <- true
		for {
			spun.Add(1)
		}
	})
	<-ready
}

type mask [16]uint64

// allowed are the CPUs that this process may use.
func allowed() []int {
	var set mask
	if _, _, err := syscall.RawSyscall(syscall.SYS_SCHED_GETAFFINITY, 0, unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set))); err != 0 {
		panic(err)
	}
	var found []int
	for cpu := 0; cpu < 64*len(set); cpu++ {
		if set[cpu/64]>>(cpu%64)&1 != 0 {
			found = append(found, cpu)
		}
	}
	return found
}

func pin(cpu int) {
	var set mask
	set[cpu/64] = 1 << (cpu % 64)
	if _, _, err := syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set))); err != 0 {
		panic(err)
	}
}

// startFinalizer has the runtime's own goroutine call a function of ours that does not return.
func startFinalizer() {
	entered := make(chan bool)
	finalize := make(chan int)
	func() {
		garbage := &[100]int{}
		runtime.SetFinalizer(garbage, func(*[100]int) {
			mu.Lock()
			rows = append(rows, &row{Name: "finalizer", GoroutineID: goroutine(), Waits: []wait{receive(finalize)}, CPU: -1})
			mu.Unlock()
			entered <- true
			<-finalize
		})
	}()
	for {
		runtime.GC()
		select {
		case <-entered:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

func stacks() string {
	buffer := make([]byte, 16<<20)
	return string(buffer[:runtime.Stack(buffer, true)])
}

func main() {
	startChannels()
	startLocks()
	startLabels()
	startThreads()
	arrived.Wait()
	startFinalizer()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/stack", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, stacks()) })
	http.HandleFunc("/profile", func(w http.ResponseWriter, _ *http.Request) { _ = pprof.Lookup("goroutine").WriteTo(w, 1) })
	http.HandleFunc("/leaks", func(w http.ResponseWriter, _ *http.Request) {
		if leaks := pprof.Lookup("goroutineleak"); leaks != nil { // Go 1.27, or 1.26 with GOEXPERIMENT
			_ = leaks.WriteTo(w, 1)
		}
	})
	http.HandleFunc("/truth", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		_ = json.NewEncoder(w).Encode(rows)
	})
	time.Sleep(100 * time.Millisecond) // for those that announce themselves just before they block
	fmt.Printf("ready {\"address\": %q}\n", listener.Addr())
	server := &http.Server{}
	server.SetKeepAlivesEnabled(false)
	panic(server.Serve(listener))
}
