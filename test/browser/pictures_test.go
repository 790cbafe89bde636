package browser

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// pictures is the folder of the documents' pictures, if they are to be made anew; empty
// otherwise.
var pictures = os.Getenv("TONGBO_PICTURES")

// documented are the pictures of README and docs, and the pages of TestEveryPage that they
// show.
var documented = map[string]string{
	"home.ko.png":   "ko-light/test.png",
	"notice.ko.png": "ko-light/test-notices-id.png",
	"notice.en.png": "en-dark/test-notices-id.png",
}

// refresh makes pictures of documents from those of the run, by name.
func refresh(t *testing.T, documented map[string]string) {
	t.Helper()
	if shots == "" || pictures == "" {
		return
	}
	for name, from := range documented {
		text, err := os.ReadFile(filepath.Join(shots, filepath.FromSlash(from)))
		if err != nil {
			t.Errorf("the page of %s was not seen: %v", name, err)
			continue
		}
		small, err := fewColours(text)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := os.WriteFile(filepath.Join(pictures, name), small, 0o644); err != nil {
			t.Error(err)
		}
	}
}

// fewColours is a picture with the 256 colours that it has most of, which a page hardly
// shows, in a third of the bytes.
func fewColours(text []byte) ([]byte, error) {
	in, err := png.Decode(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	b := in.Bounds()
	whole := image.NewRGBA(b)
	draw.Draw(whole, b, in, b.Min, draw.Src)
	count := map[color.RGBA]int{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[whole.RGBAAt(x, y)]++
		}
	}
	most := slices.SortedFunc(maps.Keys(count), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	palette := make(color.Palette, 0, 256)
	for _, c := range most[:min(len(most), 256)] {
		palette = append(palette, c)
	}
	nearest := make(map[color.RGBA]uint8, len(count))
	for c := range count {
		nearest[c] = uint8(palette.Index(c))
	}
	out := image.NewPaletted(b, palette)
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			out.SetColorIndex(x, y, nearest[whole.RGBAAt(x, y)])
		}
	}
	var small bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, out)
	return small.Bytes(), err
}

// TestFewColours: a picture with few colours stays as it is, and one with more than there is
// room for comes close to it.
func TestFewColours(t *testing.T) {
	for _, many := range []int{3, 1000} {
		in := image.NewRGBA(image.Rect(0, 0, 100, 20))
		for i := range 100 * 20 {
			in.SetRGBA(i%100, i/100, color.RGBA{uint8(i % many), uint8(i % many / 4), 200, 255})
		}
		var text bytes.Buffer
		if err := png.Encode(&text, in); err != nil {
			t.Fatal(err)
		}
		small, err := fewColours(text.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		out, err := png.Decode(bytes.NewReader(small))
		if err != nil {
			t.Fatal(err)
		}
		paletted, ok := out.(*image.Paletted)
		if !ok || out.Bounds() != in.Bounds() {
			t.Fatalf("%d colours: it is %T, %v", many, out, out.Bounds())
		}
		for i := range 100 * 20 {
			a, b := in.RGBAAt(i%100, i/100), color.RGBAModel.Convert(paletted.At(i%100, i/100)).(color.RGBA)
			if far := abs(int(a.R)-int(b.R)) + abs(int(a.G)-int(b.G)) + abs(int(a.B)-int(b.B)); many < 256 && far > 0 || far > 300 {
				t.Fatalf("%d colours: %v became %v", many, a, b)
			}
		}
	}
	if _, err := fewColours([]byte("no picture")); err == nil {
		t.Error("what is no picture became one")
	}
}

func abs(n int) int { return max(n, -n) }
