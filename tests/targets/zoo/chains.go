package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
)

// links is how many contexts and errors stand one behind the other.
const links = 60

type key string

// tagged is a context by value; own is one by pointer.
type tagged struct {
	context.Context
	tag string
}

type own struct {
	context.Context
	at *point
}

// fault is an error by value, with a pointer of its own.
type fault struct {
	cause error
	at    *point
}

func (f fault) Error() string { return "fault" }
func (f fault) Unwrap() error { return f.cause }

// single is an error that is one pointer.
type single struct{ *fault }

// chains are behind a pointer, where no optimization takes an interface apart.
type chains struct {
	ctx, background, none context.Context
	err, joined           error
	kinds                 []any
}

//go:noinline
func chained(c *chains) {
	tell("c", ref(c), "c.ctx", &c.ctx, "c.background", &c.background, "c.none", &c.none, "c.err", &c.err, "c.joined", &c.joined, "c.kinds", &c.kinds)
	stop()
	keep(c)
}

func startChains() {
	ctx, cancels := context.Background(), []any{}
	for i := 0; i < links-2; i++ {
		switch i % 4 {
		case 0:
			ctx = context.WithValue(ctx, key(fmt.Sprint("k", i)), i)
		case 1:
			next, cancel := context.WithCancel(ctx)
			ctx, cancels = next, append(cancels, cancel)
		case 2:
			next, cancel := context.WithCancelCause(ctx)
			ctx, cancels = next, append(cancels, cancel)
		default:
			ctx = context.WithValue(ctx, i, "text")
		}
	}
	ctx = tagged{&own{ctx, &point{1, 2}}, "by value"}
	err := error(&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", errors.ErrUnsupported)})
	for i := 0; i < links-4; i++ {
		switch i % 4 {
		case 0:
			err = fmt.Errorf("level %d: %w", i, err)
		case 1:
			err = fault{err, &point{int32(i), 0}}
		case 2:
			err = &fault{err, &point{int32(i), 1}}
		default:
			err = single{&fault{err, nil}}
		}
	}
	joined := errors.Join(fmt.Errorf("one: %w", os.ErrNotExist), fmt.Errorf("two: %w and %w", code(2), err))
	kinds := []any{key(""), tagged{}, &own{}, fault{}, &fault{}, single{&fault{}}} // a snapshot learns them in one go
	start(func() { chained(&chains{ctx, context.Background(), nil, err, joined, kinds}) })
	keepAlive = append(keepAlive, cancels...)
}

var keepAlive []any
