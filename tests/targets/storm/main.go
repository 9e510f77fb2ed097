// Storm never stays as it is: it starts programs (-fork), starts and ends threads (-threads), runs itself anew every so often
// (-exec), ends soon (-last), or has lost its main thread (-headless). It counts what it does in the file -counts, and says
// `ready {}`, the first time only.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

var (
	forks    = flag.Int("fork", 0, "goroutines that start a program, one after the other")
	threads  = flag.Int("threads", 0, "goroutines that start and end threads")
	again    = flag.Duration("exec", 0, "run this program anew after so long")
	last     = flag.Duration("last", 0, "end after so long")
	headless = flag.Bool("headless", false, "end the main thread")
	counts   = flag.String("counts", "", "file to count in")
)

const started = "STORM_STARTED"

func init() { runtime.LockOSThread() } // main runs on the main thread

func main() {
	flag.Parse()
	file, err := os.OpenFile(*counts, os.O_RDWR|os.O_CREATE, 0o600)
	must(err)
	must(file.Truncate(4096))
	memory, err := syscall.Mmap(int(file.Fd()), 0, 4096, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	must(err)
	done := (*uint64)(unsafe.Pointer(&memory[0]))
	go storm(done)
	if os.Getenv(started) == "" {
		fmt.Println("ready {}")
	}
	if *headless {
		syscall.RawSyscall(syscall.SYS_EXIT, 0, 0, 0)
	}
	select {}
}

func storm(done *uint64) {
	for i := 0; i < *forks; i++ {
		go func() {
			for {
				must(exec.Command("/bin/true").Run())
				atomic.AddUint64(done, 1)
			}
		}()
	}
	for i := 0; i < *threads; i++ {
		go func() {
			for {
				ended := make(chan bool)
				go func() {
					runtime.LockOSThread() // a goroutine that ends while it is locked takes its thread along
					close(ended)
				}()
				<-ended
				atomic.AddUint64(done, 1)
			}
		}()
	}
	if *last > 0 {
		time.AfterFunc(*last, func() { os.Exit(0) })
	}
	if *again > 0 {
		time.AfterFunc(*again, func() { must(syscall.Exec("/proc/self/exe", os.Args, append(os.Environ(), started+"=1"))) })
	}
	for {
		time.Sleep(time.Millisecond)
		atomic.AddUint64(done, 1)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
