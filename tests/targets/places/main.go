// places parks goroutines where optimization makes it hard to say where a variable is, or whether it is. Nothing takes
// an address only to tell: comments `// main.f: n=1 s="x" late=-` say what f's variables are where it stands, "-" nothing.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
	"unsafe"
)

type pair struct{ A, B int }

type large struct {
	ID    int
	Name  string
	Words [20]int
}

type node struct {
	Value int
	Next  *node
}

var (
	parked = make(chan struct{})
	never  = make(chan struct{})
	n      = -1 // no function means this one
	name   = "package"

	keptLarge  *large
	keptNumber *int
	keptFunc   func()
)

//go:noinline
func park() {
	parked <- struct{}{}
	<-never
}

//go:noinline
func parkWith(v int) int { park(); return v }

//go:noinline
func use[T any](v T) { runtime.KeepAlive(v) }

//go:noinline
func next(v int) int { return v + 1 }

//go:noinline
func assigned(n int, s string) int {
	use(n)
	n = n*7 + 1
	s = strings.ToUpper(s)
	park() // main.assigned: n=71 s="ABC"
	use(s)
	return n
}

//go:noinline
func assignedDead(n int) int {
	use(n)
	n = n * 7
	return parkWith(n) // main.assignedDead: n=77
}

//go:noinline
func assignedBranch(n int, up bool) int {
	use(n)
	if up {
		n += 100
	}
	park() // main.assignedBranch: n=112 up=1
	use(n)
	if up {
		return 1
	}
	return n
}

//go:noinline
func sums(values []int) int {
	total, last := 0, -1
	for i, v := range values {
		total += v
		if i == 2 {
			park() // main.sums: total=60 last=20 i=2 v=30 values=[10,20,30,40]
		}
		last = v
	}
	use(values)
	return total + last
}

//go:noinline
func countdown(n int) int {
	steps := 0
	for ; n > 3; n-- {
		steps++
		if n == 5 {
			park() // main.countdown: n=5 steps=4
		}
	}
	return n + steps
}

// deep counts, but not in a loop: its loop cannot have been turned round.
//
//go:noinline
func deep(a, b, left int) int {
	if left < 2 {
		park() // main.deep: left=1
		use(left)
		return 0
	}
	use(a)
	found := deep(a, b, left-1)
	use(left)
	return found
}

//go:noinline
func consumed(list []string, b []byte) int {
	for len(list) > 1 {
		list = list[1:]
		b = b[:len(b)-1]
		if len(list) == 2 {
			park() // main.consumed: list=["c","d"] b="by"
		}
	}
	return len(list) + len(b)
}

//go:noinline
func walked(list *node) int {
	depth := 0
	for ; list != nil; list = list.Next {
		depth++
		if depth == 2 {
			park() // main.walked: list.Value=2 depth=2
		}
	}
	return depth
}

//go:noinline
func twoResults(n int) (sum int, err error) {
	sum = n + 1
	if n > 0 {
		err = errors.New("failed")
		park() // main.twoResults: sum=6 n=5
		sum++
	}
	return sum, err
}

//go:noinline
func namedInDefer(n int) (r int, err error) {
	defer func() {
		if err != nil {
			r = -r
		}
		park() // main.namedInDefer.func1: r=-8
	}()
	return n * 2, errors.New("x")
}

// Results are in memory for the deferred call, all of their words.
//
//go:noinline
func resultsSeen(v int) (text string, list []int, err error) {
	defer func() { use(recover()) }()
	text, list = strings.ToUpper("ab"), []int{v, v}
	text += "c"
	park() // main.resultsSeen: text="ABc" list=[3,3]
	text, list = text+"d", list[:1]
	return
}

// So are variables that a deferred call has by reference: `text` is used here once more, the others only there.
//
//go:noinline
func capturedSeen(v int) int {
	text, kept, failed := strings.ToUpper("ab"), &node{v, nil}, error(nil)
	defer func() { use(text); use(kept); use(failed) }()
	text += "c"
	kept = &node{v, kept}
	park() // main.capturedSeen: text="ABc"
	use(text)
	text, kept, failed = "", nil, errors.New("late")
	return v
}

// What it has by value is not: of `list` only a part may be left, which debug info does not tell.
//
//go:noinline
func capturedByValue(list []int) int {
	defer use(len(list))
	first := list[0]
	park() // main.capturedByValue: first=5
	return first
}

