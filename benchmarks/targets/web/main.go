// Web is a shop's HTTP server, as small as one can be and still do what servers do: `GET /order?id=7` looks a customer up under a
// lock, prices an order in its own goroutine, and answers JSON. Beside it, -sessions goroutines wait for something to push.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

type Customer struct {
	ID    int
	Name  string
	Mail  string
	Terms map[string]int
}

type Line struct {
	Product string
	Count   int
	Price   int64
}

type Order struct {
	ID       int
	Customer *Customer
	Lines    []Line
	Total    int64
	Placed   time.Time
}

type Session struct {
	ID       int
	Customer *Customer
	Since    time.Time
	Outbox   chan string
}

type Shop struct {
	lock      sync.RWMutex
	customers map[int]*Customer
	placed    int
}

func (s *Shop) customer(id int) *Customer {
	s.lock.RLock()
	defer s.lock.RUnlock()
	return s.customers[id%len(s.customers)]
}

//go:noinline
func (s *Shop) price(order *Order, done chan<- int64) {
	total := int64(0)
	for round := int64(0); round < 200; round++ {
		for _, line := range order.Lines {
			total += (int64(line.Count)*line.Price + round) % 1009
		}
	}
	done <- total
}

//go:noinline
func (s *Shop) place(order *Order) error {
	done := make(chan int64, 1)
	go s.price(order, done)
	order.Total = <-done
	s.lock.Lock()
	s.placed++
	s.lock.Unlock()
	if order.Customer == nil {
		return fmt.Errorf("order %d has no customer", order.ID)
	}
	return nil
}

func (s *Shop) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	id, err := strconv.Atoi(request.URL.Query().Get("id"))
	if err != nil {
		http.Error(w, "no id", http.StatusBadRequest)
		return
	}
	order := &Order{ID: id, Customer: s.customer(id), Placed: time.Now()}
	for i := 0; i < 10; i++ {
		order.Lines = append(order.Lines, Line{fmt.Sprintf("product %d", id+i), i + 1, int64(id*i) % 97})
	}
	if err := s.place(order); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(order)
}

// push waits for something to tell the session's customer.
//
//go:noinline
func push(session *Session) {
	for text := range session.Outbox {
		fmt.Println(session.ID, text)
	}
}

func main() {
	sessions := flag.Int("sessions", 2000, "goroutines that wait")
	flag.Parse()
	shop := &Shop{customers: map[int]*Customer{}}
	for id := 0; id < 1000; id++ {
		name := fmt.Sprintf("customer %d", id)
		shop.customers[id] = &Customer{id, name, name + "@example.org", map[string]int{"days": id % 30}}
	}
	for id := 0; id < *sessions; id++ {
		go push(&Session{id, shop.customer(id), time.Now(), make(chan string)})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("ready {\"address\": %q}\n", listener.Addr())
	panic(http.Serve(listener, shop))
}
