package checkout

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/payment"
)

// A report is what the script reads of a window.
type report struct {
	State    string `json:"state"` // open or ended
	Result   any    `json:"result,omitempty"`
	Redirect string `json:"redirect,omitempty"` // where the shop's page is to go with it
}

// A resultV2 is what requestPayment resolves with.
type resultV2 struct {
	TransactionType string `json:"transactionType"`
	TxID            string `json:"txId"`
	PaymentID       string `json:"paymentId"`
	Code            string `json:"code,omitempty"`
	Message         string `json:"message,omitempty"`
	PGCode          string `json:"pgCode,omitempty"`
	PGMessage       string `json:"pgMessage,omitempty"`
}

// A resultV1 is the rsp of IMP.request_pay.
type resultV1 struct {
	Success     bool   `json:"success"`
	ImpSuccess  bool   `json:"imp_success"`
	ErrorCode   string `json:"error_code"`
	ErrorMsg    string `json:"error_msg"`
	ImpUID      string `json:"imp_uid"`
	MerchantUID string `json:"merchant_uid"`
	PayMethod   string `json:"pay_method,omitempty"`
	PaidAmount  int64  `json:"paid_amount,omitempty"`
	Status      string `json:"status,omitempty"`
	Name        string `json:"name,omitempty"`
	PGProvider  string `json:"pg_provider,omitempty"`
	EmbPG       string `json:"emb_pg_provider,omitempty"`
	PGTID       string `json:"pg_tid,omitempty"`
	BuyerName   string `json:"buyer_name,omitempty"`
	BuyerEmail  string `json:"buyer_email,omitempty"`
	BuyerTel    string `json:"buyer_tel,omitempty"`
	CustomData  string `json:"custom_data,omitempty"`
	PaidAt      int64  `json:"paid_at,omitempty"`
	ApplyNum    string `json:"apply_num,omitempty"`
	ReceiptURL  string `json:"receipt_url,omitempty"`
	VbankNum    string `json:"vbank_num,omitempty"`
	VbankName   string `json:"vbank_name,omitempty"`
	VbankHolder string `json:"vbank_holder,omitempty"`
	VbankDate   string `json:"vbank_date,omitempty"`
}

// result tells a script what came of a window, after waiting for it as long as it asks,
// and for the webhook where the store has it go first.
func (c *Checkout) result(w http.ResponseWriter, r *http.Request) {
	cors(w, r)
	id, ok := c.window(r.PathValue("token"), forResult, time.Now())
	if !ok {
		c.refuse(w, r, fault.Errorf(fault.NotFound, "there is no such window, or its time is over"))
		return
	}
	x, p, err := c.await(r, id)
	if err == nil && !x.EndedAt.IsZero() {
		x, err = c.Actions.AnswerCheckout(r.Context(), id)
	}
	switch {
	case err != nil:
		c.refuse(w, r, err)
	case x.EndedAt.IsZero():
		writeJSON(w, http.StatusOK, report{State: "open"})
	default:
		x = told(x, langOf(x, r))
		offer, _ := c.Actions.CheckoutOffer(r.Context(), id) // its channel may be gone
		out := report{State: "ended", Result: resultOf(x, p, offer.Provider)}
		if x.ForceRedirect && x.Window != redirect {
			out.Redirect = onward(x)
		}
		writeJSON(w, http.StatusOK, out)
	}
}

// await is the window once it has ended, or as it is when the time is over that the request
// waits for: none unless it says so.
func (c *Checkout) await(r *http.Request, id payment.CheckoutID) (payment.Checkout, payment.Payment, error) {
	seconds, err := strconv.Atoi(r.URL.Query().Get("wait"))
	if err != nil || seconds < 1 {
		return c.Actions.Checkout(r.Context(), id)
	}
	ctx, cancel := c.waits(r, min(time.Duration(min(seconds, 60))*time.Second, longestWait))
	defer cancel()
	x, p, err := c.Actions.AwaitCheckout(ctx, id)
	if err != nil && ctx.Err() != nil { // the server stops, and nothing was read yet
		return c.Actions.Checkout(r.Context(), id)
	}
	return x, p, err
}

// resultOf is what the shop's page hears, in the words of the SDK that it uses.
func resultOf(x payment.Checkout, p payment.Payment, module string) any {
	if x.SDK == payment.SDKV1 {
		return rspOf(x, p, module)
	}
	return resultV2{
		TransactionType: "PAYMENT", TxID: string(x.Transaction), PaymentID: string(x.PaymentID), Code: string(x.Outcome.Code),
		Message: x.Outcome.Message, PGCode: x.Outcome.PGCode, PGMessage: x.Outcome.PGMessage,
	}
}

