// Package browser drives the console in Chromium: the program as `tongbo serve` starts it,
// on a temporary database, and a browser as people have it. What a browser complains of
// anywhere (an error of a script, a resource that is not there, something that the
// content's policy stopped) fails the test that led there.
//
// `make screenshots` runs the same pages and keeps a picture of each;
// `make screenshots PICTURES=docs/images` makes those of the documents anew from them.
package browser
