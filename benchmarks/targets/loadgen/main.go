// Loadgen asks an HTTP server for orders from -connections connections, each as soon as the last answer is there.
//
// For every line on standard input it answers with a line of JSON what happened since the line before: seconds, requests,
// failures, the longest, and how many took how long (bucket b: up to 1.05^b microseconds).
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

type counts struct {
	Seconds  float64     `json:"seconds"`
	Requests int         `json:"requests"`
	Failures int         `json:"failures"`
	Failure  string      `json:"failure"`
	Longest  float64     `json:"longest_us"`
	Buckets  map[int]int `json:"buckets"`
}

type tally struct {
	lock sync.Mutex
	counts
	since time.Time
}

func (t *tally) add(took time.Duration, failure string) {
	us := float64(took.Nanoseconds()) / 1e3
	bucket := max(0, int(math.Ceil(math.Log(us)/math.Log(1.05))))
	t.lock.Lock()
	defer t.lock.Unlock()
	t.Requests++
	t.Buckets[bucket]++
	t.Longest = max(t.Longest, us)
	if failure != "" {
		t.Failures++
		t.Failure = failure
	}
}

// take is what was counted since the last call.
func (t *tally) take() counts {
	t.lock.Lock()
	defer t.lock.Unlock()
	found, now := t.counts, time.Now()
	found.Seconds = now.Sub(t.since).Seconds()
	t.counts, t.since = counts{Buckets: map[int]int{}}, now
	return found
}

var id atomic.Int64

// ask asks once; "" or what went wrong.
func ask(client *http.Client, address string) string {
	wanted := id.Add(1) % 100_000
	answer, err := client.Get(fmt.Sprintf("http://%s/order?id=%d", address, wanted))
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err.Error()
	}
	var order struct{ ID int64 }
	if err := json.Unmarshal(body, &order); err != nil || answer.StatusCode != 200 || order.ID != wanted {
		return fmt.Sprintf("status %d, asked for %d: %s", answer.StatusCode, wanted, body)
	}
	return ""
}

func main() {
	address := flag.String("address", "", "host:port")
	connections := flag.Int("connections", 32, "requests at a time")
	flag.Parse()
	transport := &http.Transport{MaxIdleConnsPerHost: *connections, MaxConnsPerHost: *connections}
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	all := &tally{counts: counts{Buckets: map[int]int{}}, since: time.Now()}
	for i := 0; i < *connections; i++ {
		go func() {
			for {
				began := time.Now()
				failure := ask(client, *address)
				all.add(time.Since(began), failure)
			}
		}()
	}
	fmt.Println("ready {}")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		text, err := json.Marshal(all.take())
		if err != nil {
			panic(err)
		}
		fmt.Println(string(text))
	}
}