//go:noinline
func recovering(n int) (r int) {
	defer func() {
		if recover() != nil {
			r = n + 1
			park() // main.recovering.func1: r=10 n=9
		}
	}()
	late := n / (n - 9)
	return late
}

//go:noinline
func jumping(n int) int {
	i := 0
again:
	i += 2
	if i < n {
		goto again
	}
	park() // main.jumping: n=7
	return i + n
}

//go:noinline
func labelled(rows [][]int) int {
	found := -1
outer:
	for i, row := range rows {
		for j, v := range row {
			if v == 7 {
				found = i*10 + j
				break outer
			}
		}
	}
	park() // main.labelled: found=12 rows=[[1,2,3],[4,5,7]] i=- row=- j=- v=-
	use(rows)
	return found
}

//go:noinline
func typeSwitch(v any) int {
	switch v := v.(type) {
	case int:
		park()
		return v
	case string:
		w := v + "!"
		park() // main.typeSwitch: w="str!"
		use(w)
		return len(v)
	}
	return 0
}

//go:noinline
func rebound(x int) func() int {
	x, y := x+1, x
	{
		x := x * 10
		y := y + x
		park() // main.rebound: x=70
		use(x + y)
	}
	use(y)
	return func() int { return x }
}

//go:noinline
func splitStruct(p pair, t pair) int {
	p.A += 10
	t = pair{t.B, t.A}
	use(p.B)
	park() // main.splitStruct: p.B=2
	return p.A + t.A
}

//go:noinline
func partlyDead(s string, b []int, err error) int {
	use(len(s))
	use(b)
	park() // main.partlyDead: s="partly" b=[1,2]
	return len(s) + cap(b)
}

//go:noinline
func constants(n int) int {
	k := 5
	k += 2
	limit := n
	if k > 100 {
		limit = 3
	}
	park() // main.constants: k=7 limit=3 n=3
	return limit + k
}

func inner(n int, name string) int {
	n = n + 1
	use(name)
	park() // main.inner: n=1113 name="xyz!"
	use(n)
	return n
}

func middle(n int, name string) int {
	n += 10
	r := inner(n+1000, name+"!")
	use(n)
	return r + n
}

//go:noinline
func outermost(n int, name string) int {
	n += 100
	name += "z"
	r := middle(n, name) // main.outermost: n=102 name="xyz"
	use(n)
	return r + len(name)
}

//go:noinline
func escapesSometimes(n int, deep bool) *int {
	k := n + 1
	if deep {
		p := &k
		k++
		park() // main.escapesSometimes: k=6 n=4 p=6
		return p
	}
	return nil
}

//go:noinline
func frames(n int) int {
	var big [5000]int
	big[n] = n
	sum := 0
	for i := range big {
		sum += big[i]
	}
	park() // main.frames: n=6 sum=6
	return sum + big[n]
}

//go:noinline
func undeclared(n int) int {
	a := parkWith(n) // main.undeclared: n=8 a=- arr=- st=- text=-
	arr := [3]int{a, n, 1}
	st := pair{a, n}
	text := fmt.Sprint(a)
	use(arr)
	return arr[n%3] + st.A + len(text)
}

//go:noinline
func selected(a, b chan int, n int) int {
	got := -1
	select {
	case v := <-a:
		got = v + n
		park() // main.selected: got=13 v=9 n=4
	case v, ok := <-b:
		use(ok)
		got = v
	}
	return got
}

//go:noinline
func generic[T any](x T, list []T) (first T) {
	first = list[0]
	list = list[1:]
	park() // main.generic[...]: first="one" list=["two"] x="zero"
	use(x)
	use(list)
	return first
}

//go:noinline
func reused(n int) int {
	a := next(n)
	use(a)
	b := next(a + 5)
	use(b)
	c := next(b + 5)
	park() // main.reused: n=1 a=2 b=8 c=14
	return c
}

//go:noinline
func callResult(n int) int {
	use(n)
	n = next(n)
	use(n)
	n = next(n)
	park() // main.callResult: n=32
	return n
}

//go:noinline
func swapped(a, b int) int {
	use(a + b)
	a, b = b, a
	park() // main.swapped: a=2
	use(a)
	return b
}

//go:noinline
func copied(n int) int {
	old := n
	use(n)
	n += 5
	use(n)
	park() // main.copied: old=3 n=8
	return old
}

