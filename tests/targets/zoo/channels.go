package main

import "reflect"

//go:noinline
func channels(none, unbuffered, part, full, wrapped, closed, closedFull chan int, recvOnly <-chan string, sendOnly chan<- point, ptrs chan *point, zero chan struct{}, nested chan chan int, anys chan any, errs chan error) {
	tell("none", ref(none), "unbuffered", ref(unbuffered), "part", ref(part), "full", ref(full), "wrapped", ref(wrapped), "closed", ref(closed), "closedFull", ref(closedFull),
		"recvOnly", ref(recvOnly), "sendOnly", ref(sendOnly), "ptrs", ref(ptrs), "zero", ref(zero), "nested", ref(nested), "anys", ref(anys), "errs", ref(errs))
	stop()
	keep(none, unbuffered, part, full, wrapped, closed, closedFull, recvOnly, sendOnly, ptrs, zero, nested, anys, errs)
}

var (
	both   = make(chan string, 3)
	points = make(chan point, 2)
)

func filled(capacity int, items ...int) chan int {
	c := make(chan int, capacity)
	for _, item := range items {
		c <- item
	}
	return c
}

func startChannels() {
	wrapped := filled(4, 1, 2, 3, 4)
	<-wrapped
	<-wrapped
	<-wrapped
	wrapped <- 5
	wrapped <- 6
	closed, closedFull := make(chan int), filled(3, 8, 9)
	close(closed)
	close(closedFull)
	closedChannels[address0(closed)] = nil
	closedChannels[address0(closedFull)] = []any{ref(8), ref(9)}
	twoWay[reflect.ValueOf(both).Pointer()], twoWay[reflect.ValueOf(points).Pointer()] = reflect.ValueOf(both), reflect.ValueOf(points)
	both <- "x"
	points <- point{1, 2}
	ptrs, zero, nested, anys, errs := make(chan *point, 2), make(chan struct{}, 9), make(chan chan int, 1), make(chan any, 2), make(chan error, 1)
	ptrs <- &point{5, 6}
	ptrs <- nil
	zero <- struct{}{}
	zero <- struct{}{}
	nested <- filled(2, 1)
	anys <- "any"
	errs <- code(5)
	start(func() {
		channels(nil, make(chan int), filled(5, 1, 2), filled(2, 3, 4), wrapped, closed, closedFull, both, points, ptrs, zero, nested, anys, errs)
	})
}
