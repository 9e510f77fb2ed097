package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/flate"
	"compress/lzw"
	"container/heap"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"mime/multipart"
	"regexp"
	"slices"
	"sort"
	"strings"
	"text/scanner"
	"text/tabwriter"
	"text/template"
	"unicode"
)

// input passes the gate each time it is read.
type input struct {
	*gate
	data []byte
	step int
	at   int
}

func (r *input) Read(p []byte) (int, error) {
	r.pass()
	if r.at >= len(r.data) {
		return 0, io.EOF
	}
	n := copy(p[:min2(len(p), r.step)], r.data[r.at:])
	r.at += n
	return n, nil
}

func min2(a, b int) int {
	if a < b {
		return a
	}
	return b
}

// output passes the gate each time it is written to.
type output struct{ *gate }

func (w output) Write(p []byte) (int, error) { w.pass(); return len(p), nil }

// sink takes all. (io.Discard reads into buffers that goroutines share.)
type sink struct{}

func (sink) Write(p []byte) (int, error) { return len(p), nil }

// pixels passes the gate at each pixel, or at every so many.
type pixels struct {
	*gate
	image.Image
	every, seen int
}

func (p *pixels) At(x, y int) color.Color {
	if p.seen++; p.seen%p.every == 0 {
		p.pass()
	}
	return p.Image.At(x, y)
}

type numbers struct {
	*gate
	list []int
}

func (n *numbers) Len() int           { return len(n.list) }
func (n *numbers) Less(i, j int) bool { n.pass(); return n.list[i] < n.list[j] }
func (n *numbers) Swap(i, j int)      { n.list[i], n.list[j] = n.list[j], n.list[i] }
func (n *numbers) Push(x any)         { n.list = append(n.list, x.(int)) }
func (n *numbers) Pop() any {
	last := n.list[len(n.list)-1]
	n.list = n.list[:len(n.list)-1]
	return last
}

type item struct {
	Name  string   `json:"name" xml:"name,attr"`
	Count int      `json:"count"`
	Tags  []string `json:"tags" xml:"tag"`
	Sub   *item    `json:"sub"`
	F     float64  `json:"f"`
}

func items(count int) (found []item) {
	for i := 0; i < count; i++ {
		found = append(found, item{fmt.Sprint("n", i), i * i, []string{"a", strings.Repeat("b", i%5)}, &item{Name: "sub"}, float64(i) / 4})
	}
	return found
}

func prose(size int) []byte {
	var text bytes.Buffer
	for i := 0; text.Len() < size; i++ {
		fmt.Fprintf(&text, "line %d: the quick brown fox %x jumps over %d lazy dogs, 'twice'; tab\there\n", i, i*7919, i%13)
	}
	return text.Bytes()
}

func random(count int) []int {
	list, x := make([]int, count), uint32(12345)
	for i := range list {
		x = x*1664525 + 1013904223
		list[i] = int(x >> 20)
	}
	return list
}

func picture(size int) image.Image {
	made := image.NewRGBA(image.Rect(0, 0, size, size))
	for y := 0; y < size; y++ {
		for x := 0; x < size; x++ {
			made.Set(x, y, color.RGBA{uint8(x * y), uint8(x + y), uint8(x ^ y), 255})
		}
	}
	return made
}

func encoded(encode func(io.Writer)) []byte {
	var made bytes.Buffer
	encode(&made)
	return made.Bytes()
}

func compressed(size int) []byte {
	return encoded(func(w io.Writer) {
		f, _ := flate.NewWriter(w, 6)
		f.Write(prose(size))
		f.Close()
	})
}

const source = `package p

import "a/b"

type T struct { X, Y int; M map[string][]int }

// F does things.
func (t *T) F(a int, b ...string) (r map[string]int, err error) {
	for i := 0; i < a; i++ {
		switch { case i > 3: t.X += i; fallthrough; case i == 2: continue; default: defer func() { _ = recover() }() }
	}
	if x := len(b); x > 0 { return nil, nil } else if x == -1 { goto end }
end:
	return map[string]int{"a": 1 << 3, b[0]: int('x')}, err
}

func G[K comparable, V any](m map[K]V, f func(K) V) []V { var o []V; for k := range m { o = append(o, f(k)) }; return o }
`

