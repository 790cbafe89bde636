// Package checkout is what the buyer's browser sees: the scripts that a shop's page loads,
// and the payment windows that they open.
//
// The scripts (assets/) are plain JavaScript for browsers of 2020 and later, served as they
// are written: browser-sdk.js and iamport.js, each in a function of its own together with
// window.js, the part they share. They set one global each, PortOne and IMP, and nothing
// else. What they promise to shops is docs/checkout.md.
package checkout
