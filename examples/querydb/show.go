package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"sort"
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

// MarshalJSON writes the fields in order.
func (o object) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	out.WriteByte('{')
	for i, f := range o {
		if i > 0 {
			out.WriteByte(',')
		}
		name, err := json.Marshal(f.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(f.value)
		if err != nil {
			return nil, err
		}
		out.Write(name)
		out.WriteByte(':')
		out.Write(value)
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

// show renders what a pointer points to as Freezeframe does (without $addr),
// by reflection: a second opinion that shares no code with it. Unexported
// fields are shown too. There must be no cycles.
func show(pointer any) any {
	return showValue(reflect.ValueOf(pointer).Elem())
}

// showValue expects an addressable value.
func showValue(v reflect.Value) any {
	v = reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem() // lifts the ban on unexported fields
	if t, ok := v.Interface().(time.Time); ok {
		return t.UTC().Format("2006-01-02T15:04:05.000000000Z")
	}
	switch v.Kind() {
	case reflect.Bool, reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return plain(v)
	case reflect.Float32, reflect.Float64:
		return showFloat(v)
	case reflect.Struct:
		return showStruct(v)
	case reflect.Array:
		return showItems(v)
	case reflect.Slice, reflect.Pointer, reflect.Map, reflect.Interface, reflect.Func, reflect.Chan:
		if v.IsNil() {
			return nil
		}
		return showReference(v)
	default:
		panic("show: no form for " + v.Type().String())
	}
}

// plain drops a type's methods, so that JSON shows an enum or Duration as its number.
func plain(v reflect.Value) any {
	switch {
	case v.CanInt():
		return v.Int()
	case v.CanUint():
		return v.Uint()
	case v.Kind() == reflect.Bool:
		return v.Bool()
	default:
		return v.String()
	}
}

func showReference(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer:
		return showValue(v.Elem())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return showBytes(v.Bytes())
		}
		return showItems(v)
	case reflect.Map:
		return showMap(v)
	case reflect.Interface:
		return showInterface(v)
	case reflect.Func:
		return object{{"$func", runtime.FuncForPC(v.Pointer()).Name()}}
	default:
		return showChan(v)
	}
}

func showFloat(v reflect.Value) any {
	f := v.Float()
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "+Inf"
	case math.IsInf(f, -1):
		return "-Inf"
	default:
		return f
	}
}

func showBytes(b []byte) any {
	if utf8.Valid(b) {
		return string(b)
	}
	return object{{"$base64", base64.StdEncoding.EncodeToString(b)}}
}

func showStruct(v reflect.Value) any {
	if v.Type().PkgPath() == "sync/atomic" {
		return showValue(v.FieldByName("v"))
	}
	shown := object{}
	for i := 0; i < v.NumField(); i++ {
		if name := v.Type().Field(i).Name; name != "_" {
			shown = append(shown, field{name, showValue(v.Field(i))})
		}
	}
	return shown
}

func showItems(v reflect.Value) any {
	items := make([]any, v.Len())
	for i := range items {
		items[i] = showValue(v.Index(i))
	}
	return items
}

func showMap(v reflect.Value) any {
	shown := object{}
	for _, key := range v.MapKeys() {
		shown = append(shown, field{fmt.Sprint(key.Interface()), showValue(addressable(v.MapIndex(key)))})
	}
	sort.Slice(shown, func(i, j int) bool { return shown[i].name < shown[j].name })
	return shown
}

func addressable(v reflect.Value) reflect.Value {
	copied := reflect.New(v.Type()).Elem()
	copied.Set(v)
	return copied
}

// showInterface adds the dynamic type: into a struct's object, or around anything else.
func showInterface(v reflect.Value) any {
	dynamic := v.Elem()
	name := field{"$type", dynamic.Type().String()}
	value := showValue(addressable(dynamic))
	if fields, ok := value.(object); ok {
		return append(object{name}, fields...)
	}
	return object{name, {"$value", value}}
}

// showChan empties and refills a channel, which keeps its order; nobody else
// uses it while load mode holds still. It must be open.
func showChan(v reflect.Value) any {
	items := []any{}
	for n := v.Len(); n > 0; n-- {
		item, _ := v.Recv()
		items = append(items, showValue(addressable(item)))
		v.Send(item)
	}
	return object{{"$type", v.Type().String()}, {"$len", v.Len()}, {"$cap", v.Cap()}, {"$closed", false}, {"items", items}}
}
