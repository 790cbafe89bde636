package archtest

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// drawers are names that say nothing about what is inside.
var drawers = []string{"util", "utils", "common", "helper", "helpers", "misc", "types", "model", "models", "service", "services", "manager"}

// packagesCommented checks that every package says what it is for, once.
func packagesCommented(t tree) []string {
	comments := map[string][]string{} // files with a package comment, by folder
	for _, f := range t.files {
		if f.syntax.Doc.Text() != "" {
			comments[f.folder()] = append(comments[f.folder()], f.path)
		}
	}
	var complaints []string
	for _, folder := range t.folders() {
		switch files := comments[folder]; len(files) {
		case 0:
			complaints = append(complaints, folder+": the package has no comment")
		case 1:
		default:
			complaints = append(complaints, fmt.Sprintf("%s: the package has several comments, in %s", folder, strings.Join(files, ", ")))
		}
	}
	return complaints
}

// packagesNamed checks that a package is a noun of the field or a job.
func packagesNamed(t tree) []string {
	var complaints []string
	for _, folder := range t.folders() {
		if base := path.Base(folder); slices.Contains(drawers, base) || strings.Contains(base, "_") {
			complaints = append(complaints, fmt.Sprintf("%s: %s is no name for a package", folder, base))
		}
	}
	return complaints
}

// providersComplete checks that each PG's folder has all its parts, that it is
// tested and fuzzed as every PG is, and that provider/all lists it. Package wallet's PGs
// send no notices that could be read.
func providersComplete(t tree) []string {
	const root = "internal/provider"
	listed, declared := map[string]bool{}, map[string]bool{}
	var folders []string
	for _, f := range t.files {
		for _, fn := range functions(f) {
			if f.isTest() {
				declared[f.folder()+" "+fn.Name.Name] = true
			}
		}
		if f.folder() == root+"/all" {
			for _, folder := range f.imports() {
				listed[folder] = true
			}
		}
		if path.Dir(f.folder()) == root && !slices.Contains([]string{"all", "books", "trial", "wallet", "wire", "providertest"}, path.Base(f.folder())) {
			folders = append(folders, f.folder())
		}
	}
	var complaints []string
	for _, folder := range slices.Compact(folders) {
		parts := []string{"notice.go", "sim.go", "*_test.go", "guide.ko.md", "guide.en.md", "testdata/*.txtar"}
		for _, part := range append(parts, path.Base(folder)+".go") {
			if found, err := fs.Glob(t.fsys, folder+"/"+part); err != nil || len(found) == 0 {
				complaints = append(complaints, fmt.Sprintf("%s has no %s", folder, part))
			}
		}
		for test, run := range map[string]string{"TestProvider": "providertest.Run", "FuzzProvider": "providertest.Fuzz"} {
			if !declared[folder+" "+test] {
				complaints = append(complaints, fmt.Sprintf("%s has no %s, which calls %s", folder, test, run))
			}
		}
		if !listed[folder] {
			complaints = append(complaints, root+"/all does not list "+folder)
		}
	}
	return complaints
}
