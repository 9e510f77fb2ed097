package main

import (
	"math"
	"strings"
	"time"
	"unsafe"
)

type (
	color   uint8
	celsius float32
	name    string
	raw     []byte
	letter  rune
)

func (c color) String() string { return "a colour" }

//go:noinline
func integers(b, c bool, i8 int8, i16 int16, i32 int32, i64 int64, i int) (result uint64) {
	u8, u16, u32, u64, u := uint8(i8)+200, uint16(i16)*3, uint32(i32)*5, uint64(i64)<<1|1, uint(i)*7
	up, hue, l := uintptr(u64)+1, color(u8-1), letter(i32)
	result = u64 + 1
	tell("b", ref(b), "c", ref(c), "i8", ref(i8), "i16", ref(i16), "i32", ref(i32), "i64", ref(i64), "i", ref(i), "u8", ref(u8),
		"u16", ref(u16), "u32", ref(u32), "u64", ref(u64), "u", ref(u), "up", ref(up), "hue", ref(hue), "l", ref(l), "result", ref(result))
	stop()
	keep(b, c, i8, i16, i32, i64, i, u8, u16, u32, u64, u, up, hue, l)
	return result
}

//go:noinline
func floats(f32 float32, f64 float64, nan, inf, ninf, negzero float64, c64 complex64, c128 complex128, t celsius, d time.Duration) (sum float64) {
	sum = f64 * 2
	odd := complex(nan, inf)
	tell("f32", ref(f32), "f64", ref(f64), "nan", ref(nan), "inf", ref(inf), "ninf", ref(ninf), "negzero", ref(negzero),
		"c64", ref(c64), "c128", ref(c128), "t", ref(t), "d", ref(d), "sum", ref(sum), "odd", ref(odd))
	stop()
	keep(f32, f64, nan, inf, ninf, negzero, c64, c128, t, d, odd)
	return sum
}

//go:noinline
func strs(empty, ascii, utf, bad, long string, n name, bytes, badBytes, nilBytes, emptyBytes []byte, r raw) (joined string) {
	joined = ascii + utf
	runes := []rune(utf)
	part := long[5000:5010]
	tell("empty", ref(empty), "ascii", ref(ascii), "utf", ref(utf), "bad", ref(bad), "long", ref(long), "n", ref(n),
		"bytes", ref(bytes), "badBytes", ref(badBytes), "nilBytes", ref(nilBytes), "emptyBytes", ref(emptyBytes), "r", ref(r),
		"joined", ref(joined), "runes", ref(runes), "part", ref(part))
	stop()
	keep(empty, ascii, utf, bad, long, n, bytes, badBytes, nilBytes, emptyBytes, r, runes, part)
	return joined
}

//go:noinline
func times(zero, mono, zoned, far time.Time, p, np *time.Time, d *time.Duration, boxed any, m map[time.Time]time.Duration) {
	local := zoned.Add(time.Hour)
	tell("zero", ref(zero), "mono", ref(mono), "zoned", ref(zoned), "far", ref(far), "p", ref(p), "np", ref(np), "d", ref(d),
		"boxed", ref(boxed), "m", ref(m), "local", ref(local))
	stop()
	keep(zero, mono, zoned, far, p, np, d, boxed, m, local)
}

//go:noinline
func pointers(u unsafe.Pointer, nu unsafe.Pointer, p *int, pp **int, ppp ***int, np *int, pnp **int, ps *string, pb *[]byte, pm *map[string]int, pi *any, pa *[3]int, pf *func()) {
	q := p
	tell("u", ref(u), "nu", ref(nu), "p", ref(p), "pp", ref(pp), "ppp", ref(ppp), "np", ref(np), "pnp", ref(pnp), "ps", ref(ps),
		"pb", ref(pb), "pm", ref(pm), "pi", ref(pi), "pa", ref(pa), "pf", ref(pf), "*p", ref(*p), "**pp", ref(**pp), "*pp", ref(*pp), "q", ref(q))
	stop()
	keep(u, nu, p, pp, ppp, np, pnp, ps, pb, pm, pi, pa, pf, q)
}

//go:noinline
func arrays(a [3]int, e [0]int, one [1]string, deep [2][3]uint16, big [200]uint16, ptrs [2]*int, bytes [5]byte, named [2]color) (out [4]int32) {
	local := [5]string{"a", "", "c\x00d", "é", one[0]}
	empties := [3]struct{}{}
	out = [4]int32{1, -2, 3, int32(a[0])}
	tell("a", ref(a), "e", ref(e), "one", ref(one), "deep", ref(deep), "big", ref(big), "ptrs", ref(ptrs), "bytes", ref(bytes),
		"named", ref(named), "local", ref(local), "empties", ref(empties), "out", ref(out))
	stop()
	keep(a, e, one, deep, big, ptrs, bytes, named, local, empties)
	return out
}

func startScalars() {
	start(func() { integers(true, false, -8, -1600, math.MinInt32, math.MinInt64+5, -77) })
	start(func() { integers(false, true, 100, math.MaxInt16, 0x10FFFF, math.MaxInt64, math.MaxInt) })
	start(func() { integers(false, false, 0, 0, 0, 0, 0) })
	start(func() {
		floats(0.1, math.Pi, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), complex(1.5, -2), complex(1e21, 1e-7), 36.6, 90*time.Second)
	})
	start(func() {
		floats(16777216, 1e300, math.SmallestNonzeroFloat64, 1e6, 123456789, 1e-5, 0, complex(0, 1e6), -40, -1)
	})
	start(func() {
		strs("", "ascii \"quoted\" \\ \n", "żółw 龜 🐢 <&>\u2028", "bad\xff\xfe", strings.Repeat("0123456789", 1024), "typed",
			[]byte("bytes"), []byte{0, 255, 1}, nil, []byte{}, raw("raw"))
	})
	at := time.Date(2024, 2, 29, 23, 59, 59, 987654321, time.FixedZone("X", -(3*3600+1800)))
	d := 1500 * time.Millisecond
	start(func() {
		times(time.Time{}, time.Now(), at, time.Date(9999, 12, 31, 0, 0, 0, 1, time.UTC), &at, nil, &d, at, map[time.Time]time.Duration{at: d})
	})
	n, s, b, m, i, f := 4711, "pointed", []byte("pb"), map[string]int{"one": 1}, any(uint8(3)), func() {}
	p, none := &n, (*int)(nil)
	pp := &p
	start(func() {
		pointers(unsafe.Pointer(p), nil, p, pp, &pp, nil, &none, &s, &b, &m, &i, &[3]int{7, 8, 9}, &f)
	})
	var big [200]uint16
	for i := range big {
		big[i] = uint16(i * 331)
	}
	start(func() {
		arrays([3]int{1, 2, 3}, [0]int{}, [1]string{"one"}, [2][3]uint16{{1, 2, 3}, {4, 5, 6}}, big, [2]*int{p, nil}, [5]byte{'a', 0, 'c', 255, 1}, [2]color{1, 255})
	})
}
