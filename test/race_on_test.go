//go:build race

package test

// raced says that the race detector is on. The program that these tests run is
// built without it, so they run once, in the pass without it.
const raced = true
