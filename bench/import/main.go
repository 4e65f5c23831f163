// Command import measures the import of a laboratory's file end to end: received, sealed, previewed and stored by the
// worker, evaluated over all that is known of its people, and entered in the ledger, with the vault as a process of its
// own. The references are the same file parsed and inserted in plain text by the same driver in one transaction.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/dosevault/dosevault/bench/ref"
	"github.com/dosevault/dosevault/bench/service"
	"github.com/dosevault/dosevault/internal/day"
	"github.com/dosevault/dosevault/internal/dose"
	"github.com/dosevault/dosevault/internal/register"
)

func main() {
	people := flag.Int("people", 20_000, "wearers")
	each := flag.Int("each", 5, "readings for each")
	dir := flag.String("dir", ".", "directory on the disk to measure")
	onPostgreSQL := flag.Bool("postgres", false, "with its databases on a PostgreSQL server of its own")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop() // the program is stopped and its directory removed, whoever ends the benchmark
	r, err := run(ctx, *dir, *people, *each, *onPostgreSQL)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/import:", err)
		os.Exit(1)
	}
	if *asJSON {
		json.NewEncoder(os.Stdout).Encode(r)
		return
	}
	fmt.Printf("most memory: vault %d MiB, worker %d MiB; of them before the file came: %d and %d\n", r.Memory["vault"], r.Memory["worker"], r.Before["vault"], r.Before["worker"])
	fmt.Printf("processors' time: vault %.2f s, worker %.2f s\n", r.CPU["vault"], r.CPU["worker"])
	fmt.Printf("%s\n%d readings for %d people: received and previewed %.2f s, stored %.2f s, together %.2f s\n", r.Disk, r.Rows, r.People, r.Preview, r.Import, r.Preview+r.Import)
	fmt.Printf("plain text, one row for each record: %.2f s, ratio %.2f (at most 3, aim 1.5)\nplain text, badges and readings:    %.2f s, ratio %.2f\n", r.PlainRows, r.Ratio, r.Plain, r.RatioTables)
}

// Result is what was measured; times in seconds.
type Result struct {
	Disk        string  `json:"disk"`
	People      int     `json:"people"`
	Rows        int     `json:"rows"`
	Preview     float64 `json:"preview_seconds"`
	Import      float64 `json:"import_seconds"`
	PlainRows   float64 `json:"plain_rows_seconds"`
	Plain       float64 `json:"plain_tables_seconds"`
	Ratio       float64 `json:"ratio"`        // of both steps to PlainRows
	RatioTables float64 `json:"ratio_tables"` // of both steps to Plain

	CPU    map[string]float64 `json:"cpu_seconds"`       // of each process, over both steps
	Memory map[string]int     `json:"memory_mib"`        // the most that each process has had
	Before map[string]int     `json:"memory_before_mib"` // before the file came
}

func run(ctx context.Context, dir string, people, each int, onPostgreSQL bool) (r Result, err error) {
	disk, err := ref.Describe(dir)
	if err != nil {
		return r, err
	}
	r.Disk, r.People, r.Rows = disk.String(), people, people*each
	s, err := service.Start(ctx, dir, service.Setup{PostgreSQL: onPostgreSQL})
	if err != nil {
		return r, err
	}
	defer func() {
		if e := s.Stop(); err == nil {
			err = e
		}
	}()
	org, wearers, err := s.Employ(ctx, "Benchmark Board", "100200", people)
	if err != nil {
		return r, err
	}
	var badges []register.Dispatched
	var file bytes.Buffer
	fmt.Fprintln(&file, heading)
	for i, w := range wearers {
		for k := range each {
			from := day.Of(2026, time.Month(5-k), 1) // backwards, so that none lies ahead
			to := from.AddMonths(1) - 1
			barcode := fmt.Sprintf("B%07d", i*each+k)
			badges = append(badges, register.Dispatched{Barcode: barcode, Batch: "B1", State: register.Issued, Organisation: org, Wearer: w, Position: dose.Eye, From: from, To: to})
			fmt.Fprintf(&file, "100200,Benchmark Board,A,,%s,%s,%d,,,\"%s, SYNTHETIC\",,LUXEL,LENS,P,%s,%s,M,%d.%02d,,,,,,,,,,,,2020/01,%s,0,\n",
				to+20, to+21, i, service.Surname(i), from, to, i%3, i%100, barcode)
		}
	}
	for len(badges) > 0 {
		n := min(50_000, len(badges))
		if _, err := s.Register.Dispatch(ctx, s.Auth, badges[:n], "benchmark"); err != nil {
			return r, err
		}
		badges = badges[n:]
	}
	path := filepath.Join(filepath.Dir(s.Dir), "report.csv")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		return r, err
	}

	if r.Before, err = s.Peaks(); err != nil {
		return r, err
	}
	before, err := s.CPU()
	if err != nil {
		return r, err
	}
	began := time.Now()
	n, err := s.Register.Receive(ctx, s.Auth, file.Bytes(), "benchmark")
	if err != nil {
		return r, err
	}
	await := func(want register.State) error {
		for {
			im, err := s.Register.Store.Import(ctx, n)
			switch {
			case err != nil:
				return err
			case im.State == want:
				if im.Stored != r.Rows {
					return fmt.Errorf("%d of %d rows were accepted", im.Stored, r.Rows)
				}
				return nil
			case im.State == register.Failed:
				return fmt.Errorf("the import failed: %s", im.Failure)
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
	if err := await(register.Previewed); err != nil {
		return r, err
	}
	r.Preview = time.Since(began).Seconds()
	began = time.Now()
	if err := s.Register.Accept(ctx, s.Auth, n); err != nil {
		return r, err
	}
	if err := await(register.Done); err != nil {
		return r, err
	}
	r.Import = time.Since(began).Seconds()
	after, err := s.CPU()
	if err != nil {
		return r, err
	}
	r.CPU = map[string]float64{}
	for process, spent := range after {
		r.CPU[process] = (spent - before[process]).Seconds()
	}
	if r.Memory, err = s.Peaks(); err != nil {
		return r, err
	}

	var rows, tables ref.Import
	if onPostgreSQL {
		rows, err = ref.PlainCopy(ctx, s.Database, path)
		tables = rows
	} else if rows, err = ref.PlainRows(dir, path, "FULL"); err == nil {
		tables, err = ref.PlainImport(dir, path, "FULL")
	}
	if err != nil {
		return r, err
	}
	r.PlainRows, r.Plain = rows.Elapsed.Seconds(), tables.Elapsed.Seconds()
	r.Ratio, r.RatioTables = (r.Preview+r.Import)/r.PlainRows, (r.Preview+r.Import)/r.Plain
	return r, nil
}

const heading = "Account Number,Account Name,Series Code,AWO,Scan Date,Import Date,Participant Number,UniqueID,ID Number,Participant Name,DOB,Dosimeter,Use,Rad Quality,Period Begin Date,Period End Date," +
	"Current DDE,Current LDE,Current SDE,Current Neutron,Quarter DDE,Quarter LDE,Quarter SDE,YTD DDE,YTD LDE,YTD SDE,Life DDE,Life LDE,Life SDE,Inception Date,Serial Number,Version,NoteCode"