//go:noinline
func condition(n int, ok bool) int {
	use(n)
	m := 1
	if ok {
		m = n * 2
	}
	park() // main.condition: m=8 n=4 ok=1
	return m
}

//go:noinline
func perIteration() int {
	funcs := []func() int{}
	for i := 0; i < 3; i++ {
		j := i * i
		funcs = append(funcs, func() int { return j })
		if i == 2 {
			park() // main.perIteration: i=2 j=4
		}
	}
	return len(funcs)
}

//go:noinline
func multiline(a, b int) int {
	r := parkWith(a+
		b) + a // main.multiline: a=5 b=6 r=-
	return r + b
}

//go:noinline
func arrays(n int) int {
	a := [2]int{n, n}
	a[n%2]++
	use(a)
	b := a
	b[0] = 50
	park() // main.arrays: a=[3,4] b=[50,4] n=3
	use(b)
	return a[n%2]
}

//go:noinline
func find(value int) (*node, int, error) {
	if value < 0 {
		return nil, value, errors.New("negative")
	}
	return &node{value, nil}, value, nil
}

//go:noinline
func boxed(v any) { runtime.KeepAlive(v) }

// What comes of the addition goes to two places: the variable's own, and a copy in an interface.
//
//go:noinline
func added(n int) int {
	n++
	park() // main.added: n=8
	boxed(n)
	next(1)
	return n
}

// And here to the copy only.
//
//go:noinline
func addedOnce(n int, list *node) int {
	n++
	park() // main.addedOnce: n=8 list.Value=3
	boxed(n)
	n = next(list.Value)
	boxed(n)
	return n
}

// In the next ones an assignment on a path that was not taken gives the variable the place of another, which has none: it is a result.
//
//go:noinline
func chosen(held *node) (found *node, err error) {
	use(held)
	found, _, err = find(2)
	if err != nil {
		if found != nil {
			held = found
		}
		use(held)
		return held, err
	}
	park() // main.chosen: held.Value=1 found.Value=2
	use(held)
	return found, err
}

//go:noinline
func chosenNumber(held int) (found int, err error) {
	_, found, err = find(2)
	if err != nil {
		if found != 0 {
			held = found
		}
		return held, err
	}
	park() // main.chosenNumber: held=1 found=2
	return found + held, err
}

//go:noinline
func chosenLocal(start int) (found *node, err error) {
	held, _, _ := find(start)
	found, _, err = find(2)
	if err != nil {
		if found != nil {
			held = found
		}
		use(held)
		return held, err
	}
	park() // main.chosenLocal: held.Value=1 found.Value=2
	use(held)
	return found, err
}

//go:noinline
func chosenEarlier(start int) error {
	held, _, _ := find(start)
	var found *node
	var err error
	found, _, err = find(2)
	if err != nil {
		if found != nil {
			held = found
		}
		use(held)
		return err
	}
	park() // main.chosenEarlier: held.Value=1 found.Value=2
	use(held)
	use(found)
	return err
}

//go:noinline
func chosenText(start int) (found string) {
	held := fmt.Sprint("b", start)
	found = held[1:]
	if found == "zz" {
		held = found
		use(held)
		return held
	}
	park() // main.chosenText: held="b1" found="1"
	use(held)
	return found
}

// Here it is assigned, and what it was before is needed no more.
//
//go:noinline
func replaced(held *node) (found *node, err error) {
	use(held)
	found, _, err = find(2)
	held = found
	park() // main.replaced: held.Value=2 found.Value=2
	use(held)
	return found, err
}

// What comes on the stack and escapes is described twice: where it came, and on the heap.

//go:noinline
func change(l *large) { l.ID, l.Name, keptLarge = 2, "new", l }

//go:noinline
func changeNumber(n *int) { *n, keptNumber = 2, n }

//go:noinline
func moved(l large) *large {
	change(&l)
	park() // main.moved: l.ID=2 l.Name="new"
	return &l
}

//go:noinline
func movedForGood(l large) {
	change(&l)
	park() // main.movedForGood: l.ID=2 l.Name="new"
}

//go:noinline
func movedNumber(a, b, c, d, e, f, g, h, i, j, n int) *int {
	changeNumber(&n)
	park() // main.movedNumber: n=2
	return &n
}

//go:noinline
func movedArray(a [9]int) {
	keptNumber = &a[3]
	a[3] = 2
	park() // main.movedArray: a[3]=2
}

