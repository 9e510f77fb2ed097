package main

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

// goroutineID reads the caller's id where Go shows it: in its own traceback.
func goroutineID() int64 {
	head := make([]byte, 64)
	head = head[:runtime.Stack(head, false)]
	id, err := strconv.ParseInt(string(bytes.Fields(head)[1]), 10, 64)
	if err != nil {
		panic(fmt.Sprintf("traceback begins with %q", head))
	}
	return id
}

// allStacks is the traceback of every goroutine, whole.
func allStacks() string {
	for size := 1 << 20; ; size *= 2 {
		text := make([]byte, size)
		if n := runtime.Stack(text, true); n < size {
			return string(text[:n])
		}
	}
}

// withoutDebug drops the goroutines that serve /debug requests, which are gone
// by the time anyone compares the text with a capture.
func withoutDebug(text string) string {
	var kept []string
	for _, block := range strings.Split(text, "\n\n") {
		if !strings.Contains(block, "net/http.(*conn).serve") && !strings.Contains(block, "net/http.(*connReader)") {
			kept = append(kept, strings.TrimRight(block, "\n"))
		}
	}
	return strings.Join(kept, "\n\n") + "\n"
}

// goroutineStack is one goroutine of a traceback.
type goroutineStack struct {
	state     string // "select", "IO wait", "running", ...
	functions []string
}

func parseStacks(text string) []goroutineStack {
	var all []goroutineStack
	for _, block := range strings.Split(text, "\n\n") {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		_, state, _ := strings.Cut(strings.TrimSuffix(lines[0], "]:"), "[")
		state, _, _ = strings.Cut(state, ",")
		g := goroutineStack{state: state}
		for _, line := range lines[1:] {
			end := strings.LastIndexByte(line, '(')
			if end > 0 && line[0] != '\t' && !strings.HasPrefix(line, "created by ") {
				g.functions = append(g.functions, line[:end])
			}
		}
		all = append(all, g)
	}
	return all
}

// blockedIn counts, for each function, the goroutines that are inside it and
// blocked in the given state; those in it in any other state count as moving.
func blockedIn(stacks []goroutineStack, wanted map[string]string) (blocked, moving map[string]int) {
	blocked, moving = map[string]int{}, map[string]int{}
	for _, g := range stacks {
		for _, function := range g.functions {
			state, ok := wanted[function]
			switch {
			case !ok:
			case strings.Contains(state, g.state):
				blocked[function]++
			default:
				moving[function]++
			}
		}
	}
	return blocked, moving
}
