// Readv reads pieces of another process's memory by process_vm_readv(2), 1024 pieces a call, and says how long it took: the
// floor under any capture that must read the same bytes. `readv PID FILE RUNS`: FILE has the address and the size of each
// piece, as two little-endian uint64. It answers the nanoseconds of each run, and the bytes, as a line of JSON.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const (
	batch = 1024
	// processVMReadv is its number on amd64; package syscall does not have it.
	processVMReadv = 310
)

// iovec is struct iovec (process_vm_readv(2)).
type iovec struct{ base, size uint64 }

func number(text string) int {
	found, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return found
}

func main() {
	pid, runs := number(os.Args[1]), number(os.Args[3])
	list, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	remote := make([]iovec, len(list)/16)
	total := uint64(0)
	for i := range remote {
		piece := list[16*i:]
		remote[i] = iovec{binary.LittleEndian.Uint64(piece), binary.LittleEndian.Uint64(piece[8:])}
		total += remote[i].size
	}
	into := make([]byte, total+1)
	for at := 0; at < len(into); at += 4096 { // so that no page of ours is touched for the first time
		into[at] = 1
	}
	local := make([]iovec, len(remote))
	at := uint64(0)
	for i := range local {
		local[i] = iovec{uint64(uintptr(unsafe.Pointer(&into[at]))), remote[i].size}
		at += remote[i].size
	}
	runtime.LockOSThread()
	var times []int64
	var copied uint64
	for run := 0; run < runs; run++ {
		copied = 0
		began := time.Now()
		for from := 0; from < len(remote); from += batch {
			size := min(batch, len(remote)-from)
			n, _, code := syscall.RawSyscall6(
				processVMReadv, uintptr(pid),
				uintptr(unsafe.Pointer(&local[from])), uintptr(size), uintptr(unsafe.Pointer(&remote[from])), uintptr(size), 0,
			)
			if code != 0 {
				panic(code)
			}
			copied += uint64(n)
		}
		times = append(times, time.Since(began).Nanoseconds())
	}
	if copied != total {
		panic(fmt.Sprintf("%d of %d bytes", copied, total))
	}
	runtime.KeepAlive(into)
	json.NewEncoder(os.Stdout).Encode(map[string]any{"ns": times, "bytes": total, "pieces": len(remote)})
}
