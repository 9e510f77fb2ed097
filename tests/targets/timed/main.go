// Timed waits an hour in system calls that the kernel takes up again by another one (restart_syscall) when they are broken off, and
// tells of each that answers EINTR instead: "broken off: nanosleep".
package main

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

const hour = 3600

func wait(name string, call func() syscall.Errno) {
	runtime.LockOSThread()
	for {
		if err := call(); err == syscall.EINTR {
			fmt.Println("broken off:", name)
		} else {
			fmt.Println("ended:", name, err)
		}
	}
}

func nanosleep() syscall.Errno {
	left := syscall.Timespec{Sec: hour}
	_, _, err := syscall.Syscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&left)), 0, 0)
	return err
}

func poll() syscall.Errno {
	_, _, err := syscall.Syscall(syscall.SYS_POLL, 0, 0, hour*1000)
	return err
}

func main() {
	go wait("nanosleep", nanosleep)
	go wait("poll", poll)
	fmt.Println("ready {}")
	select {}
}
