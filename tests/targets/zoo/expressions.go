package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"
	"time"
)

type (
	nameKey   string
	numberKey uint8
	emptyKey  struct{}
	boxedKey  struct{ name string }
	unusedKey struct{}
)

const (
	firstKey numberKey = iota + 2
	requestKey
)

var pointerKey = &boxedKey{"pointer"}

type user struct {
	Name  string
	Roles []string
	Boss  *user
	Attrs map[string]any
}

// requestContext is a context of the program's own.
type requestContext struct {
	context.Context
	id int
}

//go:noinline
func elements(args []any, names []string, text string, raw []byte, grid [3][2]int, points []point, ptrs []*point, none []int, deep [][]string, atGrid *[3][2]int) (at *point) {
	at = ptrs[1]
	tell("args[0]", ref(args[0]), "args[3]", ref(args[3]), "args[4]", missing{}, "args[:2]", ref(args[:2]), "args[2:]", ref(args[2:]), "args[1:3]", ref(args[1:3]),
		"names[2]", ref(names[2]), "names[1:2]", ref(names[1:2]), "names[:100]", ref(names), "names[7:]", ref(names[:0]), "names[1][2:4]", ref(names[1][2:4]), "names[0][1]", ref(names[0][1]),
		"text[3:9]", ref(text[3:9]), "text[:]", ref(text), "text[0]", ref(text[0]), "text[100]", missing{}, "raw[2:]", ref(raw[2:]), "raw[1]", ref(raw[1]), "raw[:2]", ref(raw[:2]),
		"grid[1]", ref(grid[1]), "grid[2][1]", ref(grid[2][1]), "grid[1:]", ref([2][2]int{grid[1], grid[2]}), "atGrid[2][0]", ref(atGrid[2][0]),
		"points[1].Y", ref(points[1].Y), "points[5].Y", missing{}, "ptrs[0].X", ref(ptrs[0].X), "ptrs[2].X", missing{}, "(*ptrs[0]).Y", ref(ptrs[0].Y), "none[0]", missing{}, "none[:1]", ref(none),
		"deep[1][0]", ref(deep[1][0]), "deep[0][:1]", ref(deep[0][:1]), "len(args)", ref(len(args)), "cap(names)", ref(cap(names)), "len(text)", ref(len(text)), "len(none)", ref(len(none)),
		"len(deep[1])", ref(len(deep[1])), "len(names[1])", ref(len(names[1])), "cap(raw)", ref(cap(raw)))
	stop()
	keep(args, names, text, raw, grid, points, ptrs, none, deep, atGrid)
	return at
}

//go:noinline
func lookups(m map[string]int, byID map[int64]*point, flags map[bool]string, byName map[nameKey]pair, anyKeys map[any]string, big map[string]wide, none map[string]int,
	large map[int]string, floats map[float64]int, small map[uint8]string, nested map[string]map[int][]string, users map[string]user, rounds map[string][]*user, long map[string]string) {
	tell(`m["one"]`, ref(m["one"]), `m["two"]`, ref(m["two"]), `m["three"]`, missing{}, `m[""]`, ref(m[""]), "byID[7].X", ref(byID[7].X), "byID[-9]", ref(byID[-9]), "byID[8].X", missing{}, "byID[10].X", missing{},
		"flags[true]", ref(flags[true]), "flags[false]", ref(flags[false]), `byName["b"]`, ref(byName["b"]), `byName["b"].B`, ref(byName["b"].B), `anyKeys["1"]`, ref(anyKeys["1"]), "anyKeys[1]", ref(anyKeys[1]), "anyKeys[2.5]", ref(anyKeys[2.5]), "anyKeys[true]", ref(anyKeys[true]), "anyKeys[3]", missing{},
		`big["w"]`, ref(big["w"]), `big["w"][39]`, ref(big["w"][39]), `none["x"]`, missing{}, "large[34693]", ref(large[34693]), "large[-300]", ref(large[-300]), "large[2]", missing{}, "floats[0.5]", ref(floats[0.5]), "floats[2]", ref(floats[2]),
		"small[200]", ref(small[200]), `nested["a"][1][0]`, ref(nested["a"][1][0]), `nested["a"][2]`, ref(nested["a"][2]), `len(nested["a"])`, ref(len(nested["a"])), `len(nested["z"])`, missing{}, `users["bo"].Boss.Name`, ref(users["bo"].Boss.Name), `users["bo"].Roles[1:]`, ref(users["bo"].Roles[1:]),
		`rounds["r"][1].Name`, ref(rounds["r"][1].Name), "len(m)", ref(len(m)), "len(none)", ref(len(none)), "len(large)", ref(len(large)), `long["key-123456"]`, ref(long["key-123456"]), `long["key-999999"]`, missing{})
	stop()
	keep(m, byID, flags, byName, anyKeys, big, none, large, floats, small, nested, users, rounds, long)
}

