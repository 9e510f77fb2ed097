// hashing keeps goroutines in crypto/md5's assembly, which uses the frame pointer's register for its own ends: there it points
// to the digest, on the stack.
package main

import (
	"crypto/md5"
	"fmt"
	"os"
	"strconv"
)

type job struct{ ID int }

//go:noinline
func hash(j *job, text []byte) byte {
	digest := md5.Sum(text)
	return digest[j.ID]
}

func forever(j *job, text []byte) {
	for {
		hash(j, text)
	}
}

func main() {
	text := make([]byte, 64<<20)
	count, _ := strconv.Atoi(os.Args[1])
	for id := range make([]struct{}, count) {
		go forever(&job{id}, text)
	}
	fmt.Println("ready {}")
	select {}
}