//go:noinline
func movedResult() (l large) {
	l.ID = 1
	change(&l)
	park() // main.movedResult: l.ID=2 l.Name="new"
	return l
}

//go:noinline
func movedByClosure(l large, n int) {
	keptFunc = func() { l.ID += n; n++ }
	keptFunc()
	park() // main.movedByClosure: l.ID=6 n=6
}

//go:noinline
func movedOnOneLine(l large) *large { change(&l); park(); return &l } // main.movedOnOneLine: l.ID=2

//go:noinline
func movedLater(l large) *large {
	park() // main.movedLater: l.ID=1 l.Name="old"
	change(&l)
	return &l
}

// A word that is a constant is kept nowhere, and debug info has what it took the place of.

type shape interface{ area() int }

type square struct{ Side, Extra int }

type circle struct{ Radius, Other int }

func (s *square) area() int { return s.Side }

func (c *circle) area() int { return c.Radius }

//go:noinline
func shapeOf(side int) shape {
	if side > 0 {
		return &square{side, 1}
	}
	return nil
}

//go:noinline
func wrap(s shape) *circle { return &circle{s.area() + 1, 9} }

//go:noinline
func wrapAny(s shape) shape {
	if s == nil {
		return nil
	}
	return wrap(s)
}

//go:noinline
func wrapped(s shape) int {
	use(s)
	s = wrap(s)
	park() // main.wrapped: s.Side=-
	return s.area()
}

//go:noinline
func wrappedLocal(side int) int {
	s := shapeOf(side)
	use(s)
	s = wrap(s)
	park() // main.wrappedLocal: s.Side=-
	return s.area()
}

//go:noinline
func wrappedAny(s shape) int {
	use(s)
	s = wrapAny(s)
	park() // main.wrappedAny: s.Side=- s.Radius=6
	return s.area()
}

//go:noinline
func thrice(s string) string { return s + s + s }

//go:noinline
func cutText(s string) string {
	use(s)
	s = thrice(s)[:3]
	park() // main.cutText: s="abc"
	return s + "!"
}

//go:noinline
func cutInLoop(b []byte, part int) (sum int) {
	rest := bytesOf(part * 3)
	for len(rest) > 0 {
		n := copy(rest, b[:part])
		sum += n
		if len(rest) == part {
			park() // main.cutInLoop: rest="xy"
		}
		use(rest[:n])
		rest = rest[n:]
	}
	return sum
}

//go:noinline
func bytesOf(n int) []byte { return make([]byte, n) }

// What a file that is mapped looks like in many databases.
type mappedFile struct {
	Size int
	Data *[1<<48 - 1]byte
	Rows [][1 << 40]byte
	Page *filePage
}

type filePage struct {
	Rows [1 << 40]byte
	Next *filePage
}

//go:noinline
func mapped(file *mappedFile, found any) {
	park() // main.mapped: file.Size=7 file.Data[2]=51 len(file.Rows)=0
	use(file)
	use(found)
}

var pB = "a package's"

//go:noinline
func halves(n int) pair { return pair{n, n + 1} }

// parts has a struct that is taken apart, and a variable of the name that the compiler gives to one of the parts.
//
//go:noinline
func parts(n int) int {
	pA := next(n)
	p := halves(n)
	for i := 0; i < n; i++ {
		p.A += next(i)
		p.B ^= p.A
	}
	park() // main.parts: pA=4 pB="a\u0020package's" p.A=9
	pC := next(n)
	use(pC)
	return p.A + p.B + pA
}

// partsEarly waits before the variable is declared.
//
//go:noinline
func partsEarly(n int) int {
	p := halves(n)
	for i := 0; i < n; i++ {
		p.A += next(i)
		p.B ^= p.A
	}
	park() // main.partsEarly: pA=-
	pA := next(n)
	use(pA)
	return p.A + p.B + pA
}

func folded(list []int, add func(int, int) int, sum int) int {
	for i := range list {
		sum = add(sum, list[i]) // main.folded: sum=3
	}
	return sum
}

func picked(list []int, keep func(int) bool) []int {
	kept := make([]int, 0, len(list))
	for _, each := range list {
		if keep(each) {
			kept = append(kept, each)
		}
	}
	return kept
}

