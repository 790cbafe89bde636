package console

import (
	"strings"
	"time"

	"github.com/tongbo/tongbo/internal/merchant"
	"github.com/tongbo/tongbo/internal/page"
	"github.com/tongbo/tongbo/internal/settings"
)

// windowsFile declares what the form of a store says of its payment windows.
func (v *visit) windowsFile(f *settings.StoreFile) (wrong []mistake) {
	origins, schemes := strings.Fields(v.value("origins")), strings.Fields(v.value("app_schemes"))
	f.Origins, f.AppSchemes = &origins, &schemes
	for _, o := range origins {
		if _, err := merchant.ParseOrigin(o); err != nil {
			wrong = append(wrong, mistake{"origins", v.t("settings.origin_wrong", "origin", page.Visible(o))})
			break
		}
	}
	for _, s := range schemes {
		if _, err := merchant.ParseAppScheme(s); err != nil {
			wrong = append(wrong, mistake{"app_schemes", v.t("settings.scheme_wrong", "scheme", page.Visible(s))})
			break
		}
	}
	limit := v.value("webhook_first_limit")
	if limit == "" {
		limit = merchant.DefaultWebhookLimit.String()
	}
	f.WebhookLimit = &limit
	if d, err := time.ParseDuration(limit); err != nil || d < merchant.ShortestLimit || d > merchant.LongestLimit {
		wrong = append(wrong, mistake{"webhook_first_limit", v.t("settings.webhook_limit_wrong")})
	}
	return wrong
}

// limitText is the longest wait for a webhook as a form has it; empty if nobody said.
func limitText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}
