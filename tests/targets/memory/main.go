// Memory is an empty house for made-up processes: it maps the addresses [first, last) and waits. Tests lay memory out in
// it through /proc/PID/mem.
package main

import (
	"flag"
	"fmt"
	"os"
	"syscall"
)

func main() {
	first := flag.Uint64("first", 0, "first address")
	last := flag.Uint64("last", 0, "end of the addresses")
	flag.Parse()
	const fixed = 0x100000 // MAP_FIXED_NOREPLACE
	flags := uintptr(syscall.MAP_PRIVATE | syscall.MAP_ANON | fixed)
	protection := uintptr(syscall.PROT_READ | syscall.PROT_WRITE)
	at, _, failed := syscall.Syscall6(
		syscall.SYS_MMAP, uintptr(*first), uintptr(*last-*first), protection, flags, ^uintptr(0), 0)
	if failed != 0 || uint64(at) != *first {
		fmt.Fprintln(os.Stderr, "mmap:", failed)
		os.Exit(1)
	}
	fmt.Println("ready {}")
	for {
		syscall.Pause()
	}
}