// rspOf is V1's result. An account that was issued is a success, as it is at PortOne. The
// channel's module is empty if the channel is gone.
func rspOf(x payment.Checkout, p payment.Payment, module string) resultV1 {
	out := resultV1{ImpUID: string(x.Transaction), MerchantUID: string(x.PaymentID), Name: x.OrderName, Status: "failed"}
	if x.Outcome.Code != "" {
		out.ErrorCode, out.ErrorMsg = string(x.Outcome.Code), x.Outcome.Message
		return out
	}
	out.Success, out.ImpSuccess, out.Status = true, true, "ready"
	out.BuyerName, out.BuyerEmail, out.BuyerTel = x.Customer.Name, x.Customer.Email, x.Customer.PhoneNumber
	out.CustomData, out.PayMethod = x.CustomData, payMethodV1(x.Method, x.Wallet)
	out.PGProvider = module
	t, ok := p.Transaction()
	if !ok {
		return out
	}
	out.PGTID = t.PGTx
	if !t.PaidAt.IsZero() {
		out.Status, out.PaidAt, out.PaidAmount = "paid", t.PaidAt.Unix(), p.Amount.Amount
	}
	if t.Account != nil {
		out.PaidAmount = p.Amount.Amount // to be paid: V1 has one word for both
	}
	if a := t.Account; a != nil {
		out.VbankNum, out.VbankName, out.VbankHolder = a.Number.Reveal(), a.Bank.Name(), a.Holder
		if !a.ExpiresAt.IsZero() {
			out.VbankDate = a.ExpiresAt.In(page.Seoul).Format(time.DateTime)
		}
	}
	if t.Charge != nil {
		out.ApplyNum, out.ReceiptURL = t.Charge.Card.Approval, t.Charge.Receipt
		if t.Charge.Wallet != "" { // which the page may not have named
			out.PayMethod = t.Charge.Wallet.V1()
			if t.Charge.Wallet.Within(module) && module != "" {
				out.EmbPG = out.PayMethod
			}
		}
	}
	return out
}

func payMethodV1(m payment.Method, w payment.Wallet) string {
	if w != "" {
		return w.V1()
	}
	for _, name := range []string{"vbank", "card", "trans", "phone", "paypal"} {
		if methodsV1[name] == m {
			return name
		}
	}
	return strings.ToLower(string(m))
}

// onward is where the buyer goes afterwards: the shop's address with what came of it
// behind its own query, and before its own fragment. It is empty if the shop named none.
func onward(x payment.Checkout) string {
	if x.RedirectURL == "" {
		return ""
	}
	address, fragment, hasFragment := strings.Cut(asHeader(x.RedirectURL), "#")
	join := "?"
	if strings.Contains(address, "?") {
		join = "&"
		if strings.HasSuffix(address, "?") || strings.HasSuffix(address, "&") {
			join = ""
		}
	}
	address += join + query(x)
	if hasFragment {
		address += "#" + fragment
	}
	return address
}

// asHeader writes an address in the letters that a header may hold, as browsers do before
// they ask for one.
func asHeader(address string) string {
	var out strings.Builder
	for i := range len(address) {
		if b := address[i]; b > ' ' && b < 0x7f && b != '"' && b != '<' && b != '>' {
			out.WriteByte(b)
		} else {
			fmt.Fprintf(&out, "%%%02X", b)
		}
	}
	return out.String()
}

// query is what the address is given.
func query(x payment.Checkout) string {
	var out []string
	add := func(name, value string) { out = append(out, name+"="+url.QueryEscape(value)) }
	some := func(name, value string) {
		if value != "" {
			add(name, value)
		}
	}
	if x.SDK == payment.SDKV1 {
		success := strconv.FormatBool(x.Outcome.Code == "")
		add("imp_uid", string(x.Transaction))
		add("merchant_uid", string(x.PaymentID))
		add("imp_success", success)
		add("success", success)
		some("error_code", string(x.Outcome.Code))
		some("error_msg", x.Outcome.Message)
		return strings.Join(out, "&")
	}
	add("paymentId", string(x.PaymentID))
	add("txId", string(x.Transaction))
	add("transactionType", "PAYMENT")
	some("code", string(x.Outcome.Code))
	some("message", x.Outcome.Message)
	some("pgCode", x.Outcome.PGCode)
	some("pgMessage", x.Outcome.PGMessage)
	return strings.Join(out, "&")
}
