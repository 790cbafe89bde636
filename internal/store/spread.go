package store

import (
	"fmt"
	"runtime"
	"sync"
)

// A later is a value of a row that is made when the row is written: what seals
// costs more than what writes, so rows of one transaction are sealed at once.
type later func() ([]byte, error)

// settleLaters makes the values that were put off, in place.
func settleLaters(rows [][]any) error {
	var at []*any
	for _, r := range rows {
		for i := range r {
			if _, ok := r[i].(later); ok {
				at = append(at, &r[i])
			}
		}
	}
	return spread(len(at), func(i int) error {
		b, err := (*at[i]).(later)() //nolint:forcetypeassert // it was one above
		*at[i] = b
		return err
	})
}

// fewAlone is how many pieces of work are done before help is worth its price.
const fewAlone = 4

// spread does n pieces of work on all processors and returns the first error in
// their order. A panic becomes an error: it must not end the process, where
// nobody above would catch it.
func spread(n int, do func(i int) error) error {
	errs := make([]error, n)
	one := func(i int) {
		defer func() {
			if p := recover(); p != nil {
				errs[i] = &programError{fmt.Errorf("panic in a transaction: %v", p)}
			}
		}()
		errs[i] = do(i)
	}
	hands := min(runtime.GOMAXPROCS(0), n/fewAlone+1)
	var others sync.WaitGroup
	for hand := 1; hand < hands; hand++ {
		others.Go(func() {
			for i := hand; i < n; i += hands {
				one(i)
			}
		})
	}
	for i := 0; i < n; i += hands {
		one(i)
	}
	others.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