// inlinedSum waits in a call that is inlined, of what it is going to return as soon as it knows it.
//
//go:noinline
func inlinedSum(n int) int {
	list := [4]int{n, 4, 5, 6}
	total := folded(list[:], func(sum, v int) int { park(); return sum + v }, n) // main.inlinedSum: total=-
	use(total)
	return total
}

//go:noinline
func inlinedList(n int) {
	list := [4]int{n, 4, 5, 6}
	large := picked(list[:], func(v int) bool { // main.inlinedList: large=-
		if v == 5 {
			park()
		}
		return v > 3
	})
	use(len(large))
	see(large)
}

//go:noinline
func run(f func()) { f() }

//go:noinline
func oneLineResult(v int) (n int, text string) { n, text = v, "ab"; park(); n++; return } // main.oneLineResult: text="ab"

//go:noinline
func oneLine(text string, list []int, small int32, sure bool, two pair) {
	run(func() { park(); see(text, list, small, sure, two) }) // main.oneLine.func1: text="ab" list=[1,2] small=7 sure=1 two.B=4
}

//go:noinline
func see(...any) {}

func main() {
	old := large{ID: 1, Name: "old"}
	list := &node{1, &node{2, &node{3, nil}}}
	a := make(chan int, 1)
	a <- 9
	for _, start := range []func(){
		func() { assigned(10, "abc") }, func() { assignedDead(11) }, func() { assignedBranch(12, true) },
		func() { sums([]int{10, 20, 30, 40}) }, func() { countdown(8) }, func() { deep(0, 0, 1) }, func() { oneLine("ab", []int{1, 2}, 7, true, pair{3, 4}) },
		func() { _, _ = oneLineResult(3) }, func() { parts(3) }, func() { inlinedSum(3) }, func() { inlinedList(3) }, func() { partsEarly(3) },
		func() { consumed([]string{"a", "b", "c", "d"}, []byte("byte")) }, func() { walked(list) },
		func() { twoResults(5) }, func() { namedInDefer(4) }, func() { recovering(9) }, func() { jumping(7) },
		func() { labelled([][]int{{1, 2, 3}, {4, 5, 7}}) }, func() { typeSwitch("str") }, func() { rebound(6) },
		func() { splitStruct(pair{1, 2}, pair{3, 4}) }, func() { partlyDead("partly", []int{1, 2}, nil) },
		func() { constants(3) }, func() { outermost(2, "xy") }, func() { escapesSometimes(4, true) },
		func() { frames(6) }, func() { undeclared(8) }, func() { selected(a, nil, 4) },
		func() { generic("zero", []string{"one", "two"}) }, func() { reused(1) }, func() { callResult(30) },
		func() { swapped(1, 2) }, func() { copied(3) }, func() { condition(4, true) }, func() { perIteration() },
		func() { multiline(5, 6) }, func() { arrays(3) },
		func() { added(7) }, func() { addedOnce(7, &node{3, nil}) },
		func() { _, _ = chosen(&node{1, nil}) }, func() { _, _ = chosenNumber(1) }, func() { _, _ = chosenLocal(1) },
		func() { _ = chosenEarlier(1) }, func() { _ = chosenText(1) }, func() { _, _ = replaced(&node{1, nil}) },
		func() { moved(old) }, func() { movedForGood(old) }, func() { movedNumber(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1) },
		func() { movedArray([9]int{1, 1, 1, 1}) }, func() { movedResult() }, func() { movedByClosure(old, 5) },
		func() { movedOnOneLine(old) }, func() { movedLater(old) },
		func() { wrapped(&square{5, 7}) }, func() { wrappedLocal(5) }, func() { wrappedAny(&square{5, 7}) },
		func() {
			bytes := []byte("1234567")
			file := &mappedFile{len(bytes), (*[1<<48 - 1]byte)(unsafe.Pointer(&bytes[0])), nil, (*filePage)(unsafe.Pointer(&bytes[0]))}
			mapped(file, file.Data)
		},
		func() { cutText("abcdef") }, func() { cutInLoop([]byte("xyz"), 2) },
		func() { _, _, _ = resultsSeen(3) }, func() { capturedSeen(6) }, func() { capturedByValue([]int{5, 6}) },
	} {
		go start()
		<-parked
	}
	fmt.Fprint(os.Stderr, name[:0], n&0, pB[:0])
	fmt.Println("ready {}")
	time.Sleep(time.Hour) // a timer keeps the runtime from calling it a deadlock
}