var scenarios = []struct {
	name string
	run  func(*gate)
}{
	{"bufio", func(g *gate) {
		lines := bufio.NewScanner(&input{gate: g, data: prose(9000), step: 97})
		words := 0
		for lines.Scan() {
			words += len(strings.Fields(lines.Text()))
		}
		small := bufio.NewReaderSize(&input{gate: g, data: prose(9000), step: 41}, 64)
		for {
			line, err := small.ReadString('\n')
			if err != nil {
				break
			}
			words += len(line)
		}
		fmt.Fprint(io.Discard, words)
	}},
	{"copy", func(g *gate) {
		n, err := io.Copy(output{g}, io.LimitReader(io.TeeReader(&input{gate: g, data: prose(9000), step: 100}, output{g}), 8000))
		fmt.Fprint(io.Discard, n, err)
	}},
	{"inflate", func(g *gate) { io.Copy(sink{}, flate.NewReader(&input{gate: g, data: compressed(60000), step: 7})) }},
	{"deflate", func(g *gate) {
		for level := 1; level <= 9; level += 2 {
			w, _ := flate.NewWriter(output{g}, level)
			w.Write(prose(90000))
			w.Close()
		}
	}},
	{"lzw", func(g *gate) {
		data := encoded(func(w io.Writer) {
			z := lzw.NewWriter(io.MultiWriter(w, output{g}), lzw.LSB, 8)
			z.Write(prose(20000))
			z.Close()
		})
		io.Copy(sink{}, lzw.NewReader(&input{gate: g, data: data, step: 9}, lzw.LSB, 8))
	}},
	{"base64", func(g *gate) {
		text := base64.StdEncoding.EncodeToString(prose(9000))
		io.Copy(sink{}, base64.NewDecoder(base64.StdEncoding, &input{gate: g, data: []byte(text), step: 57}))
		w := base64.NewEncoder(base64.StdEncoding, output{g})
		w.Write(prose(9000))
		w.Close()
	}},
	{"json", func(g *gate) {
		data, _ := json.MarshalIndent(items(60), "", " ")
		var all []item
		json.NewDecoder(&input{gate: g, data: data, step: 29}).Decode(&all)
		for d := json.NewDecoder(&input{gate: g, data: data, step: 17}); ; {
			if _, err := d.Token(); err != nil {
				break
			}
		}
	}},
	{"xml", func(g *gate) {
		data, _ := xml.Marshal(struct{ I []item }{items(40)})
		var all struct{ I []item }
		xml.NewDecoder(&input{gate: g, data: data, step: 31}).Decode(&all)
	}},
	{"csv", func(g *gate) {
		r := csv.NewReader(&input{gate: g, data: prose(9000), step: 43})
		r.FieldsPerRecord = -1
		all, err := r.ReadAll()
		w := csv.NewWriter(output{g})
		w.WriteAll(all)
		fmt.Fprint(io.Discard, err)
	}},
	{"tar", func(g *gate) {
		data := encoded(func(w io.Writer) {
			t := tar.NewWriter(io.MultiWriter(w, output{g}))
			for i := 0; i < 9; i++ {
				t.WriteHeader(&tar.Header{Name: fmt.Sprint(strings.Repeat("d/", i*20), i), Size: 1000, PAXRecords: map[string]string{"x.y": "z"}})
				t.Write(prose(1000)[:1000])
			}
			t.Close()
		})
		for t := tar.NewReader(&input{gate: g, data: data, step: 300}); ; {
			if _, err := t.Next(); err != nil {
				break
			}
			io.Copy(sink{}, t)
		}
	}},
	{"multipart", func(g *gate) {
		data := encoded(func(w io.Writer) {
			m := multipart.NewWriter(io.MultiWriter(w, output{g}))
			m.SetBoundary("xyzzy")
			for i := 0; i < 6; i++ {
				part, _ := m.CreateFormFile("f", fmt.Sprint(i))
				part.Write(prose(700))
			}
			m.Close()
		})
		form, err := multipart.NewReader(&input{gate: g, data: data, step: 64}, "xyzzy").ReadForm(1 << 20)
		fmt.Fprint(io.Discard, form != nil, err)
	}},
	{"template", func(g *gate) {
		tick := func(a any) any { g.pass(); return a }
		text := `{{define "s"}}[{{.Name}} {{tick .Count}}]{{end}}{{range $i, $e := .}}{{if tick $i}}{{template "s" $e}}{{with .Sub}}{{tick .Name}}{{end}}{{else}}-{{end}}{{end}}`
		template.Must(template.New("t").Funcs(template.FuncMap{"tick": tick}).Parse(text)).Execute(output{g}, items(20))
	}},
	{"scan", func(g *gate) {
		in := &input{gate: g, data: bytes.Repeat([]byte("12 abc 0x1f 2.5e3 true "), 40), step: 1}
		for {
			var a, c int
			var b string
			var d float64
			var e bool
			if _, err := fmt.Fscan(in, &a, &b, &c, &d, &e); err != nil {
				break
			}
		}
	}},
	{"sort", func(g *gate) {
		list, other := random(300), random(200)
		sort.Slice(list, func(i, j int) bool { g.pass(); return list[i] < list[j] })
		sort.SliceStable(other, func(i, j int) bool { g.pass(); return other[i] < other[j] })
		sort.Sort(&numbers{g, random(300)})
		sort.Stable(&numbers{g, random(100)})
		fmt.Fprint(io.Discard, sort.Search(len(list), func(i int) bool { g.pass(); return list[i] >= 77 }))
	}},
	{"slices", func(g *gate) {
		order := func(a, b int) int { g.pass(); return a - b }
		list, other := random(300), random(200)
		slices.SortFunc(list, order)
		slices.SortStableFunc(other, order)
		at, found := slices.BinarySearchFunc(list, 77, order)
		other = slices.DeleteFunc(other, func(x int) bool { g.pass(); return x%3 == 0 })
		fmt.Fprint(io.Discard, at, found, slices.MaxFunc(other, order))
	}},
	{"heap", func(g *gate) {
		h := &numbers{g, random(60)}
		heap.Init(h)
		for i := 0; i < 50; i++ {
			heap.Push(h, i*37%50)
			heap.Pop(h)
			heap.Fix(h, i%h.Len())
			heap.Remove(h, 3)
			heap.Push(h, i)
		}
	}},
	{"strings", func(g *gate) {
		text := string(prose(2000))
		upper := strings.Map(func(r rune) rune { g.pass(); return unicode.ToUpper(r) }, text[:200])
		fields := strings.FieldsFunc(text, func(r rune) bool { g.pass(); return r == ' ' })
		strings.NewReplacer("quick", "slow", "fox", "snail", "a", "b").WriteString(output{g}, text)
		fmt.Fprint(io.Discard, upper, fields)
	}},
	{"regexp", func(g *gate) {
		pattern := regexp.MustCompile(`(\w+)\s+(?:dogs|(\d+))|q(u)?ick`)
		done := pattern.ReplaceAllStringFunc(string(prose(3000)), func(m string) string { g.pass(); return strings.ToUpper(m) })
		in := bufio.NewReader(&input{gate: g, data: prose(3000), step: 30})
		for i := 0; i < 20; i++ {
			fmt.Fprint(io.Discard, pattern.FindReaderSubmatchIndex(in), len(done))
		}
	}},
	{"go", func(g *gate) {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, "p.go", source, parser.ParseComments)
		ast.Inspect(file, func(ast.Node) bool { g.pass(); return true })
		fmt.Fprint(io.Discard, err, printer.Fprint(output{g}, files, file))
	}},
	{"scanner", func(g *gate) {
		var s scanner.Scanner
		s.Init(&input{gate: g, data: []byte(source), step: 13})
		for s.Scan() != scanner.EOF {
		}
	}},
	{"tabwriter", func(g *gate) {
		w := tabwriter.NewWriter(output{g}, 5, 0, 1, ' ', tabwriter.AlignRight|tabwriter.Debug)
		for i := 0; i < 30; i++ {
			fmt.Fprintf(w, "a\t%d\t%s\n", i*i, strings.Repeat("c", i))
		}
		w.Flush()
	}},
	{"png", func(g *gate) {
		png.Decode(&input{gate: g, data: encoded(func(w io.Writer) { png.Encode(w, picture(40)) }), step: 50})
		png.Encode(output{g}, &pixels{g, picture(40), 37, 0})
	}},
	{"jpeg", func(g *gate) {
		jpeg.Decode(&input{gate: g, data: encoded(func(w io.Writer) { jpeg.Encode(w, picture(64), nil) }), step: 20})
		jpeg.Encode(output{g}, &pixels{g, picture(64), 37, 0}, &jpeg.Options{Quality: 50})
	}},
	{"gif", func(g *gate) {
		gif.Decode(&input{gate: g, data: encoded(func(w io.Writer) { gif.Encode(w, picture(40), nil) }), step: 20})
		gif.Encode(output{g}, &pixels{g, picture(40), 37, 0}, nil)
	}},
}
