package main

import "runtime"

//go:noinline
func shadowed(x int, deep bool) {
	y := x * 2
	if deep {
		x := "inner"
		{
			x, y := 2.5, x+"!"
			tell("x", ref(x), "y", ref(y))
			stop()
			keep(x, y)
		}
		keep(x, y)
	} else {
		tell("x", ref(x), "y", ref(y))
		stop()
		x := []int{1}
		keep(x)
	}
	keep(x, y)
}

//go:noinline
func beforeInner(x int) {
	for i := 0; i < 2; i++ {
		if i == 1 {
			tell("x", ref(x), "i", ref(i), "late", missing{})
			stop()
		}
		x := "inner"
		keep(&x, i)
		late := [4]int{1, 2, 3, 4}
		keep(late[i])
	}
	keep(x)
}

//go:noinline
func undeclared(n int) {
	tell("n", ref(n), "array", missing{}, "st", missing{}, "num", missing{}, "str", missing{}, "m", missing{})
	stop()
	array := [6]int{n, 1, 2, 3, 4, 5}
	st := point{int32(n), 1}
	num := n * 31
	str := string(rune(n))
	m := map[int]int{n: n}
	keep(array, st, num, str, m, array[n%6])
}

//go:noinline
func outOfBlock(n int) {
	if n > 0 {
		array := [6]int{n, 1, 2, 3, 4, 5}
		num := n * 31
		keep(array[n%6], num, &array, &num)
	}
	tell("n", ref(n), "array", missing{}, "num", missing{})
	stop()
	keep(n)
}

//go:noinline
func returnsEarly(n int) (out int) {
	defer func() {
		stop()
		out++
	}()
	if n > 0 {
		tell("n", ref(n), "array", missing{}, "num", missing{}, "st", missing{}, "str", missing{})
		return n
	}
	array := [6]int{n, 1, 2, 3, 4, 5}
	num := n * 31
	st := wide{1: 5}
	str := string(rune(num))
	keep(array[(n+6)%6], num, &array, &num, &st, str)
	return array[(n+1)%6]
}

//go:noinline
func recovered(n int) {
	defer func() {
		stop()
	}()
	defer func() {
		keep(recover())
	}()
	tell("n", ref(n), "array", missing{}, "num", missing{}, "st", missing{})
	if n > 0 {
		fails(n)
	}
	array := [6]int{n, 1, 2, 3, 4, 5}
	num := n * 31
	st := wide{1: 5}
	keep(array[n%6], num, &array, &num, &st)
}

//go:noinline
func fails(n int) {
	why := [3]int{n, n, n}
	keep(why[n%3])
	panic(why)
}

//go:noinline
func panicking(n int) {
	mine := [3]string{"a", "b", string(rune(n))} // the last points to a byte that nobody needs after the fault
	defer func() {
		stop()
		keep(recover())
	}()
	tell("n", ref(n), "mine", ref(mine), "late", missing{})
	var none *point
	if n > 0 {
		none.X = 1
	}
	late := [3]int{n, n, n}
	keep(mine[n%3], late[n%3], &mine)
}

// fillers' arrays live one after the other, so the compiler may give them one place.
//
//go:noinline
func fill(to *wide, with int64) int64 {
	for i := range to {
		to[i] = with
	}
	return to[3]
}

//go:noinline
func merged(n int64) {
	var first wide
	sum := fill(&first, 1)
	var second wide
	sum += fill(&second, 2)
	tell("n", ref(n), "sum", ref(sum), "second", ref(second), "first", ref(wide(ones())))
	stop()
	keep(n, sum, second[n%40], fill(&second, 3))
}

func ones() (w wide) {
	for i := range w {
		w[i] = 1
	}
	return w
}

//go:noinline
func mergedBlocks(n int64) {
	var sum int64
	{
		var block wide
		sum += fill(&block, n)
	}
	{
		var block wide
		sum += fill(&block, n+1)
		tell("block", ref(block), "sum", ref(sum))
		stop()
		sum += fill(&block, n)
	}
	keep(sum)
}

//go:noinline
func escapes(n int) {
	number, text, array, structure := n, "escaped", [3]int{1, 2, n}, pair{"p", n}
	pointer := &structure
	keep(&number, &text, &array, pointer)
	number++
	tell("number", ref(number), "text", ref(text), "array", ref(array), "structure", ref(structure), "pointer", ref(pointer), "structure.B", ref(structure.B))
	stop()
	keep(&number, &text, &array, &structure)
}

//go:noinline
func (p *point) closures(n int, s string) {
	changed := n
	unchanged := s + "!"
	array := [2]string{s, s}
	f := func(arg int) {
		changed += arg
		own := arg * 2
		tell("changed", ref(changed), "unchanged", ref(unchanged), "p", ref(p), "arg", ref(arg), "own", ref(own), "array", ref(array), "n", ref(n))
		calls(func(int) {
			tell("own", ref(own), "changed", ref(changed), "s", ref(s))
			stop()
			own++
			keep(s, changed)
		}, 0)
		keep(unchanged, p, arg, own, array[arg%2], n)
	}
	calls(f, 3)
	keep(changed, unchanged, array)
}

// calls calls: what it calls is not inlined.
//
//go:noinline
func calls(f func(int), arg int) { f(arg) }

func inlined(a int, s string) int {
	b := a * 3
	tell("a", ref(a), "s", ref(s), "b", ref(b))
	stop()
	keep(a, s, b)
	return b
}

func inlinedTwice(a int) int {
	c := a + 100
	tell("a", ref(a), "c", ref(c))
	d := inlined(c, "two deep")
	keep(a, c)
	return d
}

func (p point) inlinedMethod(q *point) int32 {
	tell("p", ref(p), "q", ref(q), "q.X", ref(q.X))
	stop()
	keep(p, q)
	return p.X
}

