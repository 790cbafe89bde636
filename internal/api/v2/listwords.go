package v2

import (
	"slices"
	"strings"

	"github.com/tongbo/tongbo/internal/fault"
	"github.com/tongbo/tongbo/internal/payment"
	"github.com/tongbo/tongbo/internal/store"
)

// The words of PortOne's filters. An unknown one is the caller's mistake:
// passing over it would list what was not asked for.
var (
	timestampTypes = words("CREATED_AT STATUS_CHANGED_AT")
	sortKeys       = words("REQUESTED_AT STATUS_CHANGED_AT")
	sortOrders     = words("DESC ASC")
	versions       = words("V1 V2")
	clientTypes    = words("SDK_MOBILE SDK_PC API")
	methodTypes    = words("CARD TRANSFER VIRTUAL_ACCOUNT GIFT_CERTIFICATE MOBILE EASY_PAY CONVENIENCE_STORE CRYPTO")
	escrowStates   = words("BEFORE_REGISTERED REGISTERED DELIVERED CONFIRMED REJECTED CANCELLED REJECT_CONFIRMED")
	cardBrands     = words("LOCAL MASTER UNIONPAY VISA JCB AMEX DINERS")
	cardTypes      = words("CREDIT DEBIT GIFT")
	cardOwners     = words("PERSONAL CORPORATE")
	giftTypes      = words("BOOKNLIFE SMART_MUNSANG CULTURELAND HAPPYMONEY CULTUREGIFT")
	pgProviders    = words(`HTML5_INICIS PAYPAL PAYPAL_V2 INICIS DANAL NICE DANAL_TPAY JTNET UPLUS NAVERPAY KAKAO SETTLE KCP MOBILIANS
		KAKAOPAY NAVERCO SYRUP KICC EXIMBAY SMILEPAY PAYCO KCP_BILLING ALIPAY PAYPLE CHAI BLUEWALNUT SMARTRO SMARTRO_V2 PAYMENTWALL
		TOSSPAYMENTS KCP_QUICK DAOU GALAXIA TOSSPAY KCP_DIRECT SETTLE_ACC SETTLE_FIRM INICIS_UNIFIED KSNET PINPAY NICE_V2 TOSS_BRANDPAY
		WELCOME TOSSPAY_V2 INICIS_V2 KPN KCP_V2 HYPHEN EXIMBAY_V2 INICIS_JP PAYLETTER_GLOBAL MOBILIANS_V2 TRIPLE_A KICC_V2 INNOPAY
		HECTO_GLOBAL`)
)

// paymentStates are the states by the words of the filter, which has one more
// for the payment that waits for its PG.
var paymentStates = func() map[string]payment.State {
	out := map[string]payment.State{"PENDING": payment.PayPending}
	for _, s := range payment.States() {
		out[string(s)] = s
	}
	return out
}()

// nameKinds are the fields of a text search by which payments are found.
var nameKinds = map[string]store.NameKind{
	"ALL": store.AnyName, "PAYMENT_ID": store.PaymentIDName, "PG_TX_ID": store.PGTxName, "VIRTUAL_ACCOUNT_NUMBER": store.AccountName,
	"TX_ID": store.AttemptName,
}

// byMerchantID is the field of a text search that names a channel.
const byMerchantID = "PG_MERCHANT_ID"

var (
	// absentFields are those of a text search that no payment here has.
	absentFields = words(`TRANS_BANK USER_AGENT PROMOTION_ID GIFT_CERTIFICATION_APPROVAL_NUMBER`)
	// sealedFields are those that payments have, and that nothing finds.
	sealedFields = words(`FAIL_REASON VIRTUAL_ACCOUNT_HOLDER_NAME VIRTUAL_ACCOUNT_BANK PG_RECEIPT_ID RECEIPT_APPROVAL_NUMBER
		PG_CANCELLATION_ID CANCEL_REASON ORDER_NAME CUSTOMER_NAME CUSTOMER_EMAIL CUSTOMER_PHONE_NUMBER CUSTOMER_ADDRESS
		CUSTOMER_ZIPCODE SCHEDULE_ID BILLING_KEY CARD_ISSUER CARD_ACQUIRER CARD_BIN CARD_NUMBER CARD_APPROVAL_NUMBER
		CARD_RECEIPT_NAME CARD_INSTALLMENT`)
)

func words(list string) []string { return strings.Fields(list) }

// oneOf reports fault.Invalid unless a field of the filter is left out or one
// of its words.
func oneOf(field, value string, list []string) error {
	if value == "" || slices.Contains(list, value) {
		return nil
	}
	return fault.Errorf(fault.Invalid, "filter.%s: %.60q is none of %s", field, value, strings.Join(list, ", "))
}
