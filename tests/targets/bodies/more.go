package main

import (
	"errors"
	"fmt"
	"strings"
)

type fault struct {
	Code int
	Text string
}

func (f *fault) Error() string { return f.Text }

// empty has nobody at its other end.
var empty chan pair

type oops string

func (o oops) Error() string { return string(o) }

type state uint8

const first, second state = 1, 2

func (s state) String() string { return fmt.Sprint("s", uint8(s)) }

//go:noinline
func failing(n int) error {
	switch n % 4 {
	case 0:
		return nil
	case 1:
		return oops(text(n))
	default:
		return &fault{n, text(n)}
	}
}

//go:noinline
func worse(err error) error {
	if err == nil {
		return oops("none")
	}
	return &fault{len(err.Error()), err.Error() + "!"}
}

//go:noinline
func blamed(n int) *fault { return &fault{n, fmt.Sprint("f", n)} }

// tried returns a value or an error, as most of Go does.
//
//go:noinline
func tried(n int) (int, error) {
	if err := failing(n); err != nil {
		return n, err
	}
	return n + 2, nil
}

//go:noinline
func bytesof(n int) []byte { return []byte(text(n)) }

//go:noinline
func letter(n int) byte { return 'a' + byte(n&7) }

//go:noinline
func longer(b []byte) []byte { return append(b, letter(len(b))) }

//go:noinline
func tallied(n int) map[string]int { return map[string]int{"k": n, text(n): n + 1} }

//go:noinline
func only(n int) [1]int { return [1]int{n} }

//go:noinline
func lonely(v [1]int) [1]int { return [1]int{v[0] + 3} }

//go:noinline
func quartered(n int) [4]uint8 { return [4]uint8{uint8(n), uint8(n + 1), uint8(n * 2), uint8(n * 3)} }

//go:noinline
func rotating(v [4]uint8) [4]uint8 { return [4]uint8{v[1], v[2], v[3], v[0] + 1} }

//go:noinline
func briefly(n int) int16 { return int16(n * 1001) }

//go:noinline
func celled(n int) uint32 { return uint32(n) * 1000003 }

//go:noinline
func stated(n int) state { return state(n & 7) }

//go:noinline
func referred(n int) *int { return &n }

//go:noinline
func worded(n int) []string { return []string{text(n), text(n + 1)} }

//go:noinline
func rowed(n int) []pair { return []pair{paired(n), paired(n + 1)} }

//go:noinline
func bared(n int) struct {
	X, Y int
	Z    string
} {
	return struct {
		X, Y int
		Z    string
	}{n, n + 1, text(n)}
}

//go:noinline
func joining(words ...string) string { return strings.Join(words, "-") }

//go:noinline
func rest[T any](first T, rest ...T) (T, int) {
	if len(rest) > 0 {
		return rest[len(rest)-1], len(rest)
	}
	return first, 0
}

//go:noinline
func (p *pair) add(n int) { p.A, p.B = p.A+n, p.B+"'" }

//go:noinline
func (p pair) told(n int) string { return fmt.Sprint(p.A+n, p.B) }

//go:noinline
func as(err error, target any) bool { return errors.As(err, target) }

//go:noinline
func paths(n int) chan pair {
	found := make(chan pair, 1)
	found <- paired(n)
	return found
}

// sure has the same value for whoever asks.
//
//go:noinline
func sure(n int) chan int { return filled(n - n + 7) }

// sink takes one value.
//
//go:noinline
func sink(n int) chan int { return make(chan int, 1+n&1) }

// What follows is small enough to be inlined.

func twofold(n, m int) (int, int) {
	if n > m {
		return m, n
	}
	return n + 1, m
}

func checked(n int) (string, error) {
	s := text(n)
	if len(s) > 2 {
		return "", oops(s)
	}
	return s, nil
}

func last(rows []pair) (p pair, ok bool) {
	if len(rows) == 0 {
		return p, false
	}
	return rows[len(rows)-1], true
}

func halves[T any](s []T) (front, back []T) { return s[:len(s)/2], s[len(s)/2:] }

func divided(p pair) (a int, b string, err error) {
	a, b = p.A, p.B
	if a < 0 {
		err = oops(b)
	}
	return
}

func (f *fault) code() int {
	if f == nil {
		return 0
	}
	return f.Code
}