//go:noinline
func boxes(err, wrapped, plain, nilError, typedNil error, v any, number any, mapped any, boxed atomic.Value, c chan string, noChan chan int, u *user, f func()) {
	tell("err.(*net.OpError).Op", ref(err.(*net.OpError).Op), "err.Op", ref(err.(*net.OpError).Op), "err.Err.Error", missing{}, "err.(*net.OpError).Err.(*main.boxError).Code", ref(err.(*net.OpError).Err.(*boxError).Code), "err.Err.Code", ref(err.(*net.OpError).Err.(*boxError).Code),
		"wrapped.msg", ref(wrapped.Error()), "wrapped.err.Op", ref(err.(*net.OpError).Op), "plain.s", ref(plain.Error()), "plain.Op", missing{}, "plain.(*net.OpError)", missing{}, "nilError.Op", missing{}, "typedNil.Op", missing{},
		"v.Name", ref(v.(user).Name), "v.(user).Roles[0]", missing{}, "v.(main.user).Roles[0]", ref(v.(user).Roles[0]), "v.Boss.Name", ref(v.(user).Boss.Name), `v.(main.user).Attrs["age"].(int)`, ref(v.(user).Attrs["age"].(int)), `v.Attrs["age"]`, ref(v.(user).Attrs["age"]), "number.(int)", ref(number.(int)), "number.(uint)", missing{},
		`mapped["k"]`, ref(mapped.(map[string]int)["k"]), `mapped.(map[string]int)["k"]`, ref(mapped.(map[string]int)["k"]), "len(mapped)", ref(len(mapped.(map[string]int))), "boxed.v.X", ref(boxed.Load().(*point).X), "boxed.X", ref(boxed.Load().(*point).X),
		"len(c)", ref(len(c)), "cap(c)", ref(cap(c)), "len(noChan)", ref(0), "cap(noChan)", ref(0), "u.__addr", ref(fmt.Sprintf("%p", u)), "u.Boss.__addr", ref(any(nil)), "c.__addr", ref(fmt.Sprintf("%p", c)), "u.Attrs.__addr", ref(any(nil)), "mapped.__addr", ref(fmt.Sprintf("%p", mapped)),
		"err.__addr", ref(fmt.Sprintf("%p", err)), "u.Roles.__addr", ref(fmt.Sprintf("%p", u.Roles)))
	stop()
	keep(err, wrapped, plain, nilError, typedNil, v, number, mapped, c, noChan, u, f)
}

type boxError struct{ Code int }

func (e *boxError) Error() string { return "code " + strconv.Itoa(e.Code) }

