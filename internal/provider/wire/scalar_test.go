package wire

import (
	"strconv"
	"testing"
	"time"
)

func TestAmount(t *testing.T) {
	t.Parallel()
	good := map[string]int64{
		"1000": 1000, " 1000 ": 1000, "000000001000": 1000, "1,000": 1000, "12,345,678": 12345678, "1000원": 1000,
		"1,000 원": 1000, "1000.00": 1000, "1,000.00원": 1000, "0": 0, "000": 0, "0.00": 0, "1": 1,
		"999999999999999": 999999999999999, "00000999999999999999": 999999999999999, "001,000": 1000,
	}
	for in, want := range good {
		if got, err := Amount(in); err != nil || got != want {
			t.Errorf("Amount(%q) = %d, %v, want %d", in, got, err, want)
		}
	}
	bad := []string{
		"", " ", "원", ".00", ",", "-1000", "+1000", "1000-", "(1000)", "1e3", "0x10", "abc", "1000 KRW", "1000.0", "1000.50",
		"1000.000", "1000.00.00", "1.000", "1,00", "1,0000", "1000,", ",000", "1,,000", "1 000", "１０００", "₩1000", "1000원원",
		"1000000000000000", "9223372036854775808", "1\x00", "1_000", "NaN",
	}
	for _, in := range bad {
		got, err := Amount(in)
		if err == nil || got != 0 {
			t.Errorf("Amount(%q) = %d, %v, want an error", in, got, err)
			continue
		}
		mustBeInvalid(t, err)
	}
}

func TestDigits(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "110-123-456789": "110123456789", " 5621 1107 ": "56211107", "가1나2": "12", "１2": "2", "abc": "",
	} {
		if got := Digits(in); got != want {
			t.Errorf("Digits(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSeoulIsNineHoursAhead(t *testing.T) {
	t.Parallel()
	if name, offset := time.Unix(0, 0).In(Seoul).Zone(); name != "Asia/Seoul" || offset != 9*60*60 {
		t.Errorf("zone %s, offset %d", name, offset)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		read func(string) (time.Time, error)
		good map[string]string
		bad  []string
	}{
		{"Time", Time, map[string]string{
			"20260801120000": "2026-08-01T12:00:00+09:00", " 20260801120001 ": "2026-08-01T12:00:01+09:00",
			"20260801": "2026-08-01T00:00:00+09:00", "202608011234": "2026-08-01T12:34:00+09:00",
			"20240229235959": "2024-02-29T23:59:59+09:00", "99991231": "9999-12-31T00:00:00+09:00",
		}, []string{
			"", "260801120000", "20260230", "20250229", "20261301", "00000000", "00000000000000", "20260801240000",
			"20260801126000", "20260801120060", "2026-08-01", "2026080112", "20260801120000.5", "2026080112000a",
			"-0260801", "２０２６", "20260801 12000",
		}},
		{"ShortTime", ShortTime, map[string]string{
			"260801120000": "2026-08-01T12:00:00+09:00", " 000229000000": "2000-02-29T00:00:00+09:00",
			"991231235959": "2099-12-31T23:59:59+09:00",
		}, []string{
			"", "202608011200", "201308011200", "20260801120000", "260801", "260230120000", "2608011200.0", "26080112000a",
		}},
		{"EitherTime", EitherTime, map[string]string{
			"260801120000": "2026-08-01T12:00:00+09:00", " 20260801120001 ": "2026-08-01T12:00:01+09:00",
		}, []string{"", "20260801", "202608011200", "2026080112000a", "20260230120000"}},
		{"Deadline", Deadline, map[string]string{
			"20260801120000": "2026-08-01T12:00:00+09:00", " 20260801 ": "2026-08-01T23:59:59+09:00",
			"202608011234": "2026-08-01T12:34:00+09:00", "20240229": "2024-02-29T23:59:59+09:00",
		}, []string{"", "20260230", "00000000", "2026-08-01"}},
		{"ISOTime", ISOTime, map[string]string{
			"2026-08-01T12:00:00+09:00": "2026-08-01T12:00:00+09:00", "2026-08-01T12:00:00+0900": "2026-08-01T12:00:00+09:00",
			"2026-08-01T12:00:00": "2026-08-01T12:00:00+09:00", "2026-08-01 12:00:00": "2026-08-01T12:00:00+09:00",
			"2026-08-01T03:00:00Z": "2026-08-01T12:00:00+09:00", "2026-08-01T12:00:00.5": "2026-08-01T12:00:00.5+09:00",
			"2026-08-01T12:00:00.123456789-05:30": "2026-08-02T02:30:00.123456789+09:00",
			"2026-08-01T12:00:00.000+0900":        "2026-08-01T12:00:00+09:00", "2026-08-01T12:00:00.123456": "2026-08-01T12:00:00.123456+09:00",
			" 2026-08-01T12:00:00Z ": "2026-08-01T21:00:00+09:00",
		}, []string{
			"", "2026-08-01", "2026-08-01T12:00", "20260801T120000", "2026-08-01T12:00:00.", "2026-08-01T12:00:00,5",
			"2026-08-01T12:00:00.1234567890", "2026-08-01T12:00:00z", "2026-08-01t12:00:00", "2026-02-30T12:00:00", "2026-08-01T24:00:00",
			"2026-08-01T12:00:00+9:00", "2026-08-01T12:00:00+09", "2026-08-01T12:00:00+99:00", "2026-08-01T12:00:00 +09:00",
			"9999-12-31T23:59:59Z", "0000-01-01T00:00:00+23:00", "2026-08-01T12:00:60Z", "2026-08-01T12:00:00Z\x00",
		}},
	}
	for _, tt := range tests {
		for in, want := range tt.good {
			got, err := tt.read(in)
			if err != nil || got.Format(time.RFC3339Nano) != want || got.Location() != Seoul {
				t.Errorf("%s(%q) = %v, %v, want %s", tt.name, in, got, err, want)
			}
		}
		for _, in := range tt.bad {
			got, err := tt.read(in)
			if err == nil {
				t.Errorf("%s(%q) = %v, want an error", tt.name, in, got)
				continue
			}
			mustBeInvalid(t, err)
		}
	}
}

func FuzzAmount(f *testing.F) {
	for _, s := range []string{"1000", "1,000원", "000.00", "-1", "999999999999999", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := Amount(s)
		if err != nil {
			mustBeInvalid(t, err)
			return
		}
		if n < 0 || n > 999_999_999_999_999 {
			t.Fatalf("Amount(%q) = %d", s, n)
		}
		if again, err := Amount(strconv.FormatInt(n, 10)); err != nil || again != n {
			t.Errorf("Amount(%q) = %d, which reads as %d, %v", s, n, again, err)
		}
	})
}

func FuzzISOTime(f *testing.F) {
	for _, s := range []string{"2026-08-01T12:00:00+09:00", "2026-08-01 12:00:00.5", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-2300"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := ISOTime(s)
		if err != nil {
			mustBeInvalid(t, err)
			return
		}
		if again, err := ISOTime(at.Format(time.RFC3339Nano)); err != nil || !again.Equal(at) {
			t.Errorf("ISOTime(%q) = %v, which reads as %v, %v", s, at, again, err)
		}
	})
}
