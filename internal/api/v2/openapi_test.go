package v2

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tongbo/tongbo/internal/api/openapi/openapitest"
	"github.com/tongbo/tongbo/internal/payment"
)

// documents are those that describe this face. Every call of a bench is held
// against them.
var documents = []string{"v2.yaml", "tongbo.yaml"}

// elsewhere are operations of the documents that the server answers itself.
var elsewhere = []string{"GET /healthz", "GET /readyz", "GET /openapi/{document}"}

func routes() (out []string) {
	rt, _ := (&API{}).Routes().(router)
	for _, op := range rt.operations {
		out = append(out, op.method+" "+op.path)
	}
	slices.Sort(out)
	return out
}

func TestEveryRouteIsDocumented(t *testing.T) {
	t.Parallel()
	s, err := openapitest.Served()
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, op := range s.Operations(documents...) {
		if name := op.Method + " " + op.Path; !slices.Contains(elsewhere, name) {
			documented = append(documented, name)
		}
	}
	slices.Sort(documented)
	if diff := cmp.Diff(routes(), documented); diff != "" {
		t.Errorf("routes and documents (-routes +documents):\n%s", diff)
	}
}

// TestEveryErrorIsListed holds what a route may be answered besides its own errors
// against the documents.
func TestEveryErrorIsListed(t *testing.T) {
	t.Parallel()
	s, err := openapitest.Served()
	if err != nil {
		t.Fatal(err)
	}
	rt, _ := (&API{}).Routes().(router)
	for _, o := range rt.operations {
		want := []string{"429", "500", "503"}
		if !o.open {
			want = append(want, "401", "403")
		}
		if o.method != http.MethodGet || strings.Contains(o.path, "{") {
			want = append(want, "400")
		}
		if !o.open && o.method != http.MethodGet {
			want = append(want, "409") // IDEMPOTENCY_OUTSTANDING_REQUEST
		}
		have := s.Statuses(o.method, o.path, documents...)
		for _, status := range want {
			if !slices.Contains(have, status) {
				t.Errorf("%s %s: status %s is not documented", o.method, o.path, status)
			}
		}
	}
}

// TestWordsAreDocumented compares lists of words with their enums.
func TestWordsAreDocumented(t *testing.T) {
	t.Parallel()
	s, err := openapitest.Served()
	if err != nil {
		t.Fatal(err)
	}
	var banks []string
	for _, b := range payment.Banks() {
		banks = append(banks, string(b.Bank))
	}
	states := []string{"PENDING"}
	for _, p := range payment.States() {
		states = append(states, string(p))
	}
	fields := []string{byMerchantID}
	for name := range nameKinds {
		fields = append(fields, name)
	}
	filter := func(field string) []string {
		return []string{"components", "schemas", "PaymentFilter", "properties", field}
	}
	for _, c := range []struct {
		at   []string
		want []string
	}{
		{[]string{"components", "schemas", "Bank"}, banks},
		{[]string{"components", "schemas", "PgProvider"}, append(slices.Clone(pgProviders), "UNKNOWN")},
		{[]string{"components", "schemas", "PaymentStatus"}, states},
		{filter("timestampType"), timestampTypes},
		{filter("sortBy"), sortKeys},
		{filter("sortOrder"), sortOrders},
		{filter("version"), versions},
		{filter("platformType"), clientTypes},
		{append(filter("methods"), "items"), methodTypes},
		{filter("escrowStatus"), escrowStates},
		{filter("giftCertificateType"), giftTypes},
		{append(filter("textSearch"), "items", "properties", "field"), append(fields, absentFields...)},
	} {
		got, want := s.Words("v2.yaml", c.at...), slices.Sorted(slices.Values(c.want))
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-code +document):\n%s", strings.Join(c.at, "/"), diff)
		}
	}
}

// TestFieldsAreDocumented compares the fields that bodies are read for with those
// of their schemas.
func TestFieldsAreDocumented(t *testing.T) {
	t.Parallel()
	s, err := openapitest.Served()
	if err != nil {
		t.Fatal(err)
	}
	refused := []string{ // understood, so that they can be refused
		"/webhookStatus", "/isScheduled", "/cardBrand", "/cardType", "/cardOwnerType", "/cashReceiptType", "/cashReceiptStatus", "/cashReceiptIssuedAtRange", "/cashReceiptCancelledAtRange",
	}
	for _, c := range []struct {
		doc, schema string
		body        any
	}{
		{"v2.yaml", "InstantInput", instantBody{}},
		{"v2.yaml", "BillingKeyPaymentInput", keyPayment{}},
		{"v2.yaml", "BillingKeyInput", keyBody{}},
		{"v2.yaml", "CancelInput", cancelBody{}},
		{"v2.yaml", "PaymentFilter", paymentFilter{}},
		{"v2.yaml", "CursorInput", cursorInput{}},
		{"tongbo.yaml", "RegisterInput", registerBody{}},
	} {
		want := slices.DeleteFunc(fieldsOf(reflect.TypeOf(c.body), ""), func(name string) bool {
			return slices.ContainsFunc(refused, func(r string) bool { return strings.HasSuffix(name, r) })
		})
		slices.Sort(want)
		got := s.Fields(c.doc, "components", "schemas", c.schema)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-code +document):\n%s", c.schema, diff)
		}
	}
}

// fieldsOf are the fields of a body and of the objects in it, as paths.
func fieldsOf(t reflect.Type, path string) (out []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[json.RawMessage]() {
		return nil
	}
	for field := range t.Fields() {
		name := path + "/" + strings.Split(field.Tag.Get("json"), ",")[0]
		out = append(append(out, name), fieldsOf(field.Type, name)...)
	}
	return out
}
