package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
	"unsafe"
)

// object is a JSON object whose fields keep their order.
type object []field

type field struct {
	name  string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(text(f.name))
		out.WriteByte(':')
		out.WriteString(text(f.value))
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func text(value any) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

type place struct {
	address uintptr
	kind    reflect.Type
}

// teller renders values by reflection, in the forms that a snapshot has: a
// second opinion that shares no code with it.
type teller struct {
	open  map[place]bool
	inKey bool
}

// show renders what a pointer points to.
func show(pointer any) any {
	return (&teller{open: map[place]bool{}}).value(reflect.ValueOf(pointer).Elem())
}

func addressable(v reflect.Value) reflect.Value {
	copied := reflect.New(v.Type()).Elem()
	copied.Set(v)
	return copied
}

func address(at uintptr) string { return fmt.Sprintf("%#x", at) }

func (t *teller) value(v reflect.Value) any {
	v = reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem() // lifts the ban on unexported fields
	if v.Kind() == reflect.Struct && v.CanConvert(reflect.TypeOf(time.Time{})) {
		when := v.Convert(reflect.TypeOf(time.Time{})).Interface().(time.Time)
		return when.UTC().Format("2006-01-02T15:04:05.000000000Z")
	}
	switch v.Kind() {
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int()
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return v.Uint()
	case reflect.UnsafePointer:
		return uint64(uintptr(v.UnsafePointer()))
	case reflect.String:
		return t.text([]byte(v.String()))
	case reflect.Float32, reflect.Float64:
		return t.float(v)
	case reflect.Complex64:
		return fmt.Sprint(complex64(v.Complex()))
	case reflect.Complex128:
		return fmt.Sprint(v.Complex())
	case reflect.Struct:
		return t.structure(v, object{})
	case reflect.Array:
		return t.items(v)
	}
	if v.IsNil() {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		return t.pointer(v)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return t.text(v.Bytes())
		}
		return t.opened(v.Pointer(), v.Type(), v.Len() > 0, func() any { return t.items(v) })
	case reflect.Map:
		return t.opened(v.Pointer(), v.Type(), true, func() any { return t.entries(v) })
	case reflect.Interface:
		return t.boxed(v)
	case reflect.Func:
		return object{{"$func", runtime.FuncForPC(v.Pointer()).Name()}}
	default:
		if t.inKey {
			return object{{"$addr", address(v.Pointer())}}
		}
		return t.opened(v.Pointer(), v.Type(), true, func() any { return t.channel(v) })
	}
}

func (t *teller) opened(at uintptr, kind reflect.Type, cyclic bool, inside func() any) any {
	here := place{at, kind}
	if t.open[here] {
		return object{{"$ref", address(at)}}
	}
	if cyclic {
		t.open[here] = true
		defer delete(t.open, here)
	}
	return inside()
}

func (t *teller) text(b []byte) any {
	if utf8.Valid(b) {
		return string(b)
	}
	return object{{"$base64", base64.StdEncoding.EncodeToString(b)}}
}

func (t *teller) float(v reflect.Value) any {
	f := v.Float()
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "+Inf"
	case math.IsInf(f, -1):
		return "-Inf"
	case v.Kind() == reflect.Float32:
		return float32(f)
	}
	return f
}

func (t *teller) pointer(v reflect.Value) any {
	if t.inKey {
		return object{{"$addr", address(v.Pointer())}}
	}
	target := v.Elem()
	return t.opened(v.Pointer(), target.Type(), true, func() any {
		if _, scalar := wrappers[target.Type().PkgPath()]; target.Type().PkgPath() != "net/netip" && target.Type() != syncMap && target.Kind() == reflect.Struct && !scalar && !target.Type().ConvertibleTo(reflect.TypeOf(time.Time{})) {
			return t.structure(target, object{{"$addr", address(v.Pointer())}})
		}
		return t.value(target)
	})
}

func (t *teller) structure(v reflect.Value, shown object) any {
	if v.Type().PkgPath() == "sync/atomic" {
		inner := v.FieldByName("v")
		switch name, _, _ := strings.Cut(v.Type().Name(), "["); name {
		case "Bool":
			return inner.Uint() != 0
		case "Pointer":
			pointee := v.Addr().MethodByName("Load").Type().Out(0)
			return t.value(reflect.NewAt(pointee, unsafe.Pointer(inner.UnsafeAddr())).Elem())
		}
		return t.value(inner)
	}
	switch number := v.Addr().Interface().(type) {
	case interface{ String() string }:
		if v.Type().PkgPath() == "net/netip" {
			return number.String()
		}
	}
	switch number := v.Addr().Interface().(type) {
	case *sync.Map:
		return t.syncMap(reflect.ValueOf(keptMaps[v.Addr().UnsafePointer()]))
	case *big.Int:
		return number.String()
	case *big.Rat:
		return number.String()
	case *big.Float:
		if exponent := number.MantExp(nil); exponent > 1100 || exponent < -1100 || number.Prec() > 256 {
			return number.Text('p', 0)
		}
		return number.Text('g', -1)
	}
	if idle, ok := idleLocks[v.Type().String()]; ok && v.Type().PkgPath() == "sync" {
		state, ok := states[v.Addr().UnsafePointer()]
		if !ok {
			state = idle
		}
		shown = append(shown, state...)
		if locker := v.FieldByName("L"); locker.IsValid() {
			shown = append(shown, field{"L", t.value(locker)})
		}
		return shown
	}
	for i := 0; i < v.NumField(); i++ {
		if name := v.Type().Field(i).Name; name != "_" {
			shown = append(shown, field{name, t.value(v.Field(i))})
		}
	}
	return shown
}