//go:noinline
func contexts(ctx, own, background context.Context) {
	tell("ctx.Value(main.emptyKey)", ref(ctx.Value(emptyKey{})), "ctx.Value(main.emptyKey{})", ref(ctx.Value(emptyKey{})), `ctx.Value(main.nameKey("user")).(*main.user).Name`, ref(ctx.Value(nameKey("user")).(*user).Name), `ctx.Value(main.nameKey("user")).Roles`, ref(ctx.Value(nameKey("user")).(*user).Roles),
		`ctx.Value(main.nameKey("none"))`, missing{}, `ctx.Value("user")`, ref(ctx.Value("user")), "ctx.Value(main.numberKey(3))", ref(ctx.Value(numberKey(3))), "ctx.Value(main.numberKey(4))", missing{}, "ctx.Value(main.requestKey)", ref(ctx.Value(requestKey)), "ctx.Value(main.firstKey)", missing{}, "ctx.Value(main.pointerKey)", ref(ctx.Value(pointerKey)), "ctx.Value(*main.user).Name", ref(ctx.Value(nameKey("user")).(*user).Name),
		`own.Value(main.nameKey("user")).Name`, ref(own.Value(nameKey("user")).(*user).Name), "own.id", ref(own.(*requestContext).id), `background.Value("user")`, missing{}, "ctx.Value(7)", ref(ctx.Value(7)))
	stop()
	keep(ctx, own, background)
}

func startExpressions() {
	p := &point{1, 2}
	boss := &user{Name: "Ada", Roles: []string{"root"}}
	bo := user{"Bo", []string{"dev", "ops", "on call"}, boss, map[string]any{"age": 42, "tags": []string{"x"}}}
	large, long := map[int]string{}, map[string]string{}
	for i := 0; i < 5000; i++ {
		large[i*7-300] = fmt.Sprint("v", i)
		long[fmt.Sprintf("key-%06d", i*12+3456)] = fmt.Sprint("w", i)
	}
	long["key-123456"] = "found"
	names := append(make([]string, 0, 9), "nul", "zażółć", "drei")
	start(func() {
		elements([]any{1, "two", 3.5, p}, names, "0123456789ABC", []byte("bytes"), [3][2]int{{1, 2}, {3, 4}, {5, 6}}, []point{{1, 2}, {3, 4}}, []*point{p, {5, 6}, nil}, nil,
			[][]string{{"a", "b"}, {"c"}}, &[3][2]int{{7, 8}, {9, 10}, {11, 12}})
	})
	start(func() {
		lookups(map[string]int{"one": 1, "two": 2, "": 9}, map[int64]*point{7: p, -9: {3, 4}, 8: nil}, map[bool]string{true: "yes", false: "no"}, map[nameKey]pair{"a": {"x", 1}, "b": {"y", 2}},
			map[any]string{1: "int", "1": "string", 2.5: "float", true: "bool", nameKey("1"): "named", int8(3): "int8"}, map[string]wide{"w": {39: 2}, "v": {1: 7}}, nil, large, map[float64]int{0.5: 5, 2: 20},
			map[uint8]string{200: "u8"}, map[string]map[int][]string{"a": {1: {"x"}, 2: nil}}, map[string]user{"bo": bo}, map[string][]*user{"r": {boss, &bo}}, long)
	})
	start(func() {
		var none *net.OpError
		err := &net.OpError{Op: "dial", Net: "tcp", Err: &boxError{111}}
		c := make(chan string, 5)
		c <- "x"
		var held atomic.Value
		held.Store(p)
		boxes(err, fmt.Errorf("wrapped: %w", err), fmt.Errorf("plain"), nil, none, bo, 77, map[string]int{"k": 5}, held, c, nil, boss, startExpressions)
	})
	start(func() {
		ctx, cancel := context.WithCancel(context.WithValue(context.Background(), nameKey("user"), boss))
		defer cancel()
		ctx = context.WithValue(context.WithValue(ctx, emptyKey{}, 5), "user", "by text")
		ctx, stopTimer := context.WithTimeout(context.WithValue(ctx, numberKey(3), []int{1, 2}), time.Hour)
		defer stopTimer()
		ctx = context.WithValue(context.WithValue(ctx, pointerKey, "by pointer"), 7, "seven")
		for i := 0; i < 20; i++ {
			ctx = context.WithValue(ctx, unusedKey{}, i)
		}
		own := &requestContext{ctx, 12}
		contexts(ctx, own, context.Background())
	})
}
