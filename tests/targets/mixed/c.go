//go:build cgo

package main

// long blocked(void);
// void block_in_c(int fd);
// void through_c(long id);
import "C"

func blockInC(fd int) { C.block_in_c(C.int(fd)) }

func throughC(id int) { C.through_c(C.long(id)) }

func blockedInC() int { return int(C.blocked()) }

//export backInGo
func backInGo(id C.long) C.long {
	return C.long(calledBack(int(id), newRequest(int(id))))
}