func (t *teller) items(v reflect.Value) any {
	items := make([]any, v.Len())
	for i := range items {
		items[i] = t.value(v.Index(i))
	}
	return items
}

func (t *teller) entries(v reflect.Value) any {
	shown, times := object{}, map[string]int{}
	for each := v.MapRange(); each.Next(); {
		key := t.key(addressable(each.Key()))
		if times[key]++; times[key] > 1 {
			key += "#" + strconv.Itoa(times[key])
		}
		shown = append(shown, field{key, t.value(addressable(each.Value()))})
	}
	return shown
}

// syncMap shows keys that are all of one type as those of a map of that type.
func (t *teller) syncMap(kept reflect.Value) any {
	types := map[reflect.Type]bool{}
	for _, key := range kept.MapKeys() {
		types[key.Elem().Type()] = true
	}
	if len(types) != 1 {
		return t.entries(kept)
	}
	typed := reflect.MakeMap(reflect.MapOf(kept.MapKeys()[0].Elem().Type(), kept.Type().Elem()))
	for _, key := range kept.MapKeys() {
		typed.SetMapIndex(key.Elem(), kept.MapIndex(key))
	}
	return t.entries(typed)
}

func (t *teller) key(v reflect.Value) string {
	was := t.inKey
	t.inKey = true
	value := t.value(v)
	t.inKey = was
	switch v.Kind() {
	case reflect.Bool, reflect.Float32, reflect.Float64, reflect.Complex64, reflect.Complex128:
		return fmt.Sprint(reflect.NewAt(basic[v.Kind()], unsafe.Pointer(v.UnsafeAddr())).Elem().Interface())
	}
	switch value := value.(type) {
	case string:
		return value
	case object:
		if len(value) == 1 && value[0].name == "$addr" {
			return value[0].value.(string)
		}
	}
	return text(value)
}

var basic = map[reflect.Kind]reflect.Type{
	reflect.Bool: reflect.TypeOf(false), reflect.Float32: reflect.TypeOf(float32(0)), reflect.Float64: reflect.TypeOf(0.0),
	reflect.Complex64: reflect.TypeOf(complex64(0)), reflect.Complex128: reflect.TypeOf(complex128(0)),
}

// typed is what an interface holds, with its type.
type typed struct{ object }

func (t *teller) boxed(v reflect.Value) any {
	dynamic, target := v.Elem(), v.Elem()
	for target.Kind() == reflect.Pointer && !target.IsNil() {
		target = target.Elem()
	}
	name := field{"$type", dynamic.Type().String()}
	switch value := t.value(addressable(dynamic)).(type) {
	case object:
		if value.is("$type") && dynamic.Kind() == reflect.Chan {
			return typed{value}
		}
		own := target.Kind() == reflect.Map || target.Kind() == reflect.Chan // keys or a type that are not its own
		if !own && dynamic.Type() != reflect.PointerTo(syncMap) && !value.is("$base64") || value.is("$ref") {
			return typed{append(object{name}, value...)}
		}
		return typed{object{name, {"$value", value}}}
	default:
		return typed{object{name, {"$value", value}}}
	}
}

func (o object) is(mark string) bool { return len(o) > 0 && o[0].name == mark }

// channel empties and refills a channel, which keeps its order; a closed one
// cannot be refilled: its items were noted before it was filled and closed.
func (t *teller) channel(v reflect.Value) any {
	items := []any{}
	known, closed := closedChannels[v.Pointer()]
	noted, untouched := heldBack[v.Pointer()]
	through := v
	if v.Type().ChanDir() != reflect.BothDir {
		through = twoWay[v.Pointer()]
	}
	for n := v.Len(); n > 0 && !closed && !untouched; n-- {
		item, _ := through.Recv()
		items = append(items, t.value(addressable(item)))
		through.Send(item)
	}
	for _, item := range append(known, noted...) {
		items = append(items, show(item))
	}
	waiting := waiters[v.UnsafePointer()]
	return object{{"$type", v.Type().String()}, {"$len", v.Len()}, {"$cap", v.Cap()}, {"$closed", closed}, {"items", items},
		{"receivers", append([]int{}, waiting.receivers...)}, {"senders", append([]int{}, waiting.senders...)}}
}

// queues are the ids of the goroutines that wait at a channel.
type queues struct{ receivers, senders []int }

// waits notes that this goroutine will wait at a channel.
func waits(c any, sends bool) {
	mu.Lock()
	defer mu.Unlock()
	at := reflect.ValueOf(c).UnsafePointer()
	queue := waiters[at]
	if sends {
		queue.senders = append(queue.senders, goroutine())
	} else {
		queue.receivers = append(queue.receivers, goroutine())
	}
	waiters[at] = queue
}

var (
	waiters = map[unsafe.Pointer]queues{}
	// states are what was done to locks, by their address; all others are idle.
	states    = map[unsafe.Pointer]object{}
	idleLocks = map[string]object{
		"sync.Mutex":     mutexState(false, 0),
		"sync.RWMutex":   rwState(false, 0, 0, 0),
		"sync.WaitGroup": {{"counter", 0}, {"waiters", 0}},
		"sync.Once":      {{"done", false}, {"running", false}, {"waiters", 0}},
		"sync.Cond":      {{"waiters", 0}},
	}
	syncMap        = reflect.TypeOf(sync.Map{})
	wrappers       = map[string]bool{"sync/atomic": true, "math/big": true}
	closedChannels = map[uintptr][]any{}
	// heldBack are the items of channels at which senders wait: to take one out would wake them.
	heldBack = map[uintptr][]any{}
	twoWay   = map[uintptr]reflect.Value{}
)
