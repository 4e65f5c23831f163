// Command reveal measures reveals through the vault's socket or, with --tcp, mutual TLS over loopback, each durable in the ledger before it is answered: many
// sessions that read one person each, requests for 256 people, and one session alone. The reference is a hash-chained
// file with one fdatasync for all entries that wait at the same time.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/dosevault/dosevault/bench/ref"
	"github.com/dosevault/dosevault/bench/service"
	"github.com/dosevault/dosevault/internal/id"
	"github.com/dosevault/dosevault/internal/policy"
	"github.com/dosevault/dosevault/internal/vaultclient"
)

func main() {
	people := flag.Int("people", 5000, "wearers")
	seconds := flag.Float64("seconds", 5, "length of each measurement")
	dir := flag.String("dir", ".", "directory on the disk to measure")
	tcp := flag.Bool("tcp", false, "by TCP over loopback instead of the vault's socket")
	onPostgreSQL := flag.Bool("postgres", false, "with its databases on a PostgreSQL server of its own")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop() // the program is stopped and its directory removed, whoever ends the benchmark
	r, err := run(ctx, *dir, service.Setup{PostgreSQL: *onPostgreSQL, TCP: *tcp}, *people, time.Duration(*seconds*float64(time.Second)))
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/reveal:", err)
		os.Exit(1)
	}
	if *asJSON {
		json.NewEncoder(os.Stdout).Encode(r)
		return
	}
	fmt.Println(r.Disk)
	for _, m := range r.Measured {
		fmt.Printf("%2d sessions, %3d people a request: %7.0f entries/s, %8.0f people/s, p50 %.2f ms, p99 %.2f ms; CPU for each entry: vault %.0f µs, client %.0f µs\n",
			m.Sessions, m.People, m.PerSecond, m.PerSecond*float64(m.People), m.P50, m.P99, m.VaultCPU, m.ClientCPU)
	}
	fmt.Printf("hash chain, 64 writers:            %7.0f entries/s; ratio of 64 sessions to it 1 : %.1f\n", r.Chain, r.Ratio)
}

// Result is what was measured.
type Result struct {
	Disk     string     `json:"disk"`
	Measured []Measured `json:"measured"`
	Chain    float64    `json:"hash_chain_per_second"`
	Ratio    float64    `json:"chain_to_64_sessions"`
}

// Measured is one measurement. The processors' time tells more than the clock's on a machine that does other work too.
type Measured struct {
	Sessions  int     `json:"sessions"`
	People    int     `json:"people"`
	PerSecond float64 `json:"entries_per_second"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	VaultCPU  float64 `json:"vault_cpu_us"`  // for each entry, on all cores together
	ClientCPU float64 `json:"client_cpu_us"` // likewise
}

// mostPeople is the size of the largest request.
const mostPeople = 256

func run(ctx context.Context, dir string, setup service.Setup, people int, length time.Duration) (r Result, err error) {
	if people < mostPeople {
		return r, fmt.Errorf("at least %d people are needed for the largest request", mostPeople)
	}
	disk, err := ref.Describe(dir)
	if err != nil {
		return r, err
	}
	r.Disk = disk.String()
	chain, err := ref.HashChain(dir, 64, 100_000)
	if err != nil {
		return r, err
	}
	r.Chain = chain.PerSecond()
	s, err := service.Start(ctx, dir, setup)
	if err != nil {
		return r, err
	}
	defer func() {
		if e := s.Stop(); err == nil {
			err = e
		}
	}()
	_, wearers, err := s.Employ(ctx, "Benchmark Board", "100200", people)
	if err != nil {
		return r, err
	}
	for _, m := range []Measured{{Sessions: 1, People: 1}, {Sessions: 64, People: 1}, {Sessions: 8, People: mostPeople}} {
		if err := measure(ctx, s, wearers, &m, length); err != nil {
			return r, err
		}
		r.Measured = append(r.Measured, m)
		if m.Sessions == 64 {
			r.Ratio = r.Chain / m.PerSecond
		}
	}
	return r, nil
}

// measure runs sessions of users of their own at full speed.
func measure(ctx context.Context, s *service.Service, wearers []id.Wearer, m *Measured, length time.Duration) error {
	web, err := s.Client("web")
	if err != nil {
		return err
	}
	defer web.Close()
	auths, err := s.Sessions(ctx, web, m.Sessions)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	var took []time.Duration
	var errs []error
	var group sync.WaitGroup
	vaultBefore, clientBefore, err := spent(s)
	if err != nil {
		return err
	}
	began := time.Now()
	for i, auth := range auths {
		group.Go(func() {
			var mine []time.Duration
			var err error
			for n := i * 37; time.Since(began) < length && err == nil; n += m.People {
				at := n % (len(wearers) - m.People + 1)
				start := time.Now()
				_, err = web.Reveal(ctx, auth, vaultclient.RevealRequest{Purpose: policy.IssueBadges, Fields: policy.FieldName, Wearers: wearers[at : at+m.People]})
				mine = append(mine, time.Since(start))
			}
			mu.Lock()
			defer mu.Unlock()
			took, errs = append(took, mine...), append(errs, err)
		})
	}
	group.Wait()
	elapsed := time.Since(began)
	vaultAfter, clientAfter, err := spent(s)
	if err != nil {
		return err
	}
	each := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) / float64(len(took)) }
	m.VaultCPU, m.ClientCPU = each(vaultAfter-vaultBefore), each(clientAfter-clientBefore)
	slices.Sort(took)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	m.PerSecond, m.P50, m.P99 = float64(len(took))/elapsed.Seconds(), ms(took[len(took)/2]), ms(took[len(took)*99/100])
	return errors.Join(errs...)
}

// spent is what vault and client have had of the processors so far.
func spent(s *service.Service) (vault, client time.Duration, err error) {
	all, err := s.CPU()
	if err != nil {
		return 0, 0, err
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		return 0, 0, err
	}
	return all["vault"], time.Duration(own.Utime.Nano() + own.Stime.Nano()), nil
}
