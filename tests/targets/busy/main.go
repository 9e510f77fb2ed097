// Busy keeps several threads at work and counts what they do, and every signal that reaches it. It reports on request:
// `GET /` on the address that it announces answers {"progress", "signals", "threads"}, and `GET /exec` starts it anew in the same process.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"sync/atomic"
	"syscall"
	"time"
)

var progress, signals atomic.Int64

func spin() {
	for {
		for range make([]struct{}, 1000) {
			progress.Add(1)
		}
		runtime.Gosched()
	}
}

// threads starts and ends threads all the time: a goroutine that ends while it is locked takes its thread along.
func threads() {
	for {
		done := make(chan bool)
		go func() {
			runtime.LockOSThread()
			close(done)
		}()
		<-done
		time.Sleep(time.Millisecond)
	}
}

func countSignals(seen chan os.Signal) {
	for received := range seen {
		if received != syscall.SIGURG { // the runtime's own, to preempt goroutines
			signals.Add(1)
		}
	}
}

func main() {
	for range make([]struct{}, 3) {
		go spin()
	}
	go threads()
	seen := make(chan os.Signal, 1000)
	signal.Notify(seen)
	go countSignals(seen)
	for number := range make([]struct{}, 7) {
		go func(number int) { select {} }(number)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]int64{
			"progress": progress.Load(), "signals": signals.Load(), "threads": int64(pprof.Lookup("threadcreate").Count()),
		})
	})
	http.HandleFunc("/exec", func(http.ResponseWriter, *http.Request) {
		panic(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
	})
	fmt.Printf("ready {\"address\": %q}\n", listener.Addr())
	panic(http.Serve(listener, nil))
}