//go:noinline
func callsInlined(n int) {
	switch n {
	case 0:
		keep(inlined(n+1, "first place"))
	case 1:
		keep(inlined(n+1, "second place"))
	default:
		keep(inlinedTwice(n))
	}
	keep(n)
}

//go:noinline
func callsInlinedMethod(n int32) {
	p := point{n, n + 1}
	keep(p.inlinedMethod(&point{n, 9}))
}

func inlinedLoop[T any](items []T) {
	for i, item := range items {
		if i == len(items)-1 {
			tell("i", ref(i), "item", ref(item), "items", ref(items))
			stop()
		}
		keep(i, item)
	}
}

//go:noinline
func loops(items []string, m map[string]int) {
	total := 0
	for i, item := range items {
		total += len(item)
		for key, value := range m {
			if i == 1 {
				tell("i", ref(i), "item", ref(item), "key", ref(key), "value", ref(value), "total", ref(total), "items", ref(items))
				stop()
			}
			keep(key, value)
		}
		keep(i, item)
	}
	keep(total)
}

//go:noinline
func switches(v any, c chan int) {
	switch x := v.(type) {
	case int:
		tell("x", ref(x), "v", ref(v))
		stop()
		keep(x)
	case string:
		tell("x", ref(x), "v", ref(v))
		stop()
		keep(x)
	case *point, nil:
		tell("x", ref(x), "v", ref(v))
		stop()
		keep(x)
	}
	if n, ok := v.(int); ok {
		keep(n)
	} else {
		keep(ok)
	}
	keep(v, c)
}

//go:noinline
func many(a, b, c, d, e, f, g, h, i, j, k, l int, s, t, u string, x, y float64, z [2]int) (r1, r2 int, r3 string) {
	r1, r2, r3 = a+b, k+l, s+u
	tell("a", ref(a), "b", ref(b), "c", ref(c), "d", ref(d), "e", ref(e), "f", ref(f), "g", ref(g), "h", ref(h), "i", ref(i), "j", ref(j), "k", ref(k), "l", ref(l),
		"s", ref(s), "t", ref(t), "u", ref(u), "x", ref(x), "y", ref(y), "z", ref(z), "r1", ref(r1), "r2", ref(r2), "r3", ref(r3))
	stop()
	keep(a, b, c, d, e, f, g, h, i, j, k, l, s, t, u, x, y, z)
	return r1, r2, r3
}

// unused does nothing with its parameters after it stops.
//
//go:noinline
func unused(a int, s string, p *point, m map[string]int, sl []int, arr [3]int) {
	local := a * 2
	tell("a", ref(a), "s", ref(s), "p", ref(p), "m", ref(m), "sl", ref(sl), "arr", ref(arr), "local", ref(local))
	stop()
}

//go:noinline
func variadic(first int, rest ...string) {
	tell("first", ref(first), "rest", ref(rest))
	stop()
	keep(first, rest)
}

//go:noinline
func deferred(n int) (r int) {
	local := n * 2
	r = 5
	defer func(arg int) {
		tell("arg", ref(arg), "n", ref(n), "local", ref(local), "r", ref(r))
		stop()
		keep(arg, n, local)
	}(n + 1)
	n++
	local++
	return local
}

// deep is the goroutine of recursive.
var deep int

//go:noinline
func recursive(n int, tag string, up *int) int {
	if n%500 == 0 {
		tellOf(deep, "n", ref(n), "tag", ref(tag), "up", ref(up))
	} else {
		tellOf(deep, "n", ref(n))
	}
	if n == 0 {
		stop()
		return 0
	}
	r := recursive(n-1, tag, up) + 1
	keep(n, tag, up)
	return r
}

//go:noinline
func gone(n int) {
	p := &Box[[7]int]{[7]int{n, n, n}, nil}
	keep(p)
	runtime.GC()
	runtime.GC()
	var others []*Box[[7]int]
	for i := 0; i < 10000; i++ {
		others = append(others, &Box[[7]int]{[7]int{666, 666, 666}, nil})
	}
	tell("n", ref(n), "p", ref(&Box[[7]int]{[7]int{n, n, n}, nil}))
	stop()
	keep(n, others)
}

func startPlaces() {
	start(func() { shadowed(7, true) })
	start(func() { shadowed(8, false) })
	start(func() { beforeInner(9) })
	start(func() { undeclared(10) })
	start(func() { outOfBlock(11) })
	start(func() { returnsEarly(12) })
	start(func() { recovered(13) })
	start(func() { panicking(14) })
	start(func() { merged(15) })
	start(func() { mergedBlocks(16) })
	start(func() { escapes(17) })
	start(func() { (&point{1, 2}).closures(18, "captured") })
	for n := 0; n < 3; n++ {
		n := n
		start(func() { callsInlined(n) })
	}
	start(func() { callsInlinedMethod(20) })
	start(func() { inlinedLoop([]string{"a", "b"}) })
	start(func() { inlinedLoop([]point{{1, 2}}) })
	start(func() { loops([]string{"x", "yy", "zzz"}, map[string]int{"only": 1}) })
	for _, v := range []any{5, "s", &point{5, 5}, nil} {
		v := v
		start(func() { switches(v, nil) })
	}
	start(func() { many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, "s", "t", "u", 1.5, 2.5, [2]int{3, 4}) })
	start(func() { unused(21, "s", &point{2, 1}, map[string]int{"u": 1}, []int{1, 2}, [3]int{4, 5, 6}) })
	start(func() { variadic(22, "a", "b") })
	start(func() { variadic(23) })
	start(func() { deferred(24) })
	start(func() { n := 25; deep = goroutine(); recursive(5000, "deep", &n) })
	start(func() { gone(26) })
}
