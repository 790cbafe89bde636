//go:build race && linux

package main

// raced says that the race detector is on. The program that is measured is built
// without it, so it is measured once, in the pass without it.
const raced = true
