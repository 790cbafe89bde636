//go:build !race

package store_test

// underRace says that the race detector makes everything slow.
const underRace = false
